/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * patience.c - calls that met a cut become each caller's patience. See patience.h; patience_find.c draws conclusions,
 * patience_write.c writes them.
 *
 * A caller has given up when it closed, when it ended its attempt to connect, or when its own caller had an answer while
 * it was still waiting (a connection that goes back to a pool, a stream among others on one connection).
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "export/patience_parts.h"

#define CUTS_MAX 256

int patience_new(const char *const *name, unsigned int hops, struct patience **ret_patience)
{
	_cleanup_(patience_freep) struct patience *patience = calloc(1, sizeof(*patience));

	if (!patience || hops > PATIENCE_HOPS_MAX)
		return patience ? -E2BIG : -ENOMEM;
	patience->hops = hops;
	for (unsigned int i = 0; i <= hops; i++) {
		patience->name[i] = strdup(name[i]);
		if (!patience->name[i])
			return -ENOMEM;
	}
	*ret_patience = TAKE_PTR(patience);
	return 0;
}

void patience_free(struct patience *patience)
{
	if (!patience)
		return;
	for (unsigned int i = 0; i <= patience->hops; i++)
		free(patience->name[i]);
	free(patience->met);
	free(patience->cut);
	free(patience->wait);
	free(patience->finding);
	free(patience);
}

/* ---- what goes in ---- */

/* When the server began to answer, if every stage before it is known. */
static uint64_t answered_ns(const struct call *call)
{
	uint64_t at_ns = call->start_mono_ns;

	for (int i = 0; i < STAGE_SRV_SEND; i++) {
		if (call->stage_ns[i] == TIME_UNKNOWN)
			return TIME_UNKNOWN;
		at_ns += call->stage_ns[i];
	}
	return at_ns;
}

static enum met_end end_of(const struct call *call)
{
	switch (call->shape) {
	case SHAPE_ABANDONED:
	case SHAPE_UNCONNECTED:
		return MET_GAVE_UP;
	case SHAPE_BROKEN:
	case SHAPE_REFUSED:
		return MET_BROKEN;
	case SHAPE_PENDING:
		return MET_WAITING;
	default:
		return MET_ANSWERED;
	}
}

static bool was_connecting(const struct call *call)
{
	return call->shape == SHAPE_UNCONNECTED || call->shape == SHAPE_REFUSED ||
	       (call->shape == SHAPE_PENDING && call->req_bytes == 0);
}

static int make_room(struct patience *patience)
{
	size_t room = patience->room ? patience->room * 2 : 256;
	struct met *met;

	if (patience->mets < patience->room)
		return 0;
	met = realloc(patience->met, room * sizeof(*met));
	if (!met)
		return -ENOMEM;
	patience->met = met;
	patience->room = room;
	return 0;
}

int patience_add(struct patience *patience, unsigned int hop, const struct call *call)
{
	uint64_t connect_ns = call->connect_ns == TIME_UNKNOWN ? 0 : call->connect_ns;
	int r;

	if (hop >= patience->hops)
		return -EINVAL;
	if (patience->mets == PATIENCE_CALLS_MAX) {
		patience->ignored++;
		return 0;
	}
	r = make_room(patience);
	if (r < 0)
		return r;
	patience->met[patience->mets++] = (struct met){
		.span_id = call->span_id,
		.parent_span_id = call->parent_span_id,
		.begin_ns = call->start_mono_ns - connect_ns,
		.sent_ns = call->start_mono_ns,
		.end_ns = call->start_mono_ns + call->total_ns,
		.answered_ns = answered_ns(call),
		.hop = (uint8_t)hop,
		.status = call->status,
		.end = (uint8_t)end_of(call),
		.was_connecting = was_connecting(call),
	};
	return 0;
}

int patience_add_cut(struct patience *patience, const struct patience_cut *cut)
{
	struct patience_cut *more;

	if (patience->cuts == CUTS_MAX || cut->hop >= patience->hops)
		return -EINVAL;
	more = realloc(patience->cut, (patience->cuts + 1) * sizeof(*more));
	if (!more)
		return -ENOMEM;
	patience->cut = more;
	patience->cut[patience->cuts++] = *cut;
	return 0;
}

/* ---- who called for whom ---- */

static int by_span(const void *a, const void *b)
{
	const struct met *left = a, *right = b;

	return left->span_id < right->span_id ? -1 : left->span_id > right->span_id;
}

static struct met *parent_of(struct patience *patience, const struct met *met)
{
	const struct met wanted = { .span_id = met->parent_span_id };

	if (!met->parent_span_id)
		return NULL;
	return bsearch(&wanted, patience->met, patience->mets, sizeof(wanted), by_span);
}

