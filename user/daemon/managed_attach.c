/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * managed_attach.c - our programs on an endpoint's devices, and on those that take their place. See managed.h.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/log.h"
#include "daemon/managed_parts.h"

void managed_drop_endpoint_devices(struct managed *managed, struct managed_endpoint *endpoint)
{
	managed_untell(managed, endpoint);
	for (size_t i = 0; i < endpoint->devices; i++)
		device_detach(&managed->tools, &endpoint->device[i]);
	free(endpoint->device);
	endpoint->device = NULL;
	endpoint->devices = 0;
	endpoint->addrs = 0;
}

static bool is_by_engine(const struct managed_endpoint *endpoint)
{
	return endpoint->kind == ENDPOINT_DOCKER || endpoint->kind == ENDPOINT_PODMAN;
}

/*
 * One that comes again may be seen before it has its bridge; and a bridge that nobody has seen yet may be what an engine
 * has made anew for an old network. Until that is known all its rules act there.
 */
uint16_t managed_network_of(struct managed *managed, const struct managed_endpoint *endpoint,
			    const struct endpoint_interface *interface)
{
	bool is_named = interface->network[0] || !is_by_engine(endpoint);

	if (endpoint->had_network && !is_named && networks_find(&managed->networks, interface) == 0)
		return HF_NETWORK_UNKNOWN;
	if (!interface->network[0] && !interface->host.master)
		return endpoint->had_network ? HF_NETWORK_UNKNOWN : 0;
	return networks_number(&managed->networks, interface);
}

void managed_copy_addresses(const struct endpoint *from, struct managed_endpoint *to)
{
	to->addrs = 0;
	for (size_t i = 0; i < from->interfaces; i++)
		for (size_t k = 0; k < from->interface[i].addrs; k++)
			if (to->addrs < ENDPOINT_ADDRS_MAX)
				to->addr[to->addrs++] = from->interface[i].addr[k];
}

/* Of each address that was copied. */
void managed_note_networks(struct managed *managed, const struct endpoint *from,
			   struct managed_endpoint *to)
{
	uint16_t network;
	size_t at = 0;

	for (size_t i = 0; i < from->interfaces; i++) {
		network = networks_number(&managed->networks, &from->interface[i]);
		for (size_t k = 0; k < from->interface[i].addrs && at < to->addrs; k++)
			to->addr_network[at++] = network;
	}
}

/* Its device of this interface; NULL: that is new. */
static struct device *find_device(const struct managed_endpoint *endpoint,
				  const struct endpoint_interface *interface)
{
	for (size_t i = 0; i < endpoint->devices; i++)
		if (device_is(&endpoint->device[i], interface->host.netns.id,
			      interface->host.ifindex))
			return &endpoint->device[i];
	return NULL;
}

/* What devices become: those that stay are copies, those that are new are attached. */
struct exchange {
	struct device *device; /* owned */
	bool *is_new; /* owned */
	size_t devices;
	size_t news;
};

static void exchange_done(struct exchange *exchange)
{
	free(exchange->device);
	free(exchange->is_new);
}

static void take_back(struct managed *managed, struct exchange *exchange)
{
	for (size_t i = 0; i < exchange->devices; i++)
		if (exchange->is_new[i])
			device_detach(&managed->tools, &exchange->device[i]);
}

/* What an engine calls its network may be known only now. */
static int keep(struct managed *managed, const struct managed_endpoint *to,
		const struct endpoint_interface *interface, const struct device *stays,
		struct device *ret_device)
{
	const struct device_owner owner = managed_owner_of(to);

	*ret_device = *stays;
	if (!interface->network[0])
		return 0;
	ret_device->network = managed_network_of(managed, to, interface);
	return device_tell(&managed->tools, ret_device, &owner);
}

static int attach(struct managed *managed, const struct endpoint *from, struct managed_endpoint *to,
		  const struct endpoint_interface *interface, struct device *ret_device)
{
	_cleanup_(netlink_closep) struct netlink *nl = NULL;
	const struct device_owner owner = managed_owner_of(to);
	struct netlink_link link;
	int r;

	r = device_attach(&managed->tools, &owner, from, &interface->host,
			  managed_network_of(managed, to, interface), ret_device);
	/* its bridge may have come since it was looked at, and the news of that were nobody's then */
	if (r >= 0 && !interface->host.is_inside && !interface->host.master &&
	    netlink_open(interface->host.netns.fd, &nl) >= 0 &&
	    netlink_link_by_index(nl, interface->host.ifindex, &link) >= 0)
		managed_move_device(managed, to, ret_device, link.master);
	return r < 0 ? r : 0;
}

