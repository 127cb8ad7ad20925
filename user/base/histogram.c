/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * histogram.c - all values while they are few, log-linear buckets when they are many.
 *
 *   buckets:  0 1 2 ... 2047 | 2048 2050 ... 4094 | 4096 4100 ... | ...
 *             one each         1024 of width 2      1024 of width 4
 *
 * A bucket is at most 1/1024 of its values wide and is told by its middle, so the error is below 0.05 %: three
 * significant digits. The idea is HdrHistogram's (http://hdrhistogram.org).
 */
#include "base/histogram.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define HALF_BITS 10
#define HALF	  (1U << HALF_BITS) /* buckets in each power of two */
#define BUCKETS	  ((64 - HALF_BITS) * HALF + HALF)

static unsigned int bucket_shift(uint64_t value)
{
	unsigned int bits = value ? 64 - (unsigned int)__builtin_clzll(value) : 0;

	return bits > HALF_BITS + 1 ? bits - (HALF_BITS + 1) : 0;
}

static size_t bucket_of(uint64_t value)
{
	unsigned int shift = bucket_shift(value);

	return (size_t)shift * HALF + (size_t)(value >> shift);
}

static uint64_t bucket_middle(size_t bucket)
{
	unsigned int shift = bucket < 2 * HALF ? 0 : (unsigned int)(bucket / HALF - 1);
	uint64_t first = (uint64_t)(bucket - (size_t)shift * HALF) << shift;

	return shift ? first + (1ULL << (shift - 1)) : first;
}

void samples_init(struct samples *samples, size_t limit)
{
	*samples = (struct samples){ .min = UINT64_MAX, .limit = limit ? limit : SAMPLES_LIMIT };
}

void samples_done(struct samples *samples)
{
	free(samples->value);
	free(samples->bucket);
	samples_init(samples, samples->limit);
}

static int make_room(struct samples *samples, size_t wanted)
{
	size_t allocated = samples->allocated ? samples->allocated : 64;
	uint64_t *value;

	if (wanted <= samples->allocated)
		return 0;
	while (allocated < wanted)
		allocated *= 2;
	value = realloc(samples->value, allocated * sizeof(*value));
	if (!value)
		return -ENOMEM;
	samples->value = value;
	samples->allocated = allocated;
	return 0;
}

static int turn_coarse(struct samples *samples)
{
	uint64_t *bucket = calloc(BUCKETS, sizeof(*bucket));
	size_t i;

	if (!bucket)
		return -ENOMEM;
	for (i = 0; i < samples->values; i++)
		bucket[bucket_of(samples->value[i])]++;
	free(samples->value);
	samples->value = NULL;
	samples->values = samples->allocated = 0;
	samples->bucket = bucket;
	return 0;
}

/* Welford's recurrence: stable where the sum of squares is not. */
static void count_value(struct samples *samples, uint64_t value)
{
	double distance = (double)value - samples->mean;

	samples->count++;
	samples->mean += distance / (double)samples->count;
	samples->square_sum += distance * ((double)value - samples->mean);
	if (value < samples->min)
		samples->min = value;
	if (value > samples->max)
		samples->max = value;
}

int samples_coarsen(struct samples *samples)
{
	if (samples->bucket || samples->allocated <= BUCKETS)
		return 0;
	return turn_coarse(samples);
}

int samples_add(struct samples *samples, uint64_t value)
{
	int r = 0;

	if (!samples->bucket)
		r = samples->values < samples->limit ? make_room(samples, samples->values + 1)
						     : turn_coarse(samples);
	if (r < 0)
		return r;
	if (samples->bucket) {
		samples->bucket[bucket_of(value)]++;
	} else {
		samples->value[samples->values++] = value;
		samples->sorted = false;
	}
	count_value(samples, value);
	return 0;
}

/* Chan, Golub and LeVeque's rule for two parts. */
static void merge_moments(struct samples *samples, const struct samples *from)
{
	double a = (double)samples->count, b = (double)from->count;
	double distance = from->mean - samples->mean;

	samples->mean += distance * b / (a + b);
	samples->square_sum += from->square_sum + distance * distance * a * b / (a + b);
	samples->count += from->count;
	if (from->min < samples->min)
		samples->min = from->min;
	if (from->max > samples->max)
		samples->max = from->max;
}

static int merge_exact(struct samples *samples, const struct samples *from)
{
	int r = make_room(samples, samples->values + from->values);

	if (r < 0)
		return r;
	memcpy(samples->value + samples->values, from->value, from->values * sizeof(*from->value));
	samples->values += from->values;
	samples->sorted = false;
	return 0;
}

static int merge_coarse(struct samples *samples, const struct samples *from)
{
	int r = samples->bucket ? 0 : turn_coarse(samples);
	size_t i;

	if (r < 0)
		return r;
	for (i = 0; i < from->values; i++)
		samples->bucket[bucket_of(from->value[i])]++;
	for (i = 0; from->bucket && i < BUCKETS; i++)
		samples->bucket[i] += from->bucket[i];
	return 0;
}

int samples_merge(struct samples *samples, const struct samples *from)
{
	bool exact = !samples->bucket && !from->bucket &&
		     from->values <= samples->limit - samples->values;
	int r;

	if (from->count == 0)
		return 0;
	r = exact ? merge_exact(samples, from) : merge_coarse(samples, from);
	if (r < 0)
		return r;
	merge_moments(samples, from);
	return 0;
}

static int compare_values(const void *a, const void *b)
{
	uint64_t left = *(const uint64_t *)a, right = *(const uint64_t *)b;

	return (left > right) - (left < right);
}

/* In whole numbers, because 0.999 * 1000 is not 999 in floating point. */
static uint64_t rank_of(uint64_t count, double percent)
{
	const uint64_t hundred = 100 * 1000000ULL;
	uint64_t part = (uint64_t)llround(percent * 1e6);
	uint64_t rank = (uint64_t)(((unsigned __int128)count * part + hundred - 1) / hundred);

	return rank < 1 ? 1 : rank > count ? count : rank;
}

static uint64_t coarse_value_at(const struct samples *samples, uint64_t rank)
{
	uint64_t seen = 0, value;
	size_t i = 0;

	for (;; i++) {
		seen += samples->bucket[i];
		if (seen >= rank)
			break;
	}
	value = bucket_middle(i);
	if (rank == samples->count || value > samples->max)
		return samples->max;
	return value < samples->min ? samples->min : value;
}

uint64_t samples_percentile(struct samples *samples, double percent)
{
	uint64_t rank;

	if (samples->count == 0)
		return 0;
	rank = rank_of(samples->count, percent);
	if (samples->bucket)
		return coarse_value_at(samples, rank);
	if (!samples->sorted)
		qsort(samples->value, samples->values, sizeof(*samples->value), compare_values);
	samples->sorted = true;
	return samples->value[rank - 1];
}

double samples_stddev(const struct samples *samples)
{
	return samples->count < 2 ? 0 : sqrt(samples->square_sum / (double)samples->count);
}
