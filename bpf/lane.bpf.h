/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * lane.bpf.h - a processor's own way up to the owner, and the passage that is being written there.
 *
 *     send begins    a new passage
 *     it leaves      the newest passage, if that is of the same bytes; else a new one
 *     it enters      the newest passage, if that has just left
 *
 * On a veth all three happen within some microseconds on one processor, in one system call: the soft interrupt that takes
 * the packet across runs in the sender. So a lane has one writer at a time, and needs no lock and no fetching atomics (which
 * Linux 5.10 has not). Who interrupts a writer, as a soft interrupt does a socket's program, finds the lane taken and ends
 * before that one goes on. A program at fentry may be put aside for another of its kind, so it must not take a lane.
 *
 * The reader sees a slot when `written` has passed it: stores are seen in their order, as on x86.
 */
#ifndef HOPFAULT_LANE_BPF_H
#define HOPFAULT_LANE_BPF_H

#include <stdbool.h>

#include "maps.bpf.h"
#include "packet.bpf.h"

#define stored() asm volatile("" ::: "memory") /* before what follows, for the compiler */

/* To write in. NULL: this processor has none, or somebody writes there whom we have interrupted. */
static __always_inline struct hf_lane *lane_take(void)
{
	__u32 cpu = bpf_get_smp_processor_id();
	struct hf_lane *lane = bpf_map_lookup_elem(&lanes, &cpu);

	if (!lane || lane->is_taken)
		return NULL;
	lane->is_taken = 1;
	stored();
	return lane;
}

static __always_inline void lane_give_back(struct hf_lane *lane)
{
	if (lane) {
		stored();
		lane->is_taken = 0;
	}
}

static __always_inline __u64 lane_waiting(const struct hf_lane *lane)
{
	return lane->written - *(const volatile __u64 *)&lane->read;
}

/* The slot that is written next; NULL: all are full. */
static __always_inline struct hf_lane_slot *lane_next(struct hf_lane *lane)
{
	if (lane_waiting(lane) >= HF_LANE_SLOTS)
		return NULL;
	return &lane->slot[lane->written % HF_LANE_SLOTS];
}

/* What was written into lane_next() may be read. */
static __always_inline void lane_pass(struct hf_lane *lane)
{
	stored();
	lane->written++;
}

/* The passage that was written last, while it may be written on. NULL: there is none. */
static __always_inline struct hf_passage *lane_passage(struct hf_lane *lane, __u64 now_ns)
{
	struct hf_lane_slot *newest = &lane->slot[(lane->written - 1) % HF_LANE_SLOTS];

	if (newest->event.kind != HF_EVENT_PASSAGE ||
	    now_ns - newest->event.time_ns >= HF_LANE_OPEN_NS)
		return NULL;
	return &newest->passage;
}

static __always_inline bool is_of_flow(const struct hf_passage *passage, const struct hf_flow *flow)
{
	const __u64 *a = (const __u64 *)&passage->flow, *b = (const __u64 *)flow;

	return a[4] == b[4] && a[3] == b[3] && a[1] == b[1] && a[2] == b[2] && a[0] == b[0];
}

/* Does the packet, which leaves this endpoint, carry the first byte of what this passage's call sends? */
static __always_inline bool is_sent_by(const struct packet *packet, __u32 endpoint,
				       const struct hf_passage *passage)
{
	return passage->sent_ns && !passage->left_ns && packet->payload_len &&
	       passage->seq == packet->seq && passage->src_endpoint == endpoint &&
	       is_of_flow(passage, &packet->flow);
}

/* Is it the packet that this passage saw leave? */
static __always_inline bool has_left(const struct packet *packet, const struct hf_passage *passage)
{
	return passage->left_ns && !passage->entered_ns && passage->seq == packet->seq &&
	       passage->len == packet->payload_len && passage->tcp_flags == packet->tcp_flags &&
	       is_of_flow(passage, &packet->flow);
}

/* ---- a packet is known again by its bytes, which spares parsing it a second time ---- */

/* From the addresses to TCP's window, where nothing stands in between: no VLAN, no options. */
struct wire_ipv4 {
	__u64 word[3];
};

struct wire_ipv6 {
	__u64 word[6];
};

#define WIRE_IPV4_AT (sizeof(struct ethhdr) + offsetof(struct iphdr, saddr))
#define WIRE_IPV6_AT (sizeof(struct ethhdr) + offsetof(struct ipv6hdr, saddr))

struct wire {
	__u64 word[6];
	__u32 len; /* of the packet; 0: it is not of that simple shape */
};

static __always_inline void wire_of(const struct __sk_buff *skb, struct wire *wire)
{
	const void *data = (const void *)(long)skb->data, *end = (const void *)(long)skb->data_end;
	const struct ethhdr *eth = data;
	const struct iphdr *ipv4 = data + sizeof(*eth);
	const struct ipv6hdr *ipv6 = data + sizeof(*eth);

	__builtin_memset(wire, 0, sizeof(*wire));
	if (data + WIRE_IPV4_AT + sizeof(struct wire_ipv4) > end)
		return;
	if (eth->h_proto == bpf_htons(ETH_P_IP) && ipv4->version == 4 && ipv4->ihl == 5 &&
	    ipv4->protocol == IPPROTO_TCP && !(ipv4->frag_off & bpf_htons(0x1fff))) {
		*(struct wire_ipv4 *)wire->word = *(const struct wire_ipv4 *)(data + WIRE_IPV4_AT);
		wire->len = skb->len;
		return;
	}
	if (eth->h_proto != bpf_htons(ETH_P_IPV6) ||
	    data + WIRE_IPV6_AT + sizeof(struct wire_ipv6) > end || ipv6->nexthdr != IPPROTO_TCP)
		return;
	*(struct wire_ipv6 *)wire->word = *(const struct wire_ipv6 *)(data + WIRE_IPV6_AT);
	wire->len = skb->len;
}

static __always_inline void lane_note_wire(struct hf_lane *lane, const struct __sk_buff *skb)
{
	struct wire wire;

	wire_of(skb, &wire);
	for (int i = 0; i < 6; i++)
		lane->wire[i] = wire.word[i];
	lane->wire_len = wire.len;
}

static __always_inline bool lane_knows(const struct hf_lane *lane, const struct __sk_buff *skb)
{
	struct wire wire;
	__u64 differs = 0;

	if (lane->wire_len != skb->len)
		return false;
	wire_of(skb, &wire);
	for (int i = 0; i < 6; i++)
		differs |= wire.word[i] ^ lane->wire[i];
	return wire.len && !differs;
}

#endif
