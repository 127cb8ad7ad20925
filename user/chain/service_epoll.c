/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * service_epoll.c - one thread, one event loop, many requests in flight; nothing blocks.
 *
 *   client_conn:  READ -> (work) -> [PAUSE] -> CALL ----> WRITE ----> READ ...
 *                              |      ^         |^          ^
 *                              |      +- again? +|          |
 *                              v                 |          |
 *   next_conn:              CONNECT -> SEND -> RECEIVE -----+--> idle in the pool, or closed
 *
 * A client pauses when the service is to wait after its work, and before another try of a call that failed.
 *
 * Sockets are registered once, edge-triggered. A client connection has one request in hand at a
 * time, so pipelined requests are answered in order; what it sends in the meantime waits in its
 * socket. All deadlines of one kind are equally long, so a list in order of start is in order of
 * expiry; pauses are not, and find their place from the end. What is closed is freed only when the events at hand are done with.
 */
#include "chain/service.h"

#include <errno.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/queue.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"

#define EVENTS_AT_ONCE 64

struct loop;
struct next_conn;

enum watch_kind { WATCH_LISTEN, WATCH_STOP, WATCH_CLIENT, WATCH_NEXT };

struct watch { /* what an event's pointer leads to; first member of what is watched */
	enum watch_kind kind;
	int fd; /* -1: closed, waits to be freed */
	SLIST_ENTRY(watch) closed_link;
};

enum client_state { CLIENT_READ, CLIENT_PAUSE, CLIENT_CALL, CLIENT_WRITE };

struct client_conn {
	struct watch watch;
	enum client_state state;
	TAILQ_ENTRY(client_conn) link; /* in `idle`, `pausing` or `calling`, by state */
	uint64_t expires_ns;
	uint64_t recv_ns; /* just after the last receive call */
	bool is_readable; /* the socket may hold more than was received */
	bool has_ended; /* the client sends no more: read to the end, not until it is empty */
	struct hop hop;
	struct next_conn *next;
	struct buffer in;
	struct buffer call;
	struct buffer answer;
	struct buffer spare; /* a kept answer, while it is given */
	size_t answer_sent;
};

enum next_state { NEXT_CONNECT, NEXT_SEND, NEXT_RECEIVE, NEXT_IDLE };

struct next_conn {
	struct watch watch;
	enum next_state state;
	bool is_reused;
	struct client_conn *client; /* whose call this is; NULL in the pool */
	LIST_ENTRY(next_conn) pool_link;
	struct buffer in;
	size_t call_sent;
};

TAILQ_HEAD(client_list, client_conn);

struct loop {
	struct service *service;
	int epoll_fd;
	bool is_stopping;
	struct watch listen;
	struct watch stop;
	unsigned int clients;
	struct client_list idle; /* reading or writing; by expiry */
	struct client_list pausing; /* by expiry */
	struct client_list calling; /* by expiry */
	LIST_HEAD(, next_conn) pool;
	unsigned int pool_size;
	SLIST_HEAD(, watch) closed;
};

static void call_start(struct loop *loop, struct client_conn *client);

static int watch_add(struct loop *loop, struct watch *watch, uint32_t events)
{
	struct epoll_event event = { .events = events, .data.ptr = watch };

	return epoll_ctl(loop->epoll_fd, EPOLL_CTL_ADD, watch->fd, &event) < 0 ? -errno : 0;
}

static void watch_close(struct loop *loop, struct watch *watch)
{
	close(watch->fd);
	watch->fd = -1;
	SLIST_INSERT_HEAD(&loop->closed, watch, closed_link);
}

static struct client_list *client_list_of(struct loop *loop, const struct client_conn *client)
{
	switch (client->state) {
	case CLIENT_CALL:
		return &loop->calling;
	case CLIENT_PAUSE:
		return &loop->pausing;
	default:
		return &loop->idle;
	}
}

static void client_enter(struct loop *loop, struct client_conn *client, enum client_state state)
{
	uint64_t now_ns = clock_now_ns();

	TAILQ_REMOVE(client_list_of(loop, client), client, link);
	client->state = state;
	client->expires_ns =
		now_ns + (state == CLIENT_CALL ? loop->service->timeout_ns : SERVICE_IDLE_NS);
	TAILQ_INSERT_TAIL(client_list_of(loop, client), client, link);
}

