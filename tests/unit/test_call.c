/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test_call.c - facts about a call: its stages, what was injected, what was lost, what was not seen.
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

/* One call with these trips, told in order. */
static struct story *one_call(const struct trip *there, const struct trip *back, uint32_t is_blind)
{
	struct story *s = story_new(NULL);
	struct wire w = wire_open(CLIENT, A, 40000);
	uint64_t t;

	w.is_blind = is_blind;
	t = say_request(s, &w, T0, 100, there);
	say_response(s, &w, t + 500 * US, 200, back);
	story_tell(s);
	assert_int_equal(s->calls, 1);
	assert_int_equal(sum_of_stages(&s->call[0]), s->call[0].total_ns);
	return s;
}

static void each_stage_is_what_lies_between_its_points(void **state)
{
	struct trip there = { 1 * US, 0, 2 * US, 5000 * US, 3 * US, 4900 * US, 7 };
	struct trip back = { 4 * US, 0, 5 * US, 0, 6 * US, 0, 0 };
	struct story *s = one_call(&there, &back, 0);
	const struct call *c = &s->call[0];

	assert_true(c->complete);
	assert_int_equal(c->start_mono_ns, T0);
	assert_int_equal(c->stage_ns[STAGE_CLI_SEND], 1 * US);
	assert_int_equal(c->stage_ns[STAGE_REQ_STREAM], 0);
	assert_int_equal(c->stage_ns[STAGE_NET_REQ], 2 * US);
	assert_int_equal(c->stage_ns[STAGE_HOLD_REQ], 5000 * US);
	assert_int_equal(c->stage_ns[STAGE_SRV_QUEUE], 3 * US);
	assert_int_equal(c->stage_ns[STAGE_SRV_APP], 500 * US);
	assert_int_equal(c->stage_ns[STAGE_SRV_SEND], 4 * US);
	assert_int_equal(c->stage_ns[STAGE_RESP_STREAM], 0);
	assert_int_equal(c->stage_ns[STAGE_NET_RESP], 5 * US);
	assert_int_equal(c->stage_ns[STAGE_HOLD_RESP], 0);
	assert_int_equal(c->stage_ns[STAGE_CLI_QUEUE], 6 * US);
	assert_int_equal(c->stage_ns[STAGE_UNATTRIBUTED], 0);
	assert_int_equal(c->srv_self_ns, 500 * US);
	assert_int_equal(c->inj_req_ns, 4900 * US);
	assert_int_equal(c->injected_ns, 4900 * US);
	assert_int_equal(c->rule_id[0], 7);
	assert_int_equal(c->rule_id[1], 0);
	assert_string_equal(c->method, "GET");
	assert_string_equal(c->path, "/x");
	assert_int_equal(c->status, 200);
	assert_int_equal(c->req_bytes, 100);
	assert_int_equal(c->resp_bytes, 200);
	assert_int_equal(c->src, CLIENT);
	assert_int_equal(c->dst, A);
	assert_int_equal(c->src_port, 40000);
	assert_int_equal(c->dst_port, 8080);
	assert_int_equal(c->connect_ns, TIME_UNKNOWN);
	assert_int_equal(c->link_method, LINK_NONE);
	story_free(s);
}

static void asked_delay_counts_at_most_what_was_held(void **state)
{
	struct trip there = { 1 * US, 0, 2 * US, 4000 * US, 3 * US, 5000 * US, 7 };
	struct story *s = one_call(&there, &there, 0);

	assert_int_equal(s->call[0].inj_req_ns, 4000 * US);
	assert_int_equal(s->call[0].inj_resp_ns, 4000 * US);
	assert_int_equal(s->call[0].injected_ns, 8000 * US);
	story_free(s);
}

