/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * chart_draw.c - the frame of every chart: title, legend, axes, marks. The kinds draw what stands in it.
 *
 *     title
 *     [] legend  [] legend          as many lines as it takes
 *   y |----------:--mark---
 *     |
 *     +-------------------- x
 */
#include <errno.h>
#include <math.h>
#include <string.h>

#include "base/text.h"
#include "export/canvas.h"
#include "report/chart_parts.h"

#define LEGEND_TOP   62.0
#define LEGEND_LINE  20.0
#define LETTER	     7.6 /* the width of one, about */
#define NAME_LETTERS 48

struct legend_place {
	double x, y;
};

static void fit_name(const struct chart_series *series, char text[CHART_NAME_MAX])
{
	canvas_fit(series->name, NAME_LETTERS, text, CHART_NAME_MAX);
}

/* A single series needs no name when the y axis has it. */
static bool has_legend(const struct chart *chart)
{
	return chart->series_count > 1;
}

static double swatch_width(const struct chart_series *series)
{
	return series->is_formula ? 30 : 14;
}

/* Where the next entry stands; a new line when this one is full. */
static struct legend_place place_entry(struct legend_place *at, const struct chart_series *series,
				       const char *name)
{
	double width = swatch_width(series) + 6 + LETTER * (double)text_width(name) + 18;
	struct legend_place place;

	if (at->x > CHART_LEFT && at->x + width > CHART_RIGHT) {
		at->x = CHART_LEFT;
		at->y += LEGEND_LINE;
	}
	place = *at;
	at->x += width;
	return place;
}

void chart_draw_point(const struct chart_series *series, double x, double y, FILE *out)
{
	const char *colour = chart_colour_of(series);

	switch (series->colour % 4) {
	case 0:
		fprintf(out, "<circle cx=\"%.1f\" cy=\"%.1f\" r=\"4\" fill=\"%s\"/>\n", x, y,
			colour);
		break;
	case 1:
		fprintf(out,
			"<rect x=\"%.1f\" y=\"%.1f\" width=\"7.4\" height=\"7.4\" fill=\"%s\"/>\n",
			x - 3.7, y - 3.7, colour);
		break;
	case 2:
		fprintf(out, "<path d=\"M%.1f %.1fl5 5l-5 5l-5 -5z\" fill=\"%s\"/>\n", x, y - 5,
			colour);
		break;
	default:
		fprintf(out, "<path d=\"M%.1f %.1fl5 8.6h-10z\" fill=\"%s\"/>\n", x, y - 5.7,
			colour);
	}
}

static void draw_swatch(const struct chart *chart, const struct chart_series *series,
			struct legend_place at, FILE *out)
{
	if (series->is_formula)
		fprintf(out,
			"<line x1=\"%.1f\" y1=\"%.1f\" x2=\"%.1f\" y2=\"%.1f\" stroke=\"%s\" "
			"stroke-width=\"2\" stroke-dasharray=\"6 4\"/>\n",
			at.x, at.y - 4.5, at.x + 30, at.y - 4.5, chart_colour_of(series));
	else if (chart->wish->kind == &chart_lines)
		chart_draw_point(series, at.x + 7, at.y - 4.5, out);
	else
		fprintf(out,
			"<rect x=\"%.1f\" y=\"%.1f\" width=\"14\" height=\"12\" fill=\"%s\"/>\n",
			at.x, at.y - 10.5, chart_colour_of(series));
}

static void draw_legend(const struct chart *chart, FILE *out)
{
	struct legend_place at = { CHART_LEFT, LEGEND_TOP }, place;
	char name[CHART_NAME_MAX];

	for (unsigned int i = 0; i < chart->series_count; i++) {
		const struct chart_series *series = &chart->series[i];

		fit_name(series, name);
		place = place_entry(&at, series, name);
		draw_swatch(chart, series, place, out);
		canvas_text(out, place.x + swatch_width(series) + 6, place.y, "", name);
	}
}

double chart_top(const struct chart *chart)
{
	struct legend_place at = { CHART_LEFT, LEGEND_TOP };
	char name[CHART_NAME_MAX];

	if (has_legend(chart)) {
		for (unsigned int i = 0; i < chart->series_count; i++) {
			fit_name(&chart->series[i], name);
			place_entry(&at, &chart->series[i], name);
		}
	}
	return at.y + (has_legend(chart) ? 18 : 0) + (chart->marks ? 18 : 0);
}

double chart_x(const struct chart *chart, double x)
{
	const struct chart_axis *axis = &chart->x;

	return CHART_LEFT + (CHART_RIGHT - CHART_LEFT) * (x - axis->low) / (axis->high - axis->low);
}

double chart_y(const struct chart *chart, double y)
{
	const struct chart_axis *axis = &chart->y;

	return CHART_BOTTOM -
	       (CHART_BOTTOM - chart_top(chart)) * (y - axis->low) / (axis->high - axis->low);
}

const char *chart_colour_of(const struct chart_series *series)
{
	return canvas_colour[series->colour % CANVAS_COLOURS];
}

