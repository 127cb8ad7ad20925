/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * client.c - see client.h.
 */
#include "daemon/client.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"

#define QUEUE_MAX (32 * 1024 * 1024)
#define LATER_MAX \
	(128 * 1024) /* what may wait for company: about half of what a socket takes at once */

struct client {
	struct clients *all;
	int fd; /* -1: free place */
	uint64_t token;
	uint64_t
		deadline_ns; /* until when it must have asked, or taken something; 0: nobody waits */
	bool ending;
	bool waits_to_send; /* the loop tells when the socket is writable */
	char *in; /* a frame that is coming in */
	size_t in_length;
	char *out; /* frames that are going out */
	size_t out_length;
	size_t out_sent;
	size_t out_room;
};

struct clients {
	struct loop *loop;
	struct client_handlers handlers;
	uint64_t tokens; /* how many there have been */
	struct client client[CLIENTS_MAX];
};

static bool peer_is_root(int fd)
{
	struct ucred peer;
	socklen_t size = sizeof(peer);

	return getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &size) == 0 && peer.uid == 0;
}

uint64_t client_token(const struct client *client)
{
	return client->token;
}

static void put_away(struct client *client)
{
	loop_unwatch(client->all->loop, client->fd);
	close(client->fd);
	free(client->in);
	free(client->out);
	*client = (struct client){ .all = client->all, .fd = -1 };
}

void client_kill(struct client *client)
{
	client->all->handlers.gone(client->all->handlers.ctx, client);
	put_away(client);
}

/* ---- out ---- */

static void on_ready(void *ctx, uint32_t events);

/* What comes from a client that is ending is not read any more: it must not wake the loop either. */
static int watch(struct client *client)
{
	uint32_t events = client->ending ? 0 : EPOLLIN;

	if (client->waits_to_send)
		events |= EPOLLOUT;
	return loop_watch(client->all->loop, client->fd, events, on_ready, client);
}

/* A system call only when it changes something: a busy trace sends thousands of frames a second. */
static int wait_to_send(struct client *client, bool wait)
{
	if (client->waits_to_send == wait)
		return 0;
	client->waits_to_send = wait;
	client->deadline_ns = wait ? clock_now_ns() + CLIENT_TAKE_NS : 0;
	return watch(client);
}

/* False: the client is gone. */
static bool send_queued(struct client *client)
{
	while (client->out_sent < client->out_length) {
		ssize_t n =
			send(client->fd, client->out + client->out_sent,
			     client->out_length - client->out_sent, MSG_NOSIGNAL | MSG_DONTWAIT);

		if (n < 0 && (errno == EAGAIN || errno == EINTR))
			break;
		if (n < 0) {
			client_kill(client);
			return false;
		}
		client->out_sent += (size_t)n;
		client->deadline_ns = clock_now_ns() + CLIENT_TAKE_NS;
	}
	if (client->out_sent == client->out_length) {
		client->out_sent = client->out_length = 0;
		if (client->ending) {
			client_kill(client);
			return false;
		}
	}
	wait_to_send(client, client->out_length != 0);
	return true;
}

static int make_room(struct client *client, size_t more)
{
	size_t waiting = client->out_length - client->out_sent, room;
	char *out;

	if (waiting + more > QUEUE_MAX)
		return -ENOBUFS;
	if (client->out_sent) {
		memmove(client->out, client->out + client->out_sent, waiting);
		client->out_length = waiting;
		client->out_sent = 0;
	}
	if (waiting + more <= client->out_room)
		return 0;
	room = (waiting + more) * 2;
	out = realloc(client->out, room);
	if (!out)
		return -ENOMEM;
	client->out = out;
	client->out_room = room;
	return 0;
}

/* Puts a frame behind those that wait. */
static int queue_frame(struct client *client, enum wire_kind kind, const void *payload,
		       size_t length)
{
	struct wire_header header = { .length = (uint32_t)length, .kind = kind };
	int r;

	if (client->ending)
		return -EPIPE;
	r = make_room(client, sizeof(header) + length);
	if (r < 0)
		return r;
	memcpy(client->out + client->out_length, &header, sizeof(header));
	memcpy(client->out + client->out_length + sizeof(header), payload, length);
	client->out_length += sizeof(header) + length;
	return 0;
}

/* Frames go out when the loop next finds the socket writable: many small ones leave together. */
int client_send(struct client *client, enum wire_kind kind, const void *payload, size_t length)
{
	int r = queue_frame(client, kind, payload, length);

	return r < 0 ? r : wait_to_send(client, true);
}

int client_send_later(struct client *client, enum wire_kind kind, const void *payload,
		      size_t length)
{
	int r = queue_frame(client, kind, payload, length);

	if (r < 0 || client->out_length - client->out_sent < LATER_MAX)
		return r;
	return wait_to_send(client, true);
}

int client_send_json(struct client *client, enum wire_kind kind, json_t *value)
{
	_cleanup_(freep) char *text = value ? json_dumps(value, JSON_COMPACT) : NULL;

	json_decref(value);
	return text ? client_send(client, kind, text, strlen(text)) : -ENOMEM;
}

