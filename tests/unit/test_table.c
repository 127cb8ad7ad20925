/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test_table.c - facts about tables on a terminal: aligned, never too wide, never dangerous. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "base/table.h"
#include "base/text.h"

static const struct table_column name_and_pid[] = {
	{ .header = "NAME", .shrinks = true },
	{ .header = "PID", .align = TABLE_RIGHT },
	{ .header = "STATE" },
};

static char *printed(struct table *table)
{
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	assert_non_null(out);
	assert_int_equal(table_print(table, out), 0);
	assert_int_equal(fclose(out), 0);
	return text;
}

static void assert_printed(struct table *table, const char *expected)
{
	_cleanup_(freep) char *text = printed(table);

	assert_string_equal(text, expected);
}

static void columns_are_aligned_and_lines_end_in_no_blank(void **state)
{
	_cleanup_(table_freep) struct table *table = table_new(name_and_pid, 3, 80);

	(void)state;
	table_cell(table, "%s", "a");
	table_cell(table, "%d", 12345);
	table_cell(table, "%s", "up");
	table_cell(table, "%s", "client");
	table_cell(table, "%d", 7);
	table_cell(table, "%s", "");
	assert_printed(table, "NAME      PID  STATE\n"
			      "a       12345  up\n"
			      "client      7\n");
}

static void an_empty_table_is_its_header(void **state)
{
	_cleanup_(table_freep) struct table *table = table_new(name_and_pid, 3, 80);

	(void)state;
	assert_printed(table, "NAME  PID  STATE\n");
}

static void a_row_that_is_not_full_is_filled(void **state)
{
	_cleanup_(table_freep) struct table *table = table_new(name_and_pid, 3, 80);

	(void)state;
	table_cell(table, "%s", "a");
	table_rule(table);
	table_cell(table, "%s", "b");
	assert_printed(table, "NAME  PID  STATE\n"
			      "a\n"
			      "----------------\n"
			      "b\n");
}

static void what_is_too_wide_gives_way_with_an_ellipsis(void **state)
{
	_cleanup_(table_freep) struct table *table = table_new(name_and_pid, 3, 20);

	(void)state;
	table_cell(table, "%s", "a-very-long-name");
	table_cell(table, "%d", 1);
	table_cell(table, "%s", "up");
	assert_printed(table, "NAME      PID  STATE\n"
			      "a-very-…    1  up\n");
}

static void characters_are_not_cut_in_two(void **state)
{
	static const struct table_column narrow[] = { { .header = "N", .max_width = 4 },
						      { .header = "X" } };
	_cleanup_(table_freep) struct table *table = table_new(narrow, 2, 0);

	(void)state;
	table_cell(table, "%s", "éééééé");
	table_cell(table, "%s", "x");
	table_cell(table, "%s", "éé");
	table_cell(table, "%s", "y");
	assert_printed(table, "N     X\n"
			      "ééé…  x\n"
			      "éé    y\n");
}

static void a_hostile_name_is_shown_not_obeyed(void **state)
{
	_cleanup_(table_freep) struct table *table = table_new(name_and_pid, 3, 80);
	_cleanup_(freep) char *text = NULL;

	(void)state;
	table_cell(table, "%s", "\x1b]0;owned\x07\n");
	text = printed(table);
	assert_null(strchr(text, '\x1b'));
	assert_non_null(strstr(text, "\\x1b]0;owned\\x07\\x0a"));
}

static void neighbours_share_a_group_heading(void **state)
{
	static const struct table_column grouped[] = {
		{ .header = "HOP" },
		{ .header = "p50", .group = "total", .align = TABLE_RIGHT },
		{ .header = "p99", .group = "total", .align = TABLE_RIGHT },
		{ .header = "N" },
	};
	_cleanup_(table_freep) struct table *table = table_new(grouped, 4, 80);

	(void)state;
	table_cell(table, "%s", "a->b");
	table_cell(table, "%s", "5.020ms");
	table_cell(table, "%s", "6.100ms");
	table_cell(table, "%s", "1");
	assert_printed(table, "      ---- total -----\n"
			      "HOP       p50      p99  N\n"
			      "a->b  5.020ms  6.100ms  1\n");
}

static void no_line_is_wider_than_asked(void **state)
{
	static const struct table_column columns[] = {
		{ .header = "A", .shrinks = true },
		{ .header = "B", .shrinks = true },
		{ .header = "C" },
	};
	_cleanup_(table_freep) struct table *table = table_new(columns, 3, 80);
	_cleanup_(freep) char *text = NULL;
	char *line, *rest;
	int i;

	(void)state;
	for (i = 0; i < 30; i++) {
		table_cell(table, "%0*d", i * 3 + 1, i);
		table_cell(table, "%0*d", 100 - i, i);
		table_cell(table, "%d", i);
	}
	text = printed(table);
	for (line = strtok_r(text, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest))
		assert_true(text_width(line) <= 80);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(columns_are_aligned_and_lines_end_in_no_blank),
		cmocka_unit_test(an_empty_table_is_its_header),
		cmocka_unit_test(a_row_that_is_not_full_is_filled),
		cmocka_unit_test(what_is_too_wide_gives_way_with_an_ellipsis),
		cmocka_unit_test(characters_are_not_cut_in_two),
		cmocka_unit_test(a_hostile_name_is_shown_not_obeyed),
		cmocka_unit_test(neighbours_share_a_group_heading),
		cmocka_unit_test(no_line_is_wider_than_asked),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
