/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * audit.c - `hopfault audit timeouts --chain A,B,...`: who waits how long for whom, when nobody answers.
 *
 *     look until calls are seen   d->e cut .. healed .. calls again   c->d cut ..   ..   client->a cut   reckon
 *
 * The last link comes first: what its cut costs, the callers before it show as well, and the load may end with the first
 * link. Each cut is a partition with a deadline, tied to this process: however it ends, the owner heals.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/text.h"
#include "base/units.h"
#include "cli/ask.h"
#include "cli/command.h"
#include "cli/impose.h"
#include "cli/session.h"
#include "cli/trace_client.h"
#include "export/patience.h"

#define IDS_MAX	      256
#define STEP_MS	      20
#define SEEN_ENOUGH   3 /* of one kind, where both kinds are seen */
#define SEEN_MANY     10 /* of one kind alone */
#define DEADLINE_NS   (10 * CLOCK_SECOND_NS) /* of a cut, beyond its end by us */
#define LOOK_LEAST_NS CLOCK_SECOND_NS
#define LOOK_MOST_NS  (10 * CLOCK_SECOND_NS)

struct audit_options {
	bool help;
	struct command_sockets sockets;
	bool json;
	bool quiet;
	const char *chain;
	const char *csv;
	uint64_t limit_ns;
};

static const struct option_row audit_rows[] = {
	COMMAND_HELP_ROW(struct audit_options),
	{ .name = "chain",
	  .value = "A,B,...",
	  .help = "the endpoints, the one that asks first",
	  .kind = OPTION_TEXT,
	  OPTION_INTO(struct audit_options, chain) },
	{ .name = "limit",
	  .value = "TIME",
	  .help = "how long a link is cut at most; who waits as long is said to hang (6s)",
	  .kind = OPTION_TIME,
	  OPTION_INTO(struct audit_options, limit_ns) },
	{ .name = "csv",
	  .value = "FILE",
	  .help = "write a row for each cut and caller (patience.csv)",
	  .kind = OPTION_TEXT,
	  OPTION_INTO(struct audit_options, csv) },
	{ .name = "json",
	  .help = "print findings and rows as JSON, no table",
	  .kind = OPTION_FLAG,
	  OPTION_INTO(struct audit_options, json) },
	{ .name = "quiet",
	  .letter = 'q',
	  .help = "do not say what is being done meanwhile",
	  .kind = OPTION_FLAG,
	  OPTION_INTO(struct audit_options, quiet) },
	COMMAND_SOCKET_ROWS(struct audit_options, sockets),
	{}
};

/* What was seen on one hop since the present step began. */
struct seen {
	unsigned int answered; /* asked since then, and well answered */
	unsigned int gave_up[PATIENCE_KINDS];
	uint64_t longest_ns; /* until somebody gave up */
};

struct audit {
	const struct audit_options *options;
	struct trace_client client;
	struct patience *patience;
	unsigned int hops;
	char *word[PATIENCE_HOPS_MAX + 1]; /* of the chain; owned */
	struct {
		uint32_t id;
		unsigned int place; /* in the chain */
	} end[IDS_MAX];
	size_t ends;
	uint64_t begin_ns; /* of the present step */
	struct seen seen[PATIENCE_HOPS_MAX];
	json_int_t fault; /* that is in force; 0: none */
	bool ended_early; /* the command, before all was measured */
	int failure;
};

