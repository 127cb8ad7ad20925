/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test_link.c - what befalls a packet that is matched: drop, loss, delay, their order and their counts; and when
 * nothing at all befalls it, because the owner is dead, the rule is over, or the generation has changed.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <sched.h>
#include <string.h>
#include <sys/socket.h>

#include <bpf/bpf.h>

#include "fixture.h"
#include "hash.h"

#define RUNS 100000

static const struct frame_spec some_tcp = { .sport = 40000, .dport = 80, .payload_len = 100 };

static void every_passing_path_lets_the_programs_behind_run(void **state)
{
	struct fixture *f = *state;
	struct hf_rule other = rule_of(1, HF_RULE_DROP);
	struct harness_link other_link = { .key = { HOST_B, HOST_A },
					   .rules = 1,
					   .rule[0] = other };

	for (int tracing = 0; tracing < 2; tracing++) {
		harness_set_tracing(f->harness, tracing);
		assert_int_equal(harness_no_generation(f->harness), 0);
		assert_int_equal(enter_b(f, some_tcp), PASSED);
		assert_int_equal(leave_a(f, some_tcp), PASSED);
		assert_int_equal(harness_flip(f->harness, &other_link, 1), 0);
		assert_int_equal(enter_b(f, some_tcp), PASSED);
		ask_all(f, NULL, 0);
		assert_int_equal(enter_b(f, some_tcp), PASSED);
		other.proto = IPPROTO_UDP;
		ask_one(f, other);
		assert_int_equal(enter_b(f, some_tcp), PASSED);
	}
}

static void a_device_that_nobody_manages_is_left_alone(void **state)
{
	struct fixture *f = *state;
	struct frame frame;

	ask_one(f, rule_of(1, HF_RULE_DROP));
	frame_make(&(struct frame_spec){ .src = HOST_A, .dst = HOST_B, .proto = IPPROTO_TCP },
		   &frame);
	place(f, DEVICE_A, DEVICE_HOLD);
	assert_int_equal(harness_run(f->enter, &frame, 1, &f->run), 0);
	assert_int_equal(f->run.verdict, PASSED);
}

static void nothing_acts_for_an_owner_whose_lease_is_stale(void **state)
{
	struct fixture *f = *state;

	ask_one(f, rule_of(1, HF_RULE_DROP));
	assert_int_equal(harness_set_engine(f->harness, DEVICE_B, HF_ENGINE_HOLD), 0);
	harness_set_lease(f->harness, 0);
	for (int tracing = 0; tracing < 2; tracing++) {
		harness_set_tracing(f->harness, tracing);
		assert_int_equal(enter_b(f, some_tcp), PASSED);
		assert_int_equal(leave_a(f, some_tcp), PASSED);
		assert_int_equal(release_b(f, some_tcp, HARNESS_MARK, 1), PASSED);
		assert_int_equal(f->run.ctx.mark, HARNESS_MARK);
		assert_int_equal(counts_of(f, 1).matched, 0);
		assert_int_equal(told(f), 0);
	}

	harness_set_lease(f->harness, 3600 * 1000 * MS);
	assert_int_equal(enter_b(f, some_tcp), TC_ACT_SHOT);
}

static void a_rule_past_its_deadline_is_inert_and_the_others_are_not(void **state)
{
	struct hf_rule rules[] = { rule_of(1, HF_RULE_DROP), rule_of(2, HF_RULE_DROP) };
	struct fixture *f = *state;

	rules[0].deadline_ns = harness_now_ns();
	ask_one(f, rules[0]);
	assert_int_equal(enter_b(f, some_tcp), PASSED);
	ask_all(f, rules, 2);
	assert_int_equal(enter_b(f, some_tcp), TC_ACT_SHOT);
	assert_int_equal(counts_of(f, 1).matched, 0);
	assert_int_equal(counts_of(f, 2).matched, 1);
}

static void a_flip_takes_effect_at_once_and_counters_survive_it(void **state)
{
	struct fixture *f = *state;

	for (unsigned int i = 1; i <= 3; i++) {
		ask_all(f, NULL, 0);
		assert_int_equal(enter_b(f, some_tcp), PASSED);
		ask_one(f, rule_of(1, HF_RULE_DROP));
		assert_int_equal(enter_b(f, some_tcp), TC_ACT_SHOT);
		assert_int_equal(counts_of(f, 1).dropped, i);
	}
}

