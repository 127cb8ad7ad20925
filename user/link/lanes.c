/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * lanes.c - see lanes.h.
 *
 * A lane's newest slot may be written on: a program that was put aside for longer than HF_LANE_SHUT_NS, between its look
 * at the clock and its store, writes into one that has been read. So a passage that was the newest when it was read is kept from
 * being written anew, and looked at again as the next round begins, and before what follows it in its lane: what has come to
 * it is an event by itself.
 */
#include "link/lanes.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>

/* In slots. That the programs have room is told by a store into a line that they read, so not for each. */
#define FETCH_AHEAD    2
#define GIVE_BACK_EACH 64

struct lane {
	struct hf_lane *shared;
	const struct hf_lane_slots *slots;
	uint64_t next; /* to be read */
	uint64_t end; /* `written` at the last look: before it that line is left to its writer */
	bool keeps; /* slot `next - 1` was the newest when it was read */
	uint64_t left_ns; /* as read there */
	uint64_t entered_ns;
};

struct lanes {
	struct hf_lane_slot copy; /* of a slot that may still be written on */
	unsigned int count;
	unsigned int again; /* in this round the lanes from here on were not looked at again */
	struct lane lane[];
};

static const struct hf_lane_slot *slot_at(const struct lane *lane, uint64_t number)
{
	return &lane->slots->slot[number % HF_LANE_SLOTS];
}

static uint64_t written(const struct lane *lane)
{
	return __atomic_load_n(&lane->shared->written, __ATOMIC_ACQUIRE);
}

static bool has_next(struct lane *lane)
{
	if (lane->next == lane->end)
		lane->end = written(lane);
	return lane->next != lane->end;
}

static void give_back(const struct lane *lane)
{
	uint64_t read = lane->next - lane->keeps;

	if (lane->shared->read != read)
		__atomic_store_n(&lane->shared->read, read, __ATOMIC_RELEASE);
}

int lanes_new(const struct lanes_shared *shared, struct lanes **ret_lanes)
{
	unsigned int count = shared->count;
	struct lanes *lanes = calloc(1, sizeof(*lanes) + count * sizeof(lanes->lane[0]));

	if (!lanes)
		return -ENOMEM;
	lanes->count = lanes->again = count;
	for (unsigned int i = 0; i < count; i++) {
		lanes->lane[i].shared = &shared->lane[i];
		lanes->lane[i].slots = &shared->slots[i];
		lanes->lane[i].next = lanes->lane[i].end = written(&lanes->lane[i]);
		give_back(&lanes->lane[i]);
	}
	*ret_lanes = lanes;
	return 0;
}

void lanes_free(struct lanes *lanes)
{
	free(lanes);
}

/* The times first: what belongs to them was written before them. */
static void copy_passage(struct lanes *lanes, const struct hf_lane_slot *slot)
{
	uint64_t entered_ns = __atomic_load_n(&slot->passage.entered_ns, __ATOMIC_ACQUIRE);
	uint64_t left_ns = __atomic_load_n(&slot->passage.left_ns, __ATOMIC_ACQUIRE);

	lanes->copy = *slot;
	lanes->copy.passage.left_ns = left_ns;
	lanes->copy.passage.entered_ns = entered_ns;
}

/* What has come to the kept slot since it was read. NULL: nothing. */
static const struct hf_lane_slot *look_again(struct lanes *lanes, struct lane *lane)
{
	struct hf_passage *passage = &lanes->copy.passage;
	uint64_t left_ns, entered_ns;

	copy_passage(lanes, slot_at(lane, lane->next - 1));
	left_ns = passage->left_ns;
	entered_ns = passage->entered_ns;
	if (left_ns == lane->left_ns && entered_ns == lane->entered_ns)
		return NULL;
	passage->sent_ns = 0;
	passage->left_ns = left_ns == lane->left_ns ? 0 : left_ns;
	passage->entered_ns = entered_ns == lane->entered_ns ? 0 : entered_ns;
	passage->event.time_ns = passage->left_ns ? passage->left_ns : entered_ns;
	lane->left_ns = left_ns;
	lane->entered_ns = entered_ns;
	return &lanes->copy;
}

/* Another processor has written it: each of its lines is a long way off. */
static void fetch_ahead(const struct lane *lane)
{
	const struct hf_lane_slot *slot = slot_at(lane, lane->next + FETCH_AHEAD);

	if (lane->end - lane->next > FETCH_AHEAD)
		for (size_t at = 0; at < sizeof(*slot); at += 64)
			__builtin_prefetch(slot->bytes + at);
}

static const struct hf_lane_slot *take(struct lanes *lanes, struct lane *lane)
{
	const struct hf_lane_slot *slot;

	fetch_ahead(lane);
	slot = slot_at(lane, lane->next++);

	if (slot->event.kind != HF_EVENT_PASSAGE || has_next(lane))
		return slot;
	copy_passage(lanes, slot);
	lane->keeps = true;
	lane->left_ns = lanes->copy.passage.left_ns;
	lane->entered_ns = lanes->copy.passage.entered_ns;
	return &lanes->copy;
}

/* The lane whose next event is the oldest. NULL: there is none, or none that old. */
static struct lane *oldest_lane(struct lanes *lanes, uint64_t before_ns)
{
	struct lane *oldest = NULL;

	for (unsigned int i = 0; i < lanes->count; i++) {
		struct lane *lane = &lanes->lane[i];
		uint64_t time_ns;

		if (!has_next(lane))
			continue;
		time_ns = slot_at(lane, lane->next)->event.time_ns;
		if (time_ns >= before_ns)
			continue;
		oldest = lane;
		before_ns = time_ns;
	}
	return oldest;
}

void lanes_begin(struct lanes *lanes)
{
	for (unsigned int i = 0; i < lanes->count; i++)
		give_back(&lanes->lane[i]);
	lanes->again = 0;
}

static const struct hf_lane_slot *next_again(struct lanes *lanes)
{
	while (lanes->again < lanes->count) {
		struct lane *lane = &lanes->lane[lanes->again++];
		const struct hf_lane_slot *more = lane->keeps ? look_again(lanes, lane) : NULL;

		if (more)
			return more;
	}
	return NULL;
}

const struct hf_lane_slot *lanes_next(struct lanes *lanes, uint64_t before_ns)
{
	const struct hf_lane_slot *more = next_again(lanes);
	struct lane *lane;

	if (more)
		return more;
	lane = oldest_lane(lanes, before_ns);
	if (!lane)
		return NULL;
	if (lane->keeps) {
		more = look_again(lanes, lane);
		if (more)
			return more;
		lane->keeps = false;
	}
	/* the one that was handed out before has been used by now */
	if (lane->next % GIVE_BACK_EACH == 0)
		give_back(lane);
	return take(lanes, lane);
}

unsigned int lanes_fullest(const struct lanes *lanes)
{
	uint64_t fullest = 0;

	for (unsigned int i = 0; i < lanes->count; i++) {
		uint64_t waiting = written(&lanes->lane[i]) - lanes->lane[i].next;

		fullest = waiting > fullest ? waiting : fullest;
	}
	return (unsigned int)fullest;
}
