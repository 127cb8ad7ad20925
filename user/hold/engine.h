/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * engine.h - the thread's half of the delay engine: everything here is touched by one thread only, but for what
 * is marked. hold.c is the other half: it talks to the thread and never reaches into it.
 */
#ifndef HOPFAULT_HOLD_ENGINE_H
#define HOPFAULT_HOLD_ENGINE_H

#include <stdbool.h>
#include <stdint.h>

#include "hold/hold.h"
#include "hold/pace.h"
#include "hold/port.h"
#include "hold/queue.h"

#define ENGINE_PORTS_MAX 256

/* Written by the thread, read by anyone: relaxed atomic words. */
struct engine_counts {
	uint64_t held_packets;
	uint64_t held_bytes;
	uint64_t held_ever;
	uint64_t released;
	uint64_t flushed;
	uint64_t refused;
	uint64_t send_errors;
	uint64_t stale;
	uint64_t overflow;
	uint64_t malformed;
	uint64_t wakes;
	uint64_t spun_ns;
};

struct engine {
	const volatile struct hf_config *config;
	struct hf_return *returns; /* HF_RETURN_SLOTS of them */
	unsigned next_return; /* a slot, by turns */
	struct queue *queue;
	struct port_batch *batch;
	struct pace pace;
	struct port *port[ENGINE_PORTS_MAX]; /* NULL: free */
	unsigned ports; /* all in use are below */
	int wake_fd; /* an eventfd: look at what was asked */
	struct engine_counts counts; /* shared */
	struct spread release; /* shared */
	struct spread wake; /* shared */
	uint64_t heartbeat_ns; /* shared, atomic */
};

int engine_init(struct engine *engine, const struct hold_options *options,
		const struct hold_shared *shared);
/* Closes the ports that are left; frames still held are lost. */
void engine_done(struct engine *engine);

/* One round: release what is due, read what has come; wait when there was neither. */
void engine_turn(struct engine *engine);

/* -ENOSPC: too many. The port is the engine's until engine_remove_port() gives it back. */
int engine_add_port(struct engine *engine, struct port *port);
/* Index, or -ENOENT. */
int engine_find_port(const struct engine *engine, dev_t netns_dev, ino_t netns_ino);
/* Releases what it holds first. */
struct port *engine_remove_port(struct engine *engine, unsigned index);

/* Reads all that waits in the rings, then releases every frame that `choose` names, in order. */
void engine_flush(struct engine *engine, bool (*choose)(void *ctx, const struct packet *packet),
		  void *ctx);

#endif
