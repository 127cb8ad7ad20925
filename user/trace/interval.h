/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * interval.h - a union of time intervals of bounded size: how long at least one of them was going on.
 *
 * When more than INTERVALS_MAX stand apart, the two nearest become one with the gap between them: from then
 * on the measure is an upper bound.
 */
#ifndef HOPFAULT_TRACE_INTERVAL_H
#define HOPFAULT_TRACE_INTERVAL_H

#include <stdbool.h>
#include <stdint.h>

#define INTERVALS_MAX 12

struct interval {
	uint64_t from_ns;
	uint64_t to_ns; /* not included */
};

/* In order, disjoint. All zero is the empty set. */
struct interval_set {
	uint32_t count;
	struct interval at[INTERVALS_MAX];
};

/* Adds [from, to); nothing when it is empty. */
void interval_add(struct interval_set *set, uint64_t from_ns, uint64_t to_ns);
/* Forgets what ended at or before `before_ns`. */
void interval_trim(struct interval_set *set, uint64_t before_ns);
/* Nanoseconds of the set that lie in [from, to). */
uint64_t interval_within(const struct interval_set *set, uint64_t from_ns, uint64_t to_ns);
/* The same without what lies in `except` as well. */
uint64_t interval_within_except(const struct interval_set *set, uint64_t from_ns, uint64_t to_ns,
				const struct interval_set *except);

#endif
