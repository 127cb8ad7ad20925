/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * lab.c - `hopfault lab up|down|status|load`: five services to break, and somebody who calls them.
 */
#include "lab/lab.h"

#include <arpa/inet.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/log.h"
#include "base/suggest.h"
#include "base/table.h"
#include "base/units.h"
#include "chain/load.h"
#include "cli/command.h"
#include "cli/load_place.h"

#define SERVICE_ARGS_MAX 16

struct lab_words {
	bool help;
	/* up */
	bool replace;
	uint64_t services;
	uint64_t monolith;
	const char *mode;
	const char *keep_alive;
	const char *work;
	const char *answer_size;
	uint64_t timeout_ns;
	/* load */
	const char *from;
	const char *to;
	uint64_t requests;
	uint64_t connections;
	uint64_t rate;
	uint64_t warmup;
	uint64_t for_ns;
	uint64_t request_timeout_ns;
	const char *path;
	const char *csv;
	const char *times;
	bool fail_on_error;
};

static const struct option_row lab_rows[] = {
	COMMAND_HELP_ROW(struct lab_words),
	{ .name = "replace",
	  .help = "up: take down first what is up",
	  .kind = OPTION_FLAG,
	  OPTION_INTO(struct lab_words, replace) },
	{ .name = "services",
	  .value = "N",
	  .help = "up: how many, named a b c ... (5)",
	  .kind = OPTION_COUNT,
	  .min = 1,
	  .max = 26,
	  OPTION_INTO(struct lab_words, services) },
	{ .name = "monolith",
	  .value = "N",
	  .help = "up: one service `a` that does the work of N in one process",
	  .kind = OPTION_COUNT,
	  .min = 1,
	  .max = 64,
	  OPTION_INTO(struct lab_words, monolith) },
	{ .name = "mode",
	  .value = "threads|epoll",
	  .help = "up: how a service serves (threads)",
	  .kind = OPTION_TEXT,
	  OPTION_INTO(struct lab_words, mode) },
	{ .name = "keep-alive",
	  .value = "on|off",
	  .help = "up: towards the next service (on)",
	  .kind = OPTION_TEXT,
	  OPTION_INTO(struct lab_words, keep_alive) },
	{ .name = "work",
	  .value = "TIME",
	  .help = "up: each service's own work (none)",
	  .kind = OPTION_TEXT,
	  OPTION_INTO(struct lab_words, work) },
	{ .name = "answer-size",
	  .value = "SIZE",
	  .help = "up: padding in each service's answer",
	  .kind = OPTION_TEXT,
	  OPTION_INTO(struct lab_words, answer_size) },
	{ .name = "timeout",
	  .value = "TIME",
	  .help = "up: how long the first service waits for the next; each further one waits an "
		  "equal "
		  "step less, and so can still say which hop failed (1s)",
	  .kind = OPTION_TIME,
	  OPTION_INTO(struct lab_words, timeout_ns) },
	{ .name = "from",
	  .value = "NAME",
	  .help = "load: send from this endpoint, a container for example (the lab's client)",
	  .kind = OPTION_TEXT,
	  OPTION_INTO(struct lab_words, from) },
	{ .name = "to",
	  .value = "NAME:PORT",
	  .help = "load: to this endpoint, or ADDRESS:PORT (the lab's first service)",
	  .kind = OPTION_TEXT,
	  OPTION_INTO(struct lab_words, to) },
	{ .name = "requests",
	  .letter = 'n',
	  .value = "N",
	  .help = "load: how many (1000)",
	  .kind = OPTION_COUNT,
	  .min = 1,
	  .max = LOAD_REQUESTS_MAX,
	  OPTION_INTO(struct lab_words, requests) },
	{ .name = "concurrency",
	  .letter = 'c',
	  .value = "C",
	  .help = "load: connections, each with one request in flight (1)",
	  .kind = OPTION_COUNT,
	  .min = 1,
	  .max = LOAD_CONNECTIONS_MAX,
	  OPTION_INTO(struct lab_words, connections) },
	{ .name = "rate",
	  .value = "R",
	  .help = "load: requests a second over all (as fast as they are answered)",
	  .kind = OPTION_COUNT,
	  .min = 1,
	  .max = LOAD_RATE_MAX,
	  OPTION_INTO(struct lab_words, rate) },
	{ .name = "warmup",
	  .value = "N",
	  .help = "load: requests before, not recorded (0)",
	  .kind = OPTION_COUNT,
	  .max = LOAD_REQUESTS_MAX,
	  OPTION_INTO(struct lab_words, warmup) },
	{ .name = "for",
	  .value = "TIME",
	  .help = "load: end after this time, done or not",
	  .kind = OPTION_TIME,
	  OPTION_INTO(struct lab_words, for_ns) },
	{ .name = "request-timeout",
	  .value = "TIME",
	  .help = "load: give a request up (5s)",
	  .kind = OPTION_TIME,
	  OPTION_INTO(struct lab_words, request_timeout_ns) },
	{ .name = "path",
	  .value = "PATH",
	  .help = "load: what is asked for (/)",
	  .kind = OPTION_TEXT,
	  OPTION_INTO(struct lab_words, path) },
	{ .name = "csv",
	  .value = "FILE",
	  .help = "load: write a row for each request",
	  .kind = OPTION_TEXT,
	  OPTION_INTO(struct lab_words, csv) },
	{ .name = "times",
	  .value = "FILE",
	  .help = "load: write the services' own times from the answers",
	  .kind = OPTION_TEXT,
	  OPTION_INTO(struct lab_words, times) },
	{ .name = "fail-on-error",
	  .help = "load: exit 1 when a request failed",
	  .kind = OPTION_FLAG,
	  OPTION_INTO(struct lab_words, fail_on_error) },
	{}
};

