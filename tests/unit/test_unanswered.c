/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test_unanswered.c - facts about calls that no answer came for: who made an end of it, and when.
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

enum { FIN = 1, SYN = 2, RST = 4, ACK = 16 };

static struct hf_packet_event *say_flags(struct story *s, const struct wire *w, int way, uint64_t t,
					 enum hf_point point, int flags)
{
	struct hf_packet_event *packet = say_packet(s, w, way, t, point, w->seq[way], 0);

	packet->tcp_flags = (uint8_t)flags;
	return packet;
}

/* The request leaves, and is dropped on its way. Returns when. */
static uint64_t say_lost_request(struct story *s, struct wire *w, uint64_t t)
{
	struct hf_packet_event *packet;

	say_socket(s, w, 0, t, HF_SOCKET_SEND, w->seq[0], 0);
	say_head(s, w, 0, t + 1 * US, w->seq[0], 100);
	packet = say_packet(s, w, 0, t + 2 * US, HF_POINT_ENTER, w->seq[0], 100);
	packet->verdict = HF_VERDICT_DROP;
	packet->rule_id[0] = 9;
	w->seq[0] += 100;
	return t + 2 * US;
}

static const struct call *only_call(struct story *s)
{
	const struct call *call;

	story_tell(s);
	assert_int_equal(s->calls, 1);
	call = &s->call[0];
	assert_int_equal(sum_of_stages(call), call->total_ns);
	assert_true(call->injected_ns <= call->total_ns);
	return call;
}

static void a_client_that_closes_unanswered_has_waited_until_then(void **state)
{
	struct story *s = story_new(NULL);
	struct wire w = wire_open(CLIENT, A, 40000);
	const struct call *c;

	say_lost_request(s, &w, T0);
	say_flags(s, &w, 0, T0 + 400 * MS, HF_POINT_LEAVE, FIN | ACK);
	say_socket(s, &w, 0, T0 + 9000 * MS, HF_SOCKET_CLOSE, 0, 0);
	c = only_call(s);
	assert_int_equal(c->shape, SHAPE_ABANDONED);
	assert_false(c->complete);
	assert_int_equal(c->start_mono_ns, T0);
	assert_int_equal(c->total_ns, 400 * MS);
	assert_int_equal(c->stage_ns[STAGE_CLI_SEND], 1 * US);
	assert_int_equal(c->inj_loss_ns, 400 * MS - 2 * US);
	assert_int_equal(c->status, 0);
	story_free(s);
}

static void a_reset_by_the_client_is_giving_up_too(void **state)
{
	struct story *s = story_new(NULL);
	struct wire w = wire_open(CLIENT, A, 40000);
	const struct call *c;
	uint64_t t = say_request(s, &w, T0, 100, NULL);

	say_flags(s, &w, 0, T0 + 300 * MS, HF_POINT_LEAVE, RST | ACK);
	c = only_call(s);
	assert_int_equal(c->shape, SHAPE_ABANDONED);
	assert_int_equal(c->total_ns, 300 * MS);
	assert_int_equal(c->stage_ns[STAGE_UNATTRIBUTED], T0 + 300 * MS - t);
	assert_int_equal(c->injected_ns, 0);
	story_free(s);
}

/* The server answers at 900 ms, when its client has gone: the client's wait is what the row tells. */
static void an_answer_that_comes_too_late_changes_nothing(void **state)
{
	struct story *s = story_new(NULL);
	struct wire w = wire_open(CLIENT, A, 40000);
	const struct call *c;

	say_request(s, &w, T0, 100, NULL);
	say_flags(s, &w, 0, T0 + 500 * MS, HF_POINT_LEAVE, FIN | ACK);
	say_flags(s, &w, 0, T0 + 500 * MS + 1, HF_POINT_ENTER, FIN | ACK);
	say_socket(s, &w, 1, T0 + 900 * MS, HF_SOCKET_SEND, w.seq[1], 0);
	say_head(s, &w, 1, T0 + 900 * MS + 1 * US, w.seq[1], 200);
	w.seq[1] += 200;
	say_flags(s, &w, 0, T0 + 900 * MS + 9 * US, HF_POINT_LEAVE, RST);
	c = only_call(s);
	assert_int_equal(c->shape, SHAPE_ABANDONED);
	assert_int_equal(c->total_ns, 500 * MS);
	assert_int_equal(c->stage_ns[STAGE_SRV_APP], TIME_UNKNOWN);
	story_free(s);
}

