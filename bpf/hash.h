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

#endif
