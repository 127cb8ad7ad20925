/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * kernel.bpf.h - the few kernel structs that the tracing programs look into, with the few members that they use.
 *
 * libbpf relocates each access to the running kernel's layout (CO-RE), so a build does not depend on the kernel of
 * the machine that it was made on, and needs no generated vmlinux.h.
 */
#ifndef HOPFAULT_KERNEL_BPF_H
#define HOPFAULT_KERNEL_BPF_H

#include <linux/types.h>

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)

struct ns_common {
	unsigned int inum;
};

struct net {
	struct ns_common ns;
};

typedef struct {
	struct net *net;
} possible_net_t;

/* in6_addr, under a name that the protocol headers do not use; only its address is taken. */
struct address16 {
	__u8 byte[16];
};

struct sock_common {
	__be32 skc_daddr;
	__be32 skc_rcv_saddr;
	__be16 skc_dport;
	__u16 skc_num;
	unsigned short skc_family;
	possible_net_t skc_net;
	struct address16 skc_v6_daddr;
	struct address16 skc_v6_rcv_saddr;
};

struct sock {
	struct sock_common __sk_common;
	__u16 sk_protocol;
};

struct inet_sock {
	struct sock sk;
	__be16 inet_sport;
};

struct tcp_sock {
	__u32 copied_seq;
	__u32 write_seq;
};

/* What TCP keeps in skb->cb. */
struct tcp_skb_cb {
	__u32 seq;
	__u32 end_seq;
};

struct net_device {
	int ifindex;
	possible_net_t nd_net;
};

struct sk_buff {
	char cb[48];
	__u32 mark;
};

struct msghdr;

/* Where there is a tracepoint, there is its record. */
struct trace_event_raw_tcp_sendmsg_locked {
};

#pragma clang attribute pop

#endif
