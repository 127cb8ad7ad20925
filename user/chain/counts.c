/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * counts.c - see counts.h. One blocking question; the answer is another program's, so it is parsed and bounded.
 */
#include "chain/counts.h"

#include <errno.h>
#include <inttypes.h>
#include <jansson.h>
#include <stddef.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/text.h"
#include "chain/address.h"
#include "chain/buffer.h"
#include "chain/http.h"

#define SCHEMA_VERSION	 1
#define ANSWER_MAX_BYTES 16384

static const struct http_limits limits = { .head_max_bytes = 4096, .body_max_bytes = 8192 };

static const struct field {
	const char *name;
	size_t offset;
} fields[] = {
	{ "started_ns", offsetof(struct counts, started_ns) },
	{ "received", offsetof(struct counts, received) },
	{ "failed", offsetof(struct counts, failed) },
	{ "degraded", offsetof(struct counts, degraded) },
	{ "overloaded", offsetof(struct counts, overloaded) },
	{ "calls", offsetof(struct counts, calls) },
	{ "retries", offsetof(struct counts, retries) },
	{ "calls_failed", offsetof(struct counts, calls_failed) },
	{ "calls_refused", offsetof(struct counts, calls_refused) },
	{ "breaker_opened", offsetof(struct counts, breaker_opened) },
};

static uint64_t *figure(struct counts *counts, const struct field *field)
{
	return (uint64_t *)((char *)counts + field->offset);
}

static int connect_to(const char *target, uint64_t timeout_ns, int *ret_fd)
{
	struct timeval limit = {
		.tv_sec = (time_t)(timeout_ns / CLOCK_SECOND_NS),
		.tv_usec = (suseconds_t)(timeout_ns % CLOCK_SECOND_NS / 1000),
	};
	_cleanup_(closep) int fd = -1;
	struct sockaddr_storage addr;
	struct address_text text;
	const char *reason;
	socklen_t len;
	int r;

	r = address_split(target, &text, &reason);
	if (r == 0)
		r = address_resolve(&text, &addr, &len);
	if (r < 0)
		return r;
	fd = socket(addr.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -errno;
	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit)); /* connect() as well */
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
	if (connect(fd, (const struct sockaddr *)&addr, len) < 0)
		return errno == EINPROGRESS ? -ETIMEDOUT : -errno;
	*ret_fd = TAKE_FD(fd);
	return 0;
}

static int receive_answer(int fd, struct buffer *in, struct http_message *ret_answer)
{
	int r;

	do {
		ssize_t n;

		r = buffer_reserve(in, 4096);
		if (r < 0)
			return -EBADMSG;
		n = recv(fd, in->bytes + in->len, in->size - in->len, 0);
		if (n <= 0)
			return n == 0 ? -ECONNRESET : errno == EAGAIN ? -ETIMEDOUT : -errno;
		in->len += (size_t)n;
		r = http_parse_response(in->bytes, in->len, &limits, ret_answer);
	} while (r == -EAGAIN);
	return r < 0 ? -EBADMSG : 0;
}

static int read_counts(struct http_text body, struct counts *ret_counts)
{
	struct counts counts = { 0 };
	const char *service, *breaker;
	json_t *json = json_loadb(body.at ? body.at : "", body.len, JSON_REJECT_DUPLICATES, NULL);
	int r = 0;

	service = json_string_value(json_object_get(json, "service"));
	breaker = json_string_value(json_object_get(json, "breaker"));
	if (!service || !breaker)
		r = -EBADMSG;
	for (size_t i = 0; i < ARRAY_SIZE(fields) && r == 0; i++) {
		const json_t *value = json_object_get(json, fields[i].name);

		if (!json_is_integer(value) || json_integer_value(value) < 0)
			r = -EBADMSG;
		else
			*figure(&counts, &fields[i]) = (uint64_t)json_integer_value(value);
	}
	if (r == 0) {
		snprintf(counts.service, sizeof(counts.service), "%s", service);
		snprintf(counts.breaker, sizeof(counts.breaker), "%s", breaker);
		*ret_counts = counts;
	}
	json_decref(json);
	return r;
}

int counts_ask(const char *target, uint64_t timeout_ns, struct counts *ret_counts)
{
	static const char request[] =
		"GET /counts HTTP/1.1\r\nHost: counts\r\nConnection: close\r\n\r\n";
	_cleanup_(buffer_done) struct buffer in = BUFFER_INIT(ANSWER_MAX_BYTES);
	_cleanup_(closep) int fd = -1;
	struct http_message answer;
	int r;

	r = connect_to(target, timeout_ns, &fd);
	if (r < 0)
		return r;
	if (send(fd, request, sizeof(request) - 1, MSG_NOSIGNAL) < 0)
		return -errno;
	r = receive_answer(fd, &in, &answer);
	return r < 0 ? r : read_counts(answer.body, ret_counts);
}

struct counts counts_between(const struct counts *before, const struct counts *after)
{
	struct counts between = *after, begin = *before;

	if (before->started_ns != after->started_ns)
		return between;
	for (size_t i = 1; i < ARRAY_SIZE(fields); i++) /* but for the start */
		*figure(&between, &fields[i]) -= *figure(&begin, &fields[i]);
	return between;
}

void counts_write_csv_head(FILE *out)
{
	fputs("schema_version,service", out);
	for (size_t i = 0; i < ARRAY_SIZE(fields); i++)
		fprintf(out, ",%s", fields[i].name);
	fputs(",breaker\n", out);
}

void counts_write_csv_row(FILE *out, const char *name, const struct counts *counts)
{
	struct counts row = counts ? *counts : (struct counts){ 0 };

	fprintf(out, "%d,", SCHEMA_VERSION);
	text_write_csv(out, name);
	for (size_t i = 0; i < ARRAY_SIZE(fields); i++) {
		fputc(',', out);
		if (counts)
			fprintf(out, "%" PRIu64, *figure(&row, &fields[i]));
	}
	fputc(',', out);
	text_write_csv(out, row.breaker);
	fputc('\n', out);
}
