/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * progbench.c - what the link programs cost, in nanoseconds a packet, measured by BPF_PROG_TEST_RUN.
 *
 *     32 devices, 32 senders: up to 1000 links. One sample: a random one of the links, one of its flows,
 *     `repeat` runs of the program on that packet, the kernel's mean. The same for a program that only returns is
 *     taken beside it and subtracted: what is left is the program's own time.
 *
 * Scenarios take turns, round by round, so that a noisy moment of the machine falls on all of them. It sends
 * nothing, lives in a network namespace of its own, and leaves nothing behind.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <linux/in.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <bpf/bpf.h>

#include "../prog/harness.h"
#include "base/cleanup.h"
#include "base/options.h"
#include "link/netlink.h"
#include "packet.h"

#define NODES	   32
#define LINKS_MAX  1000
#define FIRST_NODE 100 /* endpoint id and host number of the first node */
#define MINUTE_NS  (60 * 1000000000ULL)

enum { RULES_OFF = -1 }; /* no generation at all */

struct scenario {
	const char *key;
	const char *text;
	const char *program;
	int links_ruled; /* RULES_OFF, 0 .. LINKS_MAX */
	int links_used; /* by the traffic: the first so many... */
	int first_used; /* ... from this one on */
	bool rule_matches; /* else its port is another */
	__u32 flags; /* HF_RULE_* of the rules */
	enum hf_engine engine;
	bool tracing;
	bool once; /* the program changes the packet: never two runs on one */
};

static const struct scenario scenarios[] = {
	{ .key = "none",
	  .text = "enter: no generation",
	  .program = "link_enter",
	  .links_ruled = RULES_OFF,
	  .links_used = 1000 },
	{ .key = "unruled",
	  .text = "enter: 500 links ruled, none of these",
	  .program = "link_enter",
	  .links_ruled = 500,
	  .first_used = 500,
	  .links_used = 500,
	  .flags = HF_RULE_DROP },
	{ .key = "links10",
	  .text = "enter: 10 links ruled, no match",
	  .program = "link_enter",
	  .links_ruled = 10,
	  .links_used = 10,
	  .flags = HF_RULE_DROP },
	{ .key = "links1000",
	  .text = "enter: 1000 links ruled, no match",
	  .program = "link_enter",
	  .links_ruled = 1000,
	  .links_used = 1000,
	  .flags = HF_RULE_DROP },
	{ .key = "loss1000",
	  .text = "enter: 1000 links, loss matches",
	  .program = "link_enter",
	  .links_ruled = 1000,
	  .links_used = 1000,
	  .rule_matches = true,
	  .flags = HF_RULE_LOSS },
	{ .key = "undelayed1000",
	  .text = "enter: 1000 links, delay, no engine",
	  .program = "link_enter",
	  .links_ruled = 1000,
	  .links_used = 1000,
	  .rule_matches = true,
	  .flags = HF_RULE_DELAY },
	{ .key = "hold1000",
	  .text = "enter: 1000 links, delay, hold",
	  .program = "link_enter",
	  .links_ruled = 1000,
	  .links_used = 1000,
	  .rule_matches = true,
	  .flags = HF_RULE_DELAY,
	  .engine = HF_ENGINE_HOLD,
	  .once = true },
	{ .key = "traced1000",
	  .text = "enter: 1000 links, no match, traced",
	  .program = "link_enter",
	  .links_ruled = 1000,
	  .links_used = 1000,
	  .flags = HF_RULE_DROP,
	  .tracing = true },
	{ .key = "leave",
	  .text = "leave: not traced",
	  .program = "link_leave",
	  .links_ruled = RULES_OFF,
	  .links_used = 1000 },
	{ .key = "leave_traced",
	  .text = "leave: traced",
	  .program = "link_leave",
	  .links_ruled = RULES_OFF,
	  .links_used = 1000,
	  .tracing = true },
};

struct settings {
	uint64_t rounds;
	uint64_t samples; /* of each scenario in each round */
	uint64_t repeat;
	uint64_t rules; /* on each ruled link */
	bool keys;
};

