/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * service.c - what a hopchain service does between receiving and sending: it reads the request,
 * works, words the request to the next service, and decides what its answer makes of that one's.
 * service_answer.c words the answer.
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
#include "chain/service_writer.h"
#include "dice.h"

const struct http_limits service_request_limits = {
	.head_max_bytes = SERVICE_REQUEST_HEAD_MAX,
	.body_max_bytes = SERVICE_REQUEST_BODY_MAX,
};
const struct http_limits service_answer_limits = {
	.head_max_bytes = SERVICE_REQUEST_HEAD_MAX,
	.body_max_bytes = SERVICE_ANSWER_MAX_BYTES - SERVICE_REQUEST_HEAD_MAX,
};

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
