/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * load_report.c - what the load met: a summary for people, CSV for programs.
 */
#include "chain/load.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/histogram.h"
#include "base/text.h"
#include "base/units.h"

#define SCHEMA_VERSION 1
#define GROUPS_MAX     256

enum latency_kind { ANSWERED, FAILED, INTENDED, LATENCY_KINDS };

struct failure_group {
	uint32_t count;
	uint16_t status;
	uint8_t error;
	uint8_t hop;
};

struct failures {
	struct failure_group group[GROUPS_MAX];
	unsigned int groups;
	uint32_t beyond; /* failures that found no group any more */
};

const char *load_error_name(enum load_error error)
{
	static const char *const names[] = {
		[LOAD_OK] = "",
		[LOAD_TIMEOUT] = "timeout",
		[LOAD_REFUSED] = "refused",
		[LOAD_UNREACHABLE] = "unreachable",
		[LOAD_RESET] = "reset",
		[LOAD_BAD_ANSWER] = "bad_answer",
		[LOAD_NO_RESOURCE] = "no_resource",
		[LOAD_BREAKER_OPEN] = "breaker_open",
		[LOAD_BULKHEAD_FULL] = "bulkhead_full",
		[LOAD_OVERLOADED] = "overloaded",
		[LOAD_FAILED] = "failed",
		[LOAD_STATUS] = "status",
	};

	return names[error];
}

const char *load_shape_name(enum load_shape shape)
{
	static const char *const names[] = {
		[LOAD_SHAPE_NONE] = "",		  [LOAD_SHAPE_ERROR] = "error",
		[LOAD_SHAPE_FULL] = "full",	  [LOAD_SHAPE_CACHED] = "cached",
		[LOAD_SHAPE_PARTIAL] = "partial", [LOAD_SHAPE_DEGRADED] = "degraded",
	};

	return names[shape];
}

uint32_t load_late_starts(const struct load_result *result, uint64_t *ret_latest_ns)
{
	uint32_t late = 0;

	*ret_latest_ns = 0;
	for (size_t i = 0; i < result->records; i++) {
		const struct load_record *record = &result->record[i];
		uint64_t late_ns = record->intended_latency_ns - record->latency_ns;

		late += late_ns >= LOAD_LATE_NS;
		if (late_ns > *ret_latest_ns)
			*ret_latest_ns = late_ns;
	}
	return late;
}

static const char *hop_name(const struct load_result *result, uint8_t hop)
{
	return hop == LOAD_NO_NAME ? "" : result->hop.name[hop];
}

static void count_failure(struct failures *failures, const struct load_record *record)
{
	struct failure_group *group = failures->group;
	const struct failure_group *end = group + failures->groups;

	while (group < end && (group->status != record->status || group->error != record->error ||
			       group->hop != record->hop))
		group++;
	if (group == failures->group + GROUPS_MAX) {
		failures->beyond++;
		return;
	}
	if (group == end) {
		*group = (struct failure_group){ 0, record->status, record->error, record->hop };
		failures->groups++;
	}
	group->count++;
}

static int sort_out(const struct load_result *result, struct samples samples[LATENCY_KINDS],
		    struct failures *failures)
{
	int r = 0;

	for (size_t i = 0; i < result->records && !r; i++) {
		const struct load_record *record = &result->record[i];
		bool is_failure = record->error != LOAD_OK;

		r = samples_add(&samples[is_failure ? FAILED : ANSWERED], record->latency_ns);
		if (!r && !is_failure)
			r = samples_add(&samples[INTENDED], record->intended_latency_ns);
		if (is_failure)
			count_failure(failures, record);
	}
	return r;
}

static double seconds(uint64_t time_ns)
{
	return (double)time_ns / 1e9;
}

static void print_head(const struct load_result *result, FILE *out)
{
	uint64_t took_ns =
		result->end_ns > result->begin_ns ? result->end_ns - result->begin_ns : 0;
	char duration[UNITS_TEXT_MAX];

	fputs("load on ", out);
	text_write_terminal(out, result->target);
	fprintf(out, ": %u connections, ", result->connections);
	if (result->rate)
		fprintf(out, "%u requests/s asked\n", result->rate);
	else
		fputs("as fast as answered\n", out);
	fprintf(out, "%zu of %u requests in %s", result->records, result->requests,
		units_format_duration(duration, took_ns));
	if (took_ns)
		fprintf(out, ", %.1f requests/s", (double)result->records / seconds(took_ns));
	if (result->was_stopped)
		fprintf(out, "; stopped, %u unfinished", result->unfinished);
	fputs("\n", out);
}

static void print_row(const char *label, struct samples samples[LATENCY_KINDS],
		      uint64_t (*value)(struct samples *, double), double percent, FILE *out)
{
	fprintf(out, "  %-10s", label);
	for (int i = 0; i < LATENCY_KINDS; i++) {
		char text[UNITS_TEXT_MAX] = "-";

		if (samples[i].count)
			units_format_duration(text, value(&samples[i], percent));
		fprintf(out, " %20s", text);
	}
	fputs("\n", out);
}

static uint64_t value_min(struct samples *samples, double percent)
{
	(void)percent;
	return samples->min;
}

static uint64_t value_mean(struct samples *samples, double percent)
{
	(void)percent;
	return (uint64_t)samples->mean;
}

static uint64_t value_max(struct samples *samples, double percent)
{
	(void)percent;
	return samples->max;
}

