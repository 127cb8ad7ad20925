/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * status.c - `hopfault status`: the faults in force, what was asked beside what was achieved.
 */
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/log.h"
#include "base/table.h"
#include "base/text.h"
#include "base/units.h"
#include "cli/ask.h"
#include "cli/command.h"

#define LINKS_SHOWN 3

struct status_options {
	bool help;
	bool json;
	bool watch;
};

static const struct option_row status_rows[] = { COMMAND_HELP_ROW(struct status_options),
						 { .name = "json",
						   .help = "print JSON",
						   .kind = OPTION_FLAG,
						   OPTION_INTO(struct status_options, json) },
						 { .name = "watch",
						   .letter = 'w',
						   .help = "again each second, until interrupted",
						   .kind = OPTION_FLAG,
						   OPTION_INTO(struct status_options, watch) },
						 {} };

static uint64_t number(const json_t *object, const char *name)
{
	return (uint64_t)json_integer_value(json_object_get(object, name));
}

/* "a->b b->a +18" */
static void links_text(const json_t *links, char *text, size_t size)
{
	size_t used = 0, i;
	json_t *link;

	text[0] = 0;
	json_array_foreach(links, i, link)
	{
		if (i == LINKS_SHOWN || used >= size)
			break;
		used += (size_t)snprintf(text + used, size - used, "%s%s->%s", i ? " " : "",
					 json_string_value(json_array_get(link, 0)),
					 json_string_value(json_array_get(link, 1)));
	}
	if (json_array_size(links) > LINKS_SHOWN && used < size)
		snprintf(text + used, size - used, " +%zu", json_array_size(links) - LINKS_SHOWN);
}

static void count_cell(struct table *table, const json_t *counts, const char *name)
{
	char text[UNITS_TEXT_MAX];

	table_cell(table, "%s", units_format_count(text, number(counts, name)));
}

static void print_faults(const json_t *faults)
{
	static const struct table_column columns[] = {
		{ .header = "ID", .align = TABLE_RIGHT },
		{ .header = "FAULT", .shrinks = true },
		{ .header = "LINKS", .shrinks = true },
		{ .header = "LEFT", .align = TABLE_RIGHT },
		{ .header = "MATCHED", .align = TABLE_RIGHT },
		{ .header = "DROPPED", .align = TABLE_RIGHT },
		{ .header = "DELAYED", .align = TABLE_RIGHT },
	};
	_cleanup_(table_freep) struct table *table = table_new(columns, ARRAY_SIZE(columns), 80);
	char left[UNITS_TEXT_MAX], links[256];
	const json_t *counts;
	json_t *fault;
	size_t i;

	json_array_foreach(faults, i, fault)
	{
		counts = json_object_get(fault, "counts");
		links_text(json_object_get(fault, "links"), links, sizeof(links));
		table_cell(table, "%" PRIu64, number(fault, "id"));
		table_cell(table, "%s%s",
			   strcmp(json_string_value(json_object_get(fault, "kind")), "partition")
				   ? ""
				   : "partition ",
			   json_string_value(json_object_get(fault, "text")));
		table_cell(table, "%s", links);
		table_cell(table, "%s", units_format_duration(left, number(fault, "left_ns")));
		count_cell(table, counts, "matched");
		count_cell(table, counts, "dropped");
		count_cell(table, counts, "delayed");
	}
	table_print(table, stdout);
}

/* What the engine's error is to be measured against: how late this machine wakes anybody. */
static void print_timer(const json_t *hold)
{
	char p50[UNITS_TEXT_MAX], p99[UNITS_TEXT_MAX];

	if (number(hold, "timer_error_p99_ns"))
		printf("\nFor comparison, a bare timer here woke late by p50 %s, p99 %s.\n",
		       units_format_duration(p50, number(hold, "timer_error_p50_ns")),
		       units_format_duration(p99, number(hold, "timer_error_p99_ns")));
}

