/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * service.c - what a hopchain service does between receiving and sending: it reads the request,
 * works, words the request to the next service, and nests that one's answer into its own.
 *
 * No system call on a socket is made here but for listening, so both modes say the same things.
 */
#include "chain/service.h"

#include <errno.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "chain/json_check.h"
#include "dice.h"

#define LENGTH_DIGITS 10
#define TIME_DIGITS   20 /* of the largest 64-bit number */

const struct http_limits service_request_limits = {
	.head_max_bytes = SERVICE_REQUEST_HEAD_MAX,
	.body_max_bytes = SERVICE_REQUEST_BODY_MAX,
};
const struct http_limits service_answer_limits = {
	.head_max_bytes = SERVICE_REQUEST_HEAD_MAX,
	.body_max_bytes = SERVICE_ANSWER_MAX_BYTES - SERVICE_REQUEST_HEAD_MAX,
};

struct writer { /* remembers the first failure, so that the wording below reads without checks */
	struct buffer *out;
	int r;
};

static void write_bytes(struct writer *writer, const char *bytes, size_t len)
{
	if (!writer->r)
		writer->r = buffer_add(writer->out, bytes, len);
}

static void write_text(struct writer *writer, const char *text)
{
	write_bytes(writer, text, strlen(text));
}

/* `number` at the right end of a field of `width` characters, blanks before it. */
static void put_right(char *field, size_t width, uint64_t number)
{
	memset(field, ' ', width);
	do {
		field[--width] = (char)('0' + number % 10);
		number /= 10;
	} while (number && width);
}

static void write_number(struct writer *writer, uint64_t number)
{
	char digits[TIME_DIGITS];
	size_t first = 0;

	put_right(digits, sizeof(digits), number);
	while (digits[first] == ' ')
		first++;
	write_bytes(writer, digits + first, sizeof(digits) - first);
}

/* A time that is not known is null, never 0. */
static void write_time(struct writer *writer, const char *name, uint64_t time_ns)
{
	write_text(writer, name);
	if (time_ns)
		write_number(writer, time_ns);
	else
		write_text(writer, "null");
}

/* A field to be filled in later; returns where it is. */
static size_t write_blank_field(struct writer *writer, size_t width)
{
	size_t at = writer->out->len;

	if (!writer->r)
		writer->r = buffer_fill(writer->out, ' ', width);
	return at;
}

static void work_for(const struct service *service, struct hop_step *step)
{
	step->begin_ns = clock_now_ns();
	do
		step->end_ns = clock_now_ns();
	while (step->end_ns - step->begin_ns < service->work_ns &&
	       !atomic_load_explicit(&service->stopping, memory_order_relaxed));
}

static void work(const struct service *service, struct hop *hop)
{
	struct hop_step step;

	if (!service->monolith_steps && service->work_ns)
		work_for(service, &step);
	for (; hop->steps < service->monolith_steps; hop->steps++)
		work_for(service, &hop->step[hop->steps]);
}

static void write_header(struct writer *writer, const char *name, struct http_text value)
{
	if (!value.at)
		return;
	write_text(writer, name);
	write_bytes(writer, value.at, value.len);
	write_text(writer, "\r\n");
}

static int write_call(const struct service *service, const struct http_message *request,
		      struct buffer *ret_call)
{
	struct writer writer = { .out = ret_call };

	buffer_reset(ret_call);
	write_text(&writer, "GET / HTTP/1.1\r\nHost: ");
	write_text(&writer, service->next_host);
	write_text(&writer, "\r\n");
	write_header(&writer, "traceparent: ", request->traceparent);
	write_header(&writer, "x-request-id: ", request->request_id);
	if (!service->keep_alive)
		write_text(&writer, "Connection: close\r\n");
	write_text(&writer, "\r\n");
	return writer.r;
}

static bool is_served(const struct http_message *request)
{
	return !http_text_is(request->method, "HEAD") && !http_text_is(request->method, "CONNECT");
}

/* The share that is asked for, by the number of the request: the same in every run. */
static bool must_fail(const struct service *service, uint64_t nth)
{
	return service->fail_odds &&
	       dice_hits(dice_roll(service->fail_seed, nth, DICE_LOSS), service->fail_odds);
}

/* This service's own part: work, and what is to follow it. */
static void serve(struct service *service, const struct http_message *request, struct hop *hop,
		  struct buffer *ret_call)
{
	uint64_t nth = atomic_fetch_add(&service->counts.received, 1);

	if (hop->error) {
		atomic_fetch_add(&service->counts.overloaded, 1);
		return;
	}
	work(service, hop);
	if (must_fail(service, nth)) {
		hop->error = HOP_FAILED;
		return;
	}
	hop->waits = service->wait_ns != 0;
	hop->wants_call = service->nexts && !service->monolith_steps;
	if (hop->wants_call && write_call(service, request, ret_call) < 0)
		hop->error = HOP_NO_RESOURCE;
}

