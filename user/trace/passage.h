/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * passage.h - a passage (struct hf_passage) taken apart into the events that it stands for.
 */
#ifndef HOPFAULT_TRACE_PASSAGE_H
#define HOPFAULT_TRACE_PASSAGE_H

#include <stdbool.h>
#include <stddef.h>

#include "abi.h"
#include "trace/event.h"

/* `size`: of the memory that it stands in. */
bool passage_is_valid(const struct hf_passage *passage, size_t size);

/* The time of its first part. 0: it has none. */
static inline uint64_t passage_next_ns(const struct hf_passage *passage)
{
	/* less one, so that what is missing comes last */
	uint64_t sent = passage->sent_ns - 1;
	uint64_t left = passage->left_ns - 1;
	uint64_t first = passage->entered_ns - 1;

	first = left < first ? left : first;
	first = sent < first ? sent : first;
	return first + 1;
}

/* How many parts it has. */
static inline unsigned int passage_parts(const struct hf_passage *passage)
{
	return !!passage->sent_ns + !!passage->left_ns + !!passage->entered_ns;
}

/*
 * The part of that time, with its head; of several the one that is first in order: the send, the leaving, the entering. It is
 * missing from now on. *ret_part has room for EVENT_MAX bytes.
 */
void passage_take(struct hf_passage *passage, uint64_t time_ns, struct hf_event *ret_part);

#endif
