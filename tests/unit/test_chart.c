/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test_chart.c - facts about sheets and charts: what is read, what is refused and why, and what the picture holds. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "export_data.h"
#include "report/chart.h"

struct fixture {
	char folder[64];
	char path[128];
	char svg[128];
	char error[SHEET_ERROR_MAX];
	struct sheet sheet;
	struct chart_wish wish;
};

static int setup(void **state)
{
	struct fixture *fixture = calloc(1, sizeof(*fixture));

	data_make_folder(fixture->folder, sizeof(fixture->folder));
	snprintf(fixture->path, sizeof(fixture->path), "%s/sheet.csv", fixture->folder);
	snprintf(fixture->svg, sizeof(fixture->svg), "%s/chart.svg", fixture->folder);
	*state = fixture;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *fixture = *state;

	sheet_done(&fixture->sheet);
	data_remove_folder(fixture->folder);
	free(fixture);
	return 0;
}

static int read_text(struct fixture *fixture, const char *text)
{
	FILE *file = fopen(fixture->path, "we");

	assert_non_null(file);
	fputs(text, file);
	assert_int_equal(fclose(file), 0);
	sheet_done(&fixture->sheet);
	return sheet_read(fixture->path, &fixture->sheet, fixture->error);
}

static const struct chart_kind *kind(const char *name)
{
	unsigned int i = 0;

	while (strcmp(chart_kinds[i]->name, name))
		i++;
	return chart_kinds[i];
}

static char *draw(struct fixture *fixture)
{
	_cleanup_(chart_done) struct chart chart = {};
	FILE *file = fopen(fixture->svg, "we");

	assert_non_null(file);
	if (chart_read(&fixture->wish, &fixture->sheet, &chart, fixture->error) < 0)
		fail_msg("refused: %s", fixture->error);
	assert_int_equal(chart_write(&chart, file), 0);
	assert_int_equal(fclose(file), 0);
	return data_read_file(fixture->svg);
}

static void assert_refused(struct fixture *fixture, const char *reason)
{
	struct chart chart;

	assert_int_equal(chart_read(&fixture->wish, &fixture->sheet, &chart, fixture->error),
			 -EINVAL);
	if (!strstr(fixture->error, reason))
		fail_msg("'%s' does not say '%s'", fixture->error, reason);
}

static unsigned int count(const char *text, const char *what)
{
	unsigned int found = 0;

	for (text = strstr(text, what); text; text = strstr(text + 1, what))
		found++;
	return found;
}

/* ---- sheets ---- */

static void a_sheet_has_its_cells(void **state)
{
	struct fixture *fixture = *state;

	assert_int_equal(read_text(fixture, "a,b\n1,\"x,\"\"y\"\n\n3,\r\n"), 0);
	assert_int_equal(fixture->sheet.columns, 2);
	assert_int_equal(fixture->sheet.rows, 2);
	assert_string_equal(sheet_cell(&fixture->sheet, 0, 1), "x,\"y");
	assert_string_equal(sheet_cell(&fixture->sheet, 1, 0), "3");
	assert_string_equal(sheet_cell(&fixture->sheet, 1, 1), "");
	assert_int_equal(sheet_find(&fixture->sheet, "b"), 1);
	assert_int_equal(sheet_find(&fixture->sheet, "c"), -1);
}

static void a_row_of_another_width_is_named(void **state)
{
	struct fixture *fixture = *state;

	assert_int_equal(read_text(fixture, "a,b\n1,2\n1\n"), -EBADMSG);
	assert_non_null(strstr(fixture->error, "line 3"));
	assert_int_equal(read_text(fixture, "a,b\n1,2,3\n"), -EBADMSG);
	assert_int_equal(read_text(fixture, ""), -EBADMSG);
}

static void numbers_are_finite_and_decimal(void **state)
{
	double number;

	assert_true(sheet_number("-1.5e3", &number) && number == -1500);
	assert_false(sheet_number("", &number));
	assert_false(sheet_number("nan", &number));
	assert_false(sheet_number("0x10", &number));
	assert_false(sheet_number("1e999", &number));
	assert_false(sheet_number("12 ", &number));
}

