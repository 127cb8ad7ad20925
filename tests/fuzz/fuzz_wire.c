/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * fuzz_wire.c - any bytes on the control socket: nothing crashes, what is handed on as a request is an object that fits its
 * bytes, and the connection ends with the bytes. The same bytes as the owner's answer: no frame is longer than what came.
 *
 *     build/fuzz_wire -max_total_time=30
 *
 * uses: user/daemon/client.c user/daemon/loop.c user/daemon/wire.c
 */
#include <errno.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "daemon/client.h"

#define SIZE_MAX_BYTES 60000 /* what a socket takes at once */
#include "promise.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Of endpoint/, which asks the environment; frames need no folder. */
int lab_run_dir(const char **ret_dir);
int lab_run_dir(const char **ret_dir)
{
	return -EINVAL;
}

struct owner {
	struct loop *loop;
	size_t requests;
	int gone;
};

/* Every request is answered, and none ends the connection: all of the bytes are read. */
static void on_request(void *ctx, struct client *client, json_t *request)
{
	struct owner *owner = ctx;

	must(json_is_object(request), "a request is an object");
	owner->requests++;
	client_send_json(client, WIRE_REPLY, json_incref(request));
}

static void on_gone(void *ctx, struct client *client)
{
	struct owner *owner = ctx;

	owner->gone++;
	loop_stop(owner->loop);
}

/* Sent, and no more will come. */
static int sent(const uint8_t *data, size_t size, int *ret_peer)
{
	int end[2];

	must(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, end) == 0, "a pair of sockets");
	must(send(end[0], data, size, MSG_NOSIGNAL | MSG_DONTWAIT) == (ssize_t)size, "it is sent");
	shutdown(end[0], SHUT_WR);
	*ret_peer = end[0];
	return end[1];
}

static void try_as_requests(const uint8_t *data, size_t size)
{
	struct owner owner = { 0 };
	const struct client_handlers handlers = { on_request, on_gone, &owner };
	struct clients *clients;
	int peer, fd = sent(data, size, &peer);

	must(loop_new(&owner.loop) == 0 && clients_new(owner.loop, &handlers, &clients) == 0,
	     "memory");
	must(clients_add(clients, fd) == 0, "a client is let in");
	loop_run(owner.loop);
	must(owner.gone == 1 && clients_count(clients) == 0, "the connection ends, once");
	must(owner.requests <= size / (sizeof(struct wire_header) + 2), "a request has bytes");
	clients_free(clients);
	loop_free(owner.loop);
	close(peer);
}

static void try_as_answers(const uint8_t *data, size_t size)
{
	int peer, fd = sent(data, size, &peer), r;
	struct wire_reader reader = { .fd = fd };
	const char *payload;
	enum wire_kind kind;
	size_t length, all = 0;

	do {
		while ((r = wire_reader_next(&reader, &kind, &payload, &length)) > 0) {
			all += sizeof(struct wire_header) + length;
			must(payload[length] == '\0', "a frame has a NUL behind it");
			must(((uintptr_t)payload & 7) == 0, "a frame is aligned");
		}
	} while (r == 0 && wire_reader_fill(&reader) == 0);
	must(all <= size, "no more comes out than went in");
	wire_reader_done(&reader);
	close(fd);
	close(peer);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size == 0 || size > SIZE_MAX_BYTES || geteuid() != 0) /* another is not let in */
		return 0;
	if (data[0] & 1)
		try_as_answers(data + 1, size - 1);
	else
		try_as_requests(data + 1, size - 1);
	return 0;
}
