/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test_places.c - whom a veth is taken for that comes while somebody is missing.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/cleanup.h"
#include "daemon/places.h"

#define WEB   16
#define DB    17
#define CACHE 18

static const struct netns_id here = { 1, 100 }, elsewhere = { 1, 200 };

static struct place at(uint32_t endpoint, uint32_t ifindex, uint32_t master)
{
	return (struct place){
		.endpoint = endpoint, .netns = here, .ifindex = ifindex, .master = master
	};
}

static void put(struct places *places, uint32_t endpoint, uint32_t ifindex, uint32_t master)
{
	struct place place = at(endpoint, ifindex, master);

	assert_int_equal(places_set(places, endpoint, &place, 1, true), 0);
}

/* Bridges 1 to 9 are there, others are not. */
static bool is_there(const void *ctx, uint32_t ifindex)
{
	return ifindex < 10;
}

static struct guise guise(const struct places *places, uint32_t master)
{
	return places_whose(places, here, master, is_there, NULL);
}

static uint32_t whose(const struct places *places, uint32_t master)
{
	return guise(places, master).endpoint;
}

static void while_all_are_there_a_new_veth_is_nobodys(void **state)
{
	_cleanup_(places_done) struct places places = {};

	put(&places, WEB, 50, 1);
	put(&places, DB, 51, 1);
	assert_int_equal(whose(&places, 0), HF_ENDPOINT_NONE);
	assert_int_equal(whose(&places, 1), HF_ENDPOINT_NONE);
}

static void the_only_one_that_is_missing_is_who_comes(void **state)
{
	_cleanup_(places_done) struct places places = {};

	put(&places, WEB, 50, 1);
	put(&places, DB, 51, 1);
	assert_true(places_gone(&places, here, 50));
	assert_false(places_gone(&places, elsewhere, 51));
	assert_int_equal(whose(&places, 0), WEB);
	assert_int_equal(whose(&places, 1), WEB);
	assert_int_equal(places_whose(&places, elsewhere, 0, is_there, NULL).endpoint,
			 HF_ENDPOINT_NONE);
}

static void one_on_another_bridge_is_not_who_is_missing(void **state)
{
	_cleanup_(places_done) struct places places = {};

	put(&places, WEB, 50, 1);
	places_gone(&places, here, 50);
	assert_int_equal(whose(&places, 2), HF_ENDPOINT_NONE);
}

static void who_was_on_a_bridge_that_is_no_more_may_come_on_any(void **state)
{
	_cleanup_(places_done) struct places places = {};

	put(&places, WEB, 50, 11);
	places_gone(&places, here, 50);
	assert_int_equal(whose(&places, 2), WEB);
}

static void of_several_that_are_missing_it_may_be_any(void **state)
{
	_cleanup_(places_done) struct places places = {};

	put(&places, WEB, 50, 1);
	put(&places, DB, 51, 2);
	put(&places, CACHE, 52, 2);
	places_gone(&places, here, 50);
	places_gone(&places, here, 51);
	assert_int_equal(whose(&places, 0), HF_ENDPOINT_QUARANTINE);
	assert_int_equal(whose(&places, 1), WEB);
	assert_int_equal(whose(&places, 2), DB);
}

static void one_that_has_come_is_not_missing(void **state)
{
	_cleanup_(places_done) struct places places = {};

	put(&places, WEB, 50, 1);
	places_gone(&places, here, 50);
	put(&places, WEB, 60, 1);
	assert_int_equal(whose(&places, 1), HF_ENDPOINT_NONE);
	places_gone(&places, here, 60);
	assert_int_equal(whose(&places, 1), WEB);
}

/* The owner may hear of it before the guard does. */
static void one_that_is_told_to_have_nothing_is_missing(void **state)
{
	_cleanup_(places_done) struct places places = {};

	put(&places, WEB, 50, 1);
	assert_int_equal(places_set(&places, WEB, NULL, 0, false), 0);
	assert_int_equal(whose(&places, 1), WEB);
}

static void of_two_networks_one_may_be_missing(void **state)
{
	_cleanup_(places_done) struct places places = {};
	struct place both[] = { at(WEB, 50, 1), at(WEB, 51, 2) };
	struct place again = at(WEB, 60, 2);

	assert_int_equal(places_set(&places, WEB, both, 2, true), 0);
	places_gone(&places, here, 51);
	assert_int_equal(whose(&places, 1), HF_ENDPOINT_NONE);
	assert_int_equal(whose(&places, 2), WEB);
	places_gone(&places, here, 50);
	assert_int_equal(places_set(&places, WEB, &again, 1, false), 0);
	assert_int_equal(whose(&places, 2), HF_ENDPOINT_NONE);
	assert_int_equal(whose(&places, 1), WEB);
}