static const struct option_row option_rows[] = {
	{ .name = "rounds",
	  .value = "N",
	  .help = "turns of all scenarios",
	  .kind = OPTION_COUNT,
	  OPTION_INTO(struct settings, rounds),
	  .min = 1,
	  .max = 1000 },
	{ .name = "samples",
	  .value = "N",
	  .help = "packets of a scenario in each turn",
	  .kind = OPTION_COUNT,
	  OPTION_INTO(struct settings, samples),
	  .min = 1,
	  .max = 100000 },
	{ .name = "repeat",
	  .value = "N",
	  .help = "runs on each packet; 1 has the coldest caches",
	  .kind = OPTION_COUNT,
	  OPTION_INTO(struct settings, repeat),
	  .min = 1,
	  .max = 10000 },
	{ .name = "rules",
	  .value = "N",
	  .help = "rules on each ruled link",
	  .kind = OPTION_COUNT,
	  OPTION_INTO(struct settings, rules),
	  .min = 1,
	  .max = HF_LINK_RULES_MAX },
	{ .name = "keys",
	  .letter = 'k',
	  .help = "print key=value lines for scripts",
	  .kind = OPTION_FLAG,
	  OPTION_INTO(struct settings, keys) },
	{},
};

struct bench {
	struct harness *harness;
	struct settings settings;
	int empty_program;
	__u32 ifindex[NODES];
	struct harness_run run;
	struct harness_events events;
	struct harness_link links[LINKS_MAX];
	__u32 *spent_ns[ARRAY_SIZE(scenarios)]; /* rounds * samples each */
	__u32 *empty_ns[ARRAY_SIZE(scenarios)];
	size_t taken[ARRAY_SIZE(scenarios)];
	uint64_t random;
};

static void bench_free(struct bench *bench)
{
	for (size_t i = 0; i < ARRAY_SIZE(scenarios); i++) {
		free(bench->spent_ns[i]);
		free(bench->empty_ns[i]);
	}
	harness_close(bench->harness);
	if (bench->empty_program >= 0)
		close(bench->empty_program);
	free(bench);
}
DEFINE_CLEANUP(struct bench *, bench_free)

/* Xorshift (Marsaglia 2003): the same packets in every run of the bench. */
static uint64_t next_random(struct bench *bench)
{
	bench->random ^= bench->random << 13;
	bench->random ^= bench->random >> 7;
	bench->random ^= bench->random << 17;
	return bench->random;
}

/* Link n goes from one node to another; consecutive links differ in both. */
static __u32 link_dst(int n)
{
	return n % NODES;
}

static __u32 link_src(int n)
{
	return (n + n / NODES + 1) % NODES;
}

static int make_nodes(struct bench *bench)
{
	_cleanup_(netlink_closep) struct netlink *nl = NULL;
	int r = netlink_open(-1, &nl);

	for (int i = 0; r == 0 && i < NODES; i += 2) {
		char name[IF_NAMESIZE], peer[IF_NAMESIZE];
		_cleanup_(closep) int here = -1;

		snprintf(name, sizeof(name), "node%d", i);
		snprintf(peer, sizeof(peer), "node%d", i + 1);
		here = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
		r = here < 0 ? -errno : netlink_add_veth(nl, name, here, peer);
		bench->ifindex[i] = if_nametoindex(name);
		bench->ifindex[i + 1] = if_nametoindex(peer);
	}
	for (int i = 0; r == 0 && i < NODES; i++) {
		struct hf_addr addr = frame_address(false, FIRST_NODE + i);

		r = harness_set_address(bench->harness, &addr, FIRST_NODE + i);
	}
	return r;
}

static int load_empty_program(void)
{
	const struct bpf_insn insns[] = {
		{ .code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = 0, .imm = -1 },
		{ .code = BPF_JMP | BPF_EXIT },
	};
	int fd = bpf_prog_load(BPF_PROG_TYPE_SCHED_CLS, "only_returns", "GPL", insns,
			       ARRAY_SIZE(insns), NULL);

	return fd < 0 ? -errno : fd;
}

static void make_link(const struct bench *bench, const struct scenario *scenario, int n,
		      struct harness_link *ret_link)
{
	__u64 deadline_ns = harness_now_ns() + 10 * MINUTE_NS;

