/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * managed.c - see managed.h.
 */
#include "daemon/managed.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/log.h"
#include "daemon/networks.h"
#include "daemon/outside.h"

struct managed {
	struct managed_options with;
	struct hosts *hosts;
	struct device_tools tools;
	struct networks networks;
	struct outside outside; /* what is told of it */
	bool knows_outside;
	struct endpoint_sockets sockets; /* of the request that is being answered */
	struct managed_endpoint **endpoint;
	size_t endpoints;
	uint32_t next_id;
};

/* ---- maps ---- */

static int map_fd(const struct managed *managed, enum programs_map map)
{
	return programs_map_fd(managed->with.programs, map);
}

static struct device_owner owner_of(const struct managed_endpoint *endpoint)
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

static int tell_addresses(struct managed *managed, struct managed_endpoint *endpoint)
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

static int tell_namespace(struct managed *managed, const struct managed_endpoint *endpoint)
{
	uint32_t number = (uint32_t)endpoint->netns.ino;

	return bpf_map_update_elem(map_fd(managed, PROGRAMS_NAMESPACES), &number, &endpoint->id,
				   BPF_ANY) < 0
		       ? -errno
		       : 0;
}

/* An address or a namespace's number may have been given to another endpoint by now: that one keeps it. */
static void untell_key(int fd, const void *key, uint32_t id)
{
	uint32_t told;

	if (bpf_map_lookup_elem(fd, key, &told) == 0 && (told & ~HF_ADDRESS_INSIDE) == id)
		bpf_map_delete_elem(fd, key);
}

static void untell(struct managed *managed, const struct managed_endpoint *endpoint)
{
	uint32_t number = (uint32_t)endpoint->netns.ino;
	struct hf_prefix_key key;

	untell_key(map_fd(managed, PROGRAMS_NAMESPACES), &number, endpoint->id);
	for (size_t h = 0; h < endpoint->hosts; h++)
		for (size_t i = 0; i < endpoint->addrs; i++) {
			key = address_key(endpoint->host[h], &endpoint->addr[i].addr);
			untell_key(map_fd(managed, PROGRAMS_ADDRESSES), &key, endpoint->id);
		}
}

/* ---- what is outside ---- */

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

static int tell_outside(struct managed *managed)
{
	_cleanup_(outside_done) struct outside now = {};
	int r = 0;

	for (size_t i = 0; i < managed->endpoints && managed->knows_outside && r >= 0; i++)
		r = add_outside_of(managed, &now, managed->endpoint[i]);
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
	return tell_outside(managed);
}

/* ---- devices ---- */

static void drop_endpoint_devices(struct managed *managed, struct managed_endpoint *endpoint)
{
	untell(managed, endpoint);
	for (size_t i = 0; i < endpoint->devices; i++)
		device_detach(&managed->tools, &endpoint->device[i]);
	free(endpoint->device);
	endpoint->device = NULL;
	endpoint->devices = 0;
	endpoint->addrs = 0;
}

static int tell_devices(struct managed *managed, struct managed_endpoint *endpoint)
{
	const struct device_owner owner = owner_of(endpoint);
	int r = 0;

	for (size_t i = 0; i < endpoint->devices && r >= 0; i++)
		r = device_tell(&managed->tools, &endpoint->device[i], &owner);
	return r;
}

static bool is_in(const struct device *device, const struct host *host)
{
	return netns_id_equal(device->netns.id, host_id(host));
}

static void tap_changed(void *ctx, const struct host *host)
{
	struct managed *managed = ctx;

	for (size_t i = 0; i < managed->endpoints; i++) {
		struct managed_endpoint *endpoint = managed->endpoint[i];
		const struct device_owner owner = owner_of(endpoint);

		for (size_t k = 0; k < endpoint->devices; k++)
			if (is_in(&endpoint->device[k], host))
				device_tell(&managed->tools, &endpoint->device[k], &owner);
	}
}

/* ---- networks ---- */

static bool is_by_engine(const struct managed_endpoint *endpoint)
{
	return endpoint->kind == ENDPOINT_DOCKER || endpoint->kind == ENDPOINT_PODMAN;
}

/*
 * One that comes again may be seen before it has its bridge; and a bridge that nobody has seen yet may be what an engine
 * has made anew for an old network. Until that is known all its rules act there.
 */
