/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * device.bpf.h - who is behind an interface.
 */
#ifndef HOPFAULT_DEVICE_BPF_H
#define HOPFAULT_DEVICE_BPF_H

#include "hash.h"
#include "maps.bpf.h"

/* What stands there as a whole, or nothing: it is written while packets come. x86 reads in this order. */
static __always_inline bool device_in_slot(const struct hf_device_slot *slot,
					   const struct hf_device_key *key,
					   struct hf_device *ret_device)
{
	const volatile struct hf_device_slot *now = slot;
	__u32 version = now->version;

	if (version & 1 || now->key.netns != key->netns || now->key.ifindex != key->ifindex)
		return false;
	barrier();
	*ret_device = slot->device;
	barrier();
	return now->version == version;
}

/* False: nobody is known there. */
static __always_inline bool device_at(__u32 netns, __u32 ifindex, struct hf_device *ret_device)
{
	struct hf_device_key key = { .netns = netns, .ifindex = ifindex };
	__u32 number = hash_device(&key);
	const struct hf_device_slot *slot = bpf_map_lookup_elem(&device_slots, &number);
	const struct hf_device *device;

	if (slot && device_in_slot(slot, &key, ret_device))
		return true;
	device = bpf_map_lookup_elem(&devices, &key);
	if (device)
		*ret_device = *device;
	return device != NULL;
}

#endif
