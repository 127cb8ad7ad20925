/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * devices.c - see devices.h.
 */
#include "link/devices.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/mman.h>

#include "base/lock.h"
#include "hash.h"
#include "link/shared_map.h"

#define SLOTS_BYTES (HF_DEVICE_SLOTS * sizeof(struct hf_device_slot))

struct devices {
	int hash_fd;
	struct hf_device_slot *slots; /* mapped */
	pthread_mutex_t lock;
};

int devices_open(const struct bpf_map *hash, const struct bpf_map *slots,
		 struct devices **ret_devices)
{
	struct devices *devices = calloc(1, sizeof(*devices));
	int r;

	if (!devices)
		return -ENOMEM;
	r = shared_map(slots, SLOTS_BYTES, (void **)&devices->slots);
	if (r < 0) {
		free(devices);
		return r;
	}
	devices->hash_fd = bpf_map__fd(hash);
	lock_init(&devices->lock); /* the guard's threads go first */
	*ret_devices = devices;
	return 0;
}

void devices_close(struct devices *devices)
{
	if (!devices)
		return;
	pthread_mutex_destroy(&devices->lock);
	munmap(devices->slots, SLOTS_BYTES);
	free(devices);
}

static struct hf_device_slot *slot_of(struct devices *devices, const struct hf_device_key *key)
{
	return &devices->slots[hash_device(key)];
}

static bool is_of(const struct hf_device_slot *slot, const struct hf_device_key *key)
{
	return slot->key.ifindex == key->ifindex && slot->key.netns == key->netns;
}

static bool is_free(const struct hf_device_slot *slot)
{
	return slot->key.ifindex == 0;
}

/* A sequence lock with one writer at a time: whoever reads meanwhile sees the version odd, or another one afterwards. */
static void write_slot(struct hf_device_slot *slot, struct hf_device_key key,
		       struct hf_device device)
{
	__u32 version = slot->version;

	__atomic_store_n(&slot->version, version + 1, __ATOMIC_RELAXED);
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	slot->key = key;
	slot->device = device;
	__atomic_store_n(&slot->version, version + 2, __ATOMIC_RELEASE);
}

int devices_put(struct devices *devices, const struct hf_device_key *key,
		const struct hf_device *device)
{
	struct hf_device_slot *slot = slot_of(devices, key);
	int r = 0;

	pthread_mutex_lock(&devices->lock);
	if (bpf_map_update_elem(devices->hash_fd, key, device, BPF_ANY) < 0)
		r = -errno;
	else if (is_free(slot) || is_of(slot, key))
		write_slot(slot, *key, *device);
	pthread_mutex_unlock(&devices->lock);
	return r;
}

void devices_remove(struct devices *devices, const struct hf_device_key *key)
{
	struct hf_device_slot *slot = slot_of(devices, key);

	pthread_mutex_lock(&devices->lock);
	if (is_of(slot, key))
		write_slot(slot, (struct hf_device_key){}, (struct hf_device){});
	bpf_map_delete_elem(devices->hash_fd, key);
	pthread_mutex_unlock(&devices->lock);
}
