/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * advice.c - what to do, in sentences: where the downtime comes from, the change that takes most of it and what it asks of
 * the user, the one that asks nothing, and whether that meets the goal.
 *
 * What a user can do without is not in the model. So a call made optional is always told together with its question.
 */
#include "availability/assessment.h"

#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>

#include "availability/words.h"
#include "base/options.h"

int assessment_say(FILE *out, unsigned int indent, const char *format, ...)
{
	_cleanup_(freep) char *text = NULL;
	va_list arguments;
	int len;

	va_start(arguments, format);
	len = vasprintf(&text, format, arguments);
	va_end(arguments);
	if (len < 0) {
		text = NULL;
		return -ENOMEM;
	}
	options_print_wrapped(text, indent, out);
	return 0;
}

static const struct change *best_of(const struct assessment *assessment, enum change_kind kind)
{
	for (unsigned int i = 0; i < assessment->changes.count; i++)
		if (assessment->changes.change[i].kind == kind &&
		    assessment->changes.change[i].is_known &&
		    assessment->changes.change[i].gain > 0)
			return &assessment->changes.change[i];
	return NULL;
}

static int say_weakest(const struct assessment *assessment, FILE *out)
{
	_cleanup_(freep) unsigned int *index =
		calloc(assessment->model->parts + assessment->model->edges + 1, sizeof(*index));
	char name[MODEL_EDGE_TEXT_MAX], year[WORDS_MAX], others[48];
	unsigned int count, equals;
	double cost;

	if (!index)
		return -ENOMEM;
	count = assessment_by_cost(assessment, index);
	if (count == 0)
		return assessment_say(out, 2, "Find: nothing here ever fails.");
	cost = assessment_cost(assessment, index[0]);
	equals = assessment_equally_costly(assessment, index, count) - 1;
	words_downtime(year, cost * YEAR_SECONDS);
	snprintf(others, sizeof(others), equals ? " (as is each of %u others)" : "", equals);
	return assessment_say(out, 2,
			      "Find: %s%s is the weakest link%s: %s of downtime a year, %.0f %% of "
			      "all, is gone if it never fails.",
			      index[0] >= assessment->model->parts ? "the way " : "",
			      assessment_index_text(assessment, index[0], name), others, year,
			      100 * cost / assessment->whole.down);
}

static int say_change(const struct assessment *assessment, const struct change *change,
		      const char *before, const char *after, FILE *out)
{
	char text[CHANGE_TEXT_MAX], year[WORDS_MAX], percent[WORDS_MAX];

	return assessment_say(out, 2, "%s: %s saves %s a year (%s).%s", before,
			      change_text(assessment->model, change, text),
			      words_downtime(year, change->gain * YEAR_SECONDS),
			      words_percent(percent, change->whole), after);
}

static int say_optional(const struct assessment *assessment, const struct change *change, FILE *out)
{
	char after[256];
	const char *name = assessment->model->part[assessment->model->edge[change->index].to].name;

	snprintf(after, sizeof(after),
		 " Only if an answer without %s is still worth having; it then needs a timeout, "
		 "and must be marked as partial.",
		 name);
	return say_change(assessment, change, "Fix, with less in the answer", after, out);
}

static int say_steps(const struct assessment *assessment, FILE *out)
{
	const struct model *model = assessment->model;
	char percent[WORDS_MAX], goal[WORDS_MAX], list[600] = "";
	bool met = assessment->after_steps.down <= model->goal.down;
	size_t used = 0;

	words_percent(goal, model->goal);
	if (assessment->steps == 0)
		return assessment_say(out, 2, "Goal: %s asked for, and replicas cannot reach it.",
				      goal);
	for (unsigned int i = 0; i < assessment->steps && used < sizeof(list); i++)
		used += (size_t)snprintf(list + used, sizeof(list) - used, "%s%s x %u",
					 i ? ", " : "", model->part[assessment->step[i].part].name,
					 assessment->step[i].replicas);
	return assessment_say(out, 2, "Goal: %s asked for. Replicas alone %s: %s give %s.", goal,
			      met ? "reach it" : "do not reach it", list,
			      words_percent(percent, assessment->after_steps));
}

static int say_goal(const struct assessment *assessment, FILE *out)
{
	char percent[WORDS_MAX];

	if (!assessment->model->has_availability_goal)
		return 0;
	if (assessment->whole.down <= assessment->model->goal.down)
		return assessment_say(out, 2, "Goal: the claims meet the %s asked for.",
				      words_percent(percent, assessment->model->goal));
	return say_steps(assessment, out);
}

/* The hop whose measurement is farthest below its claim. */
static int say_measured(const struct assessment *assessment, FILE *out)
{
	const struct hop *worst = NULL;
	double gap, widest = 0;

	if (!assessment->measured)
		return 0;
	for (unsigned int i = 0; i < assessment->measured->hops; i++) {
		const struct hop *hop = &assessment->measured->hop[i];
		struct chance all, itself;
		double low, high;

		assessment_claimed_hop(assessment, hop, &all, &itself);
		wilson(hop->itself, &low, &high);
		gap = itself.up - high;
		if (gap > widest) {
			widest = gap;
			worst = hop;
		}
	}
	if (!worst)
		return assessment_say(
			out, 2,
			"Measured: no hop is worse than its claim, as far as so many calls "
			"can tell.");
	return assessment_say(
		out, 2,
		"Measured: %s -> %s is farthest below its claim: mend it, or the claim, before "
		"anything else.",
		assessment_hop_src(assessment, worst), assessment->model->part[worst->dst].name);
}

static int say_what_to_do(const struct assessment *assessment, FILE *out)
{
	const struct change *replica = best_of(assessment, CHANGE_REPLICA);
	const struct change *optional = best_of(assessment, CHANGE_OPTIONAL);
	const struct change *nine = best_of(assessment, CHANGE_NINE);
	int r;

	r = say_weakest(assessment, out);
	if (r == 0 && replica)
		r = say_change(assessment, replica, "Fix, with the same answer",
			       " Only if its replicas fail independently.", out);
	if (r == 0 && nine && (!replica || nine->gain > replica->gain))
		r = say_change(assessment, nine, replica ? "Or" : "Fix, with the same answer", "",
			       out);
	if (r == 0 && optional)
		r = say_optional(assessment, optional, out);
	return r;
}

/* Claims first: they are what was promised. Then what was seen. */
int assessment_print_advice(const struct assessment *assessment, FILE *out)
{
	int r;

	fputc('\n', out);
	r = say_what_to_do(assessment, out);
	if (r == 0)
		r = say_goal(assessment, out);
	if (r == 0)
		r = say_measured(assessment, out);
	if (r < 0 || !assessment->as_measured)
		return r;
	fputs("\nWith what was measured in the place of what is claimed:\n", out);
	return say_what_to_do(assessment->as_measured, out);
}
