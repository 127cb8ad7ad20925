/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test_session.c - facts about the connection that a command is typed over: what ends it, and where it is read from. */
#include <arpa/inet.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "cli/session.h"
#include "fault/partition.h"
#include "fault/rule.h"
#include "fault/session.h"

enum { HERE = 20, THERE = 21, OTHER = 22, NETWORK = 3, NOW_NS = 1000 };

static const struct hf_link_key the_link = { HERE, THERE };
static const struct hf_flow flow = { .sport = 22, .dport = 40000 };

/* As the words of `add`, between these two; on all networks. */
static struct fault_wish wish_of(const char *effect, const struct hf_link_key *on)
{
	char *word[16] = { "a", "b" }, copy[128], *at = NULL;
	struct rule_request request;
	struct rule_error error;
	int words = 2;

	strcpy(copy, effect);
	for (char *one = strtok_r(copy, " ", &at); one; one = strtok_r(NULL, " ", &at))
		word[words++] = one;
	assert_int_equal(rule_parse(words, word, &request, &error), 0);
	return (struct fault_wish){
		.kind = FAULT_RULE,
		.text = effect,
		.rule = request.rule,
		.link = on,
		.links = 1,
		.now_ns = NOW_NS,
		.ttl_ns = 1000,
	};
}

static void assert_fate(const struct faultset *live, const char *effect, enum session_fate expected)
{
	const struct fault_wish wish = wish_of(effect, &the_link);
	const struct session_way way = session_way(the_link, &flow, NETWORK);

	assert_int_equal(session_fate(live, &wish, &way), expected);
}

static struct faultset *nothing(void)
{
	static struct fault_ids ids;
	struct faultset *set = faultset_new(&ids);

	assert_non_null(set);
	return set;
}

static void what_stops_its_packets_ends_it(void **state)
{
	struct faultset *live = nothing();

	assert_fate(live, "drop", SESSION_CUT);
	assert_fate(live, "loss 100%", SESSION_CUT);
	assert_fate(live, "drop proto tcp port 40000 sport 22", SESSION_CUT);
	assert_fate(live, "drop share 100%", SESSION_CUT);
	assert_fate(live, "loss 50%", SESSION_LOST);
	assert_fate(live, "delay 5s", SESSION_SLOW);
	faultset_free(live);
}

static void what_passes_enough_of_them_does_not(void **state)
{
	struct faultset *live = nothing();

	assert_fate(live, "loss 49%", SESSION_LIVES);
	assert_fate(live, "delay 4999ms", SESSION_LIVES);
	assert_fate(live, "drop port 22", SESSION_LIVES);
	assert_fate(live, "drop proto udp", SESSION_LIVES);
	assert_fate(live, "drop proto icmp", SESSION_LIVES);
	assert_fate(live, "drop proto arp", SESSION_LIVES);
	assert_fate(live, "drop proto nd", SESSION_LIVES);
	faultset_free(live);
}

static void a_share_takes_all_of_a_connection_or_nothing(void **state)
{
	const struct session_way way = session_way(the_link, &flow, NETWORK);
	struct fault_wish wish = wish_of("drop share 30%", &the_link);
	struct faultset *live = nothing();
	int cut = 0;

	for (uint64_t seed = 0; seed < 1000; seed++) {
		wish.rule.seed = seed;
		cut += session_fate(live, &wish, &way) == SESSION_CUT;
	}
	assert_in_range(cut, 250, 350);
	faultset_free(live);
}

static void another_link_or_network_is_no_concern_of_it(void **state)
{
	const struct hf_link_key back = { THERE, HERE }, beside = { HERE, OTHER };
	const struct session_way way = session_way(the_link, &flow, NETWORK);
	struct fault_wish wish = wish_of("drop", &back);
	struct faultset *live = nothing();

	assert_int_equal(session_fate(live, &wish, &way), SESSION_LIVES);
	wish = wish_of("drop", &beside);
	assert_int_equal(session_fate(live, &wish, &way), SESSION_LIVES);
	wish = wish_of("drop", &the_link);
	wish.rule.network = NETWORK + 1;
	assert_int_equal(session_fate(live, &wish, &way), SESSION_LIVES);
	wish.rule.network = NETWORK;
	assert_int_equal(session_fate(live, &wish, &way), SESSION_CUT);
	faultset_free(live);
}

