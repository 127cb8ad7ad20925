/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test_stage.c - facts about cutting time: stages sum to the total, whatever was seen; unions of intervals.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "trace_data.h"

#include "trace/interval.h"

/* Points 10 ns apart; bit i of `unseen` takes point i away. */
static void points(uint64_t point_ns[POINT_COUNT], uint32_t unseen)
{
	for (int i = 0; i < POINT_COUNT; i++)
		point_ns[i] = unseen & (1U << i) ? TIME_UNKNOWN : T0 + (uint64_t)i * 10;
}

static void whatever_was_seen_the_stages_sum_to_the_total(void **state)
{
	for (uint32_t unseen = 0; unseen < 1U << POINT_COUNT; unseen++) {
		uint64_t point_ns[POINT_COUNT], stage_ns[STAGE_COUNT], total_ns, sum_ns = 0;

		points(point_ns, unseen);
		assert_int_equal(stage_cut(point_ns, stage_ns, &total_ns), 0);
		for (int i = 0; i < STAGE_COUNT; i++)
			sum_ns += stage_ns[i] == TIME_UNKNOWN ? 0 : stage_ns[i];
		assert_int_equal(sum_ns, total_ns);
		for (int i = 0; i < STAGE_UNATTRIBUTED; i++) {
			int known = !(unseen & (3U << i));

			assert_int_equal(stage_ns[i], known ? 10 : TIME_UNKNOWN);
		}
		assert_int_equal(points_are_complete(point_ns), unseen == 0);
	}
}

static void contradictions_put_the_cause_back_and_keep_the_end(void **state)
{
	uint64_t seed = 1;

	for (int round = 0; round < 10000; round++) {
		uint64_t point_ns[POINT_COUNT], stage_ns[STAGE_COUNT], total_ns, sum_ns = 0;
		uint64_t last_ns;

		points(point_ns, 0);
		for (int i = 0; i < POINT_COUNT; i++)
			point_ns[i] += story_random(&seed) % 40;
		last_ns = point_ns[POINT_COUNT - 1];
		stage_cut(point_ns, stage_ns, &total_ns);
		for (int i = 0; i < STAGE_COUNT; i++) {
			assert_true(stage_ns[i] < 1000);
			sum_ns += stage_ns[i];
		}
		assert_int_equal(sum_ns, total_ns);
		assert_int_equal(point_ns[POINT_COUNT - 1], last_ns);
		assert_int_equal(point_ns[0] + total_ns, last_ns);
	}
}

static void every_stage_and_method_has_a_name(void **state)
{
	for (int i = 0; i < STAGE_COUNT; i++)
		assert_non_null(stage_name(i));
	for (int i = 0; i < LINK_METHOD_COUNT; i++)
		assert_non_null(link_method_name(i));
	assert_string_equal(stage_name(STAGE_SRV_APP), "srv_app");
	assert_string_equal(stage_name(STAGE_COUNT), "unknown");
	assert_string_equal(link_method_name(LINK_EXCLUSIVE), "exclusive");
	assert_string_equal(call_shape_name(SHAPE_OVERLAP), "overlap");
}

static void a_union_counts_each_instant_once(void **state)
{
	for (uint64_t seed = 1; seed < 500; seed++) {
		struct interval_set set = { 0 }, except = { 0 };
		unsigned char in[300] = { 0 }, out[300] = { 0 };
		uint64_t dice = seed, sum = 0, rest = 0;

		for (int i = 0; i < 10; i++) {
			uint64_t from = story_random(&dice) % 200;
			uint64_t to = from + story_random(&dice) % 20;

			interval_add(i % 3 ? &set : &except, from, to);
			memset((i % 3 ? in : out) + from, 1, to - from);
		}
		for (int i = 50; i < 180; i++) {
			sum += in[i];
			rest += in[i] && !out[i];
		}
		assert_int_equal(interval_within(&set, 50, 180), sum);
		assert_int_equal(interval_within_except(&set, 50, 180, &except), rest);
	}
}

static void a_union_that_is_full_becomes_an_upper_bound(void **state)
{
	struct interval_set set = { 0 };

	for (uint64_t i = 0; i < 3 * INTERVALS_MAX; i++)
		interval_add(&set, i * 10, i * 10 + 5);
	assert_true(set.count <= INTERVALS_MAX);
	assert_true(interval_within(&set, 0, 1000) >= 3 * INTERVALS_MAX * 5);
	assert_true(interval_within(&set, 0, 1000) <= 3 * INTERVALS_MAX * 10);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(whatever_was_seen_the_stages_sum_to_the_total),
		cmocka_unit_test(contradictions_put_the_cause_back_and_keep_the_end),
		cmocka_unit_test(every_stage_and_method_has_a_name),
		cmocka_unit_test(a_union_counts_each_instant_once),
		cmocka_unit_test(a_union_that_is_full_becomes_an_upper_bound),
	};

	return cmocka_run_group_tests_name("stage", tests, NULL, NULL);
}
