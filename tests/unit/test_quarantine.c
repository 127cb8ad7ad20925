/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test_quarantine.c - what is in force for a veth that may be one of several.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/cleanup.h"
#include "fault/quarantine.h"

#define Q HF_ENDPOINT_QUARANTINE

static void add(struct faultset *set, uint32_t flags, struct hf_link_key link, uint64_t ttl_ns)
{
	struct fault_wish wish = {
		.kind = FAULT_RULE,
		.text = "",
		.rule = { .flags = flags, .delay_ns = 5, .proto = 17 },
		.link = &link,
		.links = 1,
		.now_ns = 1,
		.ttl_ns = ttl_ns,
	};
	uint32_t id;

	assert_int_equal(faultset_add(set, &wish, &id, NULL), 0);
}

struct compiled {
	struct compiled_rule *rule;
	size_t count;
};

static void compiled_done(struct compiled *compiled)
{
	free(compiled->rule);
}

static void compile(const struct faultset *set, struct compiled *compiled)
{
	assert_int_equal(faultset_compile(set, &compiled->rule, &compiled->count), 0);
	assert_int_equal(quarantine_compile(set, &compiled->rule, &compiled->count), 0);
}

/* How many rules the link has; they stand together. */
static uint32_t rules_on(const struct compiled *compiled, uint32_t src, uint32_t dst)
{
	uint32_t seen = 0;
	size_t last = 0;

	for (size_t i = 0; i < compiled->count; i++) {
		const struct hf_link_key *link = &compiled->rule[i].link;

		if (link->src != src || link->dst != dst)
			continue;
		if (seen)
			assert_int_equal(i, last + 1);
		last = i;
		seen++;
	}
	return seen;
}

static void a_cut_holds_for_whom_it_may_be(void **state)
{
	_cleanup_(compiled_done) struct compiled compiled = {};
	struct fault_ids ids = {};
	_cleanup_(faultset_freep) struct faultset *set = faultset_new(&ids);

	add(set, HF_RULE_DROP, (struct hf_link_key){ 16, 17 }, 10);
	compile(set, &compiled);
	assert_int_equal(rules_on(&compiled, 16, 17), 1);
	assert_int_equal(rules_on(&compiled, Q, 17), 1);
	assert_int_equal(rules_on(&compiled, 16, Q), 1);
	assert_int_equal(rules_on(&compiled, Q, Q), 1);
	assert_int_equal(rules_on(&compiled, 17, Q), 0);
	assert_int_equal(compiled.count, 4);
}

static void what_is_no_cut_is_left_out(void **state)
{
	_cleanup_(compiled_done) struct compiled compiled = {};
	struct fault_ids ids = {};
	_cleanup_(faultset_freep) struct faultset *set = faultset_new(&ids);

	add(set, HF_RULE_DELAY, (struct hf_link_key){ 16, 17 }, 10);
	add(set, HF_RULE_LOSS, (struct hf_link_key){ 16, 17 }, 10);
	compile(set, &compiled);
	assert_int_equal(compiled.count, 2);
}

static void nothing_in_force_is_nothing_for_it(void **state)
{
	_cleanup_(compiled_done) struct compiled compiled = {};
	struct fault_ids ids = {};
	_cleanup_(faultset_freep) struct faultset *set = faultset_new(&ids);

	compile(set, &compiled);
	assert_int_equal(compiled.count, 0);
}

static void a_fault_on_several_links_is_one_rule_for_it(void **state)
{
	_cleanup_(compiled_done) struct compiled compiled = {};
	struct fault_ids ids = {};
	_cleanup_(faultset_freep) struct faultset *set = faultset_new(&ids);
	const struct hf_link_key both[] = { { 16, 17 }, { 17, 16 }, { 18, 17 } };
	struct fault_wish wish = {
		.kind = FAULT_PARTITION,
		.text = "",
		.rule = { .flags = HF_RULE_DROP },
		.link = both,
		.links = 3,
		.now_ns = 1,
		.ttl_ns = 10,
	};
	uint32_t id;

	assert_int_equal(faultset_add(set, &wish, &id, NULL), 0);
	compile(set, &compiled);
	assert_int_equal(rules_on(&compiled, Q, 17), 1);
	assert_int_equal(rules_on(&compiled, Q, Q), 1);
	assert_int_equal(rules_on(&compiled, 17, Q), 1);
}

/* No new veth can be the host's or the world's. */
static void what_has_no_veth_is_not_who_comes(void **state)
{
	_cleanup_(compiled_done) struct compiled compiled = {};
	struct fault_ids ids = {};
	_cleanup_(faultset_freep) struct faultset *set = faultset_new(&ids);

	add(set, HF_RULE_DROP, (struct hf_link_key){ 16, HF_ENDPOINT_WORLD }, 10);
	add(set, HF_RULE_DROP, (struct hf_link_key){ HF_ENDPOINT_HOST, 17 }, 10);
	compile(set, &compiled);
	assert_int_equal(rules_on(&compiled, Q, HF_ENDPOINT_WORLD), 1);
	assert_int_equal(rules_on(&compiled, HF_ENDPOINT_HOST, Q), 1);
	assert_int_equal(rules_on(&compiled, 16, Q), 0);
	assert_int_equal(rules_on(&compiled, Q, 17), 0);
	assert_int_equal(compiled.count, 4);
}

static void more_rules_than_a_link_takes_let_nothing_pass(void **state)
{
	_cleanup_(compiled_done) struct compiled compiled = {};
	struct fault_ids ids = {};
	_cleanup_(faultset_freep) struct faultset *set = faultset_new(&ids);
	bool found = false;

	for (uint32_t i = 0; i < HF_LINK_RULES_MAX + 4; i++)
		add(set, HF_RULE_DROP, (struct hf_link_key){ 20 + i, 17 }, 10 + i);
	compile(set, &compiled);
	assert_in_range(rules_on(&compiled, Q, 17), 1, HF_LINK_RULES_MAX);
	for (size_t i = 0; i < compiled.count; i++) {
		const struct compiled_rule *rule = &compiled.rule[i];

		if (rule->link.src == Q && rule->link.dst == 17 && !found) {
			found = true; /* the first of them */
			assert_int_equal(rule->rule.flags, HF_RULE_DROP);
			assert_int_equal(rule->rule.proto, HF_PROTO_ANY);
		}
	}
	assert_true(found);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_cut_holds_for_whom_it_may_be),
		cmocka_unit_test(what_is_no_cut_is_left_out),
		cmocka_unit_test(nothing_in_force_is_nothing_for_it),
		cmocka_unit_test(a_fault_on_several_links_is_one_rule_for_it),
		cmocka_unit_test(what_has_no_veth_is_not_who_comes),
		cmocka_unit_test(more_rules_than_a_link_takes_let_nothing_pass),
	};

	return cmocka_run_group_tests_name("quarantine", tests, NULL, NULL);
}
