/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * service_answer.c - the wording of an answer, with the next one's nested in it.
 */
#include <string.h>

#include "base/clock.h"
#include "chain/service.h"
#include "chain/service_writer.h"

#define LENGTH_DIGITS 10

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
	send_ns_at = write_blank_field(writer, WRITER_TIME_DIGITS);
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
		put_right(out->bytes + send_ns_at, WRITER_TIME_DIGITS, clock_now_ns());
}
