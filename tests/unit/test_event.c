/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test_event.c - facts about the way in: what is no event, what comes too late, and that nothing fed to a tracer
 * can hurt it or make it grow.
 */
#include <errno.h>
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

static void what_is_no_event_is_counted_and_dropped(void **state)
{
	struct story *s = story_new(NULL);
	struct wire w = wire_open(CLIENT, A, 40000);
	struct record good, bad;
	const struct tracer_stats *stats;

	say_head(s, &w, 0, T0, 1000, 100);
	good = s->record[0];
	assert_int_equal(tracer_feed(s->tracer, good.bytes, good.size), 0);
	for (size_t size = 0; size < good.size; size++)
		assert_int_equal(tracer_feed(s->tracer, good.bytes, size), -EBADMSG);
	bad = good;
	bad.event.version++;
	assert_int_equal(tracer_feed(s->tracer, bad.bytes, bad.size), -EBADMSG);
	bad = good;
	bad.event.kind = 99;
	assert_int_equal(tracer_feed(s->tracer, bad.bytes, bad.size), -EBADMSG);
	bad = good;
	bad.packet.head_len = HF_HEAD_MAX;
	assert_int_equal(tracer_feed(s->tracer, bad.bytes, bad.size), -EBADMSG);
	bad = good;
	bad.packet.point = 0;
	assert_int_equal(tracer_feed(s->tracer, bad.bytes, bad.size), -EBADMSG);
	bad = good;
	bad.packet.verdict = 3;
	assert_int_equal(tracer_feed(s->tracer, bad.bytes, bad.size), -EBADMSG);
	bad = good;
	bad.event.size = 16;
	assert_int_equal(tracer_feed(s->tracer, bad.bytes, bad.size), -EBADMSG);
	stats = tracer_stats(s->tracer);
	assert_int_equal(stats->malformed, good.size + 6);
	assert_int_equal(stats->events[HF_EVENT_PACKET], 1);
	assert_int_equal(stats->packets[HF_POINT_LEAVE], 1);
	story_free(s);
}

static void the_ring_may_pad_a_record(void **state)
{
	struct story *s = story_new(NULL);
	struct wire w = wire_open(CLIENT, A, 40000);
	unsigned char padded[EVENT_MAX + 64] = { 0 };

	say_head(s, &w, 0, T0, 1000, 100);
	memcpy(padded, s->record[0].bytes, s->record[0].size);
	assert_int_equal(tracer_feed(s->tracer, padded, sizeof(padded)), 0);
	story_free(s);
}

static void what_is_later_than_the_window_is_counted_and_dropped(void **state)
{
	struct story *s = story_new(NULL);
	struct wire w = wire_open(CLIENT, A, 40000);

	say_call(s, &w, T0 + 100 * MS, 5 * US);
	story_tell_on(s);
	tracer_tick(s->tracer, T0 + 200 * MS);
	say_call(s, &w, T0, 5 * US);
	story_tell(s);
	assert_int_equal(tracer_stats(s->tracer)->late, 8);
	assert_int_equal(s->calls, 1);
	story_free(s);
}

static void a_full_window_lets_the_oldest_go(void **state)
{
	struct tracer_options options = { .window_max = 16 };
	struct story *s = story_new(&options);
	struct wire w = wire_open(CLIENT, A, 40000);
	uint64_t t = T0;

	for (int i = 0; i < 20; i++)
		t = say_call(s, &w, t, 5 * US) + 5 * US;
	story_tell(s);
	assert_int_equal(s->calls, 20);
	assert_int_equal(tracer_stats(s->tracer)->hurried, 160 - 16);
	assert_int_equal(tracer_stats(s->tracer)->calls_complete, 20);
	story_free(s);
}

