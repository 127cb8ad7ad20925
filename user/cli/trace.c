/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * trace.c - `hopfault trace --chain A,B,...`: where every microsecond of every request went.
 *
 * The owner finds the calls and sends them here; this process writes the files, with the rights and in the folder of
 * who asked.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/log.h"
#include "base/priority.h"
#include "base/units.h"
#include "cli/ask.h"
#include "cli/command.h"
#include "cli/trace_client.h"
#include "export/export.h"
#include "export/hoptable.h"
#include "export/summary.h"

#define OUTPUTS_MAX 5
#define SPOOL_MAX   (64U << 20) /* bytes of chains kept for later; a multiple of the next */
#define SPOOL_READY (8U << 20) /* of these, made ready before the trace begins */
#define SPOOL_ALIGN (2U << 20)

struct trace_options {
	bool help;
	struct command_sockets sockets;
	bool json;
	bool quiet;
	bool append;
	const char *chain;
	const char *run_id;
	uint64_t chains;
	uint64_t for_ns;
	const char *file[OUTPUTS_MAX]; /* in the order of formats[] */
};

static const struct export_format *const formats[OUTPUTS_MAX] = {
	&export_csv, &export_summary, &export_svg, &export_perfetto, &export_jsonl,
};

#define FILE_ROW(index, option, text)                                                           \
	{                                                                                       \
		.name = option, .value = "FILE", .help = text, .kind = OPTION_TEXT,             \
		.offset = offsetof(struct trace_options, file) + (index) * sizeof(const char *) \
	}

static const struct option_row trace_rows[] = {
	COMMAND_HELP_ROW(struct trace_options),
	{ .name = "chain",
	  .value = "A,B,...",
	  .help = "the endpoints, the one that asks first; a chain begins on a link A->B",
	  .kind = OPTION_TEXT,
	  OPTION_INTO(struct trace_options, chain) },
	{ .name = "chains",
	  .letter = 'n',
	  .value = "N",
	  .help = "end after so many chains",
	  .kind = OPTION_COUNT,
	  .min = 1,
	  .max = 100000000,
	  OPTION_INTO(struct trace_options, chains) },
	{ .name = "for",
	  .value = "TIME",
	  .help = "end after this time",
	  .kind = OPTION_TIME,
	  OPTION_INTO(struct trace_options, for_ns) },
	FILE_ROW(0, "csv", "write a row for each call (hops.csv)"),
	FILE_ROW(1, "summary", "write a row for each hop and stage (summary.csv)"),
	FILE_ROW(2, "svg", "draw the latency along the chain"),
	FILE_ROW(3, "perfetto", "write Chrome trace events, for ui.perfetto.dev"),
	FILE_ROW(4, "jsonl", "write an object for each call, one a line"),
	{ .name = "append",
	  .help = "go on with CSV files that are there",
	  .kind = OPTION_FLAG,
	  OPTION_INTO(struct trace_options, append) },
	{ .name = "run-id",
	  .value = "NAME",
	  .help = "the run's name in every file (run unless said)",
	  .kind = OPTION_TEXT,
	  OPTION_INTO(struct trace_options, run_id) },
	{ .name = "json",
	  .help = "print the closing report as JSON, no table",
	  .kind = OPTION_FLAG,
	  OPTION_INTO(struct trace_options, json) },
	{ .name = "quiet",
	  .letter = 'q',
	  .help = "no progress line",
	  .kind = OPTION_FLAG,
	  OPTION_INTO(struct trace_options, quiet) },
	COMMAND_SOCKET_ROWS(struct trace_options, sockets),
	{}
};

/* Chains that have come and are written later: work that can wait is not done while requests are being timed. */
struct spool {
	char *data; /* for each: size_t length, the calls */
	size_t used;
};

struct trace {
	const struct trace_options *options;
	struct trace_client client;
	struct export_run run;
	struct export *output[OUTPUTS_MAX];
	struct summary summary;
	struct spool spool;
	int failure; /* the first that a file gave */
};

static const char *name_of(void *ctx, uint32_t id)
{
	const struct trace *trace = ctx;

	return trace_client_name(&trace->client, id);
}

/* ---- files ---- */

