/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * system.c - see system.h.
 *
 * Parts are taken callees first, so the functions of what a part needs are there when its own is made. A question of
 * another kind makes all functions once more in the same diagram; what did not change is found, not made.
 */
#include "availability/system.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define NO_VARIABLE UINT32_MAX

struct system {
	const struct model *model;
	struct bdd *bdd;
	bool *reached; /* parts */
	unsigned int variables, spare; /* spare: the first of those for a copied member */
	unsigned int *part_variable, *edge_variable;
	struct chance *chance; /* of each variable */
	struct chance *part_chance, *edge_chance; /* as it is */
	double *importance; /* of each variable */
	uint32_t *function; /* of each part, as last asked */
	uint32_t whole; /* as it is */
};

struct question {
	enum what_if what_if;
	unsigned int index;
};

void system_free(struct system *system)
{
	if (!system)
		return;
	bdd_free(system->bdd);
	free(system->reached);
	free(system->part_variable);
	free(system->edge_variable);
	free(system->chance);
	free(system->part_chance);
	free(system->edge_chance);
	free(system->importance);
	free(system->function);
	free(system);
}

/* ---- variables ---- */

static void number_part(struct system *system, unsigned int i)
{
	const struct model *model = system->model;
	const struct part *part = &model->part[i];

	if (!part->is_group) {
		system->chance[system->variables] = part_own_chance(part);
		system->part_variable[i] = system->variables++;
	}
	for (unsigned int k = part->edge; k < part->edge + part->edges; k++) {
		if (!model->edge[k].is_claimed)
			continue;
		system->chance[system->variables] = model->edge[k].way;
		system->edge_variable[k] = system->variables++;
	}
}

static unsigned int most_edges(const struct model *model)
{
	unsigned int most = 0;

	for (unsigned int i = 0; i < model->parts; i++)
		if (model->part[i].edges > most)
			most = model->part[i].edges;
	return most;
}

static void number_variables(struct system *system)
{
	const struct model *model = system->model;

	memset(system->part_variable, 0xff, model->parts * sizeof(*system->part_variable));
	memset(system->edge_variable, 0xff, model->edges * sizeof(*system->edge_variable));
	for (unsigned int i = model->parts; i-- > 0;)
		if (system->reached[model->order[i]])
			number_part(system, model->order[i]);
	system->spare = system->variables;
	system->variables += 1 + most_edges(model);
}

/* ---- functions ---- */

static bool counts(const struct edge *edge, unsigned int k, const struct question *question)
{
	if (question->what_if == WITHOUT_EDGE && question->index == k)
		return false;
	return !edge->optional || question->what_if == ALL_REQUIRED;
}

/* Its way works, and what it leads to. `way` is the way's variable, or NO_VARIABLE. */
static int call_function(struct system *system, const struct edge *edge, unsigned int way,
			 uint32_t *ret)
{
	uint32_t works = system->function[edge->to], open;
	int r;

	if (way == NO_VARIABLE) {
		*ret = works;
		return 0;
	}
	r = bdd_variable(system->bdd, way, &open);
	return r < 0 ? r : bdd_and(system->bdd, open, works, ret);
}

/* spare 0: with its own variables; else a copy of it, whose variables begin there. */
static int service_function(struct system *system, unsigned int i, const struct question *question,
			    unsigned int spare, uint32_t *ret)
{
	const struct part *part = &system->model->part[i];
	uint32_t works, call;
	int r = bdd_variable(system->bdd, spare ? spare : system->part_variable[i], &works);

	for (unsigned int k = part->edge; r == 0 && k < part->edge + part->edges; k++) {
		const struct edge *edge = &system->model->edge[k];
		unsigned int way = system->edge_variable[k];

		if (!counts(edge, k, question))
			continue;
		if (spare && way != NO_VARIABLE) {
			way = spare + 1 + (k - part->edge);
			system->chance[way] = edge->way;
		}
		r = call_function(system, edge, way, &call);
		if (r == 0)
			r = bdd_and(system->bdd, works, call, &works);
	}
	if (r == 0)
		*ret = works;
	return r;
}

int system_copied_member(const struct model *model, unsigned int group)
{
	const struct part *part = &model->part[group];

	for (unsigned int i = part->members; i-- > 0;)
		if (!model->part[part->member[i]].is_group)
			return (int)part->member[i];
	return -ENOENT;
}

static int group_function(struct system *system, unsigned int i, const struct question *question,
			  uint32_t *ret)
{
	const struct part *part = &system->model->part[i];
	uint32_t member[MODEL_MEMBERS_MAX + 1];
	unsigned int members = 0;
	int copied, r = 0;

	for (; members < part->members; members++)
		member[members] = system->function[part->member[members]];
	copied = system_copied_member(system->model, i);
	if (question->what_if == GROUP_GROWN && question->index == i && copied >= 0) {
		system->chance[system->spare] = part_own_chance(&system->model->part[copied]);
		r = service_function(system, (unsigned int)copied, question, system->spare,
				     &member[members++]);
	}
	return r < 0 ? r : bdd_some(system->bdd, member, members, part->need, ret);
}

