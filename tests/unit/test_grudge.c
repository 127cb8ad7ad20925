/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test_grudge.c - facts about who can talk with whom: links, partitions between groups, grudges.
 *
 * A cut is checked as a picture of who still hears whom, for every number of endpoints up to 24 and many seeds.
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

#include <cmocka.h>

#include "base/cleanup.h"
#include "fault/grudge.h"
#include "fault/partition.h"

#define ENDPOINTS_MAX 24
#define SEEDS	      100

static bool is_cut(const struct links *links, uint32_t src, uint32_t dst)
{
	struct hf_link_key key = { .src = src, .dst = dst };

	return links_find(links->link, links->count, &key) != NULL;
}

static void assert_sorted_and_unique(const struct links *links)
{
	for (size_t i = 1; i < links->count; i++)
		assert_true(link_key_compare(&links->link[i - 1], &links->link[i]) < 0);
}

/* ---- links ---- */

static void nobody_is_linked_to_himself(void **state)
{
	static const uint32_t src[] = { 16, 17 }, dst[] = { 18, 17 };
	struct links links = {};
	uint32_t self = 0;

	assert_int_equal(links_add(&links, 16, 16), -EINVAL);
	assert_int_equal(links_add(&links, 0, 16), -EINVAL);
	assert_int_equal(links_add_between(&links, src, 2, dst, 2, true, &self), -EINVAL);
	assert_int_equal(self, 17);
	assert_int_equal(links.count, 0);
	links_done(&links);
}

static void between_is_every_pair_and_both_is_the_way_back(void **state)
{
	static const uint32_t src[] = { 16, 17 }, dst[] = { 18, 19, 20 };
	struct links one = {}, both = {};

	assert_int_equal(links_add_between(&one, src, 2, dst, 3, false, NULL), 0);
	assert_int_equal(one.count, 6);
	assert_int_equal(links_add_between(&both, src, 2, dst, 3, true, NULL), 0);
	assert_int_equal(both.count, 12);
	links_sort_unique(&one);
	assert_true(is_cut(&one, 17, 20));
	assert_false(is_cut(&one, 20, 17));
	links_done(&one);
	links_done(&both);
}

static void doubles_are_merged(void **state)
{
	struct links links = {};

	for (int i = 0; i < 100; i++)
		assert_int_equal(links_add(&links, 16 + (uint32_t)(i % 3), 30), 0);
	links_sort_unique(&links);
	assert_int_equal(links.count, 3);
	assert_sorted_and_unique(&links);
	links_done(&links);
	links_sort_unique(&links); /* an empty list is sorted */
	assert_int_equal(links.count, 0);
}

/* ---- partitions ---- */

static const uint32_t ids[] = { 16, 17, 18, 19, 20, 21, 22, 23 };

static void groups_are_cut_both_ways_and_whole_inside(void **state)
{
	struct partition_group group[] = { { ids, 2 }, { ids + 2, 2 }, { ids + 4, 1 } };
	_cleanup_(links_done) struct links links = {};
	struct partition_error error;

	assert_int_equal(partition_links(group, 3, false, &links, &error), 0);
	assert_int_equal(links.count, 2 * (2 * 2 + 2 * 1 + 2 * 1));
	assert_sorted_and_unique(&links);
	assert_true(is_cut(&links, 16, 18) && is_cut(&links, 18, 16));
	assert_true(is_cut(&links, 19, 20) && is_cut(&links, 20, 19));
	assert_false(is_cut(&links, 16, 17));
	assert_false(is_cut(&links, 18, 19));
}

static void oneway_cuts_from_the_first_group_alone(void **state)
{
	struct partition_group group[] = { { ids, 1 }, { ids + 1, 1 }, { ids + 2, 1 } };
	_cleanup_(links_done) struct links links = {};
	struct partition_error error;

	assert_int_equal(partition_links(group, 3, true, &links, &error), 0);
	assert_int_equal(links.count, 2);
	assert_true(is_cut(&links, 16, 17) && is_cut(&links, 16, 18));
	assert_false(is_cut(&links, 17, 16));
	assert_false(is_cut(&links, 17, 18));
}

