/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * spread.c - the buckets of bpf/error.h, filled and read in user space.
 */
#include "hold/spread.h"

#include "error.h"

/* One writer, so load and store need not be one step: only torn reads must not happen. */
#define BUMP(place, by) __atomic_store_n(&(place), (place) + (by), __ATOMIC_RELAXED)

void spread_record(struct spread *spread, uint64_t value_ns)
{
	BUMP(spread->bucket[error_bucket(value_ns)], 1);
	BUMP(spread->sum_ns, value_ns);
	BUMP(spread->count, 1);
	if (value_ns > spread->max_ns)
		__atomic_store_n(&spread->max_ns, value_ns, __ATOMIC_RELAXED);
}

void spread_copy(const struct spread *from, struct spread *ret_copy)
{
	ret_copy->count = __atomic_load_n(&from->count, __ATOMIC_RELAXED);
	ret_copy->sum_ns = __atomic_load_n(&from->sum_ns, __ATOMIC_RELAXED);
	ret_copy->max_ns = __atomic_load_n(&from->max_ns, __ATOMIC_RELAXED);
	for (unsigned i = 0; i < HF_ERROR_BUCKETS; i++)
		ret_copy->bucket[i] = __atomic_load_n(&from->bucket[i], __ATOMIC_RELAXED);
}

static uint64_t bucket_middle(unsigned bucket)
{
	uint64_t floor = error_bucket_floor(bucket);

	return floor + (error_bucket_floor(bucket + 1) - floor) / 2;
}

uint64_t spread_percentile(const struct spread *spread, double share)
{
	uint64_t total = 0;
	uint64_t seen = 0;

	for (unsigned i = 0; i < HF_ERROR_BUCKETS; i++)
		total += spread->bucket[i];
	for (unsigned i = 0; i < HF_ERROR_BUCKETS; i++) {
		seen += spread->bucket[i];
		if (spread->bucket[i] != 0 && (double)seen >= share * (double)total) {
			uint64_t middle = bucket_middle(i);

			return middle < spread->max_ns ? middle : spread->max_ns;
		}
	}
	return 0;
}
