/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * near.bpf.h - what a processor has looked up lately, beside its lane: who is traced behind a device, or in a namespace.
 *
 * A look into the maps goes to one to three more places in memory, which the next system call finds as cold as this one
 * did. What the owner changes there of what is traced it counts in hf_config.edition, and what was noted before is
 * forgotten. No fault depends on it: where there is a rule that a packet could match, nobody asks here.
 *
 * Only for who has taken the lane.
 */
#ifndef HOPFAULT_NEAR_BPF_H
#define HOPFAULT_NEAR_BPF_H

#include "device.bpf.h"
#include "maps.bpf.h"

/*
 * Numbers are given out in order, or every second of them (both ends of a veth that is made on the host), or with gaps: those
 * of one chain are to fall apart.
 */
static __always_inline __u32 near_place(__u32 number)
{
	return (number ^ number >> 3 ^ number >> 6) % HF_NEAR;
}

/* The edition is read before anything is looked up, as x86 does in that order: what is noted is at least as new. */
static __always_inline void near_renew(struct hf_lane *lane, const struct hf_config *owner)
{
	__u32 edition = *(const volatile __u32 *)&owner->edition;

	if (lane->edition == edition)
		return;
	for (int i = 0; i < HF_NEAR; i++) {
		lane->near_namespace[i].inum = 0;
		lane->near_device[i].ifindex = 0;
	}
	lane->edition = edition;
}

/* HF_ENDPOINT_NONE: nobody's. */
static __always_inline __u32 near_namespace(struct hf_lane *lane, const struct hf_config *owner,
					    __u32 inum)
{
	struct hf_near_namespace *near = &lane->near_namespace[near_place(inum)];
	const __u32 *endpoint;

	near_renew(lane, owner);
	if (near->inum == inum)
		return near->endpoint;
	endpoint = bpf_map_lookup_elem(&namespaces, &inum);
	near->inum = inum;
	near->endpoint = endpoint ? *endpoint : HF_ENDPOINT_NONE;
	return near->endpoint;
}

/* Is anything asked of it but what was seen? */
static __always_inline bool is_only_seen(const struct hf_device *device)
{
	return device->traced && !device->inside && !device->outward;
}

/* Who is traced behind a device of which nothing else is asked; HF_ENDPOINT_NONE: it is another's. */
static __always_inline __u32 near_device(struct hf_lane *lane, const struct hf_config *owner,
					 __u32 netns, __u32 ifindex)
{
	struct hf_near_device *near = &lane->near_device[near_place(ifindex)];
	struct hf_device device;

	near_renew(lane, owner);
	if (near->ifindex == ifindex && near->netns == netns)
		return near->endpoint;
	near->netns = netns;
	near->ifindex = ifindex;
	near->endpoint = device_at(netns, ifindex, &device) && is_only_seen(&device)
				 ? device.endpoint
				 : HF_ENDPOINT_NONE;
	return near->endpoint;
}

#endif
