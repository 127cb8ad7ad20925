/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * load.c - the load generator's one loop.
 *
 *   schedule --due--> a free connection: connect, send, receive --> record --> free again
 *
 * It must be light, since it shares the cores with what it measures: one thread, edge-triggered
 * sockets, one timer for everything that has to happen later, no memory taken between send and
 * receive once buffers have grown. Times are read next to the system calls.
 */
#include "chain/load.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/queue.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "chain/address.h"
#include "chain/buffer.h"
#include "chain/http.h"
#include "chain/load_answer.h"

#define NS_PER_S	   UINT64_C(1000000000)
#define TIMEOUT_DEFAULT_NS (5 * NS_PER_S)
#define TICK_NS		   (NS_PER_S / 20)
#define ANSWER_MAX_BYTES   (64u << 20)
#define RECEIVE_BYTES	   16384
#define EVENTS_AT_ONCE	   64

static const struct http_limits answer_limits = {
	.head_max_bytes = 16384,
	.body_max_bytes = ANSWER_MAX_BYTES - 16384 - RECEIVE_BYTES,
};

struct target {
	struct sockaddr_storage addr;
	socklen_t len;
};

enum conn_state { CONN_FREE, CONN_CONNECTING, CONN_SENDING, CONN_RECEIVING };

struct conn {
	enum conn_state state;
	const struct target *target; /* for good */
	int fd; /* -1: closed; in CONN_FREE it may be open, to be used again */
	TAILQ_ENTRY(conn) link; /* in `free` or, in order of expiry, in `busy` */
	uint64_t sequence; /* of the request in hand, warm-up included */
	uint64_t due_ns;
	uint64_t start_ns;
	uint64_t expires_ns;
	size_t sent;
	struct buffer in;
};

TAILQ_HEAD(conn_list, conn);

struct load {
	const struct load_options *options;
	struct target target[LOAD_TARGETS_MAX];
	uint32_t targets;
	struct buffer request;
	int epoll_fd;
	int timer_fd;
	uint64_t timer_ns; /* when it fires; 0: not armed */
	uint64_t timeout_ns;
	uint64_t first_due_ns;
	uint64_t next_sequence;
	uint64_t last_sequence; /* one behind the last */
	uint32_t done;
	uint64_t tick_ns; /* when keep_going is to be asked again */
	bool must_stop;
	struct conn *conn;
	uint32_t conns;
	struct conn_list free;
	struct conn_list busy;
	struct load_result *result;
};

static enum load_error error_of(int r)
{
	switch (r) {
	case -ETIMEDOUT:
		return LOAD_TIMEOUT;
	case -ECONNREFUSED:
		return LOAD_REFUSED;
	case -EHOSTUNREACH:
	case -ENETUNREACH:
	case -ENETDOWN:
	case -EACCES:
	case -EPERM:
		return LOAD_UNREACHABLE;
	case -EBADMSG:
		return LOAD_BAD_ANSWER;
	case -EMFILE:
	case -ENFILE:
	case -ENOMEM:
	case -ENOBUFS:
	case -EADDRNOTAVAIL:
		return LOAD_NO_RESOURCE;
	default:
		return LOAD_RESET;
	}
}

static void conn_close(struct conn *conn)
{
	if (conn->fd >= 0)
		close(conn->fd);
	conn->fd = -1;
}

static void conn_free_up(struct load *load, struct conn *conn)
{
	TAILQ_REMOVE(&load->busy, conn, link);
	conn->state = CONN_FREE;
	if (load->targets > 1)
		TAILQ_INSERT_TAIL(&load->free, conn, link); /* or few connections would do all */
	else
		TAILQ_INSERT_HEAD(&load->free, conn, link);
}

/* Where the request in hand is recorded; NULL while it only warms up. */
static struct load_record *record_of(struct load *load, const struct conn *conn, uint64_t end_ns)
{
	uint64_t warmup = load->options->warmup_requests;
	struct load_record *record;

	if (conn->sequence < warmup)
		return NULL;
	record = &load->result->record[conn->sequence - warmup];
	*record = (struct load_record){
		.start_ns = conn->start_ns,
		.latency_ns = end_ns - conn->start_ns,
		.intended_latency_ns = end_ns - conn->due_ns,
		.request = (uint32_t)(conn->sequence - warmup),
		.hop = LOAD_NO_NAME,
	};
	load->done++;
	load->result->end_ns = end_ns;
	return record;
}

static void request_fail(struct load *load, struct conn *conn, int r)
{
	struct load_record *record = record_of(load, conn, clock_now_ns());

	if (record)
		record->error = (uint8_t)error_of(r);
	conn_close(conn);
	conn_free_up(load, conn);
}

