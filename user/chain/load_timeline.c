/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * load_timeline.c - what the load met over time: a row for each slice of the run.
 *
 *     records --by the moment their outcome was known--> slices --> rows
 */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>

#include "base/cleanup.h"
#include "base/histogram.h"
#include "chain/load.h"

#define SCHEMA_VERSION 1
#define KINDS_MAX      64
#define SLICES_MAX     100000

struct kind { /* of outcomes that are counted together */
	uint16_t status;
	uint8_t error;
	uint8_t shape;
};

struct slice {
	uint32_t requests;
	uint32_t count[KINDS_MAX + 1]; /* the last: of kinds that found no place */
	struct samples latency;
};

struct timeline {
	const struct load_result *result;
	uint64_t every_ns;
	size_t slices;
	struct kind kind[KINDS_MAX];
	size_t kinds;
};

static struct kind kind_of(const struct load_record *record)
{
	struct kind kind = { record->status, record->error, record->shape };

	if (!record->error)
		kind.error = 0;
	return kind;
}

static int compare_kinds(const void *a, const void *b)
{
	const struct kind *x = a, *y = b;

	if (x->status != y->status) /* without a status: behind all others */
		return (x->status ? x->status : 1000) - (y->status ? y->status : 1000);
	if (x->shape != y->shape)
		return x->shape - y->shape;
	return x->error - y->error;
}

static size_t kind_index(const struct timeline *timeline, const struct load_record *record)
{
	struct kind kind = kind_of(record);
	size_t i = 0;

	while (i < timeline->kinds && compare_kinds(&timeline->kind[i], &kind) != 0)
		i++;
	return i;
}

/* In a fixed order, so that the same outcomes give the same columns whichever came first. */
static void find_kinds(struct timeline *timeline)
{
	for (size_t i = 0; i < timeline->result->records; i++) {
		const struct load_record *record = &timeline->result->record[i];

		if (kind_index(timeline, record) == timeline->kinds && timeline->kinds < KINDS_MAX)
			timeline->kind[timeline->kinds++] = kind_of(record);
	}
	qsort(timeline->kind, timeline->kinds, sizeof(timeline->kind[0]), compare_kinds);
}

static uint64_t known_ns(const struct load_record *record)
{
	return record->start_ns + record->latency_ns;
}

static size_t slice_of(const struct timeline *timeline, const struct load_record *record)
{
	uint64_t begin_ns = timeline->result->begin_ns, at_ns = known_ns(record);

	return at_ns > begin_ns ? (size_t)((at_ns - begin_ns) / timeline->every_ns) : 0;
}

static int sort_out(const struct timeline *timeline, struct slice *slice)
{
	int r = 0;

	for (size_t i = 0; i < timeline->result->records && r == 0; i++) {
		const struct load_record *record = &timeline->result->record[i];
		struct slice *its = &slice[slice_of(timeline, record)];

		its->requests++;
		its->count[kind_index(timeline, record)]++;
		r = samples_add(&its->latency, record->intended_latency_ns);
	}
	return r;
}

/* "200_full", "504_timeout", "none_refused", "404_status" */
static void write_kind(FILE *out, const struct kind *kind)
{
	if (kind->status)
		fprintf(out, ",%u_", kind->status);
	else
		fputs(",none_", out);
	fputs(kind->error ? load_error_name(kind->error) : load_shape_name(kind->shape), out);
}

static void write_head(const struct timeline *timeline, FILE *out)
{
	fputs("schema_version,since_ns,start_mono_ns,requests,p50_ns,p99_ns,max_ns", out);
	for (size_t i = 0; i < timeline->kinds; i++)
		write_kind(out, &timeline->kind[i]);
	fputs(timeline->kinds == KINDS_MAX ? ",other\n" : "\n", out);
}

static void write_slice(const struct timeline *timeline, size_t i, struct slice *slice, FILE *out)
{
	uint64_t since_ns = i * timeline->every_ns;

	fprintf(out, "%d,%" PRIu64 ",%" PRIu64 ",%u", SCHEMA_VERSION, since_ns,
		timeline->result->begin_ns + since_ns, slice->requests);
	if (slice->requests)
		fprintf(out, ",%" PRIu64 ",%" PRIu64 ",%" PRIu64,
			samples_percentile(&slice->latency, 50),
			samples_percentile(&slice->latency, 99), slice->latency.max);
	else
		fputs(",,,", out);
	for (size_t k = 0; k < timeline->kinds + (timeline->kinds == KINDS_MAX); k++)
		fprintf(out, ",%u", slice->count[k]);
	fputc('\n', out);
}

static int write_slices(const struct timeline *timeline, FILE *out)
{
	struct slice *slice = calloc(timeline->slices, sizeof(*slice));
	int r;

	if (!slice)
		return -ENOMEM;
	for (size_t i = 0; i < timeline->slices; i++)
		samples_init(&slice[i].latency, 0);
	r = sort_out(timeline, slice);
	if (r == 0)
		write_head(timeline, out);
	for (size_t i = 0; i < timeline->slices; i++) {
		if (r == 0)
			write_slice(timeline, i, &slice[i], out);
		samples_done(&slice[i].latency);
	}
	free(slice);
	return r;
}

static int plan(struct timeline *timeline)
{
	uint64_t begin_ns = timeline->result->begin_ns, end_ns = timeline->result->end_ns;
	uint64_t slices;

	find_kinds(timeline);
	slices = end_ns > begin_ns ? (end_ns - begin_ns) / timeline->every_ns + 1 : 1;
	for (size_t i = 0; i < timeline->result->records; i++) {
		size_t its = slice_of(timeline, &timeline->result->record[i]);

		slices = its >= slices ? its + 1 : slices;
	}
	if (slices > SLICES_MAX)
		return -E2BIG;
	timeline->slices = (size_t)slices;
	return 0;
}

int load_write_timeline_csv(const struct load_result *result, uint64_t every_ns, const char *path)
{
	struct timeline timeline = { .result = result, .every_ns = every_ns };
	_cleanup_(fclosep) FILE *out = NULL;
	int r, closed;

	r = every_ns ? plan(&timeline) : -EINVAL;
	if (r < 0)
		return r;
	out = fopen(path, "we");
	if (!out)
		return -errno;
	r = write_slices(&timeline, out);
	if (r == 0 && ferror(out))
		r = -EIO;
	closed = fclose(TAKE_PTR(out));
	return r == 0 && closed < 0 ? -errno : r;
}
