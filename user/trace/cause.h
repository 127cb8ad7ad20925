/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * cause.h - which inbound call does an endpoint work on at this instant?
 *
 * An inbound call is open in B from B's having read the request until B's response begins. What is known of the cause of
 * an outbound call is looked up when its send call begins, because a moment later the thread may have
 * gone on to other work.
 */
#ifndef HOPFAULT_TRACE_CAUSE_H
#define HOPFAULT_TRACE_CAUSE_H

#include <stdbool.h>
#include <stdint.h>

#include "trace/pool.h"

struct cause_group;

/* A call as its server sees it; part of something larger that begins with the id. */
struct inbound {
	uint64_t id; /* never 0 and never used again while it lives; 0 once it has gone */
	bool is_open;
	uint32_t tid;
	struct inbound *next_of_thread; /* in the bucket of its thread, the last one first */
	struct inbound *prev_of_thread;
	/* [0] of the endpoint, [1] of the process */
	struct cause_group *group[2];
	struct inbound *next_of_group[2];
	struct inbound *prev_of_group[2];
};

/* A call that may have been the cause; good only while it still has this id. */
struct suspect {
	struct inbound *inbound;
	uint64_t id;
};

/* What was known when a send call began. All zero: nothing. */
struct cause {
	struct suspect only; /* the one inbound call that was open */
	struct suspect thread; /* the one open inbound call that this thread had read */
	uint64_t opened; /* to tell whether another opened since .. */
	bool of_process; /* .. in the process, or (false) in the endpoint */
	bool any; /* at least one was open */
};

struct causes;

/* Returns 0 or -ENOMEM. */
int causes_new(unsigned int max, struct budget *budget, struct causes **ret_causes);
void causes_free(struct causes *causes);

/* `tid` of process `pid` at `endpoint` has read the whole request. Again for an open one: it moves to this thread. */
void causes_open(struct causes *causes, struct inbound *inbound, uint32_t endpoint, uint32_t pid,
		 uint32_t tid);
/* The response begins, or the call is over. */
void causes_close(struct causes *causes, struct inbound *inbound);
/* A send call begins; pid and tid are 0 when not known: then the whole endpoint counts as one process. */
void causes_look(const struct causes *causes, uint32_t endpoint, uint32_t pid, uint32_t tid,
		 struct cause *ret_cause);

/* It has not gone in the meantime. */
bool suspect_is_alive(const struct suspect *suspect);
/* The one that was open is still open, and no other was opened in the meantime. */
bool cause_is_still_only(const struct cause *cause);

#endif
