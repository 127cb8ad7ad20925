/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * chart_parts.h - what the kinds of chart share. For user/report/chart*.c alone.
 */
#ifndef HOPFAULT_REPORT_CHART_PARTS_H
#define HOPFAULT_REPORT_CHART_PARTS_H

#include "report/chart.h"

extern const struct chart_kind chart_lines, chart_stack, chart_bars;

/* ---- reading ---- */

/* -EINVAL with a sentence: no such column, and which are near. */
int chart_find_column(const struct sheet *sheet, const char *name, int *ret_column, char *error);
int chart_fail(char *error, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Does the row meet all conditions? The columns are known to be there. */
bool chart_takes_row(const struct chart *chart, const struct sheet *sheet, size_t row);

/* The unit that a column's name tells, and by what its numbers are multiplied for it (times: into ns). */
enum chart_unit chart_unit_of(const char *column, double *ret_factor);
/* The column's name for people: without its unit, blanks for underscores. */
void chart_label_of(const char *column, char label[CHART_NAME_MAX]);
/* All columns of an axis measure the same. */
int chart_common_unit(const struct chart_columns *columns, enum chart_unit *ret_unit, char *error);

/* The series of this name, made when it is new. NULL: too many, or no memory. */
struct chart_series *chart_series_for(struct chart *chart, const char *name, bool is_formula);
int chart_add_point(struct chart_series *series, double x, double y);

/* What the row has in the columns of `by`, for people: "5 ms", "hops 3", "200 none". Empty when there is no `by`. */
void chart_by_name(const struct chart *chart, const struct sheet *sheet, size_t row,
		   char name[CHART_NAME_MAX]);
/* A series' name of a column and a value of `by`. */
void chart_series_name(const struct chart *chart, const char *column, const char *by,
		       char name[CHART_NAME_MAX]);

/* Ends and ticks of an axis that is to show these values. */
void chart_fit_axis(struct chart_axis *axis, double low, double high);
/* The title that was wished, else a label made of the columns; and the unit. */
void chart_title_axis(struct chart_axis *axis, const char *wish,
		      const struct chart_columns *columns);

/* ---- drawing ---- */

#define CHART_WIDTH  960
#define CHART_HEIGHT 540
#define CHART_LEFT   84.0
#define CHART_RIGHT  936.0
#define CHART_BOTTOM 468.0

double chart_top(const struct chart *chart); /* below title and legend */
double chart_x(const struct chart *chart, double x);
double chart_y(const struct chart *chart, double y);
const char *chart_colour_of(const struct chart_series *series);
/* Round, square, a rhombus, a triangle: to be told apart without colours. */
void chart_draw_point(const struct chart_series *series, double x, double y, FILE *out);
/* A value as a tick would write it, with three digits: "5.03". */
void chart_format(const struct chart_axis *axis, double value, char text[32]);

#endif
