/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test_availability.c - facts about availability that can be computed by hand, or by adding up every state of the world.
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

#include "availability/montecarlo.h"
#include "availability/assessment.h"
#include "availability/words.h"
#include "availability_data.h"
#include "base/cleanup.h"

static void assert_near(double got, double wanted)
{
	if (!(fabs(got - wanted) <= 1e-12 * fabs(wanted) + 1e-300))
		fail_msg("%.17g is not %.17g", got, wanted);
}

static struct chance whole_of(const char *yaml)
{
	_cleanup_(model_freep) struct model *model = model_of(yaml);
	_cleanup_(system_freep) struct system *system = NULL;

	assert_int_equal(system_new(model, &system), 0);
	return system_part_chance(system, model->entry);
}

/* ---- by hand ---- */

static void five_by_99_95_in_series_are_99_75(void **state)
{
	struct chance whole = whole_of("entry: a\nservices:\n"
				       " - {name: a, availability: 99.95%, calls: [b]}\n"
				       " - {name: b, availability: 99.95%, calls: [c]}\n"
				       " - {name: c, availability: 99.95%, calls: [d]}\n"
				       " - {name: d, availability: 99.95%, calls: [e]}\n"
				       " - {name: e, availability: 99.95%}\n");
	char text[WORDS_MAX];

	(void)state;
	assert_near(whole.up, 0.99750249875031246875); /* 0.9995^5, all its digits */
	assert_string_equal(words_percent(text, whole), "99.75%");
	assert_string_equal(words_downtime(text, whole.down * YEAR_SECONDS), "21.9h");
}

static void of_two_that_are_redundant_one_must_work(void **state)
{
	struct chance whole = whole_of("entry: g\nservices:\n"
				       " - {name: a, availability: 90%}\n"
				       " - {name: b, availability: 0.8}\n"
				       "groups:\n - {name: g, need: 1, of: [a, b]}\n");

	(void)state;
	assert_near(whole.down, 0.1 * 0.2);
	assert_near(whole.up, 0.98);
}

static void two_of_three_is_three_p_squared_less_two_p_cubed(void **state)
{
	const double p = 0.9, q = 0.1;
	struct chance of_group =
		whole_of("entry: g\nservices:\n - {name: a, availability: 0.9}\n"
			 " - {name: b, availability: 0.9}\n - {name: c, availability: 0.9}\n"
			 "groups:\n - {name: g, need: 2, of: [a, b, c]}\n");
	struct chance of_replicas = whole_of(
		"entry: a\nservices:\n - {name: a, availability: 0.9, replicas: 3, need: 2}\n");

	(void)state;
	assert_near(of_group.up, 3 * p * p - 2 * p * p * p);
	assert_near(of_group.down, q * q * q + 3 * q * q * p);
	assert_near(of_replicas.up, of_group.up);
	assert_near(of_replicas.down, of_group.down);
}

/*
 * a calls b and c, both of which call d. Works when a, b, c, d work: d once. And of the redundant pair the same: by
 * inclusion and exclusion P(bd or cd) = bd + cd - bcd, which is d (b + c - bc).
 */
static void what_two_share_is_counted_once(void **state)
{
	static const char services[] = " - {name: b, availability: 0.8, calls: [d]}\n"
				       " - {name: c, availability: 0.7, calls: [d]}\n"
				       " - {name: d, availability: 0.6}\n";
	char yaml[512];

	(void)state;
	snprintf(yaml, sizeof(yaml),
		 "entry: a\nservices:\n - {name: a, availability: 0.9, calls: [b, c]}\n%s",
		 services);
	assert_near(whole_of(yaml).up, 0.9 * 0.8 * 0.7 * 0.6);
	snprintf(yaml, sizeof(yaml),
		 "entry: g\nservices:\n%sgroups:\n - {name: g, need: 1, of: [b, c]}\n", services);
	assert_near(whole_of(yaml).up, 0.8 * 0.6 + 0.7 * 0.6 - 0.8 * 0.7 * 0.6);
}

