/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * hoptable.c - what a run showed, for a person at a terminal.
 *
 *     1  how long a call took, by hop              (two runs: side by side)
 *     2  the delay that was asked and given        (when there was one)
 *     3  how much was injected, and what is left   (when there was any)
 *     4  where the time of the mean call went      (columns that sum up)
 *     notes: what is missing, and how to read it
 */
#include "export/hoptable.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/table.h"
#include "base/text.h"
#include "base/units.h"

#define WIDTH 80

static void cell_ns(struct table *table, uint64_t ns)
{
	char text[UNITS_TEXT_MAX];

	table_cell(table, "%s", ns ? units_format_duration(text, ns) : "0");
}

/* "-" where there is nothing to tell: an empty cell could be an oversight. */
static void cell_percentile(struct table *table, const struct summary_hop *hop, int measure,
			    double percent)
{
	struct samples *samples = hop ? (struct samples *)&hop->sample[measure] : NULL;

	if (samples && samples->count)
		cell_ns(table, samples_percentile(samples, percent));
	else
		table_cell(table, "-");
}

static void cell_hop(struct table *table, const char *src, const char *dst)
{
	table_cell(table, "%s->%s", src, dst);
}

static void cell_calls(struct table *table, uint64_t calls)
{
	if (calls < 1000000)
		table_cell(table, "%" PRIu64, calls);
	else {
		char text[UNITS_TEXT_MAX];

		table_cell(table, "%s", units_format_count(text, calls));
	}
}

static int print_and_free(struct table *table, FILE *out)
{
	int r = table ? table_print(table, out) : -ENOMEM;

	table_free(table);
	return r;
}

static void title(FILE *out, const char *text)
{
	fprintf(out, "\n%s\n", text);
}

/* ---- 1: how long ---- */

static void cells_of_total(struct table *table, const struct summary_hop *hop)
{
	cell_percentile(table, hop, MEASURE_TOTAL, 50);
	cell_percentile(table, hop, MEASURE_TOTAL, 95);
	cell_percentile(table, hop, MEASURE_TOTAL, 99);
}

static int print_totals_of_one(const struct hoptable_run *run, FILE *out)
{
	const struct table_column columns[] = {
		{ .header = "HOP", .shrinks = true },
		{ .header = "CALLS", .align = TABLE_RIGHT },
		{ .header = "p50", .group = "time of a call", .align = TABLE_RIGHT },
		{ .header = "p95", .group = "time of a call", .align = TABLE_RIGHT },
		{ .header = "p99", .group = "time of a call", .align = TABLE_RIGHT },
		{ .header = "max", .group = "time of a call", .align = TABLE_RIGHT },
	};
	struct table *table = table_new(columns, ARRAY_SIZE(columns), WIDTH);
	const struct summary *summary = run->summary;
	unsigned int i;

	for (i = 0; table && i < summary->hops; i++) {
		const struct summary_hop *hop = summary->hop[i];

		cell_hop(table, hop->src, hop->dst);
		cell_calls(table, hop->calls);
		cells_of_total(table, hop);
		cell_percentile(table, hop, MEASURE_TOTAL, 100);
	}
	return print_and_free(table, out);
}

static void row_of_two(struct table *table, const char *src, const char *dst,
		       const struct summary_hop *left, const struct summary_hop *right)
{
	cell_hop(table, src, dst);
	cell_calls(table, right ? right->calls : left->calls);
	cells_of_total(table, left);
	cells_of_total(table, right);
}

static int print_totals_of_two(const struct hoptable_run *run, FILE *out)
{
	const struct summary *left = run[0].summary, *right = run[1].summary;
	const struct table_column columns[] = {
		{ .header = "HOP", .shrinks = true },
		{ .header = "CALLS", .align = TABLE_RIGHT },
		{ .header = "p50", .group = "before", .align = TABLE_RIGHT },
		{ .header = "p95", .group = "before", .align = TABLE_RIGHT },
		{ .header = "p99", .group = "before", .align = TABLE_RIGHT },
		{ .header = "p50", .group = "with faults", .align = TABLE_RIGHT },
		{ .header = "p95", .group = "with faults", .align = TABLE_RIGHT },
		{ .header = "p99", .group = "with faults", .align = TABLE_RIGHT },
	};
	struct table_column named[ARRAY_SIZE(columns)];
	struct table *table;
	unsigned int i;

	memcpy(named, columns, sizeof(columns));
	for (i = 2; i < ARRAY_SIZE(columns); i++)
		named[i].group = i < 5 ? left->run_id : right->run_id;
	table = table_new(named, ARRAY_SIZE(named), WIDTH);
	for (i = 0; table && i < right->hops; i++)
		row_of_two(table, right->hop[i]->src, right->hop[i]->dst,
			   summary_find(left, right->hop[i]->src, right->hop[i]->dst),
			   right->hop[i]);
	for (i = 0; table && i < left->hops; i++)
		if (!summary_find(right, left->hop[i]->src, left->hop[i]->dst))
			row_of_two(table, left->hop[i]->src, left->hop[i]->dst, left->hop[i], NULL);
	return print_and_free(table, out);
}

