/* SPDX-License-Identifier: GPL-2.0-or-later */
/* chart.c - columns become series of points: what all kinds of chart share. */
#include <errno.h>
#include <math.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/suggest.h"
#include "export/canvas.h"
#include "report/chart_parts.h"

const struct chart_kind *const chart_kinds[] = { &chart_lines, &chart_stack, &chart_bars, NULL };

int chart_fail(char *error, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(error, SHEET_ERROR_MAX, format, args);
	va_end(args);
	return -EINVAL;
}

int chart_find_column(const struct sheet *sheet, const char *name, int *ret_column, char *error)
{
	char near[256];
	int column = sheet_find(sheet, name);

	if (column < 0)
		return chart_fail(error, "it has no column '%s'%s", name,
				  suggest_phrase(near, sizeof(near), name,
						 (const char *const *)sheet->column,
						 sheet->columns));
	*ret_column = column;
	return 0;
}

static int check_columns(const struct sheet *sheet, const struct chart_columns *columns,
			 char *error)
{
	int column, r = 0;

	for (unsigned int i = 0; i < columns->count && r == 0; i++)
		r = chart_find_column(sheet, columns->name[i], &column, error);
	return r;
}

static int check_wish(const struct chart_wish *wish, const struct sheet *sheet, char *error)
{
	int r, column;

	r = check_columns(sheet, &wish->x, error);
	if (r == 0)
		r = check_columns(sheet, &wish->y, error);
	if (r == 0)
		r = check_columns(sheet, &wish->formula, error);
	if (r == 0)
		r = check_columns(sheet, &wish->by, error);
	for (unsigned int i = 0; i < wish->wheres && r == 0; i++)
		r = chart_find_column(sheet, wish->where[i].column, &column, error);
	return r;
}

bool chart_takes_row(const struct chart *chart, const struct sheet *sheet, size_t row)
{
	const struct chart_wish *wish = chart->wish;

	for (unsigned int i = 0; i < wish->wheres; i++)
		if (strcmp(sheet_cell(sheet, row, sheet_find(sheet, wish->where[i].column)),
			   wish->where[i].value))
			return false;
	return true;
}

/* ---- what a column measures ---- */

static const struct {
	const char *suffix;
	enum chart_unit unit;
	double factor;
	const char *shown; /* behind a value of `by` */
} suffixes[] = {
	{ "_ns", CHART_TIME, 1, "" },		{ "_us", CHART_TIME, 1e3, "" },
	{ "_ms", CHART_TIME, 1e6, "" },		{ "_s", CHART_TIME, 1e9, "" },
	{ "_bytes", CHART_BYTES, 1, " bytes" }, { "_percent", CHART_PERCENT, 1, " %" },
	{ "_share", CHART_PERCENT, 100, " %" },
};

/* Its index, or ARRAY_SIZE(suffixes). A name that is all suffix, such as "share", has it as well. */
static size_t suffix_of(const char *column, size_t *ret_stem)
{
	size_t len = strlen(column), i;

	for (i = 0; i < ARRAY_SIZE(suffixes); i++) {
		size_t suffix = strlen(suffixes[i].suffix);

		*ret_stem = len;
		if (!strcmp(column, suffixes[i].suffix + 1))
			return i;
		*ret_stem = len - suffix;
		if (len > suffix && !strcmp(column + len - suffix, suffixes[i].suffix))
			return i;
	}
	*ret_stem = len;
	return i;
}

enum chart_unit chart_unit_of(const char *column, double *ret_factor)
{
	size_t stem, i = suffix_of(column, &stem);

	*ret_factor = i < ARRAY_SIZE(suffixes) ? suffixes[i].factor : 1;
	return i < ARRAY_SIZE(suffixes) ? suffixes[i].unit : CHART_PLAIN;
}

void chart_label_of(const char *column, char label[CHART_NAME_MAX])
{
	size_t stem;

	suffix_of(column, &stem);
	snprintf(label, CHART_NAME_MAX, "%.*s", (int)stem, column);
	for (; *label; label++)
		if (*label == '_')
			*label = ' ';
}

int chart_common_unit(const struct chart_columns *columns, enum chart_unit *ret_unit, char *error)
{
	double factor;

	for (unsigned int i = 1; i < columns->count; i++)
		if (chart_unit_of(columns->name[i], &factor) !=
		    chart_unit_of(columns->name[0], &factor))
			return chart_fail(error,
					  "'%s' and '%s' measure different things, and one axis "
					  "has one unit",
					  columns->name[0], columns->name[i]);
	*ret_unit = columns->count ? chart_unit_of(columns->name[0], &factor) : CHART_PLAIN;
	return 0;
}

/* ---- series ---- */

struct chart_series *chart_series_for(struct chart *chart, const char *name, bool is_formula)
{
	struct chart_series *series;

	for (unsigned int i = 0; i < chart->series_count; i++)
		if (chart->series[i].is_formula == is_formula &&
		    !strcmp(chart->series[i].name, name))
			return &chart->series[i];
	if (chart->series_count == CHART_SERIES_MAX)
		return NULL;
	series = &chart->series[chart->series_count++];
	snprintf(series->name, sizeof(series->name), "%s", name);
	series->is_formula = is_formula;
	series->colour = chart->series_count - 1;
	return series;
}

int chart_add_point(struct chart_series *series, double x, double y)
{
	size_t allocated = series->allocated ? 2 * series->allocated : 64;
	struct chart_point *grown;

	if (series->points == series->allocated) {
		grown = realloc(series->point, allocated * sizeof(*grown));
		if (!grown)
			return -ENOMEM;
		series->point = grown;
		series->allocated = allocated;
	}
	series->point[series->points++] = (struct chart_point){ x, y };
	return 0;
}

