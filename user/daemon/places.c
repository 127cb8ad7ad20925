/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * places.c - see places.h.
 */
#include "daemon/places.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"

void places_done(struct places *places)
{
	free(places->place);
	*places = (struct places){};
}

static bool is_same_network(const struct place *a, const struct place *b)
{
	return netns_id_equal(a->netns, b->netns) && a->master == b->master;
}

/* Each of those that are there now fills one that was vacant in its network. */
static bool is_filled(const struct place *vacant, const struct place *now, size_t count,
		      bool *has_filled)
{
	for (size_t i = 0; i < count; i++) {
		if (has_filled[i] || !is_same_network(vacant, &now[i]))
			continue;
		has_filled[i] = true;
		return true;
	}
	return false;
}

static size_t count_of(const struct places *places, uint32_t endpoint)
{
	size_t count = 0;

	for (size_t i = 0; i < places->count; i++)
		count += places->place[i].endpoint == endpoint;
	return count;
}

static bool is_among(const struct place *old, const struct place *now, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (old->ifindex && old->ifindex == now[i].ifindex &&
		    netns_id_equal(old->netns, now[i].netns))
			return true;
	return false;
}

int places_set(struct places *places, uint32_t endpoint, const struct place *now, size_t count,
	       bool is_whole)
{
	_cleanup_(freep) bool *has_filled = calloc(count + 1, sizeof(*has_filled));
	struct place *fresh = calloc(places->count + count + 1, sizeof(*fresh));
	size_t had = is_whole ? 0 : count_of(places, endpoint), kept = 0, at = 0;

	if (!has_filled || !fresh) {
		free(fresh);
		return -ENOMEM;
	}
	for (size_t i = 0; i < places->count; i++) {
		const struct place *old = &places->place[i];

		if (old->endpoint != endpoint) {
			fresh[at++] = *old;
		} else if (count + kept < had && !is_among(old, now, count) &&
			   !is_filled(old, now, count, has_filled)) {
			fresh[at] = *old;
			fresh[at++].is_vacant = true;
			kept++;
		}
	}
	if (count)
		memcpy(fresh + at, now, count * sizeof(*now));
	free(places->place);
	*places = (struct places){ .place = fresh, .count = at + count };
	return 0;
}

void places_forget(struct places *places, uint32_t endpoint)
{
	size_t kept = 0;

	for (size_t i = 0; i < places->count; i++)
		if (places->place[i].endpoint != endpoint)
			places->place[kept++] = places->place[i];
	places->count = kept;
}

bool places_gone(struct places *places, struct netns_id netns, uint32_t ifindex)
{
	bool any = false;

	for (size_t i = 0; i < places->count; i++) {
		struct place *place = &places->place[i];

		if (place->is_vacant || place->ifindex != ifindex ||
		    !netns_id_equal(place->netns, netns))
			continue;
		place->is_vacant = true;
		any = true;
	}
	return any;
}

/* A veth that is about to be deleted leaves its bridge first: that is no move. */
void places_moved(struct places *places, struct netns_id netns, uint32_t ifindex, uint32_t master)
{
	for (size_t i = 0; i < places->count; i++) {
		struct place *place = &places->place[i];

		if (master && !place->is_vacant && place->ifindex == ifindex &&
		    netns_id_equal(place->netns, netns))
			place->master = master;
	}
}

uint32_t places_all(const struct places *places, struct netns_id netns)
{
	uint32_t all = HF_ENDPOINT_NONE;

	for (size_t i = 0; i < places->count; i++) {
		const struct place *place = &places->place[i];

		if (!netns_id_equal(place->netns, netns))
			continue;
		if (all != HF_ENDPOINT_NONE && all != place->endpoint)
			return HF_ENDPOINT_QUARANTINE;
		all = place->endpoint;
	}
	return all;
}

bool places_have_netns(const struct places *places, struct netns_id netns)
{
	for (size_t i = 0; i < places->count; i++)
		if (netns_id_equal(places->place[i].netns, netns))
			return true;
	return false;
}

static void add_guise(struct guise *guise, const struct place *place)
{
	bool is_first = guise->endpoint == HF_ENDPOINT_NONE;

	if (!is_first && guise->endpoint != place->endpoint)
		guise->endpoint = HF_ENDPOINT_QUARANTINE;
	else if (is_first)
		guise->endpoint = place->endpoint;
	if (!is_first && guise->network != place->network)
		guise->network = HF_NETWORK_UNKNOWN;
	else if (is_first)
		guise->network = place->network;
	guise->is_outward |= place->is_outward;
}

struct guise places_whose(const struct places *places, struct netns_id netns, uint32_t master,
			  bool (*is_there)(const void *ctx, uint32_t ifindex), const void *ctx)
{
	struct guise guise = {};

	for (size_t i = 0; i < places->count; i++) {
		const struct place *place = &places->place[i];

		if (!place->is_vacant || !netns_id_equal(place->netns, netns))
			continue;
		if (master && master != place->master &&
		    (!place->master || is_there(ctx, place->master)))
			continue;
		add_guise(&guise, place);
	}
	return guise;
}

struct guise places_as(const struct places *places, struct netns_id netns, uint32_t master,
		       uint32_t endpoint)
{
	struct guise guise = { .endpoint = endpoint, .network = HF_NETWORK_UNKNOWN };

	for (size_t i = 0; i < places->count; i++) {
		const struct place *place = &places->place[i];

		if (place->endpoint != endpoint)
			continue;
		guise.is_outward |= place->is_outward;
		if (master && place->master == master && netns_id_equal(place->netns, netns))
			guise.network = place->network;
	}
	return guise;
}
