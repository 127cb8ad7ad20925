/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * system.h - a model as functions in a decision diagram, and the exact figures that follow from them.
 *
 * A service with its replicas is one variable (nothing else depends on one of them, so their binomial tail is exact), and
 * so is a call's way that has an availability of its own. Callers are asked before what they call.
 */
#ifndef HOPFAULT_AVAILABILITY_SYSTEM_H
#define HOPFAULT_AVAILABILITY_SYSTEM_H

#include "availability/bdd.h"
#include "availability/model.h"

/* One thing done otherwise than the model says. */
enum what_if {
	AS_IT_IS,
	ALL_REQUIRED, /* every optional call counts: what a full answer needs */
	WITHOUT_EDGE, /* this call is not made */
	GROUP_GROWN, /* this group has one more member, like its last service, and needs as many as before */
};

struct system;

/* -E2BIG: it needs more nodes or steps than are allowed. -ENOMEM. */
int system_new(const struct model *model, struct system **ret_system);
void system_free(struct system *system);
DEFINE_CLEANUP(struct system *, system_free)

/* The whole system's chance; `index` is of the edge or the group. 0, -E2BIG, -ENOMEM. */
int system_chance(struct system *system, enum what_if what_if, unsigned int index,
		  struct chance *ret_chance);

/*
 * As it is, but with so many replicas of each service (needing as many as before): the whole's chance, and Birnbaum's
 * importance of each part by itself. 0 or -ENOMEM.
 */
int system_replicated(const struct system *system, const unsigned int *replicas,
		      struct chance *ret_chance, double *ret_importance);

/* As it is: */
struct chance system_part_chance(const struct system *system,
				 unsigned int part); /* with its calls */
struct chance system_edge_chance(const struct system *system, unsigned int edge); /* with its end */
/* Birnbaum's, of a service by itself and of a way; 0 for what has no variable. */
double system_part_importance(const struct system *system, unsigned int part);
double system_edge_importance(const struct system *system, unsigned int edge);
bool system_reaches(const struct system *system, unsigned int part);
uint32_t system_nodes(const struct system *system);

/* The member that GROUP_GROWN copies: an index of a part; -ENOENT when all members are groups. */
int system_copied_member(const struct model *model, unsigned int group);

#endif