static void a_limit_is_kept_and_what_it_costs_is_counted(void **state)
{
	struct tracer_options options = { .connections = 10, .calls = 5 };
	struct story *s = story_new(&options);
	const struct tracer_stats *stats;

	for (uint16_t i = 0; i < 20; i++) {
		struct wire w = wire_open(CLIENT, A, (uint16_t)(40000 + i));

		say_request(s, &w, T0 + i * US, 100, NULL);
	}
	story_tell_on(s);
	tracer_tick(s->tracer, T0 + 100 * MS);
	stats = tracer_stats(s->tracer);
	assert_int_equal(stats->connections_now, 10);
	assert_int_equal(stats->calls_now, 5);
	assert_int_equal(stats->refused_calls, 5);
	assert_true(stats->refused_connections >= 10);
	tracer_finish(s->tracer);
	assert_int_equal(s->calls, 5);
	assert_int_equal(tracer_stats(s->tracer)->calls_now, 0);
	story_free(s);
}

/* ---- the window alone ---- */

#define TOLD_MAX 8192

/* What is told and what is handed out is known by its time, by the record (as its seq), and by its part of a passage. */
struct told {
	uint64_t time_ns;
	uint32_t record, part;
};

struct window_test {
	struct event_window *window;
	struct budget budget;
	struct tracer_stats stats;
	struct told told[TOLD_MAX], out[TOLD_MAX];
	uint32_t records, count, count_out;
};

static void note_out(struct window_test *t, uint64_t time_ns, uint32_t record, uint32_t part)
{
	assert_true(t->count_out < TOLD_MAX);
	t->out[t->count_out++] = (struct told){ time_ns, record, part };
}

static void on_packet(void *ctx, const struct hf_packet_event *packet)
{
	note_out(ctx, packet->event.time_ns, packet->seq, packet->point);
}

static void on_socket(void *ctx, const struct hf_socket_event *socket)
{
	note_out(ctx, socket->event.time_ns, socket->seq, 0);
}

static struct window_test *window_test_new(unsigned int max)
{
	struct window_test *t = calloc(1, sizeof(*t));
	struct event_sink sink = { t, on_packet, on_socket };

	assert_non_null(t);
	t->budget.max = 64 << 20;
	assert_int_equal(event_window_new(&sink, 10 * MS, max, &t->budget, &t->stats, &t->window),
			 0);
	return t;
}

static void window_test_free(struct window_test *t)
{
	event_window_free(t->window);
	free(t);
}

static void note_told(struct window_test *t, uint64_t time_ns, uint32_t part)
{
	if (time_ns)
		t->told[t->count++] = (struct told){ time_ns, t->records, part };
}

static void feed_passage(struct window_test *t, uint64_t sent_ns, uint64_t left_ns,
			 uint64_t entered_ns)
{
	struct hf_passage passage = { .event = { sizeof(passage), HF_ABI_VERSION, HF_EVENT_PASSAGE,
						 0, sent_ns },
				      .seq = t->records,
				      .sent_ns = sent_ns,
				      .left_ns = left_ns,
				      .entered_ns = entered_ns };

	note_told(t, sent_ns, 0);
	note_told(t, left_ns, HF_POINT_LEAVE);
	note_told(t, entered_ns, HF_POINT_ENTER);
	t->records++;
	assert_int_equal(event_window_feed(t->window, &passage, sizeof(passage)), 0);
}

static void feed_socket(struct window_test *t, uint64_t time_ns)
{
	struct hf_socket_event socket = { .event = { sizeof(socket), HF_ABI_VERSION,
						     HF_EVENT_SOCKET, 0, time_ns },
					  .seq = t->records,
					  .op = HF_SOCKET_RECV };

	note_told(t, time_ns, 0);
	t->records++;
	assert_int_equal(event_window_feed(t->window, &socket, sizeof(socket)), 0);
}

static int in_order(const void *a, const void *b)
{
	const struct told *x = a, *y = b;

	if (x->time_ns != y->time_ns)
		return x->time_ns < y->time_ns ? -1 : 1;
	if (x->record != y->record)
		return x->record < y->record ? -1 : 1;
	return (x->part > y->part) - (x->part < y->part);
}