static void client_pause(struct loop *loop, struct client_conn *client, uint64_t wait_ns)
{
	struct client_conn *before;

	TAILQ_REMOVE(client_list_of(loop, client), client, link);
	client->state = CLIENT_PAUSE;
	client->expires_ns = clock_now_ns() + wait_ns;
	TAILQ_FOREACH_REVERSE(before, &loop->pausing, client_list, link)
	if (before->expires_ns <= client->expires_ns)
		break;
	if (before)
		TAILQ_INSERT_AFTER(&loop->pausing, before, client, link);
	else
		TAILQ_INSERT_HEAD(&loop->pausing, client, link);
}

static void next_close(struct loop *loop, struct next_conn *next)
{
	if (next->state == NEXT_IDLE) {
		LIST_REMOVE(next, pool_link);
		loop->pool_size--;
	}
	if (next->client)
		next->client->next = NULL;
	next->client = NULL;
	watch_close(loop, &next->watch);
}

static void client_close(struct loop *loop, struct client_conn *client)
{
	if (client->next)
		next_close(loop, client->next);
	service_call_abandon(loop->service, &client->hop);
	TAILQ_REMOVE(client_list_of(loop, client), client, link);
	loop->clients--;
	watch_close(loop, &client->watch);
}

/* One receive call. -EAGAIN: nothing there for now; -ECONNRESET: the end of the stream. */
static int receive_some(int fd, struct buffer *buffer, uint64_t *ret_ns)
{
	int r = buffer_reserve(buffer, SERVICE_RECV_BYTES);
	ssize_t n;

	if (r < 0)
		return r;
	n = recv(fd, buffer->bytes + buffer->len, buffer->size - buffer->len, 0);
	*ret_ns = clock_now_ns();
	if (n < 0)
		return -errno;
	if (n == 0)
		return -ECONNRESET;
	buffer->len += (size_t)n;
	return 0;
}

/* A receive call that left room has emptied the socket (epoll(7), questions and answers). */
static bool is_full(const struct buffer *buffer)
{
	return buffer->len == buffer->size;
}

/* -EAGAIN when the socket is full: there will be an event. */
static int send_some(int fd, const struct buffer *buffer, size_t *sent)
{
	while (*sent < buffer->len) {
		ssize_t n = send(fd, buffer->bytes + *sent, buffer->len - *sent, MSG_NOSIGNAL);

		if (n < 0)
			return -errno;
		*sent += (size_t)n;
	}
	return 0;
}

/* The rest of a request that was refused is read, or closing would reset our answer away. */
static void client_close_politely(struct loop *loop, struct client_conn *client)
{
	char bytes[4096];

	shutdown(client->watch.fd, SHUT_WR);
	for (int i = 0; i < 64 && recv(client->watch.fd, bytes, sizeof(bytes), 0) > 0; i++)
		;
	client_close(loop, client);
}

static void client_write(struct loop *loop, struct client_conn *client)
{
	int r = send_some(client->watch.fd, &client->answer, &client->answer_sent);

	if (r == -EAGAIN)
		return;
	if (r < 0)
		client_close(loop, client);
	else if (!client->hop.keep_alive)
		client_close_politely(loop, client);
	else
		client_enter(loop, client, CLIENT_READ);
}

static void client_answer(struct loop *loop, struct client_conn *client)
{
	size_t send_ns_at;

	client_enter(loop, client, CLIENT_WRITE);
	client->answer_sent = 0;
	if (service_answer(loop->service, &client->hop, &client->answer, &send_ns_at) < 0) {
		client_close(loop, client);
		return;
	}
	service_stamp(&client->answer, send_ns_at);
	client_write(loop, client);
}

/*
 * The call has come to its end, well or not. The reply is read in place, so its connection is given back, or was
 * closed, by who calls this, afterwards.
 */
static void call_end(struct loop *loop, struct client_conn *client, int r)
{
	uint64_t wait_ns;

	client->hop.error = service_error_of(r);
	if (r < 0)
		client->hop.reply_ns = 0;
	if (service_call_end(loop->service, &client->hop, &wait_ns)) {
		client_pause(loop, client, wait_ns);
		return;
	}
	service_call_settle(loop->service, &client->hop, &client->spare);
	client_answer(loop, client);
}