static void assert_groups_refused(const struct partition_group *group, size_t groups,
				  const char *reason, size_t where, uint32_t endpoint)
{
	struct links links = {};
	struct partition_error error;

	assert_int_equal(partition_links(group, groups, false, &links, &error), -EINVAL);
	assert_string_equal(error.reason, reason);
	assert_int_equal(error.group, where);
	assert_int_equal(error.endpoint, endpoint);
	assert_null(links.link);
}

static void groups_that_make_no_partition(void **state)
{
	static const uint32_t twice[] = { 16, 17, 16 };
	struct partition_group one[] = { { ids, 2 } };
	struct partition_group empty[] = { { ids, 2 }, { ids, 0 } };
	struct partition_group doubled[] = { { ids + 2, 1 }, { twice, 3 } };
	struct partition_group shared[] = { { ids, 2 }, { ids + 3, 1 }, { ids + 1, 2 } };

	assert_groups_refused(one, 1, "a partition needs two groups at least", 0, 0);
	assert_groups_refused(empty, 2, "an empty group", 1, 0);
	assert_groups_refused(doubled, 2, "the same endpoint twice in one group", 1, 16);
	assert_groups_refused(shared, 3, "the same endpoint in two groups", 2, 17);
}

static void a_partition_drops_all_but_what_keeps_the_link_alive(void **state)
{
	struct hf_rule rule = partition_rule();

	assert_int_equal(rule.flags, HF_RULE_DROP);
	assert_int_equal(rule.proto, HF_PROTO_ANY);
}

/* ---- the words of a partition ---- */

#define WORDS(...) ((char *[]){ __VA_ARGS__, NULL })

static int parse(char **argv, bool with_grudge, struct partition_request *ret, char *message)
{
	struct rule_error error;
	int argc = 0, r;

	while (argv[argc])
		argc++;
	r = partition_parse(argc, argv, with_grudge, ret, &error);
	if (r < 0)
		rule_error_text(&error, message, RULE_ERROR_TEXT_MAX);
	return r;
}

static void groups_come_first_then_the_keywords(void **state)
{
	struct partition_request request;
	char message[RULE_ERROR_TEXT_MAX];

	assert_int_equal(parse(WORDS("a,b", "c", "d", "for", "30s", "oneway", "seed", "9"), false,
			       &request, message),
			 0);
	assert_int_equal(request.groups, 3);
	assert_string_equal(request.group[0], "a,b");
	assert_string_equal(request.group[2], "d");
	assert_true(request.oneway);
	assert_true(request.has_seed);
	assert_int_equal(request.seed, 9);
	assert_true(request.ttl_ns == 30000000000);
	assert_int_equal(parse(WORDS("a", "b"), false, &request, message), 0);
	assert_true(request.ttl_ns == 600000000000);
	assert_false(request.oneway || request.has_seed);
	assert_int_equal(parse(WORDS("a,b,c"), true, &request, message), 0);
	assert_int_equal(request.groups, 1);
	assert_null(request.network);
	assert_int_equal(parse(WORDS("a", "b", "net", "back"), false, &request, message), 0);
	assert_string_equal(request.network, "back");
	assert_int_equal(
		parse(WORDS("label:app=web,x", "~db-.*", "for", "5s"), false, &request, message),
		0);
	assert_int_equal(request.groups, 2);
	assert_false(request.when_up);
	assert_int_equal(parse(WORDS("a", "b", "when", "up"), false, &request, message), 0);
	assert_int_equal(request.groups, 2);
	assert_true(request.when_up);
}

static void assert_partition_refused(char **argv, bool with_grudge, const char *expected)
{
	struct partition_request request;
	char message[RULE_ERROR_TEXT_MAX];

	assert_int_equal(parse(argv, with_grudge, &request, message), -EINVAL);
	assert_string_equal(message, expected);
}

