/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * perfetto.c - Chrome trace events (JSON), for ui.perfetto.dev and chrome://tracing: a process for each
 * endpoint,
 * a slice for each call on both sides, its stages below it, and an arrow from caller to callee.
 *
 * Format: "Trace Event Format", Google, 2016. Times are microseconds; the fraction keeps the nanoseconds.
 * Calls of one
 * chain share a lane, named by the chain's number, so that slices nest.
 */
#include <errno.h>
#include <inttypes.h>

#include "base/text.h"
#include "export/export.h"
#include "export/measure.h"

#define LANES	  64 /* chains that can be open at once without sharing a lane */
#define NAMED_MAX 1024

struct perfetto_export {
	struct export export;
	uint64_t chains;
	bool any; /* an event was written: a comma comes first */
	uint32_t named[NAMED_MAX];
	unsigned int names;
};

static void begin_event(struct perfetto_export *perfetto, const char *phase, uint32_t endpoint,
			uint64_t time_ns)
{
	fprintf(perfetto->export.out,
		"%s\n{\"ph\":\"%s\",\"pid\":%" PRIu32 ",\"tid\":%" PRIu64 ",\"ts\":%" PRIu64
		".%03" PRIu64,
		perfetto->any ? "," : "", phase, endpoint, perfetto->chains % LANES + 1,
		time_ns / 1000, time_ns % 1000);
	perfetto->any = true;
}

static void write_duration(FILE *out, uint64_t ns)
{
	fprintf(out, ",\"dur\":%" PRIu64 ".%03" PRIu64, ns / 1000, ns % 1000);
}

static void name_endpoint(struct perfetto_export *perfetto, uint32_t endpoint)
{
	FILE *out = perfetto->export.out;
	char text[EXPORT_NAME_MAX];
	unsigned int i;

	for (i = 0; i < perfetto->names; i++)
		if (perfetto->named[i] == endpoint)
			return;
	if (perfetto->names == NAMED_MAX)
		return;
	perfetto->named[perfetto->names++] = endpoint;
	begin_event(perfetto, "M", endpoint, 0);
	fputs(",\"name\":\"process_name\",\"args\":{\"name\":", out);
	text_write_json(out, export_endpoint_name(perfetto->export.run, endpoint, text));
	fputs("}}", out);
}

static void slice(struct perfetto_export *perfetto, uint32_t endpoint, uint64_t start_ns,
		  uint64_t duration_ns, const char *name)
{
	begin_event(perfetto, "X", endpoint, start_ns);
	write_duration(perfetto->export.out, duration_ns);
	fputs(",\"name\":", perfetto->export.out);
	text_write_json(perfetto->export.out, name);
	fputc('}', perfetto->export.out);
}

static void arrow(struct perfetto_export *perfetto, const char *phase, uint32_t endpoint,
		  uint64_t time_ns, uint64_t id)
{
	begin_event(perfetto, phase, endpoint, time_ns);
	fprintf(perfetto->export.out,
		",\"id\":\"%016" PRIx64 "\",\"name\":\"request\",\"cat\":\"call\"%s}", id,
		phase[0] == 'f' ? ",\"bp\":\"e\"" : "");
}

/* The stages that pass at the callee's are drawn there. */
static uint32_t side_of(const struct call *call, enum stage stage)
{
	return stage >= STAGE_SRV_QUEUE && stage <= STAGE_RESP_STREAM ? call->dst : call->src;
}

static void write_stages(struct perfetto_export *perfetto, const struct call *call)
{
	uint64_t at_ns = call->start_mono_ns;
	int i;

	for (i = 0; i < STAGE_COUNT; i++) {
		uint64_t ns = call->stage_ns[i];

		if (ns == TIME_UNKNOWN) /* where the next one begins is not known either */
			return;
		if (ns)
			slice(perfetto, side_of(call, (enum stage)i), at_ns, ns,
			      stage_name((enum stage)i));
		at_ns += ns;
	}
}

/* When the request has come to B and when B's last byte has left, as far as known. */
static bool served_at(const struct call *call, uint64_t *ret_start_ns, uint64_t *ret_duration_ns)
{
	uint64_t start_ns = call->start_mono_ns, duration_ns = 0;
	int i;

	for (i = 0; i <= STAGE_RESP_STREAM; i++) {
		if (call->stage_ns[i] == TIME_UNKNOWN)
			return false;
		if (i < STAGE_SRV_QUEUE)
			start_ns += call->stage_ns[i];
		else
			duration_ns += call->stage_ns[i];
	}
	*ret_start_ns = start_ns;
	*ret_duration_ns = duration_ns;
	return true;
}

static void write_call(struct perfetto_export *perfetto, const struct call *call)
{
	char name[CALL_METHOD_MAX + CALL_PATH_MAX + 2], text[EXPORT_NAME_MAX];
	uint64_t start_ns, duration_ns;

	if (call->start_mono_ns == TIME_UNKNOWN || call->total_ns == TIME_UNKNOWN)
		return;
	name_endpoint(perfetto, call->src);
	name_endpoint(perfetto, call->dst);
	snprintf(name, sizeof(name), "%s %s", call->method, call->path);
	slice(perfetto, call->src, call->start_mono_ns, call->total_ns,
	      call->method[0] ? name : export_endpoint_name(perfetto->export.run, call->dst, text));
	if (served_at(call, &start_ns, &duration_ns)) {
		slice(perfetto, call->dst, start_ns, duration_ns, call->method[0] ? name : "serve");
		arrow(perfetto, "s", call->src, call->start_mono_ns, call->span_id);
		arrow(perfetto, "f", call->dst, start_ns, call->span_id);
	}
	write_stages(perfetto, call);
}

static int begin_file(struct export *export)
{
	fputs("{\"displayTimeUnit\":\"ns\",\"traceEvents\":[", export->out);
	return 0;
}

static int add_chain(struct export *export, const struct chain *chain)
{
	struct perfetto_export *perfetto = (struct perfetto_export *)export;
	unsigned int i;

	for (i = 0; i < chain->calls; i++)
		write_call(perfetto, &chain->call[i]);
	perfetto->chains++;
	return ferror(export->out) ? -EIO : 0;
}

static int end_file(struct export *export)
{
	fputs("\n]}\n", export->out);
	return ferror(export->out) ? -EIO : 0;
}

const struct export_format export_perfetto = {
	.name = "perfetto",
	.help = "Chrome trace events, for ui.perfetto.dev",
	.size = sizeof(struct perfetto_export),
	.begin_file = begin_file,
	.chain = add_chain,
	.end_file = end_file,
};
