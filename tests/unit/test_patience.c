/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test_patience.c - facts about callers' patience: what made-up calls around a cut come to, and what is said of it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "export/patience.h"

#define MS    1000000ULL
#define CUT   (10000 * MS) /* when the link is cut */
#define LIMIT (3000 * MS) /* and for how long */

static const char *const names[] = { "client", "a", "b", "c" };

static uint64_t next_span;

/* A call that begins at `at`, and what became of it after `took`. */
static struct call make(enum call_shape shape, uint64_t at_ns, uint64_t took_ns, uint16_t status,
			uint64_t parent)
{
	struct call call = {
		.span_id = ++next_span,
		.parent_span_id = parent,
		.status = status,
		.req_bytes = shape == SHAPE_UNCONNECTED ? 0 : 100,
		.start_mono_ns = at_ns,
		.total_ns = took_ns,
		.connect_ns = TIME_UNKNOWN,
		.shape = (uint8_t)shape,
	};

	for (int i = 0; i < STAGE_COUNT; i++)
		call.stage_ns[i] = shape == SHAPE_TURNS ? 0 : TIME_UNKNOWN;
	if (shape == SHAPE_TURNS)
		call.stage_ns[STAGE_SRV_APP] = took_ns;
	return call;
}

static struct patience *begin(void)
{
	struct patience *patience;

	assert_int_equal(patience_new(names, 3, &patience), 0);
	return patience;
}

static uint64_t add(struct patience *patience, unsigned int hop, struct call call)
{
	assert_int_equal(patience_add(patience, hop, &call), 0);
	return call.span_id;
}

static void cut(struct patience *patience, unsigned int hop, uint64_t at_ns)
{
	const struct patience_cut span = { .hop = hop, .from_ns = at_ns, .to_ns = at_ns + LIMIT };

	assert_int_equal(patience_add_cut(patience, &span), 0);
}

/* Requests all along the chain while its last link is cut: a and b wait so long for the next one, and then say so. */
static void requests(struct patience *patience, uint64_t a_ns, uint64_t b_ns)
{
	bool a_is_told = a_ns > b_ns + 5 * MS;
	uint64_t a_took_ns = a_is_told ? b_ns + 5 * MS : a_ns;

	for (int i = 1; i <= 5; i++) {
		uint64_t at = CUT + (uint64_t)i * 100 * MS, parent;

		parent = add(patience, 0, make(SHAPE_TURNS, at, a_took_ns + 5 * MS, 504, 0));
		parent = add(patience, 1,
			     make(a_is_told ? SHAPE_TURNS : SHAPE_ABANDONED, at + MS, a_took_ns,
				  504, parent));
		add(patience, 2, make(SHAPE_ABANDONED, at + 2 * MS, b_ns, 0, parent));
	}
}

static const struct patience_finding *find(const struct patience *patience,
					   enum patience_finding_kind kind, unsigned int hop)
{
	for (size_t i = 0; i < patience_findings(patience); i++)
		if (patience_finding_at(patience, i)->kind == kind &&
		    patience_finding_at(patience, i)->hop == hop)
			return patience_finding_at(patience, i);
	return NULL;
}

static void assert_near(uint64_t value, uint64_t wanted)
{
	assert_in_range(value, wanted - wanted / 20,
			wanted + wanted / 20); /* a histogram's steps */
}

static void who_gives_up_has_that_patience(void **state)
{
	struct patience *patience = begin();
	const struct patience_wait *wait;

	requests(patience, 600 * MS, 300 * MS);
	cut(patience, 2, CUT);
	assert_int_equal(patience_measure(patience, LIMIT), 0);
	wait = patience_wait_at(patience, 0, 2);
	assert_int_equal(wait->calls, 5);
	assert_int_equal(wait->gave_up[PATIENCE_ANSWER].count, 5);
	assert_near(wait->gave_up[PATIENCE_ANSWER].p50_ns, 300 * MS);
	assert_false(wait->hangs[PATIENCE_ANSWER]);
	patience_free(patience);
}

static void who_called_for_it_saw_what_came_of_it(void **state)
{
	struct patience *patience = begin();
	const struct patience_wait *wait;

	requests(patience, 600 * MS, 300 * MS);
	/* before the cut, and of no interest */
	add(patience, 0, make(SHAPE_TURNS, CUT - 500 * MS, 3 * MS, 200, 0));
	cut(patience, 2, CUT);
	assert_int_equal(patience_measure(patience, LIMIT), 0);
	wait = patience_wait_at(patience, 0, 0);
	assert_int_equal(wait->calls, 5);
	assert_int_equal(wait->answered.count, 5);
	assert_int_equal(wait->status, 504);
	assert_near(wait->answered.p50_ns, 310 * MS);
	patience_free(patience);
}

