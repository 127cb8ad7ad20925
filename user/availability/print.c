/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * print.c - an assessment as tables of 80 columns, one question each.
 */
#include "availability/assessment.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "availability/words.h"
#include "base/table.h"
#include "base/units.h"

#define TABLE_WIDTH 80

/* ---- how available is the whole? ---- */

static void whole_row(struct table *table, const char *name, struct chance chance)
{
	char percent[WORDS_MAX], nines[WORDS_MAX], year[WORDS_MAX], month[WORDS_MAX],
		day[WORDS_MAX];

	table_cell(table, "%s", name);
	table_cell(table, "%s", words_percent(percent, chance));
	table_cell(table, "%s", words_nines_text(nines, chance));
	table_cell(table, "%s", words_downtime(year, chance.down * YEAR_SECONDS));
	table_cell(table, "%s", words_downtime(month, chance.down * MONTH_SECONDS));
	table_cell(table, "%s", words_downtime(day, chance.down * DAY_SECONDS));
}

static int print_whole(const struct assessment *assessment, FILE *out)
{
	static const struct table_column columns[] = {
		{ .header = "THE WHOLE" },
		{ .header = "AVAILABLE", .align = TABLE_RIGHT },
		{ .header = "NINES", .align = TABLE_RIGHT },
		{ .header = "A YEAR", .group = "downtime", .align = TABLE_RIGHT },
		{ .header = "A MONTH", .group = "downtime", .align = TABLE_RIGHT },
		{ .header = "A DAY", .group = "downtime", .align = TABLE_RIGHT },
	};
	_cleanup_(table_freep) struct table *table =
		table_new(columns, ARRAY_SIZE(columns), TABLE_WIDTH);
	const struct measured *measured = assessment->measured;

	if (!table)
		return -ENOMEM;
	whole_row(table, "as claimed", assessment->whole);
	if (assessment->has_full)
		whole_row(table, "in full", assessment->full);
	if (assessment->estimate.samples)
		whole_row(table, "simulated", assessment->estimate.chance);
	if (assessment->model->has_availability_goal)
		whole_row(table, "asked for", assessment->model->goal);
	if (measured && measured->whole.tries) {
		double tries = (double)measured->whole.tries;

		whole_row(table, "measured",
			  (struct chance){ (double)measured->whole.ok / tries,
					   (tries - (double)measured->whole.ok) / tries });
		whole_row(table, "by measured parts", assessment->predicted);
	}
	return table_print(table, out);
}

static void print_estimate(const struct assessment *assessment, FILE *out)
{
	const struct estimate *estimate = &assessment->estimate;

	if (!estimate->samples)
		return;
	fprintf(out,
		"simulated: %llu of %llu samples failed, seed %llu; standard error %.2g%%,\n"
		"%.1f of it away from the exact figure.\n",
		(unsigned long long)estimate->failed, (unsigned long long)estimate->samples,
		(unsigned long long)estimate->seed,
		100 * standard_error(assessment->whole, estimate->samples),
		assessment_sigmas(assessment));
}

static void print_goal(const struct assessment *assessment, FILE *out)
{
	const struct model *model = assessment->model;
	char budget[WORDS_MAX], spent[WORDS_MAX];

	if (!model->has_availability_goal)
		return;
	words_downtime(budget, model->goal.down * MONTH_SECONDS);
	words_downtime(spent, assessment->whole.down * MONTH_SECONDS);
	if (model->goal.down > 0)
		fprintf(out, "budget: %s a month may fail, %s does: %.3g %% of it.\n", budget,
			spent, 100 * assessment->whole.down / model->goal.down);
	else
		fprintf(out, "budget: nothing may fail, %s a month does.\n", spent);
}

/* ---- what does it cost? ---- */

static void cost_row(struct table *table, const struct assessment *assessment, unsigned int index)
{
	const struct model *model = assessment->model;
	const struct part *part = index < model->parts ? &model->part[index] : NULL;
	struct chance own = assessment_own_chance(assessment, index);
	struct chance all = part ? system_part_chance(assessment->system, index)
				 : system_edge_chance(assessment->system, index - model->parts);
	char name[MODEL_EDGE_TEXT_MAX], text[WORDS_MAX];
	double cost = assessment_cost(assessment, index);

	table_cell(table, "%s", assessment_index_text(assessment, index, name));
	if (part && part->replicas > 1)
		table_cell(table, "%u of %u", part->need, part->replicas);
	else
		table_cell(table, "%s", part ? "" : "way");
	table_cell(table, "%s", words_percent(text, own));
	table_cell(table, "%s", words_percent(text, all));
	table_cell(table, "%.4f", assessment_importance(assessment, index));
	table_cell(table, "%s", words_downtime(text, cost * YEAR_SECONDS));
	table_cell(table, "%.1f %%",
		   assessment->whole.down > 0 ? 100 * cost / assessment->whole.down : 0.0);
}

