/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * client.h - one connection to the control socket, on the owner's side: whole frames in, frames out, nothing that a
 * slow or silent peer could hold up. Root only; the peer's credentials are asked of the kernel.
 */
#ifndef HF_DAEMON_CLIENT_H
#define HF_DAEMON_CLIENT_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "daemon/loop.h"
#include "daemon/wire.h"

struct client;

struct client_handlers {
	/* A whole request. The handler answers by client_reply() or ends the client; `request` is borrowed. */
	void (*request)(void *ctx, struct client *client, json_t *request);
	/* The connection is over; the client is freed after this. */
	void (*gone)(void *ctx, struct client *client);
	void *ctx;
};

/* Takes fd over. -EPERM: the peer is not root. */
int client_new(struct loop *loop, int fd, const struct client_handlers *handlers,
	       struct client **ret_client);

/* Names the client for as long as the owner lives; never 0. */
uint64_t client_token(const struct client *client);

/*
 * Queues a frame; the reference to value is taken. When the peer does not read and the queue is full, -ENOBUFS: the
 * frame is dropped. A client that is ending takes no more.
 */
int client_send(struct client *client, enum wire_kind kind, const void *payload, size_t length);
int client_send_json(struct client *client, enum wire_kind kind, json_t *value);
/* Ends the connection when everything queued is sent. */
void client_end(struct client *client);
/* Ends it now; calls gone(). */
void client_kill(struct client *client);

#endif
