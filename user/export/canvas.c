/* SPDX-License-Identifier: GPL-2.0-or-later */
/* canvas.c - see canvas.h. */
#include "export/canvas.h"

#include <math.h>
#include <stdint.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/text.h"

const char *const canvas_colour[CANVAS_COLOURS] = {
	"#0072b2", /* blue */
	"#d55e00", /* vermilion */
	"#009e73", /* green */
	"#cc79a7", /* purple */
	"#56b4e9", /* sky */
	"#e69f00", /* orange */
	"#000000", "#888888",
};

void canvas_begin(FILE *out, int width, int height, const char *title)
{
	fprintf(out,
		"<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
		"<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%d\" height=\"%d\" "
		"viewBox=\"0 0 %d %d\" font-family=\"DejaVu Sans, Verdana, Arial, sans-serif\" "
		"font-size=\"13\" fill=\"#222\">\n"
		"<title>",
		width, height, width, height);
	text_write_xml(out, title);
	fputs("</title>\n", out);
}

void canvas_title(FILE *out, int width, int height, const char *title)
{
	fprintf(out,
		"<rect width=\"%d\" height=\"%d\" fill=\"#fff\"/>\n"
		"<text x=\"24\" y=\"36\" font-size=\"20\" font-weight=\"bold\">",
		width, height);
	text_write_xml(out, title);
	fputs("</text>\n", out);
}

void canvas_end(FILE *out)
{
	fputs("</svg>\n", out);
}

void canvas_text(FILE *out, double x, double y, const char *style, const char *text)
{
	fprintf(out, "<text x=\"%.1f\" y=\"%.1f\" %s>", x, y, style);
	text_write_xml(out, text);
	fputs("</text>\n", out);
}

void canvas_text_upwards(FILE *out, double x, double y, const char *text)
{
	fprintf(out, "<text transform=\"translate(%.0f %.1f) rotate(-90)\" text-anchor=\"middle\">",
		x, y);
	text_write_xml(out, text);
	fputs("</text>\n", out);
}

void canvas_line(FILE *out, double x1, double y1, double x2, double y2, const char *colour)
{
	fprintf(out, "<line x1=\"%.1f\" y1=\"%.1f\" x2=\"%.1f\" y2=\"%.1f\" stroke=\"%s\"/>\n", x1,
		y1, x2, y2, colour);
}

void canvas_fit(const char *name, size_t most, char *text, size_t size)
{
	size_t len = strlen(name), at = 0, characters = 0;
	uint32_t code_point;

	while (at < len && characters < most && at + 8 < size) {
		unsigned int bytes = text_utf8_next(name + at, len - at, &code_point);

		at += bytes ? bytes : 1;
		characters++;
	}
	snprintf(text, size, "%.*s%s", (int)at, name, at < len ? "…" : "");
}

double canvas_step(double range)
{
	double power = pow(10, floor(log10(range / 5)));
	double parts = range / 5 / power;

	return power * (parts <= 1 ? 1 : parts <= 2 ? 2 : parts <= 5 ? 5 : 10);
}

double canvas_time_unit(double max_ns, const char **ret_name)
{
	static const struct {
		double ns;
		const char *name;
	} units[] = { { 1e9, "s" }, { 1e6, "ms" }, { 1e3, "µs" }, { 1, "ns" } };
	size_t i = 0;

	while (i < ARRAY_SIZE(units) - 1 && max_ns < 2 * units[i].ns)
		i++;
	*ret_name = units[i].name;
	return units[i].ns;
}
