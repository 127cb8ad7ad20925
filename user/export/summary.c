/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * summary.c - all calls of a run, gathered by hop; and summary.csv.
 */
#include "export/summary.h"

#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "export/tree.h"

int summary_init(struct summary *summary, const char *run_id)
{
	*summary = (struct summary){ .values_max = SUMMARY_VALUES_MAX };
	summary->run_id = strdup(run_id);
	return summary->run_id ? 0 : -ENOMEM;
}

static void hop_free(struct summary_hop *hop)
{
	int i;

	for (i = 0; i < SUMMARY_COUNT; i++)
		samples_done(&hop->sample[i]);
	free(hop->src);
	free(hop->dst);
	free(hop);
}
DEFINE_CLEANUP(struct summary_hop *, hop_free)

void summary_done(struct summary *summary)
{
	unsigned int i;

	for (i = 0; i < summary->hops; i++)
		hop_free(summary->hop[i]);
	free(summary->run_id);
	*summary = (struct summary){};
}

static struct summary_hop *hop_new(const struct export_run *run, const struct call *call)
{
	_cleanup_(hop_freep) struct summary_hop *hop = calloc(1, sizeof(*hop));
	char text[EXPORT_NAME_MAX];
	int i;

	if (!hop)
		return NULL;
	for (i = 0; i < SUMMARY_COUNT; i++)
		samples_init(&hop->sample[i], 0);
	hop->src_id = call->src;
	hop->dst_id = call->dst;
	hop->src = strdup(export_endpoint_name(run, call->src, text));
	hop->dst = strdup(export_endpoint_name(run, call->dst, text));
	return hop->src && hop->dst ? TAKE_PTR(hop) : NULL;
}

/* 0 with NULL: there is no place for one more hop. */
static int hop_for(struct summary *summary, const struct export_run *run, const struct call *call,
		   struct summary_hop **ret_hop)
{
	struct summary_hop *hop;
	unsigned int i;

	for (i = 0; i < summary->hops; i++) {
		hop = summary->hop[i];
		if (hop->src_id == call->src && hop->dst_id == call->dst) {
			*ret_hop = hop;
			return 0;
		}
	}
	if (summary->hops == SUMMARY_HOPS_MAX) {
		*ret_hop = NULL;
		return 0;
	}
	hop = hop_new(run, call);
	if (!hop)
		return -ENOMEM;
	summary->hop[summary->hops++] = hop;
	*ret_hop = hop;
	return 0;
}

static int add_value(struct summary *summary, struct summary_hop *hop, int measure, uint64_t ns)
{
	struct samples *samples = &hop->sample[measure];
	int r;

	if (ns == TIME_UNKNOWN)
		return 0;
	if (summary->values >= summary->values_max) {
		r = samples_coarsen(samples);
		if (r < 0)
			return r;
	}
	summary->values++;
	return samples_add(samples, ns);
}

static int add_delay(struct summary *summary, struct summary_hop *hop, int asked, uint64_t asked_ns,
		     uint64_t given_ns)
{
	int r;

	if (tree_known(asked_ns) == 0 || given_ns == TIME_UNKNOWN)
		return 0;
	r = add_value(summary, hop, asked, asked_ns);
	if (r == 0)
		r = add_value(summary, hop, asked + 1, given_ns);
	if (r == 0)
		r = add_value(summary, hop, asked + 2,
			      given_ns > asked_ns ? given_ns - asked_ns : 0);
	return r;
}

static uint64_t real_of(const struct call *call, uint64_t below_ns)
{
	uint64_t injected_ns = tree_known(call->injected_ns) + below_ns;

	if (call->total_ns == TIME_UNKNOWN)
		return TIME_UNKNOWN;
	return call->total_ns > injected_ns ? call->total_ns - injected_ns : 0;
}

static int add_call(struct summary *summary, const struct export_run *run, const struct call *call,
		    uint64_t below_ns)
{
	struct summary_hop *hop;
	int i, r;

	r = hop_for(summary, run, call, &hop);
	if (r < 0)
		return r;
	summary->calls++;
	summary->incomplete += !call->complete;
	if (!hop) {
		summary->left_out++;
		return 0;
	}
	hop->calls++;
	hop->incomplete += !call->complete;
	for (i = 0; i < MEASURE_COUNT && r == 0; i++)
		r = add_value(summary, hop, i, measure_of(call, (enum measure)i));
	if (r == 0)
		r = add_value(summary, hop, SUMMARY_BELOW, below_ns);
	if (r == 0)
		r = add_value(summary, hop, SUMMARY_REAL, real_of(call, below_ns));
	if (r == 0)
		r = add_delay(summary, hop, SUMMARY_ASKED_REQ, call->inj_req_ns,
			      call->stage_ns[STAGE_HOLD_REQ]);
	if (r == 0)
		r = add_delay(summary, hop, SUMMARY_ASKED_RESP, call->inj_resp_ns,
			      call->stage_ns[STAGE_HOLD_RESP]);
	return r;
}