/*
 * The bridge: source - a - x, source - b - y, x - c - y, x - d - sink, y - e - sink. Its four minimal paths are ad, be, ace
 * and bcd; with all at p it works with 2p^2 + 2p^3 - 5p^4 + 2p^5 (by pivoting on c).
 */
static void the_bridge_network_is_2pp_2ppp_5pppp_2ppppp(void **state)
{
	const double p = 0.9;
	struct chance whole =
		whole_of("entry: any\nservices:\n"
			 " - {name: ad, availability: 100%, calls: [a, d]}\n"
			 " - {name: be, availability: 100%, calls: [b, e]}\n"
			 " - {name: ace, availability: 100%, calls: [a, c, e]}\n"
			 " - {name: bcd, availability: 100%, calls: [b, c, d]}\n"
			 " - {name: a, availability: 0.9}\n - {name: b, availability: 0.9}\n"
			 " - {name: c, availability: 0.9}\n - {name: d, availability: 0.9}\n"
			 " - {name: e, availability: 0.9}\n"
			 "groups:\n - {name: any, need: 1, of: [ad, be, ace, bcd]}\n");

	(void)state;
	assert_near(whole.up,
		    2 * pow(p, 2) + 2 * pow(p, 3) - 5 * pow(p, 4) + 2 * pow(p, 5)); /* 0.97848 */
	assert_near(whole.up, 0.97848);
}

static void an_optional_call_counts_for_the_full_answer_alone(void **state)
{
	_cleanup_(model_freep) struct model *model =
		model_of("entry: a\nservices:\n"
			 " - {name: a, availability: 0.9, calls: [{to: b, optional: true}]}\n"
			 " - {name: b, availability: 0.5}\n");
	_cleanup_(assessment_done) struct assessment assessment = {};

	(void)state;
	assert_int_equal(assessment_make(model, 0, 1, &assessment), 0);
	assert_near(assessment.whole.up, 0.9);
	assert_true(assessment.has_full);
	assert_near(assessment.full.up, 0.45);
}

static void a_way_fails_by_itself(void **state)
{
	struct chance whole =
		whole_of("entry: a\nservices:\n"
			 " - {name: a, availability: 0.9, calls: [{to: b, availability: 0.8}]}\n"
			 " - {name: b, availability: 0.5}\n");

	(void)state;
	assert_near(whole.up, 0.9 * 0.8 * 0.5);
}

static void twelve_nines_keep_their_digits(void **state)
{
	struct chance whole =
		whole_of("entry: a\nservices:\n"
			 " - {name: a, availability: 99.9999999999%, calls: [b]}\n"
			 " - {name: b, availability: 99.9999999999%, replicas: 2, need: 2}\n");

	(void)state;
	assert_near(whole.down, 3e-12 - 3e-24);
}

/* ---- by adding up ---- */

static void any_graph_is_the_sum_over_all_states(void **state)
{
	(void)state;
	for (unsigned int seed = 1; seed <= 300; seed++) {
		_cleanup_(model_freep) struct model *model = random_model(seed);
		_cleanup_(system_freep) struct system *system = NULL;
		struct chance wanted = enumerated(model), got;

		assert_int_equal(system_new(model, &system), 0);
		got = system_part_chance(system, model->entry);
		assert_near(got.up, wanted.up);
		assert_near(got.down, wanted.down);
	}
}

/* Birnbaum's importance is the difference between a part that always works and one that never does. */
static void importance_is_what_a_part_decides(void **state)
{
	(void)state;
	for (unsigned int seed = 1; seed <= 100; seed++) {
		_cleanup_(model_freep) struct model *model = random_model(seed);
		_cleanup_(system_freep) struct system *system = NULL;

		assert_int_equal(system_new(model, &system), 0);
		for (unsigned int i = 0; i < model->parts; i++) {
			struct part *part = &model->part[i];
			struct chance one = part->one;
			double with, without;

			if (part->is_group)
				continue;
			part->one = (struct chance){ 1, 0 };
			with = enumerated(model).up;
			part->one = (struct chance){ 0, 1 };
			without = enumerated(model).up;
			part->one = one;
			assert_true(fabs(system_part_importance(system, i) - (with - without)) <
				    1e-12);
		}
	}
}