/* ---- 2: asked and given ---- */

static void row_of_delay(struct table *table, const char *from, const char *to,
			 const struct summary_hop *hop, int asked)
{
	if (hop->sample[asked].count == 0)
		return;
	cell_hop(table, from, to);
	cell_calls(table, hop->sample[asked].count);
	cell_percentile(table, hop, asked, 50);
	cell_percentile(table, hop, asked + 1, 50);
	cell_percentile(table, hop, asked + 1, 95);
	cell_percentile(table, hop, asked + 1, 99);
	cell_percentile(table, hop, asked + 2, 50);
	cell_percentile(table, hop, asked + 2, 99);
}

static bool was_delayed(const struct summary *summary)
{
	unsigned int i;

	for (i = 0; i < summary->hops; i++)
		if (summary->hop[i]->sample[SUMMARY_ASKED_REQ].count ||
		    summary->hop[i]->sample[SUMMARY_ASKED_RESP].count)
			return true;
	return false;
}

static int print_delays(const struct summary *summary, FILE *out)
{
	const struct table_column columns[] = {
		{ .header = "LINK", .shrinks = true },
		{ .header = "CALLS", .align = TABLE_RIGHT },
		{ .header = "p50", .group = "asked", .align = TABLE_RIGHT },
		{ .header = "p50", .group = "given", .align = TABLE_RIGHT },
		{ .header = "p95", .group = "given", .align = TABLE_RIGHT },
		{ .header = "p99", .group = "given", .align = TABLE_RIGHT },
		{ .header = "p50", .group = "too long by", .align = TABLE_RIGHT },
		{ .header = "p99", .group = "too long by", .align = TABLE_RIGHT },
	};
	struct table *table;
	unsigned int i;

	if (!was_delayed(summary))
		return 0;
	title(out, "Delay asked and given, one way");
	table = table_new(columns, ARRAY_SIZE(columns), WIDTH);
	for (i = 0; table && i < summary->hops; i++) {
		const struct summary_hop *hop = summary->hop[i];

		row_of_delay(table, hop->src, hop->dst, hop, SUMMARY_ASKED_REQ);
		row_of_delay(table, hop->dst, hop->src, hop, SUMMARY_ASKED_RESP);
	}
	return print_and_free(table, out);
}

/* ---- 3: injected and real ---- */

static bool was_injected(const struct summary *summary)
{
	unsigned int i;

	for (i = 0; i < summary->hops; i++)
		if (summary->hop[i]->sample[MEASURE_INJECTED].max > 0 &&
		    summary->hop[i]->sample[MEASURE_INJECTED].count)
			return true;
	return false;
}

static int print_injected(const struct summary *summary, const struct summary *before, FILE *out)
{
	const struct table_column columns[] = {
		{ .header = "HOP", .shrinks = true },
		{ .header = "TOTAL", .align = TABLE_RIGHT },
		{ .header = "on this hop", .group = "injected", .align = TABLE_RIGHT },
		{ .header = "further down", .group = "injected", .align = TABLE_RIGHT },
		{ .header = "REAL", .align = TABLE_RIGHT },
		{ .header = before ? "BEFORE" : "", .align = TABLE_RIGHT },
	};
	struct table *table;
	unsigned int i;

	if (!was_injected(summary))
		return 0;
	title(out, before ? "Injected and real (p50; REAL is the total less what was injected:\n"
			    "compare it with BEFORE, the total of the first run)"
			  : "Injected and real (p50; REAL is the total less what was injected)");
	table = table_new(columns, before ? 6 : 5, WIDTH);
	for (i = 0; table && i < summary->hops; i++) {
		const struct summary_hop *hop = summary->hop[i];

		cell_hop(table, hop->src, hop->dst);
		cell_percentile(table, hop, MEASURE_TOTAL, 50);
		cell_percentile(table, hop, MEASURE_INJECTED, 50);
		cell_percentile(table, hop, SUMMARY_BELOW, 50);
		cell_percentile(table, hop, SUMMARY_REAL, 50);
		if (before)
			cell_percentile(table, summary_find(before, hop->src, hop->dst),
					MEASURE_TOTAL, 50);
	}
	return print_and_free(table, out);
}

/* ---- 4: where the time went ---- */

/*
 * A share of the mean total: the sum over known values divided by all totals, so that the shares sum up to
 * the mean.
 */
static double share_ns(const struct summary_hop *hop, int measure)
{
	const struct samples *samples = &hop->sample[measure];
	uint64_t calls = hop->sample[MEASURE_TOTAL].count;

	return calls ? samples->mean * (double)samples->count / (double)calls : 0;
}

static double stages_ns(const struct summary_hop *hop, const enum stage *stage, size_t stages)
{
	double sum = 0;
	size_t i;

	for (i = 0; i < stages; i++)
		sum += share_ns(hop, MEASURE_STAGE + (int)stage[i]);
	return sum;
}