static void the_first_drop_ends_the_walk(void **state)
{
	struct hf_rule rules[] = { delay_rule(1, 5 * MS), rule_of(2, HF_RULE_DROP),
				   rule_of(3, HF_RULE_DROP) };
	struct fixture *f = *state;

	ask_all(f, rules, 3);
	assert_int_equal(harness_set_engine(f->harness, DEVICE_B, HF_ENGINE_HOLD), 0);
	assert_int_equal(enter_b(f, some_tcp), TC_ACT_SHOT);
	assert_int_equal(counts_of(f, 1).matched, 1);
	assert_int_equal(counts_of(f, 2).dropped, 1);
	assert_int_equal(counts_of(f, 3).matched, 0);
}

/* Other links that have the home of a->b, in a table of so many. */
static void fill_home_of_a_b(struct harness_link *link, size_t links, __u32 homes)
{
	const struct hf_link_key a_b = { HOST_A, HOST_B };
	size_t found = 0;

	for (__u32 dst = HOST_UNNAMED; found < links; dst++) {
		struct hf_link_key key = { HOST_A, dst };

		if (hash_link(&key, homes - 1) != hash_link(&a_b, homes - 1))
			continue;
		link[found++] = (struct harness_link){ .key = key,
						       .rules = 1,
						       .rule[0] = rule_of(100, HF_RULE_DROP) };
	}
}

static void links_of_one_home_keep_their_own_rules(void **state)
{
	struct harness_link link[HF_HOME_LINKS_MAX];
	struct harness_link *a_b = &link[HF_HOME_LINKS_MAX - 1];
	struct fixture *f = *state;

	fill_home_of_a_b(link, HF_HOME_LINKS_MAX, 2 * HF_HOME_LINKS_MAX);
	assert_int_equal(harness_flip(f->harness, link, HF_HOME_LINKS_MAX), 0);
	assert_int_equal(enter_b(f, some_tcp), PASSED);

	*a_b = (struct harness_link){ .key = { HOST_A, HOST_B }, .rules = 3 };
	for (__u32 i = 0; i < a_b->rules; i++)
		a_b->rule[i] = rule_of(1 + i, HF_RULE_DROP);
	a_b->rule[0].proto = a_b->rule[1].proto = IPPROTO_UDP;
	assert_int_equal(harness_flip(f->harness, link, HF_HOME_LINKS_MAX), 0);
	assert_int_equal(enter_b(f, some_tcp), TC_ACT_SHOT);
	assert_int_equal(counts_of(f, 1).matched + counts_of(f, 2).matched, 0);
	assert_int_equal(counts_of(f, 3).dropped, 1);
	assert_int_equal(counts_of(f, 100).matched, 0);
}

/* What stands in front of a held frame; the frame itself must follow, byte for byte. */
static struct hf_hold_header held(struct fixture *f, const struct frame *sent)
{
	struct hf_hold_header header;

	assert_int_equal(f->run.verdict, TC_ACT_REDIRECT);
	assert_int_equal(f->run.frame_after.len, sizeof(header) + sent->len);
	memcpy(&header, f->run.frame_after.byte, sizeof(header));
	assert_memory_equal(f->run.frame_after.byte + sizeof(header), sent->byte, sent->len);
	return header;
}

static void hold_redirects_the_frame_behind_a_header(void **state)
{
	struct fixture *f = *state;

	ask_one(f, delay_rule(7, 5 * MS));
	assert_int_equal(harness_set_engine(f->harness, DEVICE_B, HF_ENGINE_HOLD), 0);
	for (int shape = 0; shape < 6; shape++) {
		struct frame_spec spec = { .src = HOST_A,
					   .dst = HOST_B,
					   .proto = shape & 1 ? IPPROTO_UDP : IPPROTO_TCP,
					   .ipv6 = shape & 1,
					   .vlans = shape / 2,
					   .payload = "hold me",
					   .payload_len = 7 };
		__u64 before_ns = harness_now_ns(), after_ns;
		struct hf_hold_header header;
		struct frame frame;

		frame_make(&spec, &frame);
		enter_frame(f, &frame);
		after_ns = harness_now_ns();
		header = held(f, &frame);
		assert_in_range(header.decided_ns, before_ns, after_ns);
		assert_int_equal(header.due_ns, header.decided_ns + 5 * MS);
		assert_int_equal(header.ifindex, harness_ifindex(DEVICE_B));
		assert_int_equal(header.ethertype, htons(HF_HOLD_ETHERTYPE));
		assert_int_equal(header.rule_id, 7);
	}
	assert_int_equal(counts_of(f, 7).delayed, 6);
	assert_int_equal(counts_of(f, 7).undelayed, 0);
}

