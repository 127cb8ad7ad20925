/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * figure.h - what the picture shows, before it is drawn: for each point of the way through the chain, when it
 * was reached and how much of that was injected.
 *
 *   node     0 ---> 1 ---> 2 ---> 1 ---> 0          (n nodes down, and the same way back)
 *   points   D0  A1 D1  A2 R2  B1 R1  B0            depart, arrive; respond, be back
 *
 * A tree is followed along the calls that end last: the way that decides how long the root takes.
 */
#ifndef HOPFAULT_EXPORT_FIGURE_H
#define HOPFAULT_EXPORT_FIGURE_H

#include "base/histogram.h"
#include "export/export.h"

#define FIGURE_RUNS_MAX	  2
#define FIGURE_CALLS_MAX  16
#define FIGURE_PATHS_MAX  16
#define FIGURE_POINTS_MAX (4 * FIGURE_CALLS_MAX)

struct figure_point {
	struct samples time_ns; /* since the root began */
	struct samples real_ns; /* less what was injected until then */
};

/* The chains of one run that took one path. */
struct figure_line {
	uint64_t chains;
	bool injected; /* something was */
	struct figure_point
		*point; /* 4 * calls of them, in the order of the way; NULL: no chains */
};

struct figure_path {
	unsigned int calls;
	char *name[FIGURE_CALLS_MAX + 1]; /* of the nodes */
	struct figure_line line[FIGURE_RUNS_MAX];
};

struct figure {
	unsigned int runs;
	char *run_id[FIGURE_RUNS_MAX];
	uint64_t chains[FIGURE_RUNS_MAX];
	unsigned int paths;
	struct figure_path *path[FIGURE_PATHS_MAX];
	const struct export_run *run; /* in hand */
};

/* -E2BIG: more than FIGURE_RUNS_MAX runs; -ENOMEM. */
int figure_begin_run(struct figure *figure, const struct export_run *run);
int figure_add(struct figure *figure, const struct chain *chain);
void figure_done(struct figure *figure);

/* The path that most chains took, or NULL. */
const struct figure_path *figure_main_path(const struct figure *figure);
/* Where a point stands on the way: 0 is the first node, 2 * calls the first node again. */
unsigned int figure_place(unsigned int calls, unsigned int point);

#endif
