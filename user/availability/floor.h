/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * floor.h - the least time that an answer takes when nothing waits and nothing fails, and what it is made of.
 *
 *   a service   its own latency, and after it its calls one after the other: they add up
 *   a lane      calls of one service that run at once: the slowest counts
 *   a call      its way, and what it leads to
 *   a group     all members are asked at once: the need-th fastest answer counts
 *
 * An optional call is waited for like any other.
 */
#ifndef HOPFAULT_AVAILABILITY_FLOOR_H
#define HOPFAULT_AVAILABILITY_FLOOR_H

#include "availability/system.h"

/* Of the entry. It never goes beyond UINT64_MAX. 0 or -ENOMEM. */
int floor_ns(const struct model *model, enum what_if what_if, unsigned int index, uint64_t *ret_ns);
/*
 * How often each service and each call is on the critical path: 0 not at all, 2 when it is waited for twice. The sum of
 * times and latencies is the floor. Room for all parts and all edges. 0 or -ENOMEM.
 */
int floor_path(const struct model *model, double *ret_part_times, double *ret_edge_times);
/* Does the model say any latency? */
bool floor_is_said(const struct model *model);

#endif
