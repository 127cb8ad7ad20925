/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * fixture.c - see fixture.h.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fixture.h"

int fixture_world(void **state)
{
	int r = harness_enter_world();

	if (r < 0)
		print_error("no network namespace with devices for the test: %s\n", strerror(-r));
	return r;
}

int fixture_new(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));
	int r;

	if (!f)
		return -1;
	r = harness_open(&f->harness);
	if (r < 0) {
		print_error("the programs do not load: %s\n", strerror(-r));
		free(f);
		return r;
	}
	f->enter = harness_program(f->harness, "link_enter");
	f->leave = harness_program(f->harness, "link_leave");
	*state = f;
	return f->enter < 0 || f->leave < 0 ? -1 : 0;
}

int fixture_free(void **state)
{
	struct fixture *f = *state;

	harness_close(f->harness);
	free(f);
	return 0;
}

struct hf_rule rule_of(__u32 id, __u32 flags)
{
	return (struct hf_rule){
		.id = id,
		.flags = flags,
		.seed = 42,
		.deadline_ns = harness_now_ns() + 3600 * 1000 * MS,
	};
}

struct hf_rule delay_rule(__u32 id, __u64 delay_ns)
{
	struct hf_rule rule = rule_of(id, HF_RULE_DELAY);

	rule.delay_ns = delay_ns;
	return rule;
}

void ask_all(struct fixture *f, const struct hf_rule *rules, size_t count)
{
	struct harness_link a_to_b = { .key = { HOST_A, HOST_B }, .rules = count };

	assert_in_range(count, 0, HF_LINK_RULES_MAX);
	if (count > 0)
		memcpy(a_to_b.rule, rules, count * sizeof(*rules));
	assert_int_equal(harness_flip(f->harness, &a_to_b, 1), 0);
}

void ask_one(struct fixture *f, struct hf_rule rule)
{
	ask_all(f, &rule, 1);
}

void place(struct fixture *f, enum harness_device from, enum harness_device to)
{
	f->run.ctx = (struct __sk_buff){
		.ifindex = harness_ifindex(to),
		.ingress_ifindex = harness_ifindex(from),
	};
}

__s32 enter_frame(struct fixture *f, const struct frame *frame)
{
	place(f, DEVICE_A, DEVICE_B);
	assert_int_equal(harness_run(f->enter, frame, 1, &f->run), 0);
	return f->run.verdict;
}

static __s32 run_spec(struct fixture *f, int program_fd, struct frame_spec spec)
{
	struct frame frame;

	frame_make(&spec, &frame);
	assert_int_equal(harness_run(program_fd, &frame, 1, &f->run), 0);
	return f->run.verdict;
}

static struct frame_spec between(struct frame_spec spec, __u32 src, __u32 dst)
{
	if (!spec.src)
		spec.src = src;
	if (!spec.dst)
		spec.dst = dst;
	if (!spec.proto)
		spec.proto = IPPROTO_TCP;
	return spec;
}

__s32 enter_b(struct fixture *f, struct frame_spec spec)
{
	place(f, DEVICE_A, DEVICE_B);
	return run_spec(f, f->enter, between(spec, HOST_A, HOST_B));
}

__s32 enter_a(struct fixture *f, struct frame_spec spec)
{
	place(f, DEVICE_B, DEVICE_A);
	return run_spec(f, f->enter, between(spec, HOST_B, HOST_A));
}

void burst_to_b(struct fixture *f, __u32 packets)
{
	struct frame_spec spec =
		between((struct frame_spec){ .tcp_flags = TCP_SYN }, HOST_A, HOST_B);
	struct frame frame;

	frame_make(&spec, &frame);
	place(f, DEVICE_A, DEVICE_B);
	assert_int_equal(harness_run(f->enter, &frame, packets, &f->run), 0);
}

__s32 leave_a(struct fixture *f, struct frame_spec spec)
{
	place(f, DEVICE_A, DEVICE_A);
	return run_spec(f, f->leave, between(spec, HOST_A, HOST_B));
}

__s32 release_b(struct fixture *f, struct frame_spec spec, __u32 mark, __u64 due_ns)
{
	f->run.ctx = (struct __sk_buff){
		.ifindex = harness_ifindex(DEVICE_B),
		.mark = mark,
		.tstamp = due_ns,
	};
	return run_spec(f, f->enter, between(spec, HOST_A, HOST_B));
}

struct hf_rule_counts counts_of(struct fixture *f, __u32 rule_id)
{
	struct hf_rule_counts counts;

	assert_int_equal(harness_counts(f->harness, rule_id, &counts), 0);
	return counts;
}

void matched_at(struct fixture *f, __u32 rule_id, __u64 time_ns)
{
	struct hf_rule_counts counts = counts_of(f, rule_id);

	counts.first_ns = time_ns;
	assert_int_equal(harness_set_counts(f->harness, rule_id, &counts), 0);
}

size_t told(struct fixture *f)
{
	harness_drain(f->harness, &f->events);
	return f->events.count;
}

void assert_binomial(__u64 hits, __u64 tries, double p)
{
	double expected = tries * p, sigma = sqrt(tries * p * (1 - p));

	if (fabs(hits - expected) > 5 * sigma)
		fail_msg("%llu of %llu, where %.1f +- %.1f are expected", hits, tries, expected,
			 5 * sigma);
}