/* Times that are near each other, so that many are the same; parts of a passage in any order, or missing. */
static void parts_come_out_among_all_events_by_time_and_then_by_arrival(void **state)
{
	for (uint64_t seed = 1; seed <= 20; seed++) {
		struct window_test *t = window_test_new(100000);
		uint64_t dice = seed;

		for (uint32_t i = 0; i < 2000; i++) {
			uint64_t now = T0 + i;

			if (story_random(&dice) % 2)
				feed_socket(t, now + story_random(&dice) % 30);
			else
				feed_passage(
					t,
					story_random(&dice) % 4 ? now + story_random(&dice) % 30
								: 0,
					story_random(&dice) % 4 ? now + story_random(&dice) % 30
								: 0,
					story_random(&dice) % 4 ? now + story_random(&dice) % 30
								: 0);
		}
		assert_int_equal(t->count_out, 0);
		event_window_move(t->window, T0 + 10 * MS + 1000);
		assert_in_range(t->count_out, 1, t->count - 1);
		assert_true(t->out[t->count_out - 1].time_ns <= T0 + 1000);
		event_window_flush(t->window);
		qsort(t->told, t->count, sizeof(t->told[0]), in_order);
		assert_int_equal(t->count_out, t->count);
		assert_memory_equal(t->out, t->told, t->count * sizeof(t->told[0]));
		window_test_free(t);
	}
}

static void a_part_that_comes_too_late_is_dropped_alone(void **state)
{
	struct window_test *t = window_test_new(100);

	feed_socket(t, T0);
	event_window_move(t->window, T0 + 15 * MS);
	assert_int_equal(t->count_out, 1);
	feed_passage(t, T0 + 4 * MS, T0 + 4 * MS, T0 + 6 * MS);
	feed_passage(t, T0, T0 + 1 * MS, T0 + 2 * MS);
	event_window_flush(t->window);
	assert_int_equal(t->count_out, 2);
	assert_int_equal(t->out[1].time_ns, T0 + 6 * MS);
	assert_int_equal(t->out[1].part, HF_POINT_ENTER);
	assert_int_equal(t->stats.late, 5);
	assert_int_equal(t->stats.sockets[HF_SOCKET_SEND], 2);
	assert_int_equal(t->stats.packets[HF_POINT_LEAVE], 2);
	assert_int_equal(t->stats.packets[HF_POINT_ENTER], 2);
	window_test_free(t);
}

/* Its room is counted in events, so a passage takes three. */
static void passages_fill_the_window_with_their_parts(void **state)
{
	struct window_test *t = window_test_new(30);

	for (uint32_t i = 0; i < 200; i++)
		feed_passage(t, T0 + i * 10, T0 + i * 10 + 1, T0 + i * 10 + 15);
	assert_int_equal(t->stats.hurried, 600 - 30);
	for (uint32_t i = 200; i < 210; i++)
		feed_passage(t, T0 + i * 10, i % 2 ? 0 : T0 + i * 10 + 1, 0);
	assert_int_equal(t->stats.hurried, 600 - 30 + 15);
	assert_int_equal(t->stats.late, 0);
	event_window_flush(t->window);
	qsort(t->told, t->count, sizeof(t->told[0]), in_order);
	assert_int_equal(t->count_out, t->count);
	assert_memory_equal(t->out, t->told, t->count * sizeof(t->told[0]));
	window_test_free(t);
}

static void the_options_are_checked(void **state)
{
	struct tracer_options options = { 0 };
	struct tracer *tracer = NULL;

	assert_int_equal(tracer_new(&options, &tracer), -EINVAL);
	assert_null(tracer);
}

/* ---- nonsense, much of it ---- */

static uint32_t some(uint64_t *seed, uint32_t n)
{
	return (uint32_t)(story_random(seed) % n);
}

