/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test_http.c - facts about the lab's HTTP parser: what is a message, where it ends, what is refused and how,
 * and that no bytes at all make it read outside what it was given.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "chain/http.h"

#define FUZZ_ROUNDS 200000

static const struct http_limits limits = { .head_max_bytes = 256, .body_max_bytes = 64 };

static const char request_text[] =
	"POST /pay?x=1 HTTP/1.1\r\nHost: a\r\ntraceparent: 00-aa-bb-01\r\n"
	"X-Request-Id:  r 7 \r\nContent-Length: 5\r\n\r\nhello";
static const char response_text[] =
	"HTTP/1.1 504 Gateway Timeout\r\nContent-Type: application/json\r\n"
	"Content-Length:          2\r\n\r\n{}";

static int request(const char *text, struct http_message *ret_message)
{
	return http_parse_request(text, strlen(text), &limits, ret_message);
}

static void assert_request_is(int expected, const char *text)
{
	struct http_message message;

	assert_int_equal(request(text, &message), expected);
}

static void a_request_is_taken_apart(void **state)
{
	struct http_message message;

	(void)state;
	assert_int_equal(request(request_text, &message), 0);
	assert_true(http_text_is(message.method, "POST"));
	assert_true(http_text_is(message.target, "/pay?x=1"));
	assert_true(http_text_is(message.traceparent, "00-aa-bb-01"));
	assert_true(http_text_is(message.request_id, "r 7"));
	assert_true(http_text_is(message.body, "hello"));
	assert_true(message.keep_alive);
	assert_int_equal(message.size_bytes, strlen(request_text));
}

static void a_response_is_taken_apart(void **state)
{
	struct http_message message;

	(void)state;
	assert_int_equal(
		http_parse_response(response_text, strlen(response_text), &limits, &message), 0);
	assert_int_equal(message.status, 504);
	assert_true(http_text_is(message.content_type, "application/json"));
	assert_true(http_text_is(message.body, "{}"));
}

static void every_beginning_of_a_message_asks_for_more(void **state)
{
	struct http_message message;

	(void)state;
	for (size_t len = 0; len < strlen(request_text); len++)
		assert_int_equal(http_parse_request(request_text, len, &limits, &message), -EAGAIN);
	for (size_t len = 0; len < strlen(response_text); len++)
		assert_int_equal(http_parse_response(response_text, len, &limits, &message),
				 -EAGAIN);
}

static void the_second_of_two_begins_where_the_first_ends(void **state)
{
	const char *text = "GET /1 HTTP/1.1\r\n\r\nGET /2 HTTP/1.1\r\n\r\n";
	struct http_message message;

	(void)state;
	assert_int_equal(request(text, &message), 0);
	assert_true(http_text_is(message.target, "/1"));
	assert_int_equal(request(text + message.size_bytes, &message), 0);
	assert_true(http_text_is(message.target, "/2"));
}

static void who_may_keep_the_connection_open(void **state)
{
	static const struct {
		const char *text;
		bool keep_alive;
	} cases[] = {
		{ "GET / HTTP/1.1\r\n\r\n", true },
		{ "GET / HTTP/1.1\r\nConnection: close\r\n\r\n", false },
		{ "GET / HTTP/1.1\r\nConnection: te , Close\r\n\r\n", false },
		{ "GET / HTTP/1.1\r\nConnection: closed\r\n\r\n", true },
		{ "GET / HTTP/1.0\r\n\r\n", false },
		{ "GET / HTTP/1.0\r\nConnection: Keep-Alive\r\n\r\n", true },
	};
	struct http_message message;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		assert_int_equal(request(cases[i].text, &message), 0);
		assert_int_equal(message.keep_alive, cases[i].keep_alive);
	}
}

static void what_is_no_request_is_refused(void **state)
{
	(void)state;
	assert_request_is(-EBADMSG, "GET / HTTP/1.1\n\n");
	assert_request_is(-EBADMSG, "GET /\r\n\r\n");
	assert_request_is(-EBADMSG, " GET / HTTP/1.1\r\n\r\n");
	assert_request_is(-EBADMSG, "GET  / HTTP/1.1\r\n\r\n");
	assert_request_is(-EBADMSG, "GET /\x01 HTTP/1.1\r\n\r\n");
	assert_request_is(-EBADMSG, "GET / HTTP/1.1\r\nno colon\r\n\r\n");
	assert_request_is(-EBADMSG, "GET / HTTP/1.1\r\nA: b\r\n folded\r\n\r\n");
	assert_request_is(-EBADMSG, "GET / HTTP/1.1\r\nA : b\r\n\r\n");
	assert_request_is(-EBADMSG, "GET / HTTP/1.1\r\nA: b\rc\r\n\r\n");
	assert_request_is(-EPROTO, "GET / HTTP/2.0\r\n\r\n");
}

static void a_length_is_one_number_within_the_limit(void **state)
{
	(void)state;
	assert_request_is(-EBADMSG,
			  "GET / HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 1\r\n\r\nx");
	assert_request_is(-EBADMSG, "GET / HTTP/1.1\r\nContent-Length: -1\r\n\r\n");
	assert_request_is(-EBADMSG, "GET / HTTP/1.1\r\nContent-Length: 0x1\r\n\r\nx");
	assert_request_is(-EBADMSG, "GET / HTTP/1.1\r\nContent-Length:\r\n\r\n");
	assert_request_is(-EAGAIN, "GET / HTTP/1.1\r\nContent-Length: 64\r\n\r\n");
	assert_request_is(-EFBIG, "GET / HTTP/1.1\r\nContent-Length: 65\r\n\r\n");
	assert_request_is(-EFBIG,
			  "GET / HTTP/1.1\r\nContent-Length: 18446744073709551617\r\n\r\nx");
	assert_request_is(-EOPNOTSUPP, "GET / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n");
}