static void the_delays_of_sixteen_rules_add_up(void **state)
{
	struct hf_rule rules[HF_LINK_RULES_MAX];
	struct fixture *f = *state;
	struct frame_spec spec = { .src = HOST_A, .dst = HOST_B, .proto = IPPROTO_TCP };
	struct hf_hold_header header;
	struct frame frame;
	__u64 sum_ns = 0;

	for (__u32 i = 0; i < HF_LINK_RULES_MAX; i++) {
		rules[i] = delay_rule(1 + i, (i + 1) * MS);
		sum_ns += (i + 1) * MS;
	}
	ask_all(f, rules, HF_LINK_RULES_MAX);
	assert_int_equal(harness_set_engine(f->harness, DEVICE_B, HF_ENGINE_HOLD), 0);
	frame_make(&spec, &frame);
	enter_frame(f, &frame);
	header = held(f, &frame);
	assert_int_equal(header.due_ns - header.decided_ns, sum_ns);
	for (__u32 i = 0; i < HF_LINK_RULES_MAX; i++)
		assert_int_equal(counts_of(f, 1 + i).asked_ns, (i + 1) * MS);
}

static void jitter_is_uniform_around_the_delay_and_replays(void **state)
{
	enum { PACKETS = 10000 };
	struct hf_rule rule = delay_rule(1, 5 * MS);
	struct fixture *f = *state;
	struct frame_spec spec = { .src = HOST_A, .dst = HOST_B, .proto = IPPROTO_TCP };
	static __u64 given_ns[PACKETS];
	struct frame frame;
	double sum_ns = 0;

	rule.jitter_ns = 2 * MS;
	frame_make(&spec, &frame);
	ask_one(f, rule);
	assert_int_equal(harness_set_engine(f->harness, DEVICE_B, HF_ENGINE_HOLD), 0);
	for (int run = 0; run < 2; run++) {
		assert_int_equal(harness_reset_dice(f->harness, 1), 0);
		for (int i = 0; i < PACKETS; i++) {
			struct hf_hold_header header;

			enter_frame(f, &frame);
			memcpy(&header, f->run.frame_after.byte, sizeof(header));
			if (run == 1)
				assert_int_equal(header.due_ns - header.decided_ns, given_ns[i]);
			given_ns[i] = header.due_ns - header.decided_ns;
			assert_in_range(given_ns[i], 3 * MS, 7 * MS);
			sum_ns += given_ns[i];
		}
	}
	/* the mean of n uniform numbers in 5 +- 2 ms has a deviation of 2 / sqrt(3 n): five of them are 58 us */
	assert_in_range(sum_ns / (2 * PACKETS), 5 * MS - 58000, 5 * MS + 58000);
}

static void a_delay_with_no_engine_passes_and_is_counted_as_undelayed(void **state)
{
	struct fixture *f = *state;
	struct hf_lost lost;

	ask_one(f, delay_rule(1, 5 * MS));
	assert_int_equal(harness_set_engine(f->harness, DEVICE_B, HF_ENGINE_NONE), 0);
	assert_int_equal(enter_b(f, some_tcp), PASSED);
	assert_int_equal(counts_of(f, 1).matched, 1);
	assert_int_equal(counts_of(f, 1).undelayed, 1);
	assert_int_equal(harness_lost(f->harness, &lost), 0);
	assert_int_equal(lost.held, 1);
}

/* The device is down, so the clone goes nowhere and the original must not be lost with it. */
static void fq_whose_clone_cannot_be_sent_passes_the_packet_undelayed(void **state)
{
	struct fixture *f = *state;

	ask_one(f, delay_rule(1, 5 * MS));
	assert_int_equal(harness_set_engine(f->harness, DEVICE_B, HF_ENGINE_FQ), 0);
	place(f, DEVICE_A, DEVICE_B);
	assert_int_equal(enter_b(f, some_tcp), PASSED);
	assert_int_equal(f->run.ctx.mark, 0);
	assert_int_equal(counts_of(f, 1).undelayed, 1);
}

/* A packet socket that sees what arrives at b's other end; IPv4 only, as an interface that is up talks IPv6 by itself. */
static int listen_behind_b(void)
{
	struct sockaddr_ll behind = { .sll_family = AF_PACKET,
				      .sll_protocol = htons(ETH_P_IP),
				      .sll_ifindex = if_nametoindex("b-peer") };
	struct timeval patience = { .tv_sec = 5 };
	int fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, htons(ETH_P_IP));

	assert_true(fd >= 0);
	assert_int_equal(bind(fd, (struct sockaddr *)&behind, sizeof(behind)), 0);
	assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience)), 0);
	return fd;
}

/* The first one there has the number 0. */
static void go_to_the_first_processor(void)
{
	cpu_set_t first;

	CPU_ZERO(&first);
	CPU_SET(0, &first);
	assert_int_equal(sched_setaffinity(0, sizeof(first), &first), 0);
}