/* What was asked, and how much later than that a packet was let go. */
static void print_delays(const json_t *faults, const json_t *hold)
{
	static const struct table_column columns[] = {
		{ .header = "ID", .align = TABLE_RIGHT },
		{ .header = "ASKED", .align = TABLE_RIGHT },
		{ .header = "GIVEN (MEAN)", .align = TABLE_RIGHT },
		{ .header = "LATER BY p50", .align = TABLE_RIGHT },
		{ .header = "p99", .align = TABLE_RIGHT },
		{ .header = "MAX", .align = TABLE_RIGHT },
		{ .header = "RELEASED", .align = TABLE_RIGHT },
	};
	_cleanup_(table_freep) struct table *table = table_new(columns, ARRAY_SIZE(columns), 80);
	char text[UNITS_TEXT_MAX];
	bool any = false;
	json_t *fault;
	size_t i;

	json_array_foreach(faults, i, fault)
	{
		const json_t *counts = json_object_get(fault, "counts");
		uint64_t asked_ns = number(fault, "delay_ns");

		if (!asked_ns || !number(counts, "released"))
			continue;
		any = true;
		table_cell(table, "%" PRIu64, number(fault, "id"));
		table_cell(table, "%s", units_format_duration(text, asked_ns));
		table_cell(table, "%s",
			   units_format_duration(text, asked_ns + number(counts, "error_mean_ns")));
		table_cell(table, "%s",
			   units_format_duration(text, number(counts, "error_p50_ns")));
		table_cell(table, "%s",
			   units_format_duration(text, number(counts, "error_p99_ns")));
		table_cell(table, "%s",
			   units_format_duration(text, number(counts, "error_max_ns")));
		table_cell(
			table, "%s",
			units_format_count((char[UNITS_TEXT_MAX]){}, number(counts, "released")));
	}
	if (!any)
		return;
	putchar('\n');
	table_print(table, stdout);
	print_timer(hold);
}

static bool is_in_a_fault(const json_t *faults, const char *name)
{
	json_t *fault, *link;
	size_t i, k;

	json_array_foreach(faults, i, fault) json_array_foreach(
		json_object_get(fault, "links"), k,
		link) if (strcmp(json_string_value(json_array_get(link, 0)), name) == 0 ||
			  strcmp(json_string_value(json_array_get(link, 1)), name) ==
				  0) return true;
	return false;
}

static bool is_up(const json_t *endpoint)
{
	return json_is_true(json_object_get(endpoint, "attached"));
}

static void add_endpoint(struct table *table, const json_t *endpoint)
{
	char name[256], text[UNITS_TEXT_MAX];

	text_escape_terminal(name, sizeof(name),
			     json_string_value(json_object_get(endpoint, "name")));
	table_cell(table, "%s", name);
	table_cell(table, "%s", json_string_value(json_object_get(endpoint, "state")));
	count_cell(table, endpoint, "reattached");
	count_cell(table, endpoint, "quarantined");
	if (number(endpoint, "reattach_ns"))
		table_cell(table, "%s",
			   units_format_duration(text, number(endpoint, "reattach_ns")));
	else
		table_cell(table, "-");
}

/* Those in a fault, once one of them is not there or has come again. */
static void print_endpoints(const json_t *endpoints, const json_t *faults)
{
	static const struct table_column columns[] = {
		{ .header = "ENDPOINT", .shrinks = true },
		{ .header = "STATE" },
		{ .header = "CAME AGAIN", .align = TABLE_RIGHT },
		{ .header = "QUARANTINED", .align = TABLE_RIGHT },
		{ .header = "GUARDED IN", .align = TABLE_RIGHT },
	};
	_cleanup_(table_freep) struct table *table = table_new(columns, ARRAY_SIZE(columns), 80);
	bool is_worth_it = false;
	json_t *endpoint;
	size_t i;

	json_array_foreach(endpoints, i, endpoint)
	{
		if (!is_in_a_fault(faults, json_string_value(json_object_get(endpoint, "name"))))
			continue;
		is_worth_it |= !is_up(endpoint) || number(endpoint, "reattached") ||
			       number(endpoint, "quarantined");
		add_endpoint(table, endpoint);
	}
	if (!is_worth_it)
		return;
	putchar('\n');
	table_print(table, stdout);
}

static void print_absent(const json_t *endpoints, const json_t *faults)
{
	json_t *endpoint;
	size_t i;

	json_array_foreach(endpoints, i, endpoint)
	{
		const char *name = json_string_value(json_object_get(endpoint, "name"));
		const char *state = json_string_value(json_object_get(endpoint, "state"));

		if (is_up(endpoint) || !is_in_a_fault(faults, name))
			continue;
		printf("note: ");
		text_write_terminal(stdout, name);
		printf(strcmp(state, "waiting") == 0
			       ? " has not been seen yet; its faults act when it comes\n"
			       : " is down; its faults act again when it comes back\n");
	}
}

