/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * packet.bpf.h - eth, vlan, ipv4, ipv6, tcp, udp, icmp, arp -> struct packet.
 *
 * Headers that lie in the linear part are read where they are, others by bpf_skb_load_bytes, so they may lie anywhere
 * in the skb and nothing is pulled or changed. What does not parse is not ours: packet_parse() says false, and the caller
 * lets it pass.
 */
#ifndef HOPFAULT_PACKET_BPF_H
#define HOPFAULT_PACKET_BPF_H

#include <stdbool.h>
#include <stddef.h>

#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <linux/in.h>
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <linux/tcp.h>
#include <linux/udp.h>

#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

#include "packet.h"

#define PACKET_VLANS_MAX      2
#define PACKET_EXTENSIONS_MAX 6

enum { ND_FIRST = 133, ND_LAST = 137 }; /* router solicitation .. redirect, RFC 4861 */

struct vlan_header {
	__be16 tci;
	__be16 ethertype;
};

/* The common start of the IPv6 extension headers that are skipped (RFC 8200, 4). */
struct extension_header {
	__u8 next;
	__u8 len; /* in 8 bytes, the first 8 not counted */
	__be16 fragment; /* offset and flags, in a fragment header */
	__u32 unused;
};

/*
 * Copies the header at offset into *to; false if the packet ends before it. A macro, because the copy must be one of
 * whole words: of bytes that may lie anywhere clang copies one at a time.
 */
#define HEADER_OFFSET_MAX 0x7fff /* of what is read in place; lets the verifier bound the pointer */

#define header_read(skb, offset, to)                                                  \
	({                                                                            \
		__u32 at_ = (offset);                                                 \
		const void *in_place_ =                                               \
			(const void *)(long)(skb)->data + (at_ & HEADER_OFFSET_MAX);  \
		bool read_ = true;                                                    \
                                                                                      \
		barrier_var(in_place_);                                               \
		if (at_ <= HEADER_OFFSET_MAX &&                                       \
		    in_place_ + sizeof(*(to)) <= (const void *)(long)(skb)->data_end) \
			*(to) = *(const __typeof__(*(to)) *)in_place_;                \
		else                                                                  \
			read_ = !bpf_skb_load_bytes(skb, at_, to, sizeof(*(to)));     \
		read_;                                                                \
	})

static __always_inline void addr_from_ipv4(struct hf_addr *addr, __be32 ipv4)
{
	__be32 *word = (__be32 *)addr; /* of bytes clang copies one at a time */

	word[0] = 0;
	word[1] = 0;
	word[2] = bpf_htonl(0xffff);
	word[3] = ipv4;
}

/* Ports, flags and where the payload begins; false if the transport header is cut off. */
static __always_inline bool parse_transport(struct __sk_buff *skb, __u32 offset, __u32 end,
					    struct packet *packet)
{
	if (packet->flow.proto == IPPROTO_TCP) {
		struct tcphdr tcp;

		if (!header_read(skb, offset, &tcp) || tcp.doff < 5)
			return false;
		packet->flow.sport = bpf_ntohs(tcp.source);
		packet->flow.dport = bpf_ntohs(tcp.dest);
		packet->seq = bpf_ntohl(tcp.seq);
		packet->tcp_flags = ((__u8 *)&tcp)[13];
		packet->payload_offset = offset + tcp.doff * 4;
		packet->flags |= PACKET_HAS_PORTS;
	} else if (packet->flow.proto == IPPROTO_UDP) {
		struct udphdr udp;

		if (!header_read(skb, offset, &udp))
			return false;
		packet->flow.sport = bpf_ntohs(udp.source);
		packet->flow.dport = bpf_ntohs(udp.dest);
		packet->payload_offset = offset + sizeof(udp);
		packet->flags |= PACKET_HAS_PORTS;
	} else {
		packet->payload_offset = offset;
	}
	packet->payload_len = end > packet->payload_offset ? end - packet->payload_offset : 0;
	return true;
}

