/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * packets.c - write a frame header by header; each function appends and knows only its own header.
 */
#include <arpa/inet.h>
#include <linux/if_arp.h>
#include <linux/if_ether.h>
#include <linux/in.h>
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <linux/tcp.h>
#include <linux/udp.h>
#include <string.h>

#include "packets.h"

static void *append(struct frame *frame, __u32 len)
{
	void *place = &frame->byte[frame->len];

	if (len > FRAME_MAX - frame->len)
		__builtin_trap(); /* the test asks for a frame that this file was not made for */
	frame->len += len;
	return memset(place, 0, len);
}

static void append_ethertype(struct frame *frame, __u16 ethertype)
{
	__be16 wire = htons(ethertype);

	memcpy(append(frame, sizeof(wire)), &wire, sizeof(wire));
}

static void append_ethernet(struct frame *frame, unsigned int vlans, __u16 ethertype)
{
	memcpy(append(frame, 2 * ETH_ALEN), "\x02\0\0\0\0\x0b\x02\0\0\0\0\x0a", 2 * ETH_ALEN);
	for (unsigned int i = 0; i < vlans; i++) {
		append_ethertype(frame, i + 1 < vlans ? ETH_P_8021AD : ETH_P_8021Q);
		append_ethertype(frame, 100 + i); /* the tag, which has the same size */
	}
	append_ethertype(frame, ethertype);
}

static __be32 ipv4_of(__u32 host)
{
	return htonl(10U << 24 | (host & 0xffffff));
}

struct hf_addr frame_address(bool ipv6, __u32 host)
{
	struct hf_addr addr = {};
	__be32 ipv4 = ipv4_of(host), low = htonl(host & 0xffffff);

	if (ipv6) {
		addr.byte[0] = 0xfd;
		memcpy(&addr.byte[12], &low, sizeof(low));
	} else {
		memset(&addr.byte[10], 0xff, 2);
		memcpy(&addr.byte[12], &ipv4, sizeof(ipv4));
	}
	return addr;
}

static __u32 transport_len(const struct frame_spec *spec)
{
	if (spec->fragment && spec->fragment_offset)
		return 0;
	switch (spec->proto) {
	case IPPROTO_TCP:
		return sizeof(struct tcphdr) + 4 * spec->tcp_options;
	case IPPROTO_UDP:
		return sizeof(struct udphdr);
	default:
		return 8; /* ICMP echo, neighbour discovery without options, and whatever else */
	}
}

static void append_ipv4(struct frame *frame, const struct frame_spec *spec, __u32 rest)
{
	struct iphdr ip = {
		.version = 4,
		.ihl = 5,
		.ttl = 64,
		.tot_len = htons(sizeof(ip) + rest),
		.protocol = spec->proto,
		.saddr = ipv4_of(spec->src),
		.daddr = ipv4_of(spec->dst),
	};

	if (spec->fragment)
		ip.frag_off = htons(0x2000 | spec->fragment_offset / 8);
	memcpy(append(frame, sizeof(ip)), &ip, sizeof(ip));
}

static __u8 ipv6_proto(const struct frame_spec *spec)
{
	return spec->proto == IPPROTO_ICMP ? IPPROTO_ICMPV6 : spec->proto;
}

static void append_ipv6(struct frame *frame, const struct frame_spec *spec, __u32 rest)
{
	unsigned int headers = spec->extensions + (spec->fragment ? 1 : 0);
	struct hf_addr src = frame_address(true, spec->src), dst = frame_address(true, spec->dst);
	struct ipv6hdr ip = { .version = 6,
			      .hop_limit = 64,
			      .payload_len = htons(headers * 8 + rest) };
	__u8 after_options = spec->fragment ? IPPROTO_FRAGMENT : ipv6_proto(spec);

	ip.nexthdr = spec->extensions ? IPPROTO_DSTOPTS : after_options;
	memcpy(&ip.saddr, &src, sizeof(src));
	memcpy(&ip.daddr, &dst, sizeof(dst));
	memcpy(append(frame, sizeof(ip)), &ip, sizeof(ip));
	for (unsigned int i = 0; i < spec->extensions; i++)
		memcpy(append(frame, 8),
		       (__u8[]){ i + 1 < spec->extensions ? IPPROTO_DSTOPTS : after_options, 0, 1,
				 4 },
		       4);
	if (spec->fragment) {
		__be16 offset = htons(spec->fragment_offset | 1);
		__u8 header[8] = { ipv6_proto(spec) };

		memcpy(&header[2], &offset, sizeof(offset));
		memcpy(append(frame, sizeof(header)), header, sizeof(header));
	}
}

static void append_tcp(struct frame *frame, const struct frame_spec *spec)
{
	struct tcphdr tcp = {
		.source = htons(spec->sport),
		.dest = htons(spec->dport),
		.seq = htonl(spec->seq),
		.doff = 5 + spec->tcp_options,
	};

	((__u8 *)&tcp)[13] = spec->tcp_flags;
	memcpy(append(frame, sizeof(tcp)), &tcp, sizeof(tcp));
	memset(append(frame, 4 * spec->tcp_options), 1, 4 * spec->tcp_options);
}

static void append_udp(struct frame *frame, const struct frame_spec *spec)
{
	struct udphdr udp = {
		.source = htons(spec->sport),
		.dest = htons(spec->dport),
		.len = htons(sizeof(udp) + spec->payload_len),
	};

	memcpy(append(frame, sizeof(udp)), &udp, sizeof(udp));
}

static void append_transport(struct frame *frame, const struct frame_spec *spec)
{
	if (spec->fragment && spec->fragment_offset)
		return;
	if (spec->proto == IPPROTO_TCP)
		append_tcp(frame, spec);
	else if (spec->proto == IPPROTO_UDP)
		append_udp(frame, spec);
	else
		memcpy(append(frame, transport_len(spec)), &spec->icmp_type, 1);
}

void frame_make(const struct frame_spec *spec, struct frame *ret_frame)
{
	__u32 rest = transport_len(spec) + spec->payload_len;
	void *payload;

	ret_frame->len = 0;
	append_ethernet(ret_frame, spec->vlans, spec->ipv6 ? ETH_P_IPV6 : ETH_P_IP);
	if (spec->ipv6)
		append_ipv6(ret_frame, spec, rest);
	else
		append_ipv4(ret_frame, spec, rest);
	append_transport(ret_frame, spec);
	payload = append(ret_frame, spec->payload_len);
	if (spec->payload)
		memcpy(payload, spec->payload, spec->payload_len);
}

void frame_make_arp(__u32 src, __u32 dst, struct frame *ret_frame)
{
	struct arphdr arp = {
		.ar_hrd = htons(ARPHRD_ETHER),
		.ar_pro = htons(ETH_P_IP),
		.ar_hln = ETH_ALEN,
		.ar_pln = 4,
		.ar_op = htons(ARPOP_REQUEST),
	};
	__be32 from = ipv4_of(src), to = ipv4_of(dst);

	ret_frame->len = 0;
	append_ethernet(ret_frame, 0, ETH_P_ARP);
	memcpy(append(ret_frame, sizeof(arp)), &arp, sizeof(arp));
	append(ret_frame, ETH_ALEN);
	memcpy(append(ret_frame, 4), &from, 4);
	append(ret_frame, ETH_ALEN);
	memcpy(append(ret_frame, 4), &to, 4);
}

void frame_make_other(__u16 ethertype, __u32 len, struct frame *ret_frame)
{
	ret_frame->len = 0;
	append_ethernet(ret_frame, 0, ethertype);
	append(ret_frame, len);
}