static void request_done(struct load *load, struct conn *conn, const struct http_message *answer,
			 uint64_t end_ns)
{
	struct load_record *record = record_of(load, conn, end_ns);
	bool keep_times = load->options->keep_times;

	if (record) {
		record->status = (uint16_t)answer->status;
		record->error = answer->status < 400 ? LOAD_OK : LOAD_STATUS;
		record->shape = load_answer_shape(answer->status, answer->body);
		if (keep_times || record->error)
			load_answer_read(load->result, record, answer->body, keep_times);
	}
	if (!answer->keep_alive || conn->in.len != answer->size_bytes)
		conn_close(conn);
	buffer_reset(&conn->in);
	conn_free_up(load, conn);
}

static int receive_some(struct conn *conn, uint64_t *ret_ns)
{
	int r = buffer_reserve(&conn->in, RECEIVE_BYTES);
	ssize_t n;

	if (r < 0)
		return r;
	n = recv(conn->fd, conn->in.bytes + conn->in.len, conn->in.size - conn->in.len, 0);
	*ret_ns = clock_now_ns();
	if (n < 0)
		return -errno;
	if (n == 0)
		return -ECONNRESET;
	conn->in.len += (size_t)n;
	return 0;
}

static void conn_receive(struct load *load, struct conn *conn)
{
	struct http_message answer;
	uint64_t end_ns = 0;
	int r;

	do {
		r = receive_some(conn, &end_ns);
		if (r == -EAGAIN)
			return;
		if (!r)
			r = http_parse_response(conn->in.bytes, conn->in.len, &answer_limits,
						&answer);
	} while (r == -EAGAIN);
	if (r < 0)
		request_fail(load, conn, r == -ECONNRESET || r == -ENOMEM ? r : -EBADMSG);
	else
		request_done(load, conn, &answer, end_ns);
}

static void conn_send(struct load *load, struct conn *conn)
{
	ssize_t n;

	conn->state = CONN_SENDING;
	if (!conn->sent)
		conn->start_ns = clock_now_ns();
	n = send(conn->fd, load->request.bytes + conn->sent, load->request.len - conn->sent,
		 MSG_NOSIGNAL);
	if (n < 0 && errno == EAGAIN)
		return;
	if (n < 0) {
		request_fail(load, conn, -errno);
		return;
	}
	conn->sent += (size_t)n;
	if (conn->sent == load->request.len)
		conn->state = CONN_RECEIVING;
}