void client_end(struct client *client)
{
	client->ending = true;
	client->waits_to_send = true;
	client->deadline_ns = clock_now_ns() + CLIENT_TAKE_NS;
	watch(client);
}

/* ---- in ---- */

static void handle_frame(struct client *client, const char *payload, size_t length)
{
	json_t *request = json_loadb(payload, length, JSON_REJECT_DUPLICATES, NULL);

	if (json_is_object(request))
		client->all->handlers.request(client->all->handlers.ctx, client, request);
	else
		client_end(client);
	json_decref(request);
}

/* The bytes of one frame, the header first; then again. False: not yet whole, or the client is gone. */
static bool read_frame(struct client *client, bool *ret_gone)
{
	struct wire_header header;
	size_t wanted = sizeof(header);
	ssize_t n;

	if (client->in_length >= sizeof(header)) {
		memcpy(&header, client->in, sizeof(header));
		if (header.length > WIRE_REQUEST_MAX || header.kind != WIRE_REQUEST) {
			*ret_gone = true;
			return false;
		}
		wanted += header.length;
	}
	if (client->in_length == wanted)
		return true;
	n = recv(client->fd, client->in + client->in_length, wanted - client->in_length,
		 MSG_DONTWAIT);
	if (n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR))
		*ret_gone = true;
	if (n <= 0)
		return false;
	if (client->in_length == 0 && !client->deadline_ns)
		client->deadline_ns = clock_now_ns() + CLIENT_ASK_NS;
	client->in_length += (size_t)n;
	return read_frame(client, ret_gone);
}

/* A whole request is answered from here, and the clock of what was asked before stops. */
static void take_request(struct client *client)
{
	size_t length = client->in_length - sizeof(struct wire_header);

	client->in_length = 0;
	if (!client->waits_to_send)
		client->deadline_ns = 0;
	handle_frame(client, client->in + sizeof(struct wire_header), length);
}

static void on_ready(void *ctx, uint32_t events)
{
	struct client *client = ctx;
	bool gone = false;

	if (events & EPOLLIN && !client->ending && read_frame(client, &gone))
		take_request(client);
	if (gone || (events & (EPOLLERR | EPOLLHUP))) {
		client_kill(client);
		return;
	}
	send_queued(client);
}

/* ---- all of them ---- */

int clients_new(struct loop *loop, const struct client_handlers *handlers,
		struct clients **ret_clients)
{
	struct clients *clients = calloc(1, sizeof(*clients));

	if (!clients)
		return -ENOMEM;
	clients->loop = loop;
	clients->handlers = *handlers;
	for (size_t i = 0; i < CLIENTS_MAX; i++)
		clients->client[i] = (struct client){ .all = clients, .fd = -1 };
	*ret_clients = clients;
	return 0;
}

void clients_free(struct clients *clients)
{
	for (size_t i = 0; clients && i < CLIENTS_MAX; i++)
		if (clients->client[i].fd >= 0)
			put_away(&clients->client[i]);
	free(clients);
}

size_t clients_count(const struct clients *clients)
{
	size_t count = 0;

	for (size_t i = 0; i < CLIENTS_MAX; i++)
		count += clients->client[i].fd >= 0;
	return count;
}

/* Nothing of it was ever answered or is being answered. */
static bool has_not_asked(const struct client *client)
{
	return client->fd >= 0 && client->deadline_ns && !client->waits_to_send;
}

/* A free place; when there is none, that of the one which has kept us waiting longest. */
static struct client *free_place(struct clients *clients)
{
	struct client *longest = NULL;

	for (size_t i = 0; i < CLIENTS_MAX; i++) {
		struct client *client = &clients->client[i];

		if (client->fd < 0)
			return client;
		if (has_not_asked(client) &&
		    (!longest || client->deadline_ns < longest->deadline_ns))
			longest = client;
	}
	if (longest)
		client_kill(longest);
	return longest;
}

int clients_add(struct clients *clients, int fd)
{
	_cleanup_(closep) int mine = fd;
	struct client *client;
	int r;

	if (!peer_is_root(fd))
		return -EPERM;
	client = free_place(clients);
	if (!client)
		return -EMFILE;
	client->in = malloc(sizeof(struct wire_header) + WIRE_REQUEST_MAX);
	if (!client->in)
		return -ENOMEM;
	client->fd = TAKE_FD(mine);
	client->token = ++clients->tokens;
	client->deadline_ns = clock_now_ns() + CLIENT_ASK_NS;
	r = watch(client);
	if (r < 0)
		put_away(client);
	return r;
}

void clients_tick(struct clients *clients, uint64_t now_ns)
{
	for (size_t i = 0; i < CLIENTS_MAX; i++) {
		struct client *client = &clients->client[i];

		if (client->fd >= 0 && client->deadline_ns && now_ns >= client->deadline_ns)
			client_kill(client);
	}
}
