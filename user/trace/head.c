/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * head.c - the first line of an HTTP/1 message (RFC 9112), from other people's bytes.
 *
 * What comes out is bounded and printable: a byte of the path that is not printable becomes '?', which can stand for
 * nothing else there, because the path ends before the query. Query, fragment and authority (where passwords
 * live) are never kept.
 */
#include <string.h>

#include "trace/head.h"

struct text {
	const uint8_t *at;
	size_t len;
};

static bool is_upper(uint8_t c)
{
	return c >= 'A' && c <= 'Z';
}

static bool is_digit(uint8_t c)
{
	return c >= '0' && c <= '9';
}

static bool is_printable(uint8_t c)
{
	return c > ' ' && c < 0x7f;
}

static void skip(struct text *text, size_t len)
{
	text->at += len;
	text->len -= len;
}

static bool begins_with(const struct text *text, const char *word)
{
	size_t len = strlen(word);

	return text->len >= len && memcmp(text->at, word, len) == 0;
}

/* "HTTP/1.1 200 " */
static bool parse_response(struct text text, struct head *head)
{
	const uint8_t *c = text.at;

	if (!begins_with(&text, "HTTP/1.") || text.len < 12)
		return false;
	if (!is_digit(c[7]) || c[8] != ' ' || !is_digit(c[9]) || !is_digit(c[10]) ||
	    !is_digit(c[11]))
		return false;
	head->status = (uint16_t)((c[9] - '0') * 100 + (c[10] - '0') * 10 + (c[11] - '0'));
	head->kind = HEAD_RESPONSE;
	return true;
}

/* "GET ", any upper-case token: services invent methods. */
static bool parse_method(struct text *text, struct head *head)
{
	size_t len = 0;

	while (len < text->len && (is_upper(text->at[len]) || (len && text->at[len] == '-')))
		len++;
	if (len < 3 || len >= CALL_METHOD_MAX || len == text->len || text->at[len] != ' ')
		return false;
	memcpy(head->method, text->at, len);
	head->method[len] = 0;
	skip(text, len + 1);
	return true;
}

/* "http://user:password@host/path" -> "/path" */
static void skip_authority(struct text *text)
{
	if (begins_with(text, "http://"))
		skip(text, 7);
	else if (begins_with(text, "https://"))
		skip(text, 8);
	else
		return;
	while (text->len && text->at[0] != '/' && text->at[0] != '?' && text->at[0] != ' ')
		skip(text, 1);
}

/* "host:443", "[::1]:443": nothing else, and nothing that a spreadsheet would take for a formula. */
static bool begins_host(uint8_t c)
{
	return is_digit(c) || is_upper(c) || (c >= 'a' && c <= 'z') || c == '[';
}

static bool begins_target(const struct text *text, const char *method)
{
	if (!text->len)
		return false;
	return text->at[0] == '/' || text->at[0] == '*' || begins_with(text, "http") ||
	       (strcmp(method, "CONNECT") == 0 && begins_host(text->at[0]));
}

static void copy_path(struct text text, char path[CALL_PATH_MAX])
{
	size_t len = 0;

	while (len < text.len && len < CALL_PATH_MAX - 1) {
		uint8_t c = text.at[len];

		if (c == ' ' || c == '?' || c == '#' || c == '\r' || c == '\n')
			break;
		path[len++] = is_printable(c) ? (char)c : '?';
	}
	path[len] = 0;
}

static bool parse_request(struct text text, struct head *head)
{
	/* all of both: they are copied whole */
	memset(head->method, 0, sizeof(head->method));
	memset(head->path, 0, sizeof(head->path));
	if (!parse_method(&text, head) || !begins_target(&text, head->method)) {
		head->method[0] = 0;
		return false;
	}
	skip_authority(&text);
	copy_path(text, head->path);
	head->kind = HEAD_REQUEST;
	return true;
}

void head_parse(const uint8_t *bytes, size_t len, struct head *ret_head)
{
	struct text text = { bytes, len };

	ret_head->kind = HEAD_NONE;
	ret_head->status = 0;
	ret_head->method[0] = 0;
	ret_head->path[0] = 0;
	if (!len)
		return;
	if (!parse_response(text, ret_head))
		parse_request(text, ret_head);
}

bool status_is_interim(uint16_t status)
{
	return status >= 100 && status < 200 && status != 101;
}
