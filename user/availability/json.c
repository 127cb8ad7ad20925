/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * json.c - an assessment as one JSON object. Unknown, and not finite, is null.
 */
#include "availability/assessment.h"

#include <errno.h>
#include <jansson.h>
#include <math.h>
#include <stdlib.h>

#include "availability/words.h"

static json_t *number(double value)
{
	return isfinite(value) ? json_real(value) : json_null();
}

static json_t *of_chance(struct chance chance)
{
	return json_pack("{s:f, s:f, s:o, s:f, s:f, s:f}", "availability", chance.up,
			 "unavailability", chance.down, "nines", number(words_nines(chance)),
			 "downtime_year_seconds", chance.down * YEAR_SECONDS,
			 "downtime_month_seconds", chance.down * MONTH_SECONDS,
			 "downtime_day_seconds", chance.down * DAY_SECONDS);
}

static json_t *of_tally(struct tally tally)
{
	double low, high;

	wilson(tally, &low, &high);
	return json_pack("{s:I, s:I, s:o, s:f, s:f}", "tries", (json_int_t)tally.tries, "answered",
			 (json_int_t)tally.ok, "share",
			 tally.tries ? number((double)tally.ok / (double)tally.tries) : json_null(),
			 "low", low, "high", high);
}

static json_t *of_estimate(const struct assessment *assessment)
{
	const struct estimate *estimate = &assessment->estimate;

	if (!estimate->samples)
		return json_null();
	return json_pack("{s:I, s:I, s:I, s:f, s:f, s:f}", "samples", (json_int_t)estimate->samples,
			 "failed", (json_int_t)estimate->failed, "seed", (json_int_t)estimate->seed,
			 "availability", estimate->chance.up, "standard_error",
			 standard_error(assessment->whole, estimate->samples), "sigmas",
			 assessment_sigmas(assessment));
}

static json_t *of_parts(const struct assessment *assessment)
{
	const struct model *model = assessment->model;
	json_t *list = json_array();

	for (unsigned int i = 0; i < model->parts; i++) {
		const struct part *part = &model->part[i];
		json_t *object;

		if (!system_reaches(assessment->system, i))
			continue;
		object = json_pack("{s:s, s:s, s:i, s:i, s:o}", "name", part->name, "kind",
				   part->is_group ? "group" : "service", "need", (int)part->need,
				   "of", (int)(part->is_group ? part->members : part->replicas),
				   "with_calls",
				   of_chance(system_part_chance(assessment->system, i)));
		if (!part->is_group) {
			json_object_set_new(object, "itself", of_chance(part_own_chance(part)));
			json_object_set_new(object, "birnbaum",
					    json_real(assessment_importance(assessment, i)));
			json_object_set_new(object, "cost",
					    json_real(assessment_part_cost(assessment, i)));
			json_object_set_new(object, "latency_ns",
					    json_integer((json_int_t)part->latency_ns));
			json_object_set_new(object, "on_critical_path",
					    json_real(assessment->part_times[i]));
		}
		json_array_append_new(list, object);
	}
	return list;
}

static json_t *of_edges(const struct assessment *assessment)
{
	const struct model *model = assessment->model;
	json_t *list = json_array();

	for (unsigned int k = 0; k < model->edges; k++) {
		const struct edge *edge = &model->edge[k];

		if (!system_reaches(assessment->system, edge->from))
			continue;
		json_array_append_new(
			list, json_pack("{s:s, s:s, s:b, s:o, s:o, s:f, s:f, s:I, s:f}", "from",
					model->part[edge->from].name, "to",
					model->part[edge->to].name, "optional", edge->optional,
					"way", of_chance(edge->way), "with_all_behind_it",
					of_chance(system_edge_chance(assessment->system, k)),
					"birnbaum", system_edge_importance(assessment->system, k),
					"cost", assessment_edge_cost(assessment, k), "latency_ns",
					(json_int_t)edge->latency_ns, "on_critical_path",
					assessment->edge_times[k]));
	}
	return list;
}

