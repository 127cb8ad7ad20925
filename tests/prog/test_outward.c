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

static void set_device(struct fixture *f, struct hf_device a)
{
	a.endpoint = HOST_A;
	a.traced = 1;
	a.network = 3;
	assert_int_equal(harness_set_device(f->harness, harness_ifindex(DEVICE_A), &a), 0);
}

static void set_outward(struct fixture *f, bool device, bool config)
{
	set_device(f, (struct hf_device){ .outward = device });
	harness_set_outward(f->harness, config);
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
				harness_set_tracing(f->harness, tracing);
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
	harness_set_lease(f->harness, 0);
	assert_int_equal(leave_to(f, FAR_AWAY, false), PASSED);
	harness_set_lease(f->harness, 3600 * 1000 * MS);
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

#define MARK_OUT (HARNESS_MARK ^ HF_MARK_OUTWARD)

enum { SLOT = 4711 };

static void begin_to_hold(struct fixture *f)
{
	begin(f);
	set_device(f, (struct hf_device){ .outward = 1,
					  .hold_ifindex = harness_ifindex(DEVICE_HOLD) });
	rule_on(f, HOST_A, HF_ENDPOINT_WORLD, delay_rule(1, 5 * MS));
}

static void what_is_delayed_there_goes_to_the_tap_behind_a_header_that_says_so(void **state)
{
	struct frame_spec spec = { .src = HOST_A,
				   .dst = FAR_AWAY,
				   .proto = IPPROTO_TCP,
				   .payload = "GET / HTTP/1.1",
				   .payload_len = 14 };
	struct fixture *f = *state;
	struct hf_hold_header header;
	struct frame frame;

	begin_to_hold(f);
	harness_set_tracing(f->harness, true);
	for (int engine = HF_ENGINE_NONE; engine <= HF_ENGINE_FQ; engine++) {
		set_device(f, (struct hf_device){ .outward = 1,
						  .engine = engine,
						  .hold_ifindex = harness_ifindex(DEVICE_HOLD) });
		spec.ipv6 = engine & 1;
		spec.vlans = engine;
		frame_make(&spec, &frame);
		place(f, DEVICE_A, DEVICE_A);
		assert_int_equal(harness_run(f->leave, &frame, 1, &f->run), 0);
		assert_int_equal(f->run.verdict, TC_ACT_REDIRECT);
		assert_int_equal(f->run.frame_after.len, sizeof(header) + frame.len);
		memcpy(&header, f->run.frame_after.byte, sizeof(header));
		assert_memory_equal(f->run.frame_after.byte + sizeof(header), frame.byte,
				    frame.len);
		assert_int_equal(header.way, HF_WAY_OUT);
		assert_int_equal(header.ifindex, harness_ifindex(DEVICE_A));
		assert_int_equal(header.due_ns - header.decided_ns, 5 * MS);
		/* its head was read before the header was put in front */
		assert_int_equal(told(f), 1);
		assert_memory_equal(f->events.told[0].head, "GET / HTTP/1.1", 14);
	}
	assert_int_equal(counts_of(f, 1).delayed, 3);
}

/* As it comes back to a's device, with this mark and what is noted of it. */
static __s32 back_at_a(struct fixture *f, __u32 mark, __u32 ifindex, __u64 due_ns)
{
	struct frame_spec spec = { .src = HOST_A, .dst = FAR_AWAY, .proto = IPPROTO_TCP };
	struct hf_return slot = { .due_ns = due_ns, .ifindex = ifindex };
	struct frame frame;

	if ((mark & HF_MARK_RETURN) < HF_RETURN_SLOTS)
		assert_int_equal(harness_set_return(f->harness, mark & HF_MARK_RETURN, &slot), 0);
	frame_make(&spec, &frame);
	place(f, DEVICE_A, DEVICE_A);
	f->run.ctx.mark = mark;
	assert_int_equal(harness_run(f->leave, &frame, 1, &f->run), 0);
	return f->run.verdict;
}

static void what_comes_back_goes_on_unmarked_and_is_judged_by_cuts_alone(void **state)
{
	__u32 a = harness_ifindex(DEVICE_A);
	struct fixture *f = *state;

	begin_to_hold(f);
	harness_set_tracing(f->harness, true);
	matched_at(f, 1, harness_now_ns() - 6 * MS);
	assert_int_equal(back_at_a(f, MARK_OUT | SLOT, a, harness_now_ns() - 1000), PASSED);
	assert_int_equal(f->run.ctx.mark, 0);
	assert_int_equal(counts_of(f, 1).matched, 0);
	assert_int_equal(counts_of(f, 1).released, 1);
	assert_in_range(counts_of(f, 1).error_sum_ns, 1000, 1000 * MS);
	assert_int_equal(told(f), 0); /* it was seen when it left */

	drop_on(f, HOST_A, HF_ENDPOINT_WORLD);
	assert_int_equal(back_at_a(f, MARK_OUT | SLOT, a, harness_now_ns()), DROPPED);
	assert_int_equal(counts_of(f, 1).dropped, 1);
}

/* When the last rule of its kind was healed, and when the owner is late: it must not go on with our mark. */
static void it_is_known_again_when_nothing_is_asked_any_more(void **state)
{
	__u32 a = harness_ifindex(DEVICE_A);
	struct fixture *f = *state;

	begin_to_hold(f);
	set_outward(f, false, false);
	assert_int_equal(harness_no_generation(f->harness), 0);
	assert_int_equal(back_at_a(f, MARK_OUT | SLOT, a, harness_now_ns()), PASSED);
	assert_int_equal(f->run.ctx.mark, 0);
	harness_set_lease(f->harness, 0);
	assert_int_equal(back_at_a(f, MARK_OUT | SLOT, a, harness_now_ns()), PASSED);
	assert_int_equal(f->run.ctx.mark, 0);
}

static void a_mark_names_one_hook_of_one_device(void **state)
{
	__u32 a = harness_ifindex(DEVICE_A), b = harness_ifindex(DEVICE_B);
	struct fixture *f = *state;

	begin_to_hold(f);
	assert_int_equal(back_at_a(f, MARK_OUT | SLOT, b, 1), TC_ACT_REDIRECT);
	assert_int_equal(back_at_a(f, HARNESS_MARK | SLOT, a, 1), TC_ACT_REDIRECT);
	assert_int_equal(back_at_a(f, MARK_OUT | HF_RETURN_SLOTS, a, 1), TC_ACT_REDIRECT);
	assert_int_equal(counts_of(f, 1).released, 0);
	assert_int_equal(harness_set_engine(f->harness, DEVICE_B, HF_ENGINE_HOLD), 0);
	assert_int_equal(release_b(f, (struct frame_spec){}, MARK_OUT | SLOT, 1), PASSED);
	assert_int_equal(f->run.ctx.mark, MARK_OUT | SLOT);
}

/* What the TAP gives to link_return; where it belongs stands in the slot. */
static __s32 out_of_the_tap(struct fixture *f, const __u8 destination[6], __u32 ifindex)
{
	struct hf_return slot = { .ifindex = ifindex, .destination = { 1, 2, 3, 4, 5, 6 } };
	struct frame_spec spec = { .src = HOST_A, .dst = FAR_AWAY, .proto = IPPROTO_UDP };
	struct frame frame;

	assert_int_equal(harness_set_return(f->harness, SLOT, &slot), 0);
	frame_make(&spec, &frame);
	memcpy(frame.byte, destination, 6);
	place(f, DEVICE_HOLD, DEVICE_HOLD);
	assert_int_equal(
		harness_run(harness_program(f->harness, "link_return"), &frame, 1, &f->run), 0);
	assert_int_equal(f->run.frame_after.len, frame.len);
	assert_memory_equal(f->run.frame_after.byte + 6, frame.byte + 6, frame.len - 6);
	return f->run.verdict;
}

static void out_of_the_tap_it_is_again_what_it_was_and_marked_for_its_device(void **state)
{
	static const __u8 envelope[6] = { 0x02, 'h', 'f', 'r', SLOT >> 8, SLOT & 0xff };
	static const __u8 destination[6] = { 1, 2, 3, 4, 5, 6 };
	struct fixture *f = *state;

	begin_to_hold(f);
	assert_int_equal(out_of_the_tap(f, envelope, harness_ifindex(DEVICE_A)), TC_ACT_REDIRECT);
	assert_memory_equal(f->run.frame_after.byte, destination, 6);
	assert_int_equal(f->run.ctx.mark, MARK_OUT | SLOT);
	/* its device has nobody any more who would take the mark off */
	assert_int_equal(out_of_the_tap(f, envelope, harness_ifindex(DEVICE_HOLD)),
			 TC_ACT_REDIRECT);
	assert_memory_equal(f->run.frame_after.byte, destination, 6);
	assert_int_equal(f->run.ctx.mark, 0);
}

static void what_the_engine_has_not_sent_ends_at_the_tap(void **state)
{
	static const __u8 bad[][6] = {
		{ 1, 2, 3, 4, 5, 6 },
		{ 0xff, 0xff, 0xff, 0xff, 0xff, 0xff },
		{ 0x02, 'h', 'f', 'r', 0xff, 0xff }, /* no such slot */
	};
	struct fixture *f = *state;

	begin_to_hold(f);
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		assert_int_equal(out_of_the_tap(f, bad[i], harness_ifindex(DEVICE_A)), DROPPED);
		assert_memory_equal(f->run.frame_after.byte, bad[i], 6);
	}
}

static void a_delay_with_no_tap_passes_and_is_counted_as_undelayed(void **state)
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
		fixture_test(what_is_delayed_there_goes_to_the_tap_behind_a_header_that_says_so),
		fixture_test(what_comes_back_goes_on_unmarked_and_is_judged_by_cuts_alone),
		fixture_test(it_is_known_again_when_nothing_is_asked_any_more),
		fixture_test(a_mark_names_one_hook_of_one_device),
		fixture_test(out_of_the_tap_it_is_again_what_it_was_and_marked_for_its_device),
		fixture_test(what_the_engine_has_not_sent_ends_at_the_tap),
		fixture_test(a_delay_with_no_tap_passes_and_is_counted_as_undelayed),
		fixture_test(what_came_in_nowhere_is_the_hosts),
		fixture_test(what_came_from_an_address_that_is_nobodys_is_the_worlds),
	};

	return cmocka_run_group_tests(tests, fixture_world, NULL);
}
