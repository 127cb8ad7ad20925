/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * fuzz_http.c - any bytes as HTTP. What the tracer is shown of a stranger's message: method and path are bounded, printable, and
 * without query. What the lab's service and the load generator read: every piece lies within the bytes, and limits hold.
 *
 * The first byte chooses: the head of a traced message, a request, a response, a JSON value.
 *
 *     build/fuzz_http -max_total_time=30
 *
 * uses: user/trace/head.c user/chain/http.c user/chain/json_check.c
 */
#include <jansson.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "chain/http.h"
#include "chain/json_check.h"
#include "trace/head.h"
#include "promise.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct http_limits limits = { .head_max_bytes = 4096, .body_max_bytes = 8192 };

static void try_head(const uint8_t *bytes, size_t len)
{
	struct head head;

	head_parse(bytes, len, &head);
	must(memchr(head.method, 0, sizeof(head.method)) != NULL, "a method ends");
	must(memchr(head.path, 0, sizeof(head.path)) != NULL, "a path ends");
	for (const char *at = head.method; *at; at++)
		must((*at >= 'A' && *at <= 'Z') || (*at == '-' && at > head.method),
		     "a method is a word in upper case");
	for (const char *at = head.path; *at; at++)
		must(*at > ' ' && *at < 0x7f && *at != '#', "a path is printable");
	must(!strchr("=+-@\t", head.path[0]) || !head.path[0],
	     "a path begins with nothing that a spreadsheet takes for a formula");
	must(head.kind != HEAD_RESPONSE || head.status <= 999, "a status has three digits");
}

static void check_piece(struct http_text piece, const char *bytes, size_t len)
{
	must(piece.len == 0 || (piece.at >= bytes && piece.at + piece.len <= bytes + len),
	     "a piece lies in the bytes");
}

static void try_message(const char *bytes, size_t len, bool is_request)
{
	struct http_message message = { 0 };
	int r = is_request ? http_parse_request(bytes, len, &limits, &message)
			   : http_parse_response(bytes, len, &limits, &message);

	must(r <= 0, "an error is negative");
	if (r < 0)
		return;
	must(message.size_bytes > 0 && message.size_bytes <= len, "a message fits its bytes");
	must(message.body.len <= limits.body_max_bytes, "a body is bounded");
	check_piece(message.method, bytes, len);
	check_piece(message.target, bytes, len);
	check_piece(message.content_type, bytes, len);
	check_piece(message.traceparent, bytes, len);
	check_piece(message.request_id, bytes, len);
	check_piece(message.body, bytes, len);
}

/* What is nested into our own answer as it is must be read by others. */
static void try_json(const char *bytes, size_t len)
{
	json_error_t error;
	json_t *value;

	if (!json_is_one_value(bytes, len))
		return;
	value = json_loadb(bytes, len, JSON_DECODE_ANY | JSON_ALLOW_NUL, &error);
	must(value || json_error_code(&error) == json_error_invalid_utf8 ||
		     json_error_code(&error) == json_error_numeric_overflow ||
		     json_error_code(&error) == json_error_invalid_syntax,
	     "a value is one");
	json_decref(value);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size == 0)
		return 0;
	switch (data[0] % 4) {
	case 0:
		try_head(data + 1, size - 1);
		break;
	case 1:
		try_json((const char *)data + 1, size - 1);
		break;
	default:
		try_message((const char *)data + 1, size - 1, data[0] % 4 == 2);
	}
	return 0;
}
