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

static __always_inline void emit_sighting(enum hf_point point, __u64 now_ns,
					  const struct packet *packet, const struct parties *who,
					  const struct judgement *judgement)
{
	struct hf_packet_event *event;

	if (packet->flow.proto != IPPROTO_TCP)
		return;
	if (judgement->verdict == HF_VERDICT_PASS && !packet_tells_something(packet))
		return;
	event = event_reserve(sizeof(*event));
	if (!event) {
		sighting_lost();
		return;
	}
	event_fill(&event->event, HF_EVENT_PACKET, sizeof(*event), now_ns);
	sighting_fill(event, point, packet, who, judgement);
	event_submit(event, now_ns);
}

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

struct sighting_of_request {
	struct hf_packet_event event;
	__u8 head[HF_HEAD_MAX];
};

struct sighting_of_response {
	struct hf_packet_event event;
	__u8 head[HEAD_OF_RESPONSE];
};

/* At most `room` bytes of the payload, which begins with at least four, behind a sighting. */
static __always_inline void head_fill(struct __sk_buff *skb, const struct packet *packet,
				      struct hf_packet_event *event, __u8 *head, __u32 room)
{
	__u32 len = packet->payload_len;

	if (len > room)
		len = room;
	barrier_var(
		len); /* clang would drop the check that follows, which Linux 5.10 needs to see */
	if (len >= 4 && !bpf_skb_load_bytes(skb, packet->payload_offset, head, len))
		event->head_len = len;
}

static __always_inline void leaving_fill(struct hf_packet_event *event, __u16 size, __u64 now_ns,
					 const struct packet *packet, const struct parties *who)
{
	const struct judgement none = {};

	event_fill(&event->event, HF_EVENT_PACKET, size, now_ns);
	sighting_fill(event, HF_POINT_LEAVE, packet, who, &none);
}

static __always_inline void emit_request(struct __sk_buff *skb, __u64 now_ns,
					 const struct packet *packet, const struct parties *who)
{
	struct sighting_of_request *told = event_reserve(sizeof(*told));

	if (!told) {
		sighting_lost();
		return;
	}
	leaving_fill(&told->event, sizeof(*told), now_ns, packet, who);
	head_fill(skb, packet, &told->event, told->head, sizeof(told->head));
	event_submit(told, now_ns);
}

static __always_inline void emit_response(struct __sk_buff *skb, __u64 now_ns,
					  const struct packet *packet, const struct parties *who)
{
	struct sighting_of_response *told = event_reserve(sizeof(*told));

	if (!told) {
		sighting_lost();
		return;
	}
	leaving_fill(&told->event, sizeof(*told), now_ns, packet, who);
	head_fill(skb, packet, &told->event, told->head, sizeof(told->head));
	event_submit(told, now_ns);
}

/* A packet that leaves its sender, with the first bytes of the message if they look like HTTP. */
static __always_inline void emit_leaving(struct __sk_buff *skb, __u64 now_ns,
					 const struct packet *packet, const struct parties *who)
{
	const struct judgement none = {};
	__u32 word = 0;

	if (packet->flow.proto == IPPROTO_TCP && packet->payload_len >= sizeof(word))
		bpf_skb_load_bytes(skb, packet->payload_offset, &word, sizeof(word));
	if (starts_like_response(word))
		emit_response(skb, now_ns, packet, who);
	else if (starts_like_request(word))
		emit_request(skb, now_ns, packet, who);
	else
		emit_sighting(HF_POINT_LEAVE, now_ns, packet, who, &none);
}

#endif