static void say(const struct audit *audit, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

static void say(const struct audit *audit, const char *format, ...)
{
	char line[512];
	va_list args;

	if (audit->options->quiet)
		return;
	va_start(args, format);
	vsnprintf(line, sizeof(line), format, args);
	va_end(args);
	text_write_terminal(stderr, line);
	fputc('\n', stderr);
}

/* ---- the chain ---- */

static int read_chain(struct audit *audit)
{
	_cleanup_(freep) char *copy = strdup(audit->options->chain);
	unsigned int words = 0;
	char *at = NULL;

	for (char *word = copy ? strtok_r(copy, ",", &at) : NULL; word;
	     word = strtok_r(NULL, ",", &at)) {
		if (words > PATIENCE_HOPS_MAX)
			return log_err(-E2BIG, "audit: more than %d hops", PATIENCE_HOPS_MAX);
		audit->word[words] = strdup(word);
		if (!audit->word[words++])
			return log_err(-ENOMEM, "no memory");
	}
	if (words < 2)
		return log_err(-EINVAL, "audit: --chain client,a,b names at least two endpoints");
	audit->hops = words - 1;
	return 0;
}

/* Which ids each word means, as the owner says. */
static int read_ids(struct audit *audit)
{
	const json_t *chain = json_object_get(audit->client.reply, "chain"), *ids;
	json_t *id;
	size_t i, k;

	json_array_foreach(chain, i, ids)
	{
		json_array_foreach(ids, k, id)
		{
			if (audit->ends == IDS_MAX)
				return log_err(-E2BIG, "audit: more than %d endpoints", IDS_MAX);
			audit->end[audit->ends].id = (uint32_t)json_integer_value(id);
			audit->end[audit->ends++].place = (unsigned int)i;
		}
	}
	return 0;
}

/* In the chain; below 0: it is not in it. */
static int place_of(const struct audit *audit, uint32_t id)
{
	for (size_t i = 0; i < audit->ends; i++)
		if (audit->end[i].id == id)
			return (int)audit->end[i].place;
	return -1;
}

/* ---- what is seen ---- */

static void note_seen(struct audit *audit, unsigned int hop, const struct call *call)
{
	struct seen *seen = &audit->seen[hop];
	bool is_connecting = call->shape == SHAPE_UNCONNECTED;

	if (call->shape == SHAPE_ABANDONED || is_connecting) {
		seen->gave_up[is_connecting ? PATIENCE_CONNECT : PATIENCE_ANSWER]++;
		if (call->total_ns > seen->longest_ns)
			seen->longest_ns = call->total_ns;
	} else if (call->shape == SHAPE_TURNS && call->status < 500 &&
		   call->start_mono_ns >= audit->begin_ns) {
		seen->answered++;
	}
}

static void take_chain(void *ctx, const struct chain *chain)
{
	struct audit *audit = ctx;

	for (unsigned int i = 0; i < chain->calls; i++) {
		const struct call *call = &chain->call[i];
		int src = place_of(audit, call->src), dst = place_of(audit, call->dst), r;

		if (src < 0 || dst != src + 1)
			continue;
		note_seen(audit, (unsigned int)src, call);
		r = patience_add(audit->patience, (unsigned int)src, call);
		if (r < 0 && !audit->failure)
			audit->failure = r;
	}
}

/* ---- steps ---- */

static void begin_step(struct audit *audit)
{
	audit->begin_ns = clock_now_ns();
	memset(audit->seen, 0, sizeof(audit->seen));
}

static uint64_t elapsed_ns(const struct audit *audit)
{
	return clock_now_ns() - audit->begin_ns;
}

static bool is_answered_everywhere(const struct audit *audit)
{
	for (unsigned int hop = 0; hop < audit->hops; hop++)
		if (audit->seen[hop].answered < SEEN_ENOUGH)
			return false;
	return true;
}

/* Until calls were answered on every hop, or for long enough. False: the trace has ended. */
static bool look_first(struct audit *audit)
{
	begin_step(audit);
	while (elapsed_ns(audit) < LOOK_LEAST_NS ||
	       (elapsed_ns(audit) < LOOK_MOST_NS && !is_answered_everywhere(audit)))
		if (!trace_client_step(&audit->client, STEP_MS))
			return false;
	return true;
}

/* Both ways of giving up were seen often enough; or one alone, and for so long that the other would have shown. */
static bool has_seen_enough(const struct audit *audit, unsigned int hop)
{
	const struct seen *seen = &audit->seen[hop];
	unsigned int answer = seen->gave_up[PATIENCE_ANSWER];
	unsigned int connect = seen->gave_up[PATIENCE_CONNECT];

	if (answer >= SEEN_ENOUGH && connect >= SEEN_ENOUGH)
		return true;
	return answer + connect >= SEEN_MANY &&
	       elapsed_ns(audit) >= CLOCK_SECOND_NS + 3 * seen->longest_ns;
}

static json_t *cut_request(const struct audit *audit, unsigned int hop)
{
	char time[32];
	char *word[] = { audit->word[hop], audit->word[hop + 1], "for", time };
	json_t *request = ask_request("partition");

	snprintf(time, sizeof(time), "%llums", (audit->options->limit_ns + DEADLINE_NS) / 1000000);
	ask_set_sockets(request, audit->options->sockets.docker, audit->options->sockets.podman);
	impose_set_words(request, word, ARRAY_SIZE(word));
	sessions_add(request);
	json_object_set_new(request, "pid", json_integer(getpid()));
	return request;
}

static int cut(struct audit *audit, unsigned int hop)
{
	_cleanup_(json_decrefp) json_t *reply = NULL;
	int status = ask(false, cut_request(audit, hop), &reply);

	if (status == EXIT_DONE)
		audit->fault = json_integer_value(json_object_get(reply, "id"));
	return status;
}

static void heal(struct audit *audit)
{
	_cleanup_(json_decrefp) json_t *reply = NULL;
	json_t *request;

	if (!audit->fault)
		return;
	request = ask_request("heal");
	json_object_set_new(request, "ids", json_pack("[I]", audit->fault));
	audit->fault = 0;
	ask(false, request, &reply);
}

/* How long standing connections may need to try again: TCP doubles its pauses while nothing comes back. */
static uint64_t recovery_ns(const struct audit *audit)
{
	return 2 * audit->options->limit_ns + 3 * CLOCK_SECOND_NS;
}

/* False: the trace has ended. */
static bool wait_for_recovery(struct audit *audit, unsigned int hop)
{
	begin_step(audit);
	while (audit->seen[hop].answered < SEEN_ENOUGH || audit->seen[0].answered < SEEN_ENOUGH) {
		if (elapsed_ns(audit) > recovery_ns(audit)) {
			say(audit,
			    "  no answer on %s->%s since the heal: whoever waits there may not "
			    "notice",
			    audit->word[hop], audit->word[hop + 1]);
			return true;
		}
		if (!trace_client_step(&audit->client, STEP_MS))
			return false;
	}
	return true;
}

static void say_cut(const struct audit *audit, unsigned int hop)
{
	const struct seen *seen = &audit->seen[hop];
	unsigned int gave_up = seen->gave_up[PATIENCE_ANSWER] + seen->gave_up[PATIENCE_CONNECT];
	char time[UNITS_TEXT_MAX], longest[UNITS_TEXT_MAX];

	units_format_duration(time, elapsed_ns(audit));
	if (gave_up)
		say(audit, "  %s gave up %u times, after %s at most; healed after %s",
		    audit->word[hop], gave_up, units_format_duration(longest, seen->longest_ns),
		    time);
	else
		say(audit, "  %s was not seen to give up; healed after %s", audit->word[hop], time);
}

/* EXIT_DONE: go on. */
static int measure_hop(struct audit *audit, unsigned int hop, bool *ret_goes_on)
{
	struct patience_cut span = { .hop = hop };
	int status = cut(audit, hop);

	if (status != EXIT_DONE)
		return status;
	begin_step(audit);
	span.from_ns = audit->begin_ns;
	say(audit, "%s->%s is cut", audit->word[hop], audit->word[hop + 1]);
	*ret_goes_on = true;
	while (*ret_goes_on && elapsed_ns(audit) < audit->options->limit_ns &&
	       !has_seen_enough(audit, hop))
		*ret_goes_on = trace_client_step(&audit->client, STEP_MS);
	say_cut(audit, hop);
	heal(audit);
	span.to_ns = clock_now_ns();
	if (patience_add_cut(audit->patience, &span) < 0)
		audit->failure = -ENOMEM;
	if (*ret_goes_on)
		*ret_goes_on = wait_for_recovery(audit, hop);
	return EXIT_DONE;
}

static bool was_used(const struct audit *audit, const struct seen *first, unsigned int hop)
{
	if (first[hop].answered)
		return true;
	say(audit, "%s->%s is not cut: no answered call was seen there", audit->word[hop],
	    audit->word[hop + 1]);
	return false;
}

static int measure(struct audit *audit)
{
	struct seen first[PATIENCE_HOPS_MAX];
	bool goes_on = look_first(audit);
	int status = EXIT_DONE;

	memcpy(first, audit->seen, sizeof(first));
	for (unsigned int i = audit->hops; i > 0 && goes_on && status == EXIT_DONE; i--)
		if (was_used(audit, first, i - 1))
			status = measure_hop(audit, i - 1, &goes_on);
	if (goes_on) {
		trace_client_stop(&audit->client);
		while (trace_client_step(&audit->client, -1))
			;
	}
	return status;
}

/* ---- what comes of it ---- */

static int print(const struct audit *audit)
{
	_cleanup_(json_decrefp) json_t *json = NULL;

	if (!audit->options->json)
		return patience_print(audit->patience, stdout) < 0 ? EXIT_FAILED : EXIT_DONE;
	json = patience_json(audit->patience);
	return ask_print_json(json);
}

static int write_csv(const struct audit *audit)
{
	const char *path = audit->options->csv;
	FILE *out;
	int r;

	if (!path)
		return EXIT_DONE;
	out = fopen(path, "we");
	if (!out) {
		log_err(-errno, "--csv %s: %s", path, strerror(errno));
		return EXIT_FAILED;
	}
	r = patience_write_csv(audit->patience, out);
	if (fclose(out) != 0 || r < 0) {
		log_err(0, "--csv %s could not be written", path);
		return EXIT_FAILED;
	}
	return EXIT_DONE;
}

static int report(struct audit *audit)
{
	const struct trace_client *client = &audit->client;
	int status;

	if (client->failure || audit->failure) {
		log_err(0, "the audit is not whole: %s",
			strerror(-(client->failure ? client->failure : audit->failure)));
		return EXIT_FAILED;
	}
	if (patience_measure(audit->patience, audit->options->limit_ns) < 0) {
		log_err(0, "no memory");
		return EXIT_FAILED;
	}
	status = print(audit);
	if (status == EXIT_DONE)
		status = write_csv(audit);
	if (audit->ended_early && !client->is_interrupted) {
		log_err(0,
			"the command ended (status %d) before every link was cut: what it did not "
			"call is not known",
			client->child_status);
		return EXIT_FAILED;
	}
	return client->is_interrupted ? EXIT_FAILED : status;
}

static int run_with(struct audit *audit, char **command)
{
	const struct audit_options *options = audit->options;
	int status;

	if (read_chain(audit) < 0)
		return EXIT_MISUSED;
	if (patience_new((const char *const *)audit->word, audit->hops, &audit->patience) < 0) {
		log_err(0, "no memory");
		return EXIT_FAILED;
	}
	status = trace_client_open(&audit->client, command);
	if (status == EXIT_DONE)
		status = trace_client_begin(&audit->client,
					    trace_client_request(options->chain,
								 options->sockets.docker,
								 options->sockets.podman));
	if (status == EXIT_DONE && read_ids(audit) < 0)
		status = EXIT_FAILED;
	if (status != EXIT_DONE)
		return status;
	trace_client_go(&audit->client);
	status = measure(audit);
	audit->ended_early = audit->client.had_child && !audit->client.child.pid;
	child_cancel(&audit->client.child); /* it may have something to say, before we do */
	return status == EXIT_DONE ? report(audit) : status;
}

static int audit_timeouts(const struct audit_options *options, char **command)
{
	struct audit audit = {
		.options = options,
		.client = { TRACE_CLIENT_NONE, .on_chain = take_chain, .ctx = &audit,
			    .child_flags = CHILD_DIES_WITH_US |
					   (options->json ? CHILD_SAYS_ON_STDERR : 0) },
	};
	int status = run_with(&audit, command);

	heal(&audit);
	trace_client_done(&audit.client);
	patience_free(audit.patience);
	for (unsigned int i = 0; i <= PATIENCE_HOPS_MAX; i++)
		free(audit.word[i]);
	return status;
}

static int run_audit(const struct command *command, int argc, char **argv)
{
	_cleanup_(options_words_done) struct options_words words = {};
	struct audit_options options = { .limit_ns = 6 * CLOCK_SECOND_NS };
	int status;

	status = command_parse(command, argc, argv, &options, &words);
	if (status != EXIT_DONE || options.help)
		return status;
	if (words.count != 1 || strcmp(words.word[0], "timeouts") != 0) {
		log_err(0, "audit: say what: `hopfault audit timeouts`");
		return EXIT_MISUSED;
	}
	if (!options.chain) {
		log_err(0, "audit: say which: --chain client,a,b names at least two endpoints");
		return EXIT_MISUSED;
	}
	if (options.limit_ns < CLOCK_SECOND_NS / 10 || options.limit_ns > 600 * CLOCK_SECOND_NS) {
		log_err(0, "audit: --limit must lie between 100ms and 10m");
		return EXIT_MISUSED;
	}
	status = command_check_sockets(&options.sockets);
	if (status == EXIT_DONE)
		status = command_needs_root(command);
	return status == EXIT_DONE ? audit_timeouts(&options, words.command) : status;
}

const struct command command_audit = {
	.name = "audit",
	.usage = "timeouts --chain A,B,... [--limit TIME] [--csv FILE] [-- COMMAND...]",
	.summary = "who waits how long for whom, when a link is cut",
	.details =
		"Cuts each link of the chain in turn, the last one first, while requests flow, "
		"and\n"
		"measures how long its caller waits before it gives up, and what the callers in\n"
		"front of it see. Each cut ends when enough was seen, after --limit at most, and "
		"with\n"
		"this command, however that ends. COMMAND makes the requests, and is ended when "
		"all\n"
		"is measured; without one the traffic must be there already. Example:\n"
		"  hopfault audit timeouts --chain client,a,b,c,d,e \\\n"
		"      -- hopfault lab load -n 100000 -c 8 --rate 40\n",
	.options = audit_rows,
	.run = run_audit,
};
