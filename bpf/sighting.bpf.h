/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * sighting.bpf.h - report that a packet passed a point, and what was decided about it there.
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
	__u32 verdict;	/* enum hf_verdict */
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

static __always_inline void emit_sighting(enum hf_point point, __u64 now_ns,
					  const struct packet *packet, const struct parties *who,
					  const struct judgement *judgement)
{
	struct hf_packet_event *event;

	if (packet->flow.proto != IPPROTO_TCP)
		return;
	if (judgement->verdict == HF_VERDICT_PASS && !packet_tells_something(packet))
		return;
	event = bpf_ringbuf_reserve(&events, sizeof(*event), 0);
	if (!event) {
		sighting_lost();
		return;
	}
	event_fill(&event->event, HF_EVENT_PACKET, sizeof(*event), now_ns);
	sighting_fill(event, point, packet, who, judgement);
	event_submit(event);
}

/* The first four bytes of an HTTP/1 request or response, as they lie in memory. */
#define WORD(a, b, c, d) bpf_htonl((__u32)(a) << 24 | (b) << 16 | (c) << 8 | (d))

static __always_inline bool starts_like_http(__u32 word)
{
	return word == WORD('H', 'T', 'T', 'P') || word == WORD('G', 'E', 'T', ' ') ||
	       word == WORD('P', 'O', 'S', 'T') || word == WORD('P', 'U', 'T', ' ') ||
	       word == WORD('H', 'E', 'A', 'D') || word == WORD('D', 'E', 'L', 'E') ||
	       word == WORD('P', 'A', 'T', 'C') || word == WORD('O', 'P', 'T', 'I');
}

struct sighting_with_head {
	struct hf_packet_event event;
	__u8 head[HF_HEAD_MAX];
};

/* A packet that leaves its sender, with the first bytes of the message if they look like HTTP. */
static __always_inline void emit_leaving(struct __sk_buff *skb, __u64 now_ns,
					 const struct packet *packet, const struct parties *who)
{
	const struct judgement none = {};
	struct sighting_with_head *told;
	__u32 word = 0, len = packet->payload_len;

	if (packet->flow.proto != IPPROTO_TCP || len < sizeof(word) ||
	    bpf_skb_load_bytes(skb, packet->payload_offset, &word, sizeof(word)) ||
	    !starts_like_http(word)) {
		emit_sighting(HF_POINT_LEAVE, now_ns, packet, who, &none);
		return;
	}
	told = bpf_ringbuf_reserve(&events, sizeof(*told), 0);
	if (!told) {
		sighting_lost();
		return;
	}
	event_fill(&told->event.event, HF_EVENT_PACKET, sizeof(*told), now_ns);
	sighting_fill(&told->event, HF_POINT_LEAVE, packet, who, &none);
	if (len > HF_HEAD_MAX)
		len = HF_HEAD_MAX;
	barrier_var(len); /* clang would drop the check that follows, which Linux 5.10 needs to see */
	if (len >= sizeof(word) &&
	    !bpf_skb_load_bytes(skb, packet->payload_offset, told->head, len))
		told->event.head_len = len;
	event_submit(told);
}

#endif
