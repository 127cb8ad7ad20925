/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * http.c - bytes in, one HTTP/1.1 message out (RFC 9112, RFC 9110 for the fields).
 *
 *   start line CRLF  *( field CRLF )  CRLF  body
 *
 * What comes in is hostile: each byte is looked at once with its end in hand, lengths are bounded
 * before they are used, and two answers to one question (two lengths) are an error.
 */
#include "http.h"

#include <errno.h>
#include <string.h>
#include <strings.h>

#define HTTP_EMPTY_LINES_MAX 4 /* before a request: RFC 9112, 2.2 */

struct cursor {
	const char *at;
	const char *end;
};

struct framing { /* what the header fields say about the connection and the body's length */
	bool has_length;
	bool has_coding;
	bool says_close;
	bool says_keep_alive;
	size_t body_bytes;
};

static bool is_token_byte(unsigned char c)
{
	if (c >= 'a' && c <= 'z')
		return true;
	if (c >= 'A' && c <= 'Z')
		return true;
	if (c >= '0' && c <= '9')
		return true;
	return c && strchr("!#$%&'*+-.^_`|~", c);
}

static bool is_blank(char c)
{
	return c == ' ' || c == '\t';
}

static bool is_control(char c)
{
	return ((unsigned char)c < 0x20 && c != '\t') || c == 0x7f;
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool text_is_nocase(struct http_text text, const char *word)
{
	return text.len == strlen(word) && !strncasecmp(text.at, word, text.len);
}

bool http_text_is(struct http_text text, const char *word)
{
	return text.len == strlen(word) && !memcmp(text.at, word, text.len);
}

static struct http_text trimmed(struct http_text text)
{
	while (text.len && is_blank(text.at[0])) {
		text.at++;
		text.len--;
	}
	while (text.len && is_blank(text.at[text.len - 1]))
		text.len--;
	return text;
}

/* The next line without its CRLF. -EBADMSG for a bare CR or LF, -EAGAIN without an end. */
static int take_line(struct cursor *cursor, struct http_text *ret_line)
{
	const char *newline = memchr(cursor->at, '\n', (size_t)(cursor->end - cursor->at));

	if (!newline)
		return -EAGAIN;
	if (newline == cursor->at || newline[-1] != '\r')
		return -EBADMSG;
	ret_line->at = cursor->at;
	ret_line->len = (size_t)(newline - 1 - cursor->at);
	cursor->at = newline + 1;
	return 0;
}

/* The text up to the next space, which is taken too. An empty one is an error. */
static int take_word(struct http_text *line, struct http_text *ret_word)
{
	const char *space = memchr(line->at, ' ', line->len);

	if (!space || space == line->at)
		return -EBADMSG;
	ret_word->at = line->at;
	ret_word->len = (size_t)(space - line->at);
	line->at += ret_word->len + 1;
	line->len -= ret_word->len + 1;
	return 0;
}

static int parse_version(struct http_text text, unsigned int *ret_minor)
{
	if (text.len != 8 || memcmp(text.at, "HTTP/", 5) || text.at[6] != '.' ||
	    !is_digit(text.at[5]) || !is_digit(text.at[7]))
		return -EBADMSG;
	if (text.at[5] != '1')
		return -EPROTO;
	*ret_minor = (unsigned int)(text.at[7] - '0');
	return 0;
}

static int parse_request_line(struct http_text line, struct http_message *message)
{
	int r = take_word(&line, &message->method);

	if (r < 0)
		return r;
	for (size_t i = 0; i < message->method.len; i++)
		if (!is_token_byte((unsigned char)message->method.at[i]))
			return -EBADMSG;
	r = take_word(&line, &message->target);
	if (r < 0)
		return r;
	for (size_t i = 0; i < message->target.len; i++)
		if (is_control(message->target.at[i]) || message->target.at[i] == '\t')
			return -EBADMSG;
	return parse_version(line, &message->minor);
}

static int parse_status_line(struct http_text line, struct http_message *message)
{
	struct http_text version;
	int r = take_word(&line, &version);

	if (r < 0)
		return r;
	r = parse_version(version, &message->minor);
	if (r < 0)
		return r;
	if (line.len < 3 || (line.len > 3 && line.at[3] != ' '))
		return -EBADMSG;
	for (int i = 0; i < 3; i++) {
		if (!is_digit(line.at[i]))
			return -EBADMSG;
		message->status = message->status * 10 + (unsigned int)(line.at[i] - '0');
	}
	if (message->status < 200 || message->status > 599)
		return -EBADMSG; /* 1xx answers an Expect or an Upgrade, which nobody here sends */
	return 0;
}

static int parse_length(struct http_text text, size_t max_bytes, struct framing *framing)
{
	size_t bytes = 0;

	if (framing->has_length || !text.len)
		return -EBADMSG;
	for (size_t i = 0; i < text.len; i++)
		if (!is_digit(text.at[i]))
			return -EBADMSG;
	for (size_t i = 0; i < text.len; i++) {
		bytes = bytes * 10 + (size_t)(text.at[i] - '0');
		if (bytes > max_bytes)
			return -EFBIG;
	}
	framing->has_length = true;
	framing->body_bytes = bytes;
	return 0;
}

static void parse_connection(struct http_text list, struct framing *framing)
{
	while (list.len) {
		const char *comma = memchr(list.at, ',', list.len);
		size_t len = comma ? (size_t)(comma - list.at) : list.len;
		struct http_text option = trimmed((struct http_text){ list.at, len });

		if (text_is_nocase(option, "close"))
			framing->says_close = true;
		else if (text_is_nocase(option, "keep-alive"))
			framing->says_keep_alive = true;
		len += comma ? 1 : 0;
		list.at += len;
		list.len -= len;
	}
}

static void keep_first(struct http_text *kept, struct http_text value)
{
	if (!kept->at)
		*kept = value;
}

static int parse_field(struct http_text line, const struct http_limits *limits,
		       struct framing *framing, struct http_message *message)
{
	const char *colon = memchr(line.at, ':', line.len);
	struct http_text name, value;

	if (!colon || colon == line.at)
		return -EBADMSG;
	name = (struct http_text){ line.at, (size_t)(colon - line.at) };
	value = trimmed((struct http_text){ colon + 1, line.len - name.len - 1 });
	for (size_t i = 0; i < name.len; i++)
		if (!is_token_byte((unsigned char)name.at[i]))
			return -EBADMSG; /* also a folded line, which begins with a blank */
	for (size_t i = 0; i < value.len; i++)
		if (is_control(value.at[i]))
			return -EBADMSG;

	if (text_is_nocase(name, "content-length"))
		return parse_length(value, limits->body_max_bytes, framing);
	if (text_is_nocase(name, "transfer-encoding"))
		framing->has_coding = true;
	else if (text_is_nocase(name, "connection"))
		parse_connection(value, framing);
	else if (text_is_nocase(name, "content-type"))
		keep_first(&message->content_type, value);
	else if (text_is_nocase(name, "traceparent"))
		keep_first(&message->traceparent, value);
	else if (text_is_nocase(name, "x-request-id"))
		keep_first(&message->request_id, value);
	return 0;
}

/* All fields, up to and with the empty line. */
static int parse_fields(struct cursor *cursor, const struct http_limits *limits,
			struct framing *framing, struct http_message *message)
{
	struct http_text line;
	int r;

	for (;;) {
		r = take_line(cursor, &line);
		if (r < 0)
			return r;
		if (!line.len)
			return 0;
		r = parse_field(line, limits, framing, message);
		if (r < 0)
			return r;
	}
}

static int take_body(struct cursor *cursor, const struct framing *framing,
		     struct http_message *message)
{
	message->keep_alive =
		!framing->says_close && (message->minor >= 1 || framing->says_keep_alive);
	if ((size_t)(cursor->end - cursor->at) < framing->body_bytes)
		return -EAGAIN;
	message->body = (struct http_text){ cursor->at, framing->body_bytes };
	cursor->at += framing->body_bytes;
	return 0;
}

/* A head without an end is waited for only as long as it fits its limit. */
static int head_too_large_or(int r, size_t len, const struct http_limits *limits)
{
	return r == -EAGAIN && len > limits->head_max_bytes ? -E2BIG : r;
}

static bool has_no_body_by_rule(const struct http_message *message)
{
	return message->status == 204 || message->status == 304;
}

static int parse(const char *bytes, size_t len, const struct http_limits *limits,
		 int (*parse_start_line)(struct http_text, struct http_message *),
		 struct http_message *ret_message)
{
	struct cursor cursor = { bytes, bytes + len };
	struct http_message message = { 0 };
	struct framing framing = { 0 };
	struct http_text line = { 0 };
	int r = 0;

	if (!len)
		return -EAGAIN;
	for (int i = 0; !line.len && i <= HTTP_EMPTY_LINES_MAX && !r; i++)
		r = take_line(&cursor, &line);
	if (!r)
		r = parse_start_line(line, &message);
	if (!r)
		r = parse_fields(&cursor, limits, &framing, &message);
	if (r < 0)
		return head_too_large_or(r, len, limits);
	if ((size_t)(cursor.at - bytes) > limits->head_max_bytes)
		return -E2BIG;
	if (framing.has_coding)
		return -EOPNOTSUPP;
	if (has_no_body_by_rule(&message))
		framing.body_bytes = 0;
	else if (message.status && !framing.has_length)
		return -EOPNOTSUPP; /* a response that ends when the connection does */
	r = take_body(&cursor, &framing, &message);
	if (r < 0)
		return r;
	message.size_bytes = (size_t)(cursor.at - bytes);
	*ret_message = message;
	return 0;
}

int http_parse_request(const char *bytes, size_t len, const struct http_limits *limits,
		       struct http_message *ret_message)
{
	return parse(bytes, len, limits, parse_request_line, ret_message);
}

int http_parse_response(const char *bytes, size_t len, const struct http_limits *limits,
			struct http_message *ret_message)
{
	return parse(bytes, len, limits, parse_status_line, ret_message);
}

unsigned int http_status_of_error(int r)
{
	switch (r) {
	case -E2BIG:
		return 431;
	case -EFBIG:
		return 413;
	case -EOPNOTSUPP:
		return 411;
	case -EPROTO:
		return 505;
	default:
		return 400;
	}
}

const char *http_reason(unsigned int status)
{
	switch (status) {
	case 200:
		return "OK";
	case 400:
		return "Bad Request";
	case 411:
		return "Length Required";
	case 413:
		return "Content Too Large";
	case 431:
		return "Request Header Fields Too Large";
	case 500:
		return "Internal Server Error";
	case 501:
		return "Not Implemented";
	case 502:
		return "Bad Gateway";
	case 503:
		return "Service Unavailable";
	case 504:
		return "Gateway Timeout";
	case 505:
		return "HTTP Version Not Supported";
	default:
		return "Error";
	}
}
