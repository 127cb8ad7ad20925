/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test_suggest.c - facts about near names. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>

#include "base/cleanup.h"
#include "base/suggest.h"

static const char *const names[] = { "client", "a", "b", "frontend", "backend", "checkout" };

static void edits_are_counted(void **state)
{
	(void)state;
	assert_int_equal(suggest_distance("", ""), 0);
	assert_int_equal(suggest_distance("", "abc"), 3);
	assert_int_equal(suggest_distance("client", "clinet"), 1); /* swapped */
	assert_int_equal(suggest_distance("client", "clint"), 1);
	assert_int_equal(suggest_distance("client", "CLIENT"), 0);
	assert_int_equal(suggest_distance("kitten", "sitting"), 3);
}

static void a_slip_finds_the_name(void **state)
{
	const char *near[SUGGEST_MAX];

	(void)state;
	assert_int_equal(suggest_near("clinet", names, ARRAY_SIZE(names), near), 1);
	assert_string_equal(near[0], "client");
	assert_int_equal(suggest_near("frontends", names, ARRAY_SIZE(names), near), 1);
	assert_string_equal(near[0], "frontend");
}

static void a_name_that_is_there_twice_is_said_once(void **state)
{
	static const char *const twice[] = { "shop/db", "cache", "shop/db", "shop/dc" };
	const char *near[SUGGEST_MAX];

	(void)state;
	assert_int_equal(suggest_near("shop/bd", twice, ARRAY_SIZE(twice), near), 2);
	assert_string_equal(near[0], "shop/db");
	assert_string_equal(near[1], "shop/dc");
}

static void nothing_alike_finds_nothing(void **state)
{
	const char *near[SUGGEST_MAX];

	(void)state;
	assert_int_equal(suggest_near("zebra", names, ARRAY_SIZE(names), near), 0);
	assert_int_equal(suggest_near("z", names, ARRAY_SIZE(names), near), 0);
	assert_int_equal(suggest_near("", names, ARRAY_SIZE(names), near), 0);
}

static void at_most_three_and_the_nearest_first(void **state)
{
	static const char *const many[] = { "node-22", "node-33", "node-1", "node-12", "node-13" };
	const char *near[SUGGEST_MAX];

	(void)state;
	assert_int_equal(suggest_near("node-1", many, ARRAY_SIZE(many), near), 3);
	assert_string_equal(near[0], "node-1");
	assert_string_equal(near[1], "node-12");
	assert_string_equal(near[2], "node-13");
}

static void the_phrase_reads_like_a_question(void **state)
{
	static const char *const ports[] = { "port", "sport" };
	char text[128];

	(void)state;
	assert_string_equal(suggest_phrase(text, sizeof(text), "clinet", names, ARRAY_SIZE(names)),
			    "; did you mean 'client'?");
	assert_string_equal(suggest_phrase(text, sizeof(text), "prt", ports, 1),
			    "; did you mean 'port'?");
	assert_string_equal(suggest_phrase(text, sizeof(text), "zport", ports, 2),
			    "; did you mean 'port' or 'sport'?");
	assert_string_equal(suggest_phrase(text, sizeof(text), "zebra", names, ARRAY_SIZE(names)),
			    "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(edits_are_counted),
		cmocka_unit_test(a_slip_finds_the_name),
		cmocka_unit_test(a_name_that_is_there_twice_is_said_once),
		cmocka_unit_test(nothing_alike_finds_nothing),
		cmocka_unit_test(at_most_three_and_the_nearest_first),
		cmocka_unit_test(the_phrase_reads_like_a_question),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
