/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * advice.c - what to do, in sentences: where the downtime comes from, the change that takes most of it and what it asks of
 * the user, the one that asks nothing, and whether that meets the goal.
 *
 * What a user can do without is not in the model. So a call made optional is always told together with its question.
 */
#include "availability/report.h"

#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>

#include "availability/words.h"
#include "base/options.h"

int report_say(FILE *out, unsigned int indent, const char *format, ...)
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

static const struct change *best_of(const struct report *report, enum change_kind kind)
{
	for (unsigned int i = 0; i < report->changes.count; i++)
		if (report->changes.change[i].kind == kind && report->changes.change[i].is_known &&
		    report->changes.change[i].gain > 0)
			return &report->changes.change[i];
	return NULL;
}

static int say_weakest(const struct report *report, FILE *out)
{
	_cleanup_(freep) unsigned int *index =
		calloc(report->model->parts + report->model->edges + 1, sizeof(*index));
	char name[MODEL_EDGE_TEXT_MAX], year[WORDS_MAX], others[48];
	unsigned int count, equals;
	double cost;

	if (!index)
		return -ENOMEM;
	count = report_by_cost(report, index);
	if (count == 0)
		return report_say(out, 2, "Find: nothing here ever fails.");
	cost = report_cost(report, index[0]);
	equals = report_equally_costly(report, index, count) - 1;
	words_downtime(year, cost * YEAR_SECONDS);
	snprintf(others, sizeof(others), equals ? " (as is each of %u others)" : "", equals);
	return report_say(out, 2,
			  "Find: %s%s is the weakest link%s: %s of downtime a year, %.0f %% of "
			  "all, is gone if it never fails.",
			  index[0] >= report->model->parts ? "the way " : "",
			  report_index_text(report, index[0], name), others, year,
			  100 * cost / report->whole.down);
}

static int say_change(const struct report *report, const struct change *change, const char *before,
		      const char *after, FILE *out)
{
	char text[CHANGE_TEXT_MAX], year[WORDS_MAX], percent[WORDS_MAX];

	return report_say(out, 2, "%s: %s saves %s a year (%s).%s", before,
			  change_text(report->model, change, text),
			  words_downtime(year, change->gain * YEAR_SECONDS),
			  words_percent(percent, change->whole), after);
}

static int say_optional(const struct report *report, const struct change *change, FILE *out)
{
	char after[256];
	const char *name = report->model->part[report->model->edge[change->index].to].name;

	snprintf(after, sizeof(after),
		 " Only if an answer without %s is still worth having; it then needs a timeout, "
		 "and must be marked as partial.",
		 name);
	return say_change(report, change, "Fix, with less in the answer", after, out);
}

static int say_steps(const struct report *report, FILE *out)
{
	const struct model *model = report->model;
	char percent[WORDS_MAX], goal[WORDS_MAX], list[600] = "";
	bool met = report->after_steps.down <= model->goal.down;
	size_t used = 0;

	words_percent(goal, model->goal);
	if (report->steps == 0)
		return report_say(out, 2, "Goal: %s asked for, and replicas cannot reach it.",
				  goal);
	for (unsigned int i = 0; i < report->steps && used < sizeof(list); i++)
		used += (size_t)snprintf(list + used, sizeof(list) - used, "%s%s x %u",
					 i ? ", " : "", model->part[report->step[i].part].name,
					 report->step[i].replicas);
	return report_say(out, 2, "Goal: %s asked for. Replicas alone %s: %s give %s.", goal,
			  met ? "reach it" : "do not reach it", list,
			  words_percent(percent, report->after_steps));
}

static int say_goal(const struct report *report, FILE *out)
{
	char percent[WORDS_MAX];

	if (!report->model->has_availability_goal)
		return 0;
	if (report->whole.down <= report->model->goal.down)
		return report_say(out, 2, "Goal: the claims meet the %s asked for.",
				  words_percent(percent, report->model->goal));
	return say_steps(report, out);
}

/* The hop whose measurement is farthest below its claim. */
static int say_measured(const struct report *report, FILE *out)
{
	const struct hop *worst = NULL;
	double gap, widest = 0;

	if (!report->measured)
		return 0;
	for (unsigned int i = 0; i < report->measured->hops; i++) {
		const struct hop *hop = &report->measured->hop[i];
		struct chance all, itself;
		double low, high;

		report_claimed_hop(report, hop, &all, &itself);
		wilson(hop->itself, &low, &high);
		gap = itself.up - high;
		if (gap > widest) {
			widest = gap;
			worst = hop;
		}
	}
	if (!worst)
		return report_say(
			out, 2,
			"Measured: no hop is worse than its claim, as far as so many calls "
			"can tell.");
	return report_say(
		out, 2,
		"Measured: %s -> %s is farthest below its claim: mend it, or the claim, before "
		"anything else.",
		report_hop_src(report, worst), report->model->part[worst->dst].name);
}

static int say_what_to_do(const struct report *report, FILE *out)
{
	const struct change *replica = best_of(report, CHANGE_REPLICA);
	const struct change *optional = best_of(report, CHANGE_OPTIONAL);
	const struct change *nine = best_of(report, CHANGE_NINE);
	int r;

	r = say_weakest(report, out);
	if (r == 0 && replica)
		r = say_change(report, replica, "Fix, with the same answer",
			       " Only if its replicas fail independently.", out);
	if (r == 0 && nine && (!replica || nine->gain > replica->gain))
		r = say_change(report, nine, replica ? "Or" : "Fix, with the same answer", "", out);
	if (r == 0 && optional)
		r = say_optional(report, optional, out);
	return r;
}

/* Claims first: they are what was promised. Then what was seen. */
int report_print_advice(const struct report *report, FILE *out)
{
	int r;

	fputc('\n', out);
	r = say_what_to_do(report, out);
	if (r == 0)
		r = say_goal(report, out);
	if (r == 0)
		r = say_measured(report, out);
	if (r < 0 || !report->as_measured)
		return r;
	fputs("\nWith what was measured in the place of what is claimed:\n", out);
	return say_what_to_do(report->as_measured, out);
}
