/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * error.h - the buckets of hf_rule_counts.error: each power of two is cut into HF_ERROR_STEPS equal steps, so a
 * bucket is at most 1/16 of its value wide. Below 16 ns a bucket is one nanosecond.
 */
#ifndef HOPFAULT_ERROR_H
#define HOPFAULT_ERROR_H

#include "abi.h"

static inline __u32 error_log2(__u64 v)
{
	__u32 log = 0;

	if (v >> 32) {
		v >>= 32;
		log += 32;
	}
	if (v >> 16) {
		v >>= 16;
		log += 16;
	}
	if (v >> 8) {
		v >>= 8;
		log += 8;
	}
	if (v >> 4) {
		v >>= 4;
		log += 4;
	}
	if (v >> 2) {
		v >>= 2;
		log += 2;
	}
	return log + (v >> 1);
}

/* What is larger than the last bucket goes into the last bucket. */
static inline __u32 error_bucket(__u64 error_ns)
{
	__u32 log, bucket;

	if (error_ns < HF_ERROR_STEPS)
		return error_ns;
	log = error_log2(error_ns); /* at least 4 */
	bucket = (log - 3) * HF_ERROR_STEPS + ((error_ns >> (log - 4)) & (HF_ERROR_STEPS - 1));
	return bucket < HF_ERROR_BUCKETS ? bucket : HF_ERROR_BUCKETS - 1;
}

/* The smallest value that falls into the bucket. */
static inline __u64 error_bucket_floor(__u32 bucket)
{
	__u32 octave = bucket / HF_ERROR_STEPS, step = bucket % HF_ERROR_STEPS;

	if (octave == 0)
		return step;
	return (__u64)(HF_ERROR_STEPS + step) << (octave - 1);
}

#endif
