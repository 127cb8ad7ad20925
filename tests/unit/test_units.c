/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test_units.c - facts about numbers with units: what is taken, what is refused and why, and that what is printed
 * can be read again.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/units.h"

static void assert_time(const char *text, uint64_t expected_ns)
{
	const char *reason = NULL;
	uint64_t ns = 0;

	assert_int_equal(units_parse_time(text, &ns, &reason), 0);
	assert_int_equal(ns, expected_ns);
	assert_null(reason);
}

static void assert_no_time(const char *text, int error, const char *said)
{
	const char *reason = NULL;
	uint64_t ns = 42;

	assert_int_equal(units_parse_time(text, &ns, &reason), error);
	assert_int_equal(ns, 42);
	assert_non_null(reason);
	assert_non_null(strstr(reason, said));
	assert_int_equal(units_parse_time(text, &ns, NULL), error);
}

static void a_time_is_a_number_and_a_unit(void **state)
{
	(void)state;
	assert_time("7ns", 7);
	assert_time("100us", 100000);
	assert_time("5ms", 5000000);
	assert_time("1.5s", 1500000000);
	assert_time("10m", 600000000000);
	assert_time("2h", 7200000000000);
	assert_time("0ms", 0);
	assert_time("0.000000001s", 1);
	assert_time("18446744073709551615ns", UINT64_MAX);
}

static void a_time_that_is_none_is_refused_with_its_reason(void **state)
{
	(void)state;
	assert_no_time("5", -ENODATA, "a unit is missing: write 5ms, 5us or 5s");
	assert_no_time("0", -ENODATA, "a unit is missing");
	assert_no_time("-5ms", -EDOM, "negative");
	assert_no_time("-5", -EDOM, "negative");
	assert_no_time("18446744073709551616ns", -ERANGE, "too large");
	assert_no_time("18446744073709551615us", -ERANGE, "too large");
	assert_no_time("99999999999999999999999h", -ERANGE, "too large");
	assert_no_time("0.5ns", -ERANGE, "finer than a nanosecond");
	assert_no_time("0.0000000000000000001s", -ERANGE, "decimal places");
	assert_no_time("", -EINVAL, "empty");
	assert_no_time("ms", -EINVAL, "not a number");
	assert_no_time("five ms", -EINVAL, "not a number");
	assert_no_time("5 ms", -EINVAL, "not a time");
	assert_no_time("5ms ", -EINVAL, "not a time");
	assert_no_time("5MS", -EINVAL, "not a time");
	assert_no_time("5mbit", -EINVAL, "not a time");
	assert_no_time("5.ms", -EINVAL, "not a number");
	assert_no_time(".5ms", -EINVAL, "not a number");
	assert_no_time("1.2.3ms", -EINVAL, "not a time");
	assert_no_time("0x5ms", -EINVAL, "not a time");
	assert_no_time("1e3ms", -EINVAL, "not a time");
	assert_no_time("+5ms", -EINVAL, "not a number");
	assert_no_time("inf", -EINVAL, "not a number");
	assert_no_time("nan", -EINVAL, "not a number");
}

static uint32_t percent(const char *text)
{
	uint32_t odds = 42;

	assert_int_equal(units_parse_percent(text, &odds, NULL), 0);
	return odds;
}

static void percent_becomes_odds_to_the_nearest(void **state)
{
	(void)state;
	assert_int_equal(percent("0%"), 0);
	assert_int_equal(percent("1%"), 42949673);
	assert_int_equal(percent("0.1%"), 4294967);
	assert_int_equal(percent("50%"), 1U << 31);
	assert_int_equal(percent("100%"), UNITS_ODDS_ALWAYS);
	assert_int_equal(percent("100.000%"), UNITS_ODDS_ALWAYS);
}

static void only_never_is_never_and_only_always_is_always(void **state)
{
	(void)state;
	assert_int_equal(percent("0.0000000001%"), 1);
	assert_int_equal(percent("99.9999999999%"), UNITS_ODDS_ALWAYS - 1);
}