static void who_waits_until_the_end_of_the_cut_hangs(void **state)
{
	struct patience *patience = begin();
	const struct patience_wait *wait;

	for (int i = 0; i < 4; i++)
		add(patience, 2, make(SHAPE_PENDING, CUT + 10 * MS, LIMIT + 50 * MS, 0, 0));
	cut(patience, 2, CUT);
	assert_int_equal(patience_measure(patience, LIMIT), 0);
	wait = patience_wait_at(patience, 0, 2);
	assert_true(wait->hangs[PATIENCE_ANSWER]);
	assert_int_equal(wait->waiting[PATIENCE_ANSWER], 4);
	assert_non_null(find(patience, FINDING_HANGS, 2));
	patience_free(patience);
}

/* A late answer after the heal is no patience that was measured, but it had waited as long. */
static void an_answer_behind_the_heal_is_no_end_of_patience(void **state)
{
	struct patience *patience = begin();
	const struct patience_wait *wait;

	add(patience, 2, make(SHAPE_TURNS, CUT + 10 * MS, LIMIT + 400 * MS, 200, 0));
	cut(patience, 2, CUT);
	assert_int_equal(patience_measure(patience, LIMIT), 0);
	wait = patience_wait_at(patience, 0, 2);
	assert_int_equal(wait->gave_up[PATIENCE_ANSWER].count, 0);
	assert_int_equal(wait->waiting[PATIENCE_ANSWER], 1);
	patience_free(patience);
}

static void one_end_that_was_missed_is_no_hang(void **state)
{
	struct patience *patience = begin();

	for (int i = 1; i <= 8; i++)
		add(patience, 2, make(SHAPE_UNCONNECTED, CUT + (uint64_t)i * MS, 300 * MS, 0, 0));
	add(patience, 2, make(SHAPE_PENDING, CUT + 10 * MS, LIMIT + 50 * MS, 0, 0));
	cut(patience, 2, CUT);
	assert_int_equal(patience_measure(patience, LIMIT), 0);
	assert_false(patience_wait_at(patience, 0, 2)->hangs[PATIENCE_ANSWER]);
	assert_null(find(patience, FINDING_HANGS, 2));
	patience_free(patience);
}

static void a_look_that_was_too_short_finds_no_hang(void **state)
{
	struct patience *patience = begin();

	add(patience, 2, make(SHAPE_PENDING, CUT + 2000 * MS, 1000 * MS, 0, 0));
	cut(patience, 2, CUT);
	assert_int_equal(patience_measure(patience, LIMIT), 0);
	assert_false(patience_wait_at(patience, 0, 2)->hangs[PATIENCE_ANSWER]);
	assert_null(find(patience, FINDING_HANGS, 2));
	assert_non_null(find(patience, FINDING_UNKNOWN, 2));
	patience_free(patience);
}

static void connecting_and_waiting_for_an_answer_are_told_apart(void **state)
{
	struct patience *patience = begin();
	const struct patience_wait *wait;

	for (int i = 1; i <= 3; i++) {
		add(patience, 2, make(SHAPE_ABANDONED, CUT + (uint64_t)i * MS, 200 * MS, 0, 0));
		add(patience, 2, make(SHAPE_UNCONNECTED, CUT + (uint64_t)i * MS, 900 * MS, 0, 0));
	}
	cut(patience, 2, CUT);
	assert_int_equal(patience_measure(patience, LIMIT), 0);
	wait = patience_wait_at(patience, 0, 2);
	assert_near(wait->gave_up[PATIENCE_ANSWER].p50_ns, 200 * MS);
	assert_near(wait->gave_up[PATIENCE_CONNECT].p50_ns, 900 * MS);
	assert_non_null(find(patience, FINDING_CONNECT, 2));
	patience_free(patience);
}

/* a's own link is cut as well, so both are known. */
static void measure_two(struct patience *patience, uint64_t a_ns, uint64_t b_ns)
{
	uint64_t later = CUT + 20000 * MS;

	requests(patience, a_ns, b_ns);
	for (int i = 1; i <= 5; i++)
		add(patience, 1, make(SHAPE_ABANDONED, later + (uint64_t)i * MS, a_ns, 0, 0));
	cut(patience, 2, CUT);
	cut(patience, 1, later);
	assert_int_equal(patience_measure(patience, LIMIT), 0);
}

static void an_outer_timeout_that_is_shorter_is_found(void **state)
{
	struct patience *patience = begin();
	const struct patience_finding *finding;

	measure_two(patience, 300 * MS, 600 * MS);
	finding = find(patience, FINDING_OUTER_SHORTER, 1);
	assert_non_null(finding);
	assert_non_null(strstr(finding->text, "a gives up on b"));
	patience_free(patience);
}

static void timeouts_that_are_nested_are_not_found_fault_with(void **state)
{
	struct patience *patience = begin();

	measure_two(patience, 600 * MS, 300 * MS);
	assert_null(find(patience, FINDING_OUTER_SHORTER, 1));
	assert_null(find(patience, FINDING_EQUAL, 1));
	patience_free(patience);
}

static void equal_timeouts_are_left_to_chance(void **state)
{
	struct patience *patience = begin();

	measure_two(patience, 500 * MS, 501 * MS);
	assert_non_null(find(patience, FINDING_EQUAL, 1));
	patience_free(patience);
}