static void a_point_not_seen_leaves_its_time_unattributed(void **state)
{
	struct trip trip = { 1 * US, 0, 2 * US, 50 * US, 3 * US, 40 * US, 7 };
	/* what is seen of one packet: first and last byte leave together */
	static const int point[] = { POINT_REQ_FIRST,  POINT_REQ_ENTER,	  POINT_REQ_RELEASE,
				     POINT_REQ_READ,   POINT_SRV_SEND,	  POINT_RESP_FIRST,
				     POINT_RESP_ENTER, POINT_RESP_RELEASE };

	for (size_t i = 0; i < sizeof(point) / sizeof(point[0]); i++) {
		struct story *s = one_call(&trip, &trip, 1U << point[i]);

		assert_false(s->call[0].complete);
		assert_true(s->call[0].stage_ns[STAGE_UNATTRIBUTED] > 0);
		assert_int_equal(s->call[0].stage_ns[point[i]], TIME_UNKNOWN);
		assert_int_equal(s->call[0].stage_ns[point[i] - 1], TIME_UNKNOWN);
		assert_int_equal(s->call[0].total_ns, 612 * US);
		story_free(s);
	}
}

static void an_unmanaged_client_is_seen_from_the_server_only(void **state)
{
	uint32_t blind = 1U << POINT_CLI_SEND | 1U << POINT_REQ_FIRST | 1U << POINT_RESP_ENTER |
			 1U << POINT_RESP_READ;
	struct story *s = one_call(NULL, NULL, blind);
	const struct call *c = &s->call[0];

	assert_false(c->complete);
	assert_int_equal(c->start_mono_ns, T0 + 10 * US); /* at B's veth */
	assert_int_equal(c->stage_ns[STAGE_CLI_SEND], TIME_UNKNOWN);
	assert_int_equal(c->stage_ns[STAGE_SRV_APP], 500 * US);
	assert_int_equal(c->stage_ns[STAGE_NET_RESP], TIME_UNKNOWN);
	assert_int_equal(c->total_ns, (11 + 500 + 3) * US);
	story_free(s);
}

/* The request's only packet is dropped, and sent again 200 ms later. */
static void an_injected_drop_costs_the_time_until_the_bytes_come_again(void **state)
{
	struct story *s = story_new(NULL);
	struct wire w = wire_open(CLIENT, A, 40000);
	struct hf_packet_event *packet;
	const struct call *c;

	say_socket(s, &w, 0, T0, HF_SOCKET_SEND, 1000, 100);
	say_head(s, &w, 0, T0 + 1 * US, 1000, 100);
	packet = say_packet(s, &w, 0, T0 + 2 * US, HF_POINT_ENTER, 1000, 100);
	packet->verdict = HF_VERDICT_DROP;
	packet->rule_id[0] = 3;
	say_socket(s, &w, 0, T0 + 200 * MS, HF_SOCKET_RETRANSMIT, 1000, 100);
	say_head(s, &w, 0, T0 + 200 * MS + 1 * US, 1000, 100);
	say_packet(s, &w, 0, T0 + 200 * MS + 2 * US, HF_POINT_ENTER, 1000, 100);
	say_socket(s, &w, 1, T0 + 200 * MS + 5 * US, HF_SOCKET_RECV, 1100, 100);
	say_response(s, &w, T0 + 201 * MS, 50, NULL);
	story_tell(s);
	assert_int_equal(s->calls, 1);
	c = &s->call[0];
	assert_true(c->complete);
	assert_int_equal(sum_of_stages(c), c->total_ns);
	assert_int_equal(c->inj_loss_ns, 200 * MS);
	assert_int_equal(c->injected_ns, 200 * MS);
	assert_int_equal(c->real_loss_ns, 0);
	assert_int_equal(c->drops_injected, 1);
	assert_int_equal(c->drops_real, 0);
	assert_int_equal(c->retransmits, 1);
	assert_int_equal(c->rule_id[0], 3);
	assert_int_equal(c->stage_ns[STAGE_CLI_SEND], 200 * MS + 1 * US);
	assert_int_equal(c->stage_ns[STAGE_NET_REQ], 1 * US);
	story_free(s);
}

