/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test_lanes.c - facts about the reader of the processors' lanes: all events, once, in the order of their times; and nothing
 * is overwritten that may still be looked at.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <pthread.h>
#include <sched.h>
#include <stdlib.h>

#include "link/lanes.h"

#define LANES 3
#define NEVER UINT64_MAX

struct world {
	struct lanes_shared shared;
	struct lanes *lanes;
};

static int world_new(void **state)
{
	struct world *w = calloc(1, sizeof(*w));

	if (!w)
		return -1;
	w->shared = (struct lanes_shared){ .lane = calloc(LANES, sizeof(struct hf_lane)),
					   .slots = calloc(LANES, sizeof(struct hf_lane_slots)),
					   .count = LANES };
	if (!w->shared.lane || !w->shared.slots)
		return -1;
	*state = w;
	return lanes_new(&w->shared, &w->lanes);
}

static int world_free(void **state)
{
	struct world *w = *state;

	lanes_free(w->lanes);
	free(w->shared.lane);
	free(w->shared.slots);
	free(w);
	return 0;
}

/* As a program writes it. */
static struct hf_lane_slot *tell(struct world *w, unsigned int lane, enum hf_event_kind kind,
				 uint64_t time_ns)
{
	struct hf_lane *to = &w->shared.lane[lane];
	struct hf_lane_slot *slot = &w->shared.slots[lane].slot[to->written % HF_LANE_SLOTS];

	assert_true(to->written - to->read < HF_LANE_SLOTS);
	*slot = (struct hf_lane_slot){ .event = { .kind = (uint8_t)kind, .time_ns = time_ns } };
	to->written++;
	return slot;
}

static void assert_next(struct world *w, uint64_t before_ns, uint64_t time_ns)
{
	const struct hf_lane_slot *slot = lanes_next(w->lanes, before_ns);

	assert_non_null(slot);
	assert_int_equal(slot->event.time_ns, time_ns);
}

static void assert_no_next(struct world *w, uint64_t before_ns)
{
	assert_null(lanes_next(w->lanes, before_ns));
}

/* All that came to it since it was read, by the next round. */
static const struct hf_passage *more_of_passage(struct world *w)
{
	const struct hf_lane_slot *slot;

	lanes_begin(w->lanes);
	slot = lanes_next(w->lanes, NEVER);
	assert_non_null(slot);
	assert_int_equal(slot->event.kind, HF_EVENT_PASSAGE);
	return &slot->passage;
}

static void the_lanes_are_read_as_one_by_time(void **state)
{
	static const struct {
		unsigned int lane;
		uint64_t time_ns;
	} told[] = { { 0, 10 }, { 1, 5 }, { 1, 11 }, { 2, 7 }, { 0, 12 }, { 2, 8 }, { 1, 12 } };
	struct world *w = *state;

	assert_no_next(w, NEVER);
	for (size_t i = 0; i < sizeof(told) / sizeof(told[0]); i++)
		tell(w, told[i].lane, HF_EVENT_SOCKET, told[i].time_ns);
	for (uint64_t time_ns = 5; time_ns <= 12; time_ns++)
		if (time_ns != 6 && time_ns != 9)
			assert_next(w, NEVER, time_ns);
	assert_next(w, NEVER, 12);
	assert_no_next(w, NEVER);
}

static void what_is_not_old_enough_waits(void **state)
{
	struct world *w = *state;

	tell(w, 0, HF_EVENT_SOCKET, 10);
	tell(w, 1, HF_EVENT_SOCKET, 20);
	assert_next(w, 20, 10);
	assert_no_next(w, 20);
	assert_next(w, 21, 20);
}

static void what_was_there_before_is_not_read(void **state)
{
	struct world *w = *state;
	struct lanes *later;

	tell(w, 0, HF_EVENT_PASSAGE, 10);
	assert_int_equal(lanes_new(&w->shared, &later), 0);
	assert_null(lanes_next(later, NEVER));
	assert_int_equal(w->shared.lane[0].read, 1);
	lanes_free(later);
}

