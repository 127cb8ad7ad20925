/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * grudge.c - partition patterns.
 *
 *     endpoints --shuffle (seed), or in order--> seats 0 .. n-1 --pattern--> "seats i and j can't talk" --> links, both ways
 *
 * Every pattern is one question about two seats; chance is in the shuffle and, for majority, in the size of the
 * minority. The ring's question is worked out in seats_ring().
 */
#include "fault/grudge.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "dice.h"

const char *const grudge_words[GRUDGE_KINDS + 1] = {
	[GRUDGE_HALVES] = "halves",	[GRUDGE_ONE] = "one",
	[GRUDGE_MAJORITY] = "majority", [GRUDGE_MAJORITIES_RING] = "majorities-ring",
	[GRUDGE_BRIDGE] = "bridge",
};

/* Who sits where, and where the first group ends (halves, one, majority). */
struct seats {
	const uint32_t *endpoint;
	size_t count;
	size_t first_group;
};

static bool seats_in_two_groups(const struct seats *seats, size_t i, size_t j)
{
	return (i < seats->first_group) != (j < seats->first_group);
}

/* Seat 0 is the bridge; the others are halved. */
static bool seats_bridged(const struct seats *seats, size_t i, size_t j)
{
	size_t half = 1 + (seats->count - 1) / 2;

	return i != 0 && j != 0 && (i < half) != (j < half);
}

/*
 * n seats in a circle; a majority is n / 2 others and oneself. Each seat talks with the nearest on both sides,
 * which makes an even number of others. An odd n / 2 takes the seat straight across as well, where there is one
 * (n even), and one more neighbour where there is none. Talking is mutual, since distances are. No two seats talk
 * with the same majority: theirs are the same shape turned by less than a full circle, and the run around each
 * seat is the longest run in it. From n = 4 on somebody is left out.
 */
static bool seats_ring(const struct seats *seats, size_t i, size_t j)
{
	size_t n = seats->count, others = n / 2;
	size_t forward = i < j ? j - i : i - j;
	size_t distance = forward < n - forward ? forward : n - forward;
	bool across = others % 2 == 1 && n % 2 == 0;
	size_t reach = across ? others / 2 : (others + 1) / 2;

	return distance > reach && !(across && distance == n / 2);
}

static const struct pattern {
	bool (*cuts)(const struct seats *seats, size_t i, size_t j);
	size_t endpoints_min;
	const char *too_few;
} patterns[GRUDGE_KINDS] = {
	[GRUDGE_HALVES] = { seats_in_two_groups, 2, "halves needs two endpoints at least" },
	[GRUDGE_ONE] = { seats_in_two_groups, 2, "one needs two endpoints at least" },
	[GRUDGE_MAJORITY] = { seats_in_two_groups, 3, "majority needs three endpoints at least" },
	[GRUDGE_MAJORITIES_RING] = { seats_ring, 4,
				     "majorities-ring needs four endpoints at least: three can't "
				     "have a majority each and no two the same" },
	[GRUDGE_BRIDGE] = { seats_bridged, 3, "bridge needs three endpoints at least" },
};

/* ---- chance ---- */

/* The nth roll of this grudge, in [0, below). */
static size_t roll_below(const struct grudge *grudge, uint64_t nth, size_t below)
{
	return (size_t)(((uint64_t)dice_roll(grudge->seed, nth, DICE_GRUDGE) * below) >> 32);
}

static void swap(uint32_t *a, uint32_t *b)
{
	uint32_t kept = *a;

	*a = *b;
	*b = kept;
}

/* Fisher and Yates; the roll for seat i is the i-th. */
static void shuffle(const struct grudge *grudge, uint32_t *endpoint, size_t count)
{
	for (size_t i = count; i > 1; i--)
		swap(&endpoint[i - 1], &endpoint[roll_below(grudge, i, i)]);
}

