/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * chart_lines.c - y over x. Beside a formula what was measured is points alone, so that it is seen to lie on the line.
 */
#include <errno.h>
#include <math.h>
#include <stdlib.h>

#include "base/cleanup.h"
#include "report/chart_parts.h"

static int by_x(const void *one, const void *other)
{
	const struct chart_point *a = one, *b = other;

	return (a->x > b->x) - (a->x < b->x);
}

/* The cell of column i in this row becomes a point of its series. `x` is known. */
static int take_cell(struct chart *chart, const struct sheet *sheet, size_t row, const char *column,
		     bool is_formula, double x, const char *by)
{
	struct chart_series *series;
	char name[CHART_NAME_MAX];
	double y, factor;

	chart_unit_of(column, &factor);
	chart_series_name(chart, column, by, name);
	series = chart_series_for(chart, name, is_formula);
	if (!series) {
		chart->rows_left_out++;
		return 0;
	}
	if (!sheet_number(sheet_cell(sheet, row, sheet_find(sheet, column)), &y))
		return chart_add_point(series, x, NAN);
	return chart_add_point(series, x, y * factor);
}

static int take_row(struct chart *chart, const struct sheet *sheet, size_t row, char *error)
{
	const struct chart_wish *wish = chart->wish;
	const char *cell = sheet_cell(sheet, row, sheet_find(sheet, wish->x.name[0]));
	char by[CHART_NAME_MAX];
	double x, factor;
	int r = 0;

	if (*cell == '\0') {
		chart->rows_left_out++;
		return 0;
	}
	if (!sheet_number(cell, &x))
		return chart_fail(error, "row %zu: '%.40s' in column %s is no number", row + 1,
				  cell, wish->x.name[0]);
	chart_unit_of(wish->x.name[0], &factor);
	chart_by_name(chart, sheet, row, by);
	for (unsigned int i = 0; i < wish->y.count && r == 0; i++)
		r = take_cell(chart, sheet, row, wish->y.name[i], false, x * factor, by);
	for (unsigned int i = 0; i < wish->formula.count && r == 0; i++)
		r = take_cell(chart, sheet, row, wish->formula.name[i], true, x * factor, by);
	return r;
}

/* The n-th formula has the n-th measured series' colour. */
static void pair_colours(struct chart *chart)
{
	unsigned int measured = 0, formulas = 0;

	for (unsigned int i = 0; i < chart->series_count; i++)
		chart->series[i].colour = chart->series[i].is_formula ? formulas++ : measured++;
}

static int fit_axes(struct chart *chart, char *error)
{
	const struct chart_wish *wish = chart->wish;
	double x_low = INFINITY, x_high = -INFINITY, y_low = 0, y_high = -INFINITY;

	for (unsigned int i = 0; i < chart->series_count; i++) {
		const struct chart_series *series = &chart->series[i];

		for (size_t k = 0; k < series->points; k++) {
			if (isnan(series->point[k].y))
				continue;
			x_low = fmin(x_low, series->point[k].x);
			x_high = fmax(x_high, series->point[k].x);
			y_low = fmin(y_low, series->point[k].y);
			y_high = fmax(y_high, series->point[k].y);
		}
	}
	if (!isfinite(x_low))
		return chart_fail(error, "no row has both a number in %s and one to be drawn",
				  wish->x.name[0]);
	chart_title_axis(&chart->x, wish->x_title, &wish->x);
	chart_title_axis(&chart->y, wish->y_title, &wish->y);
	chart_fit_axis(&chart->x, x_low, x_high);
	chart_fit_axis(&chart->y, y_low, y_high);
	return 0;
}

static void take_marks(struct chart *chart)
{
	double factor;

	chart_unit_of(chart->wish->x.name[0], &factor);
	for (unsigned int i = 0; i < chart->wish->marks; i++) {
		chart->mark[i] = chart->wish->mark[i];
		if (!chart->mark[i].is_relative)
			chart->mark[i].at *= factor;
	}
	chart->marks = chart->wish->marks;
}

static int read_lines(struct chart *chart, const struct sheet *sheet, char *error)
{
	const struct chart_wish *wish = chart->wish;
	enum chart_unit formula_unit;
	int r;

	r = chart_common_unit(&wish->x, &chart->x.unit, error);
	if (r == 0)
		r = chart_common_unit(&wish->y, &chart->y.unit, error);
	if (r == 0)
		r = chart_common_unit(&wish->formula, &formula_unit, error);
	if (r == 0 && wish->formula.count && formula_unit != chart->y.unit)
		r = chart_fail(error,
			       "'%s' and '%s' measure different things, and one axis has one unit",
			       wish->y.name[0], wish->formula.name[0]);
	for (size_t row = 0; row < sheet->rows && r == 0; row++)
		if (chart_takes_row(chart, sheet, row))
			r = take_row(chart, sheet, row, error);
	if (r < 0)
		return r;
	pair_colours(chart);
	for (unsigned int i = 0; i < chart->series_count; i++)
		qsort(chart->series[i].point, chart->series[i].points,
		      sizeof(*chart->series[i].point), by_x);
	take_marks(chart);
	return fit_axes(chart, error);
}

/* ---- drawing ---- */

/* One polyline for each stretch between gaps. */
static void draw_line(const struct chart *chart, const struct chart_series *series, FILE *out)
{
	bool is_open = false;

	for (size_t i = 0; i <= series->points; i++) {
		const struct chart_point *point = &series->point[i];
		bool is_known = i < series->points && !isnan(point->y);

		if (is_known && !is_open)
			fputs("<polyline points=\"", out);
		if (is_known)
			fprintf(out, "%.1f,%.1f ", chart_x(chart, point->x),
				chart_y(chart, point->y));
		if (!is_known && is_open)
			fprintf(out,
				"\" fill=\"none\" stroke=\"%s\" stroke-width=\"2\" "
				"stroke-linejoin=\"round\"%s/>\n",
				chart_colour_of(series),
				series->is_formula ? " stroke-dasharray=\"6 4\"" : "");
		is_open = is_known;
	}
}

#define POINTS_SHOWN_MAX 200 /* of a line that has more, the points would be all that is seen */

static void draw_points(const struct chart *chart, const struct chart_series *series, FILE *out)
{
	for (size_t i = 0; i < series->points; i++)
		if (!isnan(series->point[i].y))
			chart_draw_point(series, chart_x(chart, series->point[i].x),
					 chart_y(chart, series->point[i].y), out);
}

static void draw_lines(const struct chart *chart, FILE *out)
{
	bool has_formula = chart->wish->formula.count > 0;

	for (unsigned int i = 0; i < chart->series_count; i++)
		if (chart->series[i].is_formula || !has_formula)
			draw_line(chart, &chart->series[i], out);
	for (unsigned int i = 0; i < chart->series_count; i++)
		if (!chart->series[i].is_formula &&
		    (has_formula || chart->series[i].points <= POINTS_SHOWN_MAX))
			draw_points(chart, &chart->series[i], out);
}

const struct chart_kind chart_lines = {
	.name = "lines",
	.help = "y over x, in lines; with --formula: points, and the formula's line",
	.read = read_lines,
	.draw = draw_lines,
};