/* A kept connection may have been closed by the other side in the meantime: then one new try. */
static void next_fail(struct loop *loop, struct next_conn *next, int r)
{
	struct client_conn *client = next->client;
	bool was_closed_while_idle =
		next->is_reused && !next->in.len && (r == -ECONNRESET || r == -EPIPE);

	next_close(loop, next);
	if (!client)
		return;
	client->hop.call_ns = was_closed_while_idle ? 0 : client->hop.call_ns;
	if (was_closed_while_idle)
		call_start(loop, client);
	else
		call_end(loop, client, r);
}

static void next_release(struct loop *loop, struct next_conn *next, bool may_stay)
{
	next->client->next = NULL;
	next->client = NULL;
	if (!may_stay || !loop->service->keep_alive || loop->pool_size == SERVICE_POOL_MAX) {
		next_close(loop, next);
		return;
	}
	next->state = NEXT_IDLE;
	LIST_INSERT_HEAD(&loop->pool, next, pool_link);
	loop->pool_size++;
}

static void next_receive(struct loop *loop, struct next_conn *next)
{
	struct client_conn *client = next->client;
	size_t len;
	int r;

	do {
		len = next->in.len;
		r = receive_some(next->watch.fd, &next->in, &client->hop.reply_ns);
		if (!r)
			r = service_take_reply(&next->in, &client->hop);
	} while (r == -EAGAIN && next->in.len > len && is_full(&next->in));
	if (r == -EAGAIN)
		return;
	if (r < 0) {
		next_fail(loop, next, r);
		return;
	}
	call_end(loop, client, 0);
	if (next->watch.fd < 0)
		return;
	next_release(loop, next,
		     client->hop.next.keep_alive && next->in.len == client->hop.next.size_bytes);
}

static void next_send(struct loop *loop, struct next_conn *next)
{
	int r;

	if (!next->call_sent)
		next->client->hop.call_ns = clock_now_ns();
	r = send_some(next->watch.fd, &next->client->call, &next->call_sent);
	if (r == -EAGAIN)
		return;
	if (r < 0) {
		next_fail(loop, next, r);
		return;
	}
	next->state = NEXT_RECEIVE;
}

static struct next_conn *next_new(struct loop *loop, int *ret_error)
{
	const struct service_address *address = service_next_address(loop->service);
	struct next_conn *next = calloc(1, sizeof(*next));
	const int on = 1;
	int fd, r = 0;

	fd = socket(address->addr.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0 || !next) {
		*ret_error = fd < 0 ? -errno : -ENOMEM;
		goto fail;
	}
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	next->watch = (struct watch){ .kind = WATCH_NEXT, .fd = fd };
	next->in = BUFFER_INIT(SERVICE_ANSWER_MAX_BYTES);
	if (connect(fd, (const struct sockaddr *)&address->addr, address->len) < 0)
		r = -errno;
	if (!r || r == -EINPROGRESS)
		r = watch_add(loop, &next->watch, EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET);
	if (!r)
		return next;
	*ret_error = r;
fail:
	if (fd >= 0)
		close(fd);
	free(next);
	return NULL;
}

static void next_attach(struct next_conn *next, struct client_conn *client)
{
	next->client = client;
	client->next = next;
	next->call_sent = 0;
	buffer_reset(&next->in);
}

/* By a connection of the pool, or by a new one: then the event that it is connected goes on. */
static void call_start(struct loop *loop, struct client_conn *client)
{
	struct next_conn *next = LIST_FIRST(&loop->pool);
	int r = 0;

	if (next) {
		LIST_REMOVE(next, pool_link);
		loop->pool_size--;
		next->is_reused = true;
		next->state = NEXT_SEND;
		next_attach(next, client);
		next_send(loop, next);
		return;
	}
	next = next_new(loop, &r);
	if (!next) {
		call_end(loop, client, r);
		return;
	}
	next->state = NEXT_CONNECT;
	next_attach(next, client);
}

static void call_try(struct loop *loop, struct client_conn *client)
{
	if (service_call_begin(loop->service, &client->hop)) {
		client_enter(loop, client, CLIENT_CALL);
		call_start(loop, client);
	} else {
		service_call_settle(loop->service, &client->hop, &client->spare);
		client_answer(loop, client);
	}
}