static json_t *of_changes(const struct assessment *assessment)
{
	json_t *list = json_array();

	for (unsigned int i = 0; i < assessment->changes.count; i++) {
		const struct change *change = &assessment->changes.change[i];
		char text[CHANGE_TEXT_MAX];

		json_array_append_new(
			list,
			json_pack("{s:s, s:s, s:o, s:o, s:I}", "kind", change_word(change->kind),
				  "change", change_text(assessment->model, change, text), "whole",
				  change->is_known ? of_chance(change->whole) : json_null(),
				  "saves_year_seconds",
				  change->is_known ? json_real(change->gain * YEAR_SECONDS)
						   : json_null(),
				  "floor_ns", (json_int_t)change->floor_ns));
	}
	return list;
}

static json_t *of_goal(const struct assessment *assessment)
{
	const struct model *model = assessment->model;
	json_t *goal = json_object(), *steps = json_array();

	json_object_set_new(goal, "availability",
			    model->has_availability_goal ? json_real(model->goal.up) : json_null());
	json_object_set_new(goal, "latency_ns",
			    model->has_latency_goal ? json_integer((json_int_t)model->goal_ns)
						    : json_null());
	for (unsigned int i = 0; i < assessment->steps; i++)
		json_array_append_new(steps,
				      json_pack("{s:s, s:i}", "service",
						model->part[assessment->step[i].part].name,
						"replicas", (int)assessment->step[i].replicas));
	json_object_set_new(goal, "steps", steps);
	json_object_set_new(goal, "after_steps", of_chance(assessment->after_steps));
	return goal;
}

static json_t *of_hops(const struct assessment *assessment)
{
	json_t *list = json_array();

	for (unsigned int i = 0; i < assessment->measured->hops; i++) {
		const struct hop *hop = &assessment->measured->hop[i];
		struct chance all, itself;

		assessment_claimed_hop(assessment, hop, &all, &itself);
		json_array_append_new(
			list,
			json_pack("{s:s, s:s, s:f, s:f, s:o, s:o, s:I, s:I, s:s, s:I}", "src",
				  assessment_hop_src(assessment, hop), "dst",
				  assessment->model->part[hop->dst].name, "claimed", all.up,
				  "claimed_itself", itself.up, "measured", of_tally(hop->all),
				  "measured_itself", of_tally(hop->itself), "unseen",
				  (json_int_t)hop->unseen, "unknown", (json_int_t)hop->unknown,
				  "verdict", assessment_verdict(itself, hop->itself),
				  "tries_to_tell", (json_int_t)assessment_tries_to_tell(itself)));
	}
	return list;
}

static json_t *of_measured(const struct assessment *assessment)
{
	if (!assessment->measured)
		return json_null();
	return json_pack("{s:o, s:o, s:i, s:I, s:o}", "whole",
			 of_tally(assessment->measured->whole), "by_measured_parts",
			 of_chance(assessment->predicted), "services_not_seen",
			 (int)assessment->kept, "calls_outside_the_model",
			 (json_int_t)assessment->measured->foreign, "hops", of_hops(assessment));
}

static json_t *of_advice(const struct assessment *assessment)
{
	_cleanup_(freep) char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);
	int r;

	if (!out)
		return NULL;
	r = assessment_print_advice(assessment, out);
	fclose(out);
	return r < 0 || !text ? NULL : json_string(text);
}

int assessment_print_json(const struct assessment *assessment, FILE *out)
{
	const struct model *model = assessment->model;
	json_t *object = json_pack(
		"{s:s, s:s, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o}", "system",
		model->name, "entry", model->part[model->entry].name, "whole",
		of_chance(assessment->whole), "in_full",
		assessment->has_full ? of_chance(assessment->full) : json_null(), "simulated",
		of_estimate(assessment), "goal", of_goal(assessment), "parts", of_parts(assessment),
		"calls", of_edges(assessment), "changes", of_changes(assessment), "floor_ns",
		assessment->has_floor ? json_integer((json_int_t)assessment->floor_ns)
				      : json_null(),
		"measured", of_measured(assessment), "decision_nodes",
		json_integer(system_nodes(assessment->system)), "advice", of_advice(assessment));
	int r;

	if (!object)
		return -ENOMEM;
	r = json_dumpf(object, out, JSON_INDENT(2) | JSON_REAL_PRECISION(17)) < 0 ? -EIO : 0;
	fputc('\n', out);
	json_decref(object);
	return r < 0 ? r : ferror(out) ? -EIO : 0;
}
