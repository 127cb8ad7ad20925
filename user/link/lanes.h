/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * lanes.h - the processors' lanes (struct hf_lane), read as one, in the order of their events' times.
 *
 * One reader. Within a lane an event may stand some microseconds behind a younger one.
 */
#ifndef HF_LINK_LANES_H
#define HF_LINK_LANES_H

#include <stdint.h>

#include "abi.h"

struct lanes;

/* The maps' memory. */
struct lanes_shared {
	struct hf_lane *lane; /* [count] */
	struct hf_lane_slots *slots; /* [count] */
	unsigned int count;
};

/* What is shared must live as long. What is in the lanes now is not read. -ENOMEM. */
int lanes_new(const struct lanes_shared *shared, struct lanes **ret_lanes);
void lanes_free(struct lanes *lanes);

/* A round begins: what has come to a passage that was read in an earlier one is handed out first. */
void lanes_begin(struct lanes *lanes);
/*
 * The oldest event, if it is older than before_ns (CLOCK_MONOTONIC, at least HF_LANE_SHUT_NS ago while programs write; the
 * same or later in all of a round); NULL: none is. Good until the next call.
 */
const struct hf_lane_slot *lanes_next(struct lanes *lanes, uint64_t before_ns);

/* Slots that wait in the fullest lane, of HF_LANE_SLOTS. */
unsigned int lanes_fullest(const struct lanes *lanes);

#endif
