/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test_match.c - which packets a rule means: the parser and the match, seen through the verdict of a rule that drops
 * everything it means. What does not parse is never dropped and never counted.
 */
#include <errno.h>
#include <linux/if_ether.h>
#include <string.h>

#include "fixture.h"

#define DROPPED TC_ACT_SHOT

static const __u8 protocols[] = { IPPROTO_TCP, IPPROTO_UDP, IPPROTO_ICMP };
enum { ECHO = 8, ECHO6 = 128, ND_SOLICITATION = 135 };

/* Every combination of what may stand around a transport header. */
static size_t every_shape(struct frame_spec *ret_specs)
{
	size_t count = 0;

	for (size_t p = 0; p < ARRAY_SIZE(protocols); p++)
		for (unsigned int vlans = 0; vlans <= 2; vlans++)
			for (unsigned int extensions = 0; extensions <= 7; extensions++)
				ret_specs[count++] = (struct frame_spec){
					.src = HOST_A,
					.dst = HOST_B,
					.proto = protocols[p],
					.icmp_type = extensions ? ECHO6 : ECHO,
					.vlans = vlans,
					.ipv6 = extensions > 0,
					.extensions = extensions ? extensions - 1 : 0,
					.sport = 40000,
					.dport = 80,
					.payload_len = 40,
				};
	return count;
}

#define SHAPES_MAX 128

static void tcp_udp_and_icmp_are_matched_behind_tags_and_extension_headers(void **state)
{
	struct frame_spec specs[SHAPES_MAX];
	size_t count = every_shape(specs);
	struct fixture *f = *state;

	ask_one(f, rule_of(1, HF_RULE_DROP));
	for (size_t i = 0; i < count; i++)
		assert_int_equal(enter_b(f, specs[i]), DROPPED);
	assert_int_equal(counts_of(f, 1).dropped, count);
}

static void a_rule_of_one_network_acts_on_the_devices_of_that_network(void **state)
{
	struct hf_device on_network_3 = { .endpoint = HOST_B, .network = 3 };
	struct hf_rule rule = rule_of(1, HF_RULE_DROP);
	struct fixture *f = *state;
	__u32 ifindex = harness_ifindex(DEVICE_B);

	rule.network = 3;
	ask_one(f, rule);
	assert_int_equal(enter_b(f, (struct frame_spec){ .dport = 80 }), PASSED);
	assert_int_equal(harness_set_device(f->harness, ifindex, &on_network_3), 0);
	assert_int_equal(enter_b(f, (struct frame_spec){ .dport = 80 }), DROPPED);
	on_network_3.network = 4;
	assert_int_equal(harness_set_device(f->harness, ifindex, &on_network_3), 0);
	assert_int_equal(enter_b(f, (struct frame_spec){ .dport = 80 }), PASSED);
	assert_int_equal(counts_of(f, 1).matched, 1);
}

static void ports_are_found_behind_tags_and_extension_headers(void **state)
{
	struct frame_spec specs[SHAPES_MAX];
	size_t count = every_shape(specs);
	struct hf_rule rule = rule_of(1, HF_RULE_DROP);
	struct fixture *f = *state;

	rule.dport_ranges = 1;
	rule.dport[0] = (struct hf_port_range){ 80, 80 };
	ask_one(f, rule);
	for (size_t i = 0; i < count; i++) {
		assert_int_equal(enter_b(f, specs[i]),
				 specs[i].proto == IPPROTO_ICMP ? PASSED : DROPPED);
		specs[i].dport = 81;
		assert_int_equal(enter_b(f, specs[i]), PASSED);
	}
}

static void a_third_vlan_tag_is_not_looked_behind(void **state)
{
	struct fixture *f = *state;

	ask_one(f, rule_of(1, HF_RULE_DROP));
	assert_int_equal(enter_b(f, (struct frame_spec){ .vlans = 3 }), PASSED);
	assert_int_equal(counts_of(f, 1).matched, 0);
}

static void a_seventh_extension_header_hides_the_ports(void **state)
{
	struct hf_rule rule = rule_of(1, HF_RULE_DROP);
	struct fixture *f = *state;

	rule.dport_ranges = 1;
	rule.dport[0] = (struct hf_port_range){ 0, 65535 };
	ask_one(f, rule);
	assert_int_equal(enter_b(f, (struct frame_spec){ .ipv6 = true, .extensions = 6 }), DROPPED);
	assert_int_equal(enter_b(f, (struct frame_spec){ .ipv6 = true, .extensions = 7 }), PASSED);
}