static void no_service_that_gets_better_makes_the_whole_worse(void **state)
{
	(void)state;
	for (unsigned int seed = 1; seed <= 100; seed++) {
		_cleanup_(model_freep) struct model *model = random_model(seed);
		_cleanup_(system_freep) struct system *before = NULL;

		assert_int_equal(system_new(model, &before), 0);
		for (unsigned int i = 0; i < model->parts; i++) {
			_cleanup_(system_freep) struct system *after = NULL;
			struct chance one = model->part[i].one;

			model->part[i].one = (struct chance){ one.up + one.down / 2, one.down / 2 };
			assert_int_equal(system_new(model, &after), 0);
			model->part[i].one = one;
			assert_true(system_part_chance(after, model->entry).down <=
				    system_part_chance(before, model->entry).down * (1 + 1e-12));
		}
	}
}

static void the_simulation_is_within_five_standard_errors(void **state)
{
	const uint64_t samples = 20000;

	(void)state;
	for (unsigned int seed = 1; seed <= 100; seed++) {
		_cleanup_(model_freep) struct model *model = random_model(seed);
		_cleanup_(system_freep) struct system *system = NULL;
		struct estimate estimate, again;
		struct chance exact;

		assert_int_equal(system_new(model, &system), 0);
		assert_int_equal(montecarlo(model, samples, seed, &estimate), 0);
		assert_int_equal(montecarlo(model, samples, seed, &again), 0);
		assert_int_equal(estimate.failed, again.failed);
		exact = system_part_chance(system, model->entry);
		assert_true(fabs(estimate.chance.down - exact.down) <=
			    5 * standard_error(exact, samples));
	}
}

/* ---- changes ---- */

/* What a change promises is what a model with it has. */
static double after_change(struct model *model, const struct change *change)
{
	struct part *part = &model->part[change->index];
	struct edge *edge = &model->edge[change->index];
	struct part part_was = *part;
	struct edge edge_was = change->is_edge ? *edge : (struct edge){};
	double down;

	if (change->kind == CHANGE_REPLICA)
		part->replicas++;
	else if (change->kind == CHANGE_NINE && change->is_edge)
		edge->way = (struct chance){ 1 - edge->way.down / 10, edge->way.down / 10 };
	else if (change->kind == CHANGE_NINE)
		part->one = (struct chance){ 1 - part->one.down / 10, part->one.down / 10 };
	else
		edge->optional = true;
	down = enumerated(model).down;
	if (change->is_edge)
		*edge = edge_was;
	else
		*part = part_was;
	return down;
}

static void every_change_does_what_it_says(void **state)
{
	unsigned int seen[CHANGE_DROP + 1] = {};

	(void)state;
	for (unsigned int seed = 1; seed <= 60; seed++) {
		_cleanup_(model_freep) struct model *model = random_model(seed);
		_cleanup_(assessment_done) struct assessment assessment = {};
		double last = INFINITY;

		assert_int_equal(assessment_make(model, 0, 1, &assessment), 0);
		for (unsigned int i = 0; i < assessment.changes.count; i++) {
			const struct change *change = &assessment.changes.change[i];

			assert_true(change->is_known);
			assert_true(change->gain <= last * (1 + 1e-8));
			last = change->gain;
			seen[change->kind]++;
			if (!change->is_edge && model->part[change->index].is_group)
				continue;
			assert_true(fabs(change->whole.down - after_change(model, change)) < 1e-12);
		}
	}
	for (unsigned int kind = 0; kind <= CHANGE_DROP; kind++)
		assert_true(seen[kind] > 0);
}

/* 90 % becomes 99 % with a second replica, and with a nine more. */
static void a_service_that_fails_has_a_replica_and_a_nine_to_gain(void **state)
{
	_cleanup_(model_freep) struct model *model =
		model_of("entry: a\nservices:\n - {name: a, availability: 90%}\n");
	_cleanup_(assessment_done) struct assessment assessment = {};
	char text[CHANGE_TEXT_MAX];

	(void)state;
	assert_int_equal(assessment_make(model, 0, 1, &assessment), 0);
	assert_int_equal(assessment.changes.count, 2);
	assert_string_equal(change_text(model, &assessment.changes.change[0], text),
			    "one more replica of a (1 of 2)");
	assert_string_equal(change_text(model, &assessment.changes.change[1], text),
			    "one nine more for a");
	for (int i = 0; i < 2; i++)
		assert_near(assessment.changes.change[i].whole.down, 0.01);
}

