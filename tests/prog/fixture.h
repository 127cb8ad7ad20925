/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * fixture.h - what every program test begins with: fresh programs, and short words for "ask this of a->b" and
 * "a packet from a is about to enter b". All of them end the test when the kernel refuses.
 *
 * Each test has programs and maps of its own; the devices are shared by all tests of a process.
 */
#ifndef HF_TESTS_PROG_FIXTURE_H
#define HF_TESTS_PROG_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <linux/in.h>
#include <linux/pkt_cls.h>

#include "base/cleanup.h"
#include "harness.h"
#include "packet.h"

#define MS 1000000ULL /* in ns */

/* No passing path says anything else: programs behind ours would not run. */
#define PASSED TC_ACT_UNSPEC

struct fixture {
	struct harness *harness;
	int enter; /* descriptors of the two programs */
	int leave;
	struct harness_run run; /* of the packet that was sent last */
	struct harness_events events;
};

int fixture_world(void **state); /* group setup */
int fixture_new(void **state);
int fixture_free(void **state);

#define fixture_test(name) cmocka_unit_test_setup_teardown(name, fixture_new, fixture_free)

/* A rule with this id that lives for an hour and means every packet. */
struct hf_rule rule_of(__u32 id, __u32 flags);
struct hf_rule delay_rule(__u32 id, __u64 delay_ns);

/* The new generation: these rules on a->b, and nothing else. */
void ask_all(struct fixture *f, const struct hf_rule *rules, size_t count);
void ask_one(struct fixture *f, struct hf_rule rule);

/* Where the packet is in f->run.ctx: it came in from `from` and is about to leave by `to`. */
void place(struct fixture *f, enum harness_device from, enum harness_device to);

/* The verdict on a frame from a that is about to enter b. */
__s32 enter_frame(struct fixture *f, const struct frame *frame);
__s32 enter_b(struct fixture *f, struct frame_spec spec);
/* The other way round: spec is as its sender b wrote it. */
__s32 enter_a(struct fixture *f, struct frame_spec spec);
/* So many bare SYNs from a that are about to enter b: the same frame, in one run. */
void burst_to_b(struct fixture *f, __u32 packets);
/* The verdict on a frame that has just left a. */
__s32 leave_a(struct fixture *f, struct frame_spec spec);
/* On one that the hold engine gives back to b's device: due then, mark as it has. */
__s32 release_b(struct fixture *f, struct frame_spec spec, __u32 mark, __u64 due_ns);

struct hf_rule_counts counts_of(struct fixture *f, __u32 rule_id);
/* As if the rule had matched its first packet then. */
void matched_at(struct fixture *f, __u32 rule_id, __u64 time_ns);
/* Reads what was told since the last call; how many events. */
size_t told(struct fixture *f);

/* Is `hits` out of `tries` what chance p would give, within five standard deviations? One run in 1.7 million is not. */
void assert_binomial(__u64 hits, __u64 tries, double p);

#endif