static void an_answer_that_was_read_before_the_end_is_an_answer(void **state)
{
	struct story *s = story_new(NULL);
	struct wire w = wire_open(CLIENT, A, 40000);
	uint64_t t = say_call(s, &w, T0, 5 * MS);
	const struct call *c;

	say_flags(s, &w, 0, t + 1 * US, HF_POINT_LEAVE, FIN | ACK);
	say_socket(s, &w, 0, t + 50 * US, HF_SOCKET_CLOSE, 0, 0);
	c = only_call(s);
	assert_int_equal(c->shape, SHAPE_TURNS);
	assert_true(c->complete);
	story_free(s);
}

/* No receive call was told of: that the bytes got there must do. */
static void an_answer_that_arrived_is_one_without_a_word_of_the_reader(void **state)
{
	struct story *s = story_new(NULL);
	struct wire w = wire_open(CLIENT, A, 40000);
	const struct call *c;
	uint64_t t;

	w.is_blind = 1U << POINT_RESP_READ;
	t = say_call(s, &w, T0, 5 * MS);
	say_flags(s, &w, 0, t + 1 * US, HF_POINT_LEAVE, FIN | ACK);
	c = only_call(s);
	assert_int_equal(c->shape, SHAPE_TURNS);
	assert_int_equal(c->status, 200);
	story_free(s);
}

/* A cut behind the server: half of the answer comes. */
static void half_an_answer_is_none(void **state)
{
	struct story *s = story_new(NULL);
	struct wire w = wire_open(CLIENT, A, 40000);
	struct hf_packet_event *packet;
	const struct call *c;

	say_request(s, &w, T0, 100, NULL);
	say_socket(s, &w, 1, T0 + 5 * MS, HF_SOCKET_SEND, w.seq[1], 0);
	say_head(s, &w, 1, T0 + 5 * MS + 1 * US, w.seq[1], 1000);
	say_packet(s, &w, 1, T0 + 5 * MS + 2 * US, HF_POINT_ENTER, w.seq[1], 1000);
	say_socket(s, &w, 0, T0 + 5 * MS + 3 * US, HF_SOCKET_RECV, w.seq[1] + 1000, 1000);
	say_packet(s, &w, 1, T0 + 6 * MS, HF_POINT_LEAVE, w.seq[1] + 1000, 1000);
	packet = say_packet(s, &w, 1, T0 + 6 * MS + 1 * US, HF_POINT_ENTER, w.seq[1] + 1000, 1000);
	packet->verdict = HF_VERDICT_DROP;
	say_flags(s, &w, 0, T0 + 250 * MS, HF_POINT_LEAVE, FIN | ACK);
	c = only_call(s);
	assert_int_equal(c->shape, SHAPE_ABANDONED);
	assert_int_equal(c->total_ns, 250 * MS);
	assert_int_equal(c->status, 200); /* its head had come */
	story_free(s);
}

static void a_server_that_hangs_up_has_broken_the_call(void **state)
{
	static const int flags[] = { FIN | ACK, RST | ACK };

	for (size_t i = 0; i < sizeof(flags) / sizeof(flags[0]); i++) {
		struct story *s = story_new(NULL);
		struct wire w = wire_open(CLIENT, A, 40000);
		const struct call *c;

		say_request(s, &w, T0, 100, NULL);
		say_flags(s, &w, 1, T0 + 70 * MS, HF_POINT_LEAVE, flags[i]);
		say_flags(s, &w, 1, T0 + 70 * MS + 1 * US, HF_POINT_ENTER, flags[i]);
		say_flags(s, &w, 0, T0 + 71 * MS, HF_POINT_LEAVE, FIN | ACK);
		c = only_call(s);
		assert_int_equal(c->shape, SHAPE_BROKEN);
		assert_int_equal(c->total_ns, 70 * MS + 1 * US);
		story_free(s);
	}
}

/* The server's end is dropped on its way: the client knows nothing of it, and goes on waiting. */
static void an_end_that_does_not_arrive_breaks_nothing(void **state)
{
	struct story *s = story_new(NULL);
	struct wire w = wire_open(CLIENT, A, 40000);
	const struct call *c;

	say_request(s, &w, T0, 100, NULL);
	say_flags(s, &w, 1, T0 + 70 * MS, HF_POINT_LEAVE, RST);
	say_flags(s, &w, 1, T0 + 70 * MS + 1 * US, HF_POINT_ENTER, RST)->verdict = HF_VERDICT_DROP;
	say_flags(s, &w, 0, T0 + 200 * MS, HF_POINT_LEAVE, FIN | ACK);
	c = only_call(s);
	assert_int_equal(c->shape, SHAPE_ABANDONED);
	assert_int_equal(c->total_ns, 200 * MS);
	story_free(s);
}