/* "5 ms" of delay_ms=5; "hops 3" of hops=3; else what stands there. */
static void name_value(const char *column, const char *cell, char *name, size_t size)
{
	char label[CHART_NAME_MAX];
	const char *unit;
	double number, factor, ns;
	size_t stem, i = suffix_of(column, &stem);

	chart_label_of(column, label);
	if (!sheet_number(cell, &number) || !strcmp(column, "status"))
		snprintf(name, size, "%.63s", *cell ? cell : "none");
	else if (i == ARRAY_SIZE(suffixes))
		snprintf(name, size, "%.32s %.24s", label, cell);
	else if (suffixes[i].unit == CHART_TIME && number == 0)
		snprintf(name, size, "0 %s", suffixes[i].suffix + 1);
	else if (suffixes[i].unit == CHART_TIME) {
		ns = canvas_time_unit(2 * number * suffixes[i].factor,
				      &unit); /* 1 ms, not 1000 µs */
		snprintf(name, size, "%.4g %s", number * suffixes[i].factor / ns, unit);
	} else {
		chart_unit_of(column, &factor);
		snprintf(name, size, "%.4g%s", number * factor, suffixes[i].shown);
	}
}

void chart_by_name(const struct chart *chart, const struct sheet *sheet, size_t row,
		   char name[CHART_NAME_MAX])
{
	const struct chart_columns *by = &chart->wish->by;
	size_t used = 0;

	name[0] = '\0';
	for (unsigned int i = 0; i < by->count && used < CHART_NAME_MAX - 1; i++) {
		const char *cell = sheet_cell(sheet, row, sheet_find(sheet, by->name[i]));
		char value[64];

		if (i > 0 && *cell == '\0')
			continue;
		name_value(by->name[i], cell, value, sizeof(value));
		used += (size_t)snprintf(name + used, CHART_NAME_MAX - used, "%s%s", i ? " " : "",
					 value);
	}
}

void chart_series_name(const struct chart *chart, const char *column, const char *by,
		       char name[CHART_NAME_MAX])
{
	char label[CHART_NAME_MAX];

	chart_label_of(column, label);
	if (!*by)
		snprintf(name, CHART_NAME_MAX, "%s", label);
	else if (chart->wish->y.count + chart->wish->formula.count < 2)
		snprintf(name, CHART_NAME_MAX, "%s", by);
	else
		snprintf(name, CHART_NAME_MAX, "%.60s, %.60s", label, by);
}

/* ---- axes ---- */

void chart_fit_axis(struct chart_axis *axis, double low, double high)
{
	const char *unit = "";
	char title[CHART_NAME_MAX];

	if (!(high > low))
		high = low + (low ? fabs(low) : 1);
	if (low > 0 && low <= high / 2)
		low = 0;
	axis->step = canvas_step(high - low);
	if (axis->is_count && axis->step < 1)
		axis->step = 1;
	axis->low = axis->step * floor(low / axis->step + 1e-9);
	axis->high = axis->step * ceil(high / axis->step - 1e-9);
	axis->scale = 1;
	if (axis->unit == CHART_TIME)
		axis->scale = canvas_time_unit(fmax(fabs(axis->low), fabs(axis->high)), &unit);
	else if (axis->unit == CHART_PERCENT)
		unit = "%";
	else if (axis->unit == CHART_BYTES)
		unit = "bytes";
	if (*unit) {
		snprintf(title, sizeof(title), "%.120s", axis->title);
		snprintf(axis->title, sizeof(axis->title), "%s%s%s", title, *title ? ", " : "",
			 unit);
	}
}

void chart_title_axis(struct chart_axis *axis, const char *wish,
		      const struct chart_columns *columns)
{
	char label[CHART_NAME_MAX];
	size_t used = 0;

	if (wish) {
		snprintf(axis->title, sizeof(axis->title), "%s", wish);
		return;
	}
	axis->title[0] = '\0';
	for (unsigned int i = 0; i < columns->count && used + 3 < sizeof(axis->title); i++) {
		chart_label_of(columns->name[i], label);
		snprintf(axis->title + used, sizeof(axis->title) - used, "%s%s", i ? ", " : "",
			 label);
		used = strlen(axis->title);
	}
}

/* ---- all of it ---- */

static void title_chart(struct chart *chart)
{
	const struct chart_wish *wish = chart->wish;
	struct chart_axis y = {}, x = {};

	if (wish->title) {
		snprintf(chart->title, sizeof(chart->title), "%s", wish->title);
		return;
	}
	chart_title_axis(&y, wish->y_title, &wish->y);
	chart_title_axis(&x, wish->x_title, &wish->x);
	snprintf(chart->title, sizeof(chart->title), "%.120s%s%.100s", *y.title ? y.title : "count",
		 " over ", x.title);
}

int chart_read(const struct chart_wish *wish, const struct sheet *sheet, struct chart *ret_chart,
	       char *error)
{
	_cleanup_(chart_done) struct chart chart = { .wish = wish };
	int r;

	r = check_wish(wish, sheet, error);
	if (r < 0)
		return r;
	title_chart(&chart);
	r = wish->kind->read(&chart, sheet, error);
	if (r == -ENOMEM)
		snprintf(error, SHEET_ERROR_MAX, "no memory");
	if (r < 0)
		return r;
	*ret_chart = chart;
	chart = (struct chart){};
	return 0;
}

void chart_done(struct chart *chart)
{
	for (unsigned int i = 0; i < chart->series_count; i++)
		free(chart->series[i].point);
	*chart = (struct chart){};
}
