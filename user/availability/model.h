/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * model.h - a system as it is claimed to be: services, the calls that they make, and groups of which so many must work.
 *
 *     gateway --> auth ------------------.
 *        |                               v
 *        '-----> catalog --> stores: 2 of [db1, db2, db3] --> network
 *
 * What is meant by "works":
 *
 *   a service  at least `need` of its `replicas` work, and every call that is not optional works
 *   a call     its own way works, and what it leads to works
 *   a group    at least `need` of its members work
 *   the system the entry works
 *
 * Every replica and every way fails on its own, independently of all others, and is the same one wherever it is
 * reached from: what two calls share is counted once. What fails together is modelled as a service that both call.
 */
#ifndef HOPFAULT_AVAILABILITY_MODEL_H
#define HOPFAULT_AVAILABILITY_MODEL_H

#include <stdbool.h>
#include <stdint.h>

#include "base/cleanup.h"

#define MODEL_NAME_MAX	   48 /* bytes, without the NUL */
#define MODEL_PARTS_MAX	   1000
#define MODEL_EDGES_MAX	   4000
#define MODEL_CALLS_MAX	   100 /* of one service */
#define MODEL_REPLICAS_MAX 100
#define MODEL_MEMBERS_MAX  100
#define MODEL_ERROR_MAX	   1024

/* up + down = 1; both are kept, because 1 - 0.999999999999 has lost its digits. */
struct chance {
	double up;
	double down;
};

/* A call from a service to a part. */
struct edge {
	unsigned int from, to; /* indices of parts */
	unsigned int line;
	bool optional; /* `from` answers without it, with less */
	bool is_claimed; /* its way has an availability of its own; else it always works */
	struct chance way;
	uint64_t latency_ns; /* of the way, both directions */
	const char
		*lane; /* calls of one service with the same word here run at once; NULL: alone */
};

/* What can be called. */
struct part {
	const char *name;
	unsigned int line;
	bool is_group;
	unsigned int need; /* of the replicas, or of the members */

	/* a service */
	struct chance one; /* one replica */
	unsigned int replicas;
	uint64_t latency_ns; /* its own work */
	unsigned int edge, edges; /* its calls: edge[edge .. edge + edges) of the model */
	const char **endpoint; /* its names in a trace */
	unsigned int endpoints;

	/* a group */
	unsigned int *member; /* indices of parts */
	unsigned int members;
};

struct model {
	const char *name;
	unsigned int entry; /* index of a part */
	bool has_availability_goal, has_latency_goal;
	struct chance goal;
	uint64_t goal_ns;

	struct part *part;
	unsigned int parts;
	struct edge *edge;
	unsigned int edges;

	/* Every part stands behind all that it needs: callees before callers. */
	unsigned int *order;

	void *texts; /* what owns the names */
};

/*
 * Reads and checks a file. -EINVAL or -E2BIG: what it says cannot be; what fopen() says; -ENOMEM. A sentence stands in
 * `error`: "FILE, line 7: ...".
 */
int model_read(const char *path, struct model **ret_model, char error[MODEL_ERROR_MAX]);
void model_free(struct model *model);
DEFINE_CLEANUP(struct model *, model_free)

/* At least `need` of `count` that work with this chance each, independently (the binomial distribution's tail). */
struct chance chance_of_some(struct chance one, unsigned int count, unsigned int need);
/* A service by itself, all replicas together. */
struct chance part_own_chance(const struct part *part);
/* Marks what the entry reaches, by optional calls too. `ret_reached` has room for all parts. */
void model_reach(const struct model *model, bool *ret_reached);
/* "a -> b" for a call. */
#define MODEL_EDGE_TEXT_MAX (2 * MODEL_NAME_MAX + 8)
char *model_edge_text(const struct model *model, const struct edge *edge,
		      char text[MODEL_EDGE_TEXT_MAX]);

#endif