void chart_format(const struct chart_axis *axis, double value, char text[32])
{
	double shown = value / axis->scale;

	snprintf(text, 32, fabs(shown) >= 1000 ? "%.0f" : "%.3g", shown);
}

/* ---- axes ---- */

static unsigned int ticks_of(const struct chart_axis *axis)
{
	return (unsigned int)lround((axis->high - axis->low) / axis->step);
}

/* Rounded to a part of the step, so that no tick reads 0.30000000000000004 or 1e-17. */
static void format_tick(const struct chart_axis *axis, unsigned int i, char text[32])
{
	double step = axis->step / axis->scale;
	double value = (floor(axis->low / axis->step + 0.5) + i) * step;

	snprintf(text, 32, "%.10g", fabs(value) < step / 2 ? 0 : value);
}

static void draw_y_axis(const struct chart *chart, FILE *out)
{
	const struct chart_axis *axis = &chart->y;
	char text[32];

	for (unsigned int i = 0; i <= ticks_of(axis); i++) {
		double y = chart_y(chart, axis->low + i * axis->step);

		canvas_line(out, CHART_LEFT, y, CHART_RIGHT, y, i ? "#dedede" : "#444");
		format_tick(axis, i, text);
		canvas_text(out, CHART_LEFT - 10, y + 4.5, "text-anchor=\"end\"", text);
	}
	canvas_text_upwards(out, 24, (chart_top(chart) + CHART_BOTTOM) / 2, axis->title);
}

static void draw_x_ticks(const struct chart *chart, FILE *out)
{
	const struct chart_axis *axis = &chart->x;
	char text[32];

	for (unsigned int i = 0; i <= ticks_of(axis); i++) {
		double x = chart_x(chart, axis->low + i * axis->step);

		canvas_line(out, x, CHART_BOTTOM, x, CHART_BOTTOM + 5, "#444");
		format_tick(axis, i, text);
		canvas_text(out, x, CHART_BOTTOM + 21, "text-anchor=\"middle\"", text);
	}
}

static void draw_groups(const struct chart *chart, FILE *out)
{
	size_t most = (size_t)((CHART_RIGHT - CHART_LEFT) / chart->groups / LETTER);
	char text[CHART_NAME_MAX + 8];

	for (unsigned int i = 0; i < chart->groups; i++) {
		canvas_fit(chart->group[i], most < 2 ? 2 : most, text, sizeof(text));
		canvas_text(out, chart_x(chart, i), CHART_BOTTOM + 21, "text-anchor=\"middle\"",
			    text);
	}
}

static void draw_x_axis(const struct chart *chart, FILE *out)
{
	if (chart->groups)
		draw_groups(chart, out);
	else
		draw_x_ticks(chart, out);
	canvas_text(out, (CHART_LEFT + CHART_RIGHT) / 2, CHART_BOTTOM + 44,
		    "text-anchor=\"middle\"", chart->x.title);
}

/* Labels of marks that stand near each other would lie on each other: each goes to the side where there is room. */
static void draw_marks(const struct chart *chart, FILE *out)
{
	double top = chart_top(chart);
	char text[64];

	for (unsigned int i = 0; i < chart->marks; i++) {
		double x = chart_x(chart, chart->mark[i].at);

		if (x < CHART_LEFT || x > CHART_RIGHT)
			continue;
		fprintf(out,
			"<line x1=\"%.1f\" y1=\"%.1f\" x2=\"%.1f\" y2=\"%.1f\" stroke=\"#222\" "
			"stroke-width=\"1.4\" stroke-dasharray=\"3 3\"/>\n",
			x, top - 4, x, CHART_BOTTOM);
		canvas_fit(chart->mark[i].label, 30, text, sizeof(text));
		canvas_text(out, x, top - 9,
			    x > CHART_RIGHT - 80  ? "text-anchor=\"end\" font-weight=\"bold\""
			    : x < CHART_LEFT + 80 ? "font-weight=\"bold\""
						  : "text-anchor=\"middle\" font-weight=\"bold\"",
			    text);
	}
}

static void draw_note(const struct chart *chart, FILE *out)
{
	char text[128];

	if (!chart->rows_left_out)
		return;
	snprintf(text, sizeof(text), "%zu rows that do not fit in are not shown.",
		 chart->rows_left_out);
	canvas_text(out, 24, CHART_HEIGHT - 10, "font-size=\"12\" fill=\"#555\"", text);
}

int chart_write(const struct chart *chart, FILE *out)
{
	canvas_begin(out, CHART_WIDTH, CHART_HEIGHT, chart->title);
	canvas_title(out, CHART_WIDTH, CHART_HEIGHT, chart->title);
	if (has_legend(chart))
		draw_legend(chart, out);
	draw_y_axis(chart, out);
	draw_x_axis(chart, out);
	chart->wish->kind->draw(chart, out);
	draw_marks(chart, out);
	draw_note(chart, out);
	canvas_end(out);
	return ferror(out) ? -EIO : 0;
}
