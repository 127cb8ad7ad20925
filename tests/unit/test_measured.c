/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test_measured.c - facts about availability in a trace: what counts as a failure, and which hop it is blamed on.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "availability/measured.h"
#include "availability/assessment.h"
#include "availability_data.h"
#include "base/cleanup.h"
#include "export_data.h"

/* Endpoint ids of data_baseline. */
enum { CLIENT, A, B, C, D, E };

static const char chain_yaml[] = "entry: a\nservices:\n"
				 " - {name: a, availability: 99%, calls: [b]}\n"
				 " - {name: b, availability: 98%, calls: [c]}\n"
				 " - {name: c, availability: 97%}\n";

struct file {
	char folder[64];
	char path[96];
	struct export *export;
	uint64_t span;
};

static void open_file(struct file *file)
{
	data_make_folder(file->folder, sizeof(file->folder));
	snprintf(file->path, sizeof(file->path), "%s/hops.csv", file->folder);
	file->span = 0;
	assert_int_equal(export_open(&export_csv, file->path, 0, &file->export, NULL), 0);
	assert_int_equal(export_begin_run(file->export, &data_baseline), 0);
}

static struct measured close_and_read(struct file *file, const struct model *model)
{
	char error[EXPORT_ERROR_MAX] = "";
	struct measured measured;

	assert_int_equal(export_end_run(file->export), 0);
	assert_int_equal(export_close(file->export), 0);
	if (measured_read(model, file->path, NULL, &measured, error) < 0)
		fail_msg("%s", error);
	data_remove_folder(file->folder);
	return measured;
}

struct row {
	int src, dst;
	unsigned int status; /* 0: none was seen */
	uint64_t resp_bytes;
	int parent; /* index of a row; -1: the root */
};

static void write_chain(struct file *file, const struct row *row, unsigned int rows)
{
	struct call call[8];
	uint64_t first = file->span + 1;

	for (unsigned int i = 0; i < rows; i++) {
		call[i] = data_unknown_call();
		call[i].span_id = ++file->span;
		call[i].parent_span_id = row[i].parent < 0 ? 0 : first + (uint64_t)row[i].parent;
		memcpy(call[i].trace_id, &first, sizeof(first));
		call[i].src = HF_ENDPOINT_FIRST + (unsigned int)row[i].src;
		call[i].dst = HF_ENDPOINT_FIRST + (unsigned int)row[i].dst;
		call[i].status = (uint16_t)row[i].status;
		call[i].resp_bytes = row[i].resp_bytes;
		strcpy(call[i].method, "GET");
	}
	assert_int_equal(export_chain(file->export, &(struct chain){ rows, call }), 0);
}

#define WRITE(file, ...)                                       \
	write_chain(file, (const struct row[]){ __VA_ARGS__ }, \
		    sizeof((const struct row[]){ __VA_ARGS__ }) / sizeof(struct row))

/* The tallies of the hop from one part to another, by their names. */
static const struct hop *hop_between(const struct measured *measured, const char *src,
				     const char *dst)
{
	for (unsigned int i = 0; i < measured->hops; i++) {
		const struct hop *hop = &measured->hop[i];
		const char *from = hop->src == MEASURED_OUTSIDE
					   ? "outside"
					   : measured->model->part[hop->src].name;

		if (strcmp(from, src) == 0 &&
		    strcmp(measured->model->part[hop->dst].name, dst) == 0)
			return hop;
	}
	fail_msg("no hop %s -> %s", src, dst);
	return NULL;
}

static void assert_hop(const struct measured *measured, const char *src, const char *dst,
		       struct tally all, struct tally itself)
{
	const struct hop *hop = hop_between(measured, src, dst);

	assert_int_equal(hop->all.tries, all.tries);
	assert_int_equal(hop->all.ok, all.ok);
	assert_int_equal(hop->itself.tries, itself.tries);
	assert_int_equal(hop->itself.ok, itself.ok);
}