int service_begin(struct service *service, struct buffer *in, uint64_t recv_ns, bool is_overloaded,
		  struct hop *ret_hop, struct buffer *ret_call)
{
	struct http_message request;
	int r;

	r = http_parse_request(in->bytes, in->len, &service_request_limits, &request);
	if (r == -EAGAIN)
		return r;
	*ret_hop = (struct hop){ .recv_ns = recv_ns };
	if (r < 0 || !is_served(&request)) {
		ret_hop->refusal = r < 0 ? http_status_of_error(r) : 501;
		buffer_reset(in);
		return 0;
	}
	ret_hop->keep_alive = request.keep_alive;
	ret_hop->is_health_check = http_text_is(request.target, "/healthz");
	ret_hop->is_question = http_text_is(request.target, SERVICE_COUNTS_PATH);
	if (!ret_hop->is_health_check && !ret_hop->is_question) {
		ret_hop->error = is_overloaded ? HOP_OVERLOADED : HOP_OK;
		serve(service, &request, ret_hop, ret_call);
	}
	buffer_take(in, request.size_bytes);
	return 0;
}

int service_take_reply(struct buffer *in, struct hop *hop)
{
	int r = http_parse_response(in->bytes, in->len, &service_answer_limits, &hop->next);

	if (r == -EAGAIN)
		return r;
	if (r < 0)
		return -EBADMSG;
	hop->next_is_json = json_is_one_value(hop->next.body.at, hop->next.body.len);
	return 0;
}

enum hop_error service_error_of(int r)
{
	switch (r) {
	case 0:
		return HOP_OK;
	case -ETIMEDOUT:
	case -EAGAIN:
	case -EINPROGRESS: /* a blocking connect() that ran out of SO_SNDTIMEO */
		return HOP_TIMEOUT;
	case -ECONNREFUSED:
		return HOP_REFUSED;
	case -EHOSTUNREACH:
	case -ENETUNREACH:
	case -ENETDOWN:
	case -EACCES:
	case -EPERM:
		return HOP_UNREACHABLE;
	case -EBADMSG:
		return HOP_BAD_ANSWER;
	case -EMFILE:
	case -ENFILE:
	case -ENOMEM:
	case -ENOBUFS:
	case -EADDRNOTAVAIL:
		return HOP_NO_RESOURCE;
	default:
		return HOP_RESET;
	}
}

bool service_call_begin(struct service *service, struct hop *hop)
{
	enum outcall_verdict verdict =
		outcall_begin(&service->outcall, &hop->attempt, clock_now_ns());

	if (verdict == OUTCALL_GO) {
		hop->call_ns = 0;
		hop->reply_ns = 0;
		atomic_fetch_add(&service->counts.calls, 1);
		atomic_fetch_add(&service->counts.retries, hop->attempt.tries > 1);
		return true;
	}
	atomic_fetch_add(&service->counts.calls_refused, 1);
	if (!hop->error) /* else what the last try met says more; an answer that it got is gone by now */
		hop->error = verdict == OUTCALL_BREAKER_OPEN ? HOP_BREAKER_OPEN : HOP_BULKHEAD_FULL;
	return false;
}

/* The next one's own failures count too; that a request was bad is not its fault. */
static bool call_has_failed(const struct hop *hop)
{
	return hop->error || hop->next.status >= 500;
}

bool service_call_end(struct service *service, struct hop *hop, uint64_t *ret_wait_ns)
{
	bool has_failed = call_has_failed(hop);

	if (!hop->attempt.is_admitted)
		return false;
	if (has_failed)
		atomic_fetch_add(&service->counts.calls_failed, 1);
	return outcall_end(&service->outcall, &hop->attempt, has_failed, clock_now_ns(),
			   ret_wait_ns);
}

void service_call_abandon(struct service *service, struct hop *hop)
{
	outcall_abandon(&service->outcall, &hop->attempt);
}

void service_call_settle(struct service *service, struct hop *hop, struct buffer *spare)
{
	uint64_t now_ns = clock_now_ns();

	if (!call_has_failed(hop)) {
		if (hop->next_is_json && hop->next.status == 200)
			outcall_keep(&service->outcall, hop->next.body.at, hop->next.body.len,
				     now_ns);
		return;
	}
	hop->shape = outcall_fall_back(&service->outcall, now_ns, spare, &hop->cached_age_ns);
	if (hop->shape == SHAPE_CACHED)
		hop->next.body = (struct http_text){ spare->bytes, spare->len };
}

const struct service_address *service_next_address(struct service *service)
{
	return &service->next[atomic_fetch_add(&service->next_turn, 1) % service->nexts];
}

