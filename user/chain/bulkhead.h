/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * bulkhead.h - at most so many at once, so that what is slow can't take everything (Nygard, "Release It!", 2007). Pure:
 * it counts; who has to wait is kept waiting by the caller.
 *
 *     --> queue (at most `queue_max` wait) --> inside (at most `max`) -->
 *
 * One is towards the next service (no queue: a call that finds it full fails at once), one is for the requests that are
 * worked on (with a queue: the bounded pool of a store).
 */
#ifndef HF_CHAIN_BULKHEAD_H
#define HF_CHAIN_BULKHEAD_H

#include <stdbool.h>

#define BULKHEAD_MAX 1024

struct bulkhead {
	unsigned int max; /* 0: no limit, nobody is counted */
	unsigned int queue_max;
	unsigned int inside;
	unsigned int waiting;
};

enum bulkhead_verdict { BULKHEAD_ENTER, BULKHEAD_WAIT, BULKHEAD_REFUSE };

/* Counts the newcomer as inside or waiting. */
enum bulkhead_verdict bulkhead_arrive(struct bulkhead *bulkhead);
/* One who was inside leaves. True: the first who waits is inside from now on, tell it. */
bool bulkhead_leave(struct bulkhead *bulkhead);
/* One who waited goes away. */
void bulkhead_give_up(struct bulkhead *bulkhead);

#endif
