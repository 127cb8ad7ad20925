/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test_passages.c - what the link programs write into a processor's lane: a packet's leaving and entering as one passage,
 * where they are one, and never two packets' as one; and where it goes when the lane is full.
 *
 * A passage is written on for HF_LANE_OPEN_NS, and a virtual processor may be put aside for longer: so what must be one is
 * tried some times.
 */
#include <sched.h>
#include <string.h>
#include <time.h>

#include "fixture.h"
#include "packet.h"

#define TRIES 50

static const struct frame_spec some_data = {
	.sport = 40000, .dport = 80, .seq = 1000, .tcp_flags = TCP_ACK | TCP_PSH, .payload_len = 10
};

/* A test run is on the processor that asks for it. */
static int on_one_processor(void **state)
{
	cpu_set_t here;

	CPU_ZERO(&here);
	CPU_SET(sched_getcpu(), &here);
	if (sched_setaffinity(0, sizeof(here), &here) < 0)
		return -1;
	return fixture_world(state);
}

static void trace(struct fixture *f)
{
	assert_int_equal(harness_set_tracing(f->harness, true), 0);
}

static const struct hf_packet_event *told_as(struct fixture *f, size_t nth, enum hf_point point)
{
	const struct hf_packet_event *event = &f->events.told[nth].event;

	assert_true(nth < f->events.count);
	assert_int_equal(event->event.kind, HF_EVENT_PACKET);
	assert_int_equal(event->point, point);
	return event;
}

static void assert_crossing(struct fixture *f, const struct frame_spec *spec)
{
	struct hf_addr src = frame_address(spec->ipv6, HOST_A);
	const struct hf_packet_event *left, *entered;

	assert_int_equal(told(f), 2);
	left = told_as(f, 0, HF_POINT_LEAVE);
	entered = told_as(f, 1, HF_POINT_ENTER);
	assert_true(entered->event.time_ns >= left->event.time_ns);
	assert_int_equal(left->src_endpoint, HOST_A);
	assert_int_equal(entered->src_endpoint, HOST_A);
	assert_int_equal(entered->dst_endpoint, HOST_B);
	for (int i = 0; i < 2; i++) {
		const struct hf_packet_event *event = &f->events.told[i].event;

		assert_memory_equal(&event->flow.src, &src, sizeof(src));
		assert_int_equal(event->seq, spec->seq);
		assert_int_equal(event->len, spec->payload_len);
		assert_int_equal(event->tcp_flags, spec->tcp_flags);
		assert_int_equal(event->verdict, HF_VERDICT_PASS);
		assert_int_equal(event->segments, 1);
	}
}

/* Is a packet that leaves and enters told in one record, in one of some tries? */
static bool crosses_as_one(struct fixture *f, const struct frame_spec *spec)
{
	for (int i = 0; i < TRIES; i++) {
		leave_a(f, *spec);
		enter_b(f, *spec);
		assert_crossing(f, spec);
		if (f->events.records == 1)
			return true;
	}
	return false;
}

static void a_packet_that_leaves_and_enters_is_one_passage(void **state)
{
	struct fixture *f = *state;

	trace(f);
	for (int shape = 0; shape < 16; shape++) {
		struct frame_spec spec = some_data;

		spec.ipv6 = shape & 1;
		spec.vlans = shape >> 1 & 1;
		spec.tcp_options = shape >> 2 & 1 ? 3 : 0;
		spec.extensions = spec.ipv6 && shape >> 3 ? 1 : 0;
		assert_true(crosses_as_one(f, &spec));
	}
	/* where rules are asked as well, and none acts */
	ask_one(f, (struct hf_rule){ .id = 1, .flags = HF_RULE_DROP, .proto = IPPROTO_UDP });
	assert_true(crosses_as_one(f, &some_data));
	assert_true(crosses_as_one(
		f, &(struct frame_spec){ .sport = 40000, .dport = 80, .tcp_flags = TCP_SYN }));
}

static void a_packet_that_a_rule_acts_on_enters_by_itself(void **state)
{
	const struct hf_packet_event *entered;
	struct fixture *f = *state;

	trace(f);
	ask_one(f, rule_of(7, HF_RULE_DROP));
	leave_a(f, some_data);
	assert_int_equal(enter_b(f, some_data), TC_ACT_SHOT);
	assert_int_equal(told(f), 2);
	assert_int_equal(f->events.records, 2);
	told_as(f, 0, HF_POINT_LEAVE);
	entered = told_as(f, 1, HF_POINT_ENTER);
	assert_int_equal(entered->verdict, HF_VERDICT_DROP);
	assert_int_equal(entered->rule_id[0], 7);
}

static void assert_apart(struct fixture *f, const struct frame_spec *other)
{
	const struct hf_packet_event *entered;

	leave_a(f, some_data);
	enter_b(f, *other);
	assert_int_equal(told(f), 2);
	assert_int_equal(f->events.records, 2);
	told_as(f, 0, HF_POINT_LEAVE);
	entered = told_as(f, 1, HF_POINT_ENTER);
	assert_int_equal(entered->seq, other->seq);
	assert_int_equal(entered->len, other->payload_len);
	assert_int_equal(entered->flow.sport, other->sport);
	assert_int_equal(entered->flow.dport, other->dport);
}

