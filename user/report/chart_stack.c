/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * chart_stack.c - what happened over time, by kind: rows counted in slots, kinds on top of each other.
 *
 * Time begins with the earliest row. A category is a series; its points are (slot, height).
 */
#include <errno.h>
#include <math.h>
#include <stdlib.h>

#include "base/cleanup.h"
#include "export/canvas.h"
#include "report/chart_parts.h"

#define SLOTS_WANTED 60
#define SLOTS_MAX    2000

/* The sum of the x columns, in ns; false when one of them is unknown. */
static bool time_of(const struct chart *chart, const struct sheet *sheet, size_t row,
		    double *ret_ns)
{
	const struct chart_columns *x = &chart->wish->x;
	double ns = 0, number, factor;

	for (unsigned int i = 0; i < x->count; i++) {
		const char *cell = sheet_cell(sheet, row, sheet_find(sheet, x->name[i]));

		if (!sheet_number(cell, &number))
			return false;
		chart_unit_of(x->name[i], &factor);
		ns += number * factor;
	}
	*ret_ns = ns;
	return true;
}

static int find_span(struct chart *chart, const struct sheet *sheet, double *ret_begin_ns,
		     double *ret_end_ns, char *error)
{
	double begin_ns = INFINITY, end_ns = -INFINITY, ns;

	for (size_t row = 0; row < sheet->rows; row++) {
		if (!chart_takes_row(chart, sheet, row) || !time_of(chart, sheet, row, &ns))
			continue;
		begin_ns = fmin(begin_ns, ns);
		end_ns = fmax(end_ns, ns);
	}
	if (!isfinite(begin_ns))
		return chart_fail(error, "no row has a time in %s", chart->wish->x.name[0]);
	*ret_begin_ns = begin_ns;
	*ret_end_ns = end_ns;
	return 0;
}

static int choose_slots(struct chart *chart, double span_ns, unsigned int *ret_slots, char *error)
{
	double slots;

	chart->slot_ns = chart->wish->slot_ns ? (double)chart->wish->slot_ns
			 : span_ns > 0	      ? 5 * span_ns / SLOTS_WANTED
					      : 1e9;
	if (!chart->wish->slot_ns)
		chart->slot_ns = canvas_step(chart->slot_ns);
	slots = floor(span_ns / chart->slot_ns) + 1;
	if (slots > SLOTS_MAX)
		return chart_fail(error, "slots of this length would be %.0f, more than %d", slots,
				  SLOTS_MAX);
	*ret_slots = (unsigned int)slots;
	return 0;
}

/* A series has a height for every slot from the moment that it is there. */
static int stretch(struct chart_series *series, unsigned int slots)
{
	int r = 0;

	while (series->points < slots && r == 0)
		r = chart_add_point(series, (double)series->points, 0);
	return r;
}

static int take_row(struct chart *chart, const struct sheet *sheet, size_t row, double begin_ns,
		    unsigned int slots)
{
	const struct chart_wish *wish = chart->wish;
	struct chart_series *series;
	char by[CHART_NAME_MAX];
	double ns, height = 1;
	unsigned int slot;
	int r;

	if (!time_of(chart, sheet, row, &ns) ||
	    (wish->y.count &&
	     !sheet_number(sheet_cell(sheet, row, sheet_find(sheet, wish->y.name[0])), &height))) {
		chart->rows_left_out++;
		return 0;
	}
	chart_by_name(chart, sheet, row, by);
	series = chart_series_for(chart, by, false);
	if (!series) {
		chart->rows_left_out++;
		return 0;
	}
	r = stretch(series, slots);
	if (r < 0)
		return r;
	slot = (unsigned int)((ns - begin_ns) / chart->slot_ns);
	series->point[slot < slots ? slot : slots - 1].y += height;
	return 0;
}

static double highest(const struct chart *chart, unsigned int slots)
{
	double most = 0, sum;

	for (unsigned int slot = 0; slot < slots; slot++) {
		sum = 0;
		for (unsigned int i = 0; i < chart->series_count; i++)
			sum += chart->series[i].point[slot].y;
		most = fmax(most, sum);
	}
	return most;
}

static void take_marks(struct chart *chart, double begin_ns)
{
	double factor;

	chart_unit_of(chart->wish->x.name[0], &factor);
	for (unsigned int i = 0; i < chart->wish->marks; i++) {
		chart->mark[i] = chart->wish->mark[i];
		if (!chart->mark[i].is_relative)
			chart->mark[i].at = chart->mark[i].at * factor - begin_ns;
	}
	chart->marks = chart->wish->marks;
}

static void title_y(struct chart *chart)
{
	const char *unit;
	double scale = canvas_time_unit(chart->slot_ns, &unit);

	if (chart->wish->y_title || chart->wish->y.count)
		chart_title_axis(&chart->y, chart->wish->y_title, &chart->wish->y);
	else
		chart->y.is_count = true;
	if (chart->y.is_count)
		snprintf(chart->y.title, sizeof(chart->y.title), "count in each %.4g %s",
			 chart->slot_ns / scale, unit);
}

static int read_stack(struct chart *chart, const struct sheet *sheet, char *error)
{
	const struct chart_columns since = { 1, { "time since the first" } };
	double begin_ns = 0, end_ns = 0;
	unsigned int slots = 0;
	int r;

	r = chart_common_unit(&chart->wish->x, &chart->x.unit, error);
	if (r < 0)
		return r;
	if (chart->x.unit != CHART_TIME)
		return chart_fail(error,
				  "'%s' is no time: its name must end in _ns, _us, _ms or _s",
				  chart->wish->x.name[0]);
	r = find_span(chart, sheet, &begin_ns, &end_ns, error);
	if (r == 0)
		r = choose_slots(chart, end_ns - begin_ns, &slots, error);
	for (size_t row = 0; row < sheet->rows && r == 0; row++)
		if (chart_takes_row(chart, sheet, row))
			r = take_row(chart, sheet, row, begin_ns, slots);
	if (r < 0)
		return r;
	take_marks(chart, begin_ns);
	chart_title_axis(&chart->x, chart->wish->x_title, &since);
	title_y(chart);
	chart_fit_axis(&chart->x, 0, slots * chart->slot_ns);
	chart_fit_axis(&chart->y, 0, highest(chart, slots));
	return 0;
}

static void draw_stack(const struct chart *chart, FILE *out)
{
	size_t slots = chart->series_count ? chart->series[0].points : 0;

	for (size_t slot = 0; slot < slots; slot++) {
		double x = chart_x(chart, (double)slot * chart->slot_ns);
		double width = chart_x(chart, (double)(slot + 1) * chart->slot_ns) - x;
		double below = 0;

		for (unsigned int i = 0; i < chart->series_count; i++) {
			double height = chart->series[i].point[slot].y;
			double y = chart_y(chart, below + height);

			if (height > 0)
				fprintf(out,
					"<rect x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" "
					"height=\"%.1f\" "
					"fill=\"%s\"/>\n",
					x, y, width > 3 ? width - 1 : width,
					chart_y(chart, below) - y,
					chart_colour_of(&chart->series[i]));
			below += height;
		}
	}
}

const struct chart_kind chart_stack = {
	.name = "stack",
	.help = "rows counted over time, kinds (--by) on top of each other",
	.read = read_stack,
	.draw = draw_stack,
};
