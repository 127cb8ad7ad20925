/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * bdd.c - see bdd.h.
 *
 * A node is made after those that it leads to, so it has a higher number than they: a loop over numbers upwards meets
 * children before parents, one downwards parents before children, and neither needs recursion.
 */
#include "availability/bdd.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define RESULTS (1U << 16) /* remembered results of if-then-else; the newest in a place wins */

struct node {
	uint32_t variable; /* of the two ends: one more than the last */
	uint32_t no, yes;
	uint32_t next; /* in its hash chain; 0 ends it */
};

struct result {
	uint32_t condition, then, otherwise; /* condition 0: nothing is here */
	uint32_t result;
};

struct bdd {
	unsigned int variables;
	uint32_t nodes, allocated, max_nodes;
	uint64_t steps;
	struct node *node;
	uint32_t *bucket, buckets; /* heads of hash chains; a power of two */
	struct result *result;
};

static uint32_t hash(uint32_t a, uint32_t b, uint32_t c)
{
	uint64_t h = a * 0x9e3779b97f4a7c15ULL;

	h = (h ^ (h >> 29) ^ b) * 0xbf58476d1ce4e5b9ULL;
	h = (h ^ (h >> 32) ^ c) * 0x94d049bb133111ebULL;
	return (uint32_t)(h >> 32);
}

void bdd_free(struct bdd *bdd)
{
	if (!bdd)
		return;
	free(bdd->node);
	free(bdd->bucket);
	free(bdd->result);
	free(bdd);
}

struct bdd *bdd_new(unsigned int variables, uint32_t max_nodes)
{
	_cleanup_(bdd_freep) struct bdd *bdd = calloc(1, sizeof(*bdd));

	if (!bdd)
		return NULL;
	bdd->variables = variables;
	bdd->max_nodes = max_nodes < BDD_NODES_MAX ? max_nodes : BDD_NODES_MAX;
	bdd->allocated = 1024;
	bdd->buckets = 1024;
	bdd->node = calloc(bdd->allocated, sizeof(*bdd->node));
	bdd->bucket = calloc(bdd->buckets, sizeof(*bdd->bucket));
	bdd->result = calloc(RESULTS, sizeof(*bdd->result));
	if (!bdd->node || !bdd->bucket || !bdd->result)
		return NULL;
	bdd->node[BDD_NO] = (struct node){ variables, BDD_NO, BDD_NO, 0 };
	bdd->node[BDD_YES] = (struct node){ variables, BDD_YES, BDD_YES, 0 };
	bdd->nodes = 2;
	return TAKE_PTR(bdd);
}

/* ---- nodes ---- */

static uint32_t *bucket_of(struct bdd *bdd, uint32_t variable, uint32_t no, uint32_t yes)
{
	return &bdd->bucket[hash(variable, no, yes) & (bdd->buckets - 1)];
}

/* Twice the room for nodes, and twice the chains. */
static int grow(struct bdd *bdd)
{
	uint32_t allocated = 2 * bdd->allocated;
	struct node *node = realloc(bdd->node, allocated * sizeof(*node));
	uint32_t *bucket;

	if (!node)
		return -ENOMEM;
	bdd->node = node;
	bdd->allocated = allocated;
	bucket = calloc(allocated, sizeof(*bucket));
	if (!bucket)
		return -ENOMEM;
	free(bdd->bucket);
	bdd->bucket = bucket;
	bdd->buckets = allocated;
	for (uint32_t i = 2; i < bdd->nodes; i++) {
		uint32_t *head = bucket_of(bdd, node[i].variable, node[i].no, node[i].yes);

		node[i].next = *head;
		*head = i;
	}
	return 0;
}

static int make_node(struct bdd *bdd, uint32_t variable, uint32_t no, uint32_t yes, uint32_t *ret)
{
	uint32_t found, *head;
	int r;

	if (no == yes) {
		*ret = no;
		return 0;
	}
	for (found = *bucket_of(bdd, variable, no, yes); found; found = bdd->node[found].next) {
		const struct node *node = &bdd->node[found];

		if (node->variable == variable && node->no == no && node->yes == yes) {
			*ret = found;
			return 0;
		}
	}
	if (bdd->nodes >= bdd->max_nodes)
		return -E2BIG;
	if (bdd->nodes == bdd->allocated) {
		r = grow(bdd);
		if (r < 0)
			return r;
	}
	head = bucket_of(bdd, variable, no, yes);
	bdd->node[bdd->nodes] = (struct node){ variable, no, yes, *head };
	*ret = *head = bdd->nodes++;
	return 0;
}

int bdd_variable(struct bdd *bdd, unsigned int variable, uint32_t *ret)
{
	return make_node(bdd, variable, BDD_NO, BDD_YES, ret);
}

/* ---- functions ---- */

static uint32_t follow(const struct bdd *bdd, uint32_t function, uint32_t variable, int answer)
{
	const struct node *node = &bdd->node[function];

	if (node->variable != variable)
		return function;
	return answer ? node->yes : node->no;
}

