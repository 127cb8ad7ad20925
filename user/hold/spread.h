/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * spread.h - how a time error is spread: count, mean, percentiles, in fixed memory.
 *
 * The buckets are those of abi.h's HF_ERROR_*: sixteen of equal width in each power of two, so a percentile is
 * good to 3 %. One thread records; any thread may copy (each word is read whole, the words need not agree to the
 * last sample).
 */
#ifndef HOPFAULT_HOLD_SPREAD_H
#define HOPFAULT_HOLD_SPREAD_H

#include <stdint.h>

#include "abi.h"

struct spread {
	uint64_t count;
	uint64_t sum_ns;
	uint64_t max_ns;
	uint32_t bucket[HF_ERROR_BUCKETS];
};

/* Never allocates, never fails; what is beyond the last bucket counts in it. */
void spread_record(struct spread *spread, uint64_t value_ns);

void spread_copy(const struct spread *from, struct spread *ret_copy);

/* Middle of the bucket that holds the value at `share` (0 to 1), at most max_ns; 0 when nothing was recorded. */
uint64_t spread_percentile(const struct spread *spread, double share);

#endif
