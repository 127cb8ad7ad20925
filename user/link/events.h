/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * events.h - what the programs have told: the processors' lanes, and the ring behind them, read as one by time.
 */
#ifndef HF_LINK_EVENTS_H
#define HF_LINK_EVENTS_H

#include <stddef.h>
#include <stdint.h>

#include "abi.h"
#include "link/lanes.h"

struct events;

/* ring_fd: of the map `events`. What is there now is not read. -ENOMEM, or -errno of libbpf. */
int events_open(const struct lanes_shared *lanes, int ring_fd, struct events **ret_events);
void events_close(struct events *events);

/* A round of reading begins. */
void events_begin(struct events *events);
/*
 * The oldest event that is older than before_ns, see lanes_next(), and its size in memory, which is at least its own.
 * NULL: there is none. Good until the next call.
 */
const void *events_next(struct events *events, uint64_t before_ns, size_t *ret_size);

/* Slots that wait in the fullest lane, of HF_LANE_SLOTS. */
unsigned int events_waiting(const struct events *events);

#endif
