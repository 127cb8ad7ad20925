/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * chart_bars.c - a group for each value of x, in the order of the file; in it a bar for each column or value of `by`,
 * beside each other or, stacked, on top of each other.
 */
#include <errno.h>
#include <math.h>
#include <string.h>

#include "base/cleanup.h"
#include "export/canvas.h"
#include "report/chart_parts.h"

#define BAR_WITH_VALUE_MIN 26 /* a number beside another needs so much */

/* The group's number, or -1 when there are too many. */
static int group_of(struct chart *chart, const char *name)
{
	unsigned int i = 0;

	while (i < chart->groups && strncmp(chart->group[i], name, CHART_NAME_MAX - 1))
		i++;
	if (i == CHART_GROUPS_MAX)
		return -1;
	if (i == chart->groups)
		snprintf(chart->group[chart->groups++], CHART_NAME_MAX, "%s", name);
	return (int)i;
}

static bool has_bar(const struct chart_series *series, double group)
{
	for (size_t i = 0; i < series->points; i++)
		if (series->point[i].x == group)
			return true;
	return false;
}

static int take_cell(struct chart *chart, const struct sheet *sheet, size_t row, const char *column,
		     int group, const char *by, char *error)
{
	struct chart_series *series;
	char name[CHART_NAME_MAX];
	double y, factor;

	chart_unit_of(column, &factor);
	chart_series_name(chart, column, by, name);
	series = chart_series_for(chart, name, false);
	if (!series) {
		chart->rows_left_out++;
		return 0;
	}
	if (has_bar(series, group))
		return chart_fail(error,
				  "row %zu: there is a bar '%.40s' of '%.40s' already; what tells "
				  "them apart belongs into --by, or --where chooses",
				  row + 1, series->name, chart->group[group]);
	if (!sheet_number(sheet_cell(sheet, row, sheet_find(sheet, column)), &y))
		return 0;
	return chart_add_point(series, group, y * factor);
}

static int take_row(struct chart *chart, const struct sheet *sheet, size_t row, char *error)
{
	const struct chart_wish *wish = chart->wish;
	char by[CHART_NAME_MAX];
	int group, r = 0;

	group = group_of(chart, sheet_cell(sheet, row, sheet_find(sheet, wish->x.name[0])));
	if (group < 0) {
		chart->rows_left_out++;
		return 0;
	}
	chart_by_name(chart, sheet, row, by);
	for (unsigned int i = 0; i < wish->y.count && r == 0; i++)
		r = take_cell(chart, sheet, row, wish->y.name[i], group, by, error);
	return r;
}

/* Where the top of a group is when its bars stand on each other, up to those of this series. */
static double stacked_up_to(const struct chart *chart, unsigned int series, double group)
{
	double sum = 0;

	for (unsigned int i = 0; i <= series; i++)
		for (size_t k = 0; k < chart->series[i].points; k++)
			if (chart->series[i].point[k].x == group)
				sum += chart->series[i].point[k].y;
	return sum;
}

static int check_stacked(const struct chart *chart, double low, double *ret_high, char *error)
{
	double high = 0;

	if (low < 0)
		return chart_fail(error, "there is a value below 0, which nothing can stand on");
	for (unsigned int i = 0; i < chart->groups; i++)
		high = fmax(high, stacked_up_to(chart, chart->series_count - 1, i));
	*ret_high = high;
	return 0;
}

static int read_bars(struct chart *chart, const struct sheet *sheet, char *error)
{
	const struct chart_wish *wish = chart->wish;
	double high = 0, low = 0;
	int r;

	r = chart_common_unit(&wish->y, &chart->y.unit, error);
	for (size_t row = 0; row < sheet->rows && r == 0; row++)
		if (chart_takes_row(chart, sheet, row))
			r = take_row(chart, sheet, row, error);
	if (r < 0)
		return r;
	if (!chart->groups)
		return chart_fail(error, "no row is to be drawn");
	for (unsigned int i = 0; i < chart->series_count; i++) {
		for (size_t k = 0; k < chart->series[i].points; k++) {
			high = fmax(high, chart->series[i].point[k].y);
			low = fmin(low, chart->series[i].point[k].y);
		}
	}
	if (wish->stacked) {
		r = check_stacked(chart, low, &high, error);
		if (r < 0)
			return r;
	}
	chart->x = (struct chart_axis){ .low = -0.5, .high = chart->groups - 0.5, .step = 1 };
	chart_title_axis(&chart->x, wish->x_title, &wish->x);
	chart_title_axis(&chart->y, wish->y_title, &wish->y);
	chart_fit_axis(&chart->y, low, high);
	return 0;
}

static void draw_bar(const struct chart *chart, const struct chart_series *series, double x,
		     double width, double value, bool with_value, FILE *out)
{
	double y = chart_y(chart, value), ground = chart_y(chart, 0);
	char text[32];

	fprintf(out, "<rect x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" height=\"%.1f\" fill=\"%s\"/>\n",
		x, y < ground ? y : ground, width, fabs(ground - y), chart_colour_of(series));
	chart_format(&chart->y, value, text);
	if (with_value)
		canvas_text(out, x + width / 2, (y < ground ? y : ground) - 4,
			    "text-anchor=\"middle\" font-size=\"10\"", text);
}

static void draw_stacked(const struct chart *chart, FILE *out)
{
	double room = chart_x(chart, 1) - chart_x(chart, 0);

	for (unsigned int i = 0; i < chart->series_count; i++) {
		const struct chart_series *series = &chart->series[i];

		for (size_t k = 0; k < series->points; k++) {
			double top = stacked_up_to(chart, i, series->point[k].x);
			double y = chart_y(chart, top);

			fprintf(out,
				"<rect x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" height=\"%.1f\" "
				"fill=\"%s\"/>\n",
				chart_x(chart, series->point[k].x) - 0.35 * room, y, 0.7 * room,
				chart_y(chart, top - series->point[k].y) - y,
				chart_colour_of(series));
		}
	}
}

static void draw_bars(const struct chart *chart, FILE *out)
{
	double room = chart_x(chart, 1) - chart_x(chart, 0);
	double width = 0.82 * room / chart->series_count;
	bool with_values = width >= BAR_WITH_VALUE_MIN;

	if (chart->wish->stacked) {
		draw_stacked(chart, out);
		return;
	}
	for (unsigned int i = 0; i < chart->series_count; i++) {
		const struct chart_series *series = &chart->series[i];

		for (size_t k = 0; k < series->points; k++)
			draw_bar(chart, series,
				 chart_x(chart, series->point[k].x) - 0.41 * room + i * width,
				 width > 4 ? width - 2 : width, series->point[k].y, with_values,
				 out);
	}
}

const struct chart_kind chart_bars = {
	.name = "bars",
	.help = "groups by x, a bar for each --y, or each value of --by",
	.read = read_bars,
	.draw = draw_bars,
};