/* Few ends, few numbers, so that the nonsense meets itself. */
static void say_nonsense(struct story *s, uint64_t *seed, uint64_t t)
{
	static const char *const heads[] = { "GET / HTTP/1.1", "HTTP/1.1 200 ", "HTTP/1.1 100 ",
					     NULL };
	struct wire w = wire_open(CLIENT + some(seed, 3), CLIENT + some(seed, 3),
				  (uint16_t)(8078 + some(seed, 4)));
	uint32_t seq = 0xfffffff0U + some(seed, 5000), len = some(seed, 4) ? some(seed, 600) : 0;
	int way = (int)some(seed, 2);
	struct hf_packet_event *packet;

	if (some(seed, 3) == 0) {
		say_socket(s, &w, way, t, HF_SOCKET_SEND + some(seed, 6), seq, len)->tid =
			some(seed, 4);
		return;
	}
	w.head[way] = heads[some(seed, 4)];
	packet = say_head(s, &w, way, t, seq, len);
	packet->point = (uint8_t)(1 + some(seed, 3));
	packet->verdict = (uint8_t)some(seed, 3);
	packet->delay_ns = story_random(seed) % (10 * MS);
	packet->rule_id[0] = some(seed, 20);
	packet->tcp_flags = some(seed, 40) ? 16 : (uint8_t)some(seed, 32);
	packet->dst_endpoint = some(seed, 20);
	if (some(seed, 50) == 0) /* a bit of it, but for the header, is another */
		((unsigned char *)packet)[16 + some(seed, sizeof(*packet) - 16)] ^=
			1U << some(seed, 8);
}

static void nonsense_neither_hurts_nor_stays(void **state)
{
	struct tracer_options options = {
		.connections = 50,
		.calls = 200,
		.window_max = 500,
		.call_ns = 50 * MS,
		.settle_ns = 5 * MS,
		.connection_ns = 100 * MS,
		.memory_max = 4 << 20,
	};
	const char *rounds = getenv("HOPFAULT_TRACE_FUZZ_ROUNDS");
	uint64_t n = rounds ? strtoull(rounds, NULL, 10) : 60;

	for (uint64_t round = 1; round <= n; round++) {
		struct story *s = story_new(&options);
		uint64_t seed = round, t = T0;
		const struct tracer_stats *stats;

		for (int i = 0; i < 3000; i++) {
			say_nonsense(s, &seed, t += some(&seed, 60 * US));
			if (i % 500 == 499) {
				story_tell_on(s);
				tracer_tick(s->tracer, t);
			}
		}
		story_tell(s);
		stats = tracer_stats(s->tracer);
		assert_int_equal(stats->calls_now, 0);
		assert_int_equal(stats->connections_now, 0);
		assert_true(stats->memory_most <= options.memory_max);
		for (size_t i = 0; i < s->calls; i++) {
			const struct call *c = &s->call[i];

			assert_int_equal(sum_of_stages(c), c->total_ns);
			assert_true(!c->complete || c->stage_ns[STAGE_UNATTRIBUTED] == 0);
			assert_true(c->total_ns < 1000 * 1000 * MS);
			assert_true(c->injected_ns <= c->total_ns);
			assert_true(c->srv_self_ns == TIME_UNKNOWN ||
				    c->srv_self_ns <= c->total_ns);
			assert_int_not_equal(c->span_id, 0);
		}
		story_free(s);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_no_event_is_counted_and_dropped),
		cmocka_unit_test(the_ring_may_pad_a_record),
		cmocka_unit_test(what_is_later_than_the_window_is_counted_and_dropped),
		cmocka_unit_test(a_full_window_lets_the_oldest_go),
		cmocka_unit_test(a_limit_is_kept_and_what_it_costs_is_counted),
		cmocka_unit_test(parts_come_out_among_all_events_by_time_and_then_by_arrival),
		cmocka_unit_test(a_part_that_comes_too_late_is_dropped_alone),
		cmocka_unit_test(passages_fill_the_window_with_their_parts),
		cmocka_unit_test(the_options_are_checked),
		cmocka_unit_test(nonsense_neither_hurts_nor_stays),
	};

	return cmocka_run_group_tests_name("event", tests, NULL, NULL);
}
