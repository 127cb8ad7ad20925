/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * change.c - see change.h.
 *
 * The whole's downtime is linear in that of each variable, with Birnbaum's importance as its slope (each is in each product
 * at most once): what a replica or a nine more gains needs no new functions. Leaving out a call, or a new member, does.
 */
#include "availability/change.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "availability/floor.h"
#include "availability/words.h"

#define WORK_MAX 500000000ULL /* nodes looked at for all changes together: some seconds */

struct finder {
	const struct model *model;
	struct system *system;
	struct changes *changes;
	struct chance whole; /* as it is */
	uint64_t floor_ns;
	uint64_t work;
};

static struct change *add_change(struct finder *finder, enum change_kind kind, bool is_edge,
				 unsigned int index)
{
	struct change *change = &finder->changes->change[finder->changes->count++];

	*change = (struct change){ kind, is_edge, index, true, finder->whole, 0, finder->floor_ns };
	return change;
}

/* A change without effect is none. */
static void keep_if_it_matters(struct finder *finder, const struct change *change)
{
	if (change->is_known && !(change->gain > 0) && change->floor_ns == finder->floor_ns)
		finder->changes->count--;
}

static void take_gain(struct change *change, struct chance before, double gain)
{
	if (gain > before.down)
		gain = before.down;
	change->gain = gain > 0 ? gain : 0;
	change->whole.down = before.down - change->gain;
	change->whole.up = before.up + change->gain;
}

static void add_better(struct finder *finder, enum change_kind kind, bool is_edge,
		       unsigned int index, double importance, double gain)
{
	struct change *change = add_change(finder, kind, is_edge, index);

	take_gain(change, finder->whole, importance * gain);
	keep_if_it_matters(finder, change);
}

static struct chance one_nine_more(struct chance chance)
{
	return (struct chance){ 1 - chance.down / 10, chance.down / 10 };
}

static void better_service(struct finder *finder, unsigned int i)
{
	const struct part *part = &finder->model->part[i];
	double importance = system_part_importance(finder->system, i);
	double down = part_own_chance(part).down;
	struct chance more = chance_of_some(part->one, part->replicas + 1, part->need);
	struct chance nine = chance_of_some(one_nine_more(part->one), part->replicas, part->need);

	add_better(finder, CHANGE_REPLICA, false, i, importance, down - more.down);
	add_better(finder, CHANGE_NINE, false, i, importance, down - nine.down);
}

static void better_way(struct finder *finder, unsigned int k)
{
	const struct edge *edge = &finder->model->edge[k];

	if (edge->is_claimed)
		add_better(finder, CHANGE_NINE, true, k, system_edge_importance(finder->system, k),
			   edge->way.down - one_nine_more(edge->way).down);
}

static bool is_affordable(struct finder *finder)
{
	finder->work += system_nodes(finder->system);
	return finder->work <= WORK_MAX;
}

/* 0, or -ENOMEM. Too many nodes: not known. */
static int ask(struct finder *finder, struct change *change, enum what_if what_if)
{
	struct chance whole;
	int r = floor_ns(finder->model, what_if, change->index, &change->floor_ns);

	if (r < 0)
		return r;
	r = is_affordable(finder) ? system_chance(finder->system, what_if, change->index, &whole)
				  : -E2BIG;
	if (r == 0)
		take_gain(change, finder->whole, finder->whole.down - whole.down);
	change->is_known = r == 0;
	return r == -E2BIG ? 0 : r;
}

static int grown_group(struct finder *finder, unsigned int i)
{
	struct change *change;
	int r;

	if (system_copied_member(finder->model, i) < 0)
		return 0;
	change = add_change(finder, CHANGE_REPLICA, false, i);
	r = ask(finder, change, GROUP_GROWN);
	keep_if_it_matters(finder, change);
	return r;
}

/* Not to wait for it, and not to call it, are the same to availability; only the second makes the answer faster. */
static int without_call(struct finder *finder, unsigned int k)
{
	struct change *drop, *optional;
	struct change copy;
	int r;

	drop = add_change(finder, CHANGE_DROP, true, k);
	r = ask(finder, drop, WITHOUT_EDGE);
	if (r < 0)
		return r;
	copy = *drop;
	keep_if_it_matters(finder, drop);
	if (finder->model->edge[k].optional)
		return 0;
	optional = add_change(finder, CHANGE_OPTIONAL, true, k);
	take_gain(optional, finder->whole, copy.gain);
	optional->is_known = copy.is_known;
	keep_if_it_matters(finder, optional);
	return 0;
}

static int find_of_part(struct finder *finder, unsigned int i)
{
	const struct part *part = &finder->model->part[i];
	int r = 0;

	if (part->is_group)
		return grown_group(finder, i);
	better_service(finder, i);
	for (unsigned int k = part->edge; r == 0 && k < part->edge + part->edges; k++) {
		better_way(finder, k);
		r = without_call(finder, k);
	}
	return r;
}

