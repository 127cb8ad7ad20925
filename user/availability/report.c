/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * report.c - computes what print.c, json.c and csv.c show.
 */
#include "availability/report.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "availability/words.h"

#define DRAWS_MAX 400000000ULL /* some seconds */

uint64_t report_samples(const struct model *model, uint64_t most)
{
	uint64_t draws;

	if (montecarlo_draws(model, &draws) < 0 || draws == 0)
		return most;
	return most < DRAWS_MAX / draws ? most : DRAWS_MAX / draws;
}

/* A report with the model that it is of. */
struct measured_report {
	struct report report; /* the first member: who has the one has the other */
	struct model model;
};

static void as_measured_done(struct report *report)
{
	struct measured_report *as_measured = (struct measured_report *)report;

	if (!as_measured)
		return;
	report_done(&as_measured->report); /* has none itself */
	measured_model_done(&as_measured->model);
	free(as_measured);
}

void report_done(struct report *report)
{
	as_measured_done(report->as_measured);
	report->as_measured = NULL;
	changes_done(&report->changes);
	system_free(report->system);
	free(report->part_times);
	free(report->edge_times);
	report->system = NULL;
	report->part_times = report->edge_times = NULL;
}

static bool has_optional(const struct model *model, const struct system *system)
{
	for (unsigned int k = 0; k < model->edges; k++)
		if (model->edge[k].optional && system_reaches(system, model->edge[k].from))
			return true;
	return false;
}

static int find_full(struct report *report)
{
	int r;

	report->full = report->whole;
	if (!has_optional(report->model, report->system))
		return 0;
	r = system_chance(report->system, ALL_REQUIRED, 0, &report->full);
	report->has_full = r == 0;
	return r == -E2BIG ? 0 : r;
}

static int find_floor(struct report *report)
{
	const struct model *model = report->model;
	int r;

	report->has_floor = floor_is_said(model);
	report->part_times = calloc(model->parts, sizeof(*report->part_times));
	report->edge_times = calloc(model->edges + 1, sizeof(*report->edge_times));
	if (!report->part_times || !report->edge_times)
		return -ENOMEM;
	r = floor_ns(model, AS_IT_IS, 0, &report->floor_ns);
	return r < 0 ? r : floor_path(model, report->part_times, report->edge_times);
}

static int find_plan(struct report *report)
{
	int steps;

	if (!report->model->has_availability_goal || report->whole.down <= report->model->goal.down)
		return 0;
	steps = changes_plan(report->model, report->system, report->step, REPORT_STEPS_MAX,
			     &report->after_steps);
	if (steps < 0)
		return steps;
	report->steps = (unsigned int)steps;
	return 0;
}

int report_make(const struct model *model, uint64_t samples, uint64_t seed,
		struct report *ret_report)
{
	struct report *report = ret_report;
	int r;

	memset(report, 0, sizeof(*report));
	report->model = model;
	r = system_new(model, &report->system);
	if (r < 0)
		return r;
	report->whole = system_part_chance(report->system, model->entry);
	report->after_steps = report->whole;
	r = find_full(report);
	if (r == 0 && samples)
		r = montecarlo(model, samples, seed, &report->estimate);
	if (r == 0)
		r = changes_find(model, report->system, &report->changes);
	if (r == 0)
		r = find_floor(report);
	return r < 0 ? r : find_plan(report);
}

int report_add_measured(struct report *report, const struct measured *measured)
{
	struct measured_report *as_measured = calloc(1, sizeof(*as_measured));
	int r;

	if (!as_measured)
		return -ENOMEM;
	r = measured_model(measured, &as_measured->model, &report->kept);
	if (r == 0)
		r = report_make(&as_measured->model, 0, 1, &as_measured->report);
	if (r < 0) {
		measured_model_done(&as_measured->model);
		free(as_measured);
		return r;
	}
	report->as_measured = &as_measured->report;
	report->predicted = report->as_measured->whole;
	report->measured = measured;
	return 0;
}

/* ---- what costs most ---- */

double report_importance(const struct report *report, unsigned int index)
{
	unsigned int parts = report->model->parts;

	return index < parts ? system_part_importance(report->system, index)
			     : system_edge_importance(report->system, index - parts);
}