/* What words stood for, where that was several. */
static void print_meant(const json_t *fault)
{
	const char *meant = json_string_value(json_object_get(fault, "meant"));
	size_t links = json_array_size(json_object_get(fault, "links"));

	if (!meant || !meant[0])
		return;
	printf("fault %" PRIu64 " acts on %zu link%s: ", number(fault, "id"), links,
	       links == 1 ? "" : "s");
	text_write_terminal(stdout, meant);
	putchar('\n');
}

static void print_quarantine(const json_t *quarantine)
{
	if (number(quarantine, "now"))
		printf("note: %" PRIu64
		       " new veths are taken for endpoints that are missing, until "
		       "it is known whose they are (2 s at most)\n",
		       number(quarantine, "now"));
	if (number(quarantine, "expired"))
		printf("note: of %" PRIu64 " new veths it was not known within 2 s whose they are: "
		       "they were let go\n",
		       number(quarantine, "expired"));
	if (number(quarantine, "missed"))
		printf("note: %" PRIu64 " new veths could not be quarantined\n",
		       number(quarantine, "missed"));
}

/* What the user should not have to look for. */
static void print_notes(const json_t *reply)
{
	const json_t *faults = json_object_get(reply, "faults");
	const json_t *hold = json_object_get(reply, "hold");
	json_t *fault;
	size_t i;

	json_array_foreach(faults, i, fault)
	{
		const json_t *counts = json_object_get(fault, "counts");

		print_meant(fault);
		if (number(counts, "matched") == 0)
			printf("note: fault %" PRIu64 " has matched no packet so far\n",
			       number(fault, "id"));
		if (number(counts, "undelayed"))
			printf("note: fault %" PRIu64 ": %" PRIu64
			       " packets passed undelayed, no engine could hold them\n",
			       number(fault, "id"), number(counts, "undelayed"));
	}
	print_absent(json_object_get(reply, "endpoints"), faults);
	print_quarantine(json_object_get(reply, "quarantine"));
	if (number(hold, "overflow"))
		printf("note: the hold engine was full and dropped %" PRIu64
		       " packets; nobody asked for that\n",
		       number(hold, "overflow"));
	if (number(hold, "stale"))
		printf("note: %" PRIu64 " held packets were too old and were dropped\n",
		       number(hold, "stale"));
	if (number(reply, "lease_left_ns") == 0)
		printf("note: the lease is stale: every program passes everything now\n");
}

static void print_status(const json_t *reply)
{
	const json_t *faults = json_object_get(reply, "faults");

	if (json_array_size(faults) == 0) {
		puts("no fault is in force");
	} else {
		print_faults(faults);
		print_delays(faults, json_object_get(reply, "hold"));
		print_endpoints(json_object_get(reply, "endpoints"), faults);
	}
	print_notes(reply);
}

static int show(const struct status_options *options)
{
	_cleanup_(json_decrefp) json_t *reply = NULL;
	_cleanup_(closep) int fd = -1;
	int status;

	if (ask_connect(false, &fd) < 0) {
		if (options->json)
			puts("{\"faults\": []}");
		else
			puts("no fault is in force: no owner is running");
		return EXIT_DONE;
	}
	status = ask_send(fd, ask_request("status"), &reply);
	if (status != EXIT_DONE)
		return status;
	if (options->json)
		return ask_print_json(reply);
	print_status(reply);
	return EXIT_DONE;
}

static int run_status(const struct command *command, int argc, char **argv)
{
	_cleanup_(options_words_done) struct options_words words = {};
	struct status_options options = {};
	int status;

	status = command_parse(command, argc, argv, &options, &words);
	if (status != EXIT_DONE || options.help)
		return status;
	status = command_needs_root(command);
	if (status != EXIT_DONE)
		return status;
	do {
		if (options.watch)
			fputs("\033[H\033[2J", stdout);
		status = show(&options);
		fflush(stdout);
	} while (options.watch && status == EXIT_DONE && sleep(1) == 0);
	return status;
}

const struct command command_status = {
	.name = "status",
	.usage = "[--watch] [--json]",
	.summary = "the faults in force, what was asked beside what was achieved",
	.options = status_rows,
	.run = run_status,
};