static int prepare(struct managed *managed, const struct endpoint *from,
		   struct managed_endpoint *to, struct exchange *exchange)
{
	int r = 0;

	exchange->device = calloc(from->interfaces + 1, sizeof(*exchange->device));
	exchange->is_new = calloc(from->interfaces + 1, sizeof(*exchange->is_new));
	if (!exchange->device || !exchange->is_new)
		return -ENOMEM;
	for (size_t i = 0; i < from->interfaces && r >= 0; i++) {
		const struct device *stays = find_device(to, &from->interface[i]);

		r = stays ? keep(managed, to, &from->interface[i], stays, &exchange->device[i])
			  : attach(managed, from, to, &from->interface[i], &exchange->device[i]);
		if (r < 0)
			break;
		exchange->is_new[i] = !stays;
		exchange->news += !stays;
		exchange->devices++;
	}
	if (r < 0)
		take_back(managed, exchange);
	return r;
}

static bool does_stay(const struct exchange *exchange, const struct device *device)
{
	for (size_t i = 0; i < exchange->devices; i++)
		if (device_is(&exchange->device[i], device->netns.id, device->ifindex))
			return true;
	return false;
}

static bool has_replaced(const struct managed_endpoint *endpoint, const struct exchange *exchange)
{
	for (size_t i = 0; i < endpoint->devices; i++)
		if (!does_stay(exchange, &endpoint->device[i]))
			return true;
	return false;
}

/* How it came, for the user to see. The loss of a veth may become known after what came for it. */
static void note_coming(struct managed_endpoint *endpoint, const struct exchange *exchange)
{
	uint64_t now_ns = clock_now_ns();
	const struct device *slowest = NULL;

	endpoint->changed_ns = now_ns;
	if (endpoint->has_lost || has_replaced(endpoint, exchange))
		endpoint->reattached++;
	endpoint->has_lost = false;
	for (size_t i = 0; i < exchange->devices; i++) {
		const struct device *device = &exchange->device[i];

		if (!exchange->is_new[i] || !device->appeared_ns)
			continue;
		endpoint->quarantined++;
		if (!slowest || device->guarded_ns - device->appeared_ns >
					slowest->guarded_ns - slowest->appeared_ns)
			slowest = device;
	}
	if (!slowest)
		return;
	endpoint->reattach_ns = slowest->guarded_ns - slowest->appeared_ns;
	endpoint->identify_ns = now_ns - slowest->appeared_ns;
}

static void exchange_devices(struct managed *managed, struct managed_endpoint *endpoint,
			     struct exchange *exchange)
{
	for (size_t i = 0; i < endpoint->devices; i++)
		if (!does_stay(exchange, &endpoint->device[i]))
			device_detach(&managed->tools, &endpoint->device[i]);
	if (exchange->news)
		note_coming(endpoint, exchange);
	free(endpoint->device);
	endpoint->device = TAKE_PTR(exchange->device);
	endpoint->devices = exchange->devices;
	for (size_t i = 0; i < endpoint->devices; i++)
		endpoint->had_network |= endpoint->device[i].network != 0;
	if (endpoint->width < endpoint->devices)
		endpoint->width = endpoint->devices;
}

static int attach_endpoint(struct managed *managed, const struct endpoint *from,
			   struct managed_endpoint *to)
{
	_cleanup_(exchange_done) struct exchange exchange = {};
	int r;

	r = prepare(managed, from, to, &exchange);
	if (r < 0)
		return r;
	managed_untell(managed, to);
	exchange_devices(managed, to, &exchange);
	to->is_waiting = false;
	to->netns = from->netns.id;
	if (from->id[0])
		strcpy(to->container, from->owner_id[0] ? from->owner_id : from->id);
	managed_copy_addresses(from, to);
	managed_note_networks(managed, from, to);
	r = managed_tell_addresses(managed, to);
	if (r >= 0)
		r = managed_tell_namespace(managed, to);
	if (r < 0)
		managed_drop_endpoint_devices(managed, to);
	return r;
}

void managed_tell_progress(const struct managed *managed)
{
	if (managed->with.progress)
		managed->with.progress(managed->with.ctx);
}

