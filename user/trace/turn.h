/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * turn.h - which bytes of a connection are which request and which response. The inner half of message.c.
 */
#ifndef HOPFAULT_TRACE_TURN_H
#define HOPFAULT_TRACE_TURN_H

#include <stdint.h>

#include "trace/connection.h"
#include "trace/head.h"
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

/* The connection and the end whose bytes are in hand. */
struct way {
	struct messages *messages;
	struct connection *connection;
	enum end from;
};

/* What streams of a way tell goes into the messages of its calls; ctx is a struct way. */
extern const struct stream_sink turn_stream_sink;

/* Bytes that were not seen before go their way; head is that of the packet when it begins at `begin`. */
void turn_bytes(const struct way *way, uint64_t begin, uint64_t end, const struct head *head);
/* The receiver of this way has read [begin, end) in process `pid`, thread `tid`. */
void turn_read(const struct way *way, uint64_t begin, uint64_t end, uint32_t pid, uint32_t tid);
/* Ends the calls whose end is certain; with is_quiet, also a response that was read and that nothing follows. */
void turn_settle(const struct way *way, bool is_quiet);
/* Gives up calls that began before `before_ns`; they stay to swallow their responses. */
void turn_expire(const struct way *way, uint64_t before_ns);
/*
 * The sender of this way has closed its end: if it is the client, it waits for nothing any more. Not `for_sure`, it may
 * only have ended its sending (but whoever speaks HTTP does not close one half and go on reading).
 */
void turn_abandon(const struct way *way, bool for_sure);
/* The end, or a reset, of the server's way has reached the client: what is not being answered will not be. */
void turn_break(const struct way *way);
/* Ends the calls that were given up before `before_ns`; they stay to swallow their responses. */
void turn_end_abandoned(const struct way *way, uint64_t before_ns);
/* Connecting came to an end without a connection, or by nobody: without any end that was seen. */
void turn_end_attempt(const struct way *way, enum ended_by ended_by);
/* Ends all calls and forgets them. */
void turn_end_all(const struct way *way);

/* A packet without bytes, on this way, was dropped or delayed by these rules while `call` went on. */
void turn_note_act(const struct way *way, struct open_call *call, const uint32_t *rule_id,
		   bool is_drop);
/* The sender's TCP sends these bytes again. */
void turn_note_resent(const struct way *way, uint64_t begin, uint64_t end);

/* The message of this way's direction in a call. */
struct message *turn_message(const struct way *way, struct open_call *call);

#endif
