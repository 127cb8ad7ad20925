/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * floor.c - see floor.h.
 *
 * Every part has one floor, wherever it is called from: computed once, callees first. The path goes back down from the
 * entry, callers first, and hands on how often a part is waited for.
 */
#include "availability/floor.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct floors {
	const struct model *model;
	enum what_if what_if;
	unsigned int index;
	uint64_t *of; /* each part */
};

static uint64_t plus(uint64_t a, uint64_t b)
{
	uint64_t sum;

	return __builtin_add_overflow(a, b, &sum) ? UINT64_MAX : sum;
}

static bool is_made(const struct floors *floors, unsigned int edge)
{
	return floors->what_if != WITHOUT_EDGE || floors->index != edge;
}

static uint64_t call_ns(const struct floors *floors, unsigned int k)
{
	const struct edge *edge = &floors->model->edge[k];

	return plus(edge->latency_ns, floors->of[edge->to]);
}

static bool same_lane(const struct edge *a, const struct edge *b)
{
	return a == b || (a->lane && b->lane && strcmp(a->lane, b->lane) == 0);
}

/* Is it the slowest of its lane, and the first of equals? Then the lane waits for it. */
static bool is_waited_for(const struct floors *floors, const struct part *part, unsigned int k)
{
	const struct edge *edge = floors->model->edge;

	if (!is_made(floors, k))
		return false;
	for (unsigned int i = part->edge; edge[k].lane && i < part->edge + part->edges; i++) {
		if (i == k || !is_made(floors, i) || !same_lane(&edge[i], &edge[k]))
			continue;
		if (call_ns(floors, i) > call_ns(floors, k) ||
		    (i < k && call_ns(floors, i) == call_ns(floors, k)))
			return false;
	}
	return true;
}

static uint64_t service_ns(const struct floors *floors, const struct part *part)
{
	uint64_t ns = part->latency_ns;

	for (unsigned int k = part->edge; k < part->edge + part->edges; k++)
		if (is_waited_for(floors, part, k))
			ns = plus(ns, call_ns(floors, k));
	return ns;
}

/* The member whose answer is the need-th: fewer than `need` are faster, or as fast and before it. */
static unsigned int deciding_member(const struct floors *floors, const struct part *part,
				    const unsigned int *member, unsigned int members)
{
	for (unsigned int i = 0; i < members; i++) {
		unsigned int before = 0;

		for (unsigned int k = 0; k < members; k++)
			before += floors->of[member[k]] < floors->of[member[i]] ||
				  (k < i && floors->of[member[k]] == floors->of[member[i]]);
		if (before == part->need - 1)
			return member[i];
	}
	return member[0]; /* not reached: need is at most members */
}

static uint64_t group_ns(const struct floors *floors, unsigned int at)
{
	const struct part *part = &floors->model->part[at];
	unsigned int member[MODEL_MEMBERS_MAX + 1], members = part->members;
	int copied = system_copied_member(floors->model, at);

	memcpy(member, part->member, members * sizeof(*member));
	if (floors->what_if == GROUP_GROWN && floors->index == at && copied >= 0)
		member[members++] = (unsigned int)copied;
	return floors->of[deciding_member(floors, part, member, members)];
}

static void compute(struct floors *floors)
{
	const struct model *model = floors->model;

	for (unsigned int i = 0; i < model->parts; i++) {
		unsigned int at = model->order[i];

		floors->of[at] = model->part[at].is_group ? group_ns(floors, at)
							  : service_ns(floors, &model->part[at]);
	}
}

int floor_ns(const struct model *model, enum what_if what_if, unsigned int index, uint64_t *ret_ns)
{
	_cleanup_(freep) uint64_t *of = calloc(model->parts, sizeof(*of));
	struct floors floors = { model, what_if, index, of };

	if (!of)
		return -ENOMEM;
	compute(&floors);
	*ret_ns = of[model->entry];
	return 0;
}

int floor_path(const struct model *model, double *ret_part_times, double *ret_edge_times)
{
	_cleanup_(freep) uint64_t *of = calloc(model->parts, sizeof(*of));
	struct floors floors = { model, AS_IT_IS, 0, of };

	if (!of)
		return -ENOMEM;
	compute(&floors);
	memset(ret_part_times, 0, model->parts * sizeof(*ret_part_times));
	memset(ret_edge_times, 0, model->edges * sizeof(*ret_edge_times));
	ret_part_times[model->entry] = 1;
	for (unsigned int i = model->parts; i-- > 0;) {
		unsigned int at = model->order[i];
		const struct part *part = &model->part[at];
		double times = ret_part_times[at];

		if (times == 0)
			continue;
		if (part->is_group)
			ret_part_times[deciding_member(&floors, part, part->member,
						       part->members)] += times;
		for (unsigned int k = part->edge; k < part->edge + part->edges; k++) {
			if (!is_waited_for(&floors, part, k))
				continue;
			ret_edge_times[k] += times;
			ret_part_times[model->edge[k].to] += times;
		}
	}
	return 0;
}

bool floor_is_said(const struct model *model)
{
	bool said = model->has_latency_goal;

	for (unsigned int i = 0; i < model->parts; i++)
		said = said || model->part[i].latency_ns;
	for (unsigned int k = 0; k < model->edges; k++)
		said = said || model->edge[k].latency_ns;
	return said;
}
