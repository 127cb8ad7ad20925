/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * patience_find.c - what the measured patience of a chain means for it, in words.
 *
 *     outer   |------- gives up ---|               sane when it ends after the inner one:
 *     inner      |-- gives up --|                  the inner one can still say which hop failed
 */
#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "base/units.h"
#include "export/patience_parts.h"

#define SAME_PERCENT \
	3 /* two timeouts that are as near as this are one: measured ones wander that much */

static int find(struct patience *patience, enum patience_finding_kind kind, unsigned int hop,
		const char *format, ...) __attribute__((format(printf, 4, 5)));

static int find(struct patience *patience, enum patience_finding_kind kind, unsigned int hop,
		const char *format, ...)
{
	struct patience_finding *more, *finding;
	va_list args;

	more = realloc(patience->finding, (patience->findings + 1) * sizeof(*more));
	if (!more)
		return -ENOMEM;
	patience->finding = more;
	finding = &patience->finding[patience->findings++];
	*finding = (struct patience_finding){ .kind = kind, .hop = hop };
	va_start(args, format);
	vsnprintf(finding->text, sizeof(finding->text), format, args);
	va_end(args);
	return 0;
}

static const char *text_of(uint64_t ns, char text[UNITS_TEXT_MAX])
{
	return units_format_duration(text, ns);
}

/* A hop's own wait: of the caller on the link that was cut. NULL: its link was not cut. */
static const struct patience_wait *own_wait(const struct patience *patience, unsigned int hop)
{
	for (size_t i = 0; i < patience->cuts; i++)
		if (patience->cut[i].hop == hop)
			return patience_wait_at(patience, i, hop);
	return NULL;
}

/* How long it waits for one try; the shorter of the two kinds. 0: not known. */
static uint64_t shortest_ns(const struct patience_wait *wait)
{
	uint64_t shortest = 0;

	for (int kind = 0; wait && kind < PATIENCE_KINDS; kind++)
		if (wait->gave_up[kind].count &&
		    (!shortest || wait->gave_up[kind].p50_ns < shortest))
			shortest = wait->gave_up[kind].p50_ns;
	return shortest;
}

/* How long it keeps its own caller waiting, all tries together. */
static uint64_t longest_ns(const struct patience_wait *wait)
{
	uint64_t longest = wait ? wait->whole.p50_ns : 0;

	for (int kind = 0; wait && kind < PATIENCE_KINDS; kind++)
		if (wait->gave_up[kind].count && wait->gave_up[kind].p50_ns > longest)
			longest = wait->gave_up[kind].p50_ns;
	return longest;
}

static int find_unknown(struct patience *patience, unsigned int hop,
			const struct patience_wait *wait)
{
	char waited[UNITS_TEXT_MAX];
	const char *caller = patience->name[hop], *callee = patience->name[hop + 1];
	uint64_t longest = 0;

	if (!wait)
		return find(patience, FINDING_UNKNOWN, hop,
			    "Nothing is known of %s's patience with %s: no call was seen there "
			    "before, so the link was not cut.",
			    caller, callee);
	if (wait->calls == 0)
		return find(patience, FINDING_UNKNOWN, hop,
			    "Nothing is known of %s's patience with %s: no call was seen while the "
			    "link was cut. That is no sign of a timeout, nor of none.",
			    caller, callee);
	for (int kind = 0; kind < PATIENCE_KINDS; kind++)
		if (wait->waited_ns[kind] > longest)
			longest = wait->waited_ns[kind];
	if (wait->broken == wait->calls)
		return find(patience, FINDING_UNKNOWN, hop,
			    "%s was refused by %s, or hung up on, and did not have to wait.",
			    caller, callee);
	return find(patience, FINDING_UNKNOWN, hop,
		    "%s waited for %s for %s at least, when the cut ended: too short to say more.",
		    caller, callee, text_of(longest, waited));
}

static bool is_measured(const struct patience_wait *wait)
{
	return wait &&
	       (wait->hangs[PATIENCE_ANSWER] || wait->hangs[PATIENCE_CONNECT] || shortest_ns(wait));
}

static int find_hang(struct patience *patience, unsigned int hop, const struct patience_wait *wait)
{
	static const char *const what[PATIENCE_KINDS] = { "an answer of", "a connection to" };
	const char *caller = patience->name[hop], *callee = patience->name[hop + 1];
	bool both = wait->hangs[PATIENCE_ANSWER] && wait->hangs[PATIENCE_CONNECT];
	int kind = wait->hangs[PATIENCE_ANSWER] ? PATIENCE_ANSWER : PATIENCE_CONNECT;
	char waited[UNITS_TEXT_MAX], other[UNITS_TEXT_MAX];

	if (!wait->hangs[kind])
		return 0;
	text_of(patience->limit_ns, waited);
	if (wait->gave_up[!kind].count)
		return find(patience, FINDING_HANGS, hop,
			    "%s waits for %s %s without an end that was seen (more than %s), "
			    "though it gives up waiting for %s it after %s.",
			    caller, what[kind], callee, waited, what[!kind],
			    text_of(wait->gave_up[!kind].p50_ns, other));
	return find(patience, FINDING_HANGS, hop,
		    "%s waits for %s %s%s without an end that was seen: more than %s. "
		    "Each request that meets it keeps a thread or a connection of %s for as long. "
		    "Give that call a timeout.",
		    caller, what[kind], callee, both ? ", or for a connection to it," : "", waited,
		    caller);
}