static int open_files(struct trace *trace)
{
	char error[EXPORT_ERROR_MAX];

	for (int i = 0; i < OUTPUTS_MAX; i++) {
		const char *path = trace->options->file[i];
		unsigned int flags =
			trace->options->append && formats[i]->appends ? EXPORT_APPEND : 0;

		if (path && export_open(formats[i], path, flags, &trace->output[i], error) < 0) {
			log_err(0, "--%s %s: %s", formats[i]->name, path, error);
			return EXIT_FAILED;
		}
	}
	return EXIT_DONE;
}

static void note_failure(struct trace *trace, int r)
{
	if (r < 0 && trace->failure == 0)
		trace->failure = r;
}

static void begin_run(struct trace *trace)
{
	for (int i = 0; i < OUTPUTS_MAX; i++)
		if (trace->output[i])
			note_failure(trace, export_begin_run(trace->output[i], &trace->run));
}

static void write_chain(struct trace *trace, const char *payload, size_t length)
{
	const struct chain chain = {
		.calls = (unsigned int)(length / sizeof(struct call)),
		.call = (const struct call *)payload,
	};

	for (int i = 0; i < OUTPUTS_MAX; i++)
		if (trace->output[i])
			note_failure(trace, export_chain(trace->output[i], &chain));
	note_failure(trace, summary_add(&trace->summary, &trace->run, &chain));
}

static void empty_spool(struct trace *trace)
{
	struct spool *spool = &trace->spool;
	size_t at = 0, length;

	while (at < spool->used) {
		memcpy(&length, spool->data + at, sizeof(length));
		write_chain(trace, spool->data + at + sizeof(length), length);
		at += sizeof(length) + length;
	}
	spool->used = 0;
}

/*
 * Room for all of it at once, in large pages: what is not used costs nothing, and a fault for each 4 KB would cost more
 * than everything else that is done here while requests are being timed. So would getting the pages at all, but for
 * most traces the first of them are enough, and these are there before it begins.
 */
static int spool_make(struct spool *spool)
{
	spool->data = aligned_alloc(SPOOL_ALIGN, SPOOL_MAX);
	if (!spool->data)
		return -ENOMEM;
	madvise(spool->data, SPOOL_MAX, MADV_HUGEPAGE); /* wishes, no need */
	madvise(spool->data, SPOOL_READY, MADV_POPULATE_WRITE);
	return 0;
}

static void take_chain(void *ctx, const struct chain *chain)
{
	struct trace *trace = ctx;
	struct spool *spool = &trace->spool;
	size_t length = chain->calls * sizeof(*chain->call);

	if (spool->used + sizeof(length) + length > SPOOL_MAX)
		empty_spool(trace);
	memcpy(spool->data + spool->used, &length, sizeof(length));
	memcpy(spool->data + spool->used + sizeof(length), chain->call, length);
	spool->used += sizeof(length) + length;
}

static void close_files(struct trace *trace)
{
	for (int i = 0; i < OUTPUTS_MAX; i++) {
		if (!trace->output[i])
			continue;
		note_failure(trace, export_end_run(trace->output[i]));
		note_failure(trace, export_close(trace->output[i]));
		trace->output[i] = NULL;
	}
}

/* ---- the conversation ---- */

static int begin(struct trace *trace)
{
	const struct trace_options *options = trace->options;
	json_t *request = trace_client_request(options->chain, options->sockets.docker,
					       options->sockets.podman);
	int status;

	json_object_set_new(request, "chains", json_integer((json_int_t)options->chains));
	json_object_set_new(request, "for_ns", json_integer((json_int_t)options->for_ns));
	status = trace_client_begin(&trace->client, request);
	if (status != EXIT_DONE)
		return status;
	trace->run = (struct export_run){
		.run_id = options->run_id,
		.endpoint_name = name_of,
		.ctx = trace,
		.realtime_offset_ns = json_integer_value(
			json_object_get(trace->client.reply, "realtime_offset_ns")),
	};
	begin_run(trace);
	return EXIT_DONE;
}

static bool shows_progress(const struct trace *trace)
{
	return !trace->options->quiet && isatty(STDERR_FILENO);
}

static void print_progress(void *ctx, const json_t *progress)
{
	const json_t *lost = json_object_get(progress, "lost");

	fprintf(stderr,
		"\r\033[Ktracing: %" JSON_INTEGER_FORMAT " chains, %" JSON_INTEGER_FORMAT
		" calls, %" JSON_INTEGER_FORMAT " lost events",
		json_integer_value(json_object_get(progress, "counted")),
		json_integer_value(json_object_get(progress, "calls_complete")) +
			json_integer_value(json_object_get(progress, "calls_incomplete")),
		json_integer_value(json_object_get(lost, "ring_packets")) +
			json_integer_value(json_object_get(lost, "ring_sockets")));
}

