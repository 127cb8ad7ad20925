/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * patience_parts.h - what the files of patience share, and nobody else needs.
 */
#ifndef HOPFAULT_EXPORT_PATIENCE_PARTS_H
#define HOPFAULT_EXPORT_PATIENCE_PARTS_H

#include "base/histogram.h"
#include "export/patience.h"

enum met_end { MET_ANSWERED, MET_GAVE_UP, MET_BROKEN, MET_WAITING };

/* What is kept of a call. */
struct met {
	uint64_t span_id, parent_span_id;
	uint64_t begin_ns; /* connecting included */
	uint64_t sent_ns; /* the request; begin_ns when it needed no connection */
	uint64_t end_ns;
	uint64_t answered_ns; /* its server began to answer; TIME_UNKNOWN */
	uint64_t first_try_ns; /* of the next hop, for this one; TIME_UNKNOWN: none */
	uint64_t last_end_ns; /* of those of these tries that were given up */
	uint32_t tries; /* calls of the next hop for this one */
	uint16_t status;
	uint8_t hop;
	uint8_t end; /* enum met_end */
	bool was_connecting; /* when it ended */
	bool is_troubled; /* of the cut in hand: it met it, or was waiting for one that did */
};

struct patience {
	unsigned int hops;
	char *name[PATIENCE_HOPS_MAX + 1];
	struct met *met;
	size_t mets, room;
	uint64_t ignored;
	struct patience_cut *cut;
	size_t cuts;
	uint64_t limit_ns;
	struct patience_wait *wait; /* [cut * hops + hop] */
	struct patience_times usual[PATIENCE_HOPS_MAX]; /* tries, before the first cut */
	struct patience_finding *finding;
	size_t findings;
};

/* Values, and then what patience_times says of them. All zero is an empty one. */
struct tally {
	struct samples samples;
	bool has_any;
};

static inline int tally_add(struct tally *tally, uint64_t value)
{
	if (!tally->has_any)
		samples_init(&tally->samples, 0);
	tally->has_any = true;
	return samples_add(&tally->samples, value);
}

static inline void tally_times(struct tally *tally, struct patience_times *ret_times)
{
	*ret_times = (struct patience_times){};
	if (!tally->has_any)
		return;
	ret_times->count = (uint32_t)tally->samples.count;
	ret_times->min_ns = tally->samples.min;
	ret_times->p50_ns = samples_percentile(&tally->samples, 50);
	ret_times->max_ns = tally->samples.max;
}

static inline void tally_done(struct tally *tally)
{
	if (tally->has_any)
		samples_done(&tally->samples);
}

/* Draws the conclusions. 0 or -ENOMEM. */
int patience_find(struct patience *patience);

#endif
