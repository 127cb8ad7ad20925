/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * montecarlo.c - see montecarlo.h.
 *
 * Random numbers: SplitMix64 (Steele, Lea, Flood, Fast Splittable Pseudorandom Number Generators, OOPSLA 2014).
 */
#include "availability/montecarlo.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>

static uint64_t draw(uint64_t *state)
{
	uint64_t z = *state += 0x9e3779b97f4a7c15ULL;

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ULL;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebULL;
	return z ^ (z >> 31);
}

/* 53 bits, as many as a double has. */
static bool fails(uint64_t *state, struct chance chance)
{
	return (double)(draw(state) >> 11) * 0x1p-53 < chance.down;
}

static bool service_works(const struct model *model, const struct part *part, const bool *works,
			  uint64_t *state)
{
	unsigned int up = 0;
	bool all = true;

	for (unsigned int i = 0; i < part->replicas; i++)
		up += !fails(state, part->one);
	for (unsigned int k = part->edge; k < part->edge + part->edges; k++) {
		const struct edge *edge = &model->edge[k];
		bool open = !edge->is_claimed || !fails(state, edge->way);

		all = all && (edge->optional || (open && works[edge->to]));
	}
	return all && up >= part->need;
}

static bool group_works(const struct part *part, const bool *works)
{
	unsigned int up = 0;

	for (unsigned int i = 0; i < part->members; i++)
		up += works[part->member[i]];
	return up >= part->need;
}

static bool entry_works(const struct model *model, const bool *reached, bool *works,
			uint64_t *state)
{
	for (unsigned int i = 0; i < model->parts; i++) {
		unsigned int at = model->order[i];
		const struct part *part = &model->part[at];

		if (reached[at])
			works[at] = part->is_group ? group_works(part, works)
						   : service_works(model, part, works, state);
	}
	return works[model->entry];
}

int montecarlo(const struct model *model, uint64_t samples, uint64_t seed,
	       struct estimate *ret_estimate)
{
	_cleanup_(freep) bool *reached = calloc(model->parts, sizeof(*reached));
	_cleanup_(freep) bool *works = calloc(model->parts, sizeof(*works));
	struct estimate estimate = { .samples = samples, .seed = seed };
	uint64_t state = seed;

	if (!reached || !works)
		return -ENOMEM;
	model_reach(model, reached);
	for (uint64_t i = 0; i < samples; i++)
		estimate.failed += !entry_works(model, reached, works, &state);
	if (samples) {
		estimate.chance.down = (double)estimate.failed / (double)samples;
		estimate.chance.up = (double)(samples - estimate.failed) / (double)samples;
	}
	*ret_estimate = estimate;
	return 0;
}

int montecarlo_draws(const struct model *model, uint64_t *ret_draws)
{
	_cleanup_(freep) bool *reached = calloc(model->parts, sizeof(*reached));
	uint64_t draws = 0;

	if (!reached)
		return -ENOMEM;
	model_reach(model, reached);
	for (unsigned int i = 0; i < model->parts; i++) {
		draws += reached[i] ? model->part[i].replicas : 0;
		for (unsigned int k = 0; reached[i] && k < model->part[i].edges; k++)
			draws += model->edge[model->part[i].edge + k].is_claimed;
	}
	*ret_draws = draws;
	return 0;
}

double standard_error(struct chance chance, uint64_t samples)
{
	return samples ? sqrt(chance.up * chance.down / (double)samples) : 0;
}