static void who_waits_when_the_trace_ends_is_pending(void **state)
{
	struct story *s = story_new(NULL);
	struct wire w = wire_open(CLIENT, A, 40000);
	struct wire other = wire_open(B, C, 50000);

	say_lost_request(s, &w, T0);
	say_call(s, &other, T0 + 3000 * MS, 1 * MS);
	story_tell(s);
	assert_int_equal(s->calls, 2);
	for (int i = 0; i < 2; i++) {
		const struct call *c = &s->call[i];

		assert_int_equal(c->shape, c->src == CLIENT ? SHAPE_PENDING : SHAPE_TURNS);
		if (c->src == CLIENT)
			assert_true(c->total_ns >= 3000 * MS && c->total_ns < 3010 * MS);
	}
	story_free(s);
}

/* While its client's TCP sends on and on, for nobody, the row comes. */
static void an_abandoned_call_is_handed_out_soon(void **state)
{
	struct story *s = story_new(NULL);
	struct wire w = wire_open(CLIENT, A, 40000);

	say_lost_request(s, &w, T0);
	say_flags(s, &w, 0, T0 + 400 * MS, HF_POINT_LEAVE, FIN | ACK);
	for (uint64_t i = 1; i < 8; i++)
		say_packet(s, &w, 0, T0 + 400 * MS + i * 200 * MS, HF_POINT_LEAVE, 1000, 100);
	story_tell_on(s);
	tracer_tick(s->tracer, T0 + 1850 * MS);
	assert_int_equal(s->calls, 1);
	assert_int_equal(s->call[0].total_ns, 400 * MS);
	story_free(s);
}

/* Of an unknown protocol, an end of sending may be no more than that: there are no more requests. */
static void half_a_close_of_an_unknown_protocol_waits_on(void **state)
{
	struct story *s = story_new(NULL);
	struct wire w = wire_open(CLIENT, A, 40000);
	const struct call *c;

	w.head[0] = w.head[1] = NULL;
	say_request(s, &w, T0, 100, NULL);
	say_flags(s, &w, 0, T0 + 1 * MS, HF_POINT_LEAVE, FIN | ACK);
	say_response(s, &w, T0 + 1800 * MS, 200, NULL);
	c = only_call(s);
	assert_int_equal(c->shape, SHAPE_TURNS);
	assert_true(c->complete);
	story_free(s);
}

/* ---- connecting ---- */

static void say_lost_syn(struct story *s, const struct wire *w, uint64_t t)
{
	struct hf_packet_event *packet;
	uint32_t isn = w->seq[0] - 1;

	say_packet(s, w, 0, t, HF_POINT_LEAVE, isn, 0)->tcp_flags = SYN;
	packet = say_packet(s, w, 0, t + 1 * US, HF_POINT_ENTER, isn, 0);
	packet->tcp_flags = SYN;
	packet->verdict = HF_VERDICT_DROP;
	packet->rule_id[0] = 9;
}

static void connecting_in_vain_is_a_row_of_its_own(void **state)
{
	struct story *s = story_new(NULL);
	struct wire w = wire_open(CLIENT, A, 40000);
	const struct call *c;

	say_lost_syn(s, &w, T0 + 5 * US);
	say_lost_syn(s, &w, T0 + 1000 * MS);
	say_socket(s, &w, 0, T0 + 1500 * MS, HF_SOCKET_CLOSE, 0, 0)->since_ns = T0;
	c = only_call(s);
	assert_int_equal(c->shape, SHAPE_UNCONNECTED);
	assert_int_equal(c->src, CLIENT);
	assert_int_equal(c->dst, A);
	assert_int_equal(c->dst_port, 8080);
	assert_int_equal(c->start_mono_ns, T0);
	assert_int_equal(c->total_ns, 1500 * MS);
	assert_int_equal(c->stage_ns[STAGE_UNATTRIBUTED], 1500 * MS);
	assert_int_equal(c->req_bytes, 0);
	assert_int_equal(c->connect_ns, TIME_UNKNOWN);
	assert_int_equal(c->drops_injected, 2);
	assert_int_equal(c->rule_id[0], 9);
	assert_int_equal(c->injected_ns, 1500 * MS - 6 * US);
	assert_int_equal(tracer_stats(s->tracer)->connections_now, 0);
	story_free(s);
}

static void a_refused_connection_says_so(void **state)
{
	struct story *s = story_new(NULL);
	struct wire w = wire_open(CLIENT, A, 40000);
	const struct call *c;

	say_packet(s, &w, 0, T0, HF_POINT_LEAVE, w.seq[0] - 1, 0)->tcp_flags = SYN;
	say_packet(s, &w, 0, T0 + 1 * US, HF_POINT_ENTER, w.seq[0] - 1, 0)->tcp_flags = SYN;
	say_packet(s, &w, 1, T0 + 2 * US, HF_POINT_LEAVE, 0, 0)->tcp_flags = RST | ACK;
	say_packet(s, &w, 1, T0 + 3 * US, HF_POINT_ENTER, 0, 0)->tcp_flags = RST | ACK;
	say_socket(s, &w, 0, T0 + 4 * US, HF_SOCKET_CLOSE, 0, 0)->since_ns = T0 - 1 * US;
	c = only_call(s);
	assert_int_equal(c->shape, SHAPE_REFUSED);
	assert_int_equal(c->total_ns, 3 * US);
	story_free(s);
}

