/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test_chain.c - facts about chains: which call caused which, and when a tree is handed out.
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

#define DEPTH 5

/* Five services; each call of `wire` is made while the call of the wire before it is served. */
static uint64_t say_chain(struct story *s, struct wire wire[DEPTH], uint64_t t)
{
	for (int i = 0; i < DEPTH; i++)
		t = say_request(s, &wire[i], t, 100, NULL) + 10 * US;
	for (int i = DEPTH - 1; i >= 0; i--)
		t = say_response(s, &wire[i], t, 200, NULL) + 10 * US;
	return t;
}

static void open_wires(struct wire wire[DEPTH], uint16_t port)
{
	for (int i = 0; i < DEPTH; i++)
		wire[i] = wire_open(CLIENT + (uint32_t)i, A + (uint32_t)i, port);
}

static void assert_chain(const struct call *call, enum link_method method)
{
	for (int i = 0; i < DEPTH; i++) {
		assert_true(call[i].complete);
		assert_int_equal(call[i].src, CLIENT + i);
		assert_int_equal(call[i].dst, A + i);
		assert_int_equal(call[i].depth, i);
		assert_int_equal(call[i].link_method, i ? method : LINK_NONE);
		assert_int_not_equal(call[i].span_id, 0);
		assert_int_equal(call[i].parent_span_id, i ? call[i - 1].span_id : 0);
		assert_memory_equal(call[i].trace_id, call[0].trace_id, 16);
		assert_int_equal(sum_of_stages(&call[i]), call[i].total_ns);
		assert_int_equal(call[i].srv_self_ns, i < DEPTH - 1 ? 20 * US : 10 * US);
	}
}

static void five_services_are_one_chain_by_exclusive(void **state)
{
	struct story *s = story_new(NULL);
	struct wire wire[DEPTH];
	uint64_t t = T0;

	open_wires(wire, 40000);
	for (int i = 0; i < 100; i++)
		t = say_chain(s, wire, t) + 100 * US;
	story_tell(s);
	assert_int_equal(s->chains, 100);
	assert_int_equal(s->calls, 500);
	for (int i = 0; i < 100; i++)
		assert_chain(s->call + i * DEPTH, LINK_EXCLUSIVE);
	assert_memory_not_equal(s->call[0].trace_id, s->call[DEPTH].trace_id, 16);
	assert_true(s->call[1].link_confidence == 0.95);
	assert_int_equal(tracer_stats(s->tracer)->orphans, 0);
	assert_int_equal(tracer_stats(s->tracer)->linked[LINK_EXCLUSIVE], 400);
	story_free(s);
}

static void eight_at_a_time_are_told_apart_by_thread(void **state)
{
	struct story *s = story_new(NULL);
	struct wire wire[8][DEPTH];

	for (uint32_t c = 0; c < 8; c++) {
		open_wires(wire[c], (uint16_t)(40000 + c));
		for (int i = 0; i < DEPTH; i++) {
			wire[c][i].tid[0] += 100 * (c + 1);
			wire[c][i].tid[1] += 100 * (c + 1);
		}
		for (int n = 0; n < 20; n++)
			say_chain(s, wire[c], T0 + (uint64_t)n * 1 * MS + c * 3 * US);
	}
	story_tell(s);
	assert_int_equal(s->chains, 160);
	assert_int_equal(s->calls, 800);
	for (int i = 0; i < 160; i++)
		assert_chain(s->call + i * DEPTH, LINK_THREAD);
	assert_true(s->call[1].link_confidence == 0.99);
	story_free(s);
}

/* Ids come from the seed in the order of handing out, which an order of arrival must not change. */
static void what_comes_out_of_order_within_the_window_changes_nothing(void **state)
{
	for (uint64_t seed = 1; seed <= 20; seed++) {
		struct story *in_order = story_new(NULL), *shuffled = story_new(NULL);
		struct wire wire[DEPTH], other[DEPTH];

		open_wires(wire, 40000);
		open_wires(other, 40000);
		for (uint64_t i = 0; i < 10; i++) {
			say_chain(in_order, wire, T0 + i * MS);
			say_chain(shuffled, other, T0 + i * MS);
		}
		story_tell(in_order);
		story_tell_shuffled(shuffled, 9 * MS, seed);
		assert_int_equal(tracer_stats(shuffled->tracer)->late, 0);
		assert_int_equal(shuffled->calls, 50);
		assert_memory_equal(shuffled->call, in_order->call, 50 * sizeof(struct call));
		story_free(in_order);
		story_free(shuffled);
	}
}

