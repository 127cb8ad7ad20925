/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * csv.c - an assessment as one table for other tools: a row for each figure, its kind in a column.
 *
 *   kind      name                      what the row is about
 *   whole     claimed, in_full, simulated, goal, measured, by_measured_parts
 *   service   the service               itself, and with its calls
 *   way       "a -> b"                  a call's way that has an availability of its own
 *   change    what is done              the whole after it
 *   hop       "a -> b"                  claimed and measured, and how many calls would tell the claim from one that
 *                                       fails twice as often
 *
 * measured_service, measured_change: the same with what was measured in the place of what is claimed.
 * Empty is unknown, or has no meaning for that kind.
 */
#include "availability/assessment.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>

#include "availability/words.h"
#include "base/text.h"

#define SCHEMA_VERSION 1

struct row {
	const char *kind, *name, *what;
	struct chance chance;
	bool has_chance;
	double birnbaum, cost, saves; /* NAN: empty */
	uint64_t floor_ns; /* UINT64_MAX: empty */
	const struct tally *tally;
	struct chance claim_itself;
	const struct tally *itself;
	const char *verdict;
	uint64_t tries_to_tell; /* 0: empty */
};

static const struct row no_row = { "",	"",	    "",	  {}, false, NAN, NAN,
				   NAN, UINT64_MAX, NULL, {}, NULL,  "",  0 };

static const char header[] =
	"schema_version,system,kind,name,change,availability,unavailability,nines,"
	"downtime_year_seconds,downtime_month_seconds,downtime_day_seconds,birnbaum,"
	"cost_year_seconds,saves_year_seconds,floor_ns,tries,answered,measured,measured_low,"
	"measured_high,claimed_itself,itself_tries,itself_answered,itself,itself_low,"
	"itself_high,verdict,tries_to_tell\r\n";

static void put_number(FILE *out, double value)
{
	if (isfinite(value))
		fprintf(out, ",%.15g", value);
	else
		fputc(',', out);
}

static void put_chance(FILE *out, struct chance chance, bool has_chance)
{
	double down = has_chance ? chance.down : NAN;

	put_number(out, has_chance ? chance.up : NAN);
	put_number(out, down);
	put_number(out, has_chance ? words_nines(chance) : NAN);
	put_number(out, down * YEAR_SECONDS);
	put_number(out, down * MONTH_SECONDS);
	put_number(out, down * DAY_SECONDS);
}

static void put_tally(FILE *out, const struct tally *tally)
{
	double low, high;

	if (!tally || !tally->tries) {
		fputs(",,,,,", out);
		return;
	}
	wilson(*tally, &low, &high);
	fprintf(out, ",%llu,%llu", (unsigned long long)tally->tries, (unsigned long long)tally->ok);
	put_number(out, (double)tally->ok / (double)tally->tries);
	put_number(out, low);
	put_number(out, high);
}

static void put_row(const struct assessment *assessment, const struct row *row, FILE *out)
{
	fprintf(out, "%d,", SCHEMA_VERSION);
	text_write_csv(out, assessment->model->name);
	fprintf(out, ",%s,", row->kind);
	text_write_csv(out, row->name);
	fprintf(out, ",%s", row->what);
	put_chance(out, row->chance, row->has_chance);
	put_number(out, row->birnbaum);
	put_number(out, row->cost);
	put_number(out, row->saves);
	if (row->floor_ns == UINT64_MAX)
		fputc(',', out);
	else
		fprintf(out, ",%llu", (unsigned long long)row->floor_ns);
	put_tally(out, row->tally);
	put_number(out, row->itself ? row->claim_itself.up : NAN);
	put_tally(out, row->itself);
	fprintf(out, ",%s,", row->verdict);
	if (row->tries_to_tell)
		fprintf(out, "%llu", (unsigned long long)row->tries_to_tell);
	fputs("\r\n", out);
}

static void put_whole(const struct assessment *assessment, const char *name, struct chance chance,
		      const struct tally *tally, FILE *out)
{
	struct row row = no_row;

	row.kind = "whole";
	row.name = name;
	row.chance = chance;
	row.has_chance = true;
	row.tally = tally;
	put_row(assessment, &row, out);
}