static int print_costs(const struct assessment *assessment, unsigned int top, FILE *out)
{
	static const struct table_column columns[] = {
		{ .header = "COSTS MOST", .max_width = 24, .shrinks = true },
		{ .header = "NEEDS" },
		{ .header = "ITSELF", .align = TABLE_RIGHT },
		{ .header = "WITH CALLS", .align = TABLE_RIGHT },
		{ .header = "BIRNBAUM", .align = TABLE_RIGHT },
		{ .header = "A YEAR", .align = TABLE_RIGHT },
		{ .header = "OF ALL", .align = TABLE_RIGHT },
	};
	_cleanup_(table_freep) struct table *table =
		table_new(columns, ARRAY_SIZE(columns), TABLE_WIDTH);
	_cleanup_(freep) unsigned int *index =
		calloc(assessment->model->parts + assessment->model->edges + 1, sizeof(*index));
	unsigned int count;
	int r;

	if (!table || !index)
		return -ENOMEM;
	count = assessment_by_cost(assessment, index);
	if (count == 0)
		return 0;
	for (unsigned int i = 0; i < count && (!top || i < top); i++)
		cost_row(table, assessment, index[i]);
	fputc('\n', out);
	r = table_print(table, out);
	if (top && count > top)
		fprintf(out, "and %u more, each of which costs less (--top 0 shows all)\n",
			count - top);
	if (r == 0)
		r = assessment_say(
			out, 0,
			"Birnbaum: how much more often the whole answers when this works "
			"than when it does not. A year: the downtime that would be gone if "
			"it never failed by itself; where things are redundant these "
			"overlap, and do not sum to the whole's.");
	return r;
}

/* ---- what would change it? ---- */

static void change_row(struct table *table, const struct assessment *assessment,
		       const struct change *change)
{
	char name[CHANGE_TEXT_MAX], text[WORDS_MAX], time[UNITS_TEXT_MAX];

	table_cell(table, "%s", change_text(assessment->model, change, name));
	if (!change->is_known) {
		table_cell(table, "too large");
		table_cell(table, "%s", "");
		table_cell(table, "%s", "");
	} else {
		table_cell(table, "%s", words_percent(text, change->whole));
		table_cell(table, "%s", words_nines_text(text, change->whole));
		table_cell(table, "%s", words_downtime(text, change->gain * YEAR_SECONDS));
	}
	if (assessment->has_floor)
		table_cell(table, "%s", units_format_duration(time, change->floor_ns));
}

static int print_changes(const struct assessment *assessment, unsigned int top, FILE *out)
{
	static const struct table_column columns[] = {
		{ .header = "ONE CHANGE", .shrinks = true },
		{ .header = "AVAILABLE", .align = TABLE_RIGHT },
		{ .header = "NINES", .align = TABLE_RIGHT },
		{ .header = "SAVES A YEAR", .align = TABLE_RIGHT },
		{ .header = "FLOOR", .align = TABLE_RIGHT },
	};
	_cleanup_(table_freep) struct table *table =
		table_new(columns, ARRAY_SIZE(columns) - !assessment->has_floor, TABLE_WIDTH);
	unsigned int count = assessment->changes.count;
	int r;

	if (!table)
		return -ENOMEM;
	if (count == 0)
		return 0;
	for (unsigned int i = 0; i < count && (!top || i < top); i++)
		change_row(table, assessment, &assessment->changes.change[i]);
	fputc('\n', out);
	r = table_print(table, out);
	if (top && count > top)
		fprintf(out, "and %u more, each of which saves less (--top 0 shows all)\n",
			count - top);
	return r;
}

/* ---- how long does it take? ---- */