static uint16_t network_of(struct managed *managed, const struct managed_endpoint *endpoint,
			   const struct endpoint_interface *interface)
{
	bool is_named = interface->network[0] || !is_by_engine(endpoint);

	if (endpoint->had_network && !is_named && networks_find(&managed->networks, interface) == 0)
		return HF_NETWORK_UNKNOWN;
	if (!interface->network[0] && !interface->host.master)
		return endpoint->had_network ? HF_NETWORK_UNKNOWN : 0;
	return networks_number(&managed->networks, interface);
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
static bool move_device(struct managed *managed, struct managed_endpoint *endpoint,
			struct device *device, uint32_t master)
{
	const struct device_owner owner = owner_of(endpoint);
	struct endpoint_interface interface = {};

	if (!master || device->master == master)
		return false;
	read_bridge(&interface, device, master);
	device->master = master;
	device->network = network_of(managed, endpoint, &interface);
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

	if (device && move_device(managed, endpoint, device, link->master))
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
		drop_endpoint_devices(managed, endpoint);
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
	int r = managed->knows_outside ? tell_outside(managed) : 0;

	if (r < 0)
		log_warn("what is the host's can't be told to the programs: %s", strerror(-r));
}

static void link_news(void *ctx, const struct host *host, enum netlink_news news,
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

/* ---- endpoints ---- */

static struct managed_endpoint *find_named(struct managed *managed, enum endpoint_kind kind,
					   const char *name)
{
	for (size_t i = 0; i < managed->endpoints; i++)
		if (managed->endpoint[i]->kind == kind &&
		    strcmp(managed->endpoint[i]->name, name) == 0)
			return managed->endpoint[i];
	return NULL;
}

/* A namespace has one endpoint, by whatever names it is called: a device can't be two. */
static struct managed_endpoint *find_attached(struct managed *managed, struct netns_id netns)
{
	for (size_t i = 0; i < managed->endpoints; i++)
		if (managed->endpoint[i]->devices &&
		    netns_id_equal(managed->endpoint[i]->netns, netns))
			return managed->endpoint[i];
	return NULL;
}

static int add_named(struct managed *managed, enum endpoint_kind kind, const char *name,
		     struct managed_endpoint **ret_endpoint)
{
	struct managed_endpoint **more, *endpoint;

	more = realloc(managed->endpoint, (managed->endpoints + 1) * sizeof(*more));
	if (!more)
		return -ENOMEM;
	managed->endpoint = more;
	endpoint = calloc(1, sizeof(*endpoint));
	if (!endpoint)
		return -ENOMEM;
	endpoint->id = managed->next_id++;
	endpoint->kind = kind;
	snprintf(endpoint->name, sizeof(endpoint->name), "%s", name);
	if (kind)
		snprintf(endpoint->word, sizeof(endpoint->word), "%s:%.110s",
			 endpoint_kind_word(kind), name);
	managed->endpoint[managed->endpoints++] = endpoint;
	*ret_endpoint = endpoint;
	return 0;
}

static void copy_addresses(const struct endpoint *from, struct managed_endpoint *to)
{
	to->addrs = 0;
	for (size_t i = 0; i < from->interfaces; i++)
		for (size_t k = 0; k < from->interface[i].addrs; k++)
			if (to->addrs < ENDPOINT_ADDRS_MAX)
				to->addr[to->addrs++] = from->interface[i].addr[k];
}

/* Of each address that was copied. */
static void note_networks(struct managed *managed, const struct endpoint *from,
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
	const struct device_owner owner = owner_of(to);

	*ret_device = *stays;
	if (!interface->network[0])
		return 0;
	ret_device->network = network_of(managed, to, interface);
	return device_tell(&managed->tools, ret_device, &owner);
}

static int attach(struct managed *managed, const struct endpoint *from, struct managed_endpoint *to,
		  const struct endpoint_interface *interface, struct device *ret_device)
{
	_cleanup_(netlink_closep) struct netlink *nl = NULL;
	const struct device_owner owner = owner_of(to);
	struct netlink_link link;
	int r;

	r = device_attach(&managed->tools, &owner, from, &interface->host,
			  network_of(managed, to, interface), ret_device);
	/* its bridge may have come since it was looked at, and the news of that were nobody's then */
	if (r >= 0 && !interface->host.is_inside && !interface->host.master &&
	    netlink_open(interface->host.netns.fd, &nl) >= 0 &&
	    netlink_link_by_index(nl, interface->host.ifindex, &link) >= 0)
		move_device(managed, to, ret_device, link.master);
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
	untell(managed, to);
	exchange_devices(managed, to, &exchange);
	to->is_waiting = false;
	to->netns = from->netns.id;
	if (from->id[0])
		strcpy(to->container, from->id);
	copy_addresses(from, to);
	note_networks(managed, from, to);
	r = tell_addresses(managed, to);
	if (r >= 0)
		r = tell_namespace(managed, to);
	if (r < 0)
		drop_endpoint_devices(managed, to);
	return r;
}

/* An interface gets its addresses after it was made. */
static bool has_same_addresses(const struct managed_endpoint *endpoint, const struct endpoint *now)
{
	struct managed_endpoint fresh = {};

	copy_addresses(now, &fresh);
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
	return device->network == network_of(managed, endpoint, interface);
}

/* Is what is attached still what the name means? */
static bool is_current(struct managed *managed, const struct managed_endpoint *endpoint,
		       const struct endpoint *now)
{
	if (endpoint->devices != now->interfaces || !netns_id_equal(endpoint->netns, now->netns.id))
		return false;
	for (size_t i = 0; i < now->interfaces; i++)
		if (!has_device(managed, endpoint, &now->interface[i]))
			return false;
	return has_same_addresses(endpoint, now);
}

static void tell_progress(const struct managed *managed)
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

/* It has come: from now on it is called what it is. */
static void name_waiting(struct managed_endpoint *endpoint, enum endpoint_kind kind,
			 const char *name)
{
	if (endpoint->kind)
		return;
	endpoint->kind = kind;
	snprintf(endpoint->name, sizeof(endpoint->name), "%s", name);
	snprintf(endpoint->word, sizeof(endpoint->word), "%s:%.110s", endpoint_kind_word(kind),
		 name);
}

/* Somebody waits for it by this word, or by its name. */
static struct managed_endpoint *find_waiting(struct managed *managed, const char *word,
					     const struct endpoint *now)
{
	char full[ENDPOINT_NAME_MAX + 16];

	if (endpoint_full_name(now, full, sizeof(full)) < 0)
		full[0] = '\0';
	for (size_t i = 0; i < managed->endpoints; i++) {
		struct managed_endpoint *endpoint = managed->endpoint[i];

		if (endpoint->kind ||
		    (strcmp(endpoint->word, word) != 0 && strcmp(endpoint->word, full) != 0 &&
		     strcmp(endpoint->word, now->name) != 0))
			continue;
		name_waiting(endpoint, now->kind, now->name);
		return endpoint;
	}
	return NULL;
}

/* It is asked for again where it was asked for now, whenever that will be. */
static void use_sockets(const struct managed *managed, struct managed_endpoint *endpoint)
{
	endpoint->sockets = managed->sockets;
	endpoint->sockets.deadline_ns = 0;
}

/* What is known of it beside what is attached. */
static void note_found(struct managed *managed, struct managed_endpoint *endpoint,
		       const struct endpoint *now)
{
	/* also of what is attached: by another name it may have told less of its networks */
	for (size_t i = 0; i < now->interfaces; i++)
		networks_number(&managed->networks, &now->interface[i]);
	memcpy(endpoint->left_out, now->left_out, sizeof(endpoint->left_out));
}

/* Takes *now over, where it is not what is attached already. */
static int take_found(struct managed *managed, const char *word, struct endpoint **now,
		      const struct managed_endpoint **ret_endpoint)
{
	struct managed_endpoint *endpoint;
	int r;

	endpoint = find_attached(managed, (*now)->netns.id);
	if (!endpoint)
		endpoint = find_named(managed, (*now)->kind, (*now)->name);
	if (!endpoint)
		endpoint = find_waiting(managed, word, *now);
	if (!endpoint) {
		r = add_named(managed, (*now)->kind, (*now)->name, &endpoint);
		if (r < 0)
			return r;
	}
	note_found(managed, endpoint, *now);
	endpoint->found = endpoint_free(endpoint->found);
	if (!is_current(managed, endpoint, *now))
		endpoint->found = TAKE_PTR(*now);
	use_sockets(managed, endpoint);
	*ret_endpoint = endpoint;
	return 0;
}

void managed_use_sockets(struct managed *managed, const struct endpoint_sockets *sockets)
{
	managed->sockets = *sockets;
}

int managed_take(struct managed *managed, const char *word,
		 const struct managed_endpoint **ret_endpoint, char *ret_error)
{
	_cleanup_(endpoint_freep) struct endpoint *now = NULL;
	int r;

	r = endpoint_resolve_at(&managed->sockets, word, &now, ret_error);
	tell_progress(managed);
	return r < 0 ? r : take_found(managed, word, &now, ret_endpoint);
}

int managed_take_all(struct managed *managed, const char *word, uint32_t **ret_id,
		     size_t *ret_count, char *ret_error)
{
	_cleanup_(endpoint_list_free) struct endpoint_list now = { 0 };
	const struct managed_endpoint *endpoint;
	_cleanup_(freep) uint32_t *id = NULL;
	int r;

	r = endpoint_select_at(&managed->sockets, word, &now, ret_error);
	tell_progress(managed);
	if (r < 0)
		return r;
	id = calloc(now.count, sizeof(*id));
	if (!id)
		return -ENOMEM;
	for (size_t i = 0; i < now.count; i++) {
		r = take_found(managed, word, &now.endpoint[i], &endpoint);
		if (r < 0)
			return r;
		id[i] = endpoint->id;
	}
	*ret_id = TAKE_PTR(id);
	*ret_count = now.count;
	return 0;
}

/* Ids are given one after the other, and nobody is ever taken off the list. */
size_t managed_place(const struct managed *managed, uint32_t id)
{
	size_t place = (size_t)id - HF_ENDPOINT_FIRST;

	return id >= HF_ENDPOINT_FIRST && place < managed->endpoints ? place : managed->endpoints;
}

static struct managed_endpoint *find_mutable(const struct managed *managed, uint32_t id)
{
	size_t place = managed_place(managed, id);

	return place < managed->endpoints ? managed->endpoint[place] : NULL;
}

/* One that is down, by the name that it had, or one that waits already. */
static struct managed_endpoint *find_absent(struct managed *managed, const char *word)
{
	for (size_t i = 0; i < managed->endpoints; i++) {
		struct managed_endpoint *endpoint = managed->endpoint[i];

		if (endpoint->devices == 0 &&
		    (strcmp(endpoint->word, word) == 0 || strcmp(endpoint->name, word) == 0))
			return endpoint;
	}
	return NULL;
}

int managed_await(struct managed *managed, const char *word,
		  const struct managed_endpoint **ret_endpoint, char *ret_error)
{
	struct managed_endpoint *endpoint = find_absent(managed, word);
	int r;

	if (!endpoint && !endpoint_name_is_valid(word)) {
		snprintf(ret_error, ENDPOINT_ERROR_MAX, "not a name that can be waited for");
		return -EINVAL;
	}
	if (!endpoint) {
		r = add_named(managed, 0, word, &endpoint);
		if (r < 0)
			return r;
		snprintf(endpoint->word, sizeof(endpoint->word), "%s", word);
		endpoint->is_waiting = true;
	}
	use_sockets(managed, endpoint);
	*ret_endpoint = endpoint;
	return 0;
}

int managed_found(struct managed *managed, uint32_t id, struct endpoint **now, char *ret_error)
{
	struct managed_endpoint *endpoint = find_mutable(managed, id);
	bool is_new;

	if (!endpoint || is_current(managed, endpoint, *now))
		return 0;
	name_waiting(endpoint, (*now)->kind, (*now)->name);
	note_found(managed, endpoint, *now);
	endpoint_free(endpoint->found);
	endpoint->found = TAKE_PTR(*now);
	endpoint->has_moved = true;
	return managed_attach(managed, id, &is_new, ret_error);
}

bool managed_is_absent(const struct managed *managed, uint32_t id)
{
	const struct managed_endpoint *endpoint = find_mutable(managed, id);

	return endpoint && endpoint->devices == 0 && !endpoint->found;
}

bool managed_is_unclear(const struct managed_endpoint *endpoint)
{
	for (size_t i = 0; i < endpoint->devices; i++)
		if (endpoint->device[i].network == HF_NETWORK_UNKNOWN)
			return true;
	return false;
}

struct hosts *managed_hosts(struct managed *managed)
{
	return managed->hosts;
}

int managed_attach(struct managed *managed, uint32_t id, bool *ret_new, char *ret_error)
{
	struct managed_endpoint *endpoint = find_mutable(managed, id);
	_cleanup_(endpoint_freep) struct endpoint *found = NULL;
	const struct managed_endpoint *other;
	char notice[256];
	int r;

	*ret_new = false;
	if (!endpoint || !endpoint->found)
		return 0;
	found = TAKE_PTR(endpoint->found);
	other = find_attached(managed, found->netns.id);
	if (other && other != endpoint) {
		snprintf(ret_error, ENDPOINT_ERROR_MAX, "%s and %s are one network namespace",
			 found->name, other->name);
		return -EINVAL;
	}
	*ret_new = endpoint->devices == 0;
	r = attach_endpoint(managed, found, endpoint);
	if (r >= 0 && managed->knows_outside)
		r = tell_outside(managed);
	tell_progress(managed);
	if (r >= 0 &&
	    endpoint->delay_ns) { /* what was asked of it still holds for its new devices */
		r = managed_ready_to_delay(managed, id, endpoint->delay_ns, notice);
		if (r < 0)
			drop_endpoint_devices(managed, endpoint);
	}
	if (r >= 0 && endpoint->delays_outward) {
		r = managed_ready_to_delay_outward(managed, id, notice);
		if (r < 0)
			drop_endpoint_devices(managed, endpoint);
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
	struct managed_endpoint *endpoint = find_mutable(managed, id);

	if (endpoint)
		drop_endpoint_devices(managed, endpoint);
	tell_progress(managed);
}

void managed_let_go(struct managed *managed)
{
	for (size_t i = 0; i < managed->endpoints; i++)
		managed->endpoint[i]->found = endpoint_free(managed->endpoint[i]->found);
}

const struct managed_endpoint *managed_find(const struct managed *managed, uint32_t id)
{
	return find_mutable(managed, id);
}

const char *managed_name(const struct managed *managed, uint32_t id)
{
	const struct managed_endpoint *endpoint = managed_find(managed, id);
	const char *reserved = endpoint_reserved_name(id);

	return endpoint ? endpoint->name : reserved ? reserved : "?";
}

/* The i-th network that it is on, or will be when it is attached; 0: there are no more. Those without a number are passed over. */
static uint16_t network_at(struct managed *managed, const struct managed_endpoint *endpoint,
			   size_t *i)
{
	const struct endpoint *found = endpoint->found;
	uint16_t number = 0;

	while ((number == 0 || number == HF_NETWORK_UNKNOWN) &&
	       *i < (found ? found->interfaces : endpoint->devices)) {
		number = found ? networks_number(&managed->networks, &found->interface[*i])
			       : endpoint->device[*i].network;
		(*i)++;
	}
	return number;
}

uint16_t managed_network(struct managed *managed, uint32_t id, const char *name)
{
	const struct managed_endpoint *endpoint = find_mutable(managed, id);
	uint16_t number;
	size_t i = 0;

	while (endpoint && (number = network_at(managed, endpoint, &i)))
		if (networks_is_called(&managed->networks, number, name))
			return number;
	return 0;
}

static bool is_address(const struct endpoint_addr *one, const struct hf_addr *other)
{
	return memcmp(&one->addr, other, sizeof(*other)) == 0;
}

uint32_t managed_at_address(const struct managed *managed, const struct hf_addr *addr)
{
	uint32_t found = HF_ENDPOINT_WORLD;

	for (size_t i = 0; i < managed->endpoints; i++) {
		const struct managed_endpoint *endpoint = managed->endpoint[i];

		for (size_t k = 0; k < endpoint->addrs; k++) {
			if (!is_address(&endpoint->addr[k], addr))
				continue;
			if (endpoint->traced)
				return endpoint->id;
			found = endpoint->id;
		}
	}
	return found;
}

bool managed_address_network(struct managed *managed, uint32_t id, const struct hf_addr *addr,
			     uint16_t *ret_network)
{
	struct managed_endpoint *endpoint = find_mutable(managed, id), will = {};

	if (endpoint && endpoint->found) {
		copy_addresses(endpoint->found, &will);
		note_networks(managed, endpoint->found, &will);
		endpoint = &will;
	}
	for (size_t i = 0; endpoint && i < endpoint->addrs; i++)
		if (is_address(&endpoint->addr[i], addr)) {
			if (ret_network)
				*ret_network = endpoint->addr_network[i];
			return true;
		}
	return false;
}

void managed_networks_text(struct managed *managed, uint32_t id, char *text, size_t size)
{
	const struct managed_endpoint *endpoint = find_mutable(managed, id);
	size_t used = 0, i = 0;
	uint16_t number;

	snprintf(text, size, "none that has a name");
	while (endpoint && used < size && (number = network_at(managed, endpoint, &i)))
		used += (size_t)snprintf(text + used, size - used, "%s%s", used ? ", " : "",
					 networks_name(&managed->networks, number));
}

/* Has it an interface that is worked on inside, or one that is not? As it was found last, else as it is attached. */
bool managed_has(const struct managed *managed, uint32_t id, bool inside)
{
	const struct managed_endpoint *endpoint = find_mutable(managed, id);

	if (!endpoint)
		return false;
	for (size_t i = 0; endpoint->found && i < endpoint->found->interfaces; i++)
		if (endpoint->found->interface[i].host.is_inside == inside)
			return true;
	for (size_t i = 0; !endpoint->found && i < endpoint->devices; i++)
		if (endpoint->device[i].is_inside == inside)
			return true;
	return false;
}

size_t managed_count(const struct managed *managed)
{
	return managed->endpoints;
}

const struct managed_endpoint *managed_at(const struct managed *managed, size_t i)
{
	return managed->endpoint[i];
}

/* ---- what is asked of its devices ---- */

int managed_ready_to_delay(struct managed *managed, uint32_t id, uint64_t delay_ns,
			   char *ret_notice)
{
	struct managed_endpoint *endpoint = find_mutable(managed, id);
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
	struct managed_endpoint *endpoint = find_mutable(managed, id);
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
	struct managed_endpoint *endpoint = find_mutable(managed, id);

	if (!endpoint)
		return -ENOENT;
	endpoint->traced = traced;
	return tell_devices(managed, endpoint);
}

int managed_set_outward(struct managed *managed, uint32_t id, bool outward)
{
	struct managed_endpoint *endpoint = find_mutable(managed, id);
	bool some = false;

	if (!endpoint)
		return -ENOENT;
	endpoint->outward = outward;
	for (size_t i = 0; i < managed->endpoints; i++)
		some = some || managed->endpoint[i]->outward;
	programs_config(managed->with.programs)->outward = some;
	return tell_devices(managed, endpoint);
}

/* ---- life ---- */

int managed_new(const struct managed_options *options, struct managed **ret_managed)
{
	struct managed *managed = calloc(1, sizeof(*managed));
	int r;

	if (!managed)
		return -ENOMEM;
	managed->with = *options;
	managed->next_id = HF_ENDPOINT_FIRST;
	r = hosts_new(
		&(struct hosts_options){
			.programs = options->programs,
			.hold = options->hold,
			.loop = options->loop,
			.news = link_news,
			.tap_changed = tap_changed,
			.ctx = managed,
		},
		&managed->hosts);
	if (r < 0) {
		free(managed);
		return r;
	}
	managed->tools = (struct device_tools){
		.programs = options->programs,
		.hosts = managed->hosts,
		.guard = options->guard,
		.engine = options->engine,
	};
	*ret_managed = managed;
	return 0;
}

void managed_free(struct managed *managed)
{
	if (!managed)
		return;
	for (size_t i = 0; i < managed->endpoints; i++) {
		drop_endpoint_devices(managed, managed->endpoint[i]);
		endpoint_free(managed->endpoint[i]->found);
		free(managed->endpoint[i]);
	}
	free(managed->endpoint);
	networks_done(&managed->networks);
	outside_done(&managed->outside);
	hosts_free(managed->hosts);
	free(managed);
}
