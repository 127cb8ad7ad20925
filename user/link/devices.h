/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * devices.h - who is behind which interface, told to the programs: the hash that has them all, and the flat slots in front of
 * it (struct hf_device_slot).
 *
 * In a slot a packet sees a device as it was or as it is, never half of each, and finds it in the hash while that is being
 * written. Several threads may write: the owner's and its guard's.
 */
#ifndef HF_LINK_DEVICES_H
#define HF_LINK_DEVICES_H

#include <bpf/libbpf.h>

#include "abi.h"

struct devices;

/* Of the maps `devices` and `device_slots`, which must outlive it. -errno. */
int devices_open(const struct bpf_map *hash, const struct bpf_map *slots,
		 struct devices **ret_devices);
void devices_close(struct devices *devices);

/* Puts it there or replaces what it was. -errno of the kernel: nothing has changed. */
int devices_put(struct devices *devices, const struct hf_device_key *key,
		const struct hf_device *device);
/* One that is not there is no error. */
void devices_remove(struct devices *devices, const struct hf_device_key *key);

#endif