static void floor_row(struct table *table, const struct assessment *assessment, const char *name,
		      uint64_t latency_ns, double times)
{
	char time[UNITS_TEXT_MAX];
	double sum_ns = (double)latency_ns * times;

	if (!(sum_ns > 0))
		return;
	table_cell(table, "%s", name);
	table_cell(table, "%s", units_format_duration(time, latency_ns));
	table_cell(table, "%.6g", times);
	table_cell(table, "%.1f %%", 100 * sum_ns / (double)assessment->floor_ns);
}

static int print_path(const struct assessment *assessment, FILE *out)
{
	static const struct table_column columns[] = {
		{ .header = "ON THE CRITICAL PATH", .shrinks = true },
		{ .header = "LATENCY", .align = TABLE_RIGHT },
		{ .header = "TIMES", .align = TABLE_RIGHT },
		{ .header = "OF THE FLOOR", .align = TABLE_RIGHT },
	};
	_cleanup_(table_freep) struct table *table =
		table_new(columns, ARRAY_SIZE(columns), TABLE_WIDTH);
	const struct model *model = assessment->model;
	char text[MODEL_EDGE_TEXT_MAX];

	if (!table)
		return -ENOMEM;
	for (unsigned int i = model->parts; i-- > 0;) {
		const struct part *part = &model->part[model->order[i]];

		floor_row(table, assessment, part->name, part->latency_ns,
			  assessment->part_times[model->order[i]]);
		for (unsigned int k = part->edge; k < part->edge + part->edges; k++)
			floor_row(table, assessment, model_edge_text(model, &model->edge[k], text),
				  model->edge[k].latency_ns, assessment->edge_times[k]);
	}
	return table_print(table, out);
}

static int print_floor(const struct assessment *assessment, FILE *out)
{
	const struct model *model = assessment->model;
	char time[UNITS_TEXT_MAX], goal[UNITS_TEXT_MAX], left[UNITS_TEXT_MAX];
	int r = 0;

	if (!assessment->has_floor)
		return 0;
	fputc('\n', out);
	if (assessment->floor_ns)
		r = print_path(assessment, out);
	units_format_duration(time, assessment->floor_ns);
	units_format_duration(goal, model->goal_ns);
	if (r < 0)
		return r;
	if (!model->has_latency_goal)
		return assessment_say(
			out, 0, "latency floor: %s, when nothing waits and nothing is retried.",
			time);
	if (assessment->floor_ns <= model->goal_ns)
		return assessment_say(
			out, 0,
			"latency floor: %s of the %s asked for; %s are left for queues, "
			"retries and loss.",
			time, goal,
			units_format_duration(left, model->goal_ns - assessment->floor_ns));
	return assessment_say(
		out, 0,
		"latency floor: %s, and %s is asked for: %s too long before anything waits.", time,
		goal, units_format_duration(left, assessment->floor_ns - model->goal_ns));
}

/* ---- what was measured? ---- */

static void tally_cells(struct table *table, struct chance claim, struct tally tally)
{
	char text[WORDS_MAX];
	double low, high;

	table_cell(table, "%s", words_percent(text, claim));
	if (tally.tries == 0) {
		table_cell(table, "%s", "");
		table_cell(table, "%s", "");
		return;
	}
	wilson(tally, &low, &high);
	table_cell(table, "%.2f%%", 100 * (double)tally.ok / (double)tally.tries);
	table_cell(table, "%.2f..%.2f", 100 * low, 100 * high);
}

static int print_hops(const struct assessment *assessment, FILE *out)
{
	static const struct table_column columns[] = {
		{ .header = "HOP", .max_width = 20, .shrinks = true },
		{ .header = "CALLS", .align = TABLE_RIGHT },
		{ .header = "CLAIM", .group = "with all behind it", .align = TABLE_RIGHT },
		{ .header = "MEASURED", .group = "with all behind it", .align = TABLE_RIGHT },
		{ .header = "CLAIM", .group = "by itself", .align = TABLE_RIGHT },
		{ .header = "MEASURED", .group = "by itself", .align = TABLE_RIGHT },
		{ .header = "95 %", .group = "by itself", .align = TABLE_RIGHT },
		{ .header = "IT IS" },
	};
	_cleanup_(table_freep) struct table *table =
		table_new(columns, ARRAY_SIZE(columns), TABLE_WIDTH);

	if (!table)
		return -ENOMEM;
	for (unsigned int i = 0; i < assessment->measured->hops; i++) {
		const struct hop *hop = &assessment->measured->hop[i];
		struct chance all, itself;
		char text[WORDS_MAX];

		assessment_claimed_hop(assessment, hop, &all, &itself);
		table_cell(table, "%s->%s", assessment_hop_src(assessment, hop),
			   assessment->model->part[hop->dst].name);
		table_cell(table, "%llu", (unsigned long long)hop->all.tries);
		table_cell(table, "%s", words_percent(text, all));
		table_cell(table, "%.2f%%",
			   hop->all.tries ? 100 * (double)hop->all.ok / (double)hop->all.tries : 0);
		tally_cells(table, itself, hop->itself);
		table_cell(table, "%s", assessment_verdict(itself, hop->itself));
	}
	fputc('\n', out);
	return table_print(table, out);
}