static int by_gain(const void *left, const void *right)
{
	const struct change *a = left, *b = right;

	if (a->is_known != b->is_known)
		return a->is_known ? -1 : 1;
	if (words_rounded(a->gain) != words_rounded(b->gain))
		return a->gain > b->gain ? -1 : 1;
	if (a->kind != b->kind)
		return a->kind < b->kind ? -1 : 1;
	return a->index < b->index ? -1 : a->index > b->index;
}

int changes_find(const struct model *model, struct system *system, struct changes *ret_changes)
{
	struct finder finder = { .model = model, .system = system, .changes = ret_changes };
	int r;

	memset(ret_changes, 0, sizeof(*ret_changes));
	ret_changes->change =
		calloc(2 * model->parts + 3 * model->edges + 1, sizeof(*ret_changes->change));
	if (!ret_changes->change)
		return -ENOMEM;
	finder.whole = system_part_chance(system, model->entry);
	r = floor_ns(model, AS_IT_IS, 0, &finder.floor_ns);
	for (unsigned int i = 0; r == 0 && i < model->parts; i++)
		if (system_reaches(system, i))
			r = find_of_part(&finder, i);
	qsort(ret_changes->change, ret_changes->count, sizeof(*ret_changes->change), by_gain);
	return r;
}

void changes_done(struct changes *changes)
{
	free(changes->change);
	changes->change = NULL;
	changes->count = 0;
}

const char *change_word(enum change_kind kind)
{
	static const char *const word[] = {
		[CHANGE_REPLICA] = "replica",
		[CHANGE_NINE] = "nine",
		[CHANGE_OPTIONAL] = "optional",
		[CHANGE_DROP] = "drop",
	};

	return word[kind];
}

static char *replica_text(const struct model *model, const struct change *change,
			  char text[CHANGE_TEXT_MAX])
{
	const struct part *part = &model->part[change->index];

	if (!part->is_group)
		snprintf(text, CHANGE_TEXT_MAX, "one more replica of %s (%u of %u)", part->name,
			 part->need, part->replicas + 1);
	else
		snprintf(text, CHANGE_TEXT_MAX, "one more like %s in %s (%u of %u)",
			 model->part[system_copied_member(model, change->index)].name, part->name,
			 part->need, part->members + 1);
	return text;
}

char *change_text(const struct model *model, const struct change *change,
		  char text[CHANGE_TEXT_MAX])
{
	static const char *const form[] = {
		[CHANGE_NINE] = "one nine more for %s",
		[CHANGE_OPTIONAL] = "%s made optional",
		[CHANGE_DROP] = "%s dropped",
	};
	char call[MODEL_EDGE_TEXT_MAX];

	if (change->kind == CHANGE_REPLICA)
		return replica_text(model, change, text);
	snprintf(text, CHANGE_TEXT_MAX, form[change->kind],
		 change->is_edge ? model_edge_text(model, &model->edge[change->index], call)
				 : model->part[change->index].name);
	return text;
}

/* ---- several of them ---- */

/* The service whose next replica gains most; parts when none gains. */
static unsigned int best_replica(const struct model *model, const unsigned int *replicas,
				 const double *importance)
{
	unsigned int best = model->parts;
	double most = 0;

	for (unsigned int i = 0; i < model->parts; i++) {
		const struct part *part = &model->part[i];
		double gain;

		if (part->is_group || replicas[i] >= MODEL_REPLICAS_MAX)
			continue;
		gain = importance[i] *
		       (chance_of_some(part->one, replicas[i], part->need).down -
			chance_of_some(part->one, replicas[i] + 1, part->need).down);
		if (gain > most) {
			most = gain;
			best = i;
		}
	}
	return best;
}

int changes_plan(const struct model *model, const struct system *system, struct step *ret_step,
		 unsigned int max, struct chance *ret_reached)
{
	_cleanup_(freep) unsigned int *replicas = calloc(model->parts, sizeof(*replicas));
	_cleanup_(freep) double *importance = calloc(model->parts, sizeof(*importance));
	unsigned int steps = 0;
	int r = replicas && importance ? 0 : -ENOMEM;

	for (unsigned int i = 0; r == 0 && i < model->parts; i++)
		replicas[i] = model->part[i].replicas;
	while (r == 0) {
		unsigned int best;

		r = system_replicated(system, replicas, ret_reached, importance);
		if (r < 0 || ret_reached->down <= model->goal.down || steps == max)
			break;
		best = best_replica(model, replicas, importance);
		if (best == model->parts)
			break;
		ret_step[steps++] = (struct step){ best, ++replicas[best] };
	}
	return r < 0 ? r : (int)steps;
}
