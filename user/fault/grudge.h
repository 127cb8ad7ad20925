/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * grudge.h - partition patterns, as Jepsen's nemeses have made them known.
 *
 *   halves           two random halves; with an odd number the second is larger by one
 *   one              one endpoint, random or named, against all others
 *   majority         a random majority against the rest: 1 to (n - 1) / 2 endpoints are cut off
 *   majorities-ring  each endpoint talks with a majority (itself counted), and no two with the same; nobody with all
 *   bridge           two random halves that can't talk, and one endpoint that both can talk with
 *
 * Links are cut both ways, so who sees whom is mutual and a TCP connection is either possible or not. Chance comes
 * from dice.h and the seed alone: the same seed over the same number of endpoints in the same order cuts the same.
 *
 * In order there is no chance: the first half against the second, the first against all others, the first
 * (n - 1) / 2 against the majority behind them, a ring as it is written; and of a bridge, which stands in the middle,
 * the first half on one side and the second on the other. Of an even number the second half of these has one more.
 */
#ifndef HOPFAULT_FAULT_GRUDGE_H
#define HOPFAULT_FAULT_GRUDGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "fault/links.h"

enum grudge_kind {
	GRUDGE_HALVES,
	GRUDGE_ONE,
	GRUDGE_MAJORITY,
	GRUDGE_MAJORITIES_RING,
	GRUDGE_BRIDGE,
	GRUDGE_KINDS,
};

/* The words, in the order of the enum, NULL behind the last: `choices` for OPTION_CHOICE. */
extern const char *const grudge_words[GRUDGE_KINDS + 1];

struct grudge {
	enum grudge_kind kind;
	uint64_t seed;
	uint32_t isolated; /* GRUDGE_ONE: who; HF_ENDPOINT_NONE: chance decides, or the order */
	bool in_order; /* endpoints take their seats as they come */
};

/*
 * The links to drop among these endpoints, sorted. -EINVAL with a constant sentence in *ret_reason: too few
 * endpoints for the pattern, one twice, or `isolated` is none of them. -ENOMEM (*ret_reason NULL).
 */
int grudge_links(const struct grudge *grudge, const uint32_t *endpoint, size_t count,
		 struct links *ret_links, const char **ret_reason);

#endif
