/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * maps.bpf.h - every map: key, value, who writes, who reads, how large.
 *
 * The owner loads one object for each network namespace; all of them share these maps. "owner" is the daemon.
 */
#ifndef HOPFAULT_MAPS_BPF_H
#define HOPFAULT_MAPS_BPF_H

#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

#include "abi.h"

#define MAX_DEVICES    8192
#define MAX_NAMESPACES 64
#define MAX_ADDRESSES  16384
#define MAX_RULES      16384
#define RING_BYTES     (8 << 20)

/*
 * Lease, mark, tracing switch: written by the owner through a memory map, read on each packet. And the processors' lanes,
 * written here, read by the owner. One element.
 */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__uint(map_flags, BPF_F_MMAPABLE);
	__type(key, __u32);
	__type(value, struct hf_board);
} config SEC(".maps");

/* (namespace, ifindex) -> who is behind it: all of them. Written by the owner, and by its guard. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, MAX_DEVICES);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, struct hf_device_key);
	__type(value, struct hf_device);
} devices SEC(".maps");

/* The same flat, asked first, see struct hf_device_slot. Written by both through a memory map. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, HF_DEVICE_SLOTS);
	__uint(map_flags, BPF_F_MMAPABLE);
	__type(key, __u32);
	__type(value, struct hf_device_slot);
} device_slots SEC(".maps");

/* Namespace -> who its newcomers are. Written by the owner's guard while somebody there is cut from somebody. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, MAX_NAMESPACES);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, __u32);
	__type(value, struct hf_newcomers);
} newcomers SEC(".maps");

/* Address or prefix -> endpoint (and HF_ADDRESS_INSIDE), for packets that came in by no managed device. Written by the owner. */
struct {
	__uint(type, BPF_MAP_TYPE_LPM_TRIE);
	__uint(max_entries, MAX_ADDRESSES);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, struct hf_prefix_key);
	__type(value, __u32);
} addresses SEC(".maps");

/*
 * The live generation: rows of rules, see struct hf_rule_row. One slot, fetched once for each packet; replacing what is in
 * the slot makes a new fault set live on all links at once. Empty: nothing is asked. Written by the owner.
 */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY_OF_MAPS);
	__uint(max_entries, 1);
	__type(key, __u32);
	__array(
		values, struct {
			__uint(type, BPF_MAP_TYPE_ARRAY);
			__uint(max_entries, 1); /* each generation has its own size (Linux 5.10) */
			__uint(map_flags, BPF_F_INNER_MAP | BPF_F_MMAPABLE);
			__uint(key_size, sizeof(__u32));
			__uint(value_size, sizeof(struct hf_rule_row));
		});
} faultset SEC(".maps");

/* Rule id -> how many packets have matched, for rules that roll dice. Made by the owner, counted here. */
struct rule_dice {
	struct bpf_spin_lock lock; /* Linux 5.10 refuses fetching atomics */
	__u32 unused;
	__u64 nth;
};

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, MAX_RULES);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, __u32);
	__type(value, struct rule_dice);
} dice SEC(".maps");

/* Rule id -> what it did. Made by the owner, counted here with plain atomic additions. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, MAX_RULES);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, __u32);
	__type(value, struct hf_rule_counts);
} counts SEC(".maps");

/* Where frames that go back out of a TAP belong. Written by the hold engine through a memory map. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, HF_RETURN_SLOTS);
	__uint(map_flags, BPF_F_MMAPABLE);
	__type(key, __u32);
	__type(value, struct hf_return);
} returns SEC(".maps");

/* Network namespace inode -> endpoint, for socket events. Written by the owner. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, MAX_DEVICES);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, __u32);
	__type(value, __u32);
} namespaces SEC(".maps");

/*
 * Sightings and socket events, to the owner: the slots of a lane for each processor, as many as the loader says. They are few
 * enough to stay in its second cache.
 */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, HF_LANES_MAX);
	__uint(map_flags, BPF_F_MMAPABLE);
	__type(key, __u32);
	__type(value, struct hf_lane_slots);
} lanes SEC(".maps");

/* What no lane could take: of a burst, and from where a lane can't be used. See event_reserve(). */
struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, RING_BYTES);
} events SEC(".maps");

/* What could not be told or done. Written here, read by the owner. */
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct hf_lost);
} lost SEC(".maps");

#endif