	*ret_link = (struct harness_link){
		.key = { FIRST_NODE + link_src(n), FIRST_NODE + link_dst(n) },
		.rules = bench->settings.rules,
	};
	for (uint64_t i = 0; i < bench->settings.rules; i++)
		ret_link->rule[i] = (struct hf_rule){
			.id = 1 + n * bench->settings.rules + i,
			.deadline_ns = deadline_ns,
			.delay_ns = 5000000,
			.flags = scenario->flags,
			.loss_odds = HF_ODDS_ALWAYS / 100,
			.dport_ranges = 1,
			.dport = { { scenario->rule_matches ? 8000 : 9,
				     scenario->rule_matches ? 8999 : 9 } },
		};
}

static int set_scene(struct bench *bench, const struct scenario *scenario)
{
	int r = 0;

	for (int i = 0; r == 0 && i < NODES; i++)
		r = harness_set_device(bench->harness, bench->ifindex[i],
				       &(struct hf_device){
					       .endpoint = FIRST_NODE + i,
					       .engine = scenario->engine,
					       .hold_ifindex = harness_ifindex(DEVICE_HOLD),
					       .traced = 1,
				       });
	for (int i = 0; i < scenario->links_ruled; i++)
		make_link(bench, scenario, i, &bench->links[i]);
	if (r < 0)
		return r;
	harness_set_tracing(bench->harness, scenario->tracing);
	harness_set_lease(bench->harness, MINUTE_NS);
	return scenario->links_ruled == RULES_OFF
		       ? harness_no_generation(bench->harness)
		       : harness_flip(bench->harness, bench->links, scenario->links_ruled);
}

static int measure(struct bench *bench, int program_fd, const struct frame *frame, int link,
		   __u32 repeat, __u32 *ret_ns)
{
	int r;

	bench->run.ctx = (struct __sk_buff){
		.ifindex = bench->ifindex[link_dst(link)],
		.ingress_ifindex = bench->ifindex[link_src(link)],
	};
	r = harness_run(program_fd, frame, repeat, &bench->run);
	if (r == 0)
		*ret_ns = bench->run.mean_ns;
	return r;
}

static int take_sample(struct bench *bench, size_t index)
{
	const struct scenario *scenario = &scenarios[index];
	int link = scenario->first_used + next_random(bench) % scenario->links_used;
	int program_fd = harness_program(bench->harness, scenario->program);
	__u32 repeat = scenario->once ? 1 : bench->settings.repeat;
	size_t place = bench->taken[index];
	struct frame frame;
	int r;

	frame_make(&(struct frame_spec){ .src = FIRST_NODE + link_src(link),
					 .dst = FIRST_NODE + link_dst(link),
					 .proto = IPPROTO_TCP,
					 .sport = 32768 + next_random(bench) % 16384,
					 .dport = 8000 + next_random(bench) % 16,
					 .tcp_flags = TCP_ACK,
					 .tcp_options = 3,
					 .payload_len = 200 },
		   &frame);
	r = measure(bench, bench->empty_program, &frame, link, repeat,
		    &bench->empty_ns[index][place]);
	if (r == 0)
		r = measure(bench, program_fd, &frame, link, repeat,
			    &bench->spent_ns[index][place]);
	if (r == 0)
		bench->taken[index]++;
	return r;
}

static int run_round(struct bench *bench, size_t index)
{
	int r = set_scene(bench, &scenarios[index]);

	for (uint64_t i = 0; r == 0 && i < bench->settings.samples; i++) {
		r = take_sample(bench, index);
		/* the lane never fills: a full one costs something else */
		if (r == 0 && scenarios[index].tracing)
			harness_drain(bench->harness, &bench->events);
	}
	return r;
}

static int ascending(const void *a, const void *b)
{
	__u32 x = *(const __u32 *)a, y = *(const __u32 *)b;

	return x < y ? -1 : x > y;
}

static __u32 percentile(const __u32 *sorted, size_t count, unsigned int percent)
{
	return sorted[(count - 1) * percent / 100];
}

