/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * turn.h - which bytes of a connection are which request and which response.
 */
#ifndef HOPFAULT_TRACE_TURN_H
#define HOPFAULT_TRACE_TURN_H

#include <stdint.h>

#include "trace/head.h"
#include "trace/way.h"

/* Bytes that were not seen before go their way; head is that of the packet when it begins at `begin`. */
void turn_bytes(const struct way *way, uint64_t begin, uint64_t end, const struct head *head);
/* The receiver of this way has read [begin, end) in process `pid`, thread `tid`. */
void turn_read(const struct way *way, uint64_t begin, uint64_t end, uint32_t pid, uint32_t tid);

#endif