static void what_is_in_force_counts_with_what_is_wished(void **state)
{
	struct fault_wish stands = wish_of("loss 30%", &the_link);
	struct faultset *live = nothing();
	uint32_t id;

	assert_int_equal(faultset_add(live, &stands, &id, NULL), 0);
	assert_fate(live, "loss 29%", SESSION_LOST); /* 1 - 0.70 * 0.71 */
	assert_fate(live, "loss 28%", SESSION_LIVES);
	stands = wish_of("delay 3s", &the_link);
	assert_int_equal(faultset_add(live, &stands, &id, NULL), 0);
	assert_fate(live, "delay 2s", SESSION_SLOW);
	assert_fate(live, "drop proto udp", SESSION_LIVES);
	faultset_free(live);
}

static void who_is_cut_off_already_may_add_what_would_not_do_it(void **state)
{
	struct fault_wish stands = wish_of("drop", &the_link);
	struct faultset *live = nothing();
	uint32_t id;

	assert_int_equal(faultset_add(live, &stands, &id, NULL), 0);
	assert_fate(live, "drop port 80", SESSION_LIVES);
	assert_fate(live, "delay 1ms", SESSION_LIVES);
	assert_fate(live, "loss 30%", SESSION_LIVES);
	assert_fate(live, "drop", SESSION_CUT); /* it may last longer */
	faultset_free(live);
}

static void what_is_over_counts_no_more(void **state)
{
	struct fault_wish stands = wish_of("loss 40%", &the_link), wish = stands;
	const struct session_way way = session_way(the_link, &flow, NETWORK);
	struct faultset *live = nothing();
	uint32_t id;

	assert_int_equal(faultset_add(live, &stands, &id, NULL), 0);
	assert_int_equal(session_fate(live, &wish, &way), SESSION_LOST);
	wish.now_ns = NOW_NS + 1000;
	assert_int_equal(session_fate(live, &wish, &way), SESSION_LIVES);
	faultset_free(live);
}

/* ---- the environment ---- */

static void assert_address(const struct hf_addr *addr, const char *expected)
{
	char text[INET6_ADDRSTRLEN];

	assert_non_null(inet_ntop(AF_INET6, addr->byte, text, sizeof(text)));
	assert_string_equal(text, expected);
}

static void ssh_connection_names_the_client_first(void **state)
{
	struct session session = { .netns = { 4, 5 } };

	assert_true(session_from_environment("192.0.2.7 40022 10.0.0.1 22", &session));
	assert_address(&session.remote, "::ffff:192.0.2.7");
	assert_int_equal(session.remote_port, 40022);
	assert_address(&session.local, "::ffff:10.0.0.1");
	assert_int_equal(session.local_port, 22);
	assert_int_equal(session.netns.ino, 5);
	assert_true(session_from_environment("fe80::7%eth0 40022 fe80::1%eth0 22", &session));
	assert_address(&session.remote, "fe80::7");
	assert_address(&session.local, "fe80::1");
}

static void what_is_no_connection_is_not_taken(void **state)
{
	static const char *const wrong[] = {
		"",
		"192.0.2.7 40022 10.0.0.1",
		"192.0.2.7 0 10.0.0.1 22",
		"192.0.2.7 65536 10.0.0.1 22",
		"192.0.2.7 22x 10.0.0.1 22",
		"UNKNOWN 65535 UNKNOWN 65535",
		"192.0.2.7.192.0.2.7.192.0.2.7.192.0.2.7.192.0.2.7.192.0.2.7.192.0.2.7 1 10.0.0.1 "
		"22",
	};
	struct session session = { .local_port = 7 };

	for (size_t i = 0; i < sizeof(wrong) / sizeof(*wrong); i++)
		assert_false(session_from_environment(wrong[i], &session));
	assert_int_equal(session.local_port, 7);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_stops_its_packets_ends_it),
		cmocka_unit_test(what_passes_enough_of_them_does_not),
		cmocka_unit_test(a_share_takes_all_of_a_connection_or_nothing),
		cmocka_unit_test(another_link_or_network_is_no_concern_of_it),
		cmocka_unit_test(what_is_in_force_counts_with_what_is_wished),
		cmocka_unit_test(who_is_cut_off_already_may_add_what_would_not_do_it),
		cmocka_unit_test(what_is_over_counts_no_more),
		cmocka_unit_test(ssh_connection_names_the_client_first),
		cmocka_unit_test(what_is_no_connection_is_not_taken),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
