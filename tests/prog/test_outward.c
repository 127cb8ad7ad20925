/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test_outward.c - the host and the world, which have no device: what goes there is judged where it leaves its sender, and
 * what comes from there where it enters its receiver. Nobody else's packets are touched.
 */
#include <net/if.h>
#include <string.h>

#include "fixture.h"

#define DROPPED TC_ACT_SHOT

/* Host numbers beyond the harness's own. */
enum { THE_HOST = 100, FAR_AWAY, NEIGHBOUR };

static void rule_on(struct fixture *f, __u32 src, __u32 dst, struct hf_rule rule)
{
	struct harness_link link = { .key = { src, dst }, .rules = 1, .rule[0] = rule };

	assert_int_equal(harness_flip(f->harness, &link, 1), 0);
}

static void drop_on(struct fixture *f, __u32 src, __u32 dst)
{
	rule_on(f, src, dst, rule_of(1, HF_RULE_DROP));
}

static void set_outward(struct fixture *f, bool device, bool config)
{
	struct hf_device a = { .endpoint = HOST_A, .outward = device, .traced = 1, .network = 3 };

	assert_int_equal(harness_set_device(f->harness, harness_ifindex(DEVICE_A), &a), 0);
	assert_int_equal(harness_set_outward(f->harness, config), 0);
}

/* Who is who, as the owner tells it. */
static void know(struct fixture *f)
{
	for (int ipv6 = 0; ipv6 < 2; ipv6++) {
		struct hf_addr host = frame_address(ipv6, THE_HOST);
		struct hf_addr neighbour = frame_address(ipv6, NEIGHBOUR);

		assert_int_equal(harness_set_address(f->harness, &host, HF_ENDPOINT_HOST), 0);
		assert_int_equal(harness_set_address(f->harness, &neighbour, HF_ENDPOINT_OTHER), 0);
	}
}

static void begin(struct fixture *f)
{
	know(f);
	set_outward(f, true, true);
}

static __s32 leave_to(struct fixture *f, __u32 dst, bool ipv6)
{
	return leave_a(f, (struct frame_spec){ .dst = dst, .ipv6 = ipv6, .dport = 80 });
}

static void what_goes_to_the_world_is_judged_when_it_leaves(void **state)
{
	struct fixture *f = *state;

	begin(f);
	drop_on(f, HOST_A, HF_ENDPOINT_WORLD);
	for (int ipv6 = 0; ipv6 < 2; ipv6++) {
		assert_int_equal(leave_to(f, FAR_AWAY, ipv6), DROPPED);
		assert_int_equal(leave_to(f, THE_HOST, ipv6), PASSED);
		assert_int_equal(leave_to(f, NEIGHBOUR, ipv6), PASSED);
		assert_int_equal(leave_to(f, HOST_B, ipv6), PASSED);
		assert_int_equal(leave_to(f, HOST_ELSEWHERE, ipv6), PASSED);
	}
	assert_int_equal(counts_of(f, 1).matched, 2);
	assert_int_equal(counts_of(f, 1).dropped, 2);
}

static void what_goes_to_the_host_is_judged_when_it_leaves(void **state)
{
	struct fixture *f = *state;

	begin(f);
	drop_on(f, HOST_A, HF_ENDPOINT_HOST);
	for (int ipv6 = 0; ipv6 < 2; ipv6++) {
		assert_int_equal(leave_to(f, THE_HOST, ipv6), DROPPED);
		assert_int_equal(leave_to(f, FAR_AWAY, ipv6), PASSED);
		assert_int_equal(leave_to(f, NEIGHBOUR, ipv6), PASSED);
	}
}

static void what_goes_to_an_endpoint_is_judged_once_where_it_enters(void **state)
{
	struct fixture *f = *state;

	begin(f);
	drop_on(f, HOST_A, HOST_B);
	assert_int_equal(leave_to(f, HOST_B, false), PASSED);
	assert_int_equal(counts_of(f, 1).matched, 0);
	assert_int_equal(enter_b(f, (struct frame_spec){ .dport = 80 }), DROPPED);
	assert_int_equal(counts_of(f, 1).matched, 1);
}

static void a_device_that_no_such_rule_is_of_is_not_looked_at(void **state)
{
	struct fixture *f = *state;

	know(f);
	drop_on(f, HOST_A, HF_ENDPOINT_WORLD);
	for (int device = 0; device < 2; device++)
		for (int config = 0; config < 2; config++)
			for (int tracing = 0; tracing < 2; tracing++) {
				set_outward(f, device, config);
				assert_int_equal(harness_set_tracing(f->harness, tracing), 0);
				/* a trace looks at it too, and then a rule that is there may act */
				assert_int_equal(leave_to(f, FAR_AWAY, false),
						 device && (config || tracing) ? DROPPED : PASSED);
			}
}

static void nothing_acts_for_a_dead_owner_or_past_its_deadline(void **state)
{
	struct hf_rule over = rule_of(1, HF_RULE_DROP);
	struct fixture *f = *state;

	begin(f);
	drop_on(f, HOST_A, HF_ENDPOINT_WORLD);
	assert_int_equal(harness_set_lease(f->harness, -1), 0);
	assert_int_equal(leave_to(f, FAR_AWAY, false), PASSED);
	assert_int_equal(harness_set_lease(f->harness, 3600 * 1000 * MS), 0);
	set_outward(f, true, true);
	over.deadline_ns = harness_now_ns();
	rule_on(f, HOST_A, HF_ENDPOINT_WORLD, over);
	assert_int_equal(leave_to(f, FAR_AWAY, false), PASSED);
	assert_int_equal(counts_of(f, 1).matched, 0);
}

