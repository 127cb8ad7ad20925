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

#include "owner.bpf.h"
#include "packet.bpf.h"

#define stored() asm volatile("" ::: "memory") /* before what follows, for the compiler */

/* To write in. NULL: this processor has none, or somebody writes there whom we have interrupted. */
static __always_inline struct hf_lane *lane_take_on(struct hf_board *board)
{
	__u32 cpu = bpf_get_smp_processor_id();
	struct hf_lane *lane;

	if (cpu >= HF_LANES_MAX)
		return NULL;
	lane = &board->lane[cpu];
	if (lane->is_taken)
		return NULL;
	lane->is_taken = 1;
	stored();
	return lane;
}

static __always_inline struct hf_lane *lane_take(void)
{
	struct hf_board *board = board_here();

	return board ? lane_take_on(board) : NULL;
}

static __always_inline void lane_give_back(struct hf_lane *lane)
{
	if (lane) {
		stored();
		lane->is_taken = 0;
	}
}

/* Of this processor's lane. NULL: it has none. */
static __always_inline struct hf_lane_slot *lane_slot(__u64 number)
{
	__u32 cpu = bpf_get_smp_processor_id();
	struct hf_lane_slots *slots = bpf_map_lookup_elem(&lanes, &cpu);

	return slots ? &slots->slot[number % HF_LANE_SLOTS] : NULL;
}

static __always_inline __u64 lane_read(const struct hf_lane *lane)
{
	return *(const volatile __u64 *)&lane->read;
}

/* How far the reader has come is another processor's to write, so it is looked at once in a round of the lane. */
static __always_inline bool lane_is_full(struct hf_lane *lane)
{
	if ((__s64)(lane->full_at - lane->written) > 0)
		return false;
	lane->full_at = lane_read(lane) + HF_LANE_SLOTS;
	return (__s64)(lane->full_at - lane->written) <= 0;
}

/* The slot that is written next; NULL: all are full. */
static __always_inline struct hf_lane_slot *lane_next(struct hf_lane *lane)
{
	return lane_is_full(lane) ? NULL : lane_slot(lane->written);
}

/* What was written into lane_next() may be read. */
static __always_inline void lane_pass(struct hf_lane *lane)
{
	stored();
	lane->written++;
}

/* ---- the passage that was written last ---- */

/* While it may be written on. NULL: there is none. */
static __always_inline struct hf_passage *lane_passage(const struct hf_lane *lane, __u64 now_ns)
{
	struct hf_lane_slot *newest = lane_slot(lane->written - 1);

	if (!newest || newest->event.kind != HF_EVENT_PASSAGE ||
	    now_ns - newest->event.time_ns >= HF_LANE_OPEN_NS)
		return NULL;
	return &newest->passage;
}

/* What a packet of a passage's flow carries. */
struct carried {
	__u32 seq;
	__u32 offset; /* of the payload */
	__u32 len; /* of the payload, in all segments */
	__u8 tcp_flags;
};

static __always_inline struct carried carried_in(const struct packet *packet)
{
	return (struct carried){ .seq = packet->seq,
				 .offset = packet->payload_offset,
				 .len = packet->payload_len,
				 .tcp_flags = packet->tcp_flags };
}

static __always_inline bool is_of_flow(const struct hf_passage *passage, const struct hf_flow *flow)
{
	const __u64 *a = (const __u64 *)&passage->flow, *b = (const __u64 *)flow;

	return a[4] == b[4] && a[3] == b[3] && a[1] == b[1] && a[2] == b[2] && a[0] == b[0];
}

/* May the passage's first packet still leave this endpoint? Asked before the packet is looked at. */
static __always_inline bool is_to_leave(const struct hf_passage *passage, __u32 endpoint)
{
	return passage->sent_ns && !passage->left_ns && passage->src_endpoint == endpoint;
}

/* Does it, of the passage's flow, carry the first byte of what the passage's call sends? */
static __always_inline bool is_sent(const struct carried *carried, const struct hf_passage *passage)
{
	return carried->len && passage->seq == carried->seq;
}

/* May what has left still enter somewhere? */
static __always_inline bool is_to_enter(const struct hf_passage *passage)
{
	return passage->left_ns && !passage->entered_ns;
}