/* With its own work and waiting done. */
static void client_go_on(struct loop *loop, struct client_conn *client)
{
	if (client->hop.wants_call && !client->hop.error)
		call_try(loop, client);
	else
		client_answer(loop, client);
}

static void client_begin(struct loop *loop, struct client_conn *client)
{
	if (client->hop.waits)
		client_pause(loop, client, loop->service->wait_ns);
	else
		client_go_on(loop, client);
}

/* It waited after its work, or for another try. */
static void client_wake(struct loop *loop, struct client_conn *client)
{
	if (client->hop.attempt.tries)
		call_try(loop, client);
	else
		client_go_on(loop, client);
}

/* Serves what is there, request by request, until more bytes or the next service must be waited for. */
static void client_read(struct loop *loop, struct client_conn *client)
{
	int r;

	while (client->watch.fd >= 0 && client->state == CLIENT_READ) {
		r = service_begin(loop->service, &client->in, client->recv_ns, false, &client->hop,
				  &client->call);
		if (!r) {
			client_begin(loop, client);
			continue;
		}
		if (!client->is_readable)
			return;
		r = receive_some(client->watch.fd, &client->in, &client->recv_ns);
		client->is_readable = !r && (client->has_ended || is_full(&client->in));
		if (r < 0 && r != -EAGAIN)
			client_close(loop, client);
	}
}

static void next_go_on(struct loop *loop, struct next_conn *next)
{
	int error = 0;
	socklen_t len = sizeof(error);

	if (next->state == NEXT_CONNECT) {
		getsockopt(next->watch.fd, SOL_SOCKET, SO_ERROR, &error, &len);
		if (error) {
			next_fail(loop, next, -error);
			return;
		}
		next->state = NEXT_SEND;
	}
	if (next->state == NEXT_SEND)
		next_send(loop, next);
	else if (next->state == NEXT_RECEIVE)
		next_receive(loop, next);
}

static void next_event(struct loop *loop, struct next_conn *next)
{
	struct client_conn *client = next->client;

	if (next->state == NEXT_IDLE) { /* closed, or speaking without being asked */
		next_close(loop, next);
		return;
	}
	next_go_on(loop, next);
	client_read(loop, client); /* its next request may have waited for this answer */
}

static void client_event(struct loop *loop, struct client_conn *client, uint32_t events)
{
	client->is_readable = true;
	if (events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR))
		client->has_ended = true;
	if (client->state == CLIENT_WRITE)
		client_write(loop, client);
	client_read(loop, client);
}

static void client_new(struct loop *loop, int fd)
{
	struct client_conn *client = NULL;
	const int on = 1;

	if (loop->clients < loop->service->connections_max)
		client = calloc(1, sizeof(*client));
	if (!client) {
		close(fd);
		return;
	}
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	client->watch = (struct watch){ .kind = WATCH_CLIENT, .fd = fd };
	client->in = BUFFER_INIT(SERVICE_REQUEST_MAX_BYTES);
	client->call = BUFFER_INIT(SERVICE_REQUEST_MAX_BYTES);
	client->answer = BUFFER_INIT(SERVICE_ANSWER_MAX_BYTES);
	client->spare = BUFFER_INIT(FALLBACK_CACHE_MAX_BYTES);
	client->expires_ns = clock_now_ns() + SERVICE_IDLE_NS;
	TAILQ_INSERT_TAIL(&loop->idle, client, link);
	loop->clients++;
	if (watch_add(loop, &client->watch, EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET) < 0)
		client_close(loop, client);
}