static int make_functions(struct system *system, const struct question *question)
{
	const struct model *model = system->model;
	int r = 0;

	for (unsigned int i = 0; r == 0 && i < model->parts; i++) {
		unsigned int part = model->order[i];

		if (!system->reached[part])
			continue;
		r = model->part[part].is_group
			    ? group_function(system, part, question, &system->function[part])
			    : service_function(system, part, question, 0, &system->function[part]);
	}
	return r;
}

int system_chance(struct system *system, enum what_if what_if, unsigned int index,
		  struct chance *ret_chance)
{
	int r = make_functions(system, &(struct question){ what_if, index });

	if (r < 0)
		return r;
	return bdd_chance(system->bdd, system->function[system->model->entry], system->chance,
			  ret_chance);
}

/* ---- as it is ---- */

/* What cannot be reached keeps BDD_NO. */
static int edge_functions(struct system *system, uint32_t *ret_function)
{
	const struct model *model = system->model;
	int r = 0;

	for (unsigned int k = 0; r == 0 && k < model->edges; k++)
		if (system->reached[model->edge[k].from])
			r = call_function(system, &model->edge[k], system->edge_variable[k],
					  &ret_function[k]);
	return r;
}

static int take_chances(struct system *system)
{
	const struct model *model = system->model;
	_cleanup_(freep) uint32_t *call = calloc(model->edges + 1, sizeof(*call));
	_cleanup_(freep) struct chance *of = NULL;
	int r = call ? make_functions(system, &(struct question){ AS_IT_IS }) : -ENOMEM;

	if (r == 0)
		r = edge_functions(system, call);
	if (r == 0)
		r = bdd_chances(system->bdd, system->chance, &of);
	if (r < 0)
		return r;
	system->whole = system->function[model->entry];
	for (unsigned int i = 0; i < model->parts; i++)
		system->part_chance[i] = of[system->function[i]];
	for (unsigned int k = 0; k < model->edges; k++)
		system->edge_chance[k] = of[call[k]];
	return bdd_importance(system->bdd, system->whole, system->chance, system->importance);
}

int system_replicated(const struct system *system, const unsigned int *replicas,
		      struct chance *ret_chance, double *ret_importance)
{
	const struct model *model = system->model;
	_cleanup_(freep) struct chance *chance = calloc(system->variables, sizeof(*chance));
	_cleanup_(freep) double *importance = calloc(system->variables, sizeof(*importance));
	int r;

	if (!chance || !importance)
		return -ENOMEM;
	memcpy(chance, system->chance, system->variables * sizeof(*chance));
	for (unsigned int i = 0; i < model->parts; i++)
		if (system->part_variable[i] != NO_VARIABLE)
			chance[system->part_variable[i]] = chance_of_some(
				model->part[i].one, replicas[i], model->part[i].need);
	r = bdd_chance(system->bdd, system->whole, chance, ret_chance);
	if (r == 0)
		r = bdd_importance(system->bdd, system->whole, chance, importance);
	for (unsigned int i = 0; r == 0 && i < model->parts; i++)
		ret_importance[i] = system->part_variable[i] == NO_VARIABLE
					    ? 0
					    : importance[system->part_variable[i]];
	return r;
}

static bool has_room(struct system *system)
{
	const struct model *model = system->model;
	size_t variables = model->parts + model->edges + 1 + most_edges(model);

	system->reached = calloc(model->parts, sizeof(*system->reached));
	system->part_variable = calloc(model->parts, sizeof(*system->part_variable));
	system->edge_variable = calloc(model->edges + 1, sizeof(*system->edge_variable));
	system->chance = calloc(variables, sizeof(*system->chance));
	system->importance = calloc(variables, sizeof(*system->importance));
	system->part_chance = calloc(model->parts, sizeof(*system->part_chance));
	system->edge_chance = calloc(model->edges + 1, sizeof(*system->edge_chance));
	system->function = calloc(model->parts, sizeof(*system->function));
	return system->reached && system->part_variable && system->edge_variable &&
	       system->chance && system->importance && system->part_chance && system->edge_chance &&
	       system->function;
}

int system_new(const struct model *model, struct system **ret_system)
{
	_cleanup_(system_freep) struct system *system = calloc(1, sizeof(*system));
	int r;

	if (!system)
		return -ENOMEM;
	system->model = model;
	if (!has_room(system))
		return -ENOMEM;
	model_reach(model, system->reached);
	number_variables(system);
	system->bdd = bdd_new(system->variables, BDD_NODES_MAX);
	if (!system->bdd)
		return -ENOMEM;
	r = take_chances(system);
	if (r < 0)
		return r;
	*ret_system = TAKE_PTR(system);
	return 0;
}

struct chance system_part_chance(const struct system *system, unsigned int part)
{
	return system->part_chance[part];
}

struct chance system_edge_chance(const struct system *system, unsigned int edge)
{
	return system->edge_chance[edge];
}

static double importance_of(const struct system *system, unsigned int variable)
{
	return variable == NO_VARIABLE ? 0 : system->importance[variable];
}

double system_part_importance(const struct system *system, unsigned int part)
{
	return importance_of(system, system->part_variable[part]);
}

double system_edge_importance(const struct system *system, unsigned int edge)
{
	return importance_of(system, system->edge_variable[edge]);
}

bool system_reaches(const struct system *system, unsigned int part)
{
	return system->reached[part];
}

uint32_t system_nodes(const struct system *system)
{
	return bdd_nodes(system->bdd);
}