struct chance report_own_chance(const struct report *report, unsigned int index)
{
	unsigned int parts = report->model->parts;

	return index < parts ? part_own_chance(&report->model->part[index])
			     : report->model->edge[index - parts].way;
}

double report_cost(const struct report *report, unsigned int index)
{
	double importance = report_importance(report, index);

	return importance > 0 ? importance * report_own_chance(report, index).down : 0;
}

double report_part_cost(const struct report *report, unsigned int part)
{
	return report->model->part[part].is_group ? 0 : report_cost(report, part);
}

double report_edge_cost(const struct report *report, unsigned int edge)
{
	return report_cost(report, report->model->parts + edge);
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

unsigned int report_by_cost(const struct report *report, unsigned int *ret_index)
{
	unsigned int all = report->model->parts + report->model->edges, count = 0;
	_cleanup_(freep) struct cost *cost = calloc(all + 1, sizeof(*cost));

	if (!cost)
		return 0;
	for (unsigned int i = 0; i < all; i++) {
		cost[count] =
			(struct cost){ i, i < report->model->parts ? report_part_cost(report, i)
								   : report_cost(report, i) };
		cost[count].cost = words_rounded(cost[count].cost);
		count += cost[count].cost > 0;
	}
	qsort(cost, count, sizeof(*cost), by_cost);
	for (unsigned int i = 0; i < count; i++)
		ret_index[i] = cost[i].index;
	return count;
}

unsigned int report_equally_costly(const struct report *report, const unsigned int *index,
				   unsigned int count)
{
	unsigned int equals = 0;

	while (equals < count && words_rounded(report_cost(report, index[equals])) ==
					 words_rounded(report_cost(report, index[0])))
		equals++;
	return equals;
}

char *report_index_text(const struct report *report, unsigned int index,
			char text[MODEL_EDGE_TEXT_MAX])
{
	const struct model *model = report->model;

	if (index >= model->parts)
		return model_edge_text(model, &model->edge[index - model->parts], text);
	snprintf(text, MODEL_EDGE_TEXT_MAX, "%s", model->part[index].name);
	return text;
}

/* ---- beside each other ---- */

double report_sigmas(const struct report *report)
{
	double error = standard_error(report->whole, report->estimate.samples);

	return error > 0 ? fabs(report->estimate.chance.down - report->whole.down) / error : 0;
}

const char *report_hop_src(const struct report *report, const struct hop *hop)
{
	return hop->src == MEASURED_OUTSIDE ? "outside" : report->model->part[hop->src].name;
}

static struct chance both(struct chance a, struct chance b)
{
	return (struct chance){ a.up * b.up, a.down + a.up * b.down };
}

/* The way of this caller's call to the part, or to a group that it is in. */
static struct chance way_of(const struct report *report, const struct hop *hop)
{
	const struct model *model = report->model;
	const struct part *src;

	if (hop->src == MEASURED_OUTSIDE)
		return (struct chance){ 1, 0 };
	src = &model->part[hop->src];
	for (unsigned int k = src->edge; k < src->edge + src->edges; k++)
		if (measured_leads_to(report->measured, model->edge[k].to, hop->dst))
			return model->edge[k].way;
	return (struct chance){ 1, 0 };
}

void report_claimed_hop(const struct report *report, const struct hop *hop, struct chance *ret_all,
			struct chance *ret_itself)
{
	const struct part *dst = &report->model->part[hop->dst];
	struct chance way = way_of(report, hop);

	*ret_all = both(way, system_part_chance(report->system, hop->dst));
	*ret_itself = dst->is_group ? way : both(way, part_own_chance(dst));
}

const char *report_verdict(struct chance claim, struct tally tally)
{
	double low, high;

	if (tally.tries == 0)
		return "not seen";
	wilson(tally, &low, &high);
	if (claim.up > high)
		return "worse";
	return claim.up < low ? "better" : "agrees";
}

uint64_t report_tries_to_tell(struct chance claim)
{
	return wilson_tries(claim.up, 1 - 2 * claim.down);
}
