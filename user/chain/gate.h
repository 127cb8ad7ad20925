/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * gate.h - a bulkhead that threads wait at, first come first served: the requests that are worked on at once.
 *
 * A request waits here before it is read, so its bytes lie in the socket meanwhile, as with a server that has a fixed
 * number of workers; a tracer sees the wait as srv_queue.
 */
#ifndef HF_CHAIN_GATE_H
#define HF_CHAIN_GATE_H

#include <pthread.h>
#include <stdbool.h>
#include <sys/queue.h>

#include "chain/bulkhead.h"

struct gate_waiter;

struct gate {
	pthread_mutex_t lock;
	struct bulkhead bulkhead;
	TAILQ_HEAD(, gate_waiter) waiters;
	bool is_closed;
};

void gate_init(struct gate *gate, unsigned int max, unsigned int queue_max);

/* 0: inside, gate_leave() follows. -EBUSY: the queue is full. -ECANCELED: it was closed. */
int gate_enter(struct gate *gate);
void gate_leave(struct gate *gate);
/* Everybody who waits, and whoever comes later, gets -ECANCELED. */
void gate_close(struct gate *gate);

#endif
