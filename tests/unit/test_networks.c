/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test_networks.c - facts about the numbers of networks. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "daemon/networks.h"

static struct endpoint_interface on(const char *network, uint64_t host, uint32_t bridge,
				    const char *bridge_name)
{
	struct endpoint_interface interface = {
		.host = { .netns = { .id = { .ino = host } }, .master = bridge },
	};

	snprintf(interface.network, sizeof(interface.network), "%s", network);
	snprintf(interface.host.bridge, sizeof(interface.host.bridge), "%s", bridge_name);
	return interface;
}

static uint16_t number_of(struct networks *networks, struct endpoint_interface interface)
{
	return networks_number(networks, &interface);
}

static void a_network_has_one_number_by_whatever_it_is_known(void **state)
{
	struct networks networks = {};
	uint16_t back;

	/* by a namespace's name first: no engine tells what it calls it */
	back = number_of(&networks, on("", 1, 7, "br-1f02"));
	assert_int_not_equal(back, 0);
	assert_int_equal(number_of(&networks, on("back", 1, 7, "br-1f02")), back);
	assert_int_equal(number_of(&networks, on("", 1, 7, "br-1f02")), back);
	assert_true(networks_is_called(&networks, back, "back"));
	assert_true(networks_is_called(&networks, back, "br-1f02"));
	assert_false(networks_is_called(&networks, back, "front"));
	assert_string_equal(networks_name(&networks, back), "back");
	networks_done(&networks);
}

static void other_bridges_are_other_networks(void **state)
{
	struct networks networks = {};
	uint16_t one = number_of(&networks, on("", 1, 7, "br0"));

	assert_int_not_equal(number_of(&networks, on("", 1, 8, "br1")), one);
	assert_int_not_equal(number_of(&networks, on("", 2, 7, "br0")), one);
	assert_int_equal(number_of(&networks, on("", 1, 7, "br0")), one);
	networks_done(&networks);
}

static void an_engines_network_that_is_made_anew_keeps_its_number(void **state)
{
	struct networks networks = {};
	uint16_t back = number_of(&networks, on("back", 1, 7, "br-1f02"));

	assert_int_equal(number_of(&networks, on("back", 1, 9, "br-33aa")), back);
	assert_true(networks_is_called(&networks, back, "br-33aa"));
	assert_false(networks_is_called(&networks, back, "br-1f02"));
	/* and who gets the bridge's ifindex after it is another */
	assert_int_not_equal(number_of(&networks, on("front", 1, 9, "br-4711")), back);
	networks_done(&networks);
}

static void what_has_no_name_has_no_number(void **state)
{
	struct networks networks = {};

	assert_int_equal(number_of(&networks, on("", 1, 0, "")), 0);
	assert_false(networks_is_called(&networks, 0, ""));
	assert_string_equal(networks_name(&networks, 0), "");
	assert_string_equal(networks_name(&networks, 5), "");
	networks_done(&networks);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_network_has_one_number_by_whatever_it_is_known),
		cmocka_unit_test(other_bridges_are_other_networks),
		cmocka_unit_test(an_engines_network_that_is_made_anew_keeps_its_number),
		cmocka_unit_test(what_has_no_name_has_no_number),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
