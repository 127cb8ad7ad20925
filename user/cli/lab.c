/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * lab.c - `hopfault lab up|down|status|kill|start|load|counts`: five services to break, and somebody who calls them.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/log.h"
#include "base/suggest.h"
#include "base/table.h"
#include "base/units.h"
#include "chain/load.h"
#include "cli/command.h"
#include "cli/lab_words.h"
#include "endpoint/endpoint.h"

#define SERVICE_ARGS_MAX 16
#define REPLICAS_MAX	 16 /* as many as hopchain can call */

/* "a=REST": the name into `settings`; what stands behind it is the caller's. */
static int take_setting(struct lab_settings *settings, const char *text, const char **ret_rest,
			const char **ret_reason)
{
	const char *equals = strchr(text, '=');
	size_t len = equals ? (size_t)(equals - text) : 0;

	if (len < 1 || len > LAB_NAME_MAX || !equals[1]) {
		*ret_reason = "write NAME=..., NAME being a service's";
		return -EINVAL;
	}
	if (settings->count == LAB_SETTINGS_MAX) {
		*ret_reason = "too many of these";
		return -E2BIG;
	}
	snprintf(settings->name[settings->count], LAB_NAME_MAX + 1, "%.*s", (int)len, text);
	settings->setting[settings->count] = (struct lab_setting){
		.name = settings->name[settings->count],
	};
	*ret_rest = equals + 1;
	return 0;
}

static int parse_service(const char *text, void *field, const char **ret_reason)
{
	struct lab_settings *settings = field;
	const char *rest;
	int r = take_setting(settings, text, &rest, ret_reason);

	if (r < 0)
		return r;
	settings->setting[settings->count++].words = rest;
	return 0;
}

static int parse_replicas(const char *text, void *field, const char **ret_reason)
{
	struct lab_settings *settings = field;
	uint64_t replicas;
	const char *rest;
	int r = take_setting(settings, text, &rest, ret_reason);

	if (r == 0)
		r = units_parse_count(rest, 1, REPLICAS_MAX, &replicas, ret_reason);
	if (r < 0)
		return r;
	settings->setting[settings->count++].replicas = (uint32_t)replicas;
	return 0;
}

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
	{ .name = "service",
	  .value = "NAME=OPTIONS",
	  .help = "up: options for this service alone, such as a='--fallback cached --retries 2'; "
		  "hopchain --help lists them; may be given for several",
	  .kind = OPTION_OTHER,
	  .parse = parse_service,
	  .repeats = true,
	  OPTION_INTO(struct lab_words, settings) },
	{ .name = "replicas",
	  .value = "NAME=N",
	  .help = "up: N of this service, named NAME1 NAME2 ..., to which connections go in turn; "
		  "may be given for several",
	  .kind = OPTION_OTHER,
	  .parse = parse_replicas,
	  .repeats = true,
	  OPTION_INTO(struct lab_words, settings) },
	{ .name = "from",
	  .value = "NAME",
	  .help = "load, counts: send from this endpoint, a container for example (the lab's "
		  "client)",
	  .kind = OPTION_TEXT,
	  OPTION_INTO(struct lab_words, from) },
	{ .name = "to",
	  .value = "NAME:PORT,...",
	  .help = "load, counts: to this endpoint, or ADDRESS:PORT; connections go to several in "
		  "turn "
		  "(the lab's first service; counts: all of them)",
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
	  .help = "load: write a row for each request; counts: for each service",
	  .kind = OPTION_TEXT,
	  OPTION_INTO(struct lab_words, csv) },
	{ .name = "times",
	  .value = "FILE",
	  .help = "load: write the services' own times from the answers",
	  .kind = OPTION_TEXT,
	  OPTION_INTO(struct lab_words, times) },
	{ .name = "timeline",
	  .value = "FILE",
	  .help = "load: write a row for each slice of time: outcomes by status and shape, "
		  "latencies "
		  "from when requests were due",
	  .kind = OPTION_TEXT,
	  OPTION_INTO(struct lab_words, timeline) },
	{ .name = "every",
	  .value = "TIME",
	  .help = "load: length of such a slice (100ms)",
	  .kind = OPTION_TIME,
	  OPTION_INTO(struct lab_words, every_ns) },
	{ .name = "count",
	  .help = "load: ask the lab's services before and after how many requests each had",
	  .kind = OPTION_FLAG,
	  OPTION_INTO(struct lab_words, count) },
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
			    .setting = words->settings.setting,
			    .settings = words->settings.count,
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