static void a_percentage_that_is_none_is_refused(void **state)
{
	static const struct {
		const char *text;
		int error;
	} refused[] = {
		{ "1", -ENODATA },
		{ "0.01", -ENODATA },
		{ "-1%", -EDOM },
		{ "100.1%", -ERANGE },
		{ "101%", -ERANGE },
		{ "%", -EINVAL },
		{ "1%%", -EINVAL },
		{ "1 %", -EINVAL },
		{ "", -EINVAL },
		{ "1e1%", -EINVAL },
		{ "0.00000000000000001%", -ERANGE },
	};
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(refused); i++) {
		const char *reason = NULL;
		uint32_t odds = 42;

		assert_int_equal(units_parse_percent(refused[i].text, &odds, &reason),
				 refused[i].error);
		assert_non_null(reason);
		assert_int_equal(odds, 42);
	}
}

static void sizes_count_in_1024(void **state)
{
	uint64_t bytes;

	(void)state;
	assert_int_equal(units_parse_size("64k", &bytes, NULL), 0);
	assert_int_equal(bytes, 65536);
	assert_int_equal(units_parse_size("1.5KiB", &bytes, NULL), 0);
	assert_int_equal(bytes, 1536);
	assert_int_equal(units_parse_size("1500b", &bytes, NULL), 0);
	assert_int_equal(bytes, 1500);
	assert_int_equal(units_parse_size("1g", &bytes, NULL), 0);
	assert_int_equal(bytes, 1 << 30);
	assert_int_equal(units_parse_size("64", &bytes, NULL), -ENODATA);
	assert_int_equal(units_parse_size("64mbit", &bytes, NULL), -EINVAL);
	assert_int_equal(units_parse_size("-1k", &bytes, NULL), -EDOM);
	assert_int_equal(units_parse_size("99999999999999999999g", &bytes, NULL), -ERANGE);
}

static void ports_are_lists_of_ranges(void **state)
{
	struct units_range range[4];

	(void)state;
	assert_int_equal(units_parse_ports("80,8000-8080,1000:2000", range, 4, NULL), 3);
	assert_int_equal(range[0].first, 80);
	assert_int_equal(range[0].last, 80);
	assert_int_equal(range[1].first, 8000);
	assert_int_equal(range[1].last, 8080);
	assert_int_equal(range[2].first, 1000);
	assert_int_equal(range[2].last, 2000);
	assert_int_equal(units_parse_ports("1,2,3,4", range, 4, NULL), 4);
	assert_int_equal(units_parse_ports("65535", range, 4, NULL), 1);
}

static void ports_that_are_none_are_refused(void **state)
{
	static const struct {
		const char *text;
		int error;
	} refused[] = {
		{ "", -EINVAL },
		{ "0", -ERANGE },
		{ "65536", -ERANGE },
		{ "http", -EINVAL },
		{ "80,", -EINVAL },
		{ ",80", -EINVAL },
		{ "80-", -EINVAL },
		{ "90-80", -EINVAL },
		{ "1-2-3", -EINVAL },
		{ "-80", -EDOM },
		{ "1,2,3,4,5", -ERANGE },
		{ "80 ", -EINVAL },
		{ "80-99999999999999999999999999999999999999", -EINVAL },
	};
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(refused); i++) {
		struct units_range range[4];
		const char *reason = NULL;

		assert_int_equal(units_parse_ports(refused[i].text, range, 4, &reason),
				 refused[i].error);
		assert_non_null(reason);
	}
}

static void a_count_keeps_its_limits(void **state)
{
	const char *reason = NULL;
	uint64_t count = 42;

	(void)state;
	assert_int_equal(units_parse_count("1000", 1, 5000, &count, NULL), 0);
	assert_int_equal(count, 1000);
	assert_int_equal(units_parse_count("0", 1, 5000, &count, &reason), -ERANGE);
	assert_string_equal(reason, "too small");
	assert_int_equal(units_parse_count("5001", 1, 5000, &count, &reason), -ERANGE);
	assert_string_equal(reason, "too large");
	assert_int_equal(units_parse_count("-3", 1, 5000, &count, &reason), -EDOM);
	assert_int_equal(units_parse_count("1.0", 1, 5000, &count, &reason), -EINVAL);
	assert_int_equal(units_parse_count("10k", 1, 5000, &count, &reason), -EINVAL);
	assert_int_equal(count, 1000);
}

