/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * client.h - the connections to the control socket, on the owner's side: whole frames in, frames out, nothing that a
 * slow or silent peer could hold up. Root only; the peer's credentials are asked of the kernel.
 *
 *     at most CLIENTS_MAX at a time        else the one that has not asked anything for longest makes room
 *     a request                            whole within CLIENT_ASK_NS of the connection or of its first byte,
 *                                          at most WIRE_REQUEST_MAX
 *     an answer                            whoever takes none of it for CLIENT_TAKE_NS is dropped
 */
#ifndef HF_DAEMON_CLIENT_H
#define HF_DAEMON_CLIENT_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "daemon/loop.h"
#include "daemon/wire.h"

#define CLIENTS_MAX    64 /* descriptors are needed for other things as well */
#define CLIENT_ASK_NS  2000000000ULL
#define CLIENT_TAKE_NS 30000000000ULL

struct client;
struct clients;

struct client_handlers {
	/* A whole request. The handler answers by client_reply() or ends the client; `request` is borrowed. */
	void (*request)(void *ctx, struct client *client, json_t *request);
	/* The connection is over; the client is freed after this. */
	void (*gone)(void *ctx, struct client *client);
	void *ctx;
};

int clients_new(struct loop *loop, const struct client_handlers *handlers,
		struct clients **ret_clients);
/* Ends all of them, without gone(). NULL is fine. */
void clients_free(struct clients *clients);
/* Takes fd over. -EPERM: the peer is not root. -EMFILE: there are too many, and each is being served. */
int clients_add(struct clients *clients, int fd);
size_t clients_count(const struct clients *clients);
/* Drops those whose time is over. To be called now and then: several times a second. */
void clients_tick(struct clients *clients, uint64_t now_ns);

/* Names the client for as long as the owner lives; never 0. */
uint64_t client_token(const struct client *client);

/*
 * Queues a frame; the reference to value is taken. When the peer does not read and the queue is full, -ENOBUFS: the
 * frame is dropped. A client that is ending takes no more.
 */
int client_send(struct client *client, enum wire_kind kind, const void *payload, size_t length);
/*
 * The same for what is in no hurry: it goes with the next frame that is, or when there is much of it. Waking who reads it
 * costs more than reading it.
 */
int client_send_later(struct client *client, enum wire_kind kind, const void *payload,
		      size_t length);
int client_send_json(struct client *client, enum wire_kind kind, json_t *value);
/* Ends the connection when everything queued is sent. */
void client_end(struct client *client);
/* Ends it now; calls gone(). */
void client_kill(struct client *client);

#endif