static const char *attach_hint(int r)
{
	if (r == -EBUSY)
		return "an ingress qdisc of somebody else stands where clsact must be";
	if (r == -EADDRINUSE)
		return "another owner of hopfault is at work there";
	if (r == -ENODEV)
		return "its interface has just gone";
	if (r == -E2BIG)
		return "work is done in as many network namespaces as can be";
	return strerror(-r);
}

int managed_attach(struct managed *managed, uint32_t id, bool *ret_new, char *ret_error)
{
	struct managed_endpoint *endpoint = managed_find_mutable(managed, id);
	_cleanup_(endpoint_freep) struct endpoint *found = NULL;
	const struct managed_endpoint *other;
	char notice[256];
	int r;

	*ret_new = false;
	if (!endpoint || !endpoint->found)
		return 0;
	found = TAKE_PTR(endpoint->found);
	other = managed_find_attached(managed, found->netns.id);
	if (other && other != endpoint) {
		snprintf(ret_error, ENDPOINT_ERROR_MAX, "%s and %s are one network namespace",
			 found->name, other->name);
		return -EINVAL;
	}
	*ret_new = endpoint->devices == 0;
	r = attach_endpoint(managed, found, endpoint);
	if (r >= 0 && managed->knows_outside)
		r = managed_tell_outside(managed);
	managed_tell_progress(managed);
	if (r >= 0 &&
	    endpoint->delay_ns) { /* what was asked of it still holds for its new devices */
		r = managed_ready_to_delay(managed, id, endpoint->delay_ns, notice);
		if (r < 0)
			managed_drop_endpoint_devices(managed, endpoint);
	}
	if (r >= 0 && endpoint->delays_outward) {
		r = managed_ready_to_delay_outward(managed, id, notice);
		if (r < 0)
			managed_drop_endpoint_devices(managed, endpoint);
	}
	if (r < 0) {
		snprintf(ret_error, ENDPOINT_ERROR_MAX, "cannot attach to %s (%s): %s", found->name,
			 found->interface[0].host.ifname, attach_hint(r));
		*ret_new = false;
		return r;
	}
	return 0;
}

void managed_detach(struct managed *managed, uint32_t id)
{
	struct managed_endpoint *endpoint = managed_find_mutable(managed, id);

	if (endpoint)
		managed_drop_endpoint_devices(managed, endpoint);
	managed_tell_progress(managed);
}

/* An interface gets its addresses after it was made. */
static bool has_same_addresses(const struct managed_endpoint *endpoint, const struct endpoint *now)
{
	struct managed_endpoint fresh = {};

	managed_copy_addresses(now, &fresh);
	if (fresh.addrs != endpoint->addrs)
		return false;
	for (size_t i = 0; i < fresh.addrs; i++)
		if (memcmp(&fresh.addr[i].addr, &endpoint->addr[i].addr, sizeof(struct hf_addr)))
			return false;
	return true;
}

static bool has_device(struct managed *managed, const struct managed_endpoint *endpoint,
		       const struct endpoint_interface *interface)
{
	const struct device *device = find_device(endpoint, interface);

	if (!device || !interface->network[0])
		return device != NULL;
	return device->network == managed_network_of(managed, endpoint, interface);
}

/* Is what is attached still what the name means? */
bool managed_is_current(struct managed *managed, const struct managed_endpoint *endpoint,
			const struct endpoint *now)
{
	if (endpoint->devices != now->interfaces || !netns_id_equal(endpoint->netns, now->netns.id))
		return false;
	for (size_t i = 0; i < now->interfaces; i++)
		if (!has_device(managed, endpoint, &now->interface[i]))
			return false;
	return has_same_addresses(endpoint, now);
}

int managed_found(struct managed *managed, uint32_t id, struct endpoint **now, char *ret_error)
{
	struct managed_endpoint *endpoint = managed_find_mutable(managed, id);
	bool is_new;

	if (!endpoint || managed_is_current(managed, endpoint, *now))
		return 0;
	managed_name_waiting(managed, endpoint, (*now)->kind, (*now)->name);
	managed_note_found(managed, endpoint, *now);
	endpoint_free(endpoint->found);
	endpoint->found = TAKE_PTR(*now);
	endpoint->has_moved = true;
	return managed_attach(managed, id, &is_new, ret_error);
}