static void bytes_that_leave_twice_without_arriving_were_really_lost(void **state)
{
	struct story *s = story_new(NULL);
	struct wire w = wire_open(CLIENT, A, 40000);
	const struct call *c;
	uint64_t t;

	say_handshake(s, &w, T0 - 5 * MS, 1 * MS, 0);
	say_socket(s, &w, 0, T0, HF_SOCKET_SEND, 1000, 100);
	say_head(s, &w, 0, T0 + 1 * US, 1000, 100);
	say_head(s, &w, 0, T0 + 210 * MS, 1000, 100);
	say_packet(s, &w, 0, T0 + 210 * MS + 2 * US, HF_POINT_ENTER, 1000, 100);
	t = T0 + 210 * MS + 5 * US;
	say_socket(s, &w, 1, t, HF_SOCKET_RECV, 1100, 100);
	say_response(s, &w, t + 1 * MS, 50, NULL);
	story_tell(s);
	c = &s->call[0];
	assert_true(c->complete);
	assert_int_equal(c->drops_real, 1);
	assert_int_equal(c->drops_injected, 0);
	assert_int_equal(c->real_loss_ns, 210 * MS - 1 * US);
	assert_int_equal(c->injected_ns, 0);
	assert_int_equal(c->retransmits, 1);
	assert_int_equal(c->connect_ns, 1 * MS);
	story_free(s);
}

/* Sent again for nothing: the first copy was only held. Its times count, not those of the second. */
static void the_copy_that_came_first_counts(void **state)
{
	struct story *s = story_new(NULL);
	struct wire w = wire_open(CLIENT, A, 40000);
	const struct call *c;

	say_socket(s, &w, 0, T0, HF_SOCKET_SEND, 1000, 100);
	for (int copy = 0; copy < 2; copy++) {
		uint64_t t = T0 + (uint64_t)copy * 200 * MS;
		struct hf_packet_event *packet;

		say_head(s, &w, 0, t + 1 * US, 1000, 100);
		packet = say_packet(s, &w, 0, t + 2 * US, HF_POINT_ENTER, 1000, 100);
		packet->verdict = HF_VERDICT_DELAY;
		packet->delay_ns = 300 * MS;
		say_packet(s, &w, 0, t + 300 * MS + 2 * US, HF_POINT_RELEASE, 1000, 100);
	}
	say_socket(s, &w, 1, T0 + 300 * MS + 9 * US, HF_SOCKET_RECV, 1100, 100);
	say_response(s, &w, T0 + 301 * MS, 50, NULL);
	story_tell(s);
	c = &s->call[0];
	assert_true(c->complete);
	assert_int_equal(c->stage_ns[STAGE_CLI_SEND], 1 * US);
	assert_int_equal(c->stage_ns[STAGE_HOLD_REQ], 300 * MS);
	assert_int_equal(c->inj_req_ns, 300 * MS);
	assert_int_equal(c->retransmits, 1);
	assert_int_equal(c->drops_real, 0);
	story_free(s);
}

/* Three send calls, cut in other places at each point, a hole filled late. */
static void packets_may_be_cut_anywhere(void **state)
{
	struct story *s = story_new(NULL);
	struct wire w = wire_open(CLIENT, A, 40000);
	const struct call *c;

	for (uint32_t i = 0; i < 3; i++)
		say_socket(s, &w, 0, T0 + i * 10 * US, HF_SOCKET_SEND, 1000 + i * 1000, 1000);
	say_head(s, &w, 0, T0 + 1 * US, 1000, 1500);
	say_packet(s, &w, 0, T0 + 25 * US, HF_POINT_LEAVE, 2500, 1500);
	say_packet(s, &w, 0, T0 + 30 * US, HF_POINT_ENTER, 1000, 700);
	say_packet(s, &w, 0, T0 + 31 * US, HF_POINT_ENTER, 2400, 1600);
	say_packet(s, &w, 0, T0 + 40 * US, HF_POINT_ENTER, 1700, 700);
	say_socket(s, &w, 1, T0 + 41 * US, HF_SOCKET_RECV, 1700, 700);
	say_socket(s, &w, 1, T0 + 50 * US, HF_SOCKET_RECV, 4000, 2300);
	say_response(s, &w, T0 + 60 * US, 50, NULL);
	story_tell(s);
	c = &s->call[0];
	assert_true(c->complete);
	assert_int_equal(c->req_bytes, 3000);
	assert_int_equal(c->stage_ns[STAGE_CLI_SEND], 1 * US);
	assert_int_equal(c->stage_ns[STAGE_REQ_STREAM], 24 * US);
	assert_int_equal(c->stage_ns[STAGE_NET_REQ], 15 * US);
	assert_int_equal(c->stage_ns[STAGE_SRV_QUEUE], 10 * US);
	assert_int_equal(c->retransmits, 0);
	story_free(s);
}

