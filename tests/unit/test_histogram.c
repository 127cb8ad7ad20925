/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test_histogram.c - facts about percentiles: exact while values are kept, three digits afterwards.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <math.h>
#include <stdlib.h>

#include "base/histogram.h"

#define MANY 20000

static uint64_t noise(uint64_t *state)
{
	*state = *state * 6364136223846793005ULL + 1442695040888963407ULL;
	return *state >> 33;
}

static void add_1_to(struct samples *samples, uint64_t last)
{
	uint64_t value;

	for (value = last; value >= 1; value--)
		assert_int_equal(samples_add(samples, value), 0);
}

static void percentiles_are_by_nearest_rank(void **state)
{
	struct samples samples;

	(void)state;
	samples_init(&samples, 0);
	add_1_to(&samples, 1000);
	assert_int_equal(samples_percentile(&samples, 50), 500);
	assert_int_equal(samples_percentile(&samples, 50.1), 501);
	assert_int_equal(samples_percentile(&samples, 95), 950);
	assert_int_equal(samples_percentile(&samples, 99.9), 999);
	assert_int_equal(samples_percentile(&samples, 99.99), 1000);
	assert_int_equal(samples_percentile(&samples, 100), 1000);
	assert_int_equal(samples_percentile(&samples, 0.000001), 1);
	samples_done(&samples);
}

static void one_value_is_every_percentile(void **state)
{
	struct samples samples;

	(void)state;
	samples_init(&samples, 0);
	assert_int_equal(samples_add(&samples, 7), 0);
	assert_int_equal(samples_percentile(&samples, 0.1), 7);
	assert_int_equal(samples_percentile(&samples, 99.99), 7);
	assert_true(samples_stddev(&samples) == 0);
	samples_done(&samples);
}

static void no_values_have_no_percentile_and_do_no_harm(void **state)
{
	struct samples samples;

	(void)state;
	samples_init(&samples, 0);
	assert_int_equal(samples.count, 0);
	assert_int_equal(samples_percentile(&samples, 50), 0);
	assert_true(samples_stddev(&samples) == 0);
	samples_done(&samples);
}

static void adding_after_asking_counts(void **state)
{
	struct samples samples;

	(void)state;
	samples_init(&samples, 0);
	add_1_to(&samples, 10);
	assert_int_equal(samples_percentile(&samples, 50), 5);
	assert_int_equal(samples_add(&samples, 0), 0);
	assert_int_equal(samples_percentile(&samples, 1), 0);
	assert_int_equal(samples.min, 0);
	samples_done(&samples);
}

static void moments_of_known_values(void **state)
{
	static const uint64_t values[] = { 2, 4, 4, 4, 5, 5, 7, 9 };
	struct samples samples;
	size_t i;

	(void)state;
	samples_init(&samples, 0);
	for (i = 0; i < 8; i++)
		assert_int_equal(samples_add(&samples, values[i]), 0);
	assert_true(fabs(samples.mean - 5) < 1e-12);
	assert_true(fabs(samples_stddev(&samples) - 2) < 1e-12);
	assert_int_equal(samples.min, 2);
	assert_int_equal(samples.max, 9);
	samples_done(&samples);
}

static void deviation_of_large_close_values_is_not_lost(void **state)
{
	struct samples samples;
	int i;

	(void)state;
	samples_init(&samples, 0);
	for (i = 0; i < 1000; i++)
		assert_int_equal(samples_add(&samples, 4000000000000000ULL + (i & 1) * 2), 0);
	assert_true(fabs(samples_stddev(&samples) - 1) < 0.01);
	samples_done(&samples);
}

static void assert_near(uint64_t value, uint64_t exact)
{
	double error = exact ? fabs((double)value - (double)exact) / (double)exact : (double)value;

	assert_true(error <= 0.0005);
}

static const double asked[] = { 0.1, 1, 50, 75, 90, 95, 99, 99.9, 99.99, 100 };

static void compare_coarse_with_exact(struct samples *exact, struct samples *coarse)
{
	size_t i;

	assert_null(exact->bucket);
	assert_non_null(coarse->bucket);
	assert_int_equal(exact->count, coarse->count);
	assert_int_equal(exact->min, coarse->min);
	assert_int_equal(exact->max, coarse->max);
	for (i = 0; i < sizeof(asked) / sizeof(asked[0]); i++)
		assert_near(samples_percentile(coarse, asked[i]),
			    samples_percentile(exact, asked[i]));
}

