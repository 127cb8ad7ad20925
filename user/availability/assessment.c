/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * assessment.c - computes what print.c, json.c and csv.c show.
 */
#include "availability/assessment.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "availability/words.h"

#define DRAWS_MAX 400000000ULL /* some seconds */

uint64_t assessment_samples(const struct model *model, uint64_t most)
{
	uint64_t draws;

	if (montecarlo_draws(model, &draws) < 0 || draws == 0)
		return most;
	return most < DRAWS_MAX / draws ? most : DRAWS_MAX / draws;
}

/* An assessment with the model that it is of. */
struct measured_report {
	struct assessment assessment; /* the first member: who has the one has the other */
	struct model model;
};

static void as_measured_done(struct assessment *assessment)
{
	struct measured_report *as_measured = (struct measured_report *)assessment;

	if (!as_measured)
		return;
	assessment_done(&as_measured->assessment); /* has none itself */
	measured_model_done(&as_measured->model);
	free(as_measured);
}

void assessment_done(struct assessment *assessment)
{
	as_measured_done(assessment->as_measured);
	assessment->as_measured = NULL;
	changes_done(&assessment->changes);
	system_free(assessment->system);
	free(assessment->part_times);
	free(assessment->edge_times);
	assessment->system = NULL;
	assessment->part_times = assessment->edge_times = NULL;
}

static bool has_optional(const struct model *model, const struct system *system)
{
	for (unsigned int k = 0; k < model->edges; k++)
		if (model->edge[k].optional && system_reaches(system, model->edge[k].from))
			return true;
	return false;
}

static int find_full(struct assessment *assessment)
{
	int r;

	assessment->full = assessment->whole;
	if (!has_optional(assessment->model, assessment->system))
		return 0;
	r = system_chance(assessment->system, ALL_REQUIRED, 0, &assessment->full);
	assessment->has_full = r == 0;
	return r == -E2BIG ? 0 : r;
}

static int find_floor(struct assessment *assessment)
{
	const struct model *model = assessment->model;
	int r;

	assessment->has_floor = floor_is_said(model);
	assessment->part_times = calloc(model->parts, sizeof(*assessment->part_times));
	assessment->edge_times = calloc(model->edges + 1, sizeof(*assessment->edge_times));
	if (!assessment->part_times || !assessment->edge_times)
		return -ENOMEM;
	r = floor_ns(model, AS_IT_IS, 0, &assessment->floor_ns);
	return r < 0 ? r : floor_path(model, assessment->part_times, assessment->edge_times);
}

static int find_plan(struct assessment *assessment)
{
	int steps;

	if (!assessment->model->has_availability_goal ||
	    assessment->whole.down <= assessment->model->goal.down)
		return 0;
	steps = changes_plan(assessment->model, assessment->system, assessment->step,
			     REPORT_STEPS_MAX, &assessment->after_steps);
	if (steps < 0)
		return steps;
	assessment->steps = (unsigned int)steps;
	return 0;
}

int assessment_make(const struct model *model, uint64_t samples, uint64_t seed,
		    struct assessment *ret_report)
{
	struct assessment *assessment = ret_report;
	int r;

	memset(assessment, 0, sizeof(*assessment));
	assessment->model = model;
	r = system_new(model, &assessment->system);
	if (r < 0)
		return r;
	assessment->whole = system_part_chance(assessment->system, model->entry);
	assessment->after_steps = assessment->whole;
	r = find_full(assessment);
	if (r == 0 && samples)
		r = montecarlo(model, samples, seed, &assessment->estimate);
	if (r == 0)
		r = changes_find(model, assessment->system, &assessment->changes);
	if (r == 0)
		r = find_floor(assessment);
	return r < 0 ? r : find_plan(assessment);
}

int assessment_add_measured(struct assessment *assessment, const struct measured *measured)
{
	struct measured_report *as_measured = calloc(1, sizeof(*as_measured));
	int r;

	if (!as_measured)
		return -ENOMEM;
	r = measured_model(measured, &as_measured->model, &assessment->kept);
	if (r == 0)
		r = assessment_make(&as_measured->model, 0, 1, &as_measured->assessment);
	if (r < 0) {
		measured_model_done(&as_measured->model);
		free(as_measured);
		return r;
	}
	assessment->as_measured = &as_measured->assessment;
	assessment->predicted = assessment->as_measured->whole;
	assessment->measured = measured;
	return 0;
}

/* ---- what costs most ---- */

double assessment_importance(const struct assessment *assessment, unsigned int index)
{
	unsigned int parts = assessment->model->parts;

	return index < parts ? system_part_importance(assessment->system, index)
			     : system_edge_importance(assessment->system, index - parts);
}