static void match_loss_and_network_mean_what_they_mean_elsewhere(void **state)
{
	struct hf_rule rule = rule_of(1, HF_RULE_LOSS);
	struct fixture *f = *state;

	begin(f);
	rule.loss_odds = HF_ODDS_ALWAYS;
	rule.dport_ranges = 1;
	rule.dport[0] = (struct hf_port_range){ 80, 80 };
	rule.network = 3;
	rule_on(f, HOST_A, HF_ENDPOINT_WORLD, rule);
	assert_int_equal(leave_to(f, FAR_AWAY, false), DROPPED);
	assert_int_equal(leave_a(f, (struct frame_spec){ .dst = FAR_AWAY, .dport = 81 }), PASSED);
	rule.network = 4;
	rule_on(f, HOST_A, HF_ENDPOINT_WORLD, rule);
	assert_int_equal(leave_to(f, FAR_AWAY, false), PASSED);
}

static void arp_and_what_does_not_parse_pass(void **state)
{
	struct hf_rule arp = rule_of(1, HF_RULE_DROP | HF_RULE_UPKEEP);
	struct fixture *f = *state;
	struct frame frame;

	begin(f);
	arp.proto = HF_PROTO_ARP;
	rule_on(f, HOST_A, HF_ENDPOINT_WORLD, arp);
	place(f, DEVICE_A, DEVICE_A);
	frame_make_arp(HOST_A, THE_HOST, &frame);
	assert_int_equal(harness_run(f->leave, &frame, 1, &f->run), 0);
	assert_int_equal(f->run.verdict, PASSED);
	drop_on(f, HOST_A, HF_ENDPOINT_WORLD);
	frame_make_other(0x88cc, 40, &frame);
	place(f, DEVICE_A, DEVICE_A);
	assert_int_equal(harness_run(f->leave, &frame, 1, &f->run), 0);
	assert_int_equal(f->run.verdict, PASSED);
}

static void a_delay_that_nobody_should_have_asked_is_counted_as_not_done(void **state)
{
	struct fixture *f = *state;

	begin(f);
	rule_on(f, HOST_A, HF_ENDPOINT_WORLD, delay_rule(1, 5 * MS));
	assert_int_equal(leave_to(f, FAR_AWAY, false), PASSED);
	assert_int_equal(counts_of(f, 1).undelayed, 1);
}

/* On its way into b, from an address, having come in by a device or by none. */
static __s32 enter_from(struct fixture *f, __u32 src, __u32 ingress_ifindex)
{
	struct frame_spec spec = { .src = src, .dst = HOST_B, .proto = IPPROTO_TCP };
	struct frame frame;

	frame_make(&spec, &frame);
	place(f, DEVICE_A, DEVICE_B);
	f->run.ctx.ingress_ifindex = ingress_ifindex;
	assert_int_equal(harness_run(f->enter, &frame, 1, &f->run), 0);
	return f->run.verdict;
}

static void what_came_in_nowhere_is_the_hosts(void **state)
{
	__u32 from_outside = harness_ifindex(DEVICE_HOLD); /* nobody manages it */
	struct fixture *f = *state;

	know(f);
	drop_on(f, HF_ENDPOINT_HOST, HOST_B);
	assert_int_equal(enter_from(f, THE_HOST, 0), DROPPED);
	assert_int_equal(enter_from(f, FAR_AWAY, 0), DROPPED);
	assert_int_equal(enter_from(f, HOST_ELSEWHERE, 0), PASSED);
	assert_int_equal(enter_from(f, FAR_AWAY, from_outside), PASSED);
	/* somebody's whose address was masked by the host's: nobody can say whose */
	assert_int_equal(enter_from(f, THE_HOST, from_outside), PASSED);
	assert_int_equal(enter_from(f, THE_HOST, harness_ifindex(DEVICE_A)), PASSED);
}

static void what_came_from_an_address_that_is_nobodys_is_the_worlds(void **state)
{
	__u32 from_outside = harness_ifindex(DEVICE_HOLD);
	struct fixture *f = *state;

	know(f);
	drop_on(f, HF_ENDPOINT_WORLD, HOST_B);
	assert_int_equal(enter_from(f, FAR_AWAY, from_outside), DROPPED);
	assert_int_equal(enter_from(f, NEIGHBOUR, from_outside), PASSED);
	assert_int_equal(enter_from(f, THE_HOST, from_outside), PASSED);
	assert_int_equal(enter_from(f, FAR_AWAY, 0), PASSED);
	assert_int_equal(enter_from(f, FAR_AWAY, harness_ifindex(DEVICE_A)), PASSED);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		fixture_test(what_goes_to_the_world_is_judged_when_it_leaves),
		fixture_test(what_goes_to_the_host_is_judged_when_it_leaves),
		fixture_test(what_goes_to_an_endpoint_is_judged_once_where_it_enters),
		fixture_test(a_device_that_no_such_rule_is_of_is_not_looked_at),
		fixture_test(nothing_acts_for_a_dead_owner_or_past_its_deadline),
		fixture_test(match_loss_and_network_mean_what_they_mean_elsewhere),
		fixture_test(arp_and_what_does_not_parse_pass),
		fixture_test(a_delay_that_nobody_should_have_asked_is_counted_as_not_done),
		fixture_test(what_came_in_nowhere_is_the_hosts),
		fixture_test(what_came_from_an_address_that_is_nobodys_is_the_worlds),
	};

	return cmocka_run_group_tests(tests, fixture_world, NULL);
}
