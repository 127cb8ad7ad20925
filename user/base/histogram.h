/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * histogram.h - a bag of values that knows its percentiles.
 *
 *     exact:  every value is kept, up to a limit (a million)
 *             | one more
 *     coarse: log-linear buckets, three significant digits (as HdrHistogram); recording never allocates again
 *
 * A percentile is by nearest rank: the smallest recorded value such that at least p percent of all values
 * are no
 * larger (rank ceil(p / 100 * count), counted from 1). So it is always a value that was recorded, or in coarse
 * form within 0.05 % of one. count, min, max are exact in both forms; mean and deviation to a double's
 * precision.
 */
#ifndef HOPFAULT_BASE_HISTOGRAM_H
#define HOPFAULT_BASE_HISTOGRAM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SAMPLES_LIMIT 1000000 /* values kept before it turns coarse */

struct samples {
	uint64_t count;
	uint64_t min; /* of no values: UINT64_MAX */
	uint64_t max;
	double mean;
	double square_sum; /* of the distances from the mean (Welford) */

	uint64_t *value; /* exact form */
	size_t values, allocated, limit;
	bool sorted;

	uint64_t *bucket; /* coarse form, else NULL */
};

/* limit 0: SAMPLES_LIMIT. Allocates nothing. */
void samples_init(struct samples *samples, size_t limit);
void samples_done(struct samples *samples);

/* 0, or -ENOMEM: then the value is not in, and everything else is as it was. */
int samples_add(struct samples *samples, uint64_t value);
/* Turns coarse before the limit is reached, where that saves memory (else does nothing). -ENOMEM: unchanged. */
int samples_coarsen(struct samples *samples);
/* Adds all that `from` has; turns coarse when one of them is or when there are too many. -ENOMEM: unchanged. */
int samples_merge(struct samples *samples, const struct samples *from);

/*
 * 0 < percent <= 100, to six decimals. 0 when there are no values: ask samples->count first. Sorts on
 * demand.
 */
uint64_t samples_percentile(struct samples *samples, double percent);
/* Of the values as a population (divided by count). 0 below two values. */
double samples_stddev(const struct samples *samples);

#endif
