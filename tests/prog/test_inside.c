/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test_inside.c - b is on a macvlan: its device is inside, and what it gets is judged at that one's ingress, unless it was
 * judged where it left its sender's veth.
 */
#include <string.h>

#include "fixture.h"

#define DROPPED TC_ACT_SHOT

static void set_b(struct fixture *f)
{
	struct hf_device b = {
		.endpoint = HOST_B, .inside = 1, .below = HARNESS_NETNS, .traced = 1, .outward = 1
	};
	struct hf_addr addr = frame_address(false, HOST_B);

	assert_int_equal(harness_set_device(f->harness, harness_ifindex(DEVICE_B), &b), 0);
	assert_int_equal(harness_set_address(f->harness, &addr, HOST_B | HF_ADDRESS_INSIDE), 0);
}

/* At a's veth: what is to be held goes to the TAP. */
static void set_a(struct fixture *f, bool outward)
{
	struct hf_device a = { .endpoint = HOST_A,
			       .outward = outward,
			       .hold_ifindex = harness_ifindex(DEVICE_HOLD) };

	assert_int_equal(harness_set_device(f->harness, harness_ifindex(DEVICE_A), &a), 0);
	harness_set_outward(f->harness, true);
}

static void rule_on(struct fixture *f, __u32 src, __u32 dst, struct hf_rule rule)
{
	struct harness_link link = { .key = { src, dst }, .rules = 1, .rule[0] = rule };

	assert_int_equal(harness_flip(f->harness, &link, 1), 0);
}

static struct hf_rule sure_loss(void)
{
	struct hf_rule rule = rule_of(1, HF_RULE_LOSS);

	rule.loss_odds = HF_ODDS_ALWAYS;
	return rule;
}

/* It comes in by b's own interface. */
static __s32 arrive(struct fixture *f, __u32 src)
{
	struct frame_spec spec = { .src = src, .dst = HOST_B, .proto = IPPROTO_TCP, .dport = 80 };
	struct frame frame;

	frame_make(&spec, &frame);
	place(f, DEVICE_B, DEVICE_B);
	assert_int_equal(harness_run(f->enter, &frame, 1, &f->run), 0);
	return f->run.verdict;
}

static void its_like_and_strangers_are_judged_where_they_arrive(void **state)
{
	struct hf_addr like = frame_address(false, HOST_ELSEWHERE);
	struct fixture *f = *state;

	set_b(f);
	assert_int_equal(harness_set_address(f->harness, &like, HOST_ELSEWHERE | HF_ADDRESS_INSIDE),
			 0);
	rule_on(f, HOST_ELSEWHERE, HOST_B, sure_loss());
	assert_int_equal(arrive(f, HOST_ELSEWHERE), DROPPED);
	assert_int_equal(arrive(f, HOST_UNNAMED), PASSED);
	rule_on(f, HF_ENDPOINT_WORLD, HOST_B, sure_loss());
	assert_int_equal(arrive(f, HOST_UNNAMED), DROPPED);
	assert_int_equal(arrive(f, HOST_ELSEWHERE), PASSED);
	assert_int_equal(counts_of(f, 1).dropped, 2);
}

static void what_left_a_veth_is_judged_there_and_meets_cuts_alone_again(void **state)
{
	struct fixture *f = *state;

	set_b(f);
	set_a(f, true);
	rule_on(f, HOST_A, HOST_B, sure_loss());
	assert_int_equal(leave_a(f, (struct frame_spec){ .dport = 80 }), DROPPED);
	assert_int_equal(arrive(f, HOST_A), PASSED);
	assert_int_equal(counts_of(f, 1).matched, 1);
	rule_on(f, HOST_A, HOST_B, rule_of(2, HF_RULE_DROP));
	assert_int_equal(leave_a(f, (struct frame_spec){ .dport = 80 }), DROPPED);
	assert_int_equal(arrive(f, HOST_A), DROPPED);
}

static void a_delay_is_made_at_the_senders_veth_and_nowhere_else(void **state)
{
	struct fixture *f = *state;

	set_b(f);
	set_a(f, true);
	rule_on(f, HOST_A, HOST_B, delay_rule(1, 5 * MS));
	assert_int_equal(leave_a(f, (struct frame_spec){ .dport = 80 }), TC_ACT_REDIRECT);
	assert_int_equal(arrive(f, HOST_A), PASSED);
	assert_int_equal(counts_of(f, 1).delayed, 1);
	assert_int_equal(counts_of(f, 1).undelayed, 0);
	rule_on(f, HF_ENDPOINT_WORLD, HOST_B, delay_rule(1, 5 * MS));
	assert_int_equal(arrive(f, HOST_UNNAMED), PASSED);
	assert_int_equal(counts_of(f, 1).undelayed, 1);
}

static void a_veth_that_no_such_rule_is_of_judges_nothing(void **state)
{
	struct fixture *f = *state;

	set_b(f);
	set_a(f, false);
	rule_on(f, HOST_A, HOST_B, sure_loss());
	assert_int_equal(leave_a(f, (struct frame_spec){ .dport = 80 }), PASSED);
}

static void nothing_acts_there_for_an_owner_whose_lease_is_stale(void **state)
{
	struct fixture *f = *state;

	set_b(f);
	set_a(f, true);
	for (int tracing = 0; tracing < 2; tracing++) {
		harness_set_tracing(f->harness, tracing);
		harness_set_lease(f->harness, 3600 * 1000 * MS);
		rule_on(f, HOST_A, HOST_B, rule_of(1, HF_RULE_DROP));
		assert_int_equal(leave_a(f, (struct frame_spec){ .dport = 80 }), DROPPED);
		assert_int_equal(arrive(f, HOST_A), DROPPED);
		harness_set_lease(f->harness, 0);
		assert_int_equal(leave_a(f, (struct frame_spec){ .dport = 80 }), PASSED);
		assert_int_equal(arrive(f, HOST_A), PASSED);
		rule_on(f, HF_ENDPOINT_WORLD, HOST_B, rule_of(1, HF_RULE_DROP));
		assert_int_equal(arrive(f, HOST_UNNAMED), PASSED);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		fixture_test(its_like_and_strangers_are_judged_where_they_arrive),
		fixture_test(what_left_a_veth_is_judged_there_and_meets_cuts_alone_again),
		fixture_test(a_delay_is_made_at_the_senders_veth_and_nowhere_else),
		fixture_test(a_veth_that_no_such_rule_is_of_judges_nothing),
		fixture_test(nothing_acts_there_for_an_owner_whose_lease_is_stale),
	};

	return cmocka_run_group_tests(tests, fixture_world, NULL);
}