static __always_inline bool parse_ipv4(struct __sk_buff *skb, __u32 offset, struct packet *packet)
{
	struct iphdr ip;
	__u32 end;

	if (!header_read(skb, offset, &ip) || ip.version != 4 || ip.ihl < 5)
		return false;
	addr_from_ipv4(&packet->flow.src, ip.saddr);
	addr_from_ipv4(&packet->flow.dst, ip.daddr);
	packet->flow.proto = ip.protocol;
	/* a GSO packet's own length may be 0 (BIG TCP): the skb knows better */
	end = skb->gso_size ? skb->len : offset + bpf_ntohs(ip.tot_len);
	if (end > skb->len || end < offset + ip.ihl * 4)
		return false; /* cut off */
	if (ip.frag_off & bpf_htons(0x1fff)) {
		packet->payload_offset = offset + ip.ihl * 4;
		return true; /* not the first fragment: no ports */
	}
	return parse_transport(skb, offset + ip.ihl * 4, end, packet);
}

static __always_inline bool parse_icmpv6(struct __sk_buff *skb, __u32 offset, struct packet *packet)
{
	__u8 type;

	if (!header_read(skb, offset, &type))
		return false;
	if (type >= ND_FIRST && type <= ND_LAST)
		packet->flags |= PACKET_UPKEEP;
	packet->payload_offset = offset;
	return true;
}

static __always_inline bool is_extension(__u8 next)
{
	return next == IPPROTO_HOPOPTS || next == IPPROTO_ROUTING || next == IPPROTO_DSTOPTS ||
	       next == IPPROTO_FRAGMENT;
}

static __always_inline bool parse_ipv6(struct __sk_buff *skb, __u32 offset, struct packet *packet)
{
	struct ipv6hdr ip;
	__u32 end;
	__u8 next;

	if (!header_read(skb, offset, &ip) || ip.version != 6)
		return false;
	__builtin_memcpy(&packet->flow.src, &ip.saddr, sizeof(packet->flow.src));
	__builtin_memcpy(&packet->flow.dst, &ip.daddr, sizeof(packet->flow.dst));
	next = ip.nexthdr;
	end = skb->gso_size ? skb->len : offset + sizeof(ip) + bpf_ntohs(ip.payload_len);
	if (end > skb->len)
		return false; /* cut off */
	offset += sizeof(ip);
	for (int i = 0; i < PACKET_EXTENSIONS_MAX && is_extension(next); i++) {
		struct extension_header ext;

		if (!header_read(skb, offset, &ext))
			return false;
		if (next == IPPROTO_FRAGMENT && (ext.fragment & bpf_htons(0xfff8))) {
			packet->flow.proto = ext.next;
			packet->payload_offset = offset + 8;
			return true; /* not the first fragment: no ports */
		}
		offset += next == IPPROTO_FRAGMENT ? 8 : (ext.len + 1) * 8;
		next = ext.next;
	}
	packet->flow.proto = next;
	if (next == IPPROTO_ICMPV6)
		return parse_icmpv6(skb, offset, packet);
	return parse_transport(skb, offset, end, packet);
}

/*
 * Wire packets in this skb: gso_segs where the kernel filled it, else from the payload and gso_size (frames from
 * packet sockets have gso_segs 0).
 */
static __always_inline __u32 wire_packets(const struct __sk_buff *skb, __u32 payload_len)
{
	if (skb->gso_segs)
		return skb->gso_segs;
	if (skb->gso_size && payload_len > skb->gso_size)
		return (payload_len + skb->gso_size - 1) / skb->gso_size;
	return 1;
}

static __always_inline bool packet_parse(struct __sk_buff *skb, struct packet *packet)
{
	__u32 offset = sizeof(struct ethhdr);
	__be16 ethertype;
	bool parsed;

	__builtin_memset(packet, 0, sizeof(*packet));
	if (!header_read(skb, offsetof(struct ethhdr, h_proto), &ethertype))
		return false;
	for (int i = 0; i < PACKET_VLANS_MAX; i++) {
		struct vlan_header vlan;

		if (ethertype != bpf_htons(ETH_P_8021Q) && ethertype != bpf_htons(ETH_P_8021AD))
			break;
		if (!header_read(skb, offset, &vlan))
			return false;
		ethertype = vlan.ethertype;
		offset += sizeof(vlan);
	}

	if (ethertype == bpf_htons(ETH_P_IP)) {
		parsed = parse_ipv4(skb, offset, packet);
	} else if (ethertype == bpf_htons(ETH_P_IPV6)) {
		parsed = parse_ipv6(skb, offset, packet);
	} else if (ethertype == bpf_htons(ETH_P_ARP)) {
		packet->flow.proto = HF_PROTO_ARP;
		packet->flags |= PACKET_UPKEEP;
		parsed = true;
	} else {
		return false;
	}
	packet->segments = wire_packets(skb, packet->payload_len);
	return parsed;
}

#endif
