/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * gate.c - see gate.h. Each waiter has a condition of its own, so that a place is handed to the first and nobody else
 * is woken.
 */
#include "chain/gate.h"

#include <errno.h>

struct gate_waiter {
	TAILQ_ENTRY(gate_waiter) link;
	pthread_cond_t is_told;
	bool is_inside;
};

void gate_init(struct gate *gate, unsigned int max, unsigned int queue_max)
{
	*gate = (struct gate){
		.lock = PTHREAD_MUTEX_INITIALIZER,
		.bulkhead = { .max = max, .queue_max = queue_max },
	};
	TAILQ_INIT(&gate->waiters);
}

static int wait_inside_lock(struct gate *gate)
{
	struct gate_waiter self = { .is_told = PTHREAD_COND_INITIALIZER };

	TAILQ_INSERT_TAIL(&gate->waiters, &self, link);
	while (!self.is_inside && !gate->is_closed)
		pthread_cond_wait(&self.is_told, &gate->lock);
	if (self.is_inside)
		return 0;
	TAILQ_REMOVE(&gate->waiters, &self, link);
	bulkhead_give_up(&gate->bulkhead);
	return -ECANCELED;
}

int gate_enter(struct gate *gate)
{
	int r = 0;

	if (!gate->bulkhead.max)
		return 0;
	pthread_mutex_lock(&gate->lock);
	if (gate->is_closed) {
		r = -ECANCELED;
	} else {
		switch (bulkhead_arrive(&gate->bulkhead)) {
		case BULKHEAD_ENTER:
			break;
		case BULKHEAD_WAIT:
			r = wait_inside_lock(gate);
			break;
		case BULKHEAD_REFUSE:
			r = -EBUSY;
			break;
		}
	}
	pthread_mutex_unlock(&gate->lock);
	return r;
}

void gate_leave(struct gate *gate)
{
	struct gate_waiter *first;

	if (!gate->bulkhead.max)
		return;
	pthread_mutex_lock(&gate->lock);
	if (bulkhead_leave(&gate->bulkhead)) {
		first = TAILQ_FIRST(&gate->waiters);
		TAILQ_REMOVE(&gate->waiters, first, link);
		first->is_inside = true;
		pthread_cond_signal(&first->is_told);
	}
	pthread_mutex_unlock(&gate->lock);
}

void gate_close(struct gate *gate)
{
	struct gate_waiter *waiter;

	pthread_mutex_lock(&gate->lock);
	gate->is_closed = true;
	TAILQ_FOREACH(waiter, &gate->waiters, link)
	pthread_cond_signal(&waiter->is_told);
	pthread_mutex_unlock(&gate->lock);
}