/* ---- kill, start ---- */

static int run_kill(const struct lab_words *words)
{
	char error[LAB_ERROR_MAX];

	if (lab_kill(words->node, error) < 0) {
		log_err(0, "%s", error);
		return EXIT_FAILED;
	}
	printf("%s was killed; `hopfault lab start %s` starts it again\n", words->node,
	       words->node);
	return EXIT_DONE;
}

static int run_start(const struct lab_words *words)
{
	char error[LAB_ERROR_MAX], took[UNITS_TEXT_MAX];
	struct lab_result result;

	if (lab_start(words->node, &(struct lab_options){}, &result, error) < 0) {
		log_err(0, "%s", error);
		return EXIT_FAILED;
	}
	printf("%s serves again, after %s\n", words->node,
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

static const struct verb {
	const char *name;
	int (*run)(const struct lab_words *words);
	bool takes_node;
} verbs[] = {
	{ .name = "up", .run = run_up },
	{ .name = "down", .run = run_down },
	{ .name = "status", .run = run_status },
	{ .name = "kill", .run = run_kill, .takes_node = true },
	{ .name = "start", .run = run_start, .takes_node = true },
	{ .name = "load", .run = lab_run_load },
	{ .name = "counts", .run = lab_run_counts },
};

#define VERBS "up, down, status, kill, start, load or counts"

static const struct verb *verb_by_name(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(verbs); i++)
		if (strcmp(name, verbs[i].name) == 0)
			return &verbs[i];
	return NULL;
}

static int refuse_verb(const struct options_words *words)
{
	const char *names[ARRAY_SIZE(verbs)];
	char near[128];

	for (size_t i = 0; i < ARRAY_SIZE(verbs); i++)
		names[i] = verbs[i].name;
	if (words->count == 0)
		log_err(0, "lab: say what: " VERBS);
	else
		log_err(0, "lab: '%s' (word %u) is not " VERBS "%s", words->word[0],
			words->position[0],
			suggest_phrase(near, sizeof(near), words->word[0], names,
				       ARRAY_SIZE(names)));
	return EXIT_MISUSED;
}

static int check_words(const struct verb *verb, const struct options_words *words,
		       struct lab_words *options)
{
	unsigned int wanted = verb->takes_node ? 2 : 1;

	if (words->count < wanted) {
		log_err(0, "lab: %s: say which service", verb->name);
		return EXIT_MISUSED;
	}
	if (words->count > wanted) {
		log_err(0, "lab: %s: '%s' (word %u) is too much", verb->name, words->word[wanted],
			words->position[wanted]);
		return EXIT_MISUSED;
	}
	options->node = verb->takes_node ? words->word[1] : NULL;
	return EXIT_DONE;
}

static int run_lab(const struct command *command, int argc, char **argv)
{
	_cleanup_(options_words_done) struct options_words words = {};
	struct lab_words options = {
		.requests = 1000,
		.connections = 1,
		.timeout_ns = UINT64_C(1000000000),
		.every_ns = UINT64_C(100000000),
	};
	const struct verb *verb;
	int status;

	status = command_parse(command, argc, argv, &options, &words);
	if (status != EXIT_DONE || options.help)
		return status;
	verb = words.count ? verb_by_name(words.word[0]) : NULL;
	if (!verb)
		return refuse_verb(&words);
	status = check_words(verb, &words, &options);
	if (status == EXIT_DONE)
		status = command_needs_root(command);
	return status == EXIT_DONE ? verb->run(&options) : status;
}

const struct command command_lab = {
	.name = "lab",
	.usage = "up|down|status|kill NAME|start NAME|load|counts [OPTION...]",
	.summary = "services a b c d e in a chain, and a client, to try things on",
	.details =
		"  up      makes them: network namespaces on one bridge that the host never sees\n"
		"  load    sends requests from `client` to `a`, which calls `b`, and so on; with "
		"--from and\n"
		"          --to between any endpoints, containers for example, in no lab\n"
		"  counts  what each service has counted since its start: requests, failures, "
		"calls, retries\n"
		"  kill    ends a service in the middle of what it does; start brings it back as "
		"it was\n"
		"  status  what is there\n"
		"  down    takes everything away\n",
	.options = lab_rows,
	.run = run_lab,
};