static void a_port_range_has_both_its_ends_and_nothing_beyond(void **state)
{
	static const struct {
		__u16 port;
		__s32 verdict;
	} cases[] = { { 79, PASSED },	  { 80, DROPPED },   { 81, PASSED },	{ 7999, PASSED },
		      { 8000, DROPPED },  { 8040, DROPPED }, { 8080, DROPPED }, { 8081, PASSED },
		      { 65535, DROPPED }, { 0, PASSED } };
	struct hf_rule rule = rule_of(1, HF_RULE_DROP);
	struct fixture *f = *state;

	rule.dport_ranges = 3;
	rule.dport[0] = (struct hf_port_range){ 80, 80 };
	rule.dport[1] = (struct hf_port_range){ 8000, 8080 };
	rule.dport[2] = (struct hf_port_range){ 65535, 65535 };
	rule.dport[3] = (struct hf_port_range){ 0, 65535 }; /* not in use */
	ask_one(f, rule);
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		assert_int_equal(
			enter_b(f, (struct frame_spec){ .dport = cases[i].port, .sport = 80 }),
			cases[i].verdict);
}

static void sport_is_the_senders_port_and_both_ports_must_fit(void **state)
{
	struct hf_rule rule = rule_of(1, HF_RULE_DROP);
	struct fixture *f = *state;

	rule.sport_ranges = rule.dport_ranges = 1;
	rule.sport[0] = (struct hf_port_range){ 5432, 5432 };
	rule.dport[0] = (struct hf_port_range){ 40000, 50000 };
	ask_one(f, rule);
	assert_int_equal(enter_b(f, (struct frame_spec){ .sport = 5432, .dport = 40001 }), DROPPED);
	assert_int_equal(enter_b(f, (struct frame_spec){ .sport = 5432, .dport = 39999 }), PASSED);
	assert_int_equal(enter_b(f, (struct frame_spec){ .sport = 5433, .dport = 40001 }), PASSED);
	assert_int_equal(enter_b(f, (struct frame_spec){ .sport = 40001, .dport = 5432 }), PASSED);
}

static void proto_means_this_protocol_and_icmp_means_both_kinds(void **state)
{
	struct fixture *f = *state;

	for (size_t asked = 0; asked < ARRAY_SIZE(protocols); asked++) {
		struct hf_rule rule = rule_of(1 + asked, HF_RULE_DROP);

		rule.proto = protocols[asked];
		ask_one(f, rule);
		for (size_t sent = 0; sent < ARRAY_SIZE(protocols); sent++)
			for (int ipv6 = 0; ipv6 < 2; ipv6++)
				assert_int_equal(
					enter_b(f, (struct frame_spec){ .proto = protocols[sent],
									.ipv6 = ipv6,
									.icmp_type = ECHO6 }),
					asked == sent ? DROPPED : PASSED);
	}
}

static void only_the_first_fragment_has_ports(void **state)
{
	struct hf_rule rule = rule_of(1, HF_RULE_DROP);
	struct fixture *f = *state;

	rule.dport_ranges = 1;
	rule.dport[0] = (struct hf_port_range){ 0, 65535 };
	for (int ipv6 = 0; ipv6 < 2; ipv6++) {
		struct frame_spec first = {
			.ipv6 = ipv6, .proto = IPPROTO_UDP, .fragment = true, .payload_len = 64
		};
		struct frame_spec later = first;

		later.fragment_offset = 72;
		ask_one(f, rule);
		assert_int_equal(enter_b(f, first), DROPPED);
		assert_int_equal(enter_b(f, later), PASSED);
		/* but both are packets of this link and this protocol */
		rule = rule_of(2, HF_RULE_DROP);
		rule.proto = IPPROTO_UDP;
		ask_one(f, rule);
		assert_int_equal(enter_b(f, first), DROPPED);
		assert_int_equal(enter_b(f, later), DROPPED);
		rule = rule_of(1, HF_RULE_DROP);
		rule.dport_ranges = 1;
		rule.dport[0] = (struct hf_port_range){ 0, 65535 };
	}
}

static void a_frame_cut_off_anywhere_passes_and_is_not_matched(void **state)
{
	struct frame_spec specs[SHAPES_MAX];
	size_t count = every_shape(specs);
	struct fixture *f = *state;

	ask_one(f, rule_of(1, HF_RULE_DROP));
	harness_set_tracing(f->harness, true);
	for (size_t i = 0; i < count; i++) {
		struct frame frame;
		__u32 whole;

		frame_make(&specs[i], &frame);
		whole = frame.len;
		for (frame.len = ETH_HLEN; frame.len < whole; frame.len++) {
			int r;

			place(f, DEVICE_A, DEVICE_B);
			r = harness_run(f->enter, &frame, 1, &f->run);
			if (r == -EINVAL && frame.len < ETH_HLEN + 40)
				continue; /* newer kernels refuse to test with less than an IP header */
			assert_int_equal(r, 0);
			assert_int_equal(f->run.verdict, PASSED);
		}
		assert_int_equal(enter_frame(f, &frame), DROPPED);
	}
	assert_int_equal(counts_of(f, 1).matched, count);
}