void service_done(struct service *service)
{
	outcall_done(&service->outcall);
}

static const char *error_name(enum hop_error error)
{
	static const char *const names[] = {
		[HOP_TIMEOUT] = "timeout",	     [HOP_REFUSED] = "refused",
		[HOP_UNREACHABLE] = "unreachable",   [HOP_RESET] = "reset",
		[HOP_BAD_ANSWER] = "bad_answer",     [HOP_NO_RESOURCE] = "no_resource",
		[HOP_BREAKER_OPEN] = "breaker_open", [HOP_BULKHEAD_FULL] = "bulkhead_full",
		[HOP_OVERLOADED] = "overloaded",     [HOP_FAILED] = "failed",
	};

	return names[error];
}

static unsigned int status_of_error(enum hop_error error)
{
	switch (error) {
	case HOP_TIMEOUT:
		return 504;
	case HOP_BREAKER_OPEN:
	case HOP_BULKHEAD_FULL:
	case HOP_OVERLOADED:
		return 503;
	case HOP_FAILED:
		return 500;
	default:
		return 502;
	}
}

/* A failure further down is passed on, so that the client sees it whoever it asks. */
static unsigned int status_of(const struct hop *hop)
{
	if (hop->refusal)
		return hop->refusal;
	if (hop->shape != SHAPE_FULL)
		return 200;
	if (hop->error)
		return status_of_error(hop->error);
	if (hop->wants_call && hop->next.status >= 400)
		return hop->next.status;
	return 200;
}

/* Returns where the length goes: the body is written behind, and counted then. */
static size_t write_head(struct writer *writer, unsigned int status, bool keep_alive)
{
	size_t length_at;

	write_text(writer, "HTTP/1.1 ");
	write_number(writer, status);
	write_text(writer, " ");
	write_text(writer, http_reason(status));
	write_text(writer, "\r\nContent-Type: application/json\r\nConnection: ");
	write_text(writer, keep_alive ? "keep-alive" : "close");
	write_text(writer, "\r\nContent-Length: ");
	length_at = write_blank_field(writer, LENGTH_DIGITS);
	write_text(writer, "\r\n\r\n");
	return length_at;
}

/* Returns where the time of sending goes. */
static size_t write_times(struct writer *writer, const struct hop *hop)
{
	size_t send_ns_at;

	write_time(writer, ",\"times\":{\"recv_ns\":", hop->recv_ns);
	write_time(writer, ",\"call_ns\":", hop->call_ns);
	write_time(writer, ",\"reply_ns\":", hop->reply_ns);
	write_text(writer, ",\"send_ns\":");
	send_ns_at = write_blank_field(writer, TIME_DIGITS);
	write_text(writer, "}");
	return send_ns_at;
}

static void write_failure(struct writer *writer, const struct service *service,
			  const struct hop *hop)
{
	write_text(writer, ",\"error\":\"");
	write_text(writer, error_name(hop->error));
	write_text(writer, "\",\"from\":\"");
	write_text(writer, service->name);
	if (hop->wants_call) {
		write_text(writer, "\",\"to\":\"");
		write_text(writer, service->next_name);
	}
	write_text(writer, "\"");
}

/* An answer that is not all it should be says so, and why: an error of ours, or the status of the next one. */
static void write_degraded(struct writer *writer, const struct hop *hop)
{
	write_text(writer, ",\"degraded\":true,\"shape\":\"");
	write_text(writer, answer_shape_name(hop->shape));
	write_text(writer, "\"");
	if (!hop->error) {
		write_text(writer, ",\"next_status\":");
		write_number(writer, hop->next.status);
	}
	if (hop->shape == SHAPE_CACHED) {
		write_text(writer, ",\"age_ns\":");
		write_number(writer, hop->cached_age_ns);
	}
}

static void write_tries(struct writer *writer, unsigned int tries)
{
	write_text(writer, ",\"tries\":");
	write_number(writer, tries);
}

static void write_steps(struct writer *writer, const struct hop *hop)
{
	write_text(writer, ",\"steps\":[");
	for (unsigned int i = 0; i < hop->steps; i++) {
		write_text(writer, i ? ",{\"step\":" : "{\"step\":");
		write_number(writer, i + 1);
		write_time(writer, ",\"begin_ns\":", hop->step[i].begin_ns);
		write_time(writer, ",\"end_ns\":", hop->step[i].end_ns);
		write_text(writer, "}");
	}
	write_text(writer, "]");
}

static void write_pad(struct writer *writer, size_t pad_bytes)
{
	write_text(writer, ",\"pad\":\"");
	if (!writer->r)
		writer->r = buffer_fill(writer->out, 'x', pad_bytes);
	write_text(writer, "\"");
}

