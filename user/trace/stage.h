/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * stage.h - cuts the time of a call at the points that were seen.
 */
#ifndef HOPFAULT_TRACE_STAGE_H
#define HOPFAULT_TRACE_STAGE_H

#include <stdbool.h>
#include <stdint.h>

#include "trace/call.h"

/* The instants of one call, in the order of cause and effect: STAGE_x lies between point x and point x + 1. */
enum call_point {
	POINT_CLI_SEND, /* A's send call begins */
	POINT_REQ_FIRST, /* the first request byte leaves A */
	POINT_REQ_LAST, /* the last of the request's bytes leaves A */
	POINT_REQ_ENTER, /* .. is at B's veth */
	POINT_REQ_RELEASE, /* .. is let go by the delay engine; POINT_REQ_ENTER when there was none */
	POINT_REQ_READ, /* .. is in the hands of B */
	POINT_SRV_SEND, /* B's send call begins; from here on the mirror image */
	POINT_RESP_FIRST,
	POINT_RESP_LAST,
	POINT_RESP_ENTER,
	POINT_RESP_RELEASE,
	POINT_RESP_READ,
	POINT_COUNT
};
_Static_assert(POINT_COUNT - 1 == STAGE_UNATTRIBUTED, "a stage lies between each two points");

/*
 * Cuts the time from the first to the last known point into stage_ns[]; point_ns[] may hold TIME_UNKNOWN. The
 * stages, without the unknown ones, sum to *ret_total_ns exactly. Where a point was not seen, the two stages
 * that it divides are unknown and the time between its known neighbours goes to STAGE_UNATTRIBUTED.
 *
 * When two points contradict each other (an effect with an earlier time than its cause, by the noise of two
 * processors that read the clock at the end of what they saw) the effect is believed: what led to it can not have
 * happened later, so the cause is put back to the time of the effect, in point_ns[] too. Returns how many points were.
 */
unsigned int stage_cut(uint64_t point_ns[POINT_COUNT], uint64_t stage_ns[STAGE_COUNT],
		       uint64_t *ret_total_ns);

/* All of the points were seen. */
bool points_are_complete(const uint64_t point_ns[POINT_COUNT]);

#endif