static size_t first_group_size(const struct grudge *grudge, size_t count)
{
	switch (grudge->kind) {
	case GRUDGE_ONE:
		return 1;
	case GRUDGE_MAJORITY: /* roll 0 is not one of the shuffle's */
		if (grudge->in_order)
			return (count - 1) / 2;
		return 1 + roll_below(grudge, 0, (count - 1) / 2);
	default:
		return count / 2;
	}
}

/* ---- checks ---- */

static bool has(const uint32_t *endpoint, size_t count, uint32_t wanted)
{
	for (size_t i = 0; i < count; i++)
		if (endpoint[i] == wanted)
			return true;
	return false;
}

static const char *what_is_wrong(const struct grudge *grudge, const uint32_t *endpoint,
				 size_t count)
{
	if (grudge->kind < 0 || grudge->kind >= GRUDGE_KINDS)
		return "an unknown grudge";
	if (count < patterns[grudge->kind].endpoints_min)
		return patterns[grudge->kind].too_few;
	for (size_t i = 0; i < count; i++) {
		if (endpoint[i] == HF_ENDPOINT_NONE)
			return "nobody is meant";
		if (has(endpoint, i, endpoint[i]))
			return "the same endpoint twice";
	}
	if (grudge->isolated == HF_ENDPOINT_NONE)
		return NULL;
	if (grudge->kind != GRUDGE_ONE)
		return "only the grudge `one` isolates a named endpoint";
	if (!has(endpoint, count, grudge->isolated))
		return "the endpoint to isolate is none of those named";
	return NULL;
}

/* ---- links ---- */

static void seat_first(uint32_t *endpoint, size_t count, uint32_t wanted)
{
	for (size_t i = 0; i < count; i++)
		if (endpoint[i] == wanted)
			swap(&endpoint[0], &endpoint[i]);
}

/* Who stands in the middle gets the bridge's seat, and those before him keep their order. */
static void seat_middle_first(uint32_t *endpoint, size_t count)
{
	for (size_t i = (count - 1) / 2; i > 0; i--)
		swap(&endpoint[i], &endpoint[i - 1]);
}

static void seat_all(const struct grudge *grudge, uint32_t *endpoint, size_t count)
{
	if (!grudge->in_order)
		shuffle(grudge, endpoint, count);
	else if (grudge->kind == GRUDGE_BRIDGE)
		seat_middle_first(endpoint, count);
	if (grudge->isolated != HF_ENDPOINT_NONE)
		seat_first(endpoint, count, grudge->isolated);
}

static int cut_seats(const struct grudge *grudge, const struct seats *seats, struct links *links)
{
	const uint32_t *endpoint = seats->endpoint;
	int r;

	for (size_t i = 0; i < seats->count; i++)
		for (size_t j = i + 1; j < seats->count; j++) {
			if (!patterns[grudge->kind].cuts(seats, i, j))
				continue;
			r = links_add_between(links, &endpoint[i], 1, &endpoint[j], 1, true, NULL);
			if (r < 0)
				return r;
		}
	links_sort_unique(links);
	return 0;
}

int grudge_links(const struct grudge *grudge, const uint32_t *endpoint, size_t count,
		 struct links *ret_links, const char **ret_reason)
{
	_cleanup_(links_done) struct links links = {};
	_cleanup_(freep) uint32_t *seated = NULL;
	struct seats seats;
	const char *wrong;
	int r;

	wrong = what_is_wrong(grudge, endpoint, count);
	*ret_reason = wrong;
	if (wrong)
		return -EINVAL;
	seated = calloc(count, sizeof(*seated));
	if (!seated)
		return -ENOMEM;
	memcpy(seated, endpoint, count * sizeof(*seated));
	seat_all(grudge, seated, count);
	seats = (struct seats){ seated, count, first_group_size(grudge, count) };
	r = cut_seats(grudge, &seats, &links);
	if (r < 0)
		return r;
	*ret_links = links;
	links = (struct links){};
	return 0;
}