static void a_failure_is_blamed_on_the_last_hop_of_its_way_down(void **state)
{
	_cleanup_(model_freep) struct model *model = model_of(chain_yaml);
	struct measured measured;
	struct file file;

	(void)state;
	open_file(&file);
	WRITE(&file, { CLIENT, A, 200, 9, -1 }, { A, B, 200, 9, 0 }, { B, C, 200, 9, 1 });
	WRITE(&file, { CLIENT, A, 502, 9, -1 }, { A, B, 502, 9, 0 }, { B, C, 500, 9, 1 });
	WRITE(&file, { CLIENT, A, 504, 9, -1 }, { A, B, 500, 9, 0 }, { B, C, 200, 9, 1 });
	measured = close_and_read(&file, model);
	assert_hop(&measured, "outside", "a", (struct tally){ 3, 1 }, (struct tally){ 1, 1 });
	assert_hop(&measured, "a", "b", (struct tally){ 3, 1 }, (struct tally){ 2, 1 });
	assert_hop(&measured, "b", "c", (struct tally){ 3, 2 }, (struct tally){ 3, 2 });
	assert_int_equal(measured.whole.tries, 3);
	assert_int_equal(measured.whole.ok, 1);
	measured_done(&measured);
}

static void a_call_that_never_connected_is_seen_by_its_callers_504(void **state)
{
	_cleanup_(model_freep) struct model *model = model_of(chain_yaml);
	struct measured measured;
	struct file file;

	(void)state;
	open_file(&file);
	WRITE(&file, { CLIENT, A, 504, 9, -1 }, { A, B, 504, 9, 0 });
	WRITE(&file, { CLIENT, A, 500, 9, -1 }); /* its own: it blames nobody */
	measured = close_and_read(&file, model);
	assert_hop(&measured, "b", "c", (struct tally){ 1, 0 }, (struct tally){ 1, 0 });
	assert_int_equal(hop_between(&measured, "b", "c")->unseen, 1);
	assert_hop(&measured, "a", "b", (struct tally){ 1, 0 }, (struct tally){ 0, 0 });
	assert_hop(&measured, "outside", "a", (struct tally){ 2, 0 }, (struct tally){ 2, 1 });
	measured_done(&measured);
}

/*
 * 20 requests: 2 never reach b, 6 fail at c, 3 at b after c's answer. b by itself: 18 of 20 before, 9 of 12 after: 0.675;
 * c: 12 of 18. Together 0.45: what the client saw.
 */
static void shares_by_themselves_multiply_up_to_what_was_seen(void **state)
{
	_cleanup_(model_freep) struct model *model = model_of(chain_yaml);
	_cleanup_(assessment_done) struct assessment assessment = {};
	struct measured measured;
	struct file file;
	unsigned int i;

	(void)state;
	open_file(&file);
	for (i = 0; i < 2; i++)
		WRITE(&file, { CLIENT, A, 504, 9, -1 }, { A, B, 0, 0, 0 });
	for (i = 0; i < 6; i++)
		WRITE(&file, { CLIENT, A, 502, 9, -1 }, { A, B, 502, 9, 0 }, { B, C, 500, 9, 1 });
	for (i = 0; i < 3; i++)
		WRITE(&file, { CLIENT, A, 502, 9, -1 }, { A, B, 500, 9, 0 }, { B, C, 200, 9, 1 });
	for (i = 0; i < 9; i++)
		WRITE(&file, { CLIENT, A, 200, 9, -1 }, { A, B, 200, 9, 0 }, { B, C, 200, 9, 1 });
	measured = close_and_read(&file, model);
	assert_hop(&measured, "outside", "a", (struct tally){ 20, 9 }, (struct tally){ 9, 9 });
	assert_hop(&measured, "b", "c", (struct tally){ 18, 12 }, (struct tally){ 18, 12 });
	assert_hop(&measured, "a", "b", (struct tally){ 20, 9 }, (struct tally){ 15, 10 });
	assert_int_equal(assessment_make(model, 0, 1, &assessment), 0);
	assert_int_equal(assessment_add_measured(&assessment, &measured), 0);
	assert_true(fabs(assessment.predicted.up - 9. / 20) < 0.01); /* tries are whole numbers */
	measured_done(&measured);
}

