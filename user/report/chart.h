/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * chart.h - a picture of a CSV file's columns.
 *
 *     chart_read(wish, sheet)  -->  struct chart: series of points  --chart_write-->  SVG
 *
 *   lines   y over x, a line for each column or each value of `by`; a formula's columns are lines without points, in the
 *	     same colours, so that what was measured is seen to lie on them or not
 *   stack   rows counted (or a column summed) in slots of time, the values of `by` on top of each other; events as marks
 *   bars    groups by x, a bar in each for every column or value of `by`
 *
 * What a column measures is in its name: _ns, _us, _ms and _s are times, _bytes, _percent, and _share (of 1, shown in
 * percent). Whatever stands on one axis measures the same.
 */
#ifndef HOPFAULT_REPORT_CHART_H
#define HOPFAULT_REPORT_CHART_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "report/sheet.h"

#define CHART_COLUMNS_MAX 8 /* named for one axis */
#define CHART_SERIES_MAX  16
#define CHART_GROUPS_MAX  48
#define CHART_MARKS_MAX	  16
#define CHART_WHERE_MAX	  8
#define CHART_NAME_MAX	  128

struct chart_columns {
	unsigned int count;
	const char *name[CHART_COLUMNS_MAX];
};

struct chart_mark {
	double at; /* as the x column has it, or in ns since the first row */
	bool is_relative;
	const char *label;
};

struct chart_wish {
	const struct chart_kind *kind;
	struct chart_columns x; /* stack: their sum; else one */
	struct chart_columns y;
	struct chart_columns formula; /* lines */
	struct chart_columns by; /* the values joined */
	unsigned int wheres;
	struct {
		const char *column;
		const char *value;
	} where[CHART_WHERE_MAX];
	unsigned int marks;
	struct chart_mark mark[CHART_MARKS_MAX];
	uint64_t slot_ns; /* stack; 0: chosen */
	bool stacked; /* bars: those of a group on top of each other */
	const char *title; /* NULL: made from the columns' names */
	const char *x_title;
	const char *y_title;
};

enum chart_unit { CHART_PLAIN, CHART_TIME, CHART_BYTES, CHART_PERCENT };

struct chart_point {
	double x;
	double y; /* NAN: unknown, a gap */
};

struct chart_series {
	char name[CHART_NAME_MAX];
	bool is_formula;
	unsigned int colour;
	size_t points, allocated;
	struct chart_point *point;
};

struct chart_axis {
	enum chart_unit unit;
	bool is_count; /* of whole things */
	double low, high, step; /* in what the series have: times in ns */
	double scale; /* of what is written at the ticks */
	char title[2 * CHART_NAME_MAX];
};

struct chart {
	const struct chart_wish *wish;
	char title[2 * CHART_NAME_MAX];
	struct chart_axis x, y;
	unsigned int series_count;
	struct chart_series series[CHART_SERIES_MAX];
	unsigned int groups; /* bars: x is a group's number */
	char group[CHART_GROUPS_MAX][CHART_NAME_MAX];
	double slot_ns; /* stack */
	unsigned int marks;
	struct chart_mark mark[CHART_MARKS_MAX]; /* in what x has */
	size_t rows_left_out; /* without an x, or beyond what can be told apart */
};

struct chart_kind {
	const char *name;
	const char *help;
	int (*read)(struct chart *chart, const struct sheet *sheet, char *error);
	void (*draw)(const struct chart *chart, FILE *out);
};

extern const struct chart_kind *const chart_kinds[]; /* NULL ends it */

/* -EINVAL: the wish does not fit the sheet; a sentence stands in `error` (SHEET_ERROR_MAX bytes). -ENOMEM. */
int chart_read(const struct chart_wish *wish, const struct sheet *sheet, struct chart *ret_chart,
	       char *error);
void chart_done(struct chart *chart); /* for _cleanup_ */

/* 0 or -EIO. */
int chart_write(const struct chart *chart, FILE *out);

#endif
