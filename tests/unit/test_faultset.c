/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test_faultset.c - facts about all faults that are in force together: nothing half-done, nothing forgotten.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "base/cleanup.h"
#include "fault/faultset.h"

#define NOW_NS 1000
#define TTL_NS 500

static const struct hf_link_key a_b = { 16, 17 }, b_a = { 17, 16 }, a_c = { 16, 18 };

static struct fault_wish wish_of(uint32_t flags, const struct hf_link_key *link, size_t links)
{
	return (struct fault_wish){
		.kind = FAULT_RULE,
		.text = "a b drop",
		.rule = { .flags = flags, .delay_ns = 5 },
		.link = link,
		.links = links,
		.now_ns = NOW_NS,
		.ttl_ns = TTL_NS,
	};
}

static uint32_t added(struct faultset *set, const struct fault_wish *wish)
{
	uint32_t id = 0;

	assert_int_equal(faultset_add(set, wish, &id, NULL), 0);
	return id;
}

static uint32_t add_on(struct faultset *set, uint32_t flags, struct hf_link_key link)
{
	struct fault_wish wish = wish_of(flags, &link, 1);

	return added(set, &wish);
}

static int refused(struct faultset *set, const struct fault_wish *wish)
{
	uint32_t id = 4711;
	int r = faultset_add(set, wish, &id, NULL);

	assert_int_equal(id, 4711);
	return r;
}

/* ---- adding and looking ---- */

static void a_fault_keeps_what_was_wished(void **state)
{
	struct hf_link_key links[] = { b_a, a_b, b_a };
	struct fault_wish wish = wish_of(HF_RULE_DELAY, links, 3);
	struct fault_ids ids = {};
	_cleanup_(faultset_freep) struct faultset *set = faultset_new(&ids);
	char text[] = "a b delay 5ns both", meant[] = "b: 2 endpoints (b-1, b-2)";
	const struct fault *fault;

	wish.text = text;
	wish.meant = meant;
	wish.kind = FAULT_PARTITION;
	wish.owner = 12;
	fault = faultset_find(set, added(set, &wish));
	memset(text, 'x', sizeof(text) - 1);
	memset(meant, 'x', sizeof(meant) - 1);
	memset(links, 0, sizeof(links));
	assert_non_null(fault);
	assert_int_equal(fault->id, 1);
	assert_int_equal(fault->kind, FAULT_PARTITION);
	assert_string_equal(fault->text, "a b delay 5ns both");
	assert_string_equal(fault->meant, "b: 2 endpoints (b-1, b-2)");
	assert_int_equal(fault->rule.id, 1);
	assert_int_equal(fault->rule.delay_ns, 5);
	assert_int_equal(fault->rule.deadline_ns, NOW_NS + TTL_NS);
	assert_int_equal(fault->created_ns, NOW_NS);
	assert_int_equal(fault->deadline_ns, NOW_NS + TTL_NS);
	assert_int_equal(fault->owner, 12);
	assert_int_equal(fault->links, 2);
	assert_memory_equal(&fault->link[0], &a_b, sizeof(a_b));
	assert_memory_equal(&fault->link[1], &b_a, sizeof(b_a));
}

static void wishes_that_can_not_be(void **state)
{
	static const struct hf_link_key self = { 16, 16 };
	struct fault_wish none = wish_of(HF_RULE_DROP, NULL, 0);
	struct fault_wish to_self = wish_of(HF_RULE_DROP, &self, 1);
	struct fault_wish no_time = wish_of(HF_RULE_DROP, &a_b, 1);
	struct fault_wish too_long = wish_of(HF_RULE_DROP, &a_b, 1);
	struct fault_ids ids = {};
	_cleanup_(faultset_freep) struct faultset *set = faultset_new(&ids);

	no_time.ttl_ns = 0;
	too_long.ttl_ns = UINT64_MAX - NOW_NS + 1;
	assert_int_equal(refused(set, &none), -EINVAL);
	assert_int_equal(refused(set, &to_self), -EINVAL);
	assert_int_equal(refused(set, &no_time), -EINVAL);
	assert_int_equal(refused(set, &too_long), -EINVAL);
	assert_int_equal(faultset_count(set), 0);
}

static void a_full_link_is_told_before_anything_changes(void **state)
{
	struct hf_link_key both[] = { b_a, a_b };
	struct fault_wish wish = wish_of(HF_RULE_DELAY, both, 2);
	struct hf_link_key full = {};
	struct fault_ids ids = {};
	_cleanup_(faultset_freep) struct faultset *set = faultset_new(&ids);
	uint32_t id = 0;

	for (int i = 0; i < HF_LINK_RULES_MAX; i++)
		add_on(set, HF_RULE_DELAY, b_a);
	assert_int_equal(faultset_add(set, &wish, &id, &full), -ENOSPC);
	assert_memory_equal(&full, &b_a, sizeof(full));
	assert_int_equal(faultset_count(set), HF_LINK_RULES_MAX);
	add_on(set, HF_RULE_DELAY, a_b); /* the way back has room */
	assert_int_equal(faultset_remove(set, 1), 0);
	added(set, &wish);
}

