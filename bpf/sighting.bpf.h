/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * sighting.bpf.h - report that a packet passed a point, and what was decided about it there: in the passage that is being
 * written, where that is the packet's own, else as an event of its own.
 *
 * Only TCP is reported. A packet without bytes, SYN, FIN or RST says nothing about a call, so it is reported only
 * when a rule acted on it.
 */
#ifndef HOPFAULT_SIGHTING_BPF_H
#define HOPFAULT_SIGHTING_BPF_H

#include "emit.bpf.h"
#include "packet.bpf.h"

/* What was decided about one packet. */
struct judgement {
	__u64 delay_ns; /* asked, over all rules */
	__u32 verdict; /* enum hf_verdict */
	__u32 rule_id[HF_EVENT_RULES_MAX];
};

/* Who sent the packet, who is about to get it. */
struct parties {
	__u32 src;
	__u32 dst;
};

static __always_inline bool packet_tells_something(const struct packet *packet)
{
	return packet->payload_len || (packet->tcp_flags & (TCP_SYN | TCP_FIN | TCP_RST));
}

static __always_inline void sighting_fill(struct hf_packet_event *event, enum hf_point point,
					  const struct packet *packet, const struct parties *who,
					  const struct judgement *judgement)
{
	event->flow = packet->flow;
	event->seq = packet->seq;
	event->len = packet->payload_len;
	event->src_endpoint = who->src;
	event->dst_endpoint = who->dst;
	event->delay_ns = judgement->delay_ns;
	__builtin_memcpy(event->rule_id, judgement->rule_id, sizeof(event->rule_id));
	event->point = point;
	event->verdict = judgement->verdict;
	event->tcp_flags = packet->tcp_flags;
	event->head_len = 0;
	event->segments = packet->segments;
}

static __always_inline void sighting_lost(void)
{
	struct hf_lost *here = lost_here();

	if (here)
		here->packet_events++;
}

/* Is there anything to tell of it, where no rule has acted? */
static __always_inline bool is_told(const struct packet *packet)
{
	return packet->flow.proto == IPPROTO_TCP && packet_tells_something(packet);
}

/* An event of its own. */
static __always_inline void sighting_write(struct hf_lane *lane, enum hf_point point, __u64 now_ns,
					   const struct packet *packet, const struct parties *who,
					   const struct judgement *judgement)
{
	struct hf_packet_event *event = event_reserve(&lane, sizeof(*event));

	if (!event) {
		sighting_lost();
		return;
	}
	event_fill(&event->event, HF_EVENT_PACKET, sizeof(*event), now_ns);
	sighting_fill(event, point, packet, who, judgement);
	event_submit(lane, event, now_ns);
}

/* ---- a packet enters ---- */

static __always_inline void passage_enters(struct hf_passage *passage, __u32 dst, __u64 now_ns)
{
	passage->dst_endpoint = dst;
	stored();
	passage->entered_ns = now_ns;
}

/* Where no rule is asked, and the newest passage has seen this very packet leave: it needs no parsing. False: not told. */
static __always_inline bool emit_entering_known(struct hf_lane *lane, const struct __sk_buff *skb,
						__u32 dst, __u64 now_ns)
{
	struct hf_passage *passage = lane_passage(lane, now_ns);
	struct carried carried = {};

	if (!passage || !is_to_enter(passage) || !is_of_passage(skb, passage, &carried) ||
	    !has_left(&carried, passage))
		return false;
	passage_enters(passage, dst, now_ns);
	return true;
}

/* What a rule has acted on is told even if it says nothing of a call. */
static __always_inline bool is_told_judged(const struct packet *packet,
					   const struct judgement *judgement)
{
	return judgement->verdict == HF_VERDICT_PASS ? is_told(packet)
						     : packet->flow.proto == IPPROTO_TCP;
}

static __always_inline void emit_entering(__u64 now_ns, const struct packet *packet,
					  const struct parties *who,
					  const struct judgement *judgement)
{
	struct carried carried = carried_in(packet);
	struct hf_passage *passage = NULL;
	struct hf_lane *lane;

	if (!is_told_judged(packet, judgement))
		return;
	lane = lane_take();
	if (lane && judgement->verdict == HF_VERDICT_PASS)
		passage = lane_passage(lane, now_ns);
	if (passage && is_to_enter(passage) && is_of_flow(passage, &packet->flow) &&
	    has_left(&carried, passage))
		passage_enters(passage, who->dst, now_ns);
	else
		sighting_write(lane, HF_POINT_ENTER, now_ns, packet, who, judgement);
	lane_give_back(lane);
}

/* ---- a packet is let go by the hold engine ---- */

static __always_inline void emit_release(__u64 now_ns, const struct packet *packet,
					 const struct parties *who,
					 const struct judgement *judgement)
{
	struct hf_lane *lane;

	if (!is_told_judged(packet, judgement))
		return;
	lane = lane_take();
	sighting_write(lane, HF_POINT_RELEASE, now_ns, packet, who, judgement);
	lane_give_back(lane);
}

/* ---- a packet leaves ---- */

/* Four bytes, as they lie in memory. */
#define WORD(a, b, c, d) bpf_htonl((__u32)(a) << 24 | (b) << 16 | (c) << 8 | (d))

static __always_inline bool starts_like_response(__u32 word)
{
	return word == WORD('H', 'T', 'T', 'P');
}

