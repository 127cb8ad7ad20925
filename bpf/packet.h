/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * packet.h - what is known of a packet, once it has been parsed: plain data, for BPF and for unit tests.
 */
#ifndef HOPFAULT_PACKET_H
#define HOPFAULT_PACKET_H

#include "abi.h"

enum {
	PACKET_HAS_PORTS = 1U << 0, /* TCP or UDP, first fragment */
	PACKET_UPKEEP = 1U << 1, /* ARP, neighbour discovery: keeps the link itself alive */
};

enum { TCP_FIN = 1, TCP_SYN = 2, TCP_RST = 4, TCP_PSH = 8, TCP_ACK = 16 };

struct packet {
	struct hf_flow flow; /* proto HF_PROTO_ARP: addresses and ports are zero */
	__u32 seq; /* TCP */
	__u32 payload_len; /* bytes behind the transport header, in all segments */
	__u32 payload_offset;
	__u32 segments; /* wire packets, at least 1 */
	__u8 tcp_flags;
	__u8 flags; /* PACKET_* */
	__u16 network; /* of the device where it was seen: not in the packet itself, filled in beside it */
};

#endif
