/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test_passage.c - facts about passages: the call that is built of them is the one that is built of their parts, and
 * what is no passage does no harm.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "trace/passage.h"
#include "trace_data.h"

static const char get[] = "GET /orders HTTP/1.1\r\n";

/* The record's part of a passage: of a send, or of a sighting without a verdict. */
static void put_into(struct hf_passage *passage, const struct record *record)
{
	if (record->event.kind == HF_EVENT_SOCKET) {
		passage->sent_ns = record->event.time_ns;
		passage->pid = record->socket.pid;
		passage->tid = record->socket.tid;
		passage->src_endpoint = record->socket.endpoint;
		passage->flow = record->socket.flow;
		passage->seq = record->socket.seq;
		return;
	}
	passage->flow = record->packet.flow;
	passage->seq = record->packet.seq;
	passage->len = record->packet.len;
	passage->src_endpoint = record->packet.src_endpoint;
	passage->tcp_flags = record->packet.tcp_flags;
	passage->segments = record->packet.segments;
	if (record->packet.point == HF_POINT_ENTER) {
		passage->entered_ns = record->event.time_ns;
		passage->dst_endpoint = record->packet.dst_endpoint;
		return;
	}
	passage->left_ns = record->event.time_ns;
	passage->head_len = record->packet.head_len;
	memcpy(passage->head, record->packet.head, record->packet.head_len);
}

static bool is_received(const struct record *record)
{
	return record->event.kind == HF_EVENT_SOCKET && record->socket.op == HF_SOCKET_RECV;
}

/* Feeds the story with what comes before each receive joined into one passage. */
static void tell_by_passages(struct story *s)
{
	struct hf_passage passage = {};

	for (size_t i = 0; i < s->records; i++) {
		const struct record *record = &s->record[i];

		if (is_received(record)) {
			assert_int_equal(tracer_feed(s->tracer, &passage, sizeof(passage)), 0);
			assert_int_equal(tracer_feed(s->tracer, record->bytes, record->size), 0);
			passage = (struct hf_passage){};
			continue;
		}
		if (!passage.event.time_ns)
			passage.event = (struct hf_event){ .size = sizeof(passage),
							   .version = HF_ABI_VERSION,
							   .kind = HF_EVENT_PASSAGE,
							   .time_ns = record->event.time_ns };
		put_into(&passage, record);
	}
	tracer_finish(s->tracer);
}

static struct story *a_call(void)
{
	struct story *s = story_new(NULL);
	struct wire w = wire_open(CLIENT, A, 40000);

	w.head[0] = get;
	w.head[1] = "HTTP/1.1 200 OK\r\n";
	say_response(s, &w, say_request(s, &w, T0, 100, NULL) + 5 * US, 200, NULL);
	return s;
}

static void a_call_by_passages_is_the_same_call(void **state)
{
	struct story *whole = a_call(), *joined = a_call();
	const struct call *a, *b;

	story_tell(whole);
	tell_by_passages(joined);
	assert_int_equal(whole->calls, 1);
	assert_int_equal(joined->calls, 1);
	a = &whole->call[0];
	b = &joined->call[0];
	assert_true(a->complete);
	assert_true(b->complete);
	assert_int_equal(a->total_ns, b->total_ns);
	assert_memory_equal(a->stage_ns, b->stage_ns, sizeof(a->stage_ns));
	assert_int_equal(a->status, b->status);
	assert_string_equal(a->path, b->path);
	assert_int_equal(tracer_stats(joined->tracer)->events[HF_EVENT_PACKET],
			 tracer_stats(whole->tracer)->events[HF_EVENT_PACKET]);
	assert_int_equal(tracer_stats(joined->tracer)->events[HF_EVENT_SOCKET],
			 tracer_stats(whole->tracer)->events[HF_EVENT_SOCKET]);
	story_free(whole);
	story_free(joined);
}

static void a_part_that_is_missing_is_not_told(void **state)
{
	struct hf_passage passage = { .seq = 7, .left_ns = T0, .head_len = 4, .head = "GET " };
	struct {
		struct hf_packet_event packet;
		unsigned char head[HF_HEAD_MAX];
	} part;

	assert_int_equal(passage_next_ns(&passage), T0);
	passage_take(&passage, T0, &part.packet.event);
	assert_int_equal(part.packet.event.size, sizeof(part.packet) + 4);
	assert_int_equal(part.packet.event.time_ns, T0);
	assert_int_equal(part.packet.point, HF_POINT_LEAVE);
	assert_int_equal(part.packet.seq, 7);
	assert_memory_equal(part.head, "GET ", 4);
	assert_int_equal(passage_next_ns(&passage), 0);
}

static void what_is_no_passage_is_counted_and_dropped(void **state)
{
	struct hf_passage good = {
		.event = { sizeof(good), HF_ABI_VERSION, HF_EVENT_PASSAGE, 0, T0 }, .sent_ns = T0
	};
	struct story *s = story_new(NULL);
	struct hf_passage bad = good;

	assert_int_equal(tracer_feed(s->tracer, &good, sizeof(good)), 0);
	for (size_t size = 0; size < sizeof(good); size++)
		assert_int_equal(tracer_feed(s->tracer, &good, size), -EBADMSG);
	bad.head_len = HF_HEAD_MAX + 1;
	assert_int_equal(tracer_feed(s->tracer, &bad, sizeof(bad)), -EBADMSG);
	bad = good;
	bad.event.version++;
	assert_int_equal(tracer_feed(s->tracer, &bad, sizeof(bad)), -EBADMSG);
	assert_int_equal(tracer_stats(s->tracer)->malformed, sizeof(good) + 2);
	assert_int_equal(tracer_stats(s->tracer)->sockets[HF_SOCKET_SEND], 1);
	story_free(s);
}

static void nonsense_in_a_passage_does_no_harm(void **state)
{
	struct story *s = story_new(NULL);
	uint64_t seed = 1;

	for (uint64_t i = 0; i < 20000; i++) {
		struct hf_passage passage;

		for (size_t at = 0; at < sizeof(passage); at++)
			((unsigned char *)&passage)[at] = (unsigned char)story_random(&seed);
		passage.event = (struct hf_event){ sizeof(passage), HF_ABI_VERSION,
						   HF_EVENT_PASSAGE, 0, T0 + i * US };
		passage.sent_ns = i % 2 ? 0 : T0 + i * US;
		passage.left_ns = i % 3 ? 0 : T0 + (i + story_random(&seed) % 8) * US;
		passage.entered_ns = i % 5 ? 0 : passage.entered_ns;
		tracer_feed(s->tracer, &passage, sizeof(passage));
	}
	tracer_finish(s->tracer);
	assert_int_equal(tracer_stats(s->tracer)->calls_now, 0);
	assert_int_equal(tracer_stats(s->tracer)->connections_now, 0);
	story_free(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_call_by_passages_is_the_same_call),
		cmocka_unit_test(a_part_that_is_missing_is_not_told),
		cmocka_unit_test(what_is_no_passage_is_counted_and_dropped),
		cmocka_unit_test(nonsense_in_a_passage_does_no_harm),
	};

	return cmocka_run_group_tests_name("passage", tests, NULL, NULL);
}
