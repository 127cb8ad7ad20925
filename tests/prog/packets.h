/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * packets.h - frames for the program tests, made from a description: what is not said is ordinary.
 *
 *     struct frame frame;
 *     frame_make(&(struct frame_spec){ .proto = IPPROTO_TCP, .dport = 80 }, &frame);
 *
 * Checksums stay zero: nothing here is received by anyone.
 */
#ifndef HF_TESTS_PROG_PACKETS_H
#define HF_TESTS_PROG_PACKETS_H

#include <stdbool.h>

#include "abi.h"

#define FRAME_MAX 4096

struct frame {
	__u32 len;
	__u8 byte[FRAME_MAX];
};

struct frame_spec {
	bool ipv6;
	unsigned int
		vlans; /* tags in front of the network header; two or more: the outer ones are 802.1ad */
	__u32 src; /* host numbers: 10.x.y.z or fd00::x.y.z */
	__u32 dst;
	__u8 proto; /* IPPROTO_*; ICMP means ICMPv6 where ipv6 is set */
	__u8 icmp_type;
	__u16 sport;
	__u16 dport;
	__u32 seq;
	__u8 tcp_flags; /* TCP_* of packet.h */
	unsigned int tcp_options; /* 32-bit words of no-operation behind the TCP header */
	const void *payload; /* NULL: zeros */
	__u32 payload_len;
	unsigned int extensions; /* IPv6: this many destination-option headers */
	bool fragment; /* a fragment: a header of its own for IPv6 */
	__u16 fragment_offset; /* in bytes; not 0: the payload follows at once */
};

void frame_make(const struct frame_spec *spec, struct frame *ret_frame);
void frame_make_arp(__u32 src, __u32 dst, struct frame *ret_frame);
/* An ethertype that is neither IP nor ARP, and len bytes behind it. */
void frame_make_other(__u16 ethertype, __u32 len, struct frame *ret_frame);

/* The address of a host number, as maps and events have it. */
struct hf_addr frame_address(bool ipv6, __u32 host);

#endif
