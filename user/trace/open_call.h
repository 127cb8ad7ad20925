/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * open_call.h - the calls of a connection, from the first byte of the request until nothing of them can come any more.
 */
#ifndef HOPFAULT_TRACE_OPEN_CALL_H
#define HOPFAULT_TRACE_OPEN_CALL_H

#include <stdbool.h>
#include <stdint.h>

#include "trace/head.h"
#include "trace/way.h"

/* ---- the beginning ---- */

/* A request of the bytes [begin, end); told to the sink. NULL: no room, and this connection is deaf from here on. */
struct open_call *open_call_begin(const struct way *way, uint64_t begin, uint64_t end,
				  const struct head *head);
/* One that had begun is an interim response, and forgotten. Returns the call that sent its first byte, or NULL. */
const struct send *message_begin(struct open_call *call, enum part part,
				 const struct stream *stream, uint64_t begin);
void message_forget(struct open_call *call, enum part part);
void open_call_note_head(struct open_call *call, const struct head *head);

/* ---- meanwhile ---- */

bool open_call_is_http(const struct open_call *call);
/* As far as can be seen, the client has all of the response that the server has sent. */
bool open_call_has_response(const struct way *way, const struct open_call *call);
/* What the server sends next is of no response that has begun. */
void stop_answering(struct connection *connection);

/* ---- the end ---- */

/* Ends the calls whose end is certain; with is_quiet, also a response that was read and that nothing follows. */
void open_calls_settle(const struct way *way, bool is_quiet);
/* Gives up calls that began before `before_ns`; they stay to swallow their responses. */
void open_calls_expire(const struct way *way, uint64_t before_ns);
/*
 * The sender of this way has closed its end: if it is the client, it waits for nothing any more. Not `for_sure`, it may
 * only have ended its sending (but whoever speaks HTTP does not close one half and go on reading).
 */
void open_calls_abandon(const struct way *way, bool for_sure);
/* The end, or a reset, of the server's way has reached the client: what is not being answered will not be. */
void open_calls_break(const struct way *way);
/* Ends the calls that were given up before `before_ns`; they stay to swallow their responses. */
void open_calls_end_abandoned(const struct way *way, uint64_t before_ns);
/* Ends all calls and forgets them. */
void open_calls_end(const struct way *way);
/* Connecting came to an end without a connection, or by nobody: without any end that was seen. */
void open_attempt_end(const struct way *way, enum ended_by ended_by);

#endif
