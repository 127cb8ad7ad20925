/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test_rows.c - the table of rules that the programs read: whatever the links are, each has its rules, in their order, within
 * as many looks as a program takes.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/cleanup.h"
#include "fault/rows.h"
#include "hash.h"

/* As the programs walk. NULL: the link has no rules. */
static const struct hf_rule_row *first(const struct rows *rows, struct hf_link_key link)
{
	uint32_t at = 1 + hash_link(&link, rows->row[0].homes_mask);

	for (int i = 0; i < HF_HOME_LINKS_MAX; i++) {
		const struct hf_rule_row *row = &rows->row[at];

		assert_in_range(at, 1, rows->count - 1);
		if (row->link.src == link.src && row->link.dst == link.dst)
			return row;
		if (!row->other)
			return NULL;
		at = row->other;
	}
	fail_msg("more looks than a program takes");
	return NULL;
}

static const struct hf_rule_row *next(const struct rows *rows, const struct hf_rule_row *row)
{
	assert_in_range(row->further, 0, rows->count - 1);
	return row->further ? &rows->row[row->further] : NULL;
}

/* Rule n has the id n + 1; the links stand together. */
static void assert_all_are_found(const struct compiled_rule *rule, size_t rules)
{
	_cleanup_(rows_done) struct rows rows = {};

	assert_int_equal(rows_make(rule, rules, &rows), 0);
	for (size_t i = 0; i < rules;) {
		const struct hf_link_key link = rule[i].link;
		const struct hf_rule_row *row = first(&rows, link);

		assert_non_null(row);
		for (; row; row = next(&rows, row), i++)
			assert_int_equal(row->rule.id, rule[i].rule.id);
		assert_true(i == rules || rule[i].link.src != link.src ||
			    rule[i].link.dst != link.dst);
	}
}

/* Every link among so many endpoints, with 1, 2, ... up to `most` rules by turns. */
static size_t everybody(uint32_t endpoints, uint32_t most, struct compiled_rule **ret_rules)
{
	struct compiled_rule *rule =
		calloc((size_t)endpoints * endpoints * most + 1, sizeof(*rule));
	size_t at = 0, links = 0;

	assert_non_null(rule);
	for (uint32_t src = 0; src < endpoints; src++)
		for (uint32_t dst = 0; dst < endpoints; dst++, links += src != dst)
			for (uint32_t i = 0; src != dst && i <= links % most; i++, at++)
				rule[at] = (struct compiled_rule){
					.link = { HF_ENDPOINT_FIRST + src,
						  HF_ENDPOINT_FIRST + dst },
					.rule = { .id = (uint32_t)at + 1 },
				};
	*ret_rules = rule;
	return at;
}

static void every_link_of_any_number_has_its_rules(void **state)
{
	const uint32_t numbers[] = { 2, 3, 5, 8, 13, 33, 60, 128 };

	for (size_t i = 0; i < ARRAY_SIZE(numbers); i++) {
		_cleanup_(freep) struct compiled_rule *rule = NULL;
		size_t rules = everybody(numbers[i], 1, &rule);

		assert_all_are_found(rule, rules);
	}
}

static void a_link_has_up_to_sixteen_in_their_order(void **state)
{
	_cleanup_(freep) struct compiled_rule *rule = NULL;
	size_t rules = everybody(20, HF_LINK_RULES_MAX, &rule);

	assert_all_are_found(rule, rules);
}

static void a_link_without_rules_is_told_in_a_few_looks(void **state)
{
	_cleanup_(freep) struct compiled_rule *rule = NULL;
	_cleanup_(rows_done) struct rows rows = {};
	size_t rules = everybody(40, 1, &rule);

	assert_int_equal(rows_make(rule, rules, &rows), 0);
	for (uint32_t src = 0; src < 400; src++)
		for (uint32_t dst = 1; dst < 400; dst++) {
			bool is_ruled =
				src != dst && src >= 16 && src < 56 && dst >= 16 && dst < 56;

			assert_true(is_ruled == !!first(&rows, (struct hf_link_key){ src, dst }));
		}
}

static void no_rules_at_all_are_a_table_as_well(void **state)
{
	_cleanup_(rows_done) struct rows rows = {};

	assert_int_equal(rows_make(NULL, 0, &rows), 0);
	assert_null(first(&rows, (struct hf_link_key){ 16, 17 }));
}

/* Links that all have one home while there are few: it takes more homes to tell them apart. */
static void links_that_fall_together_get_more_homes(void **state)
{
	struct compiled_rule rule[3 * HF_HOME_LINKS_MAX] = {};
	_cleanup_(rows_done) struct rows rows = {};
	size_t found = 0;

	for (uint32_t dst = HF_ENDPOINT_FIRST; found < ARRAY_SIZE(rule); dst++) {
		struct hf_link_key link = { HF_ENDPOINT_FIRST, dst };

		if (hash_link(&link, 63) != 5)
			continue;
		rule[found] = (struct compiled_rule){ link, { .id = (uint32_t)found + 1 } };
		found++;
	}
	assert_all_are_found(rule, found);
	assert_int_equal(rows_make(rule, found, &rows), 0);
	assert_true(rows.row[0].homes_mask > 63);
}

/* By far the most links stand at home: that is what the table is for. */
static void most_links_are_found_at_once(void **state)
{
	_cleanup_(freep) struct compiled_rule *rule = NULL;
	_cleanup_(rows_done) struct rows rows = {};
	size_t rules = everybody(32, 1, &rule), at_home = 0;

	assert_int_equal(rows_make(rule, rules, &rows), 0);
	for (size_t i = 0; i < rules; i++)
		at_home += first(&rows, rule[i].link) ==
			   &rows.row[1 + hash_link(&rule[i].link, rows.row[0].homes_mask)];
	assert_true(at_home >= rules * 3 / 4);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_link_of_any_number_has_its_rules),
		cmocka_unit_test(a_link_has_up_to_sixteen_in_their_order),
		cmocka_unit_test(a_link_without_rules_is_told_in_a_few_looks),
		cmocka_unit_test(no_rules_at_all_are_a_table_as_well),
		cmocka_unit_test(links_that_fall_together_get_more_homes),
		cmocka_unit_test(most_links_are_found_at_once),
	};

	return cmocka_run_group_tests_name("rows", tests, NULL, NULL);
}