static void beyond_the_limit_three_digits_stay(void **state)
{
	struct samples exact, coarse;
	uint64_t seed = 1, value;
	int i;

	(void)state;
	samples_init(&exact, 0);
	samples_init(&coarse, 100);
	for (i = 0; i < MANY; i++) {
		value = noise(&seed) << (noise(&seed) % 33); /* up to 2^63: every power of two */
		assert_int_equal(samples_add(&exact, value), 0);
		assert_int_equal(samples_add(&coarse, value), 0);
	}
	compare_coarse_with_exact(&exact, &coarse);
	samples_done(&exact);
	samples_done(&coarse);
}

static void the_largest_number_has_a_bucket(void **state)
{
	struct samples samples;

	(void)state;
	samples_init(&samples, 1);
	assert_int_equal(samples_add(&samples, 0), 0);
	assert_int_equal(samples_add(&samples, UINT64_MAX), 0);
	assert_int_equal(samples_add(&samples, UINT64_MAX - 1), 0);
	assert_int_equal(samples_percentile(&samples, 100), UINT64_MAX);
	assert_int_equal(samples_percentile(&samples, 1), 0);
	samples_done(&samples);
}

static void merging_is_the_same_as_adding(void **state)
{
	struct samples whole, left, right;
	uint64_t seed = 3, value;
	size_t i;

	(void)state;
	samples_init(&whole, 0);
	samples_init(&left, 0);
	samples_init(&right, 0);
	for (i = 0; i < MANY; i++) {
		value = noise(&seed) % 100000;
		assert_int_equal(samples_add(&whole, value), 0);
		assert_int_equal(samples_add(i % 3 ? &left : &right, value), 0);
	}
	assert_int_equal(samples_merge(&left, &right), 0);
	assert_int_equal(left.count, whole.count);
	assert_true(fabs(left.mean - whole.mean) < 1e-6);
	assert_true(fabs(samples_stddev(&left) - samples_stddev(&whole)) < 1e-6);
	for (i = 0; i < sizeof(asked) / sizeof(asked[0]); i++)
		assert_int_equal(samples_percentile(&left, asked[i]),
				 samples_percentile(&whole, asked[i]));
	samples_done(&whole);
	samples_done(&left);
	samples_done(&right);
}

static void merging_coarse_ones_keeps_three_digits(void **state)
{
	struct samples whole, left, right;
	uint64_t seed = 5, value;
	size_t i;

	(void)state;
	samples_init(&whole, 0);
	samples_init(&left, 0);
	samples_init(&right, 100);
	for (i = 0; i < MANY; i++) {
		value = noise(&seed);
		assert_int_equal(samples_add(&whole, value), 0);
		assert_int_equal(samples_add(i % 3 ? &left : &right, value), 0);
	}
	assert_int_equal(samples_merge(&left, &right), 0);
	compare_coarse_with_exact(&whole, &left);
	samples_done(&whole);
	samples_done(&left);
	samples_done(&right);
}

static void merging_nothing_changes_nothing(void **state)
{
	struct samples samples, nothing;

	(void)state;
	samples_init(&samples, 0);
	samples_init(&nothing, 0);
	assert_int_equal(samples_merge(&samples, &nothing), 0);
	add_1_to(&samples, 3);
	assert_int_equal(samples_merge(&samples, &nothing), 0);
	assert_int_equal(samples.count, 3);
	assert_int_equal(samples_merge(&nothing, &samples), 0);
	assert_int_equal(samples_percentile(&nothing, 100), 3);
	samples_done(&samples);
	samples_done(&nothing);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(percentiles_are_by_nearest_rank),
		cmocka_unit_test(one_value_is_every_percentile),
		cmocka_unit_test(no_values_have_no_percentile_and_do_no_harm),
		cmocka_unit_test(adding_after_asking_counts),
		cmocka_unit_test(moments_of_known_values),
		cmocka_unit_test(deviation_of_large_close_values_is_not_lost),
		cmocka_unit_test(beyond_the_limit_three_digits_stay),
		cmocka_unit_test(the_largest_number_has_a_bucket),
		cmocka_unit_test(merging_is_the_same_as_adding),
		cmocka_unit_test(merging_coarse_ones_keeps_three_digits),
		cmocka_unit_test(merging_nothing_changes_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