static void words_that_make_no_partition(void **state)
{
	assert_partition_refused(WORDS("a,b"), false,
				 "a second group is missing: a,b c,d for example");
	assert_partition_refused(WORDS("oneway"), false,
				 "the groups are missing: a,b c,d for example");
	assert_partition_refused((char *[]){ NULL }, true,
				 "no endpoint is named: NAME NAME... is missing");
	assert_partition_refused(WORDS("a", "b,,c"), false,
				 "'b,,c' (word 2): an empty name in the list");
	assert_partition_refused(WORDS("a", "b", "for", "5"), false,
				 "for: '5' (word 4): a unit is missing: write 5ms, 5us or 5s for "
				 "example");
	assert_partition_refused(WORDS("a", "b", "oneway", "c"), false,
				 "'c' (word 4): unknown word: groups come first, then oneway, net "
				 "NAME, for TIME, seed N, when up and force");
	assert_partition_refused(WORDS("a", "b", "c", "oneway"), true,
				 "'oneway' (word 4): a grudge always cuts both ways");
}

/* ---- grudges ---- */

/* A grudge over the first `count` ids from 16 on, and how many others each hears. */
struct picture {
	size_t count;
	struct links links;
	uint32_t hears[ENDPOINTS_MAX]; /* bit j: i hears j; oneself included */
};

static void picture_take(struct picture *picture, const struct grudge *grudge, size_t count)
{
	uint32_t endpoint[ENDPOINTS_MAX] = {};
	const char *reason;

	*picture = (struct picture){ .count = count };
	for (size_t i = 0; i < count; i++)
		endpoint[i] = 16 + (uint32_t)i;
	assert_int_equal(grudge_links(grudge, endpoint, count, &picture->links, &reason), 0);
	assert_sorted_and_unique(&picture->links);
	for (size_t i = 0; i < count; i++)
		for (size_t j = 0; j < count; j++)
			if (!is_cut(&picture->links, endpoint[j], endpoint[i]))
				picture->hears[i] |= 1U << j;
}

static void picture_done(struct picture *picture)
{
	links_done(&picture->links);
}

static size_t heard_by(const struct picture *picture, size_t i)
{
	return (size_t)__builtin_popcount(picture->hears[i]);
}

static void assert_mutual(const struct picture *picture)
{
	for (size_t i = 0; i < picture->count; i++)
		for (size_t j = 0; j < picture->count; j++)
			assert_int_equal(picture->hears[i] >> j & 1, picture->hears[j] >> i & 1);
}

/* Everyone hears exactly his own group, and the groups are of these sizes. */
static void assert_two_groups(const struct picture *picture, size_t smaller)
{
	size_t in_smaller = 0;

	for (size_t i = 0; i < picture->count; i++) {
		size_t size = heard_by(picture, i);

		assert_true(size == smaller || size == picture->count - smaller);
		in_smaller += size == smaller;
		for (size_t j = 0; j < picture->count; j++)
			if (picture->hears[i] >> j & 1)
				assert_int_equal(picture->hears[i], picture->hears[j]);
	}
	assert_true(in_smaller == smaller || 2 * smaller == picture->count);
}

typedef void picture_check(const struct picture *picture);

static void check_all(enum grudge_kind kind, size_t smallest, picture_check *check)
{
	struct picture picture;

	for (size_t count = smallest; count <= ENDPOINTS_MAX; count++)
		for (uint64_t seed = 0; seed < SEEDS; seed++) {
			struct grudge grudge = { .kind = kind, .seed = seed };

			picture_take(&picture, &grudge, count);
			assert_mutual(&picture);
			check(&picture);
			picture_done(&picture);
		}
}

static void check_halves(const struct picture *picture)
{
	assert_two_groups(picture, picture->count / 2);
}

static void check_one(const struct picture *picture)
{
	assert_two_groups(picture, 1);
}

static void check_majority(const struct picture *picture)
{
	size_t smaller = picture->count;

	for (size_t i = 0; i < picture->count; i++)
		smaller = heard_by(picture, i) < smaller ? heard_by(picture, i) : smaller;
	assert_in_range(smaller, 1, (picture->count - 1) / 2);
	assert_two_groups(picture, smaller);
}