int summary_add(struct summary *summary, const struct export_run *run, const struct chain *chain)
{
	_cleanup_(freep) uint64_t *below_ns = calloc(chain->calls + 1, sizeof(*below_ns));
	unsigned int i;
	int r = 0;

	if (!below_ns)
		return -ENOMEM;
	tree_injected_below(chain, below_ns);
	summary->chains++;
	for (i = 0; i < chain->calls && r == 0; i++)
		r = add_call(summary, run, &chain->call[i], below_ns[i]);
	return r;
}

struct summary_hop *summary_find(const struct summary *summary, const char *src, const char *dst)
{
	unsigned int i;

	for (i = 0; i < summary->hops; i++)
		if (!strcmp(summary->hop[i]->src, src) && !strcmp(summary->hop[i]->dst, dst))
			return summary->hop[i];
	return NULL;
}

/* ---- summary.csv ---- */

static const struct {
	const char *column;
	double percent;
} percentiles[] = {
	{ "p50_ns", 50 }, { "p75_ns", 75 },	{ "p90_ns", 90 },	{ "p95_ns", 95 },
	{ "p99_ns", 99 }, { "p99_9_ns", 99.9 }, { "p99_99_ns", 99.99 },
};

static void header_line(char *line, size_t size)
{
	size_t len, i;

	len = (size_t)snprintf(
		line, size, "schema_version,run_id,src,dst,stage,count,min_ns,mean_ns,stddev_ns");
	for (i = 0; i < ARRAY_SIZE(percentiles); i++)
		len += (size_t)snprintf(line + len, size - len, ",%s", percentiles[i].column);
	snprintf(line + len, size - len, ",max_ns");
}

static void write_row(const struct summary *summary, const struct summary_hop *hop,
		      const char *stage, struct samples *samples, FILE *out)
{
	size_t i;

	fprintf(out, "%d,", EXPORT_SCHEMA_VERSION);
	text_write_csv(out, summary->run_id);
	fputc(',', out);
	text_write_csv(out, hop->src);
	fputc(',', out);
	text_write_csv(out, hop->dst);
	fprintf(out, ",%s,%" PRIu64 ",%" PRIu64 ",%" PRIu64 ",%" PRIu64, stage, samples->count,
		samples->min, (uint64_t)llround(samples->mean),
		(uint64_t)llround(samples_stddev(samples)));
	for (i = 0; i < ARRAY_SIZE(percentiles); i++)
		fprintf(out, ",%" PRIu64, samples_percentile(samples, percentiles[i].percent));
	fprintf(out, ",%" PRIu64 "\n", samples->max);
}

int summary_write_csv(struct summary *summary, FILE *out)
{
	unsigned int i;
	int measure;

	for (i = 0; i < summary->hops; i++) {
		struct summary_hop *hop = summary->hop[i];

		for (measure = 0; measure < MEASURE_COUNT; measure++)
			if (hop->sample[measure].count)
				write_row(summary, hop, measure_name((enum measure)measure),
					  &hop->sample[measure], out);
	}
	return ferror(out) ? -EIO : 0;
}

struct summary_export {
	struct export export;
	struct summary summary;
};

static int begin_file(struct export *export)
{
	char line[512];

	if (export->continues)
		return 0;
	header_line(line, sizeof(line));
	fprintf(export->out, "%s\n", line);
	return 0;
}

static int begin_run(struct export *export)
{
	return summary_init(&((struct summary_export *)export)->summary, export->run->run_id);
}

static int add_chain(struct export *export, const struct chain *chain)
{
	return summary_add(&((struct summary_export *)export)->summary, export->run, chain);
}

static int end_run(struct export *export)
{
	struct summary *summary = &((struct summary_export *)export)->summary;
	int r = summary_write_csv(summary, export->out);

	summary_done(summary);
	return r;
}

static void release(struct export *export)
{
	summary_done(&((struct summary_export *)export)->summary);
}

static bool is_header(const char *line)
{
	char own[512];

	header_line(own, sizeof(own));
	return !strcmp(line, own);
}

const struct export_format export_summary = {
	.name = "summary",
	.help = "a row for each hop and stage, with its percentiles",
	.size = sizeof(struct summary_export),
	.appends = true,
	.begin_file = begin_file,
	.begin_run = begin_run,
	.chain = add_chain,
	.end_run = end_run,
	.release = release,
	.is_header = is_header,
};