static void no_answer_fails_a_404_answers_and_an_unseen_status_is_left_out(void **state)
{
	_cleanup_(model_freep) struct model *model = model_of(chain_yaml);
	struct measured measured;
	struct file file;

	(void)state;
	open_file(&file);
	WRITE(&file, { CLIENT, A, 0, 0, -1 });
	WRITE(&file, { CLIENT, A, 404, 9, -1 });
	WRITE(&file, { CLIENT, A, 0, 9, -1 });
	measured = close_and_read(&file, model);
	assert_hop(&measured, "outside", "a", (struct tally){ 2, 1 }, (struct tally){ 2, 1 });
	assert_int_equal(hop_between(&measured, "outside", "a")->unknown, 1);
	measured_done(&measured);
}

static void a_retry_mends_and_an_optional_call_costs_nothing(void **state)
{
	_cleanup_(model_freep) struct model *model =
		model_of("entry: a\nservices:\n"
			 " - {name: a, availability: 99%, calls: [b, {to: c, optional: true}]}\n"
			 " - {name: b, availability: 98%}\n - {name: c, availability: 97%}\n");
	struct measured measured;
	struct file file;

	(void)state;
	open_file(&file);
	WRITE(&file, { CLIENT, A, 200, 9, -1 }, { A, B, 500, 9, 0 }, { A, B, 200, 9, 0 },
	      { A, C, 500, 9, 0 });
	WRITE(&file, { CLIENT, A, 500, 9, -1 }, { A, B, 200, 9, 0 }, { A, C, 500, 9, 0 });
	measured = close_and_read(&file, model);
	assert_hop(&measured, "a", "b", (struct tally){ 3, 2 }, (struct tally){ 3, 2 });
	assert_hop(&measured, "outside", "a", (struct tally){ 2, 1 }, (struct tally){ 2, 1 });
	measured_done(&measured);
}

static void a_group_fails_when_too_few_of_its_members_answer(void **state)
{
	_cleanup_(model_freep) struct model *model =
		model_of("entry: a\nservices:\n - {name: a, availability: 99%, calls: [g]}\n"
			 " - {name: b, availability: 98%}\n - {name: c, availability: 97%}\n"
			 "groups:\n - {name: g, need: 1, of: [b, c]}\n");
	struct measured measured;
	struct file file;

	(void)state;
	open_file(&file);
	WRITE(&file, { CLIENT, A, 500, 9, -1 }, { A, B, 500, 9, 0 }, { A, C, 200, 9, 0 });
	WRITE(&file, { CLIENT, A, 500, 9, -1 }, { A, B, 500, 9, 0 }, { A, C, 500, 9, 0 });
	measured = close_and_read(&file, model);
	assert_hop(&measured, "outside", "a", (struct tally){ 2, 0 }, (struct tally){ 1, 0 });
	assert_hop(&measured, "a", "c", (struct tally){ 2, 1 }, (struct tally){ 2, 1 });
	measured_done(&measured);
}

static void what_the_model_does_not_have_is_counted_apart(void **state)
{
	_cleanup_(model_freep) struct model *model = model_of(chain_yaml);
	struct measured measured;
	struct file file;

	(void)state;
	open_file(&file);
	WRITE(&file, { CLIENT, A, 200, 9, -1 }, { A, E, 200, 9, 0 });
	WRITE(&file, { CLIENT, C, 200, 9, -1 }); /* not by the entry */
	measured = close_and_read(&file, model);
	assert_int_equal(measured.hops, 1);
	assert_int_equal(measured.foreign, 2);
	assert_string_equal(measured.foreign_name, "e");
	measured_done(&measured);
}

