/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * desk.bpf.h - one CPU's desk: the packet in hand, who its link's ends are, and what is decided about it.
 *
 * Functions that are not static, take_up() among them, are checked by the verifier once, by themselves, whoever calls
 * them (global to it: Linux 5.6). Inlined, all that follows was checked again behind each way through the parser and
 * through a link's rules: of judge() alone 110000 steps at each start became 320000. Such a function shares no pointer
 * with its caller but the context (Linux 5.10), so what they share stands here.
 *
 * Programs at tc run to their end with soft interrupts off; the one that is nested, on a clone, needs no desk.
 */
#ifndef HOPFAULT_DESK_BPF_H
#define HOPFAULT_DESK_BPF_H

#include "packet.bpf.h"
#include "sighting.bpf.h"

struct desk {
	struct packet packet;
	struct parties who;
	struct judgement judgement;
	__u64 decided_ns; /* when, if a rule has matched; else 0 */
};

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct desk);
} desks SEC(".maps");

static __always_inline struct desk *desk_here(void)
{
	__u32 zero = 0;

	return bpf_map_lookup_elem(&desks, &zero);
}

/* Puts the packet on the desk, nothing decided. 0: it does not parse, so it is not ours. */
__noinline int take_up(struct __sk_buff *skb)
{
	struct desk *desk = desk_here();

	if (!desk || !packet_parse(skb, &desk->packet))
		return 0;
	desk->who = (struct parties){};
	desk->judgement = (struct judgement){};
	desk->decided_ns = 0;
	return 1;
}

#endif