static void who_is_forgotten_is_not_missed(void **state)
{
	_cleanup_(places_done) struct places places = {};

	put(&places, WEB, 50, 1);
	places_gone(&places, here, 50);
	places_forget(&places, WEB);
	assert_int_equal(whose(&places, 1), HF_ENDPOINT_NONE);
	assert_false(places_have_netns(&places, here));
}

static void a_veth_that_moves_is_looked_for_where_it_was_last(void **state)
{
	_cleanup_(places_done) struct places places = {};

	put(&places, WEB, 50, 1);
	places_moved(&places, here, 50, 2);
	places_moved(&places, here, 50, 0); /* as it is about to be deleted */
	places_gone(&places, here, 50);
	assert_int_equal(whose(&places, 1), HF_ENDPOINT_NONE);
	assert_int_equal(whose(&places, 2), WEB);
}

static void newcomers_are_all_who_have_a_place(void **state)
{
	_cleanup_(places_done) struct places places = {};

	assert_int_equal(places_all(&places, here), HF_ENDPOINT_NONE);
	put(&places, WEB, 50, 1);
	assert_int_equal(places_all(&places, here), WEB);
	put(&places, DB, 51, 1);
	assert_int_equal(places_all(&places, here), HF_ENDPOINT_QUARANTINE);
	assert_int_equal(places_all(&places, elsewhere), HF_ENDPOINT_NONE);
}

static struct place on(uint32_t endpoint, uint32_t ifindex, uint32_t master, uint16_t network)
{
	struct place place = at(endpoint, ifindex, master);

	place.network = network;
	return place;
}

static void rules_of_a_network_act_on_who_may_be_on_it(void **state)
{
	_cleanup_(places_done) struct places places = {};
	struct place both[] = { on(WEB, 50, 1, 71), on(WEB, 51, 2, 72) };

	assert_int_equal(places_set(&places, WEB, both, 2, true), 0);
	places_gone(&places, here, 51);
	assert_int_equal(guise(&places, 0).network, 72);
	places_gone(&places, here, 50);
	assert_int_equal(guise(&places, 0).network, HF_NETWORK_UNKNOWN);
	assert_int_equal(guise(&places, 1).network, 71);
	assert_int_equal(places_as(&places, here, 2, WEB).network, 72);
	assert_int_equal(places_as(&places, here, 0, WEB).network, HF_NETWORK_UNKNOWN);
}

static void who_may_have_rules_outward_has_them(void **state)
{
	_cleanup_(places_done) struct places places = {};
	struct place outward = at(DB, 51, 1);

	outward.is_outward = true;
	put(&places, WEB, 50, 1);
	assert_int_equal(places_set(&places, DB, &outward, 1, true), 0);
	places_gone(&places, here, 50);
	assert_false(guise(&places, 1).is_outward);
	places_gone(&places, here, 51);
	assert_true(guise(&places, 1).is_outward);
	assert_true(places_as(&places, here, 1, DB).is_outward);
	assert_false(places_as(&places, here, 1, WEB).is_outward);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(while_all_are_there_a_new_veth_is_nobodys),
		cmocka_unit_test(the_only_one_that_is_missing_is_who_comes),
		cmocka_unit_test(one_on_another_bridge_is_not_who_is_missing),
		cmocka_unit_test(who_was_on_a_bridge_that_is_no_more_may_come_on_any),
		cmocka_unit_test(of_several_that_are_missing_it_may_be_any),
		cmocka_unit_test(one_that_has_come_is_not_missing),
		cmocka_unit_test(one_that_is_told_to_have_nothing_is_missing),
		cmocka_unit_test(of_two_networks_one_may_be_missing),
		cmocka_unit_test(who_is_forgotten_is_not_missed),
		cmocka_unit_test(a_veth_that_moves_is_looked_for_where_it_was_last),
		cmocka_unit_test(newcomers_are_all_who_have_a_place),
		cmocka_unit_test(rules_of_a_network_act_on_who_may_be_on_it),
		cmocka_unit_test(who_may_have_rules_outward_has_them),
	};

	return cmocka_run_group_tests_name("places", tests, NULL, NULL);
}
