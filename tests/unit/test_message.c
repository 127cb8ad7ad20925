/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test_message.c - facts about messages: which bytes are which request, and which response answers it.
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

#include "trace/head.h"

static void a_thousand_requests_on_one_connection_are_a_thousand_calls(void **state)
{
	struct story *s = story_new(NULL);
	struct wire w = wire_open(CLIENT, A, 40000);
	uint64_t t = T0;

	for (int i = 0; i < 1000; i++)
		t = say_call(s, &w, t, (uint64_t)(i + 1) * US) + 20 * US;
	story_tell(s);
	assert_int_equal(s->calls, 1000);
	for (int i = 0; i < 1000; i++) {
		assert_true(s->call[i].complete);
		assert_int_equal(s->call[i].stage_ns[STAGE_SRV_APP], (uint64_t)(i + 1) * US);
		assert_int_equal(s->call[i].req_bytes, 100);
		assert_int_equal(s->call[i].resp_bytes, 200);
	}
	story_free(s);
}

static void turns_alone_cut_an_unknown_protocol(void **state)
{
	struct story *s = story_new(NULL);
	struct wire w = wire_open(CLIENT, A, 40000);
	uint64_t t = T0;

	w.head[0] = w.head[1] = NULL;
	for (int i = 0; i < 50; i++)
		t = say_call(s, &w, t, 5 * US) + 20 * US;
	story_tell(s);
	assert_int_equal(s->calls, 50);
	for (int i = 0; i < 50; i++) {
		assert_true(s->call[i].complete);
		assert_int_equal(s->call[i].shape, SHAPE_TURNS);
		assert_string_equal(s->call[i].method, "");
		assert_int_equal(s->call[i].status, 0);
	}
	story_free(s);
}

/* Eight requests written ahead, each by its own send; the answers come later, one after the other. */
static void requests_written_ahead_are_paired_in_order(void **state)
{
	struct story *s = story_new(NULL);
	struct wire w = wire_open(CLIENT, A, 40000);
	char head[8][40];
	uint64_t t = T0;

	for (int i = 0; i < 8; i++) {
		snprintf(head[i], sizeof(head[i]), "GET /%d?q=1 HTTP/1.1\r\n", i);
		w.head[0] = head[i];
		say_request(s, &w, T0 + (uint64_t)i * 2 * US, 100, NULL);
	}
	t += 100 * US;
	for (int i = 0; i < 8; i++) {
		snprintf(head[i], sizeof(head[i]), "HTTP/1.1 %d \r\n", 201 + i);
		w.head[1] = head[i];
		say_response(s, &w, t + (uint64_t)i * 10 * US, 50, NULL);
	}
	story_tell(s);
	assert_int_equal(s->calls, 8);
	for (int i = 0; i < 8; i++) {
		char path[20];

		snprintf(path, sizeof(path), "/%d", i);
		assert_string_equal(s->call[i].path, path);
		assert_int_equal(s->call[i].status, 201 + i);
		assert_true(s->call[i].complete);
		assert_int_equal(s->call[i].stage_ns[STAGE_SRV_APP],
				 (100 + (uint64_t)i * 8 - 21) * US);
	}
	story_free(s);
}

/* The second request is written while the first response is under way; that one goes on afterwards. */
static void a_response_goes_on_after_the_next_request(void **state)
{
	struct story *s = story_new(NULL);
	struct wire w = wire_open(CLIENT, A, 40000);
	uint64_t t = say_request(s, &w, T0, 100, NULL);

	say_head(s, &w, 1, t + 10 * US, 500000, 1000);
	say_packet(s, &w, 1, t + 11 * US, HF_POINT_ENTER, 500000, 1000);
	say_request(s, &w, t + 12 * US, 100, NULL);
	say_packet(s, &w, 1, t + 50 * US, HF_POINT_LEAVE, 501000, 1000);
	say_packet(s, &w, 1, t + 51 * US, HF_POINT_ENTER, 501000, 1000);
	say_socket(s, &w, 0, t + 60 * US, HF_SOCKET_RECV, 502000, 2000);
	w.seq[1] = 502000;
	say_response(s, &w, t + 100 * US, 300, NULL);
	story_tell(s);
	assert_int_equal(s->calls, 2);
	assert_int_equal(s->call[0].resp_bytes, 2000);
	assert_int_equal(s->call[1].resp_bytes, 300);
	assert_true(s->call[1].complete);
	story_free(s);
}

static void sequence_numbers_wrap(void **state)
{
	struct story *s = story_new(NULL);
	struct wire w = wire_open(CLIENT, A, 40000);
	uint64_t t = T0;

	w.seq[0] = 0xffffffffU - 350;
	w.seq[1] = 0xffffffffU - 99; /* the first response ends beyond it */
	for (int i = 0; i < 10; i++)
		t = say_call(s, &w, t, 5 * US) + 20 * US;
	story_tell(s);
	assert_int_equal(s->calls, 10);
	for (int i = 0; i < 10; i++)
		assert_true(s->call[i].complete);
	story_free(s);
}

