/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * managed_news.c - what the kernel tells of devices: one goes, one moves to another bridge, a host gets an address. See managed.h.
 */
#include <errno.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/log.h"
#include "daemon/managed_parts.h"

static bool is_in(const struct device *device, const struct host *host)
{
	return netns_id_equal(device->netns.id, host_id(host));
}

void managed_tap_changed(void *ctx, const struct host *host)
{
	struct managed *managed = ctx;

	for (size_t i = 0; i < managed->endpoints; i++) {
		struct managed_endpoint *endpoint = managed->endpoint[i];
		const struct device_owner owner = managed_owner_of(endpoint);

		for (size_t k = 0; k < endpoint->devices; k++)
			if (is_in(&endpoint->device[k], host))
				device_tell(&managed->tools, &endpoint->device[k], &owner);
	}
}

/* Its bridge, as it is now; an engine's word for it is not known here. */
static void read_bridge(struct endpoint_interface *interface, const struct device *device,
			uint32_t master)
{
	_cleanup_(netlink_closep) struct netlink *nl = NULL;
	struct netlink_link link;

	interface->host.netns = device->netns;
	interface->host.master = master;
	if (netlink_open(device->netns.fd, &nl) >= 0 &&
	    netlink_link_by_index(nl, master, &link) >= 0)
		memcpy(interface->host.bridge, link.name, sizeof(interface->host.bridge));
}

/* It is on this bridge now. Off a bridge it can't reach anybody, and what is about to be deleted is taken off first. */
bool managed_move_device(struct managed *managed, struct managed_endpoint *endpoint,
			 struct device *device, uint32_t master)
{
	const struct device_owner owner = managed_owner_of(endpoint);
	struct endpoint_interface interface = {};

	if (!master || device->master == master)
		return false;
	read_bridge(&interface, device, master);
	device->master = master;
	device->network = managed_network_of(managed, endpoint, &interface);
	device_tell(&managed->tools, device, &owner);
	return true;
}

static struct device *find_by_ifindex(struct managed *managed, struct netns_id id, uint32_t ifindex,
				      struct managed_endpoint **ret_endpoint)
{
	for (size_t i = 0; i < managed->endpoints; i++)
		for (size_t k = 0; k < managed->endpoint[i]->devices; k++)
			if (device_is(&managed->endpoint[i]->device[k], id, ifindex)) {
				*ret_endpoint = managed->endpoint[i];
				return &managed->endpoint[i]->device[k];
			}
	return NULL;
}

static void link_changed(struct managed *managed, struct netns_id id,
			 const struct netlink_link *link)
{
	struct managed_endpoint *endpoint;
	struct device *device = find_by_ifindex(managed, id, link->ifindex, &endpoint);

	if (device && managed_move_device(managed, endpoint, device, link->master))
		managed->with.changed(managed->with.ctx);
}

/* A veth went. What is left of the endpoint's devices stays as it is: a partition must hold there. */
static void lose_device(struct managed *managed, struct managed_endpoint *endpoint, size_t i)
{
	log_info("%s has lost %s%s", endpoint->name, endpoint->device[i].ifname,
		 endpoint->devices == 1 ? ": it is down" : "");
	device_detach(&managed->tools, &endpoint->device[i]);
	endpoint->device[i] = endpoint->device[--endpoint->devices];
	endpoint->has_lost = true;
	endpoint->has_moved = true;
	endpoint->changed_ns = clock_now_ns();
	if (endpoint->devices == 0)
		managed_drop_endpoint_devices(managed, endpoint);
}

static void drop_device(struct managed *managed, struct netns_id id, uint32_t ifindex)
{
	struct managed_endpoint *endpoint;
	struct device *device = find_by_ifindex(managed, id, ifindex, &endpoint);

	if (!device)
		return;
	lose_device(managed, endpoint, (size_t)(device - endpoint->device));
	managed->with.changed(managed->with.ctx);
}

static bool device_is_gone(struct netlink *nl, const struct device *device)
{
	struct netlink_link link;

	return netlink_link_by_index(nl, device->ifindex, &link) == -ENODEV;
}

/* News were lost: whatever stands on our list is looked for. */
static void look_again(struct managed *managed, const struct host *host)
{
	_cleanup_(netlink_closep) struct netlink *nl = NULL;

	if (netlink_open(host_netns_fd(host), &nl) < 0)
		return;
	for (size_t i = 0; i < managed->endpoints; i++) {
		struct managed_endpoint *endpoint = managed->endpoint[i];

		for (size_t k = endpoint->devices; k > 0; k--)
			if (is_in(&endpoint->device[k - 1], host) &&
			    device_is_gone(nl, &endpoint->device[k - 1]))
				lose_device(managed, endpoint, k - 1);
	}
	managed->with.changed(managed->with.ctx);
}

/* What is inside an endpoint goes without news: no watch may keep its namespace. */
void managed_look_inside(struct managed *managed)
{
	bool lost = false;

	for (size_t i = 0; i < managed->endpoints; i++) {
		struct managed_endpoint *endpoint = managed->endpoint[i];

		for (size_t k = endpoint->devices; k > 0; k--)
			if (endpoint->device[k - 1].is_inside &&
			    !device_is_there(&endpoint->device[k - 1])) {
				lose_device(managed, endpoint, k - 1);
				lost = true;
			}
	}
	if (lost)
		managed->with.changed(managed->with.ctx);
}

/* What is the host's, and which networks have somebody on them. */
static void follow_outside(struct managed *managed)
{
	int r = managed->knows_outside ? managed_tell_outside(managed) : 0;

	if (r < 0)
		log_warn("what is the host's can't be told to the programs: %s", strerror(-r));
}

void managed_link_news(void *ctx, const struct host *host, enum netlink_news news,
		       const struct netlink_link *link)
{
	struct managed *managed = ctx;

	if (news == NETLINK_NEWS_LOST)
		look_again(managed, host);
	if (news == NETLINK_NEWS_LOST || news == NETLINK_ADDRS_CHANGED)
		follow_outside(managed);
	else if (news == NETLINK_LINK_REMOVED)
		drop_device(managed, host_id(host), link->ifindex);
	else
		link_changed(managed, host_id(host), link);
}
