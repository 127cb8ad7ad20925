/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * interval.c - a union of time intervals in a small sorted array.
 */
#include <string.h>

#include "trace/interval.h"

static uint64_t later(uint64_t a, uint64_t b)
{
	return a > b ? a : b;
}

static uint64_t earlier(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

static void take_out(struct interval_set *set, uint32_t first, uint32_t count)
{
	memmove(&set->at[first], &set->at[first + count],
		(set->count - first - count) * sizeof(set->at[0]));
	set->count -= count;
}

static void put_in(struct interval_set *set, uint32_t where, struct interval interval)
{
	memmove(&set->at[where + 1], &set->at[where], (set->count - where) * sizeof(set->at[0]));
	set->at[where] = interval;
	set->count++;
}

static void join_nearest(struct interval_set *set)
{
	uint32_t best = 0;

	for (uint32_t i = 1; i + 1 < set->count; i++)
		if (set->at[i + 1].from_ns - set->at[i].to_ns <
		    set->at[best + 1].from_ns - set->at[best].to_ns)
			best = i;
	set->at[best].to_ns = set->at[best + 1].to_ns;
	take_out(set, best + 1, 1);
}

void interval_add(struct interval_set *set, uint64_t from_ns, uint64_t to_ns)
{
	uint32_t first = set->count, end;

	if (from_ns >= to_ns)
		return;
	/* [first, end) are those that touch the new one; most often it comes last */
	while (first > 0 && set->at[first - 1].to_ns >= from_ns)
		first--;
	for (end = first; end < set->count && set->at[end].from_ns <= to_ns; end++) {
		from_ns = earlier(from_ns, set->at[end].from_ns);
		to_ns = later(to_ns, set->at[end].to_ns);
	}
	if (end > first)
		take_out(set, first, end - first);
	if (set->count == INTERVALS_MAX) {
		join_nearest(set);
		interval_add(set, from_ns, to_ns);
		return;
	}
	put_in(set, first, (struct interval){ from_ns, to_ns });
}

void interval_trim(struct interval_set *set, uint64_t before_ns)
{
	uint32_t old = 0;

	while (old < set->count && set->at[old].to_ns <= before_ns)
		old++;
	if (old)
		take_out(set, 0, old);
}

uint64_t interval_within(const struct interval_set *set, uint64_t from_ns, uint64_t to_ns)
{
	uint64_t sum_ns = 0;

	for (uint32_t i = 0; i < set->count; i++) {
		uint64_t from = later(from_ns, set->at[i].from_ns);
		uint64_t to = earlier(to_ns, set->at[i].to_ns);

		if (from < to)
			sum_ns += to - from;
	}
	return sum_ns;
}

uint64_t interval_within_except(const struct interval_set *set, uint64_t from_ns, uint64_t to_ns,
				const struct interval_set *except)
{
	uint64_t sum_ns = 0;

	for (uint32_t i = 0; i < set->count; i++) {
		uint64_t from = later(from_ns, set->at[i].from_ns);
		uint64_t to = earlier(to_ns, set->at[i].to_ns);

		if (from < to)
			sum_ns += to - from - interval_within(except, from, to);
	}
	return sum_ns;
}
