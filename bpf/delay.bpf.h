/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * delay.bpf.h - hand a packet to the delay engine of its device, and know it again when it comes back.
 *
 *   hold   [header|frame] --> TAP --> daemon waits --> packet socket, marked --> this egress again
 *                                               or --> TAP, its own ingress --> marked --> this ingress again
 *   fq     a clone with a departure time --> this egress again --> fq waits --> net_dev_start_xmit
 *
 * fq gets a clone because a held packet still belongs to its sender's socket, and TCP small queues would
 * strangle the sender; a clone has no socket. hold needs none: the TAP orphans what it takes.
 */
#ifndef HOPFAULT_DELAY_BPF_H
#define HOPFAULT_DELAY_BPF_H

#include <linux/if_ether.h>
#include <linux/pkt_cls.h>
#include <stddef.h>

#include "judge.bpf.h"

/* Clones wait in the fq under the number that is their mark; what is known of each stands here. */
struct in_flight {
	__u64 due_ns;
	__u32 ifindex;
	__u32 unused;
	struct hf_packet_event sighting; /* as it will be told at release */
};

struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 65536);
	__type(key, __u32);
	__type(value, struct in_flight);
} flight SEC(".maps");

/* One CPU's hand-over from the program to the nested run of itself on the clone. */
struct clone_hand {
	__u64 due_ns;
	__u32 mark;
	__u32 armed;
	__u64 made; /* clones made on this CPU */
};

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct clone_hand);
} hands SEC(".maps");

/*
 * 0: the redirect is under way, and the program must return its value. Else the packet could not be prepared and is
 * as it was.
 */
static __always_inline int hold_send(struct __sk_buff *skb, const struct hf_device *device,
				     __u64 now_ns, __u32 src_endpoint, enum hf_way way,
				     const struct judgement *judgement)
{
	struct hf_hold_header header = {
		.due_ns = now_ns + judgement->delay_ns,
		.ifindex = skb->ifindex,
		.ethertype = bpf_htons(HF_HOLD_ETHERTYPE),
		.way = way,
		.decided_ns = now_ns,
		.rule_id = judgement->rule_id[0],
		.src_endpoint = src_endpoint <= HF_MARK_SENDER ? src_endpoint : 0,
	};

	if (bpf_skb_change_head(skb, sizeof(header), 0))
		return -1;
	/* cannot fail: the head was just made */
	bpf_skb_store_bytes(skb, 0, &header, sizeof(header), 0);
	return 0;
}

struct envelope {
	__u8 known[4];
	__be16 slot;
};
_Static_assert(sizeof(struct envelope) == ETH_ALEN, "it stands where a hardware address does");

static __always_inline const struct hf_return *return_slot(__u32 number)
{
	return bpf_map_lookup_elem(&returns, &number);
}

/*
 * Opens the envelope of a frame that came out of a TAP: the frame is again what it was, and what is known of it is
 * returned, with the number of its slot. NULL: the owner has not sent it.
 */
static __always_inline const struct hf_return *return_open(struct __sk_buff *skb, __u32 *ret_number)
{
	const char known[] = HF_RETURN_ENVELOPE;
	const struct hf_return *slot;
	struct envelope envelope;

	if (bpf_skb_load_bytes(skb, 0, &envelope, sizeof(envelope)) ||
	    __builtin_memcmp(envelope.known, known, sizeof(envelope.known)))
		return NULL;
	*ret_number = bpf_ntohs(envelope.slot);
	slot = return_slot(*ret_number);
	if (!slot || bpf_skb_store_bytes(skb, offsetof(struct ethhdr, h_dest), slot->destination,
					 ETH_ALEN, 0))
		return NULL;
	return slot;
}

static __always_inline struct clone_hand *clone_hand_here(void)
{
	__u32 zero = 0;

	return bpf_map_lookup_elem(&hands, &zero);
}

/* Is this the clone that the outer run of this program has just made? Then it gets its departure time. */
static __always_inline bool clone_arrives(struct __sk_buff *skb)
{
	struct clone_hand *hand = clone_hand_here();

	if (!hand || !hand->armed || skb->mark != hand->mark)
		return false;
	hand->armed = 0;
	skb->tstamp = hand->due_ns;
	return true;
}

/* A number that no other clone under way has. Never 0, which is no mark. */
static __always_inline __u32 clone_mark(struct clone_hand *hand)
{
	if (!(++hand->made & 0xffffff))
		hand->made++;
	return bpf_get_smp_processor_id() << 24 | (hand->made & 0xffffff);
}

/* 0: a clone is on its way and the original must be stolen. */
static __always_inline int fq_send(struct __sk_buff *skb, __u64 now_ns, const struct packet *packet,
				   const struct parties *who, const struct judgement *judgement)
{
	struct in_flight entry = { .due_ns = now_ns + judgement->delay_ns,
				   .ifindex = skb->ifindex };
	struct clone_hand *hand = clone_hand_here();
	__u32 mark, mark_before = skb->mark;
	long r;

	if (!hand)
		return -1;
	mark = clone_mark(hand);
	sighting_fill(&entry.sighting, HF_POINT_RELEASE, packet, who, judgement);
	bpf_map_update_elem(&flight, &mark, &entry, BPF_ANY);
	hand->due_ns = entry.due_ns;
	hand->mark = mark;
	hand->armed = 1;
	skb->mark = mark;
	r = bpf_clone_redirect(skb, skb->ifindex, 0);
	skb->mark = mark_before;
	if (hand->armed) { /* the clone never came here */
		hand->armed = 0;
		bpf_map_delete_elem(&flight, &mark);
		return r ? -1 : 0;
	}
	return 0;
}

#endif