static void an_interim_response_is_no_response(void **state)
{
	struct story *s = story_new(NULL);
	struct wire w = wire_open(CLIENT, A, 40000);
	uint64_t t = say_request(s, &w, T0, 100, NULL);

	w.head[1] = "HTTP/1.1 100 Continue\r\n\r\n";
	t = say_response(s, &w, t + 10 * US, 25, NULL);
	w.head[0] = NULL;
	t = say_request(s, &w, t + 10 * US, 900, NULL); /* the body */
	w.head[1] = "HTTP/1.1 204 No Content\r\n";
	say_response(s, &w, t + 77 * US, 60, NULL);
	story_tell(s);
	assert_int_equal(s->calls, 1);
	assert_int_equal(s->call[0].status, 204);
	assert_int_equal(s->call[0].req_bytes, 1000);
	assert_int_equal(s->call[0].resp_bytes, 60);
	assert_int_equal(s->call[0].stage_ns[STAGE_SRV_APP], 77 * US);
	assert_true(s->call[0].complete);
	story_free(s);
}

/* The client gives up after a second on a connection that it keeps; the answer comes very late. */
static void a_late_response_is_not_paired_with_the_next_request(void **state)
{
	struct tracer_options options = { .call_ns = 1000 * MS };
	struct story *s = story_new(&options);
	struct wire w = wire_open(CLIENT, A, 40000);
	uint64_t t;

	say_request(s, &w, T0, 100, NULL);
	story_tell_on(s);
	tracer_tick(s->tracer, T0 + 1500 * MS);
	assert_int_equal(s->calls, 1);
	assert_false(s->call[0].complete);
	assert_int_equal(tracer_stats(s->tracer)->expired_calls, 1);
	t = say_request(s, &w, T0 + 1600 * MS, 100, NULL);
	w.head[1] = "HTTP/1.1 500 \r\n";
	say_response(s, &w, t + 1 * MS, 70, NULL);
	w.head[1] = "HTTP/1.1 200 \r\n";
	say_response(s, &w, t + 5 * MS, 80, NULL);
	story_tell(s);
	assert_int_equal(s->calls, 2);
	assert_int_equal(s->call[1].status, 200);
	assert_int_equal(s->call[1].resp_bytes, 80);
	assert_int_equal(s->call[1].stage_ns[STAGE_SRV_APP], 5 * MS);
	story_free(s);
}

static void the_same_ends_with_a_new_syn_are_a_new_connection(void **state)
{
	struct story *s = story_new(NULL);
	struct wire w = wire_open(CLIENT, A, 40000);
	uint64_t t = say_request(s, &w, T0, 100, NULL);

	/* no answer; the same port comes again, with numbers that lie before the old ones */
	w.seq[0] = 77;
	w.seq[1] = 5;
	say_handshake(s, &w, t + 10 * MS, 1 * MS, 0);
	say_call(s, &w, t + 11 * MS + 1 * US, 3 * US);
	story_tell(s);
	assert_int_equal(s->calls, 2);
	assert_false(s->call[0].complete);
	assert_int_equal(s->call[0].status, 0);
	assert_true(s->call[1].complete);
	assert_int_equal(s->call[1].connect_ns, 1 * MS);
	story_free(s);
}

static void seen_from_the_middle_a_response_head_tells_who_is_the_server(void **state)
{
	struct story *s = story_new(NULL);
	struct wire w = wire_open(CLIENT, A, 40000);

	say_response(s, &w, T0, 200, NULL); /* of a request before our time */
	say_call(s, &w, T0 + 1 * MS, 5 * US);
	story_tell(s);
	assert_int_equal(s->calls, 1);
	assert_int_equal(s->call[0].src, CLIENT);
	assert_true(s->call[0].complete);
	assert_int_equal(tracer_stats(s->tracer)->unmatched_responses, 1);
	story_free(s);
}

static void the_end_of_a_connection_ends_its_calls(void **state)
{
	struct story *s = story_new(NULL);
	struct wire w = wire_open(CLIENT, A, 40000);
	uint64_t t = say_call(s, &w, T0, 5 * US);

	say_request(s, &w, t + 10 * US, 100, NULL);
	say_socket(s, &w, 0, t + 100 * US, HF_SOCKET_CLOSE, 0, 0);
	say_socket(s, &w, 1, t + 200 * US, HF_SOCKET_CLOSE, 0, 0);
	story_tell_on(s);
	tracer_tick(s->tracer, t + 50 * MS);
	assert_int_equal(s->calls, 2);
	assert_true(s->call[0].complete);
	assert_false(s->call[1].complete);
	assert_int_equal(s->call[1].stage_ns[STAGE_SRV_QUEUE], 11 * US);
	assert_int_equal(s->call[1].stage_ns[STAGE_SRV_APP], TIME_UNKNOWN);
	assert_int_equal(s->call[1].shape, SHAPE_ABANDONED);
	assert_int_equal(s->call[1].total_ns, 90 * US);
	assert_int_equal(tracer_stats(s->tracer)->connections_now, 0);
	story_free(s);
}