static void accept_some(struct loop *loop)
{
	for (int i = 0; i < EVENTS_AT_ONCE; i++) {
		int fd = accept4(loop->listen.fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

		if (fd < 0)
			return;
		client_new(loop, fd);
	}
}

static void handle(struct loop *loop, struct watch *watch, uint32_t events)
{
	if (watch->fd < 0)
		return; /* closed by an event before this one */
	switch (watch->kind) {
	case WATCH_LISTEN:
		accept_some(loop);
		break;
	case WATCH_STOP:
		loop->is_stopping = true;
		atomic_store(&loop->service->stopping, true);
		break;
	case WATCH_CLIENT:
		client_event(loop, (struct client_conn *)watch, events);
		break;
	case WATCH_NEXT:
		next_event(loop, (struct next_conn *)watch);
		break;
	}
}

static void expire(struct loop *loop)
{
	struct client_conn *client;
	uint64_t now_ns = clock_now_ns();

	while ((client = TAILQ_FIRST(&loop->pausing)) && client->expires_ns <= now_ns) {
		client_wake(loop, client);
		client_read(loop, client);
	}
	while ((client = TAILQ_FIRST(&loop->calling)) && client->expires_ns <= now_ns) {
		if (client->next)
			next_close(loop, client->next);
		call_end(loop, client, -ETIMEDOUT);
		client_read(loop, client);
	}
	while ((client = TAILQ_FIRST(&loop->idle)) && client->expires_ns <= now_ns)
		client_close(loop, client);
}

static int wait_ms(const struct loop *loop)
{
	const struct client_list *const lists[] = { &loop->pausing, &loop->calling, &loop->idle };
	uint64_t now_ns, expires_ns = UINT64_MAX;

	for (size_t i = 0; i < ARRAY_SIZE(lists); i++) {
		const struct client_conn *first = TAILQ_FIRST(lists[i]);

		if (first && first->expires_ns < expires_ns)
			expires_ns = first->expires_ns;
	}
	if (expires_ns == UINT64_MAX)
		return -1;
	now_ns = clock_now_ns();
	return expires_ns <= now_ns ? 0 : (int)((expires_ns - now_ns) / 1000000 + 1);
}

static void free_closed(struct loop *loop)
{
	struct watch *watch;

	while ((watch = SLIST_FIRST(&loop->closed))) {
		SLIST_REMOVE_HEAD(&loop->closed, closed_link);
		if (watch->kind == WATCH_CLIENT) {
			struct client_conn *client = (struct client_conn *)watch;

			buffer_done(&client->in);
			buffer_done(&client->call);
			buffer_done(&client->answer);
			buffer_done(&client->spare);
		} else {
			buffer_done(&((struct next_conn *)watch)->in);
		}
		free(watch);
	}
}

static void close_all(struct loop *loop)
{
	while (!TAILQ_EMPTY(&loop->pausing))
		client_close(loop, TAILQ_FIRST(&loop->pausing));
	while (!TAILQ_EMPTY(&loop->calling))
		client_close(loop, TAILQ_FIRST(&loop->calling));
	while (!TAILQ_EMPTY(&loop->idle))
		client_close(loop, TAILQ_FIRST(&loop->idle));
	while (!LIST_EMPTY(&loop->pool))
		next_close(loop, LIST_FIRST(&loop->pool));
	free_closed(loop);
	close(loop->epoll_fd);
}

static int loop_open(struct loop *loop)
{
	int r;

	loop->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	if (loop->epoll_fd < 0)
		return -errno;
	r = watch_add(loop, &loop->listen, EPOLLIN);
	return r < 0 ? r : watch_add(loop, &loop->stop, EPOLLIN);
}

static int loop_run(struct loop *loop)
{
	struct epoll_event events[EVENTS_AT_ONCE];
	int n;

	while (!loop->is_stopping) {
		n = epoll_wait(loop->epoll_fd, events, EVENTS_AT_ONCE, wait_ms(loop));
		if (n < 0 && errno != EINTR)
			return -errno;
		for (int i = 0; i < n; i++)
			handle(loop, events[i].data.ptr, events[i].events);
		expire(loop);
		free_closed(loop);
	}
	return 0;
}

int service_run_epoll(struct service *service, int listen_fd, int stop_fd)
{
	struct loop loop = {
		.service = service,
		.epoll_fd = -1,
		.listen = { .kind = WATCH_LISTEN, .fd = listen_fd },
		.stop = { .kind = WATCH_STOP, .fd = stop_fd },
	};
	int r;

	TAILQ_INIT(&loop.idle);
	TAILQ_INIT(&loop.pausing);
	TAILQ_INIT(&loop.calling);
	LIST_INIT(&loop.pool);
	SLIST_INIT(&loop.closed);
	r = loop_open(&loop);
	if (!r)
		r = loop_run(&loop);
	if (loop.epoll_fd >= 0)
		close_all(&loop);
	return r;
}