static void tries_multiply(void **state)
{
	struct patience *patience = begin();
	const struct patience_wait *wait;
	uint64_t parent;

	for (int i = 1; i <= 5; i++) {
		uint64_t at = CUT + (uint64_t)i * 100 * MS;

		parent = add(patience, 1, make(SHAPE_TURNS, at, 650 * MS, 504, 0));
		for (uint64_t try = 0; try < 3; try++)
			add(patience, 2,
			    make(SHAPE_ABANDONED, at + MS + try * 210 * MS, 200 * MS, 0, parent));
	}
	cut(patience, 2, CUT);
	assert_int_equal(patience_measure(patience, LIMIT), 0);
	wait = patience_wait_at(patience, 0, 2);
	assert_int_equal(wait->tries.p50_ns, 3);
	assert_near(wait->gave_up[PATIENCE_ANSWER].p50_ns, 200 * MS);
	assert_non_null(find(patience, FINDING_RETRIES, 2));
	patience_free(patience);
}

/* a has gone when b tries for the third time. */
static void tries_that_last_longer_than_the_callers_patience_are_found(void **state)
{
	struct patience *patience = begin();
	uint64_t later = CUT + 20000 * MS, parent;
	const struct patience_finding *finding;

	for (int i = 1; i <= 5; i++) {
		uint64_t at = CUT + (uint64_t)i * 100 * MS;

		parent = add(patience, 1, make(SHAPE_ABANDONED, at, 500 * MS, 0, 0));
		for (uint64_t try = 0; try < 3; try++)
			add(patience, 2,
			    make(SHAPE_ABANDONED, at + MS + try * 200 * MS, 200 * MS, 0, parent));
		add(patience, 1, make(SHAPE_ABANDONED, later + (uint64_t)i * MS, 500 * MS, 0, 0));
	}
	cut(patience, 2, CUT);
	cut(patience, 1, later);
	assert_int_equal(patience_measure(patience, LIMIT), 0);
	finding = find(patience, FINDING_OUTER_SHORTER, 1);
	assert_non_null(finding);
	assert_non_null(strstr(finding->text, "(all tries)"));
	patience_free(patience);
}

static void a_link_without_a_call_is_not_known(void **state)
{
	struct patience *patience = begin();

	cut(patience, 2, CUT);
	assert_int_equal(patience_measure(patience, LIMIT), 0);
	assert_int_equal(patience_wait_at(patience, 0, 2)->calls, 0);
	assert_non_null(find(patience, FINDING_UNKNOWN, 2));
	assert_non_null(find(patience, FINDING_UNKNOWN, 0)); /* and this one was not even cut */
	patience_free(patience);
}

static void who_is_refused_does_not_wait(void **state)
{
	struct patience *patience = begin();

	for (int i = 0; i < 3; i++)
		add(patience, 2, make(SHAPE_REFUSED, CUT + 10 * MS, 2 * MS, 0, 0));
	cut(patience, 2, CUT);
	assert_int_equal(patience_measure(patience, LIMIT), 0);
	assert_int_equal(patience_wait_at(patience, 0, 2)->broken, 3);
	assert_non_null(find(patience, FINDING_UNKNOWN, 2));
	assert_null(find(patience, FINDING_HANGS, 2));
	patience_free(patience);
}

static void the_file_has_a_row_for_each_cut_and_caller(void **state)
{
	struct patience *patience = begin();
	char *text = NULL;
	size_t size, lines = 0, commas = 0;
	FILE *out = open_memstream(&text, &size);

	measure_two(patience, 600 * MS, 300 * MS);
	assert_int_equal(patience_write_csv(patience, out), 0);
	fclose(out);
	for (const char *at = text; *at; at++) {
		lines += *at == '\n';
		commas += *at == ',';
	}
	assert_int_equal(lines, 1 + 3 + 2); /* c's cut has three callers, b's has two */
	assert_int_equal(commas % lines, 0);
	free(text);
	patience_free(patience);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(who_gives_up_has_that_patience),
		cmocka_unit_test(who_called_for_it_saw_what_came_of_it),
		cmocka_unit_test(who_waits_until_the_end_of_the_cut_hangs),
		cmocka_unit_test(an_answer_behind_the_heal_is_no_end_of_patience),
		cmocka_unit_test(one_end_that_was_missed_is_no_hang),
		cmocka_unit_test(a_look_that_was_too_short_finds_no_hang),
		cmocka_unit_test(connecting_and_waiting_for_an_answer_are_told_apart),
		cmocka_unit_test(an_outer_timeout_that_is_shorter_is_found),
		cmocka_unit_test(timeouts_that_are_nested_are_not_found_fault_with),
		cmocka_unit_test(equal_timeouts_are_left_to_chance),
		cmocka_unit_test(tries_multiply),
		cmocka_unit_test(tries_that_last_longer_than_the_callers_patience_are_found),
		cmocka_unit_test(a_link_without_a_call_is_not_known),
		cmocka_unit_test(who_is_refused_does_not_wait),
		cmocka_unit_test(the_file_has_a_row_for_each_cut_and_caller),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