/* Two packets of a response: the first is held while the second leaves. */
static void holds_of_other_packets_within_the_stream_count_once(void **state)
{
	struct story *s = story_new(NULL);
	struct wire w = wire_open(CLIENT, A, 40000);
	uint64_t t = say_request(s, &w, T0, 100, NULL) + 100 * US;
	struct hf_packet_event *packet;
	const struct call *c;

	say_socket(s, &w, 1, t, HF_SOCKET_SEND, 500000, 2000);
	say_head(s, &w, 1, t + 1 * US, 500000, 1000);
	packet = say_packet(s, &w, 1, t + 2 * US, HF_POINT_ENTER, 500000, 1000);
	packet->verdict = HF_VERDICT_DELAY;
	packet->delay_ns = 5 * MS;
	/* an acknowledgement of the client, delayed as well: the same time */
	packet = say_packet(s, &w, 0, t + 3 * US, HF_POINT_ENTER, 1100, 0);
	packet->verdict = HF_VERDICT_DELAY;
	packet->delay_ns = 5 * MS;
	say_packet(s, &w, 1, t + 2 * US + 5 * MS, HF_POINT_RELEASE, 500000, 1000);
	say_packet(s, &w, 1, t + 1 * US + 8 * MS, HF_POINT_LEAVE, 501000, 1000);
	say_packet(s, &w, 1, t + 2 * US + 8 * MS, HF_POINT_ENTER, 501000, 1000);
	say_socket(s, &w, 0, t + 9 * MS, HF_SOCKET_RECV, 502000, 2000);
	story_tell(s);
	c = &s->call[0];
	assert_true(c->complete);
	assert_int_equal(c->stage_ns[STAGE_RESP_STREAM], 8 * MS);
	assert_int_equal(c->inj_stream_ns, 5 * MS + 1 * US);
	assert_int_equal(c->inj_resp_ns, 0);
	assert_true(c->injected_ns <= c->total_ns);
	story_free(s);
}

static void only_the_first_call_of_the_thread_that_connected_has_waited(void **state)
{
	struct story *s = story_new(NULL);
	struct wire w = wire_open(CLIENT, A, 40000);
	struct wire pooled = wire_open(CLIENT, B, 40001);
	uint64_t t;

	say_handshake(s, &w, T0, 6 * MS, 5 * MS);
	t = say_call(s, &w, T0 + 6 * MS + 10 * US, 1 * MS);
	say_call(s, &w, t + 1 * MS, 1 * MS);
	say_handshake(s, &pooled, T0 + 50 * MS, 6 * MS, 0);
	pooled.tid[0] = 4711;
	say_call(s, &pooled, T0 + 57 * MS, 1 * MS);
	story_tell(s);
	assert_int_equal(s->calls, 3);
	assert_int_equal(s->call[0].connect_ns, 6 * MS);
	assert_int_equal(s->call[0].inj_connect_ns, 5 * MS);
	assert_int_equal(s->call[0].injected_ns, 0);
	assert_int_equal(s->call[1].connect_ns, TIME_UNKNOWN);
	assert_int_equal(s->call[2].connect_ns, TIME_UNKNOWN);
	story_free(s);
}