static void a_lane_goes_round_and_gives_its_room_back(void **state)
{
	enum { ROUNDS = 5 };
	struct world *w = *state;

	for (uint64_t t = 0; t < ROUNDS * HF_LANE_SLOTS; t++) {
		tell(w, 1, t % 3 ? HF_EVENT_SOCKET : HF_EVENT_PASSAGE, t);
		if (t % 700 != 699)
			continue;
		assert_int_equal(lanes_fullest(w->lanes), 700);
		for (uint64_t i = t - 699; i <= t; i++)
			assert_next(w, NEVER, i);
		assert_no_next(w, NEVER);
		assert_int_equal(lanes_fullest(w->lanes), 0);
		lanes_begin(w->lanes);
	}
}

/* Room comes back while much is read, not at its end alone. */
static void room_comes_back_while_a_full_lane_is_read(void **state)
{
	struct world *w = *state;

	for (uint64_t t = 0; t < HF_LANE_SLOTS; t++)
		tell(w, 0, HF_EVENT_SOCKET, t);
	for (uint64_t t = 0; t < HF_LANE_SLOTS / 2; t++)
		assert_next(w, NEVER, t);
	assert_in_range(w->shared.lane[0].read, HF_LANE_SLOTS / 4, HF_LANE_SLOTS / 2);
}

static void the_newest_passage_is_looked_at_again(void **state)
{
	const struct hf_passage *more;
	struct world *w = *state;
	struct hf_passage *passage = &tell(w, 0, HF_EVENT_PASSAGE, 10)->passage;

	passage->sent_ns = 10;
	assert_next(w, NEVER, 10);
	assert_no_next(w, NEVER);
	lanes_begin(w->lanes);
	assert_no_next(w, NEVER);
	assert_int_equal(w->shared.lane[0].read, 0); /* nobody writes it anew */
	passage->left_ns = 20;
	more = more_of_passage(w);
	assert_int_equal(more->event.time_ns, 20);
	assert_int_equal(more->sent_ns, 0);
	assert_int_equal(more->left_ns, 20);
	assert_int_equal(more->entered_ns, 0);
	assert_no_next(w, NEVER);
	passage->entered_ns = 30;
	more = more_of_passage(w);
	assert_int_equal(more->event.time_ns, 30);
	assert_int_equal(more->left_ns, 0);
	assert_int_equal(more->entered_ns, 30);
	assert_no_next(w, NEVER);
}

/* Else it would be late for whoever sorts: the others' are as young as the new round. */
static void what_has_come_to_it_goes_before_all_of_the_next_round(void **state)
{
	struct world *w = *state;
	struct hf_passage *passage = &tell(w, 2, HF_EVENT_PASSAGE, 10)->passage;

	passage->left_ns = 10;
	assert_next(w, 50, 10);
	passage->entered_ns = 20;
	tell(w, 0, HF_EVENT_SOCKET, 100);
	tell(w, 1, HF_EVENT_SOCKET, 90);
	assert_int_equal(more_of_passage(w)->entered_ns, 20);
	assert_next(w, NEVER, 90);
	assert_next(w, NEVER, 100);
}

static void what_has_come_to_it_goes_before_what_follows_in_its_lane(void **state)
{
	const struct hf_lane_slot *more;
	struct world *w = *state;
	struct hf_passage *passage = &tell(w, 0, HF_EVENT_PASSAGE, 10)->passage;

	passage->left_ns = 10;
	assert_next(w, NEVER, 10);
	passage->entered_ns = 20;
	tell(w, 0, HF_EVENT_SOCKET, 30);
	more = lanes_next(w->lanes, NEVER);
	assert_non_null(more);
	assert_int_equal(more->passage.entered_ns, 20);
	assert_next(w, NEVER, 30);
	/* nobody writes into it any more */
	passage->left_ns = 50;
	lanes_begin(w->lanes);
	assert_no_next(w, NEVER);
	assert_int_equal(w->shared.lane[0].read, 2);
}