/* A copy of the last member, with calls of its own to the same service: 1 of {a, b}, then 1 of {a, b, b'}. */
static void a_group_grows_by_a_copy_that_shares_what_its_like_needs(void **state)
{
	_cleanup_(model_freep) struct model *model =
		model_of("entry: g\nservices:\n - {name: a, availability: 0.9, calls: [d]}\n"
			 " - {name: b, availability: 0.8, calls: [{to: d, availability: 0.5}]}\n"
			 " - {name: d, availability: 0.7}\n"
			 "groups:\n - {name: g, need: 1, of: [a, b]}\n");
	_cleanup_(assessment_done) struct assessment assessment = {};

	(void)state;
	assert_int_equal(assessment_make(model, 0, 1, &assessment), 0);
	assert_near(assessment.whole.up, 0.7 * (1 - 0.1 * 0.6));
	for (unsigned int i = 0; i < assessment.changes.count; i++) {
		const struct change *change = &assessment.changes.change[i];
		char text[CHANGE_TEXT_MAX];

		if (change->kind != CHANGE_REPLICA || !model->part[change->index].is_group)
			continue;
		assert_string_equal(change_text(model, change, text),
				    "one more like b in g (1 of 3)");
		assert_near(change->whole.up, 0.7 * (1 - 0.1 * 0.6 * 0.6));
		return;
	}
	fail_msg("the group has no such change");
}

static void replicas_are_added_where_they_gain_most_until_the_goal_is_met(void **state)
{
	_cleanup_(model_freep) struct model *model =
		model_of("entry: a\nslo: {availability: 98%}\nservices:\n"
			 " - {name: a, availability: 99.9%, calls: [b, c]}\n"
			 " - {name: b, availability: 90%}\n - {name: c, availability: 95%}\n");
	_cleanup_(assessment_done) struct assessment assessment = {};

	(void)state;
	assert_int_equal(assessment_make(model, 0, 1, &assessment), 0);
	assert_int_equal(assessment.steps, 2);
	assert_string_equal(model->part[assessment.step[0].part].name, "b");
	assert_string_equal(model->part[assessment.step[1].part].name, "c");
	assert_near(assessment.after_steps.up, 0.999 * 0.99 * 0.9975);
}

/* ---- latency ---- */

static uint64_t floor_of(const char *yaml)
{
	_cleanup_(model_freep) struct model *model = model_of(yaml);
	_cleanup_(assessment_done) struct assessment assessment = {};
	double sum_ns = 0;

	assert_int_equal(assessment_make(model, 0, 1, &assessment), 0);
	for (unsigned int i = 0; i < model->parts; i++)
		sum_ns += (double)model->part[i].latency_ns * assessment.part_times[i];
	for (unsigned int k = 0; k < model->edges; k++)
		sum_ns += (double)model->edge[k].latency_ns * assessment.edge_times[k];
	assert_near(sum_ns,
		    (double)assessment.floor_ns); /* the path is what the floor is made of */
	return assessment.floor_ns;
}

static void in_series_times_add_up(void **state)
{
	(void)state;
	assert_int_equal(floor_of("entry: a\nservices:\n"
				  " - {name: a, availability: 1.0, latency: 1ms, calls: [{to: b, "
				  "latency: 2ms}, c]}\n"
				  " - {name: b, availability: 1.0, latency: 4ms}\n"
				  " - {name: c, availability: 1.0, latency: 8ms, calls: [b]}\n"),
			 19000000); /* b is waited for twice */
}