/* RECV's clock is 3 us before RELEASE's: what was read had been released, so the release is put back. */
static void an_effect_is_believed_more_than_its_cause(void **state)
{
	struct story *s = story_new(NULL);
	struct wire w = wire_open(CLIENT, A, 40000);
	struct hf_packet_event *packet;
	const struct call *c;

	say_socket(s, &w, 0, T0, HF_SOCKET_SEND, 1000, 100);
	say_head(s, &w, 0, T0 + 1 * US, 1000, 100);
	packet = say_packet(s, &w, 0, T0 + 2 * US, HF_POINT_ENTER, 1000, 100);
	packet->verdict = HF_VERDICT_DELAY;
	packet->delay_ns = 100 * US;
	say_socket(s, &w, 1, T0 + 102 * US, HF_SOCKET_RECV, 1100, 100);
	say_packet(s, &w, 0, T0 + 105 * US, HF_POINT_RELEASE, 1000, 100);
	say_response(s, &w, T0 + 200 * US, 50, NULL);
	story_tell(s);
	c = &s->call[0];
	assert_true(c->complete);
	assert_int_equal(sum_of_stages(c), c->total_ns);
	assert_int_equal(c->stage_ns[STAGE_HOLD_REQ], 100 * US);
	assert_int_equal(c->stage_ns[STAGE_SRV_QUEUE], 0);
	assert_int_equal(tracer_stats(s->tracer)->contradictions, 1);
	story_free(s);
}

static void a_response_before_the_end_of_the_request_is_overlap(void **state)
{
	struct story *s = story_new(NULL);
	struct wire w = wire_open(CLIENT, A, 40000);
	const struct call *c;

	say_socket(s, &w, 0, T0, HF_SOCKET_SEND, 1000, 300);
	say_head(s, &w, 0, T0 + 1 * US, 1000, 100);
	say_packet(s, &w, 0, T0 + 2 * US, HF_POINT_ENTER, 1000, 100);
	say_socket(s, &w, 1, T0 + 3 * US, HF_SOCKET_RECV, 1100, 100);
	say_response(s, &w, T0 + 10 * US, 50, NULL); /* read at 31 */
	say_packet(s, &w, 0, T0 + 15 * US, HF_POINT_LEAVE, 1100, 200);
	say_packet(s, &w, 0, T0 + 16 * US, HF_POINT_ENTER, 1100, 200);
	say_socket(s, &w, 1, T0 + 20 * US, HF_SOCKET_RECV, 1300, 200);
	story_tell(s);
	assert_int_equal(s->calls, 1);
	c = &s->call[0];
	assert_int_equal(c->shape, SHAPE_OVERLAP);
	assert_int_equal(c->req_bytes, 300);
	assert_int_equal(c->total_ns, 31 * US);
	assert_int_equal(sum_of_stages(c), c->total_ns);
	assert_int_equal(c->stage_ns[STAGE_SRV_APP], TIME_UNKNOWN);
	assert_false(c->complete);
	story_free(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_stage_is_what_lies_between_its_points),
		cmocka_unit_test(asked_delay_counts_at_most_what_was_held),
		cmocka_unit_test(a_point_not_seen_leaves_its_time_unattributed),
		cmocka_unit_test(an_unmanaged_client_is_seen_from_the_server_only),
		cmocka_unit_test(an_injected_drop_costs_the_time_until_the_bytes_come_again),
		cmocka_unit_test(bytes_that_leave_twice_without_arriving_were_really_lost),
		cmocka_unit_test(the_copy_that_came_first_counts),
		cmocka_unit_test(packets_may_be_cut_anywhere),
		cmocka_unit_test(holds_of_other_packets_within_the_stream_count_once),
		cmocka_unit_test(only_the_first_call_of_the_thread_that_connected_has_waited),
		cmocka_unit_test(an_effect_is_believed_more_than_its_cause),
		cmocka_unit_test(a_response_before_the_end_of_the_request_is_overlap),
	};

	return cmocka_run_group_tests_name("call", tests, NULL, NULL);
}