/* ---- lines ---- */

static const char sweep[] = "delay_ms,hops,p50_ns,floor_ns,note\n"
			    "0,2,600000,0,\n"
			    "5,2,10400000,10000000,\n"
			    "20,2,40500000,40000000,<b>&\n"
			    "0,8,1400000,0,\n"
			    "5,8,41500000,40000000,\n"
			    "20,8,161400000,160000000,\n";

static void wish_for_a_sweep(struct fixture *fixture)
{
	assert_int_equal(read_text(fixture, sweep), 0);
	fixture->wish = (struct chart_wish){
		.kind = kind("lines"),
		.x = { 1, { "delay_ms" } },
		.y = { 1, { "p50_ns" } },
		.formula = { 1, { "floor_ns" } },
		.by = { 1, { "hops" } },
		.title = "Measured, and the floor",
	};
}

static void what_was_measured_is_points_on_the_formulas_line(void **state)
{
	struct fixture *fixture = *state;
	_cleanup_(freep) char *text = NULL;

	wish_for_a_sweep(fixture);
	text = draw(fixture);
	assert_int_equal(count(text, "<polyline"), 2);
	assert_int_equal(count(text, "<circle"), 3 + 1); /* and one in the legend */
	assert_non_null(strstr(text, ">p50, hops 8</text>"));
	assert_non_null(strstr(text, ">delay, ms</text>"));
	data_assert_golden(fixture->svg, "lines.svg");
}

static void times_in_any_unit_are_the_same(void **state)
{
	struct fixture *fixture = *state;
	_cleanup_(chart_done) struct chart chart = {};

	assert_int_equal(read_text(fixture, "x,a_us,b_s\n1,2000,0.002\n"), 0);
	fixture->wish = (struct chart_wish){
		.kind = kind("lines"),
		.x = { 1, { "x" } },
		.y = { 2, { "a_us", "b_s" } },
	};
	assert_int_equal(chart_read(&fixture->wish, &fixture->sheet, &chart, fixture->error), 0);
	assert_true(chart.series[0].point[0].y == chart.series[1].point[0].y);
	assert_string_equal(chart.y.title, "a, b, ms");
}

static void values_of_by_have_the_units_of_their_columns(void **state)
{
	static const char *const names[] = { "0 ms", "1 ms", "20 ms" };
	struct fixture *fixture = *state;
	_cleanup_(chart_done) struct chart chart = {};

	assert_int_equal(read_text(fixture, "hops,delay_ms,p50_ns\n1,0,1\n1,1,1\n1,20,1\n"), 0);
	fixture->wish = (struct chart_wish){
		.kind = kind("lines"),
		.x = { 1, { "hops" } },
		.y = { 1, { "p50_ns" } },
		.by = { 1, { "delay_ms" } },
	};
	assert_int_equal(chart_read(&fixture->wish, &fixture->sheet, &chart, fixture->error), 0);
	for (unsigned int i = 0; i < 3; i++)
		assert_string_equal(chart.series[i].name, names[i]);
}

static void a_gap_is_a_gap(void **state)
{
	struct fixture *fixture = *state;
	_cleanup_(freep) char *text = NULL;

	assert_int_equal(read_text(fixture, "x,y\n1,1\n2,2\n3,\n4,4\n5,5\n,9\n"), 0);
	fixture->wish = (struct chart_wish){
		.kind = kind("lines"),
		.x = { 1, { "x" } },
		.y = { 1, { "y" } },
	};
	text = draw(fixture);
	assert_int_equal(count(text, "<polyline"), 2);
	assert_int_equal(count(text, "<circle"), 4);
	assert_null(strstr(text, "nan"));
	assert_non_null(strstr(text, "1 rows that do not fit in"));
}

