/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * svg.c - a picture: cumulative latency along the chain, there and back.
 *
 *   time |                           .-'   run 2: median, band up to p95,
 *        |                  .-'''''''       hatched: what was injected
 *        |      .-'''''''''
 *        |  .-'....................---     run 1
 *        +--client--a--b--c--b--a--client
 *
 * A slope is the way between two services, a step is the time in one. Runs are told apart in grey by marks and dashes as
 * well as by their colours.
 */
#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "export/canvas.h"
#include "export/figure.h"

#define WIDTH  960
#define HEIGHT 560
#define LEFT   84.0
#define RIGHT  868.0
#define TOP    92.0
#define BOTTOM 460.0

struct svg_export {
	struct export export;
	struct figure figure;
};

struct plot {
	FILE *out;
	const struct figure *figure;
	const struct figure_path *path;
	double max_ns; /* at the top of the axis */
	double step_ns; /* between ticks */
	double unit_ns;
	const char *unit;
};

struct look {
	const char *colour;
	const char *dashes;
	const char *hatch; /* id of the pattern */
};

static const struct look looks[FIGURE_RUNS_MAX] = {
	{ "#0072b2", "", "hatch0" },
	{ "#d55e00", "", "hatch1" },
};

static double x_of(const struct plot *plot, unsigned int place)
{
	return LEFT + (RIGHT - LEFT) * place / (2.0 * plot->path->calls);
}

static double y_of(const struct plot *plot, double ns)
{
	return BOTTOM - (BOTTOM - TOP) * ns / plot->max_ns;
}

/* ---- scale ---- */

static unsigned int points_of(const struct figure_path *path)
{
	return 4 * path->calls;
}

static double largest_ns(const struct plot *plot)
{
	uint64_t largest = 0, ns;
	unsigned int run, i;

	for (run = 0; run < plot->figure->runs; run++) {
		const struct figure_line *line = &plot->path->line[run];

		for (i = 0; line->point && i < points_of(plot->path); i++) {
			ns = samples_percentile(&line->point[i].time_ns, 95);
			if (ns > largest)
				largest = ns;
		}
	}
	return largest ? (double)largest : 1000;
}

static void choose_scale(struct plot *plot)
{
	double largest = largest_ns(plot);

	plot->step_ns = canvas_step(largest);
	plot->max_ns = plot->step_ns * ceil(largest * 1.04 / plot->step_ns);
	plot->unit_ns = canvas_time_unit(plot->max_ns, &plot->unit);
}

/* ---- frame ---- */

static void write_text(const struct plot *plot, double x, double y, const char *style,
		       const char *text)
{
	canvas_text(plot->out, x, y, style, text);
}

static const char *name_at(const struct plot *plot, unsigned int place)
{
	unsigned int calls = plot->path->calls;

	return plot->path->name[place <= calls ? place : 2 * calls - place];
}

static void draw_head(const struct plot *plot)
{
	FILE *out = plot->out;
	unsigned int i;

	canvas_begin(out, WIDTH, HEIGHT, "Cumulative latency along the chain");
	fputs("<defs>\n", out);
	for (i = 0; i < FIGURE_RUNS_MAX; i++)
		fprintf(out,
			"<pattern id=\"%s\" width=\"7\" height=\"7\" "
			"patternUnits=\"userSpaceOnUse\" "
			"patternTransform=\"rotate(45)\"><rect width=\"7\" height=\"7\" "
			"fill=\"%s\" "
			"fill-opacity=\"0.10\"/><line x1=\"0\" y1=\"0\" x2=\"0\" y2=\"7\" "
			"stroke=\"%s\" "
			"stroke-width=\"1.6\" stroke-opacity=\"0.45\"/></pattern>\n",
			looks[i].hatch, looks[i].colour, looks[i].colour);
	fputs("</defs>\n", out);
	canvas_title(out, WIDTH, HEIGHT, "Cumulative latency along the chain");
}

static void draw_subtitle(const struct plot *plot)
{
	write_text(plot, 24, 60, "fill=\"#555\"",
		   "From the moment the first service is called until each point of the way is "
		   "reached. "
		   "Slopes: between services. Steps: inside a service.");
}

static void draw_y_axis(const struct plot *plot)
{
	unsigned int i, ticks = (unsigned int)lround(plot->max_ns / plot->step_ns);
	char text[64];

	for (i = 0; i <= ticks; i++) {
		double ns = i * plot->step_ns, y = y_of(plot, ns);

		fprintf(plot->out,
			"<line x1=\"%.1f\" y1=\"%.1f\" x2=\"%.1f\" y2=\"%.1f\" stroke=\"%s\"/>\n",
			LEFT, y, RIGHT, y, i ? "#dedede" : "#444");
		snprintf(text, sizeof(text), "%.6g", ns / plot->unit_ns);
		write_text(plot, LEFT - 10, y + 4.5, "text-anchor=\"end\"", text);
	}
	snprintf(text, sizeof(text), "time since the start, %s", plot->unit);
	canvas_text_upwards(plot->out, 30, (TOP + BOTTOM) / 2, text);
}

static void draw_x_axis(const struct plot *plot)
{
	unsigned int calls = plot->path->calls, place;
	size_t most = (size_t)((RIGHT - LEFT) / (2.0 * calls) / 8.5);
	double middle = x_of(plot, calls);
	char text[128];

	for (place = 0; place <= 2 * calls; place++) {
		double x = x_of(plot, place);

		fprintf(plot->out,
			"<line x1=\"%.1f\" y1=\"%.1f\" x2=\"%.1f\" y2=\"%.1f\" stroke=\"%s\"/>\n",
			x, TOP, x, BOTTOM + 5, place == calls ? "#999" : "#ececec");
		canvas_fit(name_at(plot, place), most < 3 ? 3 : most, text, sizeof(text));
		write_text(plot, x, BOTTOM + 23, "text-anchor=\"middle\" font-size=\"14\"", text);
	}
	write_text(plot, (LEFT + middle) / 2, BOTTOM + 46, "text-anchor=\"middle\" fill=\"#555\"",
		   "the request goes down the chain →");
	write_text(plot, (middle + RIGHT) / 2, BOTTOM + 46, "text-anchor=\"middle\" fill=\"#555\"",
		   "the answer comes back →");
}

/* ---- lines ---- */

enum edge { EDGE_MEDIAN, EDGE_P95, EDGE_REAL };

static double edge_ns(struct figure_point *point, enum edge edge)
{
	if (edge == EDGE_REAL)
		return (double)samples_percentile(&point->real_ns, 50);
	return (double)samples_percentile(&point->time_ns, edge == EDGE_P95 ? 95 : 50);
}

/* Points that nobody saw are left out: the line goes straight on to the next. */
static void write_edge(const struct plot *plot, const struct figure_line *line, enum edge edge,
		       bool backwards)
{
	unsigned int points = points_of(plot->path), i;

	for (i = 0; i < points; i++) {
		unsigned int at = backwards ? points - 1 - i : i;
		struct figure_point *point = &line->point[at];

		if (point->time_ns.count)
			fprintf(plot->out, "%.1f,%.1f ",
				x_of(plot, figure_place(plot->path->calls, at)),
				y_of(plot, edge_ns(point, edge)));
	}
}

static void draw_area(const struct plot *plot, const struct figure_line *line, enum edge low,
		      enum edge high, const char *style)
{
	fputs("<polygon points=\"", plot->out);
	write_edge(plot, line, low, false);
	write_edge(plot, line, high, true);
	fprintf(plot->out, "\" %s/>\n", style);
}

static void draw_mark(const struct plot *plot, unsigned int run, double x, double y)
{
	if (run == 0)
		fprintf(plot->out,
			"<circle cx=\"%.1f\" cy=\"%.1f\" r=\"3.2\" fill=\"#fff\" "
			"stroke=\"%s\" stroke-width=\"1.8\"/>\n",
			x, y, looks[run].colour);
	else
		fprintf(plot->out,
			"<rect x=\"%.1f\" y=\"%.1f\" width=\"6.4\" height=\"6.4\" "
			"fill=\"%s\"/>\n",
			x - 3.2, y - 3.2, looks[run].colour);
}

static void draw_areas(const struct plot *plot, unsigned int run)
{
	const struct figure_line *line = &plot->path->line[run];
	char style[128];

	if (!line->point)
		return;
	if (line->injected) {
		snprintf(style, sizeof(style), "class=\"injected\" fill=\"url(#%s)\"",
			 looks[run].hatch);
		draw_area(plot, line, EDGE_REAL, EDGE_MEDIAN, style);
	}
	snprintf(style, sizeof(style), "class=\"band\" fill=\"%s\" fill-opacity=\"0.28\"",
		 looks[run].colour);
	draw_area(plot, line, EDGE_MEDIAN, EDGE_P95, style);
}

static void draw_line(const struct plot *plot, unsigned int run)
{
	const struct figure_line *line = &plot->path->line[run];
	unsigned int i;

	if (!line->point)
		return;
	fputs("<polyline class=\"median\" points=\"", plot->out);
	write_edge(plot, line, EDGE_MEDIAN, false);
	fprintf(plot->out,
		"\" fill=\"none\" stroke=\"%s\" stroke-width=\"2.4\" "
		"stroke-linejoin=\"round\"/>\n",
		looks[run].colour);
	for (i = 0; i < points_of(plot->path); i++)
		if (line->point[i].time_ns.count)
			draw_mark(plot, run, x_of(plot, figure_place(plot->path->calls, i)),
				  y_of(plot, edge_ns(&line->point[i], EDGE_MEDIAN)));
}

static void format_value(const struct plot *plot, double ns, char *text, size_t size)
{
	double value = ns / plot->unit_ns;

	snprintf(text, size, "%.*f %s", value < 10 ? 2 : value < 100 ? 1 : 0, value, plot->unit);
}

/* The median at the end of each line, moved apart when two would touch. */
static void draw_ends(const struct plot *plot)
{
	double y, above = -1000;
	unsigned int i, run;
	char text[64], style[64];

	for (i = plot->figure->runs; i-- > 0;) {
		const struct figure_line *line;
		double ns;

		run = i;
		line = &plot->path->line[run];
		if (!line->point || !line->point[points_of(plot->path) - 1].time_ns.count)
			continue;
		ns = edge_ns(&line->point[points_of(plot->path) - 1], EDGE_MEDIAN);
		y = y_of(plot, ns) + 4.5;
		if (fabs(y - above) < 16)
			y = y >= above ? above + 16 : above - 16;
		above = y;
		format_value(plot, ns, text, sizeof(text));
		snprintf(style, sizeof(style), "font-weight=\"bold\" fill=\"%s\"",
			 looks[run].colour);
		write_text(plot, RIGHT + 10, y, style, text);
	}
}

/* In the middle of the hatched area: how much of the whole was injected, by the medians. */
static void draw_share(const struct plot *plot, unsigned int run)
{
	const struct figure_line *line = &plot->path->line[run];
	struct figure_point *last;
	char injected[32], whole[32], text[128];
	double total_ns, real_ns;

	if (!line->point || !line->injected)
		return;
	last = &line->point[points_of(plot->path) - 1];
	if (!last->time_ns.count)
		return;
	total_ns = edge_ns(last, EDGE_MEDIAN);
	real_ns = edge_ns(last, EDGE_REAL);
	if (y_of(plot, real_ns) - y_of(plot, total_ns) < 60) /* no room */
		return;
	format_value(plot, total_ns - real_ns, injected, sizeof(injected));
	format_value(plot, total_ns, whole, sizeof(whole));
	snprintf(text, sizeof(text), "%s of %s were injected", injected, whole);
	write_text(plot, x_of(plot, plot->path->calls) * 0.5 + RIGHT * 0.5,
		   y_of(plot, (total_ns + real_ns) / 2) + 5,
		   "text-anchor=\"middle\" font-size=\"15\" paint-order=\"stroke\" stroke=\"#fff\" "
		   "stroke-width=\"6\" stroke-linejoin=\"round\"",
		   text);
}

/* ---- legend ---- */

static void legend_line(const struct plot *plot, double y, unsigned int run)
{
	const struct figure_line *line = &plot->path->line[run];
	char name[64], text[160];

	fprintf(plot->out,
		"<line x1=\"%.1f\" y1=\"%.1f\" x2=\"%.1f\" y2=\"%.1f\" stroke=\"%s\" "
		"stroke-width=\"2.4\"/>\n",
		LEFT + 20, y - 4, LEFT + 54, y - 4, looks[run].colour);
	draw_mark(plot, run, LEFT + 37, y - 4);
	canvas_fit(plot->figure->run_id[run], 24, name, sizeof(name));
	snprintf(text, sizeof(text), "%s: median of %" PRIu64 " chains", name, line->chains);
	write_text(plot, LEFT + 64, y, "", text);
}

static void legend_area(const struct plot *plot, double y, const char *style, const char *text)
{
	fprintf(plot->out, "<rect x=\"%.1f\" y=\"%.1f\" width=\"34\" height=\"12\" %s/>\n",
		LEFT + 20, y - 10, style);
	write_text(plot, LEFT + 64, y, "", text);
}

static void legend_areas(const struct plot *plot, double y)
{
	unsigned int run;
	char style[128];

	legend_area(plot, y, "fill=\"#777\" fill-opacity=\"0.32\"", "up to p95 (95 of 100 chains)");
	for (run = 0; run < plot->figure->runs; run++) {
		if (!plot->path->line[run].injected)
			continue;
		snprintf(style, sizeof(style), "fill=\"url(#%s)\"", looks[run].hatch);
		legend_area(plot, y += 22, style, "injected by hopfault");
	}
}

static unsigned int legend_rows(const struct plot *plot)
{
	unsigned int run, rows = 1;

	for (run = 0; run < plot->figure->runs; run++)
		rows += (plot->path->line[run].point != NULL) + plot->path->line[run].injected;
	return rows;
}

static void draw_legend(const struct plot *plot)
{
	double y = TOP + 32;
	unsigned int run;

	fprintf(plot->out,
		"<rect x=\"%.1f\" y=\"%.1f\" width=\"330\" height=\"%.1f\" rx=\"4\" "
		"fill=\"#fff\" fill-opacity=\"0.9\" stroke=\"#ccc\"/>\n",
		LEFT + 10, TOP + 10, 22.0 * legend_rows(plot) + 14);
	for (run = 0; run < plot->figure->runs; run++) {
		if (!plot->path->line[run].point)
			continue;
		legend_line(plot, y, run);
		y += 22;
	}
	legend_areas(plot, y);
}

/* Chains that took another way are not in the lines: say so. */
static void draw_note(const struct plot *plot)
{
	uint64_t others = 0;
	unsigned int run;
	char text[128];

	for (run = 0; run < plot->figure->runs; run++)
		others += plot->figure->chains[run] - plot->path->line[run].chains;
	if (others == 0)
		return;
	snprintf(text, sizeof(text), "%" PRIu64 " chains that took another way are not shown.",
		 others);
	write_text(plot, 24, HEIGHT - 16, "font-size=\"12\" fill=\"#555\"", text);
}

static void draw_plot(struct plot *plot)
{
	unsigned int run;

	choose_scale(plot);
	draw_subtitle(plot);
	draw_y_axis(plot);
	draw_x_axis(plot);
	for (run = plot->figure->runs; run-- > 0;)
		draw_areas(plot, run);
	for (run = 0; run < plot->figure->runs; run++)
		draw_line(plot, run);
	for (run = 0; run < plot->figure->runs; run++)
		draw_share(plot, run);
	draw_ends(plot);
	draw_legend(plot);
	draw_note(plot);
}

/* ---- the format ---- */

static int begin_run(struct export *export)
{
	return figure_begin_run(&((struct svg_export *)export)->figure, export->run);
}

static int add_chain(struct export *export, const struct chain *chain)
{
	return figure_add(&((struct svg_export *)export)->figure, chain);
}

static int end_file(struct export *export)
{
	const struct figure *figure = &((struct svg_export *)export)->figure;
	struct plot plot = {
		.out = export->out,
		.figure = figure,
		.path = figure_main_path(figure),
	};

	draw_head(&plot);
	if (plot.path)
		draw_plot(&plot);
	else
		write_text(&plot, 24, 70, "", "No chain was seen.");
	fputs("</svg>\n", plot.out);
	return ferror(plot.out) ? -EIO : 0;
}

static void release(struct export *export)
{
	figure_done(&((struct svg_export *)export)->figure);
}

const struct export_format export_svg = {
	.name = "svg",
	.help = "a picture: cumulative latency along the chain",
	.size = sizeof(struct svg_export),
	.begin_run = begin_run,
	.chain = add_chain,
	.end_file = end_file,
	.release = release,
};