/* Two calls that a makes one after the other, and two at once. */
static void children_stand_by_start_and_self_time_is_what_they_leave(void **state)
{
	struct story *s = story_new(NULL);
	struct wire root = wire_open(CLIENT, A, 40000);
	struct wire b = wire_open(A, B, 40000), c = wire_open(A, C, 40001);
	uint64_t t = say_request(s, &root, T0, 100, NULL);

	say_call(s, &c, t + 10 * US, 100 * US);
	say_call(s, &b, t + 20 * US, 50 * US); /* within the call to c */
	say_response(s, &root, t + 1000 * US, 100, NULL);
	story_tell(s);
	assert_int_equal(s->chains, 1);
	assert_int_equal(s->calls, 3);
	assert_int_equal(s->call[1].dst, C);
	assert_int_equal(s->call[2].dst, B);
	assert_int_equal(s->call[2].depth, 1);
	assert_int_equal(s->call[0].srv_self_ns, (1000 - 142) * US);
	story_free(s);
}

static void reading_nothing_or_a_part_does_not_replace_the_call_in_hand(void **state)
{
	struct story *s = story_new(NULL);
	struct wire first = wire_open(CLIENT, A, 40000), second = wire_open(CLIENT, A, 40001);
	struct wire out = wire_open(A, B, 50000);
	uint64_t t = say_request(s, &first, T0, 100, NULL);

	/* of the second request the thread reads nothing, then half */
	say_head(s, &second, 0, t + 1 * US, 1000, 100);
	say_packet(s, &second, 0, t + 2 * US, HF_POINT_ENTER, 1000, 100);
	say_socket(s, &second, 1, t + 3 * US, HF_SOCKET_RECV, 1000, 0);
	say_socket(s, &second, 1, t + 4 * US, HF_SOCKET_RECV, 1050, 50);
	t = say_call(s, &out, t + 10 * US, 10 * US);
	say_response(s, &first, t + 10 * US, 100, NULL);
	story_tell(s);
	assert_int_equal(s->calls, 3);
	for (size_t i = 0; i < s->calls; i++)
		if (s->call[i].dst == B)
			assert_int_equal(s->call[i].link_method, LINK_EXCLUSIVE);
	story_free(s);
}

/* Another request comes in while the call goes on: it is no longer exclusive, and no thread says whose it is. */
static void what_can_not_be_told_is_a_root_and_counted(void **state)
{
	struct story *s = story_new(NULL);
	struct wire first = wire_open(CLIENT, A, 40000), second = wire_open(CLIENT, A, 40001);
	struct wire out = wire_open(A, B, 50000);
	uint64_t t = say_request(s, &first, T0, 100, NULL);

	out.tid[0] = 999; /* a thread that has read nothing */
	say_request(s, &second, t, 100, NULL);
	say_call(s, &out, t + 10 * US, 100 * US);
	say_response(s, &first, t + 500 * US, 100, NULL);
	say_response(s, &second, t + 500 * US, 100, NULL);
	story_tell(s);
	assert_int_equal(s->calls, 3);
	for (size_t i = 0; i < 3; i++)
		assert_int_equal(s->call[i].link_method, LINK_NONE);
	assert_int_equal(tracer_stats(s->tracer)->orphans, 1);
	story_free(s);
}

static void another_process_of_the_endpoint_is_not_in_the_way(void **state)
{
	struct story *s = story_new(NULL);
	struct wire first = wire_open(CLIENT, A, 40000), second = wire_open(CLIENT, A, 40001);
	struct wire out = wire_open(A, B, 50000);
	uint64_t t = say_request(s, &first, T0, 100, NULL);

	second.pid[1] = second.tid[1] = 4000;
	out.tid[0] = 999; /* but of the first one's process */
	say_request(s, &second, t, 100, NULL);
	say_call(s, &out, t + 10 * US, 100 * US);
	say_response(s, &first, t + 500 * US, 100, NULL);
	say_response(s, &second, t + 500 * US, 100, NULL);
	story_tell(s);
	assert_int_equal(tracer_stats(s->tracer)->linked[LINK_EXCLUSIVE], 1);
	story_free(s);
}

static void a_call_after_the_answer_is_not_of_that_chain(void **state)
{
	struct story *s = story_new(NULL);
	struct wire root = wire_open(CLIENT, A, 40000), out = wire_open(A, B, 50000);
	uint64_t t = say_call(s, &root, T0, 10 * US);

	say_call(s, &out, t + 10 * US, 100 * US);
	story_tell(s);
	assert_int_equal(s->chains, 2);
	assert_int_equal(tracer_stats(s->tracer)->orphans, 0);
	story_free(s);
}

