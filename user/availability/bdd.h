/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * bdd.h - functions of independent yes-or-no variables as reduced ordered binary decision diagrams, and their chances.
 *
 *            x0                 A node asks one variable and leads on by its answer. Equal nodes are one node, and none
 *         no/  \yes             leads to the same place twice, so that equal functions are the same number. On a way
 *          /    x1              from the top to 0 or 1 each variable is asked at most once: the chance of a function is
 *         0  no/ \yes           one sum over its nodes, and what two parts share is counted once.
 *             0   1
 *
 * Algorithm: R. E. Bryant, Graph-Based Algorithms for Boolean Function Manipulation, IEEE Trans. Computers C-35(8), 1986;
 * if-then-else with a table of unique nodes and one of results: Brace, Rudell, Bryant, Efficient Implementation of a BDD
 * Package, DAC 1990; chances and importance: A. Rauzy, New algorithms for fault trees analysis, Reliability Engineering
 * and System Safety 40, 1993.
 *
 * Nothing is ever taken away: nodes live as long as the diagram. Nodes and steps are bounded; the first function that goes
 * beyond is -E2BIG, and those made before it stay good.
 */
#ifndef HOPFAULT_AVAILABILITY_BDD_H
#define HOPFAULT_AVAILABILITY_BDD_H

#include <stdint.h>

#include "availability/model.h"

#define BDD_NO	      0 /* the function that is never true */
#define BDD_YES	      1
#define BDD_NODES_MAX (1U << 20)
#define BDD_STEPS_MAX (1ULL << 26) /* calls of if-then-else in all: some seconds */

struct bdd;

/* variables are numbered from 0, and asked in this order. max_nodes is at most BDD_NODES_MAX. NULL: no memory. */
struct bdd *bdd_new(unsigned int variables, uint32_t max_nodes);
void bdd_free(struct bdd *bdd);
DEFINE_CLEANUP(struct bdd *, bdd_free)

/* Each returns 0, or -E2BIG or -ENOMEM. */
int bdd_variable(struct bdd *bdd, unsigned int variable, uint32_t *ret);
int bdd_if(struct bdd *bdd, uint32_t condition, uint32_t then, uint32_t otherwise, uint32_t *ret);
int bdd_and(struct bdd *bdd, uint32_t a, uint32_t b, uint32_t *ret);
/* True when at least `need` of the functions are. */
int bdd_some(struct bdd *bdd, const uint32_t *function, unsigned int count, unsigned int need,
	     uint32_t *ret);

/* chance[v] is that of variable v; *ret_of, to be freed, has that of every function up to now. 0 or -ENOMEM. */
int bdd_chances(const struct bdd *bdd, const struct chance *chance, struct chance **ret_of);
/* Of one function. */
int bdd_chance(const struct bdd *bdd, uint32_t function, const struct chance *chance,
	       struct chance *ret_chance);
/*
 * Birnbaum's importance of each variable: how much more likely the function is when the variable is true than when it is
 * not (Z. W. Birnbaum, On the importance of different components in a multicomponent system, 1969). In a function that
 * never gets worse by a true variable it lies between 0 and 1. 0 or -ENOMEM.
 */
int bdd_importance(const struct bdd *bdd, uint32_t function, const struct chance *chance,
		   double *ret_importance);

/* Nodes of all functions together; both ends are among them. */
uint32_t bdd_nodes(const struct bdd *bdd);

#endif