/* The shorter list is walked, the longer searched: both ways must count the same. */
static void a_link_is_full_however_its_faults_are_made(void **state)
{
	struct hf_link_key many[64];
	struct fault_wish wide = wish_of(HF_RULE_LOSS, many, 64);
	struct fault_wish narrow = wish_of(HF_RULE_LOSS, &many[63], 1);
	struct fault_ids ids = {};
	_cleanup_(faultset_freep) struct faultset *set = faultset_new(&ids);

	for (uint32_t i = 0; i < 64; i++)
		many[i] = (struct hf_link_key){ 100 + i, 99 };
	for (int i = 0; i < HF_LINK_RULES_MAX / 2; i++) {
		added(set, &wide);
		added(set, &narrow);
	}
	assert_int_equal(refused(set, &wide), -ENOSPC);
	assert_int_equal(refused(set, &narrow), -ENOSPC);
	narrow.link = &many[0];
	added(set, &narrow);
}

static void ids_are_never_used_again(void **state)
{
	struct fault_ids ids = {};
	_cleanup_(faultset_freep) struct faultset *live = faultset_new(&ids);
	struct faultset *thrown_away = faultset_clone(live);

	assert_int_equal(add_on(thrown_away, HF_RULE_DROP, a_b), 1);
	faultset_free(thrown_away);
	assert_int_equal(add_on(live, HF_RULE_DROP, a_b), 2);
	assert_int_equal(faultset_remove(live, 2), 0);
	assert_int_equal(add_on(live, HF_RULE_DROP, a_b), 3);
	assert_null(faultset_find(live, 1));
	assert_null(faultset_find(live, 2));
}

static void ids_that_are_used_up_are_told(void **state)
{
	struct fault_ids ids = { .last = UINT32_MAX - 1 };
	_cleanup_(faultset_freep) struct faultset *set = faultset_new(&ids);
	struct fault_wish wish = wish_of(HF_RULE_DROP, &a_b, 1);

	assert_true(added(set, &wish) == UINT32_MAX);
	assert_int_equal(refused(set, &wish), -EOVERFLOW);
	assert_int_equal(faultset_count(set), 1);
}

/* ---- removing ---- */

static void removing_takes_one_and_leaves_the_order(void **state)
{
	struct fault_ids ids = {};
	_cleanup_(faultset_freep) struct faultset *set = faultset_new(&ids);

	for (int i = 0; i < 5; i++)
		add_on(set, HF_RULE_DROP, a_b);
	assert_int_equal(faultset_remove(set, 3), 0);
	assert_int_equal(faultset_remove(set, 3), -ENOENT);
	assert_int_equal(faultset_remove(set, 0), -ENOENT);
	assert_int_equal(faultset_count(set), 4);
	for (size_t i = 0; i < 4; i++)
		assert_int_equal(faultset_at(set, i)->id, i < 2 ? i + 1 : i + 2);
}

static void what_has_expired_goes_at_its_deadline(void **state)
{
	struct fault_wish wish = wish_of(HF_RULE_DROP, &a_b, 1);
	struct fault_ids ids = {};
	_cleanup_(faultset_freep) struct faultset *set = faultset_new(&ids);

	assert_true(faultset_next_deadline(set) == UINT64_MAX);
	wish.ttl_ns = 300;
	added(set, &wish);
	wish.ttl_ns = 200;
	added(set, &wish);
	assert_int_equal(faultset_next_deadline(set), NOW_NS + 200);
	assert_int_equal(faultset_remove_expired(set, NOW_NS + 199), 0);
	assert_int_equal(faultset_remove_expired(set, NOW_NS + 200), 1);
	assert_int_equal(faultset_at(set, 0)->id, 1);
	assert_int_equal(faultset_next_deadline(set), NOW_NS + 300);
	assert_int_equal(faultset_remove_expired(set, UINT64_MAX), 1);
}

static void a_client_that_goes_takes_its_faults_and_no_others(void **state)
{
	struct fault_wish wish = wish_of(HF_RULE_DROP, &a_b, 1);
	struct fault_ids ids = {};
	_cleanup_(faultset_freep) struct faultset *set = faultset_new(&ids);

	for (uint64_t owner = 0; owner < 3; owner++) {
		wish.owner = owner;
		added(set, &wish);
		added(set, &wish);
	}
	assert_int_equal(faultset_remove_owner(set, 1), 2);
	assert_int_equal(faultset_remove_owner(set, 1), 0);
	assert_int_equal(faultset_remove_owner(set, FAULT_OWNER_NONE), 0);
	assert_int_equal(faultset_count(set), 4);
	assert_int_equal(faultset_remove_all(set), 4);
	assert_int_equal(faultset_count(set), 0);
}

