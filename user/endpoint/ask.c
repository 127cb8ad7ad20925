/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * ask.c - see ask.h. One engine that fails does not keep the others from being asked.
 */
#include "endpoint/ask.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"

static bool is_meant(const struct endpoint_engine *engine, const struct endpoint_engine *by_prefix)
{
	return by_prefix ? engine == by_prefix : engine->bare;
}

static unsigned int count_slow(const struct endpoint_engine *by_prefix,
			       const struct endpoint_sockets *sockets)
{
	unsigned int slow = 0;

	for (const struct endpoint_engine *const *at = endpoint_engines; *at; at++)
		if (is_meant(*at, by_prefix) && (*at)->waits && (*at)->waits(sockets))
			slow++;
	return slow;
}

static void note_trouble(const struct found *found, char *trouble)
{
	size_t len = strlen(trouble);

	if (found->trouble[0])
		snprintf(trouble + len, ENDPOINT_ERROR_MAX - len, "%s%s", len ? "; " : "",
			 found->trouble);
}

int endpoint_ask(const struct endpoint_engine *by_prefix, const struct selector *selector,
		 struct found *found, char *trouble)
{
	int r, first = 0;

	trouble[0] = '\0';
	found->deadline_ns = clock_now_ns() + ENDPOINT_ENGINES_WAIT_NS;
	if (found->sockets.deadline_ns && found->sockets.deadline_ns < found->deadline_ns)
		found->deadline_ns = found->sockets.deadline_ns;
	found->slow_engines = count_slow(by_prefix, &found->sockets);
	for (const struct endpoint_engine *const *at = endpoint_engines; *at; at++) {
		if (!is_meant(*at, by_prefix))
			continue;
		r = endpoint_engine_ask(*at, selector, found);
		if (r == -ENOMEM)
			return r;
		if (r == 0 || (found->absent && !by_prefix))
			continue;
		note_trouble(found, trouble);
		first = first ? first : r;
	}
	return first;
}

bool endpoint_targets_are_one(const struct endpoint_target *a, const struct endpoint_target *b)
{
	if (a->netns.fd >= 0 && b->netns.fd >= 0 && netns_id_equal(a->netns.id, b->netns.id))
		return true;
	return a->container && b->container && strcmp(a->container->id, b->container->id) == 0;
}
