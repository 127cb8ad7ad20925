/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test_hoptable.c - facts about the table for people: at most 80 columns, every hop, and what is missing is said. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "export/hoptable.h"
#include "export_data.h"

#define DELAY 5000000

static void fill(struct summary *summary, const struct export_run *run, unsigned int chains,
		 uint64_t delay_ns)
{
	struct call call[DATA_CALLS];
	struct chain chain;
	unsigned int n;

	assert_int_equal(summary_init(summary, run->run_id), 0);
	for (n = 0; n < chains; n++) {
		chain = data_chain(call, n, delay_ns);
		assert_int_equal(summary_add(summary, run, &chain), 0);
	}
}

static char *printed(const struct hoptable_run *run, unsigned int runs)
{
	_cleanup_(freep) char *copy = NULL;
	char *text = NULL, *line, *rest;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	assert_int_equal(hoptable_print(run, runs, out), 0);
	assert_int_equal(fclose(out), 0);
	copy = strdup(text);
	assert_non_null(copy);
	for (line = strtok_r(copy, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest))
		assert_true(text_width(line) <= 80);
	return text;
}

static void one_run_shows_every_hop_and_no_fault(void **state)
{
	_cleanup_(freep) char *text = NULL;
	struct summary summary;

	(void)state;
	fill(&summary, &data_baseline, 10, 0);
	text = printed(&(struct hoptable_run){ .summary = &summary }, 1);
	assert_non_null(strstr(text, "client->a     10"));
	assert_non_null(strstr(text, "d->e          10"));
	assert_null(strstr(text, "asked"));
	assert_null(strstr(text, "REAL"));
	assert_non_null(strstr(text, "baseline: 10 chains, 50 calls, 0 incomplete, 0 events lost"));
	summary_done(&summary);
}

static void two_runs_stand_side_by_side(void **state)
{
	struct hoptable_run run[2] = {};
	struct summary before, after;
	_cleanup_(freep) char *text = NULL;

	(void)state;
	fill(&before, &data_baseline, 10, 0);
	fill(&after, &data_injected, 10, DELAY);
	run[0].summary = &before;
	run[1].summary = &after;
	text = printed(run, 2);
	assert_non_null(strstr(text, "- baseline -"));
	assert_non_null(strstr(text, "- injected -"));
	assert_non_null(strstr(text, "Delay asked and given, one way"));
	assert_non_null(strstr(text, "REAL   BEFORE"));
	summary_done(&before);
	summary_done(&after);
}

static void what_is_missing_is_said(void **state)
{
	struct call call = data_unknown_call();
	struct chain chain = { .calls = 1, .call = &call };
	_cleanup_(freep) char *text = NULL;
	struct summary summary;

	(void)state;
	assert_int_equal(summary_init(&summary, "\x1b[2Jrun"), 0);
	assert_int_equal(summary_add(&summary, &data_baseline, &chain), 0);
	text = printed(&(struct hoptable_run){ .summary = &summary, .lost_events = 7 }, 1);
	assert_non_null(strstr(text, "1 incomplete, 7 events lost"));
	assert_null(strchr(text, '\x1b'));
	assert_null(strstr(text, "18446744073709551615"));
	assert_null(strstr(text, "nan"));
	summary_done(&summary);
}

static const char *long_name(void *ctx, uint32_t id)
{
	(void)ctx;
	return id % 2 ? "a-service-with-a-name-that-goes-on-for-very-very-long-indeed"
		      : "\xe6\x9d\xb1\xe4\xba\xac\xe6\x9d\xb1\xe4\xba\xac\xe6\x9d\xb1\xe4\xba\xac";
}

static void long_names_give_way(void **state)
{
	struct export_run run = data_baseline;
	struct hoptable_run both[2] = {};
	_cleanup_(freep) char *text = NULL;
	struct summary before, after;

	(void)state;
	run.endpoint_name = long_name;
	fill(&before, &run, 10, 0);
	fill(&after, &run, 10, DELAY);
	both[0].summary = &before;
	both[1].summary = &after;
	text = printed(both, 2);
	assert_non_null(strstr(text, "…"));
	summary_done(&before);
	summary_done(&after);
}

static void no_calls_are_no_trouble(void **state)
{
	_cleanup_(freep) char *text = NULL;
	struct summary summary;

	(void)state;
	assert_int_equal(summary_init(&summary, "empty"), 0);
	text = printed(&(struct hoptable_run){ .summary = &summary }, 1);
	assert_non_null(strstr(text, "empty: 0 chains"));
	assert_int_equal(hoptable_print(NULL, 0, stdout), -EINVAL);
	summary_done(&summary);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(one_run_shows_every_hop_and_no_fault),
		cmocka_unit_test(two_runs_stand_side_by_side),
		cmocka_unit_test(what_is_missing_is_said),
		cmocka_unit_test(long_names_give_way),
		cmocka_unit_test(no_calls_are_no_trouble),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
