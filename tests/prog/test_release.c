/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test_release.c - a packet that the hold engine gives back passes the program a second time: known by its mark, judged
 * by drop rules alone, its lateness counted, and nothing of its detour left on it.
 */
#include <string.h>

#include "error.h"
#include "fixture.h"

static const struct frame_spec some_tcp = { .sport = 40000, .dport = 80, .payload_len = 100 };

static void use_hold(struct fixture *f)
{
	assert_int_equal(harness_set_engine(f->harness, DEVICE_B, HF_ENGINE_HOLD), 0);
}

static void a_released_packet_passes_without_mark_and_timestamp(void **state)
{
	struct fixture *f = *state;

	use_hold(f);
	ask_one(f, delay_rule(1, 5 * MS));
	matched_at(f, 1, harness_now_ns() - 5 * MS);
	assert_int_equal(release_b(f, some_tcp, HARNESS_MARK, harness_now_ns()), PASSED);
	assert_int_equal(f->run.ctx.mark, 0);
	assert_int_equal(f->run.ctx.tstamp, 0);
	assert_int_equal(counts_of(f, 1).matched, 0);
	assert_int_equal(counts_of(f, 1).delayed, 0);
	assert_int_equal(counts_of(f, 1).released, 1);
}

static void another_mark_is_not_a_release_and_is_kept(void **state)
{
	struct fixture *f = *state;

	use_hold(f);
	ask_one(f, delay_rule(1, 5 * MS));
	assert_int_equal(release_b(f, some_tcp, HARNESS_MARK + 0x10000, 1), TC_ACT_REDIRECT);
	assert_int_equal(f->run.ctx.mark, HARNESS_MARK + 0x10000);
	assert_int_equal(counts_of(f, 1).released, 0);
}

static void the_mark_is_honoured_only_where_the_hold_engine_works(void **state)
{
	struct fixture *f = *state;

	ask_one(f, delay_rule(1, 5 * MS));
	assert_int_equal(release_b(f, some_tcp, HARNESS_MARK, 1), PASSED);
	assert_int_equal(f->run.ctx.mark, HARNESS_MARK);
	assert_int_equal(counts_of(f, 1).undelayed, 1);
	assert_int_equal(counts_of(f, 1).released, 0);
}

static void what_was_held_does_not_cross_a_cut_that_fell_meanwhile(void **state)
{
	struct hf_rule rules[] = { delay_rule(1, 5 * MS), rule_of(2, HF_RULE_DROP) };
	struct fixture *f = *state;

	use_hold(f);
	ask_all(f, rules, 2);
	assert_int_equal(release_b(f, some_tcp, HARNESS_MARK, 1), TC_ACT_SHOT);
	assert_int_equal(counts_of(f, 2).dropped, 1);

	rules[1].deadline_ns = harness_now_ns();
	ask_all(f, rules, 2);
	assert_int_equal(release_b(f, some_tcp, HARNESS_MARK, 1), PASSED);
}

/* It came in by A's device; that nobody knows its address changes nothing when it is let go. */
static void a_released_packet_is_judged_by_who_sent_it_not_by_its_address(void **state)
{
	struct hf_rule rules[] = { delay_rule(1, 5 * MS), rule_of(2, HF_RULE_DROP) };
	struct frame_spec unknown = some_tcp;
	struct fixture *f = *state;

	unknown.src = HOST_UNNAMED;
	use_hold(f);
	ask_all(f, rules, 2);
	assert_int_equal(release_b(f, unknown, HARNESS_MARK | HOST_A, 1), TC_ACT_SHOT);
	assert_int_equal(release_b(f, unknown, HARNESS_MARK, 1), PASSED);
	assert_int_equal(counts_of(f, 2).dropped, 1);
}

static void no_packet_rolls_its_dice_twice(void **state)
{
	struct hf_rule rule = rule_of(1, HF_RULE_LOSS);
	struct fixture *f = *state;

	use_hold(f);
	rule.loss_odds = HF_ODDS_ALWAYS;
	ask_one(f, rule);
	assert_int_equal(release_b(f, some_tcp, HARNESS_MARK, 1), PASSED);
	assert_int_equal(counts_of(f, 1).matched, 0);
}

static void a_release_of_what_no_rule_means_any_more_passes(void **state)
{
	struct fixture *f = *state;

	use_hold(f);
	assert_int_equal(harness_no_generation(f->harness), 0);
	assert_int_equal(release_b(f, some_tcp, HARNESS_MARK, 1), PASSED);
	assert_int_equal(f->run.ctx.mark, 0);
	assert_int_equal(f->run.ctx.tstamp, 0);
}