static void at_once_the_slowest_counts(void **state)
{
	(void)state;
	assert_int_equal(floor_of("entry: a\nservices:\n"
				  " - {name: a, availability: 1.0, latency: 1ms, calls: [{to: b, "
				  "parallel: x},"
				  " {to: c, latency: 2ms, parallel: x}, {to: d, parallel: y}, {to: "
				  "e, parallel: x}]}\n"
				  " - {name: b, availability: 1.0, latency: 9ms}\n"
				  " - {name: c, availability: 1.0, latency: 8ms}\n"
				  " - {name: d, availability: 1.0, latency: 16ms}\n"
				  " - {name: e, availability: 1.0, latency: 10ms}\n"),
			 27000000); /* 1 + max(9, 10, 10) + 16 */
}

static void a_group_is_as_fast_as_its_last_needed_member(void **state)
{
	(void)state;
	assert_int_equal(floor_of("entry: g\nservices:\n"
				  " - {name: a, availability: 1.0, latency: 9ms}\n"
				  " - {name: b, availability: 1.0, latency: 3ms}\n"
				  " - {name: c, availability: 1.0, latency: 5ms}\n"
				  "groups:\n - {name: g, need: 2, of: [a, b, c]}\n"),
			 5000000);
}

/* ---- words ---- */

static void downtime_is_said_in_its_own_unit(void **state)
{
	char text[WORDS_MAX];

	(void)state;
	assert_string_equal(words_downtime(text, 0), "0");
	assert_string_equal(words_downtime(text, 0.0005), "500us");
	assert_string_equal(words_downtime(text, 0.864), "864ms");
	assert_string_equal(words_downtime(text, 31.5576), "31.6s");
	assert_string_equal(words_downtime(text, 2629.8), "43.8min");
	assert_string_equal(words_downtime(text, 31557.6), "8.77h");
	assert_string_equal(words_downtime(text, 3155760), "36.5d");
	assert_string_equal(words_downtime(text, YEAR_SECONDS), "365d");
}

static void nines_are_cut_and_never_rounded_up(void **state)
{
	char text[WORDS_MAX];

	(void)state;
	assert_string_equal(words_nines_text(text, (struct chance){ 0.999, 0.001 }), "3.00");
	assert_string_equal(words_nines_text(text, (struct chance){ 0.99899, 0.00101 }), "2.99");
	assert_string_equal(words_nines_text(text, (struct chance){ 1, 0 }), "all");
	assert_string_equal(words_percent(text, (struct chance){ 1, 0 }), "100%");
	assert_string_equal(words_percent(text, (struct chance){ 0, 1 }), "0%");
	assert_string_equal(words_percent(text, (struct chance){ 1, 1e-12 }), "99.9999999999%");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(five_by_99_95_in_series_are_99_75),
		cmocka_unit_test(of_two_that_are_redundant_one_must_work),
		cmocka_unit_test(two_of_three_is_three_p_squared_less_two_p_cubed),
		cmocka_unit_test(what_two_share_is_counted_once),
		cmocka_unit_test(the_bridge_network_is_2pp_2ppp_5pppp_2ppppp),
		cmocka_unit_test(an_optional_call_counts_for_the_full_answer_alone),
		cmocka_unit_test(a_way_fails_by_itself),
		cmocka_unit_test(twelve_nines_keep_their_digits),
		cmocka_unit_test(any_graph_is_the_sum_over_all_states),
		cmocka_unit_test(importance_is_what_a_part_decides),
		cmocka_unit_test(no_service_that_gets_better_makes_the_whole_worse),
		cmocka_unit_test(the_simulation_is_within_five_standard_errors),
		cmocka_unit_test(every_change_does_what_it_says),
		cmocka_unit_test(a_service_that_fails_has_a_replica_and_a_nine_to_gain),
		cmocka_unit_test(a_group_grows_by_a_copy_that_shares_what_its_like_needs),
		cmocka_unit_test(replicas_are_added_where_they_gain_most_until_the_goal_is_met),
		cmocka_unit_test(in_series_times_add_up),
		cmocka_unit_test(at_once_the_slowest_counts),
		cmocka_unit_test(a_group_is_as_fast_as_its_last_needed_member),
		cmocka_unit_test(downtime_is_said_in_its_own_unit),
		cmocka_unit_test(nines_are_cut_and_never_rounded_up),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
