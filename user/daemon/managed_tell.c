/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * managed_tell.c - what the programs are told: whose a device, an address and a namespace is, and what is outside. See managed.h.
 */
#include <bpf/bpf.h>
#include <errno.h>
#include <string.h>

#include "base/cleanup.h"
#include "daemon/managed_parts.h"

static int map_fd(const struct managed *managed, enum programs_map map)
{
	return programs_map_fd(managed->with.programs, map);
}

struct device_owner managed_owner_of(const struct managed_endpoint *endpoint)
{
	return (struct device_owner){
		.endpoint = endpoint->id,
		.traced = endpoint->traced,
		.outward = endpoint->outward,
	};
}

static void note_host(struct managed_endpoint *endpoint, uint32_t netns)
{
	for (size_t i = 0; i < endpoint->hosts; i++)
		if (endpoint->host[i] == netns)
			return;
	if (endpoint->hosts < ENDPOINT_INTERFACES_MAX)
		endpoint->host[endpoint->hosts++] = netns;
}

/* The namespaces in which its addresses are told as its own: those of its devices. */
static void note_hosts(struct managed_endpoint *endpoint)
{
	endpoint->hosts = 0;
	for (size_t i = 0; i < endpoint->devices; i++)
		note_host(endpoint, programs_netns_number(device_host(&endpoint->device[i])));
}

static struct hf_prefix_key address_key(uint32_t netns, const struct hf_addr *addr)
{
	return (struct hf_prefix_key){ .prefix_len = HF_PREFIX_WHOLE,
				       .netns = netns,
				       .addr = *addr };
}

int managed_tell_addresses(struct managed *managed, struct managed_endpoint *endpoint)
{
	struct hf_prefix_key key;

	note_hosts(endpoint);
	for (size_t h = 0; h < endpoint->hosts; h++)
		for (size_t i = 0; i < endpoint->addrs; i++) {
			const struct endpoint_addr *addr = &endpoint->addr[i];
			uint32_t party = endpoint->id | (addr->is_inside ? HF_ADDRESS_INSIDE : 0);

			key = address_key(endpoint->host[h], &addr->addr);
			if (bpf_map_update_elem(map_fd(managed, PROGRAMS_ADDRESSES), &key, &party,
						BPF_ANY) < 0)
				return -errno;
		}
	return 0;
}

int managed_tell_namespace(struct managed *managed, const struct managed_endpoint *endpoint)
{
	uint32_t number = (uint32_t)endpoint->netns.ino;

	if (bpf_map_update_elem(map_fd(managed, PROGRAMS_NAMESPACES), &number, &endpoint->id,
				BPF_ANY) < 0)
		return -errno;
	programs_told(managed->with.programs);
	return 0;
}

/* An address or a namespace's number may have been given to another endpoint by now: that one keeps it. */
static void untell_key(int fd, const void *key, uint32_t id)
{
	uint32_t told;

	if (bpf_map_lookup_elem(fd, key, &told) == 0 && (told & ~HF_ADDRESS_INSIDE) == id)
		bpf_map_delete_elem(fd, key);
}

void managed_untell(struct managed *managed, const struct managed_endpoint *endpoint)
{
	uint32_t number = (uint32_t)endpoint->netns.ino;
	struct hf_prefix_key key;

	untell_key(map_fd(managed, PROGRAMS_NAMESPACES), &number, endpoint->id);
	programs_told(managed->with.programs);
	for (size_t h = 0; h < endpoint->hosts; h++)
		for (size_t i = 0; i < endpoint->addrs; i++) {
			key = address_key(endpoint->host[h], &endpoint->addr[i].addr);
			untell_key(map_fd(managed, PROGRAMS_ADDRESSES), &key, endpoint->id);
		}
}

static int tell_devices(struct managed *managed, struct managed_endpoint *endpoint)
{
	const struct device_owner owner = managed_owner_of(endpoint);
	int r = 0;

	for (size_t i = 0; i < endpoint->devices && r >= 0; i++) {
		r = device_tell(&managed->tools, &endpoint->device[i], &owner);
		managed_tell_progress(managed); /* a program may have been attached */
	}
	return r;
}

/* Does a device before this one belong to the same namespace? Most belong to one, and it is listed once. */
static bool is_listed_already(const struct managed *managed, const struct device *device)
{
	for (size_t i = 0; i < managed->endpoints; i++)
		for (size_t k = 0; k < managed->endpoint[i]->devices; k++) {
			const struct device *before = &managed->endpoint[i]->device[k];

			if (before == device)
				return false;
			if (netns_id_equal(device_host(before)->id, device_host(device)->id))
				return true;
		}
	return false;
}