/* For the claim that asks for the most calls: what they would have to be told from. */
static int print_tries_to_tell(const struct assessment *assessment, FILE *out)
{
	char claim[WORDS_MAX], twice[WORDS_MAX];
	struct chance highest = {};
	uint64_t most = 0;

	for (unsigned int i = 0; i < assessment->measured->hops; i++) {
		struct chance all, itself;

		assessment_claimed_hop(assessment, &assessment->measured->hop[i], &all, &itself);
		if (assessment_tries_to_tell(itself) > most) {
			most = assessment_tries_to_tell(itself);
			highest = itself;
		}
	}
	if (most == 0)
		return 0;
	return assessment_say(
		out, 0,
		"A hop that is seen to keep %s is told from one of %s, which fails twice "
		"as often, by %llu calls.",
		words_percent(claim, highest),
		words_percent(twice, (struct chance){ 1 - 2 * highest.down, 2 * highest.down }),
		(unsigned long long)most);
}

static void print_counts(const struct assessment *assessment, FILE *out)
{
	const struct measured *measured = assessment->measured;
	uint64_t unseen = 0, unknown = 0;

	for (unsigned int i = 0; i < measured->hops; i++) {
		unseen += measured->hop[i].unseen;
		unknown += measured->hop[i].unknown;
	}
	fputs("failed: 5xx, or no answer. By itself: without what a call behind it had failed\n"
	      "for. 95 %: Wilson's interval.\n",
	      out);
	if (unseen)
		fprintf(out,
			"%llu calls are known only by their caller's 502 or 504: no connection was "
			"made.\n",
			(unsigned long long)unseen);
	if (unknown)
		fprintf(out, "%llu calls are left out: their status was not seen.\n",
			(unsigned long long)unknown);
	if (assessment->kept)
		fprintf(out,
			"%u services were not called: 'by measured parts' keeps their claim.\n",
			assessment->kept);
}

static int print_measured(const struct assessment *assessment, FILE *out)
{
	int r;

	if (!assessment->measured)
		return 0;
	r = print_hops(assessment, out);
	print_counts(assessment, out);
	return r < 0 ? r : print_tries_to_tell(assessment, out);
}

/* ---- all of it ---- */

static void print_title(const struct assessment *assessment, FILE *out)
{
	const struct model *model = assessment->model;
	unsigned int groups = 0;

	for (unsigned int i = 0; i < model->parts; i++)
		groups += model->part[i].is_group;
	fprintf(out, "%s%sentry %s; %u service%s", model->name, model->name[0] ? ": " : "",
		model->part[model->entry].name, model->parts - groups,
		model->parts - groups == 1 ? "" : "s");
	if (groups)
		fprintf(out, ", %u group%s", groups, groups == 1 ? "" : "s");
	fprintf(out, ", %u call%s\n\n", model->edges, model->edges == 1 ? "" : "s");
}

int assessment_print(const struct assessment *assessment, unsigned int top, FILE *out)
{
	int r;

	print_title(assessment, out);
	r = print_whole(assessment, out);
	print_estimate(assessment, out);
	print_goal(assessment, out);
	if (r == 0)
		r = print_costs(assessment, top, out);
	if (r == 0)
		r = print_changes(assessment, top, out);
	if (r == 0)
		r = print_floor(assessment, out);
	if (r == 0)
		r = print_measured(assessment, out);
	if (r == 0)
		r = assessment_print_advice(assessment, out);
	return r < 0 ? r : ferror(out) ? -EIO : 0;
}
