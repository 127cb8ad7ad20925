/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * patience_write.c - patience as tables for the terminal, and as patience.csv.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/options.h"
#include "base/table.h"
#include "base/text.h"
#include "base/units.h"
#include "export/patience_parts.h"

#define WIDTH	      80
#define CELL_MAX      64
#define FINDING_WIDTH 4 /* room in front of its text: "  - " */

static void hop_cell(struct table *table, const struct patience *patience, unsigned int hop)
{
	table_cell(table, "%s->%s", patience->name[hop], patience->name[hop + 1]);
}

/* "600.1ms"; "> 3.000s": that is a hang, "(> 3.000s)": too short a look to say so; "-": nobody was seen waiting for this. */
static const char *patience_text(const struct patience *patience, const struct patience_wait *wait,
				 enum patience_kind kind, char text[CELL_MAX])
{
	char time[UNITS_TEXT_MAX];

	if (wait->gave_up[kind].count)
		snprintf(text, CELL_MAX, "%s",
			 units_format_duration(time, wait->gave_up[kind].p50_ns));
	else if (wait->hangs[kind])
		snprintf(text, CELL_MAX, "> %s", units_format_duration(time, patience->limit_ns));
	else if (wait->waiting[kind])
		snprintf(text, CELL_MAX, "(> %s)",
			 units_format_duration(time, wait->waited_ns[kind]));
	else
		snprintf(text, CELL_MAX, "-");
	return text;
}

static uint32_t waiting(const struct patience_wait *wait)
{
	return wait->waiting[PATIENCE_ANSWER] + wait->waiting[PATIENCE_CONNECT];
}

static uint32_t gave_up(const struct patience_wait *wait)
{
	return wait->gave_up[PATIENCE_ANSWER].count + wait->gave_up[PATIENCE_CONNECT].count;
}

static const struct patience_times *gave_up_mostly(const struct patience_wait *wait)
{
	return &wait->gave_up[wait->gave_up[PATIENCE_CONNECT].count >
					      wait->gave_up[PATIENCE_ANSWER].count
				      ? PATIENCE_CONNECT
				      : PATIENCE_ANSWER];
}

/* What happened to most of these calls: "504", "gave up"; and after how long. */
static const char *outcome_of(const struct patience *patience, const struct patience_wait *wait,
			      const struct patience_times **ret_times, char text[CELL_MAX])
{
	*ret_times = NULL;
	if (wait->calls == 0)
		return "no call seen";
	if (wait->answered.count > gave_up(wait) && wait->answered.count >= waiting(wait)) {
		*ret_times = &wait->answered;
		if (wait->status)
			snprintf(text, CELL_MAX, "%u", wait->status);
		else
			snprintf(text, CELL_MAX, "an answer");
		return text;
	}
	if (gave_up(wait)) {
		*ret_times = gave_up_mostly(wait);
		return "gave up";
	}
	return waiting(wait) ? "waits on" : "refused";
}

/* ---- along the chain ---- */

static const struct table_column chain_columns[] = {
	{ .header = "HOP", .shrinks = true },
	{ .header = "CALLS", .align = TABLE_RIGHT },
	{ .header = "no answer", .group = "--- gives up after ---", .align = TABLE_RIGHT },
	{ .header = "no connection", .group = "--- gives up after ---", .align = TABLE_RIGHT },
	{ .header = "TRIES", .align = TABLE_RIGHT },
	{ .header = "FIRST CALLER SAW" },
};

static void tries_cell(struct table *table, const struct patience_wait *wait)
{
	if (wait->tries.count)
		table_cell(table, "%" PRIu64, wait->tries.p50_ns);
	else
		table_cell(table, wait->hop ? "" : "-");
}