static void tie(struct patience *patience)
{
	if (patience->mets)
		qsort(patience->met, patience->mets, sizeof(*patience->met), by_span);
	for (size_t i = 0; i < patience->mets; i++) {
		patience->met[i].tries = 0;
		patience->met[i].first_try_ns = TIME_UNKNOWN;
		patience->met[i].last_end_ns = 0;
		patience->met[i].is_troubled = false;
	}
	for (size_t i = 0; i < patience->mets; i++) {
		struct met *met = &patience->met[i], *parent = parent_of(patience, met);

		if (!parent || parent->hop + 1 != met->hop)
			continue;
		parent->tries++;
		if (met->begin_ns < parent->first_try_ns)
			parent->first_try_ns = met->begin_ns;
		if (met->end == MET_GAVE_UP && met->end_ns > parent->last_end_ns)
			parent->last_end_ns = met->end_ns;
	}
}

/* ---- one cut ---- */

static bool meets(const struct met *met, const struct patience_cut *cut)
{
	return met->begin_ns < cut->to_ns && met->end_ns > cut->from_ns;
}

/* On the link itself no answer comes through: what ended in between with one had passed it before. */
static bool is_stopped_by(const struct met *met, const struct patience_cut *cut)
{
	return met->hop == cut->hop && meets(met, cut) &&
	       !(met->end == MET_ANSWERED && met->end_ns <= cut->to_ns);
}

/* Those on the cut link, and the calls that they were made for. */
static void find_trouble(struct patience *patience, const struct patience_cut *cut,
			 bool known[PATIENCE_HOPS_MAX])
{
	memset(known, 0, PATIENCE_HOPS_MAX * sizeof(known[0]));
	for (size_t i = 0; i < patience->mets; i++)
		patience->met[i].is_troubled = false;
	for (size_t i = 0; i < patience->mets; i++) {
		struct met *met = &patience->met[i];

		if (!is_stopped_by(met, cut))
			continue;
		for (; met && !met->is_troubled; met = parent_of(patience, met)) {
			met->is_troubled = true;
			known[met->hop] = true;
		}
	}
}

static bool counts_for(const struct met *met, const struct patience_cut *cut, bool hop_is_known)
{
	if (hop_is_known || met->hop == cut->hop)
		return met->is_troubled;
	return met->begin_ns >= cut->from_ns && met->begin_ns < cut->to_ns;
}

/* Waiting was over when its own caller had an answer, though nothing on the wire says so. */
static uint64_t went_on_ns(struct patience *patience, const struct met *met)
{
	const struct met *parent = parent_of(patience, met);

	if (!parent || parent->answered_ns == TIME_UNKNOWN || parent->answered_ns <= met->begin_ns)
		return TIME_UNKNOWN;
	return parent->answered_ns;
}

static void note_waiting(struct patience_wait *wait, enum patience_kind kind, uint64_t waited_ns)
{
	wait->waiting[kind]++;
	if (waited_ns > wait->waited_ns[kind])
		wait->waited_ns[kind] = waited_ns;
}

struct tallies {
	struct tally gave_up[PATIENCE_KINDS], answered, tries, whole;
	uint32_t status[600];
};

static int count_call(struct patience *patience, const struct met *met,
		      const struct patience_cut *cut, struct patience_wait *wait,
		      struct tallies *tallies)
{
	uint64_t wait_ns = met->end_ns - met->begin_ns, on_ns = went_on_ns(patience, met);
	bool is_stopped = is_stopped_by(met, cut);
	/* an answer after the heal: if it had to connect first, that was what took so long */
	enum patience_kind kind = met->was_connecting || (is_stopped && met->sent_ns > cut->to_ns)
					  ? PATIENCE_CONNECT
					  : PATIENCE_ANSWER;

	wait->calls++;
	if (met->end == MET_BROKEN) {
		wait->broken++;
		return 0;
	}
	if (on_ns < met->end_ns && met->end != MET_GAVE_UP &&
	    (is_stopped || met->end == MET_WAITING))
		return tally_add(&tallies->gave_up[kind], on_ns - met->begin_ns);
	if (met->end == MET_GAVE_UP)
		return tally_add(&tallies->gave_up[kind],
				 on_ns < met->end_ns ? on_ns - met->begin_ns : wait_ns);
	/* a good answer behind the heal is the heal's; a failure is what somebody's patience came to */
	if (met->end == MET_WAITING || is_stopped ||
	    (met->end_ns > cut->to_ns && met->status < 500)) {
		note_waiting(wait, kind, wait_ns);
		return 0;
	}
	if (met->status < ARRAY_SIZE(tallies->status))
		tallies->status[met->status]++;
	return tally_add(&tallies->answered, wait_ns);
}

/*
 * How often its caller tried, and how long all of that took: told by the call for which it was done. That may have ended
 * before, without an answer.
 */
static int count_tries(const struct met *met, struct tallies *tallies)
{
	int r = 0;

	if (!met->tries || met->end == MET_WAITING)
		return 0;
	r = tally_add(&tallies->tries, met->tries);
	if (r == 0 && met->answered_ns != TIME_UNKNOWN && met->answered_ns > met->first_try_ns)
		r = tally_add(&tallies->whole, met->answered_ns - met->first_try_ns);
	else if (r == 0 && met->end == MET_GAVE_UP && met->last_end_ns > met->end_ns)
		r = tally_add(&tallies->whole, met->last_end_ns - met->first_try_ns);
	return r;
}