/* Of one endpoint: the namespaces that its veths are in, and the networks of its addresses. */
static int add_outside_of(const struct managed *managed, struct outside *outside,
			  const struct managed_endpoint *endpoint)
{
	int r = 0;

	for (size_t i = 0; i < endpoint->devices && r >= 0; i++) {
		const struct netns *host = device_host(&endpoint->device[i]);

		outside->netns = programs_netns_number(host);
		if (host->fd >= 0 && !is_listed_already(managed, &endpoint->device[i])) {
			r = outside_add_common(outside);
			if (r >= 0)
				r = outside_add_host(outside, host->fd);
		}
		for (size_t k = 0; k < endpoint->addrs && r >= 0; k++)
			r = outside_add_network(outside, &endpoint->addr[k].addr,
						endpoint->addr[k].prefix_len);
	}
	return r;
}

/*
 * Where an endpoint has lost its device nothing is forgotten until it has it again: whoever takes its place is judged by what
 * is known there, before the owner has seen it.
 */
static int keep_outside_of(const struct managed *managed, struct outside *now,
			   const struct managed_endpoint *endpoint)
{
	int r = 0;

	for (size_t i = 0; i < endpoint->hosts && endpoint->devices < endpoint->width && r >= 0;
	     i++)
		r = outside_keep(now, &managed->outside, endpoint->host[i]);
	return r;
}

int managed_tell_outside(struct managed *managed)
{
	_cleanup_(outside_done) struct outside now = {};
	int r = 0;

	for (size_t i = 0; i < managed->endpoints && managed->knows_outside && r >= 0; i++) {
		r = add_outside_of(managed, &now, managed->endpoint[i]);
		if (r >= 0)
			r = keep_outside_of(managed, &now, managed->endpoint[i]);
	}
	if (r >= 0)
		r = outside_tell(map_fd(managed, PROGRAMS_ADDRESSES), &managed->outside, &now);
	if (r < 0)
		return r;
	outside_done(&managed->outside);
	managed->outside = now;
	now = (struct outside){};
	return 0;
}

int managed_know_outside(struct managed *managed, bool know)
{
	if (!know && !managed->knows_outside)
		return 0;
	managed->knows_outside = know;
	return managed_tell_outside(managed);
}

int managed_ready_to_delay(struct managed *managed, uint32_t id, uint64_t delay_ns,
			   char *ret_notice)
{
	struct managed_endpoint *endpoint = managed_find_mutable(managed, id);
	int r = 0;

	for (size_t i = 0; endpoint && i < endpoint->devices && r >= 0; i++)
		r = device_ready_to_delay(&managed->tools, &endpoint->device[i], delay_ns,
					  ret_notice);
	if (endpoint && r >= 0)
		r = tell_devices(managed, endpoint);
	if (endpoint && r >= 0 && endpoint->delay_ns < delay_ns)
		endpoint->delay_ns = delay_ns;
	return r;
}

int managed_ready_to_delay_outward(struct managed *managed, uint32_t id, char *ret_notice)
{
	struct managed_endpoint *endpoint = managed_find_mutable(managed, id);
	int r = 0;

	if (!endpoint)
		return -ENOENT;
	for (size_t i = 0; i < endpoint->devices && r >= 0; i++)
		r = device_ready_to_delay_outward(&managed->tools, &endpoint->device[i]);
	if (r >= 0)
		r = tell_devices(managed, endpoint);
	if (r < 0)
		return r;
	endpoint->delays_outward = true;
	if (managed->with.engine != HF_ENGINE_HOLD)
		snprintf(ret_notice, 256,
			 "towards the host and the world the hold engine delays, not %s",
			 hf_engine_name(managed->with.engine));
	return 0;
}

int managed_set_traced(struct managed *managed, uint32_t id, bool traced)
{
	struct managed_endpoint *endpoint = managed_find_mutable(managed, id);

	if (!endpoint)
		return -ENOENT;
	endpoint->traced = traced;
	return tell_devices(managed, endpoint);
}

int managed_set_outward(struct managed *managed, uint32_t id, bool outward)
{
	struct managed_endpoint *endpoint = managed_find_mutable(managed, id);
	bool some = false;

	if (!endpoint)
		return -ENOENT;
	endpoint->outward = outward;
	for (size_t i = 0; i < managed->endpoints; i++)
		some = some || managed->endpoint[i]->outward;
	programs_config(managed->with.programs)->outward = some;
	return tell_devices(managed, endpoint);
}
