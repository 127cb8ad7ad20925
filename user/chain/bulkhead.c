/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * bulkhead.c - see bulkhead.h.
 */
#include "chain/bulkhead.h"

enum bulkhead_verdict bulkhead_arrive(struct bulkhead *bulkhead)
{
	if (!bulkhead->max)
		return BULKHEAD_ENTER;
	if (bulkhead->inside < bulkhead->max) {
		bulkhead->inside++;
		return BULKHEAD_ENTER;
	}
	if (bulkhead->waiting == bulkhead->queue_max)
		return BULKHEAD_REFUSE;
	bulkhead->waiting++;
	return BULKHEAD_WAIT;
}

bool bulkhead_leave(struct bulkhead *bulkhead)
{
	if (!bulkhead->max)
		return false;
	if (bulkhead->waiting) {
		bulkhead->waiting--; /* its place inside is the one that was left */
		return true;
	}
	bulkhead->inside--;
	return false;
}

void bulkhead_give_up(struct bulkhead *bulkhead)
{
	bulkhead->waiting--;
}
