/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * calls.h - makes the row of a call from its two messages. See call.h for the row.
 */
#ifndef HOPFAULT_TRACE_CALLS_H
#define HOPFAULT_TRACE_CALLS_H

#include "trace/chain.h"
#include "trace/message.h"
#include "trace/stage.h"
#include "trace/tracer.h"

/* What stands between messages and chains. */
struct calls {
	struct chains *chains;
	struct tracer_stats *stats;
};

/* A message sink that makes calls and gives them to the chains; `calls` must live as long. */
struct message_sink calls_sink(struct calls *calls);

/*
 * Fills all of the row, which is 0 before, but what the chain knows (ids, depth, link, srv_self_ns). point_ns[] gets the
 * instants that the stages were cut at. Returns how many points contradicted each other (see stage_cut()).
 */
unsigned int call_fill(const struct open_call *open, struct call *ret_call,
		       uint64_t ret_point_ns[POINT_COUNT]);

#endif