static void a_wish_that_does_not_fit_is_refused_by_name(void **state)
{
	struct fixture *fixture = *state;

	wish_for_a_sweep(fixture);
	fixture->wish.y.name[0] = "p5O_ns";
	assert_refused(fixture, "no column 'p5O_ns'; did you mean 'p50_ns'?");
	wish_for_a_sweep(fixture);
	fixture->wish.x.name[0] = "note";
	assert_refused(fixture, "'<b>&' in column note is no number");
	wish_for_a_sweep(fixture);
	fixture->wish.y = (struct chart_columns){ 2, { "p50_ns", "hops" } };
	assert_refused(fixture, "'p50_ns' and 'hops' measure different things");
	wish_for_a_sweep(fixture);
	fixture->wish.wheres = 1;
	fixture->wish.where[0].column = "hops";
	fixture->wish.where[0].value = "7";
	assert_refused(fixture, "no row");
}

/* ---- stacks ---- */

static const char load[] = "start_mono_ns,latency_ns,status,error\n"
			   "1000000000,1000000,200,\n"
			   "1100000000,1000000,200,\n"
			   "1200000000,500000000,504,timeout\n"
			   "1600000000,1000000,200,\n"
			   "2900000000,1000000,,<refused>\n";

static void wish_for_a_stack(struct fixture *fixture)
{
	assert_int_equal(read_text(fixture, load), 0);
	fixture->wish = (struct chart_wish){
		.kind = kind("stack"),
		.x = { 2, { "start_mono_ns", "latency_ns" } },
		.by = { 2, { "status", "error" } },
		.slot_ns = 500000000,
		.marks = 2,
		.mark = { { 500000000, true, "cut" }, { 2001000000, false, "<healed>" } },
	};
}

static void rows_are_counted_in_their_slots(void **state)
{
	struct fixture *fixture = *state;
	_cleanup_(chart_done) struct chart chart = {};

	wish_for_a_stack(fixture);
	assert_int_equal(chart_read(&fixture->wish, &fixture->sheet, &chart, fixture->error), 0);
	assert_int_equal(chart.series_count, 3);
	assert_string_equal(chart.series[1].name, "504 timeout");
	assert_int_equal(chart.series[0].points, 4);
	assert_true(chart.series[0].point[0].y == 2);
	assert_true(chart.series[0].point[1].y == 1);
	assert_true(chart.series[1].point[1].y == 1);
	assert_true(chart.series[2].point[3].y == 1);
	assert_true(chart.mark[1].at == 1000000000);
}

static void a_stack_is_drawn(void **state)
{
	struct fixture *fixture = *state;
	_cleanup_(freep) char *text = NULL;

	wish_for_a_stack(fixture);
	text = draw(fixture);
	assert_int_equal(count(text, "<rect"), 1 + 3 + 4); /* ground, legend, one for each height */
	assert_non_null(strstr(text, ">none &lt;refused&gt;</text>"));
	assert_non_null(strstr(text, ">&lt;healed&gt;</text>"));
	assert_non_null(strstr(text, ">count in each 500 ms</text>"));
	data_assert_golden(fixture->svg, "stack.svg");
}

static void slots_without_number_are_refused(void **state)
{
	struct fixture *fixture = *state;

	wish_for_a_stack(fixture);
	fixture->wish.slot_ns = 1000;
	assert_refused(fixture, "more than 2000");
	wish_for_a_stack(fixture);
	fixture->wish.x = (struct chart_columns){ 1, { "status" } };
	assert_refused(fixture, "'status' is no time");
}

static void kinds_beyond_what_can_be_told_apart_are_counted(void **state)
{
	struct fixture *fixture = *state;
	_cleanup_(chart_done) struct chart chart = {};
	char text[1024] = "at_ns,kind\n";

	for (int i = 0; i < 20; i++)
		snprintf(text + strlen(text), sizeof(text) - strlen(text), "%d,k%d\n", i, i);
	assert_int_equal(read_text(fixture, text), 0);
	fixture->wish = (struct chart_wish){
		.kind = kind("stack"),
		.x = { 1, { "at_ns" } },
		.by = { 1, { "kind" } },
	};
	assert_int_equal(chart_read(&fixture->wish, &fixture->sheet, &chart, fixture->error), 0);
	assert_int_equal(chart.series_count, CHART_SERIES_MAX);
	assert_int_equal(chart.rows_left_out, 20 - CHART_SERIES_MAX);
}