static void a_passage_that_is_not_the_newest_is_whole(void **state)
{
	struct world *w = *state;
	struct hf_passage *passage = &tell(w, 0, HF_EVENT_PASSAGE, 10)->passage;

	tell(w, 0, HF_EVENT_SOCKET, 11);
	assert_next(w, 11, 10);
	passage->left_ns = 20;
	lanes_begin(w->lanes);
	assert_no_next(w, 11);
	assert_int_equal(w->shared.lane[0].read, 1);
}

/* A writer beside the reader: each passage's three times come out, once each, whenever it is looked at. */
#define WRITTEN 200000

static void *write_passages(void *argument)
{
	const struct world *w = argument;
	struct hf_lane *lane = &w->shared.lane[1];

	for (uint64_t t = 1; t <= WRITTEN; t++) {
		struct hf_lane_slot *slot = &w->shared.slots[1].slot[lane->written % HF_LANE_SLOTS];

		while (lane->written - __atomic_load_n(&lane->read, __ATOMIC_ACQUIRE) >=
		       HF_LANE_SLOTS)
			sched_yield();
		*slot = (struct hf_lane_slot){ .event = { .kind = HF_EVENT_PASSAGE,
							  .time_ns = t } };
		slot->passage.sent_ns = t;
		__atomic_store_n(&lane->written, lane->written + 1, __ATOMIC_RELEASE);
		slot->passage.len = (uint32_t)t;
		__atomic_store_n(&slot->passage.left_ns, t, __ATOMIC_RELEASE);
		slot->passage.dst_endpoint = (uint32_t)t;
		__atomic_store_n(&slot->passage.entered_ns, t, __ATOMIC_RELEASE);
	}
	return NULL;
}

static void nothing_is_lost_or_told_twice_while_it_is_written(void **state)
{
	uint64_t sent = 0, left = 0, entered = 0, rounds = 0;
	struct world *w = *state;
	pthread_t writer;

	assert_int_equal(pthread_create(&writer, NULL, write_passages, w), 0);
	while (entered < WRITTEN && rounds++ < 100000000) {
		const struct hf_lane_slot *slot;

		lanes_begin(w->lanes);
		while ((slot = lanes_next(w->lanes, NEVER))) {
			const struct hf_passage *passage = &slot->passage;

			if (passage->sent_ns)
				assert_int_equal(passage->sent_ns, ++sent);
			if (passage->left_ns) {
				assert_int_equal(passage->left_ns, ++left);
				assert_int_equal(passage->len, left);
			}
			if (passage->entered_ns) {
				assert_int_equal(passage->entered_ns, ++entered);
				assert_int_equal(passage->dst_endpoint, entered);
			}
		}
	}
	assert_int_equal(pthread_join(writer, NULL), 0);
	assert_int_equal(sent, WRITTEN);
	assert_int_equal(left, WRITTEN);
	assert_int_equal(entered, WRITTEN);
}

#define fact(name) cmocka_unit_test_setup_teardown(name, world_new, world_free)

int main(void)
{
	const struct CMUnitTest tests[] = {
		fact(the_lanes_are_read_as_one_by_time),
		fact(what_is_not_old_enough_waits),
		fact(what_was_there_before_is_not_read),
		fact(a_lane_goes_round_and_gives_its_room_back),
		fact(room_comes_back_while_a_full_lane_is_read),
		fact(the_newest_passage_is_looked_at_again),
		fact(what_has_come_to_it_goes_before_all_of_the_next_round),
		fact(what_has_come_to_it_goes_before_what_follows_in_its_lane),
		fact(a_passage_that_is_not_the_newest_is_whole),
		fact(nothing_is_lost_or_told_twice_while_it_is_written),
	};

	return cmocka_run_group_tests_name("lanes", tests, NULL, NULL);
}