static uint16_t most_common(const struct tallies *tallies)
{
	uint16_t best = 0;

	for (uint16_t i = 1; i < ARRAY_SIZE(tallies->status); i++)
		if (tallies->status[i] > tallies->status[best] || (!best && tallies->status[i]))
			best = i;
	return best;
}

static void tallies_done(struct tallies *tallies)
{
	for (int kind = 0; kind < PATIENCE_KINDS; kind++)
		tally_done(&tallies->gave_up[kind]);
	tally_done(&tallies->answered);
	tally_done(&tallies->tries);
	tally_done(&tallies->whole);
}

/* One call of which nobody saw the end, among many that were given up, is no hang: its end may have been missed. */
static bool are_many(uint32_t waiting, uint32_t others)
{
	return waiting && waiting >= others / 4;
}

static void say_times(struct patience_wait *wait, struct tallies *tallies, uint64_t limit_ns)
{
	for (int kind = 0; kind < PATIENCE_KINDS; kind++)
		tally_times(&tallies->gave_up[kind], &wait->gave_up[kind]);
	for (int kind = 0; kind < PATIENCE_KINDS; kind++) {
		wait->hangs[kind] = !wait->gave_up[kind].count &&
				    are_many(wait->waiting[kind], wait->gave_up[!kind].count) &&
				    wait->waited_ns[kind] >= limit_ns;
	}
	tally_times(&tallies->answered, &wait->answered);
	tally_times(&tallies->tries, &wait->tries);
	tally_times(&tallies->whole, &wait->whole);
	wait->status = most_common(tallies);
}

static int measure_wait(struct patience *patience, size_t which, unsigned int hop,
			bool hop_is_known, struct patience_wait *wait)
{
	const struct patience_cut *cut = &patience->cut[which];
	struct tallies tallies = {};
	int r = 0;

	*wait = (struct patience_wait){ .cut = (unsigned int)which, .hop = hop };
	for (size_t i = 0; i < patience->mets && r == 0; i++) {
		const struct met *met = &patience->met[i];

		if (met->hop == hop && counts_for(met, cut, hop_is_known))
			r = count_call(patience, met, cut, wait, &tallies);
		if (r == 0 && met->hop + 1U == hop && met->is_troubled)
			r = count_tries(met, &tallies);
	}
	say_times(wait, &tallies, patience->limit_ns);
	tallies_done(&tallies);
	return r;
}

/* What is usual without any cut: two calls of one service for each request are no retries. */
static int measure_usual(struct patience *patience)
{
	uint64_t before_ns = patience->cuts ? patience->cut[0].from_ns : UINT64_MAX;
	int r = 0;

	for (unsigned int hop = 1; hop < patience->hops && r == 0; hop++) {
		struct tally tries = {};

		for (size_t i = 0; i < patience->mets && r == 0; i++)
			if (patience->met[i].hop + 1U == hop && patience->met[i].tries &&
			    patience->met[i].end_ns < before_ns)
				r = tally_add(&tries, patience->met[i].tries);
		tally_times(&tries, &patience->usual[hop]);
		tally_done(&tries);
	}
	return r;
}

int patience_measure(struct patience *patience, uint64_t limit_ns)
{
	bool known[PATIENCE_HOPS_MAX];
	struct patience_wait *wait;
	int r = 0;

	wait = calloc(patience->cuts * patience->hops + 1, sizeof(*wait));
	if (!wait)
		return -ENOMEM;
	free(patience->wait);
	patience->wait = wait;
	patience->limit_ns = limit_ns;
	tie(patience);
	for (size_t i = 0; i < patience->cuts && r == 0; i++) {
		find_trouble(patience, &patience->cut[i], known);
		for (unsigned int hop = 0; hop <= patience->cut[i].hop && r == 0; hop++)
			r = measure_wait(patience, i, hop, known[hop],
					 &patience->wait[i * patience->hops + hop]);
	}
	if (r == 0)
		r = measure_usual(patience);
	return r < 0 ? r : patience_find(patience);
}

/* ---- what comes out ---- */

size_t patience_cuts(const struct patience *patience)
{
	return patience->cuts;
}

const struct patience_cut *patience_cut_at(const struct patience *patience, size_t cut)
{
	return &patience->cut[cut];
}

const struct patience_wait *patience_wait_at(const struct patience *patience, size_t cut,
					     unsigned int hop)
{
	return &patience->wait[cut * patience->hops + hop];
}

size_t patience_findings(const struct patience *patience)
{
	return patience->findings;
}

const struct patience_finding *patience_finding_at(const struct patience *patience, size_t which)
{
	return &patience->finding[which];
}

const char *patience_name(const struct patience *patience, unsigned int endpoint)
{
	return patience->name[endpoint];
}

unsigned int patience_hops(const struct patience *patience)
{
	return patience->hops;
}

uint64_t patience_limit(const struct patience *patience)
{
	return patience->limit_ns;
}

uint64_t patience_ignored(const struct patience *patience)
{
	return patience->ignored;
}