static void durations_for_people_have_four_digits_and_a_unit(void **state)
{
	static const struct {
		uint64_t ns;
		const char *text;
	} shown[] = {
		{ 0, "0ns" },
		{ 61, "61ns" },
		{ 999, "999ns" },
		{ 1000, "1.000us" },
		{ 61250, "61.25us" },
		{ 999949, "999.9us" },
		{ 999950, "1.000ms" },
		{ 999999, "1.000ms" },
		{ 9999500, "10.00ms" },
		{ 5020000, "5.020ms" },
		{ 999950000, "1.000s" },
		{ 1200000000, "1.200s" },
		{ 600000000000, "600.0s" },
		{ 3600000000000, "3600s" },
		{ 36000000000000, "10.00h" },
	};
	char text[UNITS_TEXT_MAX];
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(shown); i++)
		assert_string_equal(units_format_duration(text, shown[i].ns), shown[i].text);
}

static void no_duration_is_wider_than_promised(void **state)
{
	char text[UNITS_TEXT_MAX];
	uint64_t ns;

	(void)state;
	assert_true(strlen(units_format_duration(text, UINT64_MAX)) <= UNITS_DURATION_WIDTH);
	for (ns = 1; ns < UINT64_MAX / 3; ns = ns * 3 / 2 + 1)
		assert_true(strlen(units_format_duration(text, ns)) <= UNITS_DURATION_WIDTH);
}

static void an_exact_time_can_be_read_again(void **state)
{
	char text[UNITS_TEXT_MAX];
	uint64_t ns, again;

	(void)state;
	assert_string_equal(units_format_time(text, 5000000), "5ms");
	assert_string_equal(units_format_time(text, 1500000), "1500us");
	assert_string_equal(units_format_time(text, 600000000000), "10m");
	for (ns = 0; ns < UINT64_MAX / 3; ns = ns * 3 / 2 + 1) {
		assert_int_equal(units_parse_time(units_format_time(text, ns), &again, NULL), 0);
		assert_int_equal(again, ns);
	}
}

static void a_percentage_can_be_read_again(void **state)
{
	char text[UNITS_TEXT_MAX];
	uint64_t odds;

	(void)state;
	assert_string_equal(units_format_percent(text, percent("1%")), "1%");
	assert_string_equal(units_format_percent(text, percent("0.1%")), "0.1%");
	assert_string_equal(units_format_percent(text, percent("12.5%")), "12.5%");
	assert_string_equal(units_format_percent(text, percent("100%")), "100%");
	assert_string_equal(units_format_percent(text, 0), "0%");
	for (odds = 0; odds <= UINT32_MAX; odds = odds * 3 / 2 + 1)
		assert_int_equal(percent(units_format_percent(text, (uint32_t)odds)), odds);
	assert_int_equal(percent(units_format_percent(text, UINT32_MAX - 1)), UINT32_MAX - 1);
}

static void counts_are_short_and_never_rounded_up(void **state)
{
	char text[UNITS_TEXT_MAX];

	(void)state;
	assert_string_equal(units_format_count(text, 0), "0");
	assert_string_equal(units_format_count(text, 999), "999");
	assert_string_equal(units_format_count(text, 1000), "1.00k");
	assert_string_equal(units_format_count(text, 12399), "12.3k");
	assert_string_equal(units_format_count(text, 999999), "999k");
	assert_string_equal(units_format_count(text, 4560000), "4.56M");
	assert_string_equal(units_format_count(text, UINT64_MAX), "18.4E");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_time_is_a_number_and_a_unit),
		cmocka_unit_test(a_time_that_is_none_is_refused_with_its_reason),
		cmocka_unit_test(percent_becomes_odds_to_the_nearest),
		cmocka_unit_test(only_never_is_never_and_only_always_is_always),
		cmocka_unit_test(a_percentage_that_is_none_is_refused),
		cmocka_unit_test(sizes_count_in_1024),
		cmocka_unit_test(ports_are_lists_of_ranges),
		cmocka_unit_test(ports_that_are_none_are_refused),
		cmocka_unit_test(a_count_keeps_its_limits),
		cmocka_unit_test(durations_for_people_have_four_digits_and_a_unit),
		cmocka_unit_test(no_duration_is_wider_than_promised),
		cmocka_unit_test(an_exact_time_can_be_read_again),
		cmocka_unit_test(a_percentage_can_be_read_again),
		cmocka_unit_test(counts_are_short_and_never_rounded_up),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