/* c does not answer: b gives up, says so, and all of it is one tree with one incomplete row. */
static void a_cut_chain_is_still_one_tree(void **state)
{
	struct story *s = story_new(NULL);
	struct wire a = wire_open(CLIENT, A, 40000), b = wire_open(A, B, 40000);
	struct wire c = wire_open(B, C, 40000);
	struct hf_packet_event *packet;
	uint64_t t;

	t = say_request(s, &a, T0, 100, NULL) + 10 * US;
	t = say_request(s, &b, t, 100, NULL) + 10 * US;
	say_socket(s, &c, 0, t, HF_SOCKET_SEND, 1000, 100);
	for (uint64_t i = 0; i < 3; i++) {
		say_head(s, &c, 0, t + i * 200 * MS + 1 * US, 1000, 100);
		packet = say_packet(s, &c, 0, t + i * 200 * MS + 2 * US, HF_POINT_ENTER, 1000, 100);
		packet->verdict = HF_VERDICT_DROP;
		packet->rule_id[0] = 9;
	}
	t += 1000 * MS;
	say_packet(s, &c, 0, t, HF_POINT_LEAVE, 1100, 0)->tcp_flags = 17; /* FIN */
	t = say_response(s, &b, t + 10 * US, 100, NULL);
	t = say_response(s, &a, t + 10 * US, 100, NULL);
	story_tell_on(s);
	tracer_tick(s->tracer, t + 1200 * MS);
	assert_int_equal(s->chains, 1);
	assert_int_equal(s->calls, 3);
	assert_true(s->call[0].complete);
	assert_true(s->call[1].complete);
	assert_false(s->call[2].complete);
	assert_int_equal(s->call[2].link_method, LINK_EXCLUSIVE);
	assert_int_equal(s->call[2].drops_injected, 3);
	assert_int_equal(s->call[2].shape, SHAPE_ABANDONED);
	assert_int_equal(s->call[2].total_ns, 1000 * MS);
	assert_int_equal(s->call[2].inj_loss_ns, 1000 * MS - 2 * US);
	assert_int_equal(s->call[2].rule_id[0], 9);
	assert_int_equal(s->call[2].stage_ns[STAGE_HOLD_REQ], TIME_UNKNOWN);
	story_free(s);
}

/* b's call to c was caused by one that is over before the first byte leaves; the root is still open then. */
static void what_begins_when_its_cause_is_over_keeps_the_tree_waiting_once(void **state)
{
	static const struct trip slow = { .send = 1 * MS, .net = 7 * US, .queue = 11 * US };
	struct story *s = story_new(NULL);
	struct wire root = wire_open(CLIENT, A, 40000);
	struct wire b = wire_open(A, B, 40000), c = wire_open(B, C, 40000);
	uint64_t t = say_request(s, &root, T0, 100, NULL);
	uint64_t sent = say_request(s, &b, t + 10 * US, 100, NULL) + 5 * US;
	uint64_t left = say_request(s, &c, sent, 100, &slow);

	t = say_response(s, &b, sent + 10 * US, 100, NULL);
	say_request(s, &b, t + 10 * US, 100, NULL);
	t = say_response(s, &c, left + 10 * US, 100, NULL);
	say_call(s, &c, t + 10 * US, 10 * US);
	t = say_response(s, &b, t + 1 * MS, 100, NULL);
	say_response(s, &root, t + 10 * US, 100, NULL);
	story_tell(s);
	assert_int_equal(s->chains, 1);
	assert_int_equal(s->calls, 5);
	assert_int_equal(s->call[0].dst, A);
	assert_int_equal(s->call[1].dst, B);
	assert_int_equal(s->call[2].dst, C);
	assert_int_equal(s->call[2].depth, 2);
	assert_int_equal(s->call[2].parent_span_id, s->call[1].span_id);
	assert_int_equal(tracer_stats(s->tracer)->calls_now, 0);
	story_free(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(five_services_are_one_chain_by_exclusive),
		cmocka_unit_test(eight_at_a_time_are_told_apart_by_thread),
		cmocka_unit_test(what_comes_out_of_order_within_the_window_changes_nothing),
		cmocka_unit_test(children_stand_by_start_and_self_time_is_what_they_leave),
		cmocka_unit_test(reading_nothing_or_a_part_does_not_replace_the_call_in_hand),
		cmocka_unit_test(what_can_not_be_told_is_a_root_and_counted),
		cmocka_unit_test(another_process_of_the_endpoint_is_not_in_the_way),
		cmocka_unit_test(a_call_after_the_answer_is_not_of_that_chain),
		cmocka_unit_test(a_cut_chain_is_still_one_tree),
		cmocka_unit_test(what_begins_when_its_cause_is_over_keeps_the_tree_waiting_once),
	};

	return cmocka_run_group_tests_name("chain", tests, NULL, NULL);
}