/* Said so that "every length from 0" is not a claim without ground: the kernel has no such packets for tc. */
static void the_kernel_runs_no_program_on_less_than_an_ethernet_header(void **state)
{
	struct fixture *f = *state;
	struct frame frame;

	frame_make(&(struct frame_spec){ .proto = IPPROTO_TCP }, &frame);
	for (frame.len = 0; frame.len < ETH_HLEN; frame.len++) {
		place(f, DEVICE_A, DEVICE_B);
		assert_int_equal(harness_run(f->enter, &frame, 1, &f->run), -EINVAL);
	}
}

static void what_is_not_ip_passes(void **state)
{
	static const __u16 ethertypes[] = {
		0,     60, ETH_P_LOOP, ETH_P_PPP_DISC, ETH_P_MPLS_UC, ETH_P_LLDP, HF_HOLD_ETHERTYPE,
		0xffff
	};
	struct fixture *f = *state;

	ask_one(f, rule_of(1, HF_RULE_DROP));
	for (size_t i = 0; i < ARRAY_SIZE(ethertypes); i++) {
		struct frame frame;

		frame_make_other(ethertypes[i], 100, &frame);
		assert_int_equal(enter_frame(f, &frame), PASSED);
	}
	assert_int_equal(counts_of(f, 1).matched, 0);
}

static void headers_that_contradict_themselves_pass(void **state)
{
	static const struct {
		bool ipv6;
		__u32 offset; /* in the frame */
		__u8 byte;
		const char *what;
	} lies[] = {
		{ false, 14, 0x65, "IPv4 that says it is version 6" },
		{ false, 14, 0x44, "IPv4 header shorter than one" },
		{ false, 14, 0x4f, "IPv4 header longer than the packet" },
		{ false, 16, 0xff, "IPv4 longer than the frame" },
		{ false, 14 + 20 + 12, 0x40, "TCP header shorter than one" },
		{ true, 14, 0x45, "IPv6 that says it is version 4" },
		{ true, 14 + 4, 0xff, "IPv6 longer than the frame" },
	};
	struct fixture *f = *state;

	ask_one(f, rule_of(1, HF_RULE_DROP));
	for (size_t i = 0; i < ARRAY_SIZE(lies); i++) {
		struct frame_spec spec = {
			.src = HOST_A, .dst = HOST_B, .proto = IPPROTO_TCP, .ipv6 = lies[i].ipv6
		};
		struct frame frame;

		frame_make(&spec, &frame);
		frame.byte[lies[i].offset] = lies[i].byte;
		if (enter_frame(f, &frame) != PASSED)
			fail_msg("not passed: %s", lies[i].what);
	}
}

static void garbage_gets_a_verdict_and_nothing_else(void **state)
{
	static const __u16 ethertypes[] = { ETH_P_IP, ETH_P_IPV6, ETH_P_ARP, ETH_P_8021Q };
	struct fixture *f = *state;
	unsigned int random = 1;

	ask_one(f, rule_of(1, HF_RULE_DROP));
	harness_set_tracing(f->harness, true);
	for (int i = 0; i < 20000; i++) {
		struct frame frame;

		frame_make_other(ethertypes[i % 4], 40 + rand_r(&random) % 160, &frame);
		for (__u32 at = ETH_HLEN; at < frame.len; at++)
			frame.byte[at] = rand_r(&random) >> 8;
		if (i & 4) /* half of them get further than the version */
			frame.byte[ETH_HLEN] = i % 4 ? 0x60 : 0x45;
		if (enter_frame(f, &frame) != PASSED)
			assert_int_equal(f->run.verdict, DROPPED);
		assert_memory_equal(frame.byte, f->run.frame_after.byte, frame.len);
		assert_int_equal(harness_run(f->leave, &frame, 1, &f->run), 0);
		assert_int_equal(f->run.verdict, PASSED);
	}
}

