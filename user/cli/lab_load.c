/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * lab_load.c - `hopfault lab load` and `lab counts`: requests are sent, and what services have counted is asked for.
 */
#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/log.h"
#include "base/table.h"
#include "chain/counts.h"
#include "chain/load.h"
#include "cli/command.h"
#include "cli/lab_words.h"
#include "cli/load_place.h"

#define COUNTS_TIMEOUT_NS UINT64_C(500000000)

static int find_places(const struct lab_words *words, struct load_places *ret_places)
{
	char error[LOAD_PLACE_ERROR_MAX] = "";
	int r;

	if (!words->from != !words->to) {
		log_err(0, "lab: --from and --to are given together, or neither");
		return EXIT_MISUSED;
	}
	r = words->from ? load_places_endpoint(words->from, words->to, ret_places, error)
			: load_places_lab(ret_places, error);
	if (r < 0) {
		log_err(r, "%s", error);
		return EXIT_FAILED;
	}
	return EXIT_DONE;
}

/* ---- counts ---- */

struct answer {
	bool is_there;
	struct counts counts;
};

static void ask_all(const struct load_places *places, struct answer *answer)
{
	for (size_t i = 0; i < places->count; i++)
		answer[i].is_there = counts_ask(places->place[i].address, COUNTS_TIMEOUT_NS,
						&answer[i].counts) == 0;
}

static void count_cell(struct table *table, const struct answer *answer, uint64_t count)
{
	if (answer->is_there)
		table_cell(table, "%" PRIu64, count);
	else
		table_cell(table, "-");
}

/* per: requests that were sent, to say how many each came to; 0: unknown. */
static void print_counts(const struct load_places *places, const struct answer *answer,
			 uint32_t per)
{
	static const char called[] = "calls of the next";
	static const struct table_column columns[] = {
		{ .header = "NAME", .shrinks = true },
		{ .header = "REQUESTS", .align = TABLE_RIGHT },
		{ .header = "EACH", .align = TABLE_RIGHT },
		{ .header = "FAILED", .align = TABLE_RIGHT },
		{ .header = "DEGRADED", .align = TABLE_RIGHT },
		{ .header = "MADE", .group = called, .align = TABLE_RIGHT },
		{ .header = "RETRIES", .group = called, .align = TABLE_RIGHT },
		{ .header = "FAILED", .group = called, .align = TABLE_RIGHT },
		{ .header = "REFUSED", .group = called, .align = TABLE_RIGHT },
		{ .header = "BREAKER" },
	};
	_cleanup_(table_freep) struct table *table = table_new(columns, ARRAY_SIZE(columns), 80);

	for (size_t i = 0; i < places->count; i++) {
		const struct counts *counts = &answer[i].counts;

		table_cell(table, "%s", places->place[i].name);
		count_cell(table, &answer[i], counts->received);
		if (per && answer[i].is_there)
			table_cell(table, "%.2f", (double)counts->received / per);
		else
			table_cell(table, "-");
		count_cell(table, &answer[i], counts->failed);
		count_cell(table, &answer[i], counts->degraded);
		count_cell(table, &answer[i], counts->calls);
		count_cell(table, &answer[i], counts->retries);
		count_cell(table, &answer[i], counts->calls_failed);
		count_cell(table, &answer[i], counts->calls_refused);
		table_cell(table, "%s", answer[i].is_there ? counts->breaker : "-");
	}
	table_print(table, stdout);
}

static int write_counts(const struct load_places *places, const struct answer *answer,
			const char *path)
{
	_cleanup_(fclosep) FILE *out = fopen(path, "we");
	bool failed;

	if (!out)
		return log_err(-errno, "cannot write %s: %s", path, strerror(errno));
	counts_write_csv_head(out);
	for (size_t i = 0; i < places->count; i++)
		counts_write_csv_row(out, places->place[i].name,
				     answer[i].is_there ? &answer[i].counts : NULL);
	failed = ferror(out);
	if (fclose(TAKE_PTR(out)) < 0 || failed)
		return log_err(-EIO, "cannot write %s", path);
	return 0;
}

int lab_run_counts(const struct lab_words *words)
{
	struct answer answer[LOAD_PLACES_MAX] = {};
	struct load_places places;
	int status;

	status = find_places(words, &places);
	if (status != EXIT_DONE)
		return status;
	ask_all(&places, answer);
	print_counts(&places, answer, 0);
	if (words->csv && write_counts(&places, answer, words->csv) < 0)
		return EXIT_FAILED;
	return EXIT_DONE;
}

static void print_what_was_counted(const struct load_places *places, const struct answer *before,
				   uint32_t requests)
{
	struct answer after[LOAD_PLACES_MAX] = {};

	ask_all(places, after);
	for (size_t i = 0; i < places->count; i++)
		if (before[i].is_there && after[i].is_there)
			after[i].counts = counts_between(&before[i].counts, &after[i].counts);
	puts("");
	print_counts(places, after, requests);
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
	if (words->timeline)
		r = load_write_timeline_csv(result, words->every_ns, words->timeline);
	if (r < 0)
		return log_err(r, "cannot write %s: %s", words->timeline,
			       r == -E2BIG ? "too many slices: a longer --every" : strerror(-r));
	return 0;
}

static bool all_succeeded(const struct load_result *result)
{
	for (size_t i = 0; i < result->records; i++)
		if (result->record[i].status != 200)
			return false;
	return result->records == result->requests;
}

static int run(const struct lab_words *words, const struct load_places *places,
	       struct load_result *ret_result)
{
	char target[LOAD_TARGET_BYTES];
	int r;

	load_places_target(places, target, sizeof(target));
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
		ret_result);
	return r < 0 ? log_err(r, "cannot send requests: %s", strerror(-r)) : 0;
}

int lab_run_load(const struct lab_words *words)
{
	_cleanup_(load_result_done) struct load_result result = {};
	struct answer before[LOAD_PLACES_MAX] = {};
	struct load_places places;
	int status;

	if (words->every_ns == 0) {
		log_err(0, "lab: --every: must be more than 0");
		return EXIT_MISUSED;
	}
	status = find_places(words, &places);
	if (status != EXIT_DONE)
		return status;
	if (words->count)
		ask_all(&places, before);
	if (run(words, &places, &result) < 0)
		return EXIT_FAILED;
	load_print(&result, stdout);
	if (words->count)
		print_what_was_counted(&places, before,
				       (uint32_t)result.records + result.unfinished);
	if (write_files(words, &result) < 0)
		return EXIT_FAILED;
	return words->fail_on_error && !all_succeeded(&result) ? EXIT_FAILED : EXIT_DONE;
}
