/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test_fault.c - facts about fault.h: which packets a rule means, and what befalls them.
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

#include "fault.h"

enum { TCP = 6, UDP = 17 };

/* From 10.0.0.1:40000 to 10.0.0.2:80, unless the test changes it. */
static struct packet packet_of(uint8_t proto)
{
	struct packet packet = {
		.flow = {
			.src.byte = { [10] = 0xff, [11] = 0xff, [12] = 10, [15] = 1 },
			.dst.byte = { [10] = 0xff, [11] = 0xff, [12] = 10, [15] = 2 },
			.sport = 40000,
			.dport = 80,
			.proto = proto,
		},
		.segments = 1,
		.flags = proto == TCP || proto == UDP ? PACKET_HAS_PORTS : 0,
	};

	return packet;
}

static struct packet upkeep_of(uint8_t proto)
{
	struct packet packet = packet_of(proto);

	packet.flags |= PACKET_UPKEEP;
	return packet;
}

static bool matches(const struct hf_rule *rule, struct packet packet)
{
	return fault_rule_matches(rule, &packet);
}

/* ---- which packets ---- */

static void a_rule_is_alive_until_its_deadline(void **state)
{
	struct hf_rule rule = { .deadline_ns = 100 };

	assert_true(fault_rule_is_alive(&rule, 99));
	assert_false(fault_rule_is_alive(&rule, 100));
	assert_false(fault_rule_is_alive(&rule, 101));
}

static void a_rule_without_match_means_all_but_upkeep(void **state)
{
	struct hf_rule rule = { .flags = HF_RULE_DROP };

	assert_true(matches(&rule, packet_of(TCP)));
	assert_true(matches(&rule, packet_of(UDP)));
	assert_true(matches(&rule, packet_of(HF_PROTO_ICMP)));
	assert_true(matches(&rule, packet_of(HF_PROTO_ICMPV6)));
	assert_true(matches(&rule, packet_of(47)));
	assert_false(matches(&rule, upkeep_of(HF_PROTO_ARP)));
	assert_false(matches(&rule, upkeep_of(HF_PROTO_ICMPV6)));
}

static void a_rule_of_one_network_means_no_other(void **state)
{
	struct hf_rule rule = { .flags = HF_RULE_DROP, .network = 2 };
	struct packet packet = packet_of(TCP);

	assert_false(matches(&rule, packet));
	packet.network = 2;
	assert_true(matches(&rule, packet));
	packet.network = HF_NETWORK_UNKNOWN; /* it may be this one */
	assert_true(fault_rule_matches(&rule, &packet));
	packet.network = 1;
	assert_false(matches(&rule, packet));
	rule.network = 0;
	assert_true(matches(&rule, packet));
}

static void a_protocol_means_itself(void **state)
{
	struct hf_rule rule = { .flags = HF_RULE_DROP, .proto = TCP };

	assert_true(matches(&rule, packet_of(TCP)));
	assert_false(matches(&rule, packet_of(UDP)));
	assert_false(matches(&rule, packet_of(HF_PROTO_ICMP)));
}

static void icmp_means_both_versions_and_spares_neighbour_discovery(void **state)
{
	struct hf_rule rule = { .flags = HF_RULE_DROP, .proto = HF_PROTO_ICMP };

	assert_true(matches(&rule, packet_of(HF_PROTO_ICMP)));
	assert_true(matches(&rule, packet_of(HF_PROTO_ICMPV6)));
	assert_false(matches(&rule, upkeep_of(HF_PROTO_ICMPV6)));
	assert_false(matches(&rule, packet_of(TCP)));
}

static void arp_means_arp_alone(void **state)
{
	struct hf_rule rule = { .flags = HF_RULE_DROP | HF_RULE_UPKEEP, .proto = HF_PROTO_ARP };

	assert_true(matches(&rule, upkeep_of(HF_PROTO_ARP)));
	assert_false(matches(&rule, upkeep_of(HF_PROTO_ICMPV6)));
	/* IP protocol 255 is reserved, but somebody may send it */
	assert_false(matches(&rule, packet_of(HF_PROTO_ARP)));
}

static void nd_means_neighbour_discovery_and_not_ping(void **state)
{
	struct hf_rule rule = { .flags = HF_RULE_DROP | HF_RULE_UPKEEP, .proto = HF_PROTO_ICMPV6 };

	assert_true(matches(&rule, upkeep_of(HF_PROTO_ICMPV6)));
	assert_false(matches(&rule, packet_of(HF_PROTO_ICMPV6)));
	assert_false(matches(&rule, upkeep_of(HF_PROTO_ARP)));
}

static void ports_include_both_ends_of_a_range(void **state)
{
	struct hf_rule rule = {
		.flags = HF_RULE_DROP,
		.dport_ranges = 2,
		.dport = { { 443, 443 }, { 79, 81 } },
	};
	struct packet packet = packet_of(TCP);

	for (uint16_t port = 77; port < 84; port++) {
		packet.flow.dport = port;
		assert_int_equal(matches(&rule, packet), port >= 79 && port <= 81);
	}
	packet.flow.dport = 443;
	assert_true(matches(&rule, packet));
}