/* ---- up ---- */

static size_t add_arg(const char **arg, size_t count, const char *name, const char *value)
{
	if (!value || count + 2 >= SERVICE_ARGS_MAX)
		return count;
	arg[count++] = name;
	arg[count++] = value;
	return count;
}

static int run_up(const struct lab_words *words)
{
	const char *arg[SERVICE_ARGS_MAX] = {};
	char error[LAB_ERROR_MAX], took[UNITS_TEXT_MAX];
	struct lab_result result;
	size_t args = 0;

	if (words->timeout_ns == 0) {
		log_err(0, "lab: --timeout: must be more than 0");
		return EXIT_MISUSED;
	}
	args = add_arg(arg, args, "--mode", words->mode);
	args = add_arg(arg, args, "--keep-alive", words->keep_alive);
	args = add_arg(arg, args, "--work", words->work);
	add_arg(arg, args, "--answer-size", words->answer_size);
	if (lab_up(
		    &(struct lab_options){
			    .services = words->services,
			    .service_arg = arg,
			    .monolith = (uint32_t)words->monolith,
			    .timeout_ns = words->timeout_ns,
			    .replace = words->replace,
		    },
		    &result, error) < 0) {
		log_err(0, "%s", error);
		return EXIT_FAILED;
	}
	printf("the lab is up: %zu endpoints in %s; `hopfault ps` lists them\n", result.nodes,
	       units_format_duration(took, result.took_ns));
	return EXIT_DONE;
}

static int run_down(const struct lab_words *words)
{
	char error[LAB_ERROR_MAX], took[UNITS_TEXT_MAX];
	struct lab_result result;

	if (lab_down(&result, error) < 0) {
		log_err(0, "%s", error);
		return EXIT_FAILED;
	}
	if (result.nodes == 0)
		puts("no lab is up");
	else
		printf("the lab is down: %zu endpoints in %s\n", result.nodes,
		       units_format_duration(took, result.took_ns));
	return EXIT_DONE;
}

/* ---- status ---- */

static const char *node_state(const struct lab_node_status *node)
{
	if (!node->netns_is_there)
		return "gone";
	if (node->is_client)
		return "there";
	return !node->is_alive ? "dead" : node->is_listening ? "serving" : "not listening";
}

static int run_status(const struct lab_words *words)
{
	static const struct table_column columns[] = {
		{ .header = "NAME" },
		{ .header = "STATE" },
		{ .header = "PID", .align = TABLE_RIGHT },
		{ .header = "ADDRESS" },
		{ .header = "NETNS" },
		{ .header = "VETH" },
	};
	_cleanup_(table_freep) struct table *table = table_new(columns, ARRAY_SIZE(columns), 80);
	_cleanup_(lab_status_free) struct lab_status status = {};
	char error[LAB_ERROR_MAX], address[INET6_ADDRSTRLEN];

	if (lab_status(&status, error) < 0) {
		log_err(0, "%s", error);
		return EXIT_FAILED;
	}
	for (size_t i = 0; i < status.nodes; i++) {
		const struct lab_node_status *node = &status.node[i];

		table_cell(table, "%s", node->name);
		table_cell(table, "%s", node_state(node));
		if (node->pid)
			table_cell(table, "%d", node->pid);
		else
			table_cell(table, "-");
		table_cell(table, "%s", endpoint_addr_text(&node->ipv4, address));
		table_cell(table, "%s", node->netns);
		table_cell(table, "%s", node->veth);
	}
	table_print(table, stdout);
	return status.is_whole ? EXIT_DONE : EXIT_FAILED;
}

