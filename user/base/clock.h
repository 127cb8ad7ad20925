/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * clock.h - the one clock of this project: CLOCK_MONOTONIC, as bpf_ktime_get_ns() reads it.
 */
#ifndef HOPFAULT_BASE_CLOCK_H
#define HOPFAULT_BASE_CLOCK_H

#include <stdint.h>
#include <time.h>

#define CLOCK_SECOND_NS 1000000000ULL

static inline uint64_t clock_now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC,
		      &now); /* can't fail: the clock exists and the pointer is good */
	return (uint64_t)now.tv_sec * CLOCK_SECOND_NS + (uint64_t)now.tv_nsec;
}

#endif
