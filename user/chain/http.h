/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * http.h - bytes in, one HTTP/1.1 message out. Pure: no sockets, no memory of its own, no state.
 *
 * The subset of RFC 9112 that the lab speaks: bodies are delimited by Content-Length; a transfer
 * coding is refused, never guessed at. Header lines must end in CRLF.
 */
#ifndef HF_CHAIN_HTTP_H
#define HF_CHAIN_HTTP_H

#include <stdbool.h>
#include <stddef.h>

struct http_text { /* a piece of the caller's bytes: not terminated, valid as long as they are */
	const char *at;
	size_t len;
};

struct http_limits {
	size_t head_max_bytes; /* start line and headers */
	size_t body_max_bytes;
};

struct http_message {
	struct http_text method; /* requests */
	struct http_text target;
	unsigned int status; /* responses: 100 to 599 */
	unsigned int minor; /* HTTP/1.minor */
	bool keep_alive; /* the sender lets the connection stay open */
	struct http_text content_type;
	struct http_text traceparent;
	struct http_text request_id;
	struct http_text body;
	size_t size_bytes; /* the whole message: the next one begins here */
};

/*
 * Reads the message at the front of `bytes`. 0 when all of it is there, else
 *   -EAGAIN      more bytes are needed
 *   -EBADMSG     this can't become a message
 *   -E2BIG       the head is larger than the limit
 *   -EFBIG       the body is larger than the limit
 *   -EOPNOTSUPP  a transfer coding, or a response whose length is not said
 *   -EPROTO      not HTTP/1.x
 */
int http_parse_request(const char *bytes, size_t len, const struct http_limits *limits,
		       struct http_message *ret_message);
int http_parse_response(const char *bytes, size_t len, const struct http_limits *limits,
			struct http_message *ret_message);

bool http_text_is(struct http_text text, const char *word);

/* The status that tells a client what http_parse_request() had against its request. */
unsigned int http_status_of_error(int r);

/* The reason phrase; "Error" for a status that the lab never makes itself. */
const char *http_reason(unsigned int status);

#endif