static void first_caller_cell(struct table *table, const struct patience *patience, size_t cut)
{
	const struct patience_wait *wait = patience_wait_at(patience, cut, 0);
	const struct patience_times *times;
	char text[CELL_MAX], time[UNITS_TEXT_MAX];
	const char *outcome = outcome_of(patience, wait, &times, text);
	uint64_t longest = wait->waited_ns[wait->waited_ns[PATIENCE_CONNECT] >
					   wait->waited_ns[PATIENCE_ANSWER]];

	if (times)
		table_cell(table, "%s after %s", outcome,
			   units_format_duration(time, times->p50_ns));
	else if (waiting(wait))
		table_cell(table, "nothing for %s", units_format_duration(time, longest));
	else
		table_cell(table, "%s", outcome);
}

static const struct patience_wait *wait_of_hop(const struct patience *patience, unsigned int hop,
					       size_t *ret_cut)
{
	for (size_t i = 0; i < patience->cuts; i++)
		if (patience->cut[i].hop == hop) {
			*ret_cut = i;
			return patience_wait_at(patience, i, hop);
		}
	return NULL;
}

static int print_chain(const struct patience *patience, FILE *out)
{
	_cleanup_(table_freep) struct table *table =
		table_new(chain_columns, ARRAY_SIZE(chain_columns), WIDTH);

	if (!table)
		return -ENOMEM;
	for (unsigned int hop = 0; hop < patience->hops; hop++) {
		char text[CELL_MAX];
		size_t cut;
		const struct patience_wait *wait = wait_of_hop(patience, hop, &cut);

		hop_cell(table, patience, hop);
		if (!wait) {
			table_cell(table, "0");
			table_cell(table, "-");
			table_cell(table, "-");
			table_cell(table, "-");
			table_cell(table, "(not cut)");
			continue;
		}
		table_cell(table, "%u", wait->calls);
		table_cell(table, "%s", patience_text(patience, wait, PATIENCE_ANSWER, text));
		table_cell(table, "%s", patience_text(patience, wait, PATIENCE_CONNECT, text));
		tries_cell(table, wait);
		first_caller_cell(table, patience, cut);
	}
	return table_print(table, out);
}

/* ---- cut by cut ---- */

static const struct table_column cut_columns[] = {
	{ .header = "CUT", .shrinks = true },
	{ .header = "CALLER", .shrinks = true },
	{ .header = "CALLS", .align = TABLE_RIGHT },
	{ .header = "OUTCOME" },
	{ .header = "p50", .group = "--- after ----", .align = TABLE_RIGHT },
	{ .header = "max", .group = "--- after ----", .align = TABLE_RIGHT },
	{ .header = "STILL WAITING", .align = TABLE_RIGHT },
};

static void wait_row(struct table *table, const struct patience *patience,
		     const struct patience_wait *wait, bool is_first)
{
	const struct patience_times *times;
	char text[CELL_MAX], p50[UNITS_TEXT_MAX] = "-", max[UNITS_TEXT_MAX] = "-";
	const char *outcome = outcome_of(patience, wait, &times, text);

	if (times) {
		units_format_duration(p50, times->p50_ns);
		units_format_duration(max, times->max_ns);
	}
	if (is_first)
		hop_cell(table, patience, patience->cut[wait->cut].hop);
	else
		table_cell(table, " ");
	hop_cell(table, patience, wait->hop);
	table_cell(table, "%u", wait->calls);
	table_cell(table, "%s", outcome);
	table_cell(table, "%s", p50);
	table_cell(table, "%s", max);
	table_cell(table, "%u", waiting(wait));
}

static int print_cuts(const struct patience *patience, FILE *out)
{
	_cleanup_(table_freep) struct table *table =
		table_new(cut_columns, ARRAY_SIZE(cut_columns), WIDTH);

	if (!table)
		return -ENOMEM;
	for (size_t i = 0; i < patience->cuts; i++) {
		if (i)
			table_rule(table);
		for (unsigned int hop = 0; hop <= patience->cut[i].hop; hop++)
			wait_row(table, patience, patience_wait_at(patience, i, hop), hop == 0);
	}
	return table_print(table, out);
}

/* ---- in words ---- */

