/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * pace.h - when the engine's thread wakes next: the trade between precision, throughput and CPU, in one place.
 *
 *   nothing held          sleep until a frame comes
 *   thin traffic          sleep until a frame comes or the next one is nearly due; then spin the last stretch
 *   dense traffic         do not wake for each arrival: look at the TAPs after a lull, or when a frame is due
 *   a flood               take frames in turns of a fixed length, so that many share one wake and one call
 *
 * A bare timer wakes tens of microseconds late, so the engine wakes early and spins. Spinning has a budget (a
 * share of all time), because a spinning real-time thread takes a core from those whose packets it holds; when it
 * is spent, frames are late by the timer's own error. Pure: time is an argument.
 */
#ifndef HOPFAULT_HOLD_PACE_H
#define HOPFAULT_HOLD_PACE_H

#include <stdbool.h>
#include <stdint.h>

struct pace {
	uint64_t spin_ns;
	uint64_t credit_ns; /* that may still be spun */
	uint64_t credited_ns; /* when credit was last given */
	uint64_t arrival_ns; /* the last arrival */
	uint64_t gap_ns; /* between arrivals, smoothed */
	uint64_t asked_ns; /* smallest delay asked in this window and in the one before */
	uint64_t asked_before_ns;
	uint64_t window_ns; /* when this window began */
};

struct pace_wait {
	uint64_t until_ns;
	bool spin; /* else sleep */
	bool watch_taps; /* end the sleep when a frame comes */
};

void pace_init(struct pace *pace, uint64_t spin_ns, uint64_t now_ns);

void pace_arrival(struct pace *pace, uint64_t now_ns, uint64_t asked_ns);

/* due_ns: of the next frame, later than now_ns; UINT64_MAX when none is held. */
struct pace_wait pace_wait(struct pace *pace, uint64_t now_ns, uint64_t due_ns);

void pace_spun(struct pace *pace, uint64_t spun_ns);

#endif
