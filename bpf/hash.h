/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * hash.h - where what the owner writes into a flat map stands, for it and for the programs that look there.
 */
#ifndef HOPFAULT_HASH_H
#define HOPFAULT_HASH_H

#include "abi.h"

/*
 * The devices of a host's namespace have numbers one after the other: side by side. Inside endpoints nearly all have
 * the same few numbers, in namespaces whose own are one after the other: some slots apart.
 */
static inline __u32 hash_device(const struct hf_device_key *key)
{
	return (key->ifindex + key->netns * 61) % HF_DEVICE_SLOTS;
}

/*
 * Which of the homes, a power of two of them, is a link's. Ids are small and follow each other: bits from the upper half of a
 * product tell them apart, whichever of the two they are (as multiplicative hashing by the golden ratio; Knuth, The Art of
 * Computer Programming, 6.4).
 */
static inline __u32 hash_link(const struct hf_link_key *link, __u32 homes_mask)
{
	__u64 number = (__u64)link->src << 32 | link->dst;

	return number * 0x9e3779b97f4a7c15ULL >> 40 & homes_mask;
}

#endif