static void cell_share(struct table *table, double ns)
{
	if (ns < 0.5)
		table_cell(table, "0");
	else
		cell_ns(table, (uint64_t)(ns + 0.5));
}

static void row_of_shares(struct table *table, const struct summary_hop *hop)
{
	static const enum stage sending[] = { STAGE_CLI_SEND, STAGE_REQ_STREAM, STAGE_SRV_SEND,
					      STAGE_RESP_STREAM };
	static const enum stage network[] = { STAGE_NET_REQ, STAGE_NET_RESP };
	static const enum stage held[] = { STAGE_HOLD_REQ, STAGE_HOLD_RESP };
	static const enum stage queued[] = { STAGE_SRV_QUEUE, STAGE_CLI_QUEUE };
	double app_ns = share_ns(hop, MEASURE_STAGE + STAGE_SRV_APP);
	double self_ns = share_ns(hop, MEASURE_SRV_SELF);

	cell_hop(table, hop->src, hop->dst);
	cell_share(table, share_ns(hop, MEASURE_TOTAL));
	cell_share(table, stages_ns(hop, sending, ARRAY_SIZE(sending)));
	cell_share(table, stages_ns(hop, network, ARRAY_SIZE(network)));
	cell_share(table, stages_ns(hop, held, ARRAY_SIZE(held)));
	cell_share(table, stages_ns(hop, queued, ARRAY_SIZE(queued)));
	cell_share(table, self_ns);
	cell_share(table, app_ns - self_ns);
	cell_share(table, share_ns(hop, MEASURE_STAGE + STAGE_UNATTRIBUTED));
}

static int print_shares(const struct summary *summary, FILE *out)
{
	static const struct table_column columns[] = {
		{ .header = "HOP", .shrinks = true, .max_width = 16 },
		{ .header = "MEAN", .align = TABLE_RIGHT },
		{ .header = "send", .align = TABLE_RIGHT },
		{ .header = "network", .align = TABLE_RIGHT },
		{ .header = "held", .align = TABLE_RIGHT },
		{ .header = "queue", .align = TABLE_RIGHT },
		{ .header = "service", .align = TABLE_RIGHT },
		{ .header = "further", .align = TABLE_RIGHT },
		{ .header = "?", .align = TABLE_RIGHT },
	};
	struct table *table = table_new(columns, ARRAY_SIZE(columns), WIDTH);
	unsigned int i;

	for (i = 0; table && i < summary->hops; i++)
		row_of_shares(table, summary->hop[i]);
	fputs("\nWhere the mean call's time went: ", out);
	text_write_terminal(out, summary->run_id);
	fputc('\n', out);
	return print_and_free(table, out);
}

/* ---- notes ---- */

static void note_of(const struct hoptable_run *run, FILE *out)
{
	const struct summary *summary = run->summary;

	text_write_terminal(out, summary->run_id);
	fprintf(out, ": %" PRIu64 " chains, %" PRIu64 " calls, %" PRIu64 " incomplete",
		summary->chains, summary->calls, summary->incomplete);
	if (run->lost_events != HOPTABLE_LOST_UNKNOWN)
		fprintf(out, ", %" PRIu64 " events lost", run->lost_events);
	if (summary->left_out)
		fprintf(out, ",\n  %" PRIu64 " calls of further hops not shown", summary->left_out);
	fputc('\n', out);
}

static void print_notes(const struct hoptable_run *run, unsigned int runs, FILE *out)
{
	bool incomplete = false;
	unsigned int i;

	fputc('\n', out);
	for (i = 0; i < runs; i++) {
		note_of(&run[i], out);
		incomplete |= run[i].summary->incomplete ||
			      (run[i].lost_events && run[i].lost_events != HOPTABLE_LOST_UNKNOWN);
	}
	if (incomplete)
		fputs("Of an incomplete call only the times that are known are counted.\n", out);
	fputs("p95: 95 of 100 calls took no longer. A hop contains the hops further down.\n"
	      "send: until the last byte has left; held: in the delay engine; queue: arrived,\n"
	      "not yet read; further: the service waits for its own calls; ?: not seen.\n",
	      out);
}

int hoptable_print(const struct hoptable_run *run, unsigned int runs, FILE *out)
{
	const struct summary *last;
	unsigned int i;
	int r;

	if (runs < 1 || runs > 2)
		return -EINVAL;
	last = run[runs - 1].summary;
	if (runs == 2)
		title(out, "Time of a call");
	r = runs == 1 ? print_totals_of_one(run, out) : print_totals_of_two(run, out);
	if (r == 0)
		r = print_delays(last, out);
	if (r == 0)
		r = print_injected(last, runs == 2 ? run[0].summary : NULL, out);
	for (i = 0; i < runs && r == 0; i++)
		r = print_shares(run[i].summary, out);
	if (r == 0)
		print_notes(run, runs, out);
	return r < 0 ? r : ferror(out) ? -EIO : 0;
}
