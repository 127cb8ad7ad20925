/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * outside.c - see outside.h.
 */
#include "daemon/outside.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "link/netlink.h"

#define V4(a, len)                                                         \
	{                                                                  \
		.prefix_len = HF_PREFIX_NETNS + 96 + (len), .addr.byte = { \
			[10] = 0xff,                                       \
			[11] = 0xff,                                       \
			[12] = (a)                                         \
		}                                                          \
	}

void outside_done(struct outside *outside)
{
	free(outside->entry);
	*outside = (struct outside){};
}

static bool has(const struct outside *outside, const struct hf_prefix_key *key)
{
	for (size_t i = 0; i < outside->count; i++)
		if (memcmp(&outside->entry[i].key, key, sizeof(*key)) == 0)
			return true;
	return false;
}

static int add(struct outside *outside, const struct hf_prefix_key *prefix, uint32_t endpoint)
{
	struct hf_prefix_key key = *prefix;
	struct outside_entry *more;

	key.netns = outside->netns;
	if (has(outside, &key))
		return 0;
	if (outside->count == outside->room) {
		more = reallocarray(outside->entry, outside->room + 32, sizeof(*more));
		if (!more)
			return -ENOMEM;
		outside->entry = more;
		outside->room += 32;
	}
	outside->entry[outside->count++] =
		(struct outside_entry){ .key = key, .endpoint = endpoint };
	return 0;
}

int outside_add_common(struct outside *outside)
{
	static const struct hf_prefix_key common[] = {
		V4(0, 8), /* nobody yet: DHCP */
		V4(224, 4), /* groups */
		{ .prefix_len = HF_PREFIX_NETNS + 112,
		  .addr.byte = { [10] = 0xff, [11] = 0xff, [12] = 169, [13] = 254 } },
		{ .prefix_len = HF_PREFIX_WHOLE,
		  .addr.byte = { [10] = 0xff,
				 [11] = 0xff,
				 [12] = 255,
				 [13] = 255,
				 [14] = 255,
				 [15] = 255 } },
		{ .prefix_len = HF_PREFIX_NETNS + 8, .addr.byte = { 0xff } }, /* groups */
		{ .prefix_len = HF_PREFIX_NETNS + 10,
		  .addr.byte = { 0xfe, 0x80 } }, /* link-local */
		{ .prefix_len = HF_PREFIX_WHOLE }, /* none; also what ARP has in its place */
	};
	int r = 0;

	for (size_t i = 0; i < ARRAY_SIZE(common) && r >= 0; i++)
		r = add(outside, &common[i], HF_ENDPOINT_OTHER);
	return r;
}

int outside_add_network(struct outside *outside, const struct hf_addr *addr, uint8_t prefix_len)
{
	struct hf_prefix_key key = { .prefix_len = HF_PREFIX_NETNS + prefix_len };

	if (prefix_len >= 128)
		return 0;
	memcpy(key.addr.byte, addr->byte, prefix_len / 8);
	if (prefix_len % 8)
		key.addr.byte[prefix_len / 8] =
			addr->byte[prefix_len / 8] & (uint8_t)(0xff << (8 - prefix_len % 8));
	return add(outside, &key, HF_ENDPOINT_OTHER);
}

static bool is_bridge(const struct netlink_link *link, size_t links, uint32_t ifindex)
{
	for (size_t i = 0; i < links; i++)
		if (link[i].ifindex == ifindex)
			return strcmp(link[i].kind, "bridge") == 0;
	return false;
}

int outside_add_host(struct outside *outside, int netns_fd)
{
	_cleanup_(netlink_closep) struct netlink *nl = NULL;
	_cleanup_(freep) struct netlink_link *link = NULL;
	_cleanup_(freep) struct netlink_addr *at = NULL;
	size_t links = 0, addrs = 0;
	int r;

	r = netlink_open(netns_fd, &nl);
	if (r >= 0)
		r = netlink_list_links(nl, &link, &links);
	if (r >= 0)
		r = netlink_list_addrs(nl, &at, &addrs);
	for (size_t i = 0; i < addrs && r >= 0; i++) {
		struct hf_prefix_key key = { .prefix_len = HF_PREFIX_WHOLE, .addr = at[i].addr };

		r = add(outside, &key, HF_ENDPOINT_HOST);
		if (r >= 0 && is_bridge(link, links, at[i].ifindex))
			r = outside_add_network(outside, &at[i].addr, at[i].prefix_len);
	}
	return r;
}

int outside_keep(struct outside *outside, const struct outside *before, uint32_t netns)
{
	int r = 0;

	outside->netns = netns;
	for (size_t i = 0; i < before->count && r >= 0; i++)
		if (before->entry[i].key.netns == netns)
			r = add(outside, &before->entry[i].key, before->entry[i].endpoint);
	return r;
}

static bool is_in_prefix(const struct hf_prefix_key *key, const struct hf_addr *addr)
{
	uint32_t length = key->prefix_len - HF_PREFIX_NETNS;
	uint32_t bytes = length / 8, bits = length % 8;
	uint8_t mask = (uint8_t)(0xff << (8 - bits));

	if (memcmp(key->addr.byte, addr->byte, bytes) != 0)
		return false;
	return bits == 0 || ((key->addr.byte[bytes] ^ addr->byte[bytes]) & mask) == 0;
}

uint32_t outside_find(const struct outside *outside, const struct hf_addr *addr)
{
	const struct outside_entry *longest = NULL;

	for (size_t i = 0; i < outside->count; i++) {
		const struct outside_entry *entry = &outside->entry[i];

		if (entry->key.netns == outside->netns && is_in_prefix(&entry->key, addr) &&
		    (!longest || entry->key.prefix_len > longest->key.prefix_len))
			longest = entry;
	}
	return longest ? longest->endpoint : HF_ENDPOINT_WORLD;
}

/* What the map has for exactly this prefix: it looks for the longest one that is as long at most. */
static bool is_told(int fd, const struct outside_entry *entry)
{
	uint32_t told;

	return bpf_map_lookup_elem(fd, &entry->key, &told) == 0 && told == entry->endpoint;
}

int outside_tell(int addresses_fd, const struct outside *old, const struct outside *new)
{
	for (size_t i = 0; i < old->count; i++)
		if (!has(new, &old->entry[i].key) && is_told(addresses_fd, &old->entry[i]))
			bpf_map_delete_elem(addresses_fd, &old->entry[i].key);
	for (size_t i = 0; i < new->count; i++)
		if (bpf_map_update_elem(addresses_fd, &new->entry[i].key, &new->entry[i].endpoint,
					BPF_NOEXIST) < 0 &&
		    errno != EEXIST)
			return -errno;
	return 0;
}