struct chance assessment_own_chance(const struct assessment *assessment, unsigned int index)
{
	unsigned int parts = assessment->model->parts;

	return index < parts ? part_own_chance(&assessment->model->part[index])
			     : assessment->model->edge[index - parts].way;
}

double assessment_cost(const struct assessment *assessment, unsigned int index)
{
	double importance = assessment_importance(assessment, index);

	return importance > 0 ? importance * assessment_own_chance(assessment, index).down : 0;
}

double assessment_part_cost(const struct assessment *assessment, unsigned int part)
{
	return assessment->model->part[part].is_group ? 0 : assessment_cost(assessment, part);
}

double assessment_edge_cost(const struct assessment *assessment, unsigned int edge)
{
	return assessment_cost(assessment, assessment->model->parts + edge);
}

struct cost {
	unsigned int index;
	double cost;
};

static int by_cost(const void *left, const void *right)
{
	const struct cost *a = left, *b = right;

	if (a->cost != b->cost)
		return a->cost > b->cost ? -1 : 1;
	return a->index < b->index ? -1 : a->index > b->index;
}

unsigned int assessment_by_cost(const struct assessment *assessment, unsigned int *ret_index)
{
	unsigned int all = assessment->model->parts + assessment->model->edges, count = 0;
	_cleanup_(freep) struct cost *cost = calloc(all + 1, sizeof(*cost));

	if (!cost)
		return 0;
	for (unsigned int i = 0; i < all; i++) {
		cost[count] = (struct cost){ i, i < assessment->model->parts
							? assessment_part_cost(assessment, i)
							: assessment_cost(assessment, i) };
		cost[count].cost = words_rounded(cost[count].cost);
		count += cost[count].cost > 0;
	}
	qsort(cost, count, sizeof(*cost), by_cost);
	for (unsigned int i = 0; i < count; i++)
		ret_index[i] = cost[i].index;
	return count;
}

unsigned int assessment_equally_costly(const struct assessment *assessment,
				       const unsigned int *index, unsigned int count)
{
	unsigned int equals = 0;

	while (equals < count && words_rounded(assessment_cost(assessment, index[equals])) ==
					 words_rounded(assessment_cost(assessment, index[0])))
		equals++;
	return equals;
}

char *assessment_index_text(const struct assessment *assessment, unsigned int index,
			    char text[MODEL_EDGE_TEXT_MAX])
{
	const struct model *model = assessment->model;

	if (index >= model->parts)
		return model_edge_text(model, &model->edge[index - model->parts], text);
	snprintf(text, MODEL_EDGE_TEXT_MAX, "%s", model->part[index].name);
	return text;
}

/* ---- beside each other ---- */

double assessment_sigmas(const struct assessment *assessment)
{
	double error = standard_error(assessment->whole, assessment->estimate.samples);

	return error > 0 ? fabs(assessment->estimate.chance.down - assessment->whole.down) / error
			 : 0;
}

const char *assessment_hop_src(const struct assessment *assessment, const struct hop *hop)
{
	return hop->src == MEASURED_OUTSIDE ? "outside" : assessment->model->part[hop->src].name;
}

static struct chance both(struct chance a, struct chance b)
{
	return (struct chance){ a.up * b.up, a.down + a.up * b.down };
}

/* The way of this caller's call to the part, or to a group that it is in. */
static struct chance way_of(const struct assessment *assessment, const struct hop *hop)
{
	const struct model *model = assessment->model;
	const struct part *src;

	if (hop->src == MEASURED_OUTSIDE)
		return (struct chance){ 1, 0 };
	src = &model->part[hop->src];
	for (unsigned int k = src->edge; k < src->edge + src->edges; k++)
		if (measured_leads_to(assessment->measured, model->edge[k].to, hop->dst))
			return model->edge[k].way;
	return (struct chance){ 1, 0 };
}

void assessment_claimed_hop(const struct assessment *assessment, const struct hop *hop,
			    struct chance *ret_all, struct chance *ret_itself)
{
	const struct part *dst = &assessment->model->part[hop->dst];
	struct chance way = way_of(assessment, hop);

	*ret_all = both(way, system_part_chance(assessment->system, hop->dst));
	*ret_itself = dst->is_group ? way : both(way, part_own_chance(dst));
}

const char *assessment_verdict(struct chance claim, struct tally tally)
{
	double low, high;

	if (tally.tries == 0)
		return "not seen";
	wilson(tally, &low, &high);
	if (claim.up > high)
		return "worse";
	return claim.up < low ? "better" : "agrees";
}

uint64_t assessment_tries_to_tell(struct chance claim)
{
	return wilson_tries(claim.up, 1 - 2 * claim.down);
}