/* ---- the end ---- */

static uint64_t lost_events(const json_t *report)
{
	const json_t *lost = json_object_get(report, "lost");
	const char *name;
	json_t *count;
	json_int_t sum = json_integer_value(json_object_get(report, "unsent"));

	json_object_foreach((json_t *)lost, name, count) sum += json_integer_value(count);
	return (uint64_t)sum;
}

static void print_written(const struct trace_options *options)
{
	for (int i = 0; i < OUTPUTS_MAX; i++)
		if (options->file[i] && strcmp(options->file[i], "-") != 0)
			printf("wrote %s\n", options->file[i]);
}

static int report(struct trace *trace)
{
	struct hoptable_run table = { .summary = &trace->summary,
				      .lost_events = lost_events(trace->client.report) };

	if (shows_progress(trace))
		fprintf(stderr, "\r\033[K");
	note_failure(trace, trace->client.failure);
	if (trace->failure) {
		log_err(trace->failure, "the trace is not whole: %s", strerror(-trace->failure));
		return EXIT_FAILED;
	}
	if (trace->options->json)
		return ask_print_json(trace->client.report);
	if (trace->summary.chains == 0)
		puts("no chain was seen: did requests flow on these links meanwhile?");
	else
		hoptable_print(&table, 1, stdout);
	print_written(trace->options);
	return EXIT_DONE;
}

static int run_with(struct trace *trace, char **command)
{
	struct trace_client *client = &trace->client;
	int status;

	if (summary_init(&trace->summary, trace->options->run_id) < 0 ||
	    spool_make(&trace->spool) < 0) {
		log_err(0, "no memory");
		return EXIT_FAILED;
	}
	status = open_files(trace);
	if (status == EXIT_DONE)
		status = trace_client_open(client, command);
	if (status == EXIT_DONE)
		status = begin(trace);
	if (status != EXIT_DONE)
		return status;
	priority_give_way();
	trace_client_go(client);
	while (trace_client_step(client, -1))
		;
	empty_spool(trace);
	close_files(trace);
	if (client->child.pid) /* enough was seen before the command's end */
		client->child_status = child_wait(&client->child);
	status = report(trace);
	return status == EXIT_DONE && client->had_child ? client->child_status : status;
}

static int run_trace(const struct command *command, int argc, char **argv)
{
	_cleanup_(options_words_done) struct options_words words = {};
	struct trace_options options = { .run_id = "run" };
	struct trace trace = {
		.options = &options,
		.client = { TRACE_CLIENT_NONE, .on_chain = take_chain, .ctx = &trace },
	};
	int status;

	status = command_parse(command, argc, argv, &options, &words);
	if (status != EXIT_DONE || options.help)
		return status;
	if (!options.chain || !strchr(options.chain, ',')) {
		log_err(0, "trace: say which: --chain client,a,b names at least two endpoints");
		return EXIT_MISUSED;
	}
	if (words.count) {
		log_err(0, "trace: '%s' (word %u) is no option: a command stands behind --",
			words.word[0], words.position[0]);
		return EXIT_MISUSED;
	}
	status = command_check_sockets(&options.sockets);
	if (status == EXIT_DONE)
		status = command_needs_root(command);
	if (status != EXIT_DONE)
		return status;
	if (shows_progress(&trace))
		trace.client.on_progress = print_progress;
	status = run_with(&trace, words.command);
	trace_client_done(&trace.client);
	for (int i = 0; i < OUTPUTS_MAX; i++)
		export_free(trace.output[i]);
	summary_done(&trace.summary);
	free(trace.spool.data);
	return status;
}

const struct command command_trace = {
	.name = "trace",
	.usage = "--chain A,B,... [-n N] [--for TIME] [--csv FILE] ... [-- COMMAND...]",
	.summary = "where the time of every request goes, hop by hop",
	.details =
		"It ends after N chains, after TIME, when COMMAND ends, or at Ctrl-C; then it\n"
		"prints a table. Nothing in the services changes. Example:\n"
		"  hopfault trace --chain client,a,b,c,d,e --csv hops.csv --svg cumulative.svg \\\n"
		"      -- hopfault lab load -n 1000 -c 1\n",
	.options = trace_rows,
	.run = run_trace,
};