/* 8 of 10 at c by itself, 9 of 9 at b, nothing lost at a: 0.8; b and a claim more, and are not believed. */
static void the_model_of_what_was_measured_has_its_shares(void **state)
{
	_cleanup_(model_freep) struct model *model = model_of(chain_yaml);
	_cleanup_(assessment_done) struct assessment assessment = {};
	unsigned int index[8], replicas = 0;
	struct measured measured;
	struct file file;

	(void)state;
	open_file(&file);
	for (unsigned int i = 0; i < 10; i++)
		WRITE(&file, { CLIENT, A, i < 8 ? 200 : 502, 9, -1 },
		      { A, B, i < 8 ? 200 : 502, 9, 0 }, { B, C, i < 8 ? 200 : 500, 9, 1 });
	measured = close_and_read(&file, model);
	assert_int_equal(assessment_make(model, 0, 1, &assessment), 0);
	assert_int_equal(assessment_add_measured(&assessment, &measured), 0);
	assert_true(fabs(assessment.predicted.up - 0.8) < 1e-12);
	/* c alone fails, and what mends it: a copy of 0.8 fails in 0.04 of all cases. */
	assert_int_equal(assessment_by_cost(assessment.as_measured, index), 1);
	assert_string_equal(assessment.as_measured->model->part[index[0]].name, "c");
	for (unsigned int i = 0; i < assessment.as_measured->changes.count; i++) {
		const struct change *change = &assessment.as_measured->changes.change[i];

		if (change->kind != CHANGE_REPLICA)
			continue;
		assert_true(fabs(change->whole.up - 0.96) < 1e-12);
		replicas++;
	}
	assert_int_equal(replicas, 1);
	assert_int_equal(assessment.kept, 0);
	measured_done(&measured);
}

/* Wilson's interval of 0 of 10 ends at z^2 / (10 + z^2), of 5 of 10 it is 1/2 +- z / (2 sqrt(10 + z^2)). */
static void wilsons_interval_is_his(void **state)
{
	const double z = 1.959963984540054;
	double low, high;

	(void)state;
	wilson((struct tally){ 10, 0 }, &low, &high);
	assert_true(low == 0 && fabs(high - z * z / (10 + z * z)) < 1e-12);
	wilson((struct tally){ 10, 5 }, &low, &high);
	assert_true(fabs(low - (0.5 - z / (2 * sqrt(10 + z * z)))) < 1e-12);
	assert_true(fabs(high - (0.5 + z / (2 * sqrt(10 + z * z)))) < 1e-12);
	wilson((struct tally){ 0, 0 }, &low, &high);
	assert_true(low == 0 && high == 1);
	assert_string_equal(
		assessment_verdict((struct chance){ 0.999, 0.001 }, (struct tally){ 1000, 950 }),
		"worse");
	assert_string_equal(
		assessment_verdict((struct chance){ 0.95, 0.05 }, (struct tally){ 1000, 950 }),
		"agrees");
	assert_string_equal(
		assessment_verdict((struct chance){ 0.5, 0.5 }, (struct tally){ 1000, 950 }),
		"better");
}

/* With so many tries the interval of the one share has just no room for the other; with a few less it has. */
static void tries_to_tell_are_where_the_interval_ends(void **state)
{
	uint64_t n = 2000 * (wilson_tries(0.9995, 0.999) / 2000 + 1);
	double low, high;

	(void)state;
	wilson((struct tally){ n, n - n / 2000 }, &low, &high);
	assert_true(low > 0.999);
	n -= 2000;
	wilson((struct tally){ n, n - n / 2000 }, &low, &high);
	assert_true(low < 0.999);
	n = 1000 * (wilson_tries(0.999, 0.9995) / 1000 + 1);
	wilson((struct tally){ n, n - n / 1000 }, &low, &high);
	assert_true(high < 0.9995);
	n -= 1000;
	wilson((struct tally){ n, n - n / 1000 }, &low, &high);
	assert_true(high > 0.9995);
	assert_int_equal(wilson_tries(0.5, 0.5), 0);
	assert_int_equal(wilson_tries(0.5, 1), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_failure_is_blamed_on_the_last_hop_of_its_way_down),
		cmocka_unit_test(a_call_that_never_connected_is_seen_by_its_callers_504),
		cmocka_unit_test(no_answer_fails_a_404_answers_and_an_unseen_status_is_left_out),
		cmocka_unit_test(a_retry_mends_and_an_optional_call_costs_nothing),
		cmocka_unit_test(a_group_fails_when_too_few_of_its_members_answer),
		cmocka_unit_test(what_the_model_does_not_have_is_counted_apart),
		cmocka_unit_test(the_model_of_what_was_measured_has_its_shares),
		cmocka_unit_test(wilsons_interval_is_his),
		cmocka_unit_test(shares_by_themselves_multiply_up_to_what_was_seen),
		cmocka_unit_test(tries_to_tell_are_where_the_interval_ends),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
