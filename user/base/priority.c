/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * priority.c - see priority.h.
 */
#include "base/priority.h"

#include <linux/sched.h>
#include <linux/sched/types.h>
#include <sys/syscall.h>
#include <unistd.h>

#define NICE_HURRIED (-15)
/*
 * A low weight (nice) would not help who wakes up. One that wakes up preempts, unless it is of SCHED_BATCH (sched(7)); and one
 * that runs is let finish its slice, unless the other's is shorter (kernel/sched/fair.c: RUN_TO_PARITY, PREEMPT_SHORT). So this
 * one asks for a slice just longer than the usual 1.4 to 2.8 ms, which Linux before 6.12 ignores. Where many threads want
 * the processor, a long slice or a low weight means a long wait for one's turn.
 */
#define SLICE_NS 3000000

static void set(unsigned int policy, int nice, unsigned long long slice_ns)
{
	struct sched_attr attr = {
		.size = sizeof(attr),
		.sched_policy = policy,
		.sched_nice = nice,
		.sched_runtime = slice_ns,
	};

	(void)syscall(SYS_sched_setattr, 0, &attr, 0);
}

void priority_give_way(void)
{
	set(SCHED_BATCH, 0, SLICE_NS);
}

void priority_hurry(void)
{
	set(SCHED_NORMAL, NICE_HURRIED, 0);
}

void priority_usual(void)
{
	set(SCHED_NORMAL, 0, 0);
}

void priority_first(void)
{
	struct sched_attr attr = {
		.size = sizeof(attr),
		.sched_policy = SCHED_FIFO,
		.sched_priority = 1,
	};

	(void)syscall(SYS_sched_setattr, 0, &attr, 0);
}
