/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * fault.h - pure decisions: does a rule mean this packet, and what befalls it.
 *
 * No map, no helper, no clock: the caller brings the rule, the packet, the time and the number of the roll.
 * Compiled into the BPF programs and into the unit tests alike.
 */
#ifndef HOPFAULT_FAULT_H
#define HOPFAULT_FAULT_H

#include "abi.h"
#include "dice.h"
#include "packet.h"

struct fault_outcome {
	__u64 delay_ns; /* 0: not delayed */
	__u32 dropped; /* 0 or 1 */
};

static inline int fault_rule_is_alive(const struct hf_rule *rule, __u64 now_ns)
{
	return now_ns < rule->deadline_ns;
}

static inline int fault_port_is_in(const struct hf_port_range *range, __u32 ranges, __u16 port)
{
	for (__u32 i = 0; i < HF_PORT_RANGES_MAX && i < ranges; i++)
		if (port >= range[i].first && port <= range[i].last)
			return 1;
	return 0;
}

static inline __u64 fault_address_bits(const struct hf_addr *addr)
{
	__u64 low;

	__builtin_memcpy(&low, &addr->byte[8], sizeof(low));
	return low;
}

/* The same number for both directions of a connection, so that it keeps its fate both ways. */
static inline __u64 fault_connection_hash(const struct hf_flow *flow, __u64 seed)
{
	__u64 one = dice_mix(fault_address_bits(&flow->src) + seed) ^ flow->sport;
	__u64 other = dice_mix(fault_address_bits(&flow->dst) + seed) ^ flow->dport;

	return dice_mix(dice_mix(one) + dice_mix(other) + flow->proto);
}

/* ICMP is meant in both its forms; who says `proto icmp` thinks of ping. */
static inline int fault_proto_is_meant(__u8 asked, __u8 proto)
{
	return asked == HF_PROTO_ANY || asked == proto ||
	       (asked == HF_PROTO_ICMP && proto == HF_PROTO_ICMPV6);
}

static inline int fault_rule_matches(const struct hf_rule *rule, const struct packet *packet)
{
	if (!(packet->flags & PACKET_UPKEEP) != !(rule->flags & HF_RULE_UPKEEP))
		return 0;
	if (rule->network && rule->network != packet->network &&
	    packet->network != HF_NETWORK_UNKNOWN)
		return 0;
	if (!fault_proto_is_meant(rule->proto, packet->flow.proto))
		return 0;
	if ((rule->dport_ranges || rule->sport_ranges) && !(packet->flags & PACKET_HAS_PORTS))
		return 0;
	if (rule->dport_ranges &&
	    !fault_port_is_in(rule->dport, rule->dport_ranges, packet->flow.dport))
		return 0;
	if (rule->sport_ranges &&
	    !fault_port_is_in(rule->sport, rule->sport_ranges, packet->flow.sport))
		return 0;
	if ((rule->flags & HF_RULE_SHARE) &&
	    !dice_hits(fault_connection_hash(&packet->flow, rule->seed) >> 32, rule->share_odds))
		return 0;
	return 1;
}

/* A rule that rolls needs to know which of its packets this is. */
static inline int fault_rule_rolls(const struct hf_rule *rule)
{
	return (rule->flags & HF_RULE_LOSS) || rule->jitter_ns;
}

/* nth counts the packets that matched this rule, from 0. */
static inline struct fault_outcome fault_decide(const struct hf_rule *rule, __u64 nth)
{
	struct fault_outcome outcome = {};

	if (rule->flags & HF_RULE_DROP)
		outcome.dropped = 1;
	else if ((rule->flags & HF_RULE_LOSS) &&
		 dice_hits(dice_roll(rule->seed, nth, DICE_LOSS), rule->loss_odds))
		outcome.dropped = 1;
	else if ((rule->flags & HF_RULE_DELAY) && rule->jitter_ns)
		outcome.delay_ns = dice_delay(rule->delay_ns, rule->jitter_ns,
					      dice_roll(rule->seed, nth, DICE_JITTER));
	else if (rule->flags & HF_RULE_DELAY)
		outcome.delay_ns = rule->delay_ns;
	return outcome;
}

#endif
