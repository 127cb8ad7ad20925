/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * harness.h - the link programs, loaded but attached to nothing, with a small world around them.
 *
 *     network namespace of its own:   a ---- (its peer)     b ---- (its peer)     hold ---- (its peer)
 *                                     endpoint A            endpoint B            stands for the TAP
 *
 * A packet is put through a program by BPF_PROG_TEST_RUN: nothing is sent, and the verdict comes back. The harness
 * plays the owner: it keeps the lease, fills the maps, flips the generation, reads the events.
 *
 * All calls return 0 or -errno and print nothing. Needs root.
 */
#ifndef HF_TESTS_PROG_HARNESS_H
#define HF_TESTS_PROG_HARNESS_H

#include <stddef.h>

#include <linux/bpf.h>

#include "abi.h"
#include "packets.h"

#define HARNESS_MARK	   0x48460000
#define HARNESS_NETNS	   7
#define HARNESS_TCX_EGRESS 47 /* BPF_TCX_EGRESS, which libbpf 1.1 does not name */
#define HARNESS_EVENTS	   256 /* events kept from one drain; more are counted only */

/* Host numbers for packets.h and endpoint ids at once; A and B have devices, the others have not; the last has no name. */
enum { HOST_A = HF_ENDPOINT_FIRST, HOST_B, HOST_ELSEWHERE, HOST_UNNAMED };

enum harness_device { DEVICE_A, DEVICE_B, DEVICE_HOLD, DEVICE_COUNT };

struct devices;
struct harness; /* opaque: owns the programs, the maps and the descriptors */

/* One program run: ctx goes in and comes out, frame_after is what the program left of the frame. */
struct harness_run {
	struct __sk_buff ctx;
	struct frame frame_after;
	__s32 verdict; /* TC_ACT_* */
	__u32 mean_ns; /* of one run, the kernel's own measure */
};

struct harness_link {
	struct hf_link_key key;
	__u32 rules;
	struct hf_rule rule[HF_LINK_RULES_MAX];
};

struct harness_events {
	size_t count; /* the parts of passages one by one */
	size_t records; /* as they were read: a passage is one */
	size_t in_ring; /* of them, that no lane has taken */
	size_t out_of_order; /* came after a younger one */
	__u64 newest_ns;
	struct {
		struct hf_packet_event event;
		__u8 head[HF_HEAD_MAX];
	} told[HARNESS_EVENTS];
};

/* Puts the calling process into a new network namespace and makes the devices there: once for each process. */
int harness_enter_world(void);
__u32 harness_ifindex(enum harness_device device);
int harness_set_up(enum harness_device device, bool up); /* with its peer; they begin down */

/* Loads the programs; the lease is good for an hour, tracing is off, endpoints and addresses are known. */
int harness_open(struct harness **ret_harness);
void harness_close(struct harness *harness);
void harness_closep(struct harness **harness);

int harness_program(const struct harness *harness,
		    const char *name); /* descriptor, not the caller's */

void harness_set_lease(struct harness *harness, __s64 from_now_ns);
void harness_set_tracing(struct harness *harness, bool on);
void harness_set_outward(struct harness *harness, bool on);
int harness_set_device(struct harness *harness, __u32 ifindex, const struct hf_device *device);
/* As the guard writes it: it is not told that something has changed. */
int harness_put_device(struct harness *harness, __u32 ifindex, const struct hf_device *device);
struct devices *harness_devices(struct harness *harness); /* not the caller's */
/* Where a device of this number stands, if it has the slot. */
struct hf_device_slot *harness_device_slot(struct harness *harness, __u32 ifindex);
int harness_set_engine(struct harness *harness, enum harness_device device, enum hf_engine engine);
/* What the hold engine notes of a frame that it sends back. */
int harness_set_return(struct harness *harness, __u32 slot, const struct hf_return *value);
int harness_set_address(struct harness *harness, const struct hf_addr *addr, __u32 endpoint);

/* A new generation: exactly these links, live at once; no links: an empty one. Makes dice and counters as needed. */
int harness_flip(struct harness *harness, const struct harness_link *links, size_t count);
/* Takes the generation out of its slot. */
int harness_no_generation(struct harness *harness);

int harness_counts(struct harness *harness, __u32 rule_id, struct hf_rule_counts *ret_counts);
int harness_set_counts(struct harness *harness, __u32 rule_id, const struct hf_rule_counts *counts);
int harness_reset_dice(struct harness *harness, __u32 rule_id);
int harness_forget_counters(struct harness *harness, __u32 rule_id);
int harness_lost(struct harness *harness, struct hf_lost *ret_sum);
/* Of the processor that this runs on. */
struct hf_lane *harness_lane(struct harness *harness);
struct hf_lane_slot *harness_slot(struct harness *harness, __u64 number);
/* The mark of a clone that is on its way through an fq; -ENOENT: none is. */
int harness_clone_mark(const struct harness *harness, __u32 *ret_mark);
int harness_ring(const struct harness *harness); /* descriptor, not the caller's */
void harness_drain(struct harness *harness, struct harness_events *ret_events);

/* Runs the program `repeat` times on the frame. run->ctx says where the packet is (ifindex, ingress_ifindex). */
int harness_run(int program_fd, const struct frame *frame, __u32 repeat, struct harness_run *run);

__u64 harness_now_ns(void); /* the programs' clock */

#endif