static void a_quiet_response_that_was_read_is_complete(void **state)
{
	struct story *s = story_new(NULL);
	struct wire w = wire_open(CLIENT, A, 40000);
	uint64_t t = say_call(s, &w, T0, 5 * US);

	story_tell_on(s);
	tracer_tick(s->tracer, t + 500 * MS);
	assert_int_equal(s->calls, 0);
	tracer_tick(s->tracer, t + 1100 * MS);
	assert_int_equal(s->calls, 1);
	assert_true(s->call[0].complete);
	tracer_tick(s->tracer, t + 400 * 1000 * MS);
	assert_int_equal(tracer_stats(s->tracer)->connections_now, 0);
	assert_int_equal(tracer_stats(s->tracer)->expired_connections, 1);
	story_free(s);
}

static void what_is_sent_again_for_nothing_changes_no_time(void **state)
{
	struct story *s = story_new(NULL);
	struct wire w = wire_open(CLIENT, A, 40000);
	size_t once;

	say_call(s, &w, T0, 5 * US);
	once = s->records;
	for (size_t i = 0; i < once; i++) {
		struct record copy = s->record[i];

		if (copy.event.kind != HF_EVENT_PACKET)
			continue;
		copy.event.time_ns += 10 * US;
		say_packet(s, &w, 0, 0, HF_POINT_LEAVE, 0, 0);
		s->record[s->records - 1] = copy;
	}
	story_tell(s);
	assert_int_equal(s->calls, 1);
	assert_true(s->call[0].complete);
	assert_int_equal(s->call[0].total_ns, 47 * US);
	assert_int_equal(s->call[0].stage_ns[STAGE_NET_REQ], 7 * US);
	assert_int_equal(s->call[0].retransmits, 2);
	story_free(s);
}

/* ---- heads ---- */

static struct head head_of(const char *text)
{
	struct head head;

	head_parse((const uint8_t *)text, strlen(text), &head);
	return head;
}

static void a_path_has_no_query_no_authority_and_no_odd_byte(void **state)
{
	assert_string_equal(head_of("GET /a/b?secret=1 HTTP/1.1").path, "/a/b");
	assert_string_equal(head_of("GET /a#x HTTP/1.1").path, "/a");
	assert_string_equal(head_of("GET http://u:pw@host:80/p?x HTTP/1.1").path, "/p");
	assert_string_equal(head_of("GET /a\033[31m\xff HTTP/1.1").path, "/a?[31m?");
	assert_string_equal(head_of("M-SEARCH * HTTP/1.1").method, "M-SEARCH");
	assert_string_equal(head_of("CONNECT h:1 HTTP/1.1").path, "h:1");
}

static void what_is_not_http_is_no_head(void **state)
{
	static const char *const other[] = {
		"",	      "G",	    "GET",	  "GET ",	 "get /", "GETTINGTHERE /",
		"HELO there", "HTTP/2 200", "HTTP/1.1 2", "\x16\x03\x01"
	};

	for (size_t i = 0; i < sizeof(other) / sizeof(other[0]); i++)
		assert_int_equal(head_of(other[i]).kind, HEAD_NONE);
	assert_int_equal(head_of("HTTP/1.0 404 Not").status, 404);
}

static void a_long_path_is_cut(void **state)
{
	char text[300] = "GET /";
	struct head head;

	memset(text + 5, 'a', 200);
	head = head_of(text);
	assert_int_equal(strlen(head.path), CALL_PATH_MAX - 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_thousand_requests_on_one_connection_are_a_thousand_calls),
		cmocka_unit_test(turns_alone_cut_an_unknown_protocol),
		cmocka_unit_test(requests_written_ahead_are_paired_in_order),
		cmocka_unit_test(a_response_goes_on_after_the_next_request),
		cmocka_unit_test(sequence_numbers_wrap),
		cmocka_unit_test(an_interim_response_is_no_response),
		cmocka_unit_test(a_late_response_is_not_paired_with_the_next_request),
		cmocka_unit_test(the_same_ends_with_a_new_syn_are_a_new_connection),
		cmocka_unit_test(seen_from_the_middle_a_response_head_tells_who_is_the_server),
		cmocka_unit_test(the_end_of_a_connection_ends_its_calls),
		cmocka_unit_test(a_quiet_response_that_was_read_is_complete),
		cmocka_unit_test(what_is_sent_again_for_nothing_changes_no_time),
		cmocka_unit_test(a_path_has_no_query_no_authority_and_no_odd_byte),
		cmocka_unit_test(what_is_not_http_is_no_head),
		cmocka_unit_test(a_long_path_is_cut),
	};

	return cmocka_run_group_tests_name("message", tests, NULL, NULL);
}
