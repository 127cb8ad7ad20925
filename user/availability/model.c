/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * model.c - what can be said of a model without computing it.
 */
#include "availability/model.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/yamldoc.h"

void model_free(struct model *model)
{
	if (!model)
		return;
	for (unsigned int i = 0; i < model->parts; i++) {
		free(model->part[i].endpoint);
		free(model->part[i].member);
	}
	free(model->part);
	free(model->edge);
	free(model->order);
	yamldoc_free(model->texts);
	free(model);
}

/* C(count, k) p^k q^(count - k) by its logarithm: no factor overflows before another makes it small again. */
static double binomial_term(struct chance one, unsigned int count, unsigned int k)
{
	double ways = lgamma(count + 1.0) - lgamma(k + 1.0) - lgamma(count - k + 1.0);

	if ((one.up == 0 && k > 0) || (one.down == 0 && k < count))
		return 0;
	if (one.up == 0 || one.down == 0)
		return 1;
	return exp(ways + k * log(one.up) + (count - k) * log(one.down));
}

/* Each tail is a sum of its own, so that the small one keeps its digits. */
struct chance chance_of_some(struct chance one, unsigned int count, unsigned int need)
{
	struct chance some = {};

	if (count == 1 && need == 1)
		return one;
	if (need == count) { /* all of them, without logarithms: the usual chain of equals */
		some.up = pow(one.up, count);
		some.down = -expm1(count * log1p(-one.down));
		return some;
	}
	if (need == 1) {
		some.down = pow(one.down, count);
		some.up = -expm1(count * log1p(-one.up));
		return some;
	}
	for (unsigned int k = 0; k <= count; k++)
		*(k < need ? &some.down : &some.up) += binomial_term(one, count, k);
	return some;
}

struct chance part_own_chance(const struct part *part)
{
	return chance_of_some(part->one, part->replicas, part->need);
}

void model_reach(const struct model *model, bool *ret_reached)
{
	memset(ret_reached, 0, model->parts * sizeof(*ret_reached));
	ret_reached[model->entry] = true;
	/* Callers stand behind what they call: from the end, each is known when it is looked at. */
	for (unsigned int i = model->parts; i-- > 0;) {
		const struct part *part = &model->part[model->order[i]];

		if (!ret_reached[model->order[i]])
			continue;
		for (unsigned int k = 0; k < part->members; k++)
			ret_reached[part->member[k]] = true;
		for (unsigned int k = 0; k < part->edges; k++)
			ret_reached[model->edge[part->edge + k].to] = true;
	}
}

char *model_edge_text(const struct model *model, const struct edge *edge,
		      char text[MODEL_EDGE_TEXT_MAX])
{
	snprintf(text, MODEL_EDGE_TEXT_MAX, "%s -> %s", model->part[edge->from].name,
		 model->part[edge->to].name);
	return text;
}
