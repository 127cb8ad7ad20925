/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * service_threads.c - a thread for each inbound connection; everything blocks.
 *
 *   accept -> thread:  receive . work . send call . receive reply . send answer . receive ...
 *           (turn)
 *
 * Where only so many requests may be worked on at once, a thread waits for its turn before it reads one.
 * The next service is called on the thread that read the request, over a connection that belongs to
 * this thread alone. To end, every socket is shut down, which wakes whatever blocks on it.
 */
#include "chain/service.h"

#include <errno.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/queue.h>
#include <sys/time.h>
#include <unistd.h>

#include "base/clock.h"

#define THREAD_STACK_BYTES (256 * 1024)
#define TIMEOUT_SLACK_NS   1000000 /* socket timeouts are coarse: nearer ones need no new call */
#define STOP_WAIT_S	   2

struct crew;

struct worker { /* one inbound connection and its thread */
	LIST_ENTRY(worker) link;
	struct crew *crew;
	int in_fd;
	uint64_t in_recv_ns; /* just after the receive call that last gave something */
	int out_fd; /* -1: none; written by its thread only, under the crew's lock */
	uint64_t out_recv_timeout_ns; /* what the socket has been told */
	struct buffer in;
	struct buffer call;
	struct buffer reply;
	struct buffer answer;
};

struct crew {
	struct service *service;
	int stop_fd;
	pthread_mutex_t lock; /* guards what follows, and every worker's out_fd */
	pthread_cond_t has_left;
	LIST_HEAD(, worker) workers;
	unsigned int count;
};

static struct timeval timeval_of(uint64_t time_ns)
{
	return (struct timeval){
		.tv_sec = (time_t)(time_ns / 1000000000),
		.tv_usec = (suseconds_t)(time_ns % 1000000000 / 1000),
	};
}

static int set_timeout(int fd, int option, uint64_t time_ns)
{
	struct timeval time = timeval_of(time_ns < 1000 ? 1000 : time_ns); /* 0 would be for ever */

	return setsockopt(fd, SOL_SOCKET, option, &time, sizeof(time)) < 0 ? -errno : 0;
}

static int send_all(int fd, const struct buffer *buffer)
{
	size_t sent = 0;

	while (sent < buffer->len) {
		ssize_t n = send(fd, buffer->bytes + sent, buffer->len - sent, MSG_NOSIGNAL);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		sent += (size_t)n;
	}
	return 0;
}

/* Adds what one receive call gives. `ret_ns` is the time just after it. -ECONNRESET at the end of the stream. */
static int receive_some(int fd, struct buffer *buffer, uint64_t *ret_ns)
{
	int r = buffer_reserve(buffer, SERVICE_RECV_BYTES);
	ssize_t n;

	if (r < 0)
		return r;
	do
		n = recv(fd, buffer->bytes + buffer->len, buffer->size - buffer->len, 0);
	while (n < 0 && errno == EINTR);
	*ret_ns = clock_now_ns();
	if (n < 0)
		return -errno;
	if (n == 0)
		return -ECONNRESET;
	buffer->len += (size_t)n;
	return 0;
}

static void forget_next(struct worker *worker)
{
	int fd = worker->out_fd;

	if (fd < 0)
		return;
	pthread_mutex_lock(&worker->crew->lock);
	worker->out_fd = -1;
	pthread_mutex_unlock(&worker->crew->lock);
	close(fd);
}

static int remaining(const struct hop *hop, uint64_t *ret_ns)
{
	uint64_t now_ns = clock_now_ns();

	if (now_ns >= hop->deadline_ns)
		return -ETIMEDOUT;
	*ret_ns = hop->deadline_ns - now_ns;
	return 0;
}

