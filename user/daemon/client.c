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

#define QUEUE_MAX     (32 * 1024 * 1024)
#define REQUEST_DEPTH 16

struct client {
	struct loop *loop;
	int fd;
	uint64_t token;
	struct client_handlers handlers;
	bool ending;
	bool waits_to_send; /* the loop tells when the socket is writable */
	char *in; /* a frame that is coming in */
	size_t in_length;
	char *out; /* frames that are going out */
	size_t out_length;
	size_t out_sent;
	size_t out_room;
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

void client_kill(struct client *client)
{
	client->handlers.gone(client->handlers.ctx, client);
	loop_unwatch(client->loop, client->fd);
	close(client->fd);
	free(client->in);
	free(client->out);
	free(client);
}

/* ---- out ---- */

static void on_ready(void *ctx, uint32_t events);

/* A system call only when it changes something: a busy trace sends thousands of frames a second. */
static int wait_to_send(struct client *client, bool wait)
{
	if (client->waits_to_send == wait)
		return 0;
	client->waits_to_send = wait;
	return loop_watch(client->loop, client->fd, wait ? EPOLLIN | EPOLLOUT : EPOLLIN, on_ready,
			  client);
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

/* Frames go out when the loop next finds the socket writable: many small ones leave together. */
int client_send(struct client *client, enum wire_kind kind, const void *payload, size_t length)
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
	wait_to_send(client, true);
}

/* ---- in ---- */

static void handle_frame(struct client *client, const char *payload, size_t length)
{
	json_t *request = json_loadb(payload, length, JSON_REJECT_DUPLICATES, NULL);

	if (json_is_object(request))
		client->handlers.request(client->handlers.ctx, client, request);
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
	client->in_length += (size_t)n;
	return read_frame(client, ret_gone);
}

static void on_ready(void *ctx, uint32_t events)
{
	struct client *client = ctx;
	bool gone = false;

	if (events & EPOLLIN && !client->ending) {
		if (read_frame(client, &gone)) {
			size_t length = client->in_length - sizeof(struct wire_header);

			client->in_length = 0;
			handle_frame(client, client->in + sizeof(struct wire_header), length);
		}
	}
	if (gone || (events & (EPOLLERR | EPOLLHUP))) {
		client_kill(client);
		return;
	}
	send_queued(client);
}

int client_new(struct loop *loop, int fd, const struct client_handlers *handlers,
	       struct client **ret_client)
{
	static uint64_t tokens; /* how many clients this process has had */
	struct client *client;
	int r;

	if (!peer_is_root(fd)) {
		close(fd);
		return -EPERM;
	}
	client = calloc(1, sizeof(*client));
	if (!client) {
		close(fd);
		return -ENOMEM;
	}
	client->in = malloc(sizeof(struct wire_header) + WIRE_REQUEST_MAX);
	client->loop = loop;
	client->fd = fd;
	client->handlers = *handlers;
	client->token = ++tokens;
	r = client->in ? loop_watch(loop, fd, EPOLLIN, on_ready, client) : -ENOMEM;
	if (r < 0) {
		close(fd);
		free(client->in);
		free(client);
		return r;
	}
	*ret_client = client;
	return 0;
}