static void check_ring(const struct picture *picture)
{
	for (size_t i = 0; i < picture->count; i++) {
		assert_true(heard_by(picture, i) > picture->count / 2);
		assert_true(heard_by(picture, i) <= picture->count / 2 + 2);
		assert_true(heard_by(picture, i) < picture->count);
		for (size_t j = 0; j < i; j++)
			assert_int_not_equal(picture->hears[i], picture->hears[j]);
	}
}

static void check_bridge(const struct picture *picture)
{
	size_t bridges = 0, small = 1 + (picture->count - 1) / 2;

	for (size_t i = 0; i < picture->count; i++) {
		if (heard_by(picture, i) == picture->count)
			bridges++;
		else
			assert_in_range(heard_by(picture, i), small, small + 1);
	}
	assert_int_equal(bridges, 1);
}

static void halves_are_halves(void **state)
{
	check_all(GRUDGE_HALVES, 2, check_halves);
}

static void one_is_alone(void **state)
{
	check_all(GRUDGE_ONE, 2, check_one);
}

static void a_majority_is_left_by_some(void **state)
{
	check_all(GRUDGE_MAJORITY, 3, check_majority);
}

static void everyone_in_the_ring_hears_a_majority_and_no_two_the_same(void **state)
{
	check_all(GRUDGE_MAJORITIES_RING, 4, check_ring);
}

static void a_bridge_hears_both_halves_and_nobody_else_does(void **state)
{
	check_all(GRUDGE_BRIDGE, 3, check_bridge);
}

static void the_named_one_is_the_one(void **state)
{
	struct picture picture;

	for (uint32_t isolated = 16; isolated < 21; isolated++) {
		struct grudge grudge = { .kind = GRUDGE_ONE, .seed = 3, .isolated = isolated };

		picture_take(&picture, &grudge, 5);
		assert_int_equal(heard_by(&picture, isolated - 16), 1);
		picture_done(&picture);
	}
}

/* Who hears whom, as one word of bits for each. */
static void assert_in_order(enum grudge_kind kind, size_t count, const uint32_t *hears)
{
	for (uint64_t seed = 0; seed < 3; seed++) {
		struct grudge grudge = { .kind = kind, .seed = seed, .in_order = true };
		struct picture picture;

		picture_take(&picture, &grudge, count);
		for (size_t i = 0; i < count; i++)
			assert_int_equal(picture.hears[i], hears[i]);
		picture_done(&picture);
	}
}

static void in_order_there_is_no_chance(void **state)
{
	static const uint32_t halves[] = { 0x3, 0x3, 0x1c, 0x1c, 0x1c };
	static const uint32_t one[] = { 0x1, 0x1e, 0x1e, 0x1e, 0x1e };
	static const uint32_t ring[] = { 0x13, 0x7, 0xe, 0x1c, 0x19 };
	static const uint32_t bridge[] = { 0x7, 0x7, 0x1f, 0x1c, 0x1c };
	static const uint32_t uneven[] = { 0x3, 0xf, 0xe, 0xe };

	assert_in_order(GRUDGE_HALVES, 5, halves);
	assert_in_order(GRUDGE_ONE, 5, one);
	assert_in_order(GRUDGE_MAJORITY, 5, halves);
	assert_in_order(GRUDGE_MAJORITIES_RING, 5, ring);
	assert_in_order(GRUDGE_BRIDGE, 5, bridge);
	assert_in_order(GRUDGE_BRIDGE, 4, uneven);
}

static void chance_picks_everyone_sooner_or_later(void **state)
{
	unsigned int alone[5] = {};
	struct picture picture;

	for (uint64_t seed = 0; seed < 1000; seed++) {
		struct grudge grudge = { .kind = GRUDGE_ONE, .seed = seed };

		picture_take(&picture, &grudge, 5);
		for (size_t i = 0; i < 5; i++)
			alone[i] += heard_by(&picture, i) == 1;
		picture_done(&picture);
	}
	for (size_t i = 0; i < 5; i++)
		assert_in_range(alone[i], 200 - 63, 200 + 63); /* five standard deviations */
}

