/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * priority.h - whether the calling thread goes before the services that it watches, or after them. A failure changes nothing
 * and is not told.
 */
#ifndef HOPFAULT_BASE_PRIORITY_H
#define HOPFAULT_BASE_PRIORITY_H

/* Whoever is running or wakes up goes first. */
void priority_give_way(void);
/* Goes first, but for threads of SCHED_FIFO. Needs CAP_SYS_NICE. */
void priority_hurry(void);
void priority_usual(void);
/* Before all ordinary work, hurried or not: for a thread that runs for microseconds and is of use only when it is first. */
void priority_first(void);

#endif