static void port_is_the_destination_and_sport_the_source(void **state)
{
	struct hf_rule port = { .flags = HF_RULE_DROP, .dport_ranges = 1, .dport = { { 80, 80 } } };
	struct hf_rule sport = { .flags = HF_RULE_DROP,
				 .sport_ranges = 1,
				 .sport = { { 80, 80 } } };
	struct packet answer = packet_of(TCP);

	answer.flow.sport = 80;
	answer.flow.dport = 40000;
	assert_true(matches(&port, packet_of(TCP)));
	assert_false(matches(&port, answer));
	assert_true(matches(&sport, answer));
	assert_false(matches(&sport, packet_of(TCP)));
}

static void what_has_no_ports_is_not_meant_by_ports(void **state)
{
	struct hf_rule rule = { .flags = HF_RULE_DROP,
				.dport_ranges = 1,
				.dport = { { 0, 65535 } } };
	struct packet fragment = packet_of(TCP);

	fragment.flags = 0; /* a later fragment */
	assert_false(matches(&rule, fragment));
	assert_false(matches(&rule, packet_of(HF_PROTO_ICMP)));
}

static void more_ranges_than_there_are_is_no_way_out_of_the_array(void **state)
{
	struct hf_rule rule = { .flags = HF_RULE_DROP, .dport_ranges = 255 };

	assert_false(matches(&rule, packet_of(TCP)));
}

/* ---- shares ---- */

static struct hf_rule share_rule(uint32_t odds)
{
	return (struct hf_rule){ .flags = HF_RULE_DROP | HF_RULE_SHARE,
				 .share_odds = odds,
				 .seed = 5 };
}

static struct packet answer_to(struct packet packet)
{
	struct packet answer = packet;

	answer.flow.src = packet.flow.dst;
	answer.flow.dst = packet.flow.src;
	answer.flow.sport = packet.flow.dport;
	answer.flow.dport = packet.flow.sport;
	return answer;
}

static void a_share_takes_its_part_of_the_connections(void **state)
{
	struct hf_rule rule = share_rule(429496730); /* 10 % */
	struct packet packet = packet_of(TCP);
	unsigned int meant = 0;

	for (uint32_t port = 1024; port < 61024; port++) {
		packet.flow.sport = (uint16_t)port;
		meant += matches(&rule, packet);
	}
	assert_in_range(meant, 6000 - 5 * 73, 6000 + 5 * 73); /* 73: standard deviation */
}

static void a_connection_keeps_its_fate_both_ways(void **state)
{
	struct hf_rule rule = share_rule(1U << 31);
	struct packet packet = packet_of(TCP);

	for (uint32_t port = 1024; port < 3024; port++) {
		packet.flow.sport = (uint16_t)port;
		assert_int_equal(matches(&rule, packet), matches(&rule, answer_to(packet)));
	}
}

/* Who talks to himself on the same port both ways has no two ends to tell apart: the hash must still vary. */
static void connections_of_one_address_do_not_share_one_fate(void **state)
{
	struct hf_rule rule = share_rule(1U << 31);
	struct packet packet = packet_of(TCP);
	unsigned int meant = 0;

	packet.flow.dst = packet.flow.src;
	for (uint32_t port = 1024; port < 11024; port++) {
		packet.flow.sport = packet.flow.dport = (uint16_t)port;
		meant += matches(&rule, packet);
	}
	assert_in_range(meant, 5000 - 5 * 50, 5000 + 5 * 50);
}

static void another_seed_takes_other_connections(void **state)
{
	struct hf_rule one = share_rule(1U << 31), other = share_rule(1U << 31);
	struct packet packet = packet_of(TCP);
	unsigned int differ = 0;

	other.seed = 6;
	for (uint32_t port = 1024; port < 11024; port++) {
		packet.flow.sport = (uint16_t)port;
		differ += matches(&one, packet) != matches(&other, packet);
	}
	assert_in_range(differ, 5000 - 5 * 50, 5000 + 5 * 50);
}

static void all_and_none_are_shares_too(void **state)
{
	struct hf_rule all = share_rule(HF_ODDS_ALWAYS), none = share_rule(0);
	struct packet packet = packet_of(TCP);

	for (uint32_t port = 1024; port < 2024; port++) {
		packet.flow.sport = (uint16_t)port;
		assert_true(matches(&all, packet));
		assert_false(matches(&none, packet));
	}
}

/* ---- what befalls them ---- */

static void drop_drops_every_packet(void **state)
{
	struct hf_rule rule = { .flags = HF_RULE_DROP | HF_RULE_DELAY, .delay_ns = 5 };

	for (uint64_t nth = 0; nth < 1000; nth++) {
		assert_int_equal(fault_decide(&rule, nth).dropped, 1);
		assert_int_equal(fault_decide(&rule, nth).delay_ns, 0);
	}
}