/* ---- beside the live set ---- */

static void a_clone_changes_alone(void **state)
{
	struct fault_ids ids = {};
	_cleanup_(faultset_freep) struct faultset *live = faultset_new(&ids);
	_cleanup_(faultset_freep) struct faultset *candidate = NULL;
	uint32_t id = add_on(live, HF_RULE_DROP, a_b);

	candidate = faultset_clone(live);
	assert_int_equal(faultset_remove(candidate, id), 0);
	add_on(candidate, HF_RULE_DROP, b_a);
	add_on(candidate, HF_RULE_DROP, a_c);
	assert_int_equal(faultset_count(live), 1);
	assert_string_equal(faultset_find(live, id)->text, "a b drop");
	assert_int_equal(faultset_count(candidate), 2);
}

static void a_clone_outlives_what_it_was_made_from(void **state)
{
	struct fault_ids ids = {};
	struct faultset *live = faultset_new(&ids);
	struct faultset *candidate;
	uint32_t id = add_on(live, HF_RULE_DROP, a_b);

	candidate = faultset_clone(live);
	faultset_replace(&live, &candidate);
	assert_null(candidate);
	assert_int_equal(faultset_find(live, id)->links, 1);
	faultset_free(live);
}

/* ---- compiling ---- */

static void an_empty_set_compiles_to_nothing(void **state)
{
	struct fault_ids ids = {};
	_cleanup_(faultset_freep) struct faultset *set = faultset_new(&ids);
	struct compiled_rule *rules = (void *)1;
	size_t count = 1;

	assert_int_equal(faultset_compile(set, &rules, &count), 0);
	assert_null(rules);
	assert_int_equal(count, 0);
}

static void a_link_has_drop_before_loss_before_delay(void **state)
{
	struct fault_ids ids = {};
	_cleanup_(faultset_freep) struct faultset *set = faultset_new(&ids);
	_cleanup_(freep) struct compiled_rule *rules = NULL;
	static const uint32_t expected[] = { 4, 2, 5, 1, 3 };
	size_t count;

	add_on(set, HF_RULE_DELAY, a_b);
	add_on(set, HF_RULE_LOSS, a_b);
	add_on(set, HF_RULE_DELAY, a_b);
	add_on(set, HF_RULE_DROP, a_b);
	add_on(set, HF_RULE_LOSS | HF_RULE_DELAY, a_b);
	assert_int_equal(faultset_compile(set, &rules, &count), 0);
	assert_int_equal(count, ARRAY_SIZE(expected));
	for (size_t i = 0; i < count; i++) {
		assert_memory_equal(&rules[i].link, &a_b, sizeof(a_b));
		assert_int_equal(rules[i].rule.id, expected[i]);
	}
}

static void links_are_sorted_and_have_their_own_rules(void **state)
{
	struct hf_link_key links[] = { b_a, a_c, a_b };
	struct fault_wish wish = wish_of(HF_RULE_DROP, links, 3);
	struct fault_ids ids = {};
	_cleanup_(faultset_freep) struct faultset *set = faultset_new(&ids);
	_cleanup_(freep) struct compiled_rule *compiled = NULL;
	size_t count;

	added(set, &wish);
	add_on(set, HF_RULE_DELAY, a_c);
	assert_int_equal(faultset_compile(set, &compiled, &count), 0);
	assert_int_equal(count, 4);
	assert_memory_equal(&compiled[0].link, &a_b, sizeof(a_b));
	assert_memory_equal(&compiled[1].link, &a_c, sizeof(a_c));
	assert_memory_equal(&compiled[2].link, &a_c, sizeof(a_c));
	assert_memory_equal(&compiled[3].link, &b_a, sizeof(b_a));
	assert_int_equal(compiled[1].rule.id, 1);
	assert_int_equal(compiled[2].rule.id, 2);
	assert_int_equal(compiled[2].rule.deadline_ns, NOW_NS + TTL_NS);
}

static void a_link_can_be_filled_to_the_last_place(void **state)
{
	struct fault_ids ids = {};
	_cleanup_(faultset_freep) struct faultset *set = faultset_new(&ids);
	_cleanup_(freep) struct compiled_rule *rules = NULL;
	size_t count;

	for (int i = 0; i < HF_LINK_RULES_MAX; i++)
		add_on(set, HF_RULE_DELAY, a_b);
	assert_int_equal(faultset_compile(set, &rules, &count), 0);
	assert_int_equal(count, HF_LINK_RULES_MAX);
	assert_int_equal(rules[count - 1].rule.id, HF_LINK_RULES_MAX);
}