static void put_wholes(const struct assessment *assessment, FILE *out)
{
	const struct measured *measured = assessment->measured;

	put_whole(assessment, "claimed", assessment->whole, NULL, out);
	if (assessment->has_full)
		put_whole(assessment, "in_full", assessment->full, NULL, out);
	if (assessment->estimate.samples)
		put_whole(assessment, "simulated", assessment->estimate.chance, NULL, out);
	if (assessment->model->has_availability_goal)
		put_whole(assessment, "goal", assessment->model->goal, NULL, out);
	if (measured && measured->whole.tries) {
		double tries = (double)measured->whole.tries, ok = (double)measured->whole.ok;

		put_whole(assessment, "measured",
			  (struct chance){ ok / tries, (tries - ok) / tries }, &measured->whole,
			  out);
	}
	if (measured)
		put_whole(assessment, "by_measured_parts", assessment->predicted, NULL, out);
}

static int put_costs(const struct assessment *assessment, const char *service, const char *way,
		     FILE *out)
{
	const struct model *model = assessment->model;
	_cleanup_(freep) unsigned int *index =
		calloc(model->parts + model->edges + 1, sizeof(*index));
	unsigned int count;

	if (!index)
		return -ENOMEM;
	count = assessment_by_cost(assessment, index);
	for (unsigned int i = 0; i < count; i++) {
		struct row row = no_row;
		char name[MODEL_EDGE_TEXT_MAX];

		row.kind = index[i] < model->parts ? service : way;
		row.name = assessment_index_text(assessment, index[i], name);
		row.chance = assessment_own_chance(assessment, index[i]);
		row.has_chance = true;
		row.birnbaum = assessment_importance(assessment, index[i]);
		row.cost = assessment_cost(assessment, index[i]) * YEAR_SECONDS;
		put_row(assessment, &row, out);
	}
	return 0;
}

static void put_changes(const struct assessment *assessment, const char *kind, FILE *out)
{
	for (unsigned int i = 0; i < assessment->changes.count; i++) {
		const struct change *change = &assessment->changes.change[i];
		struct row row = no_row;
		char name[CHANGE_TEXT_MAX];

		row.kind = kind;
		row.name = change_text(assessment->model, change, name);
		row.what = change_word(change->kind);
		row.chance = change->whole;
		row.has_chance = change->is_known;
		row.saves = change->is_known ? change->gain * YEAR_SECONDS : NAN;
		row.floor_ns = assessment->has_floor ? change->floor_ns : UINT64_MAX;
		put_row(assessment, &row, out);
	}
}

static void put_hops(const struct assessment *assessment, FILE *out)
{
	for (unsigned int i = 0; assessment->measured && i < assessment->measured->hops; i++) {
		const struct hop *hop = &assessment->measured->hop[i];
		char name[MODEL_EDGE_TEXT_MAX];
		struct row row = no_row;

		snprintf(name, sizeof(name), "%s -> %s", assessment_hop_src(assessment, hop),
			 assessment->model->part[hop->dst].name);
		row.kind = "hop";
		row.name = name;
		assessment_claimed_hop(assessment, hop, &row.chance, &row.claim_itself);
		row.has_chance = true;
		row.tally = &hop->all;
		row.itself = &hop->itself;
		row.verdict = assessment_verdict(row.claim_itself, hop->itself);
		row.tries_to_tell = assessment_tries_to_tell(row.claim_itself);
		put_row(assessment, &row, out);
	}
}

int assessment_write_csv(const struct assessment *assessment, FILE *out)
{
	int r;

	fputs(header, out);
	put_wholes(assessment, out);
	r = put_costs(assessment, "service", "way", out);
	put_changes(assessment, "change", out);
	put_hops(assessment, out);
	if (r == 0 && assessment->as_measured) {
		r = put_costs(assessment->as_measured, "measured_service", "measured_way", out);
		put_changes(assessment->as_measured, "measured_change", out);
	}
	return r < 0 ? r : ferror(out) ? -EIO : 0;
}