static void what_keeps_the_link_alive_is_matched_only_when_asked(void **state)
{
	struct hf_rule rule = rule_of(2, HF_RULE_DROP | HF_RULE_UPKEEP);
	struct fixture *f = *state;
	struct frame arp;

	frame_make_arp(HOST_A, HOST_B, &arp);
	ask_one(f, rule_of(1, HF_RULE_DROP));
	assert_int_equal(enter_frame(f, &arp), PASSED);
	for (__u8 type = 130; type < 140; type++)
		assert_int_equal(enter_b(f, (struct frame_spec){ .proto = IPPROTO_ICMP,
								 .ipv6 = true,
								 .icmp_type = type }),
				 type >= 133 && type <= 137 ? PASSED : DROPPED);

	rule.proto = HF_PROTO_ARP;
	ask_one(f, rule);
	assert_int_equal(enter_frame(f, &arp), DROPPED);
	assert_int_equal(enter_b(f, (struct frame_spec){ .proto = IPPROTO_TCP }), PASSED);

	rule.proto = HF_PROTO_ICMPV6;
	ask_one(f, rule);
	assert_int_equal(enter_frame(f, &arp), PASSED);
	assert_int_equal(enter_b(f, (struct frame_spec){ .proto = IPPROTO_ICMP,
							 .ipv6 = true,
							 .icmp_type = ND_SOLICITATION }),
			 DROPPED);
}

static void a_rule_for_a_to_b_does_nothing_to_b_to_a(void **state)
{
	struct fixture *f = *state;

	ask_one(f, rule_of(1, HF_RULE_DROP));
	for (int ipv6 = 0; ipv6 < 2; ipv6++) {
		assert_int_equal(enter_b(f, (struct frame_spec){ .ipv6 = ipv6 }), DROPPED);
		assert_int_equal(enter_a(f, (struct frame_spec){ .ipv6 = ipv6 }), PASSED);
	}
}

static void the_sender_is_who_is_behind_the_device_that_it_came_in_by(void **state)
{
	struct frame_spec forged = { .src = HOST_ELSEWHERE };
	struct fixture *f = *state;

	ask_one(f, rule_of(1, HF_RULE_DROP));
	assert_int_equal(enter_b(f, forged), DROPPED);
}

static void without_such_a_device_the_sender_is_known_by_its_address(void **state)
{
	static const __u32 hosts[] = { HOST_A, HOST_ELSEWHERE, HOST_UNNAMED };
	/* it came in nowhere: who is nobody else is the host */
	static const __u32 endpoints[] = { HOST_A, HOST_ELSEWHERE, HF_ENDPOINT_HOST };
	struct fixture *f = *state;

	for (size_t ruled = 0; ruled < ARRAY_SIZE(hosts); ruled++) {
		struct harness_link link = { .key = { endpoints[ruled], HOST_B },
					     .rules = 1,
					     .rule[0] = rule_of(1, HF_RULE_DROP) };

		assert_int_equal(harness_flip(f->harness, &link, 1), 0);
		for (size_t sent = 0; sent < ARRAY_SIZE(hosts); sent++)
			for (int ipv6 = 0; ipv6 < 2; ipv6++)
				assert_int_equal(release_b(f,
							   (struct frame_spec){ .src = hosts[sent],
										.ipv6 = ipv6 },
							   0, 0),
						 ruled == sent ? DROPPED : PASSED);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		fixture_test(tcp_udp_and_icmp_are_matched_behind_tags_and_extension_headers),
		fixture_test(a_rule_of_one_network_acts_on_the_devices_of_that_network),
		fixture_test(ports_are_found_behind_tags_and_extension_headers),
		fixture_test(a_third_vlan_tag_is_not_looked_behind),
		fixture_test(a_seventh_extension_header_hides_the_ports),
		fixture_test(a_port_range_has_both_its_ends_and_nothing_beyond),
		fixture_test(sport_is_the_senders_port_and_both_ports_must_fit),
		fixture_test(proto_means_this_protocol_and_icmp_means_both_kinds),
		fixture_test(only_the_first_fragment_has_ports),
		fixture_test(a_frame_cut_off_anywhere_passes_and_is_not_matched),
		fixture_test(the_kernel_runs_no_program_on_less_than_an_ethernet_header),
		fixture_test(what_is_not_ip_passes),
		fixture_test(headers_that_contradict_themselves_pass),
		fixture_test(garbage_gets_a_verdict_and_nothing_else),
		fixture_test(what_keeps_the_link_alive_is_matched_only_when_asked),
		fixture_test(a_rule_for_a_to_b_does_nothing_to_b_to_a),
		fixture_test(the_sender_is_who_is_behind_the_device_that_it_came_in_by),
		fixture_test(without_such_a_device_the_sender_is_known_by_its_address),
	};

	return cmocka_run_group_tests(tests, fixture_world, NULL);
}