static void a_head_without_an_end_is_waited_for_up_to_its_limit(void **state)
{
	char text[400];
	struct http_message message;

	(void)state;
	memset(text, 'a', sizeof(text));
	memcpy(text, "GET / HTTP/1.1\r\nA: ", 19);
	assert_int_equal(http_parse_request(text, 256, &limits, &message), -EAGAIN);
	assert_int_equal(http_parse_request(text, 257, &limits, &message), -E2BIG);
	memcpy(text + 396, "\r\n\r\n", 4);
	assert_int_equal(http_parse_request(text, 400, &limits, &message), -E2BIG);
}

static void a_response_says_where_it_ends(void **state)
{
	static const struct {
		const char *text;
		int expected;
	} cases[] = {
		{ "HTTP/1.1 200 OK\r\n\r\n", -EOPNOTSUPP },
		{ "HTTP/1.1 204 No Content\r\n\r\n", 0 },
		{ "HTTP/1.1 304 Not Modified\r\nContent-Length: 9\r\n\r\n", 0 },
		{ "HTTP/1.1 200\r\nContent-Length: 0\r\n\r\n", 0 },
		{ "HTTP/1.1 100 Continue\r\n\r\n", -EBADMSG },
		{ "HTTP/1.1 2000 OK\r\nContent-Length: 0\r\n\r\n", -EBADMSG },
		{ "HTTP/1.1 2x0 OK\r\nContent-Length: 0\r\n\r\n", -EBADMSG },
	};
	struct http_message message;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		assert_int_equal(http_parse_response(cases[i].text, strlen(cases[i].text), &limits,
						     &message),
				 cases[i].expected);
}

static void output_is_untouched_on_failure(void **state)
{
	struct http_message message, before;

	(void)state;
	memset(&message, 0x5a, sizeof(message));
	before = message;
	assert_int_equal(request("GET /\r\n\r\n", &message), -EBADMSG);
	assert_memory_equal(&message, &before, sizeof(message));
}

static void assert_within(struct http_text text, const char *bytes, size_t len)
{
	if (!text.at)
		return;
	assert_true(text.at >= bytes && text.at + text.len <= bytes + len);
}

/* An allocation of exactly the length lets a sanitizer see one byte too many. */
static void parse_copy(const char *text, size_t len)
{
	_cleanup_(freep) char *bytes = malloc(len ? len : 1);
	struct http_message message;

	assert_non_null(bytes);
	memcpy(bytes, text, len);
	if (http_parse_request(bytes, len, &limits, &message) == 0) {
		assert_true(message.size_bytes > 0 && message.size_bytes <= len);
		assert_within(message.method, bytes, len);
		assert_within(message.target, bytes, len);
		assert_within(message.body, bytes, len);
		assert_within(message.traceparent, bytes, len);
		assert_within(message.request_id, bytes, len);
	}
	if (http_parse_response(bytes, len, &limits, &message) == 0) {
		assert_true(message.status >= 200 && message.status <= 599);
		assert_within(message.body, bytes, len);
		assert_within(message.content_type, bytes, len);
	}
}

/* Half of them are broken messages, half are noise made of the bytes that matter. */
static void no_bytes_lead_outside(void **state)
{
	static const char telling[] = "\r\n\r\n:  HTTP/1.019Content-Length,\t\x7f\xff";
	const char *seeds[] = { request_text, response_text };
	unsigned int dice = 20261122;
	char text[400];

	(void)state;
	for (int round = 0; round < FUZZ_ROUNDS; round++) {
		const char *seed = seeds[round & 1];
		size_t len = strlen(seed);

		memcpy(text, seed, len);
		if (rand_r(&dice) & 1)
			len = (size_t)rand_r(&dice) % sizeof(text);
		for (size_t i = strlen(seed); i < len; i++)
			text[i] = telling[(size_t)rand_r(&dice) % sizeof(telling)];
		for (int i = rand_r(&dice) % 8; i > 0 && len; i--)
			text[(size_t)rand_r(&dice) % len] =
				rand_r(&dice) & 1
					? (char)rand_r(&dice)
					: telling[(size_t)rand_r(&dice) % sizeof(telling)];
		parse_copy(text, len);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_request_is_taken_apart),
		cmocka_unit_test(a_response_is_taken_apart),
		cmocka_unit_test(every_beginning_of_a_message_asks_for_more),
		cmocka_unit_test(the_second_of_two_begins_where_the_first_ends),
		cmocka_unit_test(who_may_keep_the_connection_open),
		cmocka_unit_test(what_is_no_request_is_refused),
		cmocka_unit_test(a_length_is_one_number_within_the_limit),
		cmocka_unit_test(a_head_without_an_end_is_waited_for_up_to_its_limit),
		cmocka_unit_test(a_response_says_where_it_ends),
		cmocka_unit_test(output_is_untouched_on_failure),
		cmocka_unit_test(no_bytes_lead_outside),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