static void print_latencies(struct samples samples[LATENCY_KINDS], FILE *out)
{
	static const struct {
		const char *label;
		uint64_t (*value)(struct samples *, double);
		double percent;
	} lines[] = {
		{ "min", value_min, 0 },
		{ "mean", value_mean, 0 },
		{ "p50", samples_percentile, 50 },
		{ "p90", samples_percentile, 90 },
		{ "p95", samples_percentile, 95 },
		{ "p99", samples_percentile, 99 },
		{ "p99.9", samples_percentile, 99.9 },
		{ "max", value_max, 0 },
	};

	fprintf(out, "\n  %-10s %20s %20s %20s\n", "latency", "answered", "failed",
		"answered, from due");
	fprintf(out, "  %-10s", "requests");
	for (int i = 0; i < LATENCY_KINDS; i++)
		fprintf(out, " %20" PRIu64, samples[i].count);
	fputs("\n", out);
	for (size_t i = 0; i < ARRAY_SIZE(lines); i++)
		print_row(lines[i].label, samples, lines[i].value, lines[i].percent, out);
}

static void print_failures(const struct load_result *result, const struct failures *failures,
			   FILE *out)
{
	if (!failures->groups)
		return;
	fprintf(out, "\n  %10s  %-9s  %-12s  %s\n", "failed", "status", "error", "hop");
	for (unsigned int i = 0; i < failures->groups; i++) {
		const struct failure_group *group = &failures->group[i];
		char status[16] = "no answer";
		char hop[41];

		if (group->status)
			snprintf(status, sizeof(status), "%u", group->status);
		text_escape_terminal(hop, sizeof(hop), hop_name(result, group->hop));
		fprintf(out, "  %10u  %-9s  %-12s  %s\n", group->count, status,
			load_error_name(group->error), hop);
	}
	if (failures->beyond)
		fprintf(out, "  %10u  of other kinds\n", failures->beyond);
}

static void print_degraded(const struct load_result *result, FILE *out)
{
	uint32_t count[LOAD_SHAPES] = { 0 };

	for (size_t i = 0; i < result->records; i++)
		count[result->record[i].shape]++;
	for (enum load_shape shape = LOAD_SHAPE_CACHED; shape < LOAD_SHAPES; shape++)
		if (count[shape])
			fprintf(out, "\n  %10u  answered, but %s", count[shape],
				load_shape_name(shape));
	if (count[LOAD_SHAPE_CACHED] + count[LOAD_SHAPE_PARTIAL] + count[LOAD_SHAPE_DEGRADED])
		fputs("\n", out);
}

/* Only where there was a schedule that could be missed. */
static void print_late(const struct load_result *result, FILE *out)
{
	char latest[UNITS_TEXT_MAX];
	uint64_t latest_ns;
	uint32_t late = load_late_starts(result, &latest_ns);

	if (result->rate && late)
		fprintf(out,
			"\n  %10u  began late, the latest by %s: no connection was free (more: "
			"-c)\n",
			late, units_format_duration(latest, latest_ns));
}

int load_print(const struct load_result *result, FILE *out)
{
	struct samples samples[LATENCY_KINDS];
	struct failures failures = { 0 };
	int r;

	for (int i = 0; i < LATENCY_KINDS; i++)
		samples_init(&samples[i], 0);
	r = sort_out(result, samples, &failures);
	if (!r) {
		print_head(result, out);
		print_latencies(samples, out);
		print_failures(result, &failures, out);
		print_degraded(result, out);
		print_late(result, out);
		if (result->times_lost)
			fprintf(out, "\n  %u answers had no readable times\n", result->times_lost);
	}
	for (int i = 0; i < LATENCY_KINDS; i++)
		samples_done(&samples[i]);
	return r ? r : ferror(out) ? -EIO : 0;
}

/* An error of a buffered write may show only when the file is closed. */
static int finish(FILE **file)
{
	FILE *out = TAKE_PTR(*file);
	bool failed = ferror(out);

	if (fclose(out) < 0)
		return -errno;
	return failed ? -EIO : 0;
}

static void write_known(FILE *out, uint64_t value)
{
	if (value)
		fprintf(out, ",%" PRIu64, value);
	else
		fputc(',', out);
}

int load_write_csv(const struct load_result *result, const char *path)
{
	_cleanup_(fclosep) FILE *out = fopen(path, "we");

	if (!out)
		return -errno;
	fputs("schema_version,request,start_mono_ns,latency_ns,intended_latency_ns,"
	      "status,error,failing_hop,shape\n",
	      out);
	for (size_t i = 0; i < result->records; i++) {
		const struct load_record *record = &result->record[i];

		fprintf(out, "%d,%u,%" PRIu64 ",%" PRIu64 ",%" PRIu64, SCHEMA_VERSION,
			record->request, record->start_ns, record->latency_ns,
			record->intended_latency_ns);
		write_known(out, record->status);
		fprintf(out, ",%s,", load_error_name(record->error));
		text_write_csv(out, hop_name(result, record->hop));
		fprintf(out, ",%s\n", load_shape_name(record->shape));
	}
	return finish(&out);
}

int load_write_times_csv(const struct load_result *result, const char *path)
{
	_cleanup_(fclosep) FILE *out = fopen(path, "we");

	if (!out)
		return -errno;
	fputs("schema_version,request,depth,service,recv_ns,call_ns,reply_ns,send_ns\n", out);
	for (size_t i = 0; i < result->times_count; i++) {
		const struct load_times *times = &result->times[i];

		fprintf(out, "%d,%u,%u,", SCHEMA_VERSION, times->request, times->depth);
		if (times->service != LOAD_NO_NAME)
			text_write_csv(out, result->service.name[times->service]);
		write_known(out, times->recv_ns);
		write_known(out, times->call_ns);
		write_known(out, times->reply_ns);
		write_known(out, times->send_ns);
		fputc('\n', out);
	}
	return finish(&out);
}