static void fq_sends_a_clone_and_steals_the_original(void **state)
{
	_cleanup_(closep) int listener = -1, attached = -1;
	struct frame_spec spec = { .src = HOST_A, .dst = HOST_B, .proto = IPPROTO_UDP };
	struct fixture *f = *state;
	__u8 arrived[FRAME_MAX];
	struct frame frame;
	__u32 mark;

	/* the program must meet its own clone, so it is attached for once */
	attached = bpf_link_create(f->enter, harness_ifindex(DEVICE_B), HARNESS_TCX_EGRESS, NULL);
	if (attached < 0) {
		print_message("this kernel has no TCX to attach by: %s\n", strerror(errno));
		skip();
	}
	assert_int_equal(harness_set_up(DEVICE_B, true), 0);
	listener = listen_behind_b();
	frame_make(&spec, &frame);
	ask_one(f, delay_rule(1, 5 * MS));
	assert_int_equal(harness_set_engine(f->harness, DEVICE_B, HF_ENGINE_FQ), 0);
	go_to_the_first_processor();
	assert_int_equal(enter_frame(f, &frame), TC_ACT_STOLEN);
	assert_int_equal(recv(listener, arrived, sizeof(arrived), 0), frame.len);
	assert_memory_equal(arrived, frame.byte, frame.len);
	/* judged once: the clone is known, and not delayed again */
	assert_int_equal(counts_of(f, 1).matched, 1);
	assert_int_equal(counts_of(f, 1).undelayed, 0);
	/* 0 is no mark: its release would not be seen */
	assert_int_equal(harness_clone_mark(f->harness, &mark), 0);
	assert_int_not_equal(mark, 0);
	assert_int_equal(harness_set_up(DEVICE_B, false), 0);
}

/* Puts RUNS packets through a rule that drops p of them; ret_dropped[n] is the n-th packet's fate. */
static __u64 lose(struct fixture *f, struct hf_rule rule, __u8 *ret_dropped)
{
	struct frame frame;
	__u64 dropped = 0;

	frame_make(&(struct frame_spec){ .src = HOST_A, .dst = HOST_B, .proto = IPPROTO_UDP },
		   &frame);
	ask_one(f, rule);
	assert_int_equal(harness_reset_dice(f->harness, rule.id), 0);
	for (int i = 0; i < RUNS; i++) {
		ret_dropped[i] = enter_frame(f, &frame) == TC_ACT_SHOT;
		dropped += ret_dropped[i];
	}
	return dropped;
}

static void loss_is_as_asked_and_the_same_seed_gives_the_same_verdicts(void **state)
{
	struct hf_rule rule = rule_of(1, HF_RULE_LOSS);
	static __u8 first[RUNS], again[RUNS], other[RUNS];
	struct fixture *f = *state;
	__u64 dropped;

	rule.loss_odds = 0.01 * HF_ODDS_ALWAYS;
	dropped = lose(f, rule, first);
	assert_binomial(dropped, RUNS, 0.01);
	assert_int_equal(counts_of(f, 1).matched, RUNS);
	assert_int_equal(counts_of(f, 1).dropped, dropped);

	assert_int_equal(lose(f, rule, again), dropped);
	assert_memory_equal(first, again, sizeof(first));

	rule.seed++;
	assert_binomial(lose(f, rule, other), RUNS, 0.01);
	assert_true(memcmp(first, other, sizeof(first)));
}

static void loss_of_none_and_of_all_are_exact(void **state)
{
	static __u8 fates[RUNS];
	struct hf_rule rule = rule_of(1, HF_RULE_LOSS);
	struct fixture *f = *state;

	assert_int_equal(lose(f, rule, fates), 0);
	rule.loss_odds = HF_ODDS_ALWAYS;
	assert_int_equal(lose(f, rule, fates), RUNS);
}

static void a_share_of_connections_keeps_its_fate_both_ways(void **state)
{
	enum { CONNECTIONS = 10000 };
	struct harness_link both[] = { { .key = { HOST_A, HOST_B }, .rules = 1 },
				       { .key = { HOST_B, HOST_A }, .rules = 1 } };
	struct fixture *f = *state;
	__u64 hit = 0;

	for (int i = 0; i < 2; i++) {
		both[i].rule[0] = rule_of(1 + i, HF_RULE_DROP | HF_RULE_SHARE);
		both[i].rule[0].share_odds = HF_ODDS_ALWAYS / 4;
	}
	assert_int_equal(harness_flip(f->harness, both, 2), 0);
	for (__u16 i = 0; i < CONNECTIONS; i++) {
		struct frame_spec there = { .sport = 32768 + i, .dport = 80, .ipv6 = i & 1 };
		struct frame_spec back = { .sport = 80, .dport = 32768 + i, .ipv6 = i & 1 };
		__s32 fate = enter_b(f, there);

		assert_int_equal(enter_a(f, back), fate);
		assert_int_equal(enter_b(f, there), fate);
		hit += fate == TC_ACT_SHOT;
	}
	assert_binomial(hit, CONNECTIONS, 0.25);
}