/* `faults` faults of `width` links each, all on different links. */
static struct faultset *wide_set(struct fault_ids *ids, uint32_t faults, uint32_t width)
{
	struct faultset *set = faultset_new(ids);
	struct hf_link_key *links = calloc(width, sizeof(*links));
	struct fault_wish wish = wish_of(HF_RULE_DROP, links, width);

	for (uint32_t f = 0; f < faults; f++) {
		for (uint32_t i = 0; i < width; i++)
			links[i] = (struct hf_link_key){ 100000 + f, 16 + i };
		added(set, &wish);
	}
	free(links);
	return set;
}

static void more_links_than_the_map_holds_are_refused(void **state)
{
	struct fault_ids ids = {}, more_ids = {};
	_cleanup_(faultset_freep) struct faultset *full = wide_set(&ids, 2, FAULTSET_LINKS_MAX / 2);
	_cleanup_(faultset_freep) struct faultset *more =
		wide_set(&more_ids, 2, FAULTSET_LINKS_MAX / 2 + 1);
	_cleanup_(freep) struct compiled_rule *rules = NULL;
	size_t count = 0;

	assert_int_equal(faultset_compile(more, &rules, &count), -E2BIG);
	assert_null(rules);
	assert_int_equal(faultset_compile(full, &rules, &count), 0);
	assert_int_equal(count, FAULTSET_LINKS_MAX);
}

static void a_fault_of_too_many_links_is_refused(void **state)
{
	struct hf_link_key *links = calloc(FAULTSET_LINKS_MAX + 1, sizeof(*links));
	struct fault_wish wish = wish_of(HF_RULE_DROP, links, FAULTSET_LINKS_MAX + 1);
	struct fault_ids ids = {};
	_cleanup_(faultset_freep) struct faultset *set = faultset_new(&ids);

	for (uint32_t i = 0; i <= FAULTSET_LINKS_MAX; i++)
		links[i] = (struct hf_link_key){ 16, 100 + i };
	assert_int_equal(refused(set, &wish), -E2BIG);
	free(links);
}

static double cpu_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
	return (double)now.tv_sec * 1e3 + (double)now.tv_nsec / 1e6;
}

/* Sanitizers make memory many times dearer. */
#ifdef __SANITIZE_ADDRESS__
#define COMPILE_MAX_MS 100
#else
#define COMPILE_MAX_MS 10
#endif

/* CPU time, and the least of five, so that a busy machine does not count. */
static void a_thousand_links_compile_in_ten_milliseconds(void **state)
{
	struct fault_ids ids = {};
	_cleanup_(faultset_freep) struct faultset *set = wide_set(&ids, 1000, 1);
	double least_ms = 1e9;

	for (int i = 0; i < 5; i++) {
		_cleanup_(freep) struct compiled_rule *rules = NULL;
		double before_ms = cpu_ms(), took_ms;
		size_t count;

		assert_int_equal(faultset_compile(set, &rules, &count), 0);
		took_ms = cpu_ms() - before_ms;
		assert_int_equal(count, 1000);
		least_ms = took_ms < least_ms ? took_ms : least_ms;
	}
	print_message("1000 links: %.3f ms of CPU\n", least_ms);
	assert_true(least_ms < COMPILE_MAX_MS);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_fault_keeps_what_was_wished),
		cmocka_unit_test(wishes_that_can_not_be),
		cmocka_unit_test(a_full_link_is_told_before_anything_changes),
		cmocka_unit_test(a_link_is_full_however_its_faults_are_made),
		cmocka_unit_test(ids_are_never_used_again),
		cmocka_unit_test(ids_that_are_used_up_are_told),
		cmocka_unit_test(removing_takes_one_and_leaves_the_order),
		cmocka_unit_test(what_has_expired_goes_at_its_deadline),
		cmocka_unit_test(a_client_that_goes_takes_its_faults_and_no_others),
		cmocka_unit_test(a_clone_changes_alone),
		cmocka_unit_test(a_clone_outlives_what_it_was_made_from),
		cmocka_unit_test(an_empty_set_compiles_to_nothing),
		cmocka_unit_test(a_link_has_drop_before_loss_before_delay),
		cmocka_unit_test(links_are_sorted_and_have_their_own_rules),
		cmocka_unit_test(a_link_can_be_filled_to_the_last_place),
		cmocka_unit_test(more_links_than_the_map_holds_are_refused),
		cmocka_unit_test(a_fault_of_too_many_links_is_refused),
		cmocka_unit_test(a_thousand_links_compile_in_ten_milliseconds),
	};

	return cmocka_run_group_tests_name("faultset", tests, NULL, NULL);
}