/* The next one's answer as it came; of an answer that is not JSON, only its measure. */
static void write_next(struct writer *writer, const struct hop *hop)
{
	write_text(writer, ",\"next\":");
	if (hop->shape == SHAPE_CACHED) {
		write_bytes(writer, hop->next.body.at, hop->next.body.len);
	} else if (!hop->wants_call || hop->error || hop->shape == SHAPE_PARTIAL) {
		write_text(writer, "null");
	} else if (hop->next_is_json) {
		write_bytes(writer, hop->next.body.at, hop->next.body.len);
	} else {
		write_text(writer, "{\"status\":");
		write_number(writer, hop->next.status);
		write_text(writer, ",\"body_bytes\":");
		write_number(writer, hop->next.body.len);
		write_text(writer, "}");
	}
}

static void write_count(struct writer *writer, const char *name, uint64_t count)
{
	write_text(writer, ",\"");
	write_text(writer, name);
	write_text(writer, "\":");
	write_number(writer, count);
}

static void write_counts(struct writer *writer, struct service *service)
{
	struct service_counts *counts = &service->counts;
	uint64_t times_opened;
	enum breaker_state state = outcall_breaker_state(&service->outcall, &times_opened);

	write_count(writer, "started_ns", service->started_ns);
	write_count(writer, "received", atomic_load(&counts->received));
	write_count(writer, "failed", atomic_load(&counts->failed));
	write_count(writer, "degraded", atomic_load(&counts->degraded));
	write_count(writer, "overloaded", atomic_load(&counts->overloaded));
	write_count(writer, "calls", atomic_load(&counts->calls));
	write_count(writer, "retries", atomic_load(&counts->retries));
	write_count(writer, "calls_failed", atomic_load(&counts->calls_failed));
	write_count(writer, "calls_refused", atomic_load(&counts->calls_refused));
	write_count(writer, "breaker_opened", times_opened);
	write_text(writer, ",\"breaker\":\"");
	write_text(writer, breaker_state_name(state));
	write_text(writer, "\"");
}

static size_t write_body(struct writer *writer, struct service *service, const struct hop *hop)
{
	size_t send_ns_at = SIZE_MAX;

	write_text(writer, "{\"service\":\"");
	write_text(writer, service->name);
	write_text(writer, "\",\"status\":");
	write_number(writer, status_of(hop));
	if (hop->refusal)
		write_text(writer, ",\"error\":\"bad_request\"");
	if (hop->is_question)
		write_counts(writer, service);
	if (!hop->refusal && !hop->is_health_check && !hop->is_question) {
		if (hop->error)
			write_failure(writer, service, hop);
		if (hop->shape != SHAPE_FULL)
			write_degraded(writer, hop);
		if (hop->attempt.tries > 1)
			write_tries(writer, hop->attempt.tries);
		send_ns_at = write_times(writer, hop);
		if (hop->steps)
			write_steps(writer, hop);
		if (service->pad_bytes)
			write_pad(writer, service->pad_bytes);
		write_next(writer, hop);
	}
	write_text(writer, "}");
	return send_ns_at;
}

static void count_answer(struct service *service, const struct hop *hop, unsigned int status)
{
	if (hop->is_health_check || hop->is_question || hop->refusal)
		return;
	if (status >= 500)
		atomic_fetch_add(&service->counts.failed, 1);
	if (hop->shape != SHAPE_FULL)
		atomic_fetch_add(&service->counts.degraded, 1);
}

int service_answer(struct service *service, const struct hop *hop, struct buffer *out,
		   size_t *ret_send_ns_at)
{
	struct writer writer = { .out = out };
	unsigned int status = status_of(hop);
	size_t length_at, body_at, send_ns_at;

	count_answer(service, hop, status);
	buffer_reset(out);
	length_at = write_head(&writer, status, hop->keep_alive);
	body_at = out->len;
	send_ns_at = write_body(&writer, service, hop);
	if (writer.r < 0)
		return writer.r;
	put_right(out->bytes + length_at, LENGTH_DIGITS, out->len - body_at);
	*ret_send_ns_at = send_ns_at;
	return 0;
}

void service_stamp(struct buffer *out, size_t send_ns_at)
{
	if (send_ns_at != SIZE_MAX)
		put_right(out->bytes + send_ns_at, TIME_DIGITS, clock_now_ns());
}

int service_listen(const struct service *service, int *ret_fd)
{
	const int on = 1, off = 0;
	int fd, r;

	fd = socket(service->listen.addr.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return -errno;
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (service->listen.addr.ss_family == AF_INET6)
		setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof(off));
	if (bind(fd, (const struct sockaddr *)&service->listen.addr, service->listen.len) < 0 ||
	    listen(fd, SERVICE_CONNECTIONS_MAX) < 0) {
		r = -errno;
		close(fd);
		return r;
	}
	*ret_fd = fd;
	return 0;
}
