/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * assessment.h - all that is said of one model: computed once, then printed as tables, JSON or CSV.
 */
#ifndef HOPFAULT_AVAILABILITY_ASSESSMENT_H
#define HOPFAULT_AVAILABILITY_ASSESSMENT_H

#include <stdio.h>

#include "availability/change.h"
#include "availability/floor.h"
#include "availability/measured.h"
#include "availability/model.h"
#include "availability/montecarlo.h"
#include "availability/system.h"

#define REPORT_STEPS_MAX 8

struct assessment {
	const struct model *model;
	struct system *system;
	struct chance whole; /* the entry answers */
	struct chance full; /* it answers with all that is optional */
	bool has_full; /* there is something optional, and it was not too large to compute */
	struct estimate estimate; /* samples 0: not asked for */
	struct changes changes;
	struct step step[REPORT_STEPS_MAX]; /* towards the goal */
	unsigned int steps;
	struct chance after_steps;
	bool has_floor;
	uint64_t floor_ns;
	double *part_times, *edge_times; /* on the critical path */

	const struct measured *measured; /* NULL: nothing was */
	struct chance predicted; /* what the model says of the measured services */
	struct assessment *as_measured; /* of that model: what it costs, and what would mend it */
	unsigned int kept; /* services that kept their claim in it */
};

/* 0, -E2BIG (more nodes than allowed), -ENOMEM. The model must outlive it. */
int assessment_make(const struct model *model, uint64_t samples, uint64_t seed,
		    struct assessment *ret_report);
/* The measured must outlive it too. */
int assessment_add_measured(struct assessment *assessment, const struct measured *measured);
void assessment_done(struct assessment *assessment);

/* How many samples are worth their time: at most `most`, less where the model is large. */
uint64_t assessment_samples(const struct model *model, uint64_t most);

/*
 * What a part or a way costs: the downtime that would be gone if it never failed by itself (Birnbaum's importance times
 * its own downtime), as a share of all time.
 */
double assessment_part_cost(const struct assessment *assessment, unsigned int part);
double assessment_edge_cost(const struct assessment *assessment, unsigned int edge);
/* How many cost as much as the most expensive: what differs by less than a billionth is equal. */
unsigned int assessment_equally_costly(const struct assessment *assessment,
				       const unsigned int *index, unsigned int count);
/* Most expensive first, of equals by the file's order: indices of parts, then parts + index for ways. Returns how many cost anything. */
unsigned int assessment_by_cost(const struct assessment *assessment, unsigned int *ret_index);
/* "db", "gateway -> auth" for such an index. */
char *assessment_index_text(const struct assessment *assessment, unsigned int index,
			    char text[MODEL_EDGE_TEXT_MAX]);
double assessment_cost(const struct assessment *assessment, unsigned int index);
double assessment_importance(const struct assessment *assessment, unsigned int index);
struct chance assessment_own_chance(const struct assessment *assessment, unsigned int index);

/* Exact and estimated: how many standard errors they lie apart. */
double assessment_sigmas(const struct assessment *assessment);
/* "client" of a hop from outside is written so. */
const char *assessment_hop_src(const struct assessment *assessment, const struct hop *hop);
/* What the model claims of a hop: with all behind it, and by itself. */
void assessment_claimed_hop(const struct assessment *assessment, const struct hop *hop,
			    struct chance *ret_all, struct chance *ret_itself);
/* "agrees", "worse", "better", "not seen": a claim beside what was measured, by Wilson's interval. */
const char *assessment_verdict(struct chance claim, struct tally tally);
/* How many calls it takes to tell a hop that keeps this claim from one that fails twice as often. 0: none can. */
uint64_t assessment_tries_to_tell(struct chance claim);

/* 0 or -errno of the stream or of memory. `top`: so many changes; 0: all. */
int assessment_print(const struct assessment *assessment, unsigned int top, FILE *out);
int assessment_print_json(const struct assessment *assessment, FILE *out);
int assessment_write_csv(const struct assessment *assessment, FILE *out);
/* A paragraph of 80 columns, its lines indented. 0 or -ENOMEM. */
int assessment_say(FILE *out, unsigned int indent, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
/* What to do, in sentences, one a line. */
int assessment_print_advice(const struct assessment *assessment, FILE *out);

#endif