static void the_same_seed_cuts_the_same(void **state)
{
	for (int kind = 0; kind < GRUDGE_KINDS; kind++) {
		struct grudge grudge = { .kind = (enum grudge_kind)kind, .seed = 77 };
		struct picture one, other;

		picture_take(&one, &grudge, 9);
		picture_take(&other, &grudge, 9);
		assert_int_equal(one.links.count, other.links.count);
		assert_memory_equal(one.hears, other.hears, sizeof(one.hears));
		picture_done(&one);
		picture_done(&other);
	}
}

static void assert_grudge_refused(struct grudge grudge, const uint32_t *endpoint, size_t count,
				  const char *expected)
{
	struct links links = {};
	const char *reason;

	assert_int_equal(grudge_links(&grudge, endpoint, count, &links, &reason), -EINVAL);
	assert_string_equal(reason, expected);
	assert_null(links.link);
}

static void grudges_that_can_not_be(void **state)
{
	static const uint32_t twice[] = { 16, 17, 16, 18 };

	assert_grudge_refused((struct grudge){ .kind = GRUDGE_HALVES }, ids, 1,
			      "halves needs two endpoints at least");
	assert_grudge_refused((struct grudge){ .kind = GRUDGE_ONE }, ids, 0,
			      "one needs two endpoints at least");
	assert_grudge_refused((struct grudge){ .kind = GRUDGE_MAJORITY }, ids, 2,
			      "majority needs three endpoints at least");
	assert_grudge_refused((struct grudge){ .kind = GRUDGE_BRIDGE }, ids, 2,
			      "bridge needs three endpoints at least");
	assert_grudge_refused((struct grudge){ .kind = GRUDGE_MAJORITIES_RING }, ids, 3,
			      "majorities-ring needs four endpoints at least: three can't have a "
			      "majority each and no two the same");
	assert_grudge_refused((struct grudge){ .kind = GRUDGE_HALVES }, twice, 4,
			      "the same endpoint twice");
	assert_grudge_refused((struct grudge){ .kind = GRUDGE_ONE, .isolated = 99 }, ids, 4,
			      "the endpoint to isolate is none of those named");
	assert_grudge_refused((struct grudge){ .kind = GRUDGE_HALVES, .isolated = 16 }, ids, 4,
			      "only the grudge `one` isolates a named endpoint");
	assert_grudge_refused((struct grudge){ .kind = GRUDGE_KINDS }, ids, 4, "an unknown grudge");
}

static void every_grudge_has_its_word(void **state)
{
	for (int kind = 0; kind < GRUDGE_KINDS; kind++)
		assert_non_null(grudge_words[kind]);
	assert_null(grudge_words[GRUDGE_KINDS]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nobody_is_linked_to_himself),
		cmocka_unit_test(between_is_every_pair_and_both_is_the_way_back),
		cmocka_unit_test(doubles_are_merged),
		cmocka_unit_test(groups_are_cut_both_ways_and_whole_inside),
		cmocka_unit_test(oneway_cuts_from_the_first_group_alone),
		cmocka_unit_test(groups_that_make_no_partition),
		cmocka_unit_test(a_partition_drops_all_but_what_keeps_the_link_alive),
		cmocka_unit_test(groups_come_first_then_the_keywords),
		cmocka_unit_test(words_that_make_no_partition),
		cmocka_unit_test(halves_are_halves),
		cmocka_unit_test(one_is_alone),
		cmocka_unit_test(a_majority_is_left_by_some),
		cmocka_unit_test(everyone_in_the_ring_hears_a_majority_and_no_two_the_same),
		cmocka_unit_test(a_bridge_hears_both_halves_and_nobody_else_does),
		cmocka_unit_test(the_named_one_is_the_one),
		cmocka_unit_test(in_order_there_is_no_chance),
		cmocka_unit_test(chance_picks_everyone_sooner_or_later),
		cmocka_unit_test(the_same_seed_cuts_the_same),
		cmocka_unit_test(grudges_that_can_not_be),
		cmocka_unit_test(every_grudge_has_its_word),
	};

	return cmocka_run_group_tests_name("grudge", tests, NULL, NULL);
}