static int connect_next(struct worker *worker, const struct hop *hop)
{
	const struct service_address *next = service_next_address(worker->crew->service);
	const int on = 1;
	uint64_t left_ns;
	int fd, r;

	r = remaining(hop, &left_ns);
	if (r < 0)
		return r;
	fd = socket(next->addr.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -errno;
	pthread_mutex_lock(&worker->crew->lock);
	worker->out_fd = fd;
	pthread_mutex_unlock(&worker->crew->lock);
	worker->out_recv_timeout_ns = 0;
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	set_timeout(fd, SO_SNDTIMEO, left_ns); /* for connect() as well */
	if (connect(fd, (const struct sockaddr *)&next->addr, next->len) < 0)
		return -errno;
	return 0;
}

/* A receive call is told anew how long it may take only when that has changed: mostly it has not. */
static int limit_receive(struct worker *worker, const struct hop *hop)
{
	uint64_t left_ns;
	int r = remaining(hop, &left_ns);

	if (r < 0)
		return r;
	if (worker->out_recv_timeout_ns + TIMEOUT_SLACK_NS > left_ns &&
	    worker->out_recv_timeout_ns < left_ns + TIMEOUT_SLACK_NS)
		return 0;
	worker->out_recv_timeout_ns = left_ns;
	return set_timeout(worker->out_fd, SO_RCVTIMEO, left_ns);
}

/* Sends the call and waits for the whole reply. */
static int exchange(struct worker *worker, struct hop *hop)
{
	int r;

	buffer_reset(&worker->reply);
	hop->call_ns = clock_now_ns();
	r = send_all(worker->out_fd, &worker->call);
	while (!r) {
		r = limit_receive(worker, hop);
		if (!r)
			r = receive_some(worker->out_fd, &worker->reply, &hop->reply_ns);
		if (!r) {
			r = service_take_reply(&worker->reply, hop);
			if (r != -EAGAIN)
				return r;
			r = 0;
		}
	}
	hop->reply_ns = 0;
	return r;
}

static bool was_closed_while_idle(const struct worker *worker, int r)
{
	return !worker->reply.len && (r == -ECONNRESET || r == -EPIPE);
}

/* A kept connection may have been closed by the other side in the meantime: then one new try. */
static int call_next(struct worker *worker, struct hop *hop)
{
	bool is_reused = worker->out_fd >= 0;
	int r = 0;

	hop->deadline_ns = clock_now_ns() + worker->crew->service->timeout_ns;
	if (!is_reused)
		r = connect_next(worker, hop);
	if (!r)
		r = exchange(worker, hop);
	if (is_reused && was_closed_while_idle(worker, r)) {
		forget_next(worker);
		hop->call_ns = 0;
		r = connect_next(worker, hop);
		if (!r)
			r = exchange(worker, hop);
	}
	if (r < 0 || !worker->crew->service->keep_alive || !hop->next.keep_alive ||
	    worker->reply.len != hop->next.size_bytes)
		forget_next(worker);
	return r;
}

/* Until it is over, or the service is to end: nobody reads stop_fd, so it stays readable. */
static bool pause_for(const struct worker *worker, uint64_t wait_ns)
{
	struct pollfd stop = { .fd = worker->crew->stop_fd, .events = POLLIN };
	uint64_t end_ns = clock_now_ns() + wait_ns, now_ns;
	int n = 0;

	while (n <= 0 && (now_ns = clock_now_ns()) < end_ns) {
		struct timespec left = {
			.tv_sec = (time_t)((end_ns - now_ns) / CLOCK_SECOND_NS),
			.tv_nsec = (long)((end_ns - now_ns) % CLOCK_SECOND_NS),
		};

		n = ppoll(&stop, 1, &left, NULL);
	}
	return n <= 0;
}

static void call_next_guarded(struct worker *worker, struct hop *hop)
{
	struct service *service = worker->crew->service;
	uint64_t wait_ns;

	do {
		if (!service_call_begin(service, hop))
			break;
		hop->error = service_error_of(call_next(worker, hop));
	} while (service_call_end(service, hop, &wait_ns) && pause_for(worker, wait_ns));
	service_call_settle(service, hop, &worker->reply);
}

/* The bytes of the next request, or the end of the stream, wait in the socket while this worker waits for its turn. */
static int wait_for_turn(struct worker *worker, bool *ret_is_overloaded)
{
	struct pollfd in = { .fd = worker->in_fd, .events = POLLIN };
	int r, n;

	*ret_is_overloaded = false;
	if (!worker->crew->service->gate.bulkhead.max)
		return 0;
	do
		n = worker->in.len ? 1 : poll(&in, 1, (int)(SERVICE_IDLE_NS / 1000000));
	while (n < 0 && errno == EINTR);
	if (n <= 0)
		return n < 0 ? -errno : -ETIMEDOUT;
	r = gate_enter(&worker->crew->service->gate);
	*ret_is_overloaded = r == -EBUSY;
	return r == -EBUSY ? 0 : r;
}

static int receive_request(struct worker *worker, bool is_overloaded, struct hop *ret_hop)
{
	int r;

	for (;;) {
		r = service_begin(worker->crew->service, &worker->in, worker->in_recv_ns,
				  is_overloaded, ret_hop, &worker->call);
		if (r != -EAGAIN)
			return r;
		r = receive_some(worker->in_fd, &worker->in, &worker->in_recv_ns);
		if (r < 0)
			return r;
	}
}

static int serve_in_turn(struct worker *worker, bool is_overloaded)
{
	struct hop hop;
	size_t send_ns_at;
	int r;

	r = receive_request(worker, is_overloaded, &hop);
	if (r < 0)
		return r;
	if (hop.waits)
		pause_for(worker, worker->crew->service->wait_ns);
	if (hop.wants_call && !hop.error)
		call_next_guarded(worker, &hop);
	r = service_answer(worker->crew->service, &hop, &worker->answer, &send_ns_at);
	if (r < 0)
		return r;
	service_stamp(&worker->answer, send_ns_at);
	r = send_all(worker->in_fd, &worker->answer);
	return r < 0 ? r : hop.keep_alive;
}

static int serve_one(struct worker *worker)
{
	bool is_overloaded;
	int r;

	r = wait_for_turn(worker, &is_overloaded);
	if (r < 0)
		return r;
	r = serve_in_turn(worker, is_overloaded);
	if (!is_overloaded)
		gate_leave(&worker->crew->service->gate);
	return r;
}

/* The rest of a request that was refused is read, or closing would reset our answer away. */
static void close_politely(int fd)
{
	char bytes[4096];

	shutdown(fd, SHUT_WR);
	for (int i = 0; i < 64 && recv(fd, bytes, sizeof(bytes), MSG_DONTWAIT) > 0; i++)
		;
	close(fd);
}

static void leave(struct worker *worker)
{
	struct crew *crew = worker->crew;

	forget_next(worker);
	pthread_mutex_lock(&crew->lock);
	LIST_REMOVE(worker, link);
	pthread_mutex_unlock(&crew->lock);
	close_politely(worker->in_fd);
	buffer_done(&worker->in);
	buffer_done(&worker->call);
	buffer_done(&worker->reply);
	buffer_done(&worker->answer);
	free(worker);
	pthread_mutex_lock(&crew->lock);
	crew->count--;
	pthread_cond_signal(&crew->has_left);
	pthread_mutex_unlock(&crew->lock);
}

static void *worker_main(void *arg)
{
	struct worker *worker = arg;

	while (!atomic_load(&worker->crew->service->stopping) && serve_one(worker) > 0)
		;
	leave(worker);
	return NULL;
}

static int start_thread(struct worker *worker)
{
	pthread_attr_t attr;
	pthread_t thread;
	int r;

	pthread_attr_init(&attr);
	pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
	pthread_attr_setstacksize(&attr, THREAD_STACK_BYTES);
	r = -pthread_create(&thread, &attr, worker_main, worker);
	pthread_attr_destroy(&attr);
	return r;
}

static struct worker *worker_new(struct crew *crew, int fd)
{
	struct worker *worker = calloc(1, sizeof(*worker));

	if (!worker)
		return NULL;
	worker->crew = crew;
	worker->in_fd = fd;
	worker->out_fd = -1;
	worker->in = BUFFER_INIT(SERVICE_REQUEST_MAX_BYTES);
	worker->call = BUFFER_INIT(SERVICE_REQUEST_MAX_BYTES);
	worker->reply = BUFFER_INIT(SERVICE_ANSWER_MAX_BYTES);
	worker->answer = BUFFER_INIT(SERVICE_ANSWER_MAX_BYTES);
	return worker;
}

static void prepare_inbound(int fd)
{
	const int on = 1;

	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	set_timeout(fd, SO_RCVTIMEO, SERVICE_IDLE_NS);
	set_timeout(fd, SO_SNDTIMEO, SERVICE_IDLE_NS);
}

/* Takes the connection over, or closes it when there are too many already. */
static void employ(struct crew *crew, int fd)
{
	struct worker *worker = NULL;

	pthread_mutex_lock(&crew->lock);
	if (crew->count < crew->service->connections_max)
		worker = worker_new(crew, fd);
	if (worker) {
		crew->count++;
		LIST_INSERT_HEAD(&crew->workers, worker, link);
	}
	pthread_mutex_unlock(&crew->lock);
	if (!worker) {
		close(fd);
		return;
	}
	prepare_inbound(fd);
	if (start_thread(worker) < 0)
		leave(worker);
}

static void accept_until_stopped(struct crew *crew, int listen_fd, int stop_fd)
{
	struct pollfd polls[] = {
		{ .fd = listen_fd, .events = POLLIN },
		{ .fd = stop_fd, .events = POLLIN },
	};

	while (!polls[1].revents) {
		int fd;

		if (poll(polls, 2, -1) < 0 && errno != EINTR)
			return;
		if (!(polls[0].revents & POLLIN))
			continue;
		fd = accept4(listen_fd, NULL, NULL, SOCK_CLOEXEC);
		if (fd >= 0)
			employ(crew, fd);
		else if (errno == EMFILE || errno == ENFILE || errno == ENOMEM || errno == ENOBUFS)
			poll(&polls[1], 1, 10); /* it stays readable: don't spin */
	}
}

static void wake_all(struct crew *crew)
{
	struct worker *worker;

	LIST_FOREACH(worker, &crew->workers, link)
	{
		shutdown(worker->in_fd, SHUT_RDWR);
		if (worker->out_fd >= 0)
			shutdown(worker->out_fd, SHUT_RDWR);
	}
}

static bool dismiss(struct crew *crew)
{
	struct timespec until;

	clock_gettime(CLOCK_REALTIME, &until);
	until.tv_sec += STOP_WAIT_S;
	pthread_mutex_lock(&crew->lock);
	wake_all(crew);
	while (crew->count && pthread_cond_timedwait(&crew->has_left, &crew->lock, &until) == 0)
		;
	pthread_mutex_unlock(&crew->lock);
	return !crew->count;
}

int service_run_threads(struct service *service, int listen_fd, int stop_fd)
{
	struct crew crew = {
		.service = service,
		.stop_fd = stop_fd,
		.lock = PTHREAD_MUTEX_INITIALIZER,
		.has_left = PTHREAD_COND_INITIALIZER,
	};

	LIST_INIT(&crew.workers);
	accept_until_stopped(&crew, listen_fd, stop_fd);
	atomic_store(&service->stopping, true);
	gate_close(&service->gate);
	if (!dismiss(&crew))
		_exit(0); /* a thread still uses what would be freed; the kernel takes the rest */
	return 0;
}