/* The mean of the middle eight tenths: an interrupt that fell into a sample is not the program's. */
static double trimmed_mean(const __u32 *sorted, size_t count)
{
	size_t first = count / 10, last = count - count / 10;
	double sum = 0;

	for (size_t i = first; i < last; i++)
		sum += sorted[i];
	return sum / (last - first);
}

static void print_scenario(struct bench *bench, size_t index)
{
	const struct scenario *scenario = &scenarios[index];
	__u32 *spent = bench->spent_ns[index], *empty = bench->empty_ns[index];
	size_t count = bench->taken[index];
	double base, mean;

	qsort(spent, count, sizeof(*spent), ascending);
	qsort(empty, count, sizeof(*empty), ascending);
	base = trimmed_mean(empty, count);
	mean = trimmed_mean(spent, count) - base;
	if (bench->settings.keys)
		printf("%s_ns=%.1f\n%s_p50_ns=%.1f\n%s_p90_ns=%.1f\n", scenario->key, mean,
		       scenario->key, percentile(spent, count, 50) - base, scenario->key,
		       percentile(spent, count, 90) - base);
	else
		printf("%-40s %7.1f %7.1f %7.1f %8.1f\n", scenario->text, mean,
		       percentile(spent, count, 50) - base, percentile(spent, count, 90) - base,
		       base);
}

static void print_all(struct bench *bench)
{
	if (!bench->settings.keys)
		printf("ns a packet; %" PRIu64 " packets each, %" PRIu64 " runs on each, %" PRIu64
		       " rules on a ruled link\n%-40s %7s %7s %7s %8s\n",
		       bench->settings.rounds * bench->settings.samples, bench->settings.repeat,
		       bench->settings.rules, "", "mean", "p50", "p90", "(empty)");
	for (size_t i = 0; i < ARRAY_SIZE(scenarios); i++)
		print_scenario(bench, i);
}

static int bench_new(const struct settings *settings, struct bench **ret_bench)
{
	_cleanup_(bench_freep) struct bench *bench = calloc(1, sizeof(*bench));
	int r;

	if (!bench)
		return -ENOMEM;
	bench->settings = *settings;
	bench->random = 88172645463325252ULL;
	bench->empty_program = -1;
	for (size_t i = 0; i < ARRAY_SIZE(scenarios); i++) {
		size_t count = settings->rounds * settings->samples;

		bench->spent_ns[i] = calloc(count, sizeof(__u32));
		bench->empty_ns[i] = calloc(count, sizeof(__u32));
		if (!bench->spent_ns[i] || !bench->empty_ns[i])
			return -ENOMEM;
	}
	r = harness_enter_world();
	if (r == 0)
		r = harness_open(&bench->harness);
	if (r == 0)
		r = make_nodes(bench);
	if (r < 0)
		return r;
	bench->empty_program = load_empty_program();
	if (bench->empty_program < 0)
		return bench->empty_program;
	*ret_bench = TAKE_PTR(bench);
	return 0;
}

static int run_all(const struct settings *settings)
{
	_cleanup_(bench_freep) struct bench *bench = NULL;
	int r = bench_new(settings, &bench);

	for (uint64_t round = 0; r == 0 && round < settings->rounds; round++)
		for (size_t i = 0; r == 0 && i < ARRAY_SIZE(scenarios); i++)
			r = run_round(bench, i);
	if (r == 0)
		print_all(bench);
	return r;
}

int main(int argc, char **argv)
{
	struct settings settings = { .rounds = 10, .samples = 1000, .repeat = 8, .rules = 1 };
	_cleanup_(options_words_done) struct options_words words = {};
	char error[OPTIONS_ERROR_MAX];
	int r;

	if (options_parse(option_rows, 0, argc, argv, &settings, &words, error) < 0 ||
	    words.count) {
		fprintf(stderr, "progbench: %s\n", words.count ? "it takes options only" : error);
		options_print_help(option_rows, stderr);
		return 2;
	}
	r = run_all(&settings);
	if (r < 0)
		fprintf(stderr, "progbench: %s\n", strerror(-r));
	return r < 0;
}
