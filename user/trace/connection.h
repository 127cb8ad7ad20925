/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * connection.h - the table of connections, found by the pair of their ends, either way round.
 */
#ifndef HOPFAULT_TRACE_CONNECTION_H
#define HOPFAULT_TRACE_CONNECTION_H

#include <stdbool.h>
#include <stdint.h>

#include "abi.h"
#include "trace/message.h"
#include "trace/pool.h"
#include "trace/stream.h"

/* Which end; streams are numbered by the end that sends. The smaller address and port is END_A. */
enum end { END_A, END_B };
#define NO_END (-1)

struct connection_key {
	struct hf_addr addr[2];
	uint16_t port[2];
	uint8_t proto;
};

/* By use, as struct stream. */
struct connection {
	struct connection *next; /* in its bucket */
	struct connection_key key;
	bool is_busy; /* has open calls, or is about to end: looked at in each sweep */
	bool is_deaf; /* a call found no room: what follows could be paired wrongly */
	bool client_is_sure; /* told by the handshake, or by an HTTP head */
	int8_t client; /* enum end, or NO_END */
	bool closed[2];
	bool is_interim; /* the response that is answered is a 1xx: the response proper comes after it */
	bool is_interrupted; /* a new request began before that response had been read */
	uint32_t calls_begun;

	uint32_t endpoint[2];
	uint64_t last_ns; /* of its newest event */
	uint64_t attempt_ns; /* connecting, since then; TIME_UNKNOWN: not, or not any more */
	struct open_call *first, *last;
	/* whose response the server's next bytes continue; NULL: none */
	struct open_call *answering;
	struct connection *newer, *older; /* in the list of the busy or of the idle */

	struct stream stream[2];
	struct interval_set holds;
	struct handshake handshake;
	struct cause attempt_cause;
	uint64_t syn_dropped_ns[2]; /* TIME_UNKNOWN: not */
	bool syn_entered[2];
};

struct connection_list {
	struct connection *oldest, *newest; /* by last event, nearly */
};

#define RECENT_BITS 6

struct connections {
	struct pool pool;
	struct budget *budget;
	uint32_t buckets; /* a power of two */
	uint64_t seed;
	struct connection **bucket;
	/* found last, by ports: what is busy is asked for again and again, and seldom are two of them in one place */
	struct connection *recent[1 << RECENT_BITS];
	struct connection_list busy, idle;
};

/* Returns 0 or -ENOMEM. */
int connections_init(struct connections *connections, struct budget *budget, unsigned int max,
		     uint64_t seed);
void connections_free(struct connections *connections);

/* The connection of this flow, or NULL; *ret_end is the end that sends it, in any case. */
struct connection *connection_find(struct connections *connections, const struct hf_flow *flow,
				   enum end *ret_end);
/* Adds one that is not there; NULL: no room. */
struct connection *connection_add(struct connections *connections, const struct hf_flow *flow);
/* Forgets it; its calls must have gone. */
void connection_drop(struct connections *connections, struct connection *connection);
/* Puts it at the end of the list where it belongs now. */
void connection_touch(struct connections *connections, struct connection *connection, bool is_busy);

#endif