static __s32 enter_gso(struct fixture *f, __u32 segments, __u32 size, __u32 payload_len)
{
	struct frame_spec spec = {
		.src = HOST_A, .dst = HOST_B, .proto = IPPROTO_TCP, .payload_len = payload_len
	};
	struct frame frame;

	frame_make(&spec, &frame);
	place(f, DEVICE_A, DEVICE_B);
	f->run.ctx.gso_segs = segments;
	f->run.ctx.gso_size = size;
	assert_int_equal(harness_run(f->enter, &frame, 1, &f->run), 0);
	return f->run.verdict;
}

static void counters_are_in_wire_packets(void **state)
{
	static const struct {
		__u32 gso_segs, gso_size, payload_len, wire;
	} cases[] = { { 10, 100, 1000, 10 }, { 0, 100, 1000, 10 }, { 0, 100, 1001, 11 },
		      { 0, 100, 999, 10 },   { 0, 100, 100, 1 },   { 0, 0, 1000, 1 } };
	struct fixture *f = *state;

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct hf_rule_counts counts;

		ask_one(f, rule_of(1 + i, HF_RULE_DROP));
		assert_int_equal(
			enter_gso(f, cases[i].gso_segs, cases[i].gso_size, cases[i].payload_len),
			TC_ACT_SHOT);
		counts = counts_of(f, 1 + i);
		assert_int_equal(counts.matched, cases[i].wire);
		assert_int_equal(counts.dropped, cases[i].wire);
		assert_int_equal(counts.skbs_dropped, 1);
	}
}

static void the_first_match_is_dated(void **state)
{
	__u64 before_ns = harness_now_ns(), first_ns;
	struct fixture *f = *state;

	ask_one(f, rule_of(1, HF_RULE_DROP));
	assert_int_equal(counts_of(f, 1).first_ns, 0);
	enter_b(f, some_tcp);
	first_ns = counts_of(f, 1).first_ns;
	assert_in_range(first_ns, before_ns, harness_now_ns());
	enter_b(f, some_tcp);
	assert_int_equal(counts_of(f, 1).first_ns, first_ns);
}

static void a_rule_whose_counters_are_missing_still_acts(void **state)
{
	struct harness_link link = { .key = { HOST_A, HOST_B },
				     .rules = 1,
				     .rule[0] = rule_of(1, HF_RULE_DROP) };
	struct fixture *f = *state;

	assert_int_equal(harness_flip(f->harness, &link, 1), 0);
	assert_int_equal(harness_forget_counters(f->harness, 1), 0);
	assert_int_equal(enter_b(f, some_tcp), TC_ACT_SHOT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		fixture_test(every_passing_path_lets_the_programs_behind_run),
		fixture_test(a_device_that_nobody_manages_is_left_alone),
		fixture_test(nothing_acts_for_an_owner_whose_lease_is_stale),
		fixture_test(a_rule_past_its_deadline_is_inert_and_the_others_are_not),
		fixture_test(a_flip_takes_effect_at_once_and_counters_survive_it),
		fixture_test(the_first_drop_ends_the_walk),
		fixture_test(links_of_one_home_keep_their_own_rules),
		fixture_test(hold_redirects_the_frame_behind_a_header),
		fixture_test(the_delays_of_sixteen_rules_add_up),
		fixture_test(jitter_is_uniform_around_the_delay_and_replays),
		fixture_test(a_delay_with_no_engine_passes_and_is_counted_as_undelayed),
		fixture_test(fq_whose_clone_cannot_be_sent_passes_the_packet_undelayed),
		fixture_test(fq_sends_a_clone_and_steals_the_original),
		fixture_test(loss_is_as_asked_and_the_same_seed_gives_the_same_verdicts),
		fixture_test(loss_of_none_and_of_all_are_exact),
		fixture_test(a_share_of_connections_keeps_its_fate_both_ways),
		fixture_test(counters_are_in_wire_packets),
		fixture_test(the_first_match_is_dated),
		fixture_test(a_rule_whose_counters_are_missing_still_acts),
	};

	return cmocka_run_group_tests(tests, fixture_world, NULL);
}