static bool is_same(uint64_t a, uint64_t b)
{
	uint64_t apart = a < b ? b - a : a - b;

	return apart * 100 <= (a > b ? a : b) * SAME_PERCENT;
}

/* The caller of `hop`, and the one that it calls, which is the caller of hop + 1. */
static int find_order(struct patience *patience, unsigned int hop)
{
	const struct patience_wait *outer = own_wait(patience, hop),
				   *inner = own_wait(patience, hop + 1);
	const char *outer_name = patience->name[hop], *inner_name = patience->name[hop + 1],
		   *last = patience->name[hop + 2];
	uint64_t outer_ns = shortest_ns(outer), inner_ns = longest_ns(inner);
	char text[2][UNITS_TEXT_MAX], wasted[UNITS_TEXT_MAX];

	if (!outer_ns || !inner_ns)
		return 0;
	if (is_same(outer_ns, inner_ns))
		return find(patience, FINDING_EQUAL, hop,
			    "%s and %s wait equally long (%s, %s): which of them gives up first is "
			    "chance, so %s may not learn that it was %s that failed. Give %s more.",
			    outer_name, inner_name, text_of(outer_ns, text[0]),
			    text_of(inner_ns, text[1]), outer_name, last, outer_name);
	if (outer_ns > inner_ns)
		return 0;
	return find(patience, FINDING_OUTER_SHORTER, hop,
		    "%s gives up on %s after %s, but %s goes on with %s for %s%s: for %s it works "
		    "for nobody, and %s never learns what failed. The outer timeout must be the "
		    "longer one.",
		    outer_name, inner_name, text_of(outer_ns, text[0]), inner_name, last,
		    text_of(inner_ns, text[1]), inner->tries.p50_ns > 1 ? " (all tries)" : "",
		    text_of(inner_ns - outer_ns, wasted), outer_name);
}

static int find_connect(struct patience *patience, unsigned int hop,
			const struct patience_wait *wait)
{
	uint64_t answer_ns = wait->gave_up[PATIENCE_ANSWER].p50_ns;
	uint64_t connect_ns = wait->gave_up[PATIENCE_CONNECT].p50_ns;
	char text[2][UNITS_TEXT_MAX];

	if (!wait->gave_up[PATIENCE_ANSWER].count || !wait->gave_up[PATIENCE_CONNECT].count ||
	    connect_ns < 2 * answer_ns)
		return 0;
	return find(patience, FINDING_CONNECT, hop,
		    "%s gives up waiting for an answer of %s after %s, but for a connection only "
		    "after %s.",
		    patience->name[hop], patience->name[hop + 1], text_of(answer_ns, text[0]),
		    text_of(connect_ns, text[1]));
}

static uint64_t tries_of(const struct patience *patience, unsigned int hop)
{
	const struct patience_wait *wait = own_wait(patience, hop);
	uint64_t usual = patience->usual[hop].count ? patience->usual[hop].p50_ns : 1;

	if (!wait || !wait->tries.count || !usual)
		return 1;
	return wait->tries.p50_ns > usual ? (wait->tries.p50_ns + usual - 1) / usual : 1;
}

static int find_retries(struct patience *patience)
{
	char who[256] = "";
	uint64_t product = 1;
	unsigned int several = 0, first = 0;
	size_t len = 0;

	for (unsigned int hop = 1; hop < patience->hops; hop++) {
		uint64_t tries = tries_of(patience, hop);

		if (tries < 2)
			continue;
		product *= tries;
		first = several++ ? first : hop;
		if (len < sizeof(who))
			len += (size_t)snprintf(who + len, sizeof(who) - len,
						"%s%.40s calls %.40s %" PRIu64 " times",
						len ? ", " : "", patience->name[hop],
						patience->name[hop + 1], tries);
	}
	if (several == 0)
		return 0;
	if (several == 1)
		return find(patience, FINDING_RETRIES, first,
			    "Retries: for each request, %s when it gets no answer. A callee in "
			    "trouble gets that much more to do.",
			    who);
	return find(patience, FINDING_RETRIES, first,
		    "Retries multiply: %s when it gets no answer. One request may become %" PRIu64
		    " at the end of the chain, just when that is in trouble. Let one hop retry.",
		    who, product);
}

static int find_of_hop(struct patience *patience, unsigned int hop)
{
	const struct patience_wait *wait = own_wait(patience, hop);
	int r;

	if (!is_measured(wait))
		return find_unknown(patience, hop, wait);
	r = find_hang(patience, hop, wait);
	if (r == 0)
		r = find_connect(patience, hop, wait);
	if (r == 0 && hop + 1 < patience->hops)
		r = find_order(patience, hop);
	return r;
}

int patience_find(struct patience *patience)
{
	int r = 0;

	patience->findings = 0;
	for (unsigned int hop = 0; hop < patience->hops && r == 0; hop++)
		r = find_of_hop(patience, hop);
	if (r == 0)
		r = find_retries(patience);
	if (r == 0 && patience->findings == 0)
		r = find(patience, FINDING_SANE, 0,
			 "Every call has an end, and each caller waits longer than the one that it "
			 "calls.");
	return r;
}

const char *patience_finding_name(enum patience_finding_kind kind)
{
	static const char *const names[] = {
		[FINDING_HANGS] = "hangs",     [FINDING_OUTER_SHORTER] = "outer_shorter",
		[FINDING_EQUAL] = "equal",     [FINDING_RETRIES] = "retries",
		[FINDING_CONNECT] = "connect", [FINDING_UNKNOWN] = "unknown",
		[FINDING_SANE] = "sane",
	};

	return names[kind];
}