static void who_connects_when_the_trace_ends_is_pending(void **state)
{
	struct story *s = story_new(NULL);
	struct wire w = wire_open(CLIENT, A, 40000);
	const struct call *c;

	say_lost_syn(s, &w, T0);
	say_lost_syn(s, &w, T0 + 1000 * MS);
	c = only_call(s);
	assert_int_equal(c->shape, SHAPE_PENDING);
	assert_int_equal(c->req_bytes, 0);
	assert_int_equal(c->total_ns, 1000 * MS + 1 * US);
	story_free(s);
}

static void a_connection_that_came_about_is_no_row(void **state)
{
	struct story *s = story_new(NULL);
	struct wire w = wire_open(CLIENT, A, 40000), blind = wire_open(CLIENT, B, 40001);

	say_handshake(s, &w, T0, 1 * MS, 0);
	say_socket(s, &w, 0, T0 + 500 * MS, HF_SOCKET_CLOSE, 0, 0);
	/* as far as the packets tell */
	say_packet(s, &blind, 0, T0, HF_POINT_LEAVE, blind.seq[0] - 1, 0)->tcp_flags = SYN;
	say_packet(s, &blind, 1, T0 + 2 * US, HF_POINT_ENTER, blind.seq[1] - 1, 0)->tcp_flags =
		SYN | ACK;
	say_socket(s, &blind, 0, T0 + 500 * MS, HF_SOCKET_CLOSE, 0, 0);
	story_tell(s);
	assert_int_equal(s->calls, 0);
	story_free(s);
}

/* A has the client's request in hand, and can't connect to B: that is A's work for that request. */
static void an_attempt_belongs_to_the_call_that_caused_it(void **state)
{
	struct story *s = story_new(NULL);
	struct wire a = wire_open(CLIENT, A, 40000), b = wire_open(A, B, 50000);
	struct wire other = wire_open(CLIENT, A, 40001);
	struct hf_socket_event *close;
	uint64_t t;

	other.tid[1] = 4711; /* another thread of A has another request in hand */
	say_request(s, &other, T0 + 1 * MS, 100, NULL);
	t = say_request(s, &a, T0, 100, NULL);
	say_lost_syn(s, &b, t + 10 * US);
	close = say_socket(s, &b, 0, t + 300 * MS, HF_SOCKET_CLOSE, 0, 0);
	close->since_ns = t + 9 * US;
	t = say_response(s, &a, t + 301 * MS, 100, NULL);
	say_response(s, &other, t + 1 * MS, 100, NULL);
	story_tell(s);
	assert_int_equal(s->calls, 3);
	for (size_t i = 0; i < s->calls; i++) {
		const struct call *c = &s->call[i];

		if (c->src != A)
			continue;
		assert_int_equal(c->shape, SHAPE_UNCONNECTED);
		assert_int_equal(c->link_method, LINK_THREAD);
		assert_int_equal(c->parent_span_id, s->call[i - 1].span_id);
		assert_int_equal(s->call[i - 1].src_port, 40000);
	}
	story_free(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_client_that_closes_unanswered_has_waited_until_then),
		cmocka_unit_test(a_reset_by_the_client_is_giving_up_too),
		cmocka_unit_test(an_answer_that_comes_too_late_changes_nothing),
		cmocka_unit_test(an_answer_that_was_read_before_the_end_is_an_answer),
		cmocka_unit_test(an_answer_that_arrived_is_one_without_a_word_of_the_reader),
		cmocka_unit_test(half_an_answer_is_none),
		cmocka_unit_test(a_server_that_hangs_up_has_broken_the_call),
		cmocka_unit_test(an_end_that_does_not_arrive_breaks_nothing),
		cmocka_unit_test(who_waits_when_the_trace_ends_is_pending),
		cmocka_unit_test(an_abandoned_call_is_handed_out_soon),
		cmocka_unit_test(half_a_close_of_an_unknown_protocol_waits_on),
		cmocka_unit_test(connecting_in_vain_is_a_row_of_its_own),
		cmocka_unit_test(a_refused_connection_says_so),
		cmocka_unit_test(who_connects_when_the_trace_ends_is_pending),
		cmocka_unit_test(a_connection_that_came_about_is_no_row),
		cmocka_unit_test(an_attempt_belongs_to_the_call_that_caused_it),
	};

	return cmocka_run_group_tests_name("unanswered", tests, NULL, NULL);
}