/* The bucket that holds the one packet that was counted. */
static __u32 only_bucket(const struct hf_rule_counts *counts)
{
	__u32 found = HF_ERROR_BUCKETS, sum = 0;

	for (__u32 i = 0; i < HF_ERROR_BUCKETS; i++) {
		sum += counts->error[i];
		if (counts->error[i])
			found = i;
	}
	assert_int_equal(sum, 1);
	return found;
}

static void lateness_falls_into_its_bucket(void **state)
{
	static const __u64 late_ns[] = { 50 * 1000, MS, 20 * MS, 3000 * MS, 60 * 1000 * MS };
	struct fixture *f = *state;

	use_hold(f);
	for (size_t i = 0; i < ARRAY_SIZE(late_ns); i++) {
		__u64 due_ns = harness_now_ns() - late_ns[i], most_ns;
		struct hf_rule_counts counts;

		ask_one(f, delay_rule(1 + i, 5 * MS));
		matched_at(f, 1 + i, due_ns - 5 * MS);
		assert_int_equal(release_b(f, some_tcp, HARNESS_MARK, due_ns), PASSED);
		most_ns = harness_now_ns() - due_ns;
		counts = counts_of(f, 1 + i);
		assert_in_range(counts.error_sum_ns, late_ns[i], most_ns);
		assert_int_equal(counts.error_max_ns, counts.error_sum_ns);
		assert_int_equal(only_bucket(&counts), error_bucket(counts.error_sum_ns));
	}
}

/* It came while older rules held the packet: what it is said to have done are its own packets alone. */
static void a_rule_that_came_later_has_held_nothing(void **state)
{
	struct hf_rule rules[] = { delay_rule(1, 20 * MS), delay_rule(2, 5 * MS) };
	__u64 decided_ns = harness_now_ns() - 30 * MS, due_ns = decided_ns + 20 * MS;
	struct fixture *f = *state;

	use_hold(f);
	ask_all(f, rules, 2);
	matched_at(f, 1, decided_ns);
	assert_int_equal(release_b(f, some_tcp, HARNESS_MARK, due_ns), PASSED);
	assert_int_equal(counts_of(f, 1).released, 1);
	assert_int_equal(counts_of(f, 2).released, 0); /* it has matched nothing yet */

	matched_at(f, 2, decided_ns + MS);
	assert_int_equal(release_b(f, some_tcp, HARNESS_MARK, due_ns), PASSED);
	assert_int_equal(counts_of(f, 1).released, 2);
	assert_int_equal(counts_of(f, 2).released, 0);

	assert_int_equal(release_b(f, some_tcp, HARNESS_MARK, due_ns + 6 * MS), PASSED);
	assert_int_equal(counts_of(f, 1).released, 3);
	assert_int_equal(counts_of(f, 2).released, 1);
}

/* A heal lets go of what is held before it is due; that says nothing of how exact the engine is. */
static void what_is_let_go_early_passes_and_is_no_error_of_the_engine(void **state)
{
	struct fixture *f = *state;
	struct hf_rule_counts counts;

	use_hold(f);
	ask_one(f, delay_rule(1, 5 * MS));
	assert_int_equal(release_b(f, some_tcp, HARNESS_MARK, harness_now_ns() + 1000 * MS),
			 PASSED);
	counts = counts_of(f, 1);
	assert_int_equal(counts.released, 0);
	assert_int_equal(counts.error_sum_ns, 0);
	assert_int_equal(f->run.ctx.mark, 0);
	assert_int_equal(f->run.ctx.tstamp, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		fixture_test(a_released_packet_passes_without_mark_and_timestamp),
		fixture_test(another_mark_is_not_a_release_and_is_kept),
		fixture_test(the_mark_is_honoured_only_where_the_hold_engine_works),
		fixture_test(what_was_held_does_not_cross_a_cut_that_fell_meanwhile),
		fixture_test(a_released_packet_is_judged_by_who_sent_it_not_by_its_address),
		fixture_test(no_packet_rolls_its_dice_twice),
		fixture_test(a_release_of_what_no_rule_means_any_more_passes),
		fixture_test(lateness_falls_into_its_bucket),
		fixture_test(a_rule_that_came_later_has_held_nothing),
		fixture_test(what_is_let_go_early_passes_and_is_no_error_of_the_engine),
	};

	return cmocka_run_group_tests(tests, fixture_world, NULL);
}