/* ---- load ---- */

static volatile sig_atomic_t interrupted;

static void note_interrupt(int signal_number)
{
	interrupted = 1;
}

static bool keep_going(void *userdata, uint32_t done)
{
	return !interrupted;
}

static void catch_signals(void)
{
	const struct sigaction action = { .sa_handler = note_interrupt };

	sigaction(SIGINT, &action, NULL);
	sigaction(SIGTERM, &action, NULL);
}

static int write_files(const struct lab_words *words, const struct load_result *result)
{
	int r = 0;

	if (words->csv && (r = load_write_csv(result, words->csv)) < 0)
		return log_err(r, "cannot write %s: %s", words->csv, strerror(-r));
	if (words->times && (r = load_write_times_csv(result, words->times)) < 0)
		return log_err(r, "cannot write %s: %s", words->times, strerror(-r));
	return 0;
}

static bool all_succeeded(const struct load_result *result)
{
	for (size_t i = 0; i < result->records; i++)
		if (result->record[i].status != 200)
			return false;
	return result->records == result->requests;
}

static int run_load(const struct lab_words *words)
{
	_cleanup_(load_result_done) struct load_result result = {};
	char target[LOAD_TARGET_BYTES], error[LOAD_PLACE_ERROR_MAX] = "";
	int r;

	if (!words->from != !words->to) {
		log_err(0, "lab: --from and --to are given together, or neither");
		return EXIT_MISUSED;
	}
	r = words->from ? load_place_endpoint(words->from, words->to, target, sizeof(target), error)
			: load_place_lab(target, sizeof(target), error);
	if (r < 0) {
		log_err(r, "%s", error);
		return EXIT_FAILED;
	}
	catch_signals();
	r = load_run(
		&(struct load_options){
			.target = target,
			.path = words->path,
			.requests = (uint32_t)words->requests,
			.warmup_requests = (uint32_t)words->warmup,
			.connections = (uint32_t)words->connections,
			.rate = (uint32_t)words->rate,
			.timeout_ns = words->request_timeout_ns,
			.total_ns = words->for_ns,
			.keep_times = words->times != NULL,
			.keep_going = keep_going,
		},
		&result);
	if (r < 0) {
		log_err(r, "cannot send requests: %s", strerror(-r));
		return EXIT_FAILED;
	}
	load_print(&result, stdout);
	if (write_files(words, &result) < 0)
		return EXIT_FAILED;
	return words->fail_on_error && !all_succeeded(&result) ? EXIT_FAILED : EXIT_DONE;
}

static const struct {
	const char *name;
	int (*run)(const struct lab_words *words);
} verbs[] = {
	{ "up", run_up },
	{ "down", run_down },
	{ "status", run_status },
	{ "load", run_load },
};

static int refuse_verb(const struct options_words *words)
{
	const char *names[ARRAY_SIZE(verbs)];
	char near[128];

	for (size_t i = 0; i < ARRAY_SIZE(verbs); i++)
		names[i] = verbs[i].name;
	if (words->count == 0)
		log_err(0, "lab: say what: up, down, status or load");
	else
		log_err(0, "lab: '%s' (word %u) is none of up, down, status, load%s",
			words->word[0], words->position[0],
			suggest_phrase(near, sizeof(near), words->word[0], names,
				       ARRAY_SIZE(names)));
	return EXIT_MISUSED;
}

static int run_lab(const struct command *command, int argc, char **argv)
{
	_cleanup_(options_words_done) struct options_words words = {};
	struct lab_words options = {
		.requests = 1000,
		.connections = 1,
		.timeout_ns = UINT64_C(1000000000),
	};
	int status;

	status = command_parse(command, argc, argv, &options, &words);
	if (status != EXIT_DONE || options.help)
		return status;
	for (size_t i = 0; words.count == 1 && i < ARRAY_SIZE(verbs); i++) {
		if (strcmp(words.word[0], verbs[i].name) != 0)
			continue;
		status = command_needs_root(command);
		return status == EXIT_DONE ? verbs[i].run(&options) : status;
	}
	return refuse_verb(&words);
}

const struct command command_lab = {
	.name = "lab",
	.usage = "up|down|status|load [OPTION...]",
	.summary = "services a b c d e in a chain, and a client, to try things on",
	.details =
		"  up      makes them: network namespaces on one bridge that the host never sees\n"
		"  load    sends requests from `client` to `a`, which calls `b`, and so on; with "
		"--from and\n"
		"          --to between any endpoints, containers for example, in no lab\n"
		"  status  what is there\n"
		"  down    takes everything away\n",
	.options = lab_rows,
	.run = run_lab,
};