/* ---- bars ---- */

static void wish_for_bars(struct fixture *fixture)
{
	assert_int_equal(read_text(fixture, "run,hop,p50_ns\n"
					    "calm,a->b,1000000\ncalm,b->c,2000000\n"
					    "cut,a->b,6000000\ncut,b->c,\n"),
			 0);
	fixture->wish = (struct chart_wish){
		.kind = kind("bars"),
		.x = { 1, { "hop" } },
		.y = { 1, { "p50_ns" } },
		.by = { 1, { "run" } },
	};
}

static void bars_stand_in_groups(void **state)
{
	struct fixture *fixture = *state;
	_cleanup_(freep) char *text = NULL;

	wish_for_bars(fixture);
	text = draw(fixture);
	assert_int_equal(count(text, "<rect"), 1 + 2 + 3);
	assert_non_null(strstr(text, ">a-&gt;b</text>"));
	data_assert_golden(fixture->svg, "bars.svg");
}

static void two_bars_in_one_place_are_refused(void **state)
{
	struct fixture *fixture = *state;

	wish_for_bars(fixture);
	fixture->wish.by.count = 0;
	assert_refused(fixture, "row 3: there is a bar 'p50' of 'a->b' already");
	fixture->wish.wheres = 1;
	fixture->wish.where[0].column = "run";
	fixture->wish.where[0].value = "cut";
	free(draw(fixture));
}

/* What the n-th rectangle has; the background is the first. */
static double attribute(const char *svg, unsigned int n, const char *name)
{
	const char *at = svg;

	for (unsigned int i = 0; i <= n; i++) {
		at = strstr(at, "<rect ");
		assert_non_null(at);
		at++;
	}
	at = strstr(at, name);
	assert_non_null(at);
	return strtod(at + strlen(name), NULL);
}

/* Behind the background and the legend's two: calm a->b, calm b->c, cut a->b. */
static void stacked_bars_stand_on_each_other(void **state)
{
	struct fixture *fixture = *state;
	_cleanup_(freep) char *text = NULL;

	wish_for_bars(fixture);
	fixture->wish.stacked = true;
	text = draw(fixture);
	assert_int_equal(count(text, "<rect"), 1 + 2 + 3);
	assert_true(attribute(text, 3, " x=\"") == attribute(text, 5, " x=\""));
	assert_true(attribute(text, 3, " x=\"") < attribute(text, 4, " x=\""));
	assert_true(fabs(attribute(text, 5, " y=\"") + attribute(text, 5, " height=\"") -
			 attribute(text, 3, " y=\"")) < 0.15);
	assert_true(fabs(attribute(text, 5, " height=\"") - 6 * attribute(text, 3, " height=\"")) <
		    0.5);
	assert_int_equal(read_text(fixture, "run,hop,p50_ns\ncalm,a->b,1\ncut,a->b,-2\n"), 0);
	assert_refused(fixture, "a value below 0");
}

#define FACT(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		FACT(a_sheet_has_its_cells),
		FACT(a_row_of_another_width_is_named),
		FACT(numbers_are_finite_and_decimal),
		FACT(what_was_measured_is_points_on_the_formulas_line),
		FACT(times_in_any_unit_are_the_same),
		FACT(values_of_by_have_the_units_of_their_columns),
		FACT(a_gap_is_a_gap),
		FACT(a_wish_that_does_not_fit_is_refused_by_name),
		FACT(rows_are_counted_in_their_slots),
		FACT(a_stack_is_drawn),
		FACT(slots_without_number_are_refused),
		FACT(kinds_beyond_what_can_be_told_apart_are_counted),
		FACT(bars_stand_in_groups),
		FACT(two_bars_in_one_place_are_refused),
		FACT(stacked_bars_stand_on_each_other),
	};

	return cmocka_run_group_tests_name("chart", tests, NULL, NULL);
}