/* Is it, of the passage's flow, the packet that the passage saw leave? */
static __always_inline bool has_left(const struct carried *carried,
				     const struct hf_passage *passage)
{
	return passage->seq == carried->seq && passage->len == carried->len &&
	       passage->tcp_flags == carried->tcp_flags;
}

/* ---- a packet is known by its bytes, which spares parsing it ---- */

static __always_inline bool is_mapped(const struct hf_addr *addr, __be32 ipv4)
{
	const __u32 *word = (const __u32 *)addr;

	return word[3] == ipv4 && word[2] == bpf_htonl(0xffff) && !(word[0] | word[1]);
}

static __always_inline bool is_same(const struct hf_addr *addr, const struct in6_addr *ipv6)
{
	const __u32 *a = (const __u32 *)addr, *b = (const __u32 *)ipv6;

	return a[3] == b[3] && a[2] == b[2] && a[1] == b[1] && a[0] == b[0];
}

static __always_inline bool carried_by(const struct hf_passage *passage, const struct tcphdr *tcp,
				       __u32 offset, __u32 end, struct carried *ret_carried)
{
	if (passage->flow.sport != bpf_ntohs(tcp->source) ||
	    passage->flow.dport != bpf_ntohs(tcp->dest) || tcp->doff < 5)
		return false;
	ret_carried->seq = bpf_ntohl(tcp->seq);
	ret_carried->offset = offset + tcp->doff * 4;
	if (end < ret_carried->offset)
		return false;
	ret_carried->len = end - ret_carried->offset;
	ret_carried->tcp_flags = ((const __u8 *)tcp)[13];
	return true;
}

#define PLAIN_TRANSPORT_IPV4 (sizeof(struct ethhdr) + sizeof(struct iphdr))
#define PLAIN_TRANSPORT_IPV6 (sizeof(struct ethhdr) + sizeof(struct ipv6hdr))

/* False: it is of another flow, or not of the simple shape of nearly all: no VLAN, no fragment, no options before TCP's. */
static __always_inline bool is_of_passage(const struct __sk_buff *skb,
					  const struct hf_passage *passage,
					  struct carried *ret_carried)
{
	const void *data = (const void *)(long)skb->data, *end = (const void *)(long)skb->data_end;
	const struct ethhdr *eth = data;
	const struct iphdr *ipv4 = data + sizeof(*eth);
	const struct ipv6hdr *ipv6 = data + sizeof(*eth);
	__u32 whole = skb->len;

	if (data + PLAIN_TRANSPORT_IPV4 + sizeof(struct tcphdr) > end)
		return false;
	if (eth->h_proto == bpf_htons(ETH_P_IP)) {
		if (ipv4->version != 4 || ipv4->ihl != 5 || ipv4->protocol != IPPROTO_TCP ||
		    (ipv4->frag_off & bpf_htons(0x1fff)) ||
		    !is_mapped(&passage->flow.src, ipv4->saddr) ||
		    !is_mapped(&passage->flow.dst, ipv4->daddr))
			return false;
		if (!skb->gso_size)
			whole = sizeof(*eth) + bpf_ntohs(ipv4->tot_len);
		return whole <= skb->len && carried_by(passage, data + PLAIN_TRANSPORT_IPV4,
						       PLAIN_TRANSPORT_IPV4, whole, ret_carried);
	}
	if (eth->h_proto != bpf_htons(ETH_P_IPV6) ||
	    data + PLAIN_TRANSPORT_IPV6 + sizeof(struct tcphdr) > end || ipv6->version != 6 ||
	    ipv6->nexthdr != IPPROTO_TCP || !is_same(&passage->flow.src, &ipv6->saddr) ||
	    !is_same(&passage->flow.dst, &ipv6->daddr))
		return false;
	if (!skb->gso_size)
		whole = PLAIN_TRANSPORT_IPV6 + bpf_ntohs(ipv6->payload_len);
	return whole <= skb->len && carried_by(passage, data + PLAIN_TRANSPORT_IPV6,
					       PLAIN_TRANSPORT_IPV6, whole, ret_carried);
}

#endif