static int conn_open(struct load *load, struct conn *conn)
{
	struct epoll_event event = { .events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET,
				     .data.ptr = conn };
	_cleanup_(closep) int fd = -1;
	const int on = 1;

	fd = socket(conn->target->addr.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return -errno;
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	if (connect(fd, (const struct sockaddr *)&conn->target->addr, conn->target->len) < 0 &&
	    errno != EINPROGRESS)
		return -errno;
	if (epoll_ctl(load->epoll_fd, EPOLL_CTL_ADD, fd, &event) < 0)
		return -errno;
	conn->fd = TAKE_FD(fd);
	return 0;
}

static void request_start(struct load *load, struct conn *conn, uint64_t due_ns)
{
	int r;

	TAILQ_REMOVE(&load->free, conn, link);
	TAILQ_INSERT_TAIL(&load->busy, conn, link);
	conn->sequence = load->next_sequence++;
	conn->due_ns = due_ns;
	conn->start_ns = clock_now_ns(); /* until it is sent */
	conn->expires_ns = conn->start_ns + load->timeout_ns;
	conn->sent = 0;
	buffer_reset(&conn->in);
	if (conn->sequence == load->options->warmup_requests)
		load->result->begin_ns = due_ns;
	if (conn->fd >= 0) {
		conn_send(load, conn);
		return;
	}
	conn->state = CONN_CONNECTING;
	r = conn_open(load, conn);
	if (r < 0)
		request_fail(load, conn, r);
}

static void conn_event(struct load *load, struct conn *conn)
{
	int error = 0;
	socklen_t len = sizeof(error);

	if (conn->fd < 0)
		return;
	if (conn->state == CONN_FREE) { /* the service has closed it, or speaks unasked */
		conn_close(conn);
		return;
	}
	if (conn->state == CONN_CONNECTING) {
		getsockopt(conn->fd, SOL_SOCKET, SO_ERROR, &error, &len);
		if (error)
			request_fail(load, conn, -error);
		else
			conn_send(load, conn);
	} else if (conn->state == CONN_SENDING) {
		conn_send(load, conn);
	} else {
		conn_receive(load, conn);
	}
}

static uint64_t due_of(const struct load *load, uint64_t sequence, uint64_t now)
{
	if (!load->options->rate)
		return now > load->first_due_ns ? now : load->first_due_ns;
	return load->first_due_ns + sequence * NS_PER_S / load->options->rate;
}

/* A pass is bounded, so that answers are read even when every request fails at once. */
static void start_what_is_due(struct load *load)
{
	uint64_t now = clock_now_ns();

	for (uint32_t i = 0; i < load->conns; i++) {
		uint64_t due_ns = due_of(load, load->next_sequence, now);

		if (load->next_sequence == load->last_sequence || TAILQ_EMPTY(&load->free) ||
		    due_ns > now)
			return;
		request_start(load, TAILQ_FIRST(&load->free), due_ns);
		now = clock_now_ns();
	}
}

static void fail_what_expired(struct load *load)
{
	struct conn *conn;

	while ((conn = TAILQ_FIRST(&load->busy)) && conn->expires_ns <= clock_now_ns())
		request_fail(load, conn, -ETIMEDOUT);
}

static uint64_t earlier(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

/* When something has to be done even if no socket moves. */
static uint64_t wake_up_ns(const struct load *load)
{
	uint64_t at_ns = load->tick_ns;

	if (!TAILQ_EMPTY(&load->busy))
		at_ns = earlier(at_ns, TAILQ_FIRST(&load->busy)->expires_ns);
	if (load->next_sequence < load->last_sequence && !TAILQ_EMPTY(&load->free))
		at_ns = earlier(at_ns, due_of(load, load->next_sequence, 0));
	return at_ns;
}

/* Waking too early costs a turn; so the timer is set anew only when it would be too late. */
static int arm_timer(struct load *load)
{
	uint64_t at_ns = wake_up_ns(load);
	struct itimerspec when = { 0 };

	if (load->timer_ns && load->timer_ns <= at_ns)
		return 0;
	when.it_value.tv_sec = (time_t)(at_ns / NS_PER_S);
	when.it_value.tv_nsec = (long)(at_ns % NS_PER_S);
	if (timerfd_settime(load->timer_fd, TFD_TIMER_ABSTIME, &when, NULL) < 0)
		return -errno;
	load->timer_ns = at_ns;
	return 0;
}

static void timer_event(struct load *load)
{
	uint64_t expirations;

	if (read(load->timer_fd, &expirations, sizeof(expirations)) > 0)
		load->timer_ns = 0;
}

static void ask_whether_to_go_on(struct load *load, bool was_interrupted)
{
	const struct load_options *options = load->options;
	uint64_t now = clock_now_ns();

	if (now < load->tick_ns && !was_interrupted)
		return;
	load->tick_ns = now + TICK_NS;
	if (options->total_ns && now >= load->first_due_ns + options->total_ns)
		load->must_stop = true;
	if (options->keep_going && !options->keep_going(options->userdata, load->done))
		load->must_stop = true;
}

static bool is_finished(const struct load *load)
{
	return load->must_stop ||
	       (load->next_sequence == load->last_sequence && TAILQ_EMPTY(&load->busy));
}

static int turn(struct load *load)
{
	struct epoll_event events[EVENTS_AT_ONCE];
	int n, r;

	start_what_is_due(load);
	r = arm_timer(load);
	if (r < 0)
		return r;
	n = epoll_wait(load->epoll_fd, events, EVENTS_AT_ONCE, -1);
	if (n < 0 && errno != EINTR)
		return -errno;
	for (int i = 0; i < n; i++) {
		if (events[i].data.ptr)
			conn_event(load, events[i].data.ptr);
		else
			timer_event(load);
	}
	fail_what_expired(load);
	ask_whether_to_go_on(load, n < 0);
	return 0;
}

/* What was not finished is no record: neither fast nor slow, only counted. */
static void keep_finished_records(struct load *load)
{
	struct load_result *result = load->result;
	size_t kept = 0;

	for (uint32_t i = 0; i < result->requests; i++)
		if (result->record[i].start_ns)
			result->record[kept++] = result->record[i];
	result->records = kept;
	for (uint32_t i = 0; i < load->conns; i++)
		if (load->conn[i].state != CONN_FREE &&
		    load->conn[i].sequence >= load->options->warmup_requests)
			result->unfinished++;
	result->was_stopped = load->must_stop;
	if (load->must_stop)
		result->end_ns = clock_now_ns();
}

static bool path_is_sane(const char *path)
{
	for (; *path; path++)
		if (*path <= ' ' || *path > '~')
			return false;
	return true;
}

static int word_request(struct load *load)
{
	const char *path = load->options->path ? load->options->path : "/";

	if (path[0] != '/' || !path_is_sane(path))
		return -EINVAL;
	load->request = BUFFER_INIT(16384);
	return buffer_printf(&load->request, "GET %s HTTP/1.1\r\nHost: %.*s\r\n\r\n", path,
			     (int)strcspn(load->options->target, ","), load->options->target);
}

static int check_options(const struct load_options *options)
{
	if (!options->target || strlen(options->target) >= LOAD_TARGET_BYTES)
		return -EINVAL;
	if (!options->requests || options->requests > LOAD_REQUESTS_MAX ||
	    options->warmup_requests > LOAD_REQUESTS_MAX ||
	    options->connections > LOAD_CONNECTIONS_MAX || options->rate > LOAD_RATE_MAX)
		return -EINVAL;
	return 0;
}

static int resolve_target(struct load *load, const char *word)
{
	struct target *target = &load->target[load->targets];
	struct address_text text;
	const char *reason;
	int r;

	if (load->targets == LOAD_TARGETS_MAX)
		return -EINVAL;
	r = address_split(word, &text, &reason);
	if (r < 0)
		return r;
	if (!text.host[0] || !text.port)
		return -EINVAL;
	r = address_resolve(&text, &target->addr, &target->len);
	load->targets += r == 0;
	return r;
}

static int resolve_targets(struct load *load)
{
	char list[LOAD_TARGET_BYTES], *rest = NULL;
	int r = 0;

	strcpy(list, load->options->target);
	for (char *word = strtok_r(list, ",", &rest); word && r == 0;
	     word = strtok_r(NULL, ",", &rest))
		r = resolve_target(load, word);
	return r == 0 && !load->targets ? -EINVAL : r;
}

static int make_conns(struct load *load)
{
	load->conns = load->options->connections ? load->options->connections : 1;
	load->conn = calloc(load->conns, sizeof(*load->conn));
	if (!load->conn)
		return -ENOMEM;
	TAILQ_INIT(&load->free);
	TAILQ_INIT(&load->busy);
	for (uint32_t i = 0; i < load->conns; i++) {
		load->conn[i].fd = -1;
		load->conn[i].target = &load->target[i % load->targets];
		load->conn[i].in = BUFFER_INIT(ANSWER_MAX_BYTES);
		TAILQ_INSERT_TAIL(&load->free, &load->conn[i], link);
	}
	return 0;
}

static int make_timer(struct load *load)
{
	struct epoll_event event = { .events = EPOLLIN, .data.ptr = NULL };

	load->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	if (load->epoll_fd < 0)
		return -errno;
	load->timer_fd = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
	if (load->timer_fd < 0)
		return -errno;
	if (epoll_ctl(load->epoll_fd, EPOLL_CTL_ADD, load->timer_fd, &event) < 0)
		return -errno;
	return 0;
}

static int make_result(struct load *load)
{
	const struct load_options *options = load->options;

	strcpy(load->result->target, options->target);
	load->result->requests = options->requests;
	load->result->connections = load->conns;
	load->result->rate = options->rate;
	load->result->record = calloc(options->requests, sizeof(*load->result->record));
	return load->result->record ? 0 : -ENOMEM;
}

static int load_open(struct load *load)
{
	int (*const steps[])(struct load *) = { resolve_targets, word_request, make_conns,
						make_timer, make_result };
	int r = check_options(load->options);

	for (size_t i = 0; !r && i < ARRAY_SIZE(steps); i++)
		r = steps[i](load);
	load->timeout_ns =
		load->options->timeout_ns ? load->options->timeout_ns : TIMEOUT_DEFAULT_NS;
	load->last_sequence = (uint64_t)load->options->warmup_requests + load->options->requests;
	load->first_due_ns = clock_now_ns() + load->options->start_in_ns;
	return r;
}

static void load_close(struct load *load)
{
	for (uint32_t i = 0; load->conn && i < load->conns; i++) {
		conn_close(&load->conn[i]);
		buffer_done(&load->conn[i].in);
	}
	free(load->conn);
	buffer_done(&load->request);
	closep(&load->timer_fd);
	closep(&load->epoll_fd);
}

int load_run(const struct load_options *options, struct load_result *ret_result)
{
	_cleanup_(load_result_done) struct load_result result = { 0 };
	_cleanup_(load_close) struct load load = {
		.options = options,
		.epoll_fd = -1,
		.timer_fd = -1,
		.result = &result,
	};
	int r;

	r = load_open(&load);
	while (!r && !is_finished(&load))
		r = turn(&load);
	if (r < 0)
		return r;
	keep_finished_records(&load);
	*ret_result = result;
	result = (struct load_result){ 0 };
	return 0;
}

void load_result_done(struct load_result *result)
{
	free(result->record);
	free(result->times);
	result->record = NULL;
	result->times = NULL;
	result->records = result->times_count = result->times_size = 0;
}
