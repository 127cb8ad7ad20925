/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test_summary.c - facts about summaries: what is counted, what is injected further down, and the rows of summary.csv. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "export/summary.h"
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

static void hops_come_in_the_order_of_the_chain(void **state)
{
	static const char *const names[] = { "client", "a", "b", "c", "d", "e" };
	struct summary summary;
	unsigned int i;

	(void)state;
	fill(&summary, &data_baseline, 3, 0);
	assert_int_equal(summary.hops, 5);
	for (i = 0; i < 5; i++) {
		assert_string_equal(summary.hop[i]->src, names[i]);
		assert_string_equal(summary.hop[i]->dst, names[i + 1]);
		assert_int_equal(summary.hop[i]->calls, 3);
		assert_ptr_equal(summary_find(&summary, names[i], names[i + 1]), summary.hop[i]);
	}
	assert_null(summary_find(&summary, "a", "client"));
	summary_done(&summary);
}

static void delays_further_down_are_injected_time_of_the_hops_above(void **state)
{
	struct summary before, after;
	unsigned int i;

	(void)state;
	fill(&before, &data_baseline, 50, 0);
	fill(&after, &data_injected, 50, DELAY);
	for (i = 0; i < 5; i++) {
		struct samples *below = &after.hop[i]->sample[SUMMARY_BELOW];
		uint64_t real_ns = samples_percentile(&after.hop[i]->sample[SUMMARY_REAL], 50);
		uint64_t before_ns = samples_percentile(&before.hop[i]->sample[MEASURE_TOTAL], 50);

		assert_int_equal(below->min, DELAY * (4 - i));
		assert_int_equal(below->max, DELAY * (4 - i));
		/* what is left is the first run and the engine's own error: about 9 us a hop */
		assert_in_range(real_ns, before_ns, before_ns + 60000);
	}
	summary_done(&before);
	summary_done(&after);
}

static void asked_and_given_are_of_delayed_calls_only(void **state)
{
	struct summary summary;

	(void)state;
	fill(&summary, &data_injected, 10, DELAY);
	assert_int_equal(summary.hop[0]->sample[SUMMARY_ASKED_REQ].count, 0);
	assert_int_equal(summary.hop[1]->sample[SUMMARY_ASKED_REQ].count, 10);
	assert_int_equal(summary.hop[1]->sample[SUMMARY_ASKED_REQ].max, DELAY);
	assert_true(summary.hop[1]->sample[SUMMARY_GIVEN_REQ].min > DELAY);
	assert_int_equal(summary.hop[1]->sample[SUMMARY_GIVEN_REQ].max - DELAY,
			 summary.hop[1]->sample[SUMMARY_ERROR_REQ].max);
	assert_int_equal(summary.hop[1]->sample[SUMMARY_ASKED_RESP].count, 0);
	summary_done(&summary);
}

static void unknown_times_are_not_counted_and_incomplete_calls_are(void **state)
{
	struct call call = data_unknown_call();
	struct chain chain = { .calls = 1, .call = &call };
	struct summary summary;

	(void)state;
	assert_int_equal(summary_init(&summary, "x"), 0);
	assert_int_equal(summary_add(&summary, &data_baseline, &chain), 0);
	assert_int_equal(summary.calls, 1);
	assert_int_equal(summary.incomplete, 1);
	assert_int_equal(summary.hop[0]->sample[MEASURE_TOTAL].count, 0);
	assert_int_equal(summary.hop[0]->sample[SUMMARY_REAL].count, 0);
	summary_done(&summary);
}

static void hops_beyond_the_limit_are_counted(void **state)
{
	struct call call = data_unknown_call();
	struct chain chain = { .calls = 1, .call = &call };
	struct summary summary;
	unsigned int i;

	(void)state;
	assert_int_equal(summary_init(&summary, "x"), 0);
	for (i = 0; i < SUMMARY_HOPS_MAX + 3; i++) {
		call.dst = 100 + i;
		assert_int_equal(summary_add(&summary, &data_baseline, &chain), 0);
	}
	assert_int_equal(summary.hops, SUMMARY_HOPS_MAX);
	assert_int_equal(summary.left_out, 3);
	summary_done(&summary);
}

static void beyond_the_memory_limit_figures_stay_good(void **state)
{
	struct call call = data_unknown_call();
	struct chain chain = { .calls = 1, .call = &call };
	struct summary summary;
	unsigned int i;

	(void)state;
	assert_int_equal(summary_init(&summary, "x"), 0);
	summary.values_max = 1;
	for (i = 1; i <= 100000; i++) {
		call.total_ns = i;
		assert_int_equal(summary_add(&summary, &data_baseline, &chain), 0);
	}
	assert_non_null(summary.hop[0]->sample[MEASURE_TOTAL].bucket);
	assert_in_range(samples_percentile(&summary.hop[0]->sample[MEASURE_TOTAL], 50), 49950,
			50050);
	summary_done(&summary);
}

static void the_file_is_as_the_golden_one(void **state)
{
	char folder[64], path[128];
	struct export *export;

	(void)state;
	data_make_folder(folder, sizeof(folder));
	snprintf(path, sizeof(path), "%s/summary.csv", folder);
	assert_int_equal(export_open(&export_summary, path, 0, &export, NULL), 0);
	data_export(export, &data_baseline, 100, 0);
	assert_int_equal(export_close(export), 0);
	assert_int_equal(export_open(&export_summary, path, EXPORT_APPEND, &export, NULL), 0);
	data_export(export, &data_injected, 100, DELAY);
	assert_int_equal(export_close(export), 0);
	data_assert_golden(path, "summary.csv");
	data_remove_folder(folder);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(hops_come_in_the_order_of_the_chain),
		cmocka_unit_test(delays_further_down_are_injected_time_of_the_hops_above),
		cmocka_unit_test(asked_and_given_are_of_delayed_calls_only),
		cmocka_unit_test(unknown_times_are_not_counted_and_incomplete_calls_are),
		cmocka_unit_test(hops_beyond_the_limit_are_counted),
		cmocka_unit_test(beyond_the_memory_limit_figures_stay_good),
		cmocka_unit_test(the_file_is_as_the_golden_one),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
