/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test_error.c - facts about the buckets in which the programs count how late a delay engine was.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "error.h"

static void log2_of_every_power_and_its_neighbours(void **state)
{
	for (uint32_t log = 0; log < 64; log++) {
		uint64_t power = 1ULL << log;

		assert_int_equal(error_log2(power), log);
		assert_int_equal(error_log2(power | (power - 1)), log);
	}
}

static void small_errors_have_a_bucket_each(void **state)
{
	for (uint64_t error_ns = 0; error_ns < HF_ERROR_STEPS * 2; error_ns++) {
		assert_int_equal(error_bucket(error_ns), error_ns);
		assert_int_equal(error_bucket_floor((uint32_t)error_ns), error_ns);
	}
}

static void a_bucket_begins_at_its_floor(void **state)
{
	for (uint32_t bucket = 1; bucket < HF_ERROR_BUCKETS; bucket++) {
		uint64_t floor_ns = error_bucket_floor(bucket);

		assert_int_equal(error_bucket(floor_ns), bucket);
		assert_int_equal(error_bucket(floor_ns - 1), bucket - 1);
	}
}

static void a_bucket_is_a_sixteenth_of_its_value_wide_at_most(void **state)
{
	for (uint32_t bucket = HF_ERROR_STEPS; bucket < HF_ERROR_BUCKETS - 1; bucket++) {
		uint64_t floor_ns = error_bucket_floor(bucket);
		uint64_t width_ns = error_bucket_floor(bucket + 1) - floor_ns;

		assert_true(width_ns * HF_ERROR_STEPS <= floor_ns);
	}
}

static void what_is_larger_than_all_goes_into_the_last(void **state)
{
	/* 16 steps up to 2^4, then 31 octaves: 2^35 is the first that is too large */
	assert_int_equal(error_bucket((1ULL << 35) - 1), HF_ERROR_BUCKETS - 1);
	assert_int_equal(error_bucket(1ULL << 35), HF_ERROR_BUCKETS - 1);
	assert_int_equal(error_bucket(UINT64_MAX), HF_ERROR_BUCKETS - 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(log2_of_every_power_and_its_neighbours),
		cmocka_unit_test(small_errors_have_a_bucket_each),
		cmocka_unit_test(a_bucket_begins_at_its_floor),
		cmocka_unit_test(a_bucket_is_a_sixteenth_of_its_value_wide_at_most),
		cmocka_unit_test(what_is_larger_than_all_goes_into_the_last),
	};

	return cmocka_run_group_tests_name("error", tests, NULL, NULL);
}
