/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test_outside.c - facts about prefixes: which network an address is on. */
#include <arpa/inet.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "daemon/outside.h"
#include "endpoint/endpoint.h"

static struct hf_addr addr_of(const char *text)
{
	struct hf_addr addr = { .byte = { [10] = 0xff, [11] = 0xff } };

	if (!strchr(text, ':'))
		assert_int_equal(inet_pton(AF_INET, text, addr.byte + 12), 1);
	else
		assert_int_equal(inet_pton(AF_INET6, text, addr.byte), 1);
	return addr;
}

static void assert_network(const char *addr, uint8_t prefix_len, const char *expected)
{
	struct hf_addr from = addr_of(addr), network = addr_of(expected);
	struct outside outside = {};

	assert_int_equal(outside_add_network(&outside, &from, prefix_len), 0);
	assert_int_equal(outside.count, 1);
	assert_int_equal(outside.entry[0].key.prefix_len, HF_PREFIX_NETNS + prefix_len);
	assert_int_equal(outside.entry[0].endpoint, HF_ENDPOINT_OTHER);
	assert_memory_equal(&outside.entry[0].key.addr, &network, sizeof(network));
	outside_done(&outside);
}

static void an_addresses_network_is_its_first_bits(void **state)
{
	assert_network("172.17.3.9", 96 + 16, "172.17.0.0");
	assert_network("10.77.0.13", 96 + 28, "10.77.0.0");
	assert_network("10.77.0.29", 96 + 28, "10.77.0.16");
	assert_network("10.77.0.29", 96 + 31, "10.77.0.28");
	assert_network("fd77::1:2", 64, "fd77::");
	assert_network("fd77:ff::1", 27, "fd77:e0::");
}

static void an_address_alone_has_no_network(void **state)
{
	struct hf_addr alone = addr_of("192.0.2.1");
	struct outside outside = {};

	assert_int_equal(outside_add_network(&outside, &alone, 128), 0);
	assert_int_equal(outside.count, 0);
}

static void a_network_stands_there_once(void **state)
{
	struct hf_addr one = addr_of("172.17.0.2"), other = addr_of("172.17.0.3");
	struct outside outside = {};

	assert_int_equal(outside_add_network(&outside, &one, 112), 0);
	assert_int_equal(outside_add_network(&outside, &other, 112), 0);
	assert_int_equal(outside.count, 1);
	assert_int_equal(outside_add_common(&outside), 0);
	assert_int_equal(outside.count, 8);
	assert_int_equal(outside_add_common(&outside), 0);
	assert_int_equal(outside.count, 8);
	outside.netns = 2;
	assert_int_equal(outside_add_network(&outside, &one, 112), 0);
	assert_int_equal(outside.count, 9);
	outside_done(&outside);
}

static void what_is_kept_is_of_its_own_namespace_and_stands_there_once(void **state)
{
	struct hf_addr one = addr_of("172.17.0.2"), other = addr_of("10.77.0.1");
	struct outside before = { .netns = 1 }, now = { .netns = 1 };

	assert_int_equal(outside_add_network(&before, &one, 112), 0);
	assert_int_equal(outside_add_network(&before, &other, 120), 0);
	before.netns = 2;
	assert_int_equal(outside_add_network(&before, &one, 112), 0);
	assert_int_equal(outside_add_network(&now, &one, 112), 0);
	assert_int_equal(outside_keep(&now, &before, 1), 0);
	assert_int_equal(now.count, 2);
	assert_int_equal(outside_keep(&now, &before, 1), 0);
	assert_int_equal(now.count, 2);
	now.netns = 1;
	assert_int_equal(outside_find(&now, &other), HF_ENDPOINT_OTHER);
	now.netns = 2;
	assert_int_equal(outside_find(&now, &one), HF_ENDPOINT_WORLD);
	outside_done(&before);
	outside_done(&now);
}

static void assert_whose(const struct outside *outside, const char *addr, uint32_t expected)
{
	struct hf_addr at = addr_of(addr);

	assert_int_equal(outside_find(outside, &at), expected);
}

static void the_longest_prefix_says_whose_an_address_is(void **state)
{
	struct hf_addr network = addr_of("10.83.4.0"), host = addr_of("10.83.4.1");
	struct outside_entry entry[] = {
		{ .key = { .prefix_len = HF_PREFIX_NETNS + 118, .addr = network },
		  .endpoint = HF_ENDPOINT_OTHER },
		{ .key = { .prefix_len = HF_PREFIX_WHOLE, .addr = host },
		  .endpoint = HF_ENDPOINT_HOST },
	};
	struct outside outside = { .entry = entry, .count = 2 };

	assert_whose(&outside, "10.83.4.1", HF_ENDPOINT_HOST);
	assert_whose(&outside, "10.83.4.2", HF_ENDPOINT_OTHER);
	assert_whose(&outside, "10.83.7.255", HF_ENDPOINT_OTHER);
	assert_whose(&outside, "10.83.8.0", HF_ENDPOINT_WORLD);
	assert_whose(&outside, "10.83.3.255", HF_ENDPOINT_WORLD);
	assert_whose(&outside, "::1", HF_ENDPOINT_WORLD);
	outside.netns = 2;
	assert_whose(&outside, "10.83.4.1", HF_ENDPOINT_WORLD);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_addresses_network_is_its_first_bits),
		cmocka_unit_test(the_longest_prefix_says_whose_an_address_is),
		cmocka_unit_test(an_address_alone_has_no_network),
		cmocka_unit_test(a_network_stands_there_once),
		cmocka_unit_test(what_is_kept_is_of_its_own_namespace_and_stands_there_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