static __always_inline bool starts_like_request(__u32 word)
{
	return word == WORD('G', 'E', 'T', ' ') || word == WORD('P', 'O', 'S', 'T') ||
	       word == WORD('P', 'U', 'T', ' ') || word == WORD('H', 'E', 'A', 'D') ||
	       word == WORD('D', 'E', 'L', 'E') || word == WORD('P', 'A', 'T', 'C') ||
	       word == WORD('O', 'P', 'T', 'I');
}

/* Of a response only the status is of use, so less is taken. */
#define HEAD_OF_RESPONSE 16
#define HEAD_MIN	 4 /* by which it is known */

/*
 * Not inlined: where registers are scarce clang keeps `len` on the stack and checks a copy of it, which older verifiers
 * (Linux 5.10, 6.1) do not take for a check of what is then loaded. And clang must not know what the caller has checked.
 */
static __noinline int head_load(struct __sk_buff *skb, __u32 offset, __u8 *head, __u64 len)
{
	barrier_var(len);
	if (len < HEAD_MIN || len > HF_HEAD_MAX)
		return -1;
	return bpf_skb_load_bytes(skb, offset, head, len);
}

/* The first bytes of a message that looks like HTTP. Of others, and of a response's body, nothing comes into the passage. */
static __always_inline void head_fill(struct __sk_buff *skb, const struct carried *carried,
				      struct hf_passage *passage)
{
	__u32 len = carried->len < HF_HEAD_MAX ? carried->len : HF_HEAD_MAX;
	__u64 head[HF_HEAD_MAX / sizeof(__u64)] = {};
	__u64 *to = (__u64 *)passage->head;

	passage->head_len = 0;
	if (len < HEAD_MIN || head_load(skb, carried->offset, (__u8 *)head, len))
		return;
	if (starts_like_response((__u32)head[0])) {
		passage->head_len = len < HEAD_OF_RESPONSE ? len : HEAD_OF_RESPONSE;
		to[0] = head[0];
		to[1] = head[1];
	} else if (starts_like_request((__u32)head[0])) {
		passage->head_len = len;
		for (__u32 i = 0; i < HF_HEAD_MAX / sizeof(__u64); i++)
			to[i] = head[i];
	}
}

static __always_inline void passage_begin(struct hf_passage *passage, __u64 now_ns)
{
	event_fill(&passage->event, HF_EVENT_PASSAGE, sizeof(*passage), now_ns);
	passage->len = 0;
	passage->sent_ns = 0;
	passage->left_ns = 0;
	passage->entered_ns = 0;
	passage->pid = 0;
	passage->tid = 0;
	passage->dst_endpoint = HF_ENDPOINT_NONE;
	passage->tcp_flags = 0;
	passage->head_len = 0;
	passage->unused[0] = 0;
	passage->unused[1] = 0;
	passage->segments = 0;
}

static __always_inline void passage_leaves(struct __sk_buff *skb, const struct carried *carried,
					   struct hf_passage *passage, __u64 now_ns)
{
	passage->len = carried->len;
	passage->tcp_flags = carried->tcp_flags;
	passage->segments = wire_packets(skb, carried->len);
	head_fill(skb, carried, passage);
	stored();
	passage->left_ns = now_ns;
}

static __always_inline void leaving_write(struct __sk_buff *skb, struct hf_lane *lane,
					  const struct packet *packet, const struct parties *who,
					  __u64 now_ns)
{
	struct hf_passage *passage = event_reserve(&lane, sizeof(*passage));
	struct carried carried = carried_in(packet);

	if (!passage) {
		sighting_lost();
		return;
	}
	passage_begin(passage, now_ns);
	passage->flow = packet->flow;
	passage->seq = packet->seq;
	passage->src_endpoint = who->src;
	passage->dst_endpoint = who->dst;
	passage_leaves(skb, &carried, passage, now_ns);
	event_submit(lane, passage, now_ns);
}

/* A packet that leaves its sender, with the first bytes of the message if they look like HTTP. */
static __always_inline void emit_leaving(struct __sk_buff *skb, __u64 now_ns,
					 const struct packet *packet, const struct parties *who)
{
	struct carried carried = carried_in(packet);
	struct hf_passage *passage = NULL;
	struct hf_lane *lane;

	if (!is_told(packet))
		return;
	lane = lane_take();
	if (lane)
		passage = lane_passage(lane, now_ns);
	if (passage && is_to_leave(passage, who->src) && is_of_flow(passage, &packet->flow) &&
	    is_sent(&carried, passage)) {
		passage->dst_endpoint = who->dst;
		passage_leaves(skb, &carried, passage, now_ns);
	} else {
		leaving_write(skb, lane, packet, who, now_ns);
	}
	lane_give_back(lane);
}

/* Where no rule is asked, and the newest passage is of the call that sends this packet: it needs no parsing. False: not told. */
static __always_inline bool emit_leaving_known(struct hf_lane *lane, struct __sk_buff *skb,
					       __u32 src, __u64 now_ns)
{
	struct hf_passage *passage = lane_passage(lane, now_ns);
	struct carried carried = {};

	if (!passage || !is_to_leave(passage, src) || !is_of_passage(skb, passage, &carried) ||
	    !is_sent(&carried, passage))
		return false;
	passage_leaves(skb, &carried, passage, now_ns);
	return true;
}

#endif
