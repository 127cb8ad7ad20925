/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * way.h - a connection and the end whose bytes are in hand: what turn.c, open_call.c and sighting.c work on. The inside of
 * message.c.
 */
#ifndef HOPFAULT_TRACE_WAY_H
#define HOPFAULT_TRACE_WAY_H

#include <stdint.h>

#include "trace/connection.h"
#include "trace/message.h"

struct messages {
	struct message_sink sink;
	struct address_book addresses;
	struct message_limits limits;
	struct budget *budget;
	struct tracer_stats *stats;
	struct connections connections;
	struct pool calls;
	uint64_t now_ns; /* of the event in hand */
};

struct way {
	struct messages *messages;
	struct connection *connection;
	enum end from;
};

static inline enum end client_of(const struct connection *connection)
{
	return (enum end)connection->client;
}

/* What this way carries. */
static inline enum part way_part(const struct way *way)
{
	return way->from == client_of(way->connection) ? REQUEST : RESPONSE;
}

/* The way of the same connection that carries `part`. */
static inline struct way way_of_part(const struct way *way, enum part part)
{
	enum end client = client_of(way->connection);

	return (struct way){ way->messages, way->connection, part == REQUEST ? client : !client };
}

static inline struct stream *way_stream(const struct way *way, enum part part)
{
	return &way->connection->stream[way_of_part(way, part).from];
}

/* The message of this way in a call. */
static inline struct message *way_message(const struct way *way, struct open_call *call)
{
	return &call->message[way_part(way)];
}

/* Calls the body for each message of this way that has bytes of [begin_, end_). */
#define hf_for_each_message(way, call, message, begin_, end_)          \
	for (call = (way)->connection->first; call; call = call->next) \
		if (message = way_message(way, call),                  \
		    message->begin < (end_) && (begin_) < message->end)

#endif