static void a_rule_without_effect_does_nothing(void **state)
{
	struct hf_rule rule = { .delay_ns = 5, .loss_odds = HF_ODDS_ALWAYS };

	assert_int_equal(fault_decide(&rule, 0).dropped, 0);
	assert_int_equal(fault_decide(&rule, 0).delay_ns, 0);
}

static void loss_takes_its_part_and_delays_the_rest(void **state)
{
	struct hf_rule rule = { .flags = HF_RULE_LOSS | HF_RULE_DELAY,
				.delay_ns = 5000000,
				.loss_odds = 42949673, /* 1 % */
				.seed = 17 };
	unsigned int dropped = 0;

	for (uint64_t nth = 0; nth < 100000; nth++) {
		struct fault_outcome outcome = fault_decide(&rule, nth);

		dropped += outcome.dropped;
		assert_int_equal(outcome.delay_ns, outcome.dropped ? 0 : 5000000);
	}
	assert_in_range(dropped, 1000 - 157, 1000 + 157); /* five standard deviations */
}

static void the_same_packet_has_the_same_fate_in_every_run(void **state)
{
	struct hf_rule rule = { .flags = HF_RULE_LOSS | HF_RULE_DELAY,
				.delay_ns = 5000000,
				.jitter_ns = 1000000,
				.loss_odds = 1U << 31,
				.seed = 17 };
	struct hf_rule again = rule;

	again.id = 99; /* the rule's number is no part of its chance */
	for (uint64_t nth = 0; nth < 1000; nth++) {
		assert_int_equal(fault_decide(&rule, nth).dropped,
				 fault_decide(&again, nth).dropped);
		assert_true(fault_decide(&rule, nth).delay_ns ==
			    fault_decide(&again, nth).delay_ns);
	}
}

static void jitter_stays_between_its_ends_and_uses_them(void **state)
{
	struct hf_rule rule = {
		.flags = HF_RULE_DELAY, .delay_ns = 5000, .jitter_ns = 1000, .seed = 1
	};
	uint64_t lowest = UINT64_MAX, highest = 0;

	for (uint64_t nth = 0; nth < 100000; nth++) {
		uint64_t delay_ns = fault_decide(&rule, nth).delay_ns;

		lowest = delay_ns < lowest ? delay_ns : lowest;
		highest = delay_ns > highest ? delay_ns : highest;
	}
	assert_int_equal(lowest, 4000);
	assert_int_equal(highest, 6000);
}

static void a_rule_rolls_only_when_chance_has_a_say(void **state)
{
	struct hf_rule drop = { .flags = HF_RULE_DROP };
	struct hf_rule delay = { .flags = HF_RULE_DELAY, .delay_ns = 5 };
	struct hf_rule jitter = { .flags = HF_RULE_DELAY, .delay_ns = 5, .jitter_ns = 1 };
	struct hf_rule loss = { .flags = HF_RULE_LOSS };

	assert_false(fault_rule_rolls(&drop));
	assert_false(fault_rule_rolls(&delay));
	assert_true(fault_rule_rolls(&jitter));
	assert_true(fault_rule_rolls(&loss));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_rule_is_alive_until_its_deadline),
		cmocka_unit_test(a_rule_without_match_means_all_but_upkeep),
		cmocka_unit_test(a_rule_of_one_network_means_no_other),
		cmocka_unit_test(a_protocol_means_itself),
		cmocka_unit_test(icmp_means_both_versions_and_spares_neighbour_discovery),
		cmocka_unit_test(arp_means_arp_alone),
		cmocka_unit_test(nd_means_neighbour_discovery_and_not_ping),
		cmocka_unit_test(ports_include_both_ends_of_a_range),
		cmocka_unit_test(port_is_the_destination_and_sport_the_source),
		cmocka_unit_test(what_has_no_ports_is_not_meant_by_ports),
		cmocka_unit_test(more_ranges_than_there_are_is_no_way_out_of_the_array),
		cmocka_unit_test(a_share_takes_its_part_of_the_connections),
		cmocka_unit_test(a_connection_keeps_its_fate_both_ways),
		cmocka_unit_test(connections_of_one_address_do_not_share_one_fate),
		cmocka_unit_test(another_seed_takes_other_connections),
		cmocka_unit_test(all_and_none_are_shares_too),
		cmocka_unit_test(drop_drops_every_packet),
		cmocka_unit_test(a_rule_without_effect_does_nothing),
		cmocka_unit_test(loss_takes_its_part_and_delays_the_rest),
		cmocka_unit_test(the_same_packet_has_the_same_fate_in_every_run),
		cmocka_unit_test(jitter_stays_between_its_ends_and_uses_them),
		cmocka_unit_test(a_rule_rolls_only_when_chance_has_a_say),
	};

	return cmocka_run_group_tests_name("fault", tests, NULL, NULL);
}