static uint32_t first_variable(const struct bdd *bdd, uint32_t a, uint32_t b, uint32_t c)
{
	uint32_t first = bdd->node[a].variable;

	if (bdd->node[b].variable < first)
		first = bdd->node[b].variable;
	return bdd->node[c].variable < first ? bdd->node[c].variable : first;
}

/* Recursion is as deep as there are variables. */
int bdd_if(struct bdd *bdd, uint32_t condition, uint32_t then, uint32_t otherwise, uint32_t *ret)
{
	struct result *place;
	uint32_t variable, half[2];
	int r = 0;

	if (condition == BDD_YES || then == otherwise) {
		*ret = then;
		return 0;
	}
	if (condition == BDD_NO) {
		*ret = otherwise;
		return 0;
	}
	if (then == BDD_YES && otherwise == BDD_NO) {
		*ret = condition;
		return 0;
	}
	place = &bdd->result[hash(condition, then, otherwise) & (RESULTS - 1)];
	if (place->condition == condition && place->then == then && place->otherwise == otherwise) {
		*ret = place->result;
		return 0;
	}
	if (++bdd->steps > BDD_STEPS_MAX)
		return -E2BIG;
	variable = first_variable(bdd, condition, then, otherwise);
	for (int answer = 0; r == 0 && answer < 2; answer++)
		r = bdd_if(bdd, follow(bdd, condition, variable, answer),
			   follow(bdd, then, variable, answer),
			   follow(bdd, otherwise, variable, answer), &half[answer]);
	if (r == 0)
		r = make_node(bdd, variable, half[0], half[1], ret);
	if (r == 0)
		*place = (struct result){ condition, then, otherwise, *ret };
	return r;
}

int bdd_and(struct bdd *bdd, uint32_t a, uint32_t b, uint32_t *ret)
{
	return bdd_if(bdd, a, b, BDD_NO, ret);
}

/* some[k]: at least k of those seen so far. One more makes at least k of k when it works, or of those before. */
int bdd_some(struct bdd *bdd, const uint32_t *function, unsigned int count, unsigned int need,
	     uint32_t *ret)
{
	_cleanup_(freep) uint32_t *some = calloc(need + 1, sizeof(*some)); /* BDD_NO */
	int r = 0;

	if (!some)
		return -ENOMEM;
	some[0] = BDD_YES;
	for (unsigned int i = 0; i < count; i++)
		for (unsigned int k = need; r == 0 && k > 0; k--)
			r = bdd_if(bdd, function[i], some[k - 1], some[k], &some[k]);
	if (r == 0)
		*ret = some[need];
	return r;
}

/* ---- chances ---- */

/* Of the nodes up to this one: all that a function has are among them. */
static struct chance *chances_to(const struct bdd *bdd, uint32_t last, const struct chance *chance)
{
	struct chance *of = calloc(last + 2, sizeof(*of));

	if (!of)
		return NULL;
	of[BDD_NO] = (struct chance){ 0, 1 };
	of[BDD_YES] = (struct chance){ 1, 0 };
	for (uint32_t i = 2; i <= last; i++) {
		const struct node *node = &bdd->node[i];
		struct chance x = chance[node->variable];

		of[i].up = x.up * of[node->yes].up + x.down * of[node->no].up;
		of[i].down = x.up * of[node->yes].down + x.down * of[node->no].down;
	}
	return of;
}

int bdd_chances(const struct bdd *bdd, const struct chance *chance, struct chance **ret_of)
{
	*ret_of = chances_to(bdd, bdd->nodes - 1, chance);
	return *ret_of ? 0 : -ENOMEM;
}

int bdd_chance(const struct bdd *bdd, uint32_t function, const struct chance *chance,
	       struct chance *ret_chance)
{
	_cleanup_(freep) struct chance *of = chances_to(bdd, function, chance);

	if (!of)
		return -ENOMEM;
	*ret_chance = of[function];
	return 0;
}

int bdd_importance(const struct bdd *bdd, uint32_t function, const struct chance *chance,
		   double *ret_importance)
{
	_cleanup_(freep) struct chance *of = chances_to(bdd, function, chance);
	_cleanup_(freep) double *reach = calloc(function + 2, sizeof(*reach));

	if (!of || !reach)
		return -ENOMEM;
	memset(ret_importance, 0, bdd->variables * sizeof(*ret_importance));
	reach[function] = 1;
	for (uint32_t i = function; i >= 2; i--) {
		const struct node *node = &bdd->node[i];
		struct chance x = chance[node->variable];

		if (reach[i] == 0)
			continue;
		reach[node->yes] += reach[i] * x.up;
		reach[node->no] += reach[i] * x.down;
		ret_importance[node->variable] +=
			reach[i] * (of[node->no].down - of[node->yes].down);
	}
	return 0;
}

uint32_t bdd_nodes(const struct bdd *bdd)
{
	return bdd->nodes;
}