static void another_packet_does_not_enter_for_it(void **state)
{
	struct fixture *f = *state;

	trace(f);
	for (int asked = 0; asked < 2; asked++) {
		struct frame_spec other[5] = { some_data, some_data, some_data, some_data,
					       some_data };

		other[0].seq++;
		other[1].payload_len++;
		other[2].sport++;
		other[3].dport++;
		other[4].ipv6 = true;
		for (size_t i = 0; i < ARRAY_SIZE(other); i++)
			assert_apart(f, &other[i]);
		/* and the same where every packet is parsed and judged */
		ask_one(f,
			(struct hf_rule){ .id = 1, .flags = HF_RULE_DROP, .proto = IPPROTO_UDP });
	}
}

static void a_packet_from_another_sender_does_not_enter_for_it(void **state)
{
	struct frame_spec elsewhere = some_data;
	struct fixture *f = *state;

	trace(f);
	elsewhere.src = HOST_ELSEWHERE;
	assert_apart(f, &elsewhere);
}

/* As a bridge does that does not know yet where to: the copies are the same, bit by bit. */
static void what_enters_twice_is_told_twice(void **state)
{
	struct fixture *f = *state;

	trace(f);
	leave_a(f, some_data);
	enter_b(f, some_data);
	enter_b(f, some_data);
	assert_int_equal(told(f), 3);
	told_as(f, 1, HF_POINT_ENTER);
	told_as(f, 2, HF_POINT_ENTER);
}

static void what_leaves_twice_is_two_passages(void **state)
{
	struct fixture *f = *state;

	trace(f);
	leave_a(f, some_data);
	leave_a(f, some_data);
	enter_b(f, some_data);
	assert_int_equal(told(f), 3);
	told_as(f, 0, HF_POINT_LEAVE);
	told_as(f, 1, HF_POINT_LEAVE);
	told_as(f, 2, HF_POINT_ENTER);
}

static void a_passage_is_not_written_on_for_long(void **state)
{
	const struct timespec longer = { .tv_nsec = 2 * HF_LANE_OPEN_NS };
	struct fixture *f = *state;

	trace(f);
	leave_a(f, some_data);
	nanosleep(&longer, NULL);
	enter_b(f, some_data);
	assert_crossing(f, &some_data);
	assert_int_equal(f->events.records, 2);
}

/* The owner waits before it reads; a program may be put aside for longer. */
static void what_comes_to_a_passage_after_it_was_read_is_told(void **state)
{
	struct fixture *f = *state;

	trace(f);
	for (int i = 0; i < TRIES; i++) {
		leave_a(f, some_data);
		assert_int_equal(told(f), 1);
		told_as(f, 0, HF_POINT_LEAVE);
		enter_b(f, some_data);
		assert_int_equal(told(f), 1);
		told_as(f, 0, HF_POINT_ENTER);
		assert_int_equal(told(f), 0);
	}
}

/* More than a lane takes, and not more than the ring. */
static void a_burst_goes_on_in_the_ring(void **state)
{
	enum { PACKETS = 20000 };
	struct fixture *f = *state;
	struct frame frame;
	struct hf_lost lost;

	trace(f);
	enter_b(f, some_data);
	assert_int_equal(told(f), 1);
	assert_int_equal(f->events.in_ring, 0);
	frame_make(
		&(struct frame_spec){
			.src = HOST_A, .dst = HOST_B, .proto = IPPROTO_TCP, .tcp_flags = TCP_SYN },
		&frame);
	place(f, DEVICE_A, DEVICE_B);
	assert_int_equal(harness_run(f->enter, &frame, PACKETS, &f->run), 0);
	assert_int_equal(told(f), PACKETS);
	assert_int_equal(f->events.in_ring, PACKETS - HF_LANE_SLOTS);
	assert_int_equal(f->events.out_of_order, 0);
	assert_int_equal(harness_lost(f->harness, &lost), 0);
	assert_int_equal(lost.packet_events, 0);
	/* and in the lane again, as there is room */
	enter_b(f, some_data);
	assert_int_equal(told(f), 1);
	assert_int_equal(f->events.in_ring, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		fixture_test(a_packet_that_leaves_and_enters_is_one_passage),
		fixture_test(a_packet_that_a_rule_acts_on_enters_by_itself),
		fixture_test(another_packet_does_not_enter_for_it),
		fixture_test(a_packet_from_another_sender_does_not_enter_for_it),
		fixture_test(what_enters_twice_is_told_twice),
		fixture_test(what_leaves_twice_is_two_passages),
		fixture_test(a_passage_is_not_written_on_for_long),
		fixture_test(what_comes_to_a_passage_after_it_was_read_is_told),
		fixture_test(a_burst_goes_on_in_the_ring),
	};

	return cmocka_run_group_tests(tests, on_one_processor, NULL);
}
