/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * tracer.h - events go in, chains of calls come out.
 *
 *     lanes, ring --> tracer_feed --> window --> messages --> calls --> chains --> on_chain
 *                     (nearly in      (in order)
 *                      order)
 *
 * One thread, no clock of its own, no file, no socket: time is what events and tracer_tick() say, so the
 * same events give the same chains. Memory is bounded by the options; whatever does not fit, does not pair
 * or takes too long is counted in the statistics and never forgotten in silence.
 */
#ifndef HOPFAULT_TRACE_TRACER_H
#define HOPFAULT_TRACE_TRACER_H

#include <stddef.h>
#include <stdint.h>

#include "abi.h"
#include "trace/call.h"

struct tracer;

/* All zero but on_chain is a good set: 0 means the default that is named beside the field. */
struct tracer_options {
	/* The tree is valid during the call only. It must not call back into this tracer. */
	void (*on_chain)(void *ctx, const struct chain *chain);
	/*
	 * Whose address is this? Asked for both ends when a connection is first heard of; 0: nobody's that is known. NULL: a name
	 * is learnt from the events alone.
	 */
	uint32_t (*endpoint_at)(void *ctx, const struct hf_addr *addr);
	void *ctx; /* of both */

	uint64_t window_ns; /* how much out of order events may come; 10 ms */
	unsigned int window_max; /* events waiting in that window; 65536 */
	unsigned int connections; /* known at once; 65536 */
	unsigned int calls; /* begun and not yet handed out as part of a tree; 65536 */
	size_t memory_max; /* bytes for all of it; 256 MiB */

	uint64_t settle_ns; /* a response that was read has ended when nothing follows; 1 s */
	uint64_t call_ns; /* a call without a response is given up; 30 s */
	uint64_t connection_ns; /* a connection without any event is forgotten; 300 s */

	uint64_t seed; /* of trace and span ids; 0: from the system */
};

#define TRACER_KINDS  3 /* by enum hf_event_kind, passages taken apart; [0] unused */
#define TRACER_POINTS 4 /* by enum hf_point; [0] unused */
#define TRACER_OPS    6 /* by enum hf_socket_op; [0] unused */

struct tracer_stats {
	uint64_t events[TRACER_KINDS];
	uint64_t packets[TRACER_POINTS];
	uint64_t sockets[TRACER_OPS];
	uint64_t malformed; /* wrong size, version, kind, point, verdict or op: dropped */
	uint64_t late; /* older than what the window has let go: dropped */
	uint64_t hurried; /* let go before their time because the window was full */

	uint64_t unmatched_responses; /* no request waits for these bytes */
	uint64_t unmatched_sightings; /* a release of what was never held */
	uint64_t refused_connections; /* no room */
	uint64_t refused_calls; /* no room */
	uint64_t forgotten_sightings; /* no room: what they said is missing in a row */
	uint64_t expired_connections; /* no event for connection_ns */
	uint64_t expired_calls; /* no response for call_ns */
	uint64_t contradictions; /* points put right by the rule in stage.h */

	uint64_t calls_complete; /* rows handed out; every point was seen */
	uint64_t calls_incomplete;
	uint64_t chains;
	uint64_t orphans; /* roots that began while their source had an inbound call open */
	uint64_t linked[LINK_METHOD_COUNT]; /* rows by method; [LINK_NONE] are roots */

	/* now, and the most so far */
	uint64_t connections_now;
	uint64_t calls_now;
	uint64_t memory_now;
	uint64_t memory_most;
};

/* Returns 0, or -EINVAL (no on_chain), or -ENOMEM. */
int tracer_new(const struct tracer_options *options, struct tracer **ret_tracer);
/* Drops what is open without handing it out; NULL is fine. */
void tracer_free(struct tracer *tracer);

/*
 * One record as a program wrote it. Returns 0, or -EBADMSG when it is not an event of this ABI (counted as
 * malformed; the tracer goes on).
 */
int tracer_feed(struct tracer *tracer, const void *event, size_t size);

/*
 * Says what time it is (CLOCK_MONOTONIC): lets the window move on, and expires what is old. Call it some
 * times a second, and only when all before it has been fed: what comes after would be late.
 */
void tracer_tick(struct tracer *tracer, uint64_t now_ns);

/* The end of a trace: everything that is open is handed out, as complete as it is. The tracer can go on after it. */
void tracer_finish(struct tracer *tracer);

/* Valid until tracer_free(); the figures move. */
const struct tracer_stats *tracer_stats(struct tracer *tracer);

static inline void tracer_freep(struct tracer **tracer)
{
	tracer_free(*tracer);
}

#endif
