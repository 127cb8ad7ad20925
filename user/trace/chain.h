/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * chain.h - ties calls to the calls that caused them, and hands out each tree when all of it is over.
 */
#ifndef HOPFAULT_TRACE_CHAIN_H
#define HOPFAULT_TRACE_CHAIN_H

#include <stdint.h>

#include "trace/call.h"
#include "trace/cause.h"
#include "trace/pool.h"
#include "trace/tracer.h"

struct chains;
struct node; /* a call in its tree */

struct chain_sink {
	void *ctx;
	void (*on_chain)(void *ctx, const struct chain *chain);
};

/* Returns 0 or -ENOMEM. */
int chains_new(const struct chain_sink *sink, unsigned int max, uint64_t seed,
	       struct budget *budget, struct tracer_stats *stats, struct chains **ret_chains);
void chains_free(struct chains *chains);

/* What is known of the cause, for bytes that this thread begins to send now. */
void chain_look(struct chains *chains, uint32_t endpoint, uint32_t pid, uint32_t tid,
		struct cause *ret_cause);
/* A call begins that may have this cause. NULL: no room, counted. */
struct node *chain_begin(struct chains *chains, const struct cause *cause);
/* Its server has read the request: from now on it may cause others, until the answer. */
void chain_request_read(struct chains *chains, struct node *node, uint32_t endpoint, uint32_t pid,
			uint32_t tid);
void chain_answered(struct chains *chains, struct node *node);
/* Its client has all of the response, or waits no more. May come again; the last one counts. */
void chain_client_done(struct node *node);
/* The call's row, all 0 at first, to be filled before chain_end(). */
struct call *chain_row(struct node *node);
/*
 * The call is over; its row is completed with ids, link, depth and srv_self_ns when its tree is handed out. [app_from_ns,
 * app_to_ns) is when the server had it; both TIME_UNKNOWN if not known.
 */
void chain_end(struct chains *chains, struct node *node, uint64_t app_from_ns, uint64_t app_to_ns);

unsigned int chains_open(const struct chains *chains);

#endif