static void print_finding(const struct patience_finding *finding, FILE *out)
{
	char text[4 * sizeof(finding->text)];

	text_escape_terminal(text, sizeof(text), finding->text);
	fputs(finding->kind == FINDING_SANE	 ? "ok:\n"
	      : finding->kind == FINDING_UNKNOWN ? "not known:\n"
						 : "finding:\n",
	      out);
	options_print_wrapped(text, FINDING_WIDTH, out);
}

int patience_print(const struct patience *patience, FILE *out)
{
	char limit[UNITS_TEXT_MAX];
	int r;

	fprintf(out, "Patience along the chain: each link cut in turn, watched for up to %s\n",
		units_format_duration(limit, patience->limit_ns));
	r = print_chain(patience, out);
	if (r == 0 && patience->cuts) {
		fputs("\nWhat each caller met, cut by cut\n", out);
		r = print_cuts(patience, out);
	}
	if (r < 0)
		return r;
	fputc('\n', out);
	for (size_t i = 0; i < patience->findings; i++)
		print_finding(&patience->finding[i], out);
	if (patience->ignored)
		fprintf(out, "%" PRIu64 " calls more than fit were not looked at.\n",
			patience->ignored);
	return ferror(out) ? -EIO : 0;
}

/* ---- for programs ---- */

static void csv_times(FILE *out, const struct patience_times *times)
{
	if (times->count)
		fprintf(out, ",%u,%" PRIu64 ",%" PRIu64 ",%" PRIu64, times->count, times->min_ns,
			times->p50_ns, times->max_ns);
	else
		fputs(",0,,,", out);
}

static void csv_row(const struct patience *patience, const struct patience_wait *wait, FILE *out)
{
	const struct patience_cut *cut = &patience->cut[wait->cut];

	fputs("1,", out);
	text_write_csv(out, patience->name[cut->hop]);
	fputc(',', out);
	text_write_csv(out, patience->name[cut->hop + 1]);
	fprintf(out, ",%" PRIu64 ",%" PRIu64 ",", cut->from_ns, cut->to_ns - cut->from_ns);
	text_write_csv(out, patience->name[wait->hop]);
	fputc(',', out);
	text_write_csv(out, patience->name[wait->hop + 1]);
	fprintf(out, ",%u", wait->calls);
	csv_times(out, &wait->gave_up[PATIENCE_ANSWER]);
	csv_times(out, &wait->gave_up[PATIENCE_CONNECT]);
	for (int kind = 0; kind < PATIENCE_KINDS; kind++)
		if (wait->waiting[kind])
			fprintf(out, ",%u,%" PRIu64 ",%d", wait->waiting[kind],
				wait->waited_ns[kind], wait->hangs[kind]);
		else
			fputs(",0,,0", out);
	csv_times(out, &wait->answered);
	if (wait->status)
		fprintf(out, ",%u", wait->status);
	else
		fputc(',', out);
	fprintf(out, ",%u", wait->broken);
	if (wait->tries.count)
		fprintf(out, ",%" PRIu64 ",%" PRIu64 "\n", wait->tries.p50_ns, wait->tries.max_ns);
	else
		fputs(",,\n", out);
}

int patience_write_csv(const struct patience *patience, FILE *out)
{
	fputs("schema_version,cut_src,cut_dst,cut_mono_ns,cut_ns,caller,callee,calls,"
	      "answer_gave_up,answer_min_ns,answer_p50_ns,answer_max_ns,"
	      "connect_gave_up,connect_min_ns,connect_p50_ns,connect_max_ns,"
	      "answer_waiting,answer_waited_ns,answer_hangs,"
	      "connect_waiting,connect_waited_ns,connect_hangs,"
	      "answered,answered_min_ns,answered_p50_ns,answered_max_ns,status,broken,"
	      "tries_p50,tries_max\n",
	      out);
	for (size_t i = 0; i < patience->cuts; i++)
		for (unsigned int hop = 0; hop <= patience->cut[i].hop; hop++)
			csv_row(patience, patience_wait_at(patience, i, hop), out);
	return ferror(out) ? -EIO : 0;
}
