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

static int tell_addresses(struct managed *managed, const struct managed_endpoint *endpoint)
{
	for (size_t i = 0; i < endpoint->addrs; i++) {
		struct hf_prefix_key key = { .prefix_len = 128, .addr = endpoint->addr[i].addr };

		if (bpf_map_update_elem(map_fd(managed, PROGRAMS_ADDRESSES), &key, &endpoint->id,
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

	if (bpf_map_lookup_elem(fd, key, &told) == 0 && told == id)
		bpf_map_delete_elem(fd, key);
}

static void untell(struct managed *managed, const struct managed_endpoint *endpoint)
{
	uint32_t number = (uint32_t)endpoint->netns.ino;

	untell_key(map_fd(managed, PROGRAMS_NAMESPACES), &number, endpoint->id);
	for (size_t i = 0; i < endpoint->addrs; i++) {
		struct hf_prefix_key key = { .prefix_len = 128, .addr = endpoint->addr[i].addr };

		untell_key(map_fd(managed, PROGRAMS_ADDRESSES), &key, endpoint->id);
	}
}

/* ---- what is outside ---- */

/* Is a device before this one in the same namespace? Most are in one, and it is listed once. */
static bool is_listed_already(const struct managed *managed, const struct device *device)
{
	for (size_t i = 0; i < managed->endpoints; i++)
		for (size_t k = 0; k < managed->endpoint[i]->devices; k++) {
			const struct device *before = &managed->endpoint[i]->device[k];

			if (before == device)
				return false;
			if (netns_id_equal(before->netns.id, device->netns.id))
				return true;
		}
	return false;
}

/* Of one endpoint: the namespaces that its veths are in, and the networks of its addresses. */
static int add_outside_of(const struct managed *managed, struct outside *outside,
			  const struct managed_endpoint *endpoint)
{
	int r = 0;

	for (size_t i = 0; i < endpoint->devices && r >= 0; i++)
		if (!is_listed_already(managed, &endpoint->device[i]))
			r = outside_add_host(outside, endpoint->device[i].netns.fd);
	for (size_t i = 0; i < endpoint->addrs && r >= 0; i++)
		r = outside_add_network(outside, &endpoint->addr[i].addr,
					endpoint->addr[i].prefix_len);
	return r;
}

static int tell_outside(struct managed *managed)
{
	_cleanup_(outside_done) struct outside now = {};
	int r = 0;

	if (managed->knows_outside)
		r = outside_add_common(&now);
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

static int tell_devices(struct managed *managed, const struct managed_endpoint *endpoint)
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
		const struct managed_endpoint *endpoint = managed->endpoint[i];
		const struct device_owner owner = owner_of(endpoint);

		for (size_t k = 0; k < endpoint->devices; k++)
			if (is_in(&endpoint->device[k], host))
				device_tell(&managed->tools, &endpoint->device[k], &owner);
	}
}

/* A veth went, and with it all that was attached to it. */
static void drop_device(struct managed *managed, struct netns_id id, uint32_t ifindex)
{
	for (size_t i = 0; i < managed->endpoints; i++) {
		struct managed_endpoint *endpoint = managed->endpoint[i];

		for (size_t k = 0; k < endpoint->devices; k++) {
			if (!device_is(&endpoint->device[k], id, ifindex))
				continue;
			log_debug("%s is gone: %s", endpoint->name, endpoint->device[k].ifname);
			drop_endpoint_devices(managed, endpoint);
			return;
		}
	}
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

		for (size_t k = 0; k < endpoint->devices; k++)
			if (is_in(&endpoint->device[k], host) &&
			    device_is_gone(nl, &endpoint->device[k])) {
				drop_endpoint_devices(managed, endpoint);
				break;
			}
	}
}

static void link_news(void *ctx, const struct host *host, enum netlink_news news,
		      const struct netlink_link *link)
{
	struct managed *managed = ctx;

	if (news == NETLINK_NEWS_LOST)
		look_again(managed, host);
	else if (news == NETLINK_LINK_REMOVED)
		drop_device(managed, host_id(host), link->ifindex);
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

static int attach_endpoint(struct managed *managed, const struct endpoint *from,
			   struct managed_endpoint *to)
{
	const struct device_owner owner = owner_of(to);
	int r;

	to->device = calloc(from->interfaces, sizeof(*to->device));
	if (!to->device)
		return -ENOMEM;
	to->netns = from->netns.id;
	copy_addresses(from, to);
	r = tell_addresses(managed, to);
	if (r >= 0)
		r = tell_namespace(managed, to);
	for (size_t i = 0; r >= 0 && i < from->interfaces; i++) {
		r = device_attach(&managed->tools, &owner, &from->interface[i].host,
				  networks_number(&managed->networks, &from->interface[i]),
				  &to->device[i]);
		if (r >= 0)
			to->devices++;
	}
	if (r < 0)
		drop_endpoint_devices(managed, to);
	return r;
}

static bool has_device(const struct managed_endpoint *endpoint,
		       const struct endpoint_interface *interface)
{
	for (size_t i = 0; i < endpoint->devices; i++)
		if (device_is(&endpoint->device[i], interface->host.netns.id,
			      interface->host.ifindex))
			return true;
	return false;
}

/* Is what is attached still what the name means? */
static bool is_current(const struct managed_endpoint *endpoint, const struct endpoint *now)
{
	if (endpoint->devices != now->interfaces || !netns_id_equal(endpoint->netns, now->netns.id))
		return false;
	for (size_t i = 0; i < now->interfaces; i++)
		if (!has_device(endpoint, &now->interface[i]))
			return false;
	return true;
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
		return "its veth has just gone";
	return strerror(-r);
}

/* Takes *now over, where it is not what is attached already. */
static int take_found(struct managed *managed, struct endpoint **now,
		      const struct managed_endpoint **ret_endpoint)
{
	struct managed_endpoint *endpoint;
	int r;

	endpoint = find_attached(managed, (*now)->netns.id);
	if (!endpoint)
		endpoint = find_named(managed, (*now)->kind, (*now)->name);
	if (!endpoint) {
		r = add_named(managed, (*now)->kind, (*now)->name, &endpoint);
		if (r < 0)
			return r;
	}
	/* also of what is attached: by another name it may have told less of its networks */
	for (size_t i = 0; i < (*now)->interfaces; i++)
		networks_number(&managed->networks, &(*now)->interface[i]);
	memcpy(endpoint->left_out, (*now)->left_out, sizeof(endpoint->left_out));
	endpoint->found = endpoint_free(endpoint->found);
	if (!is_current(endpoint, *now))
		endpoint->found = TAKE_PTR(*now);
	endpoint->sockets = managed->sockets;
	endpoint->sockets.deadline_ns = 0;
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
	return r < 0 ? r : take_found(managed, &now, ret_endpoint);
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
		r = take_found(managed, &now.endpoint[i], &endpoint);
		if (r < 0)
			return r;
		id[i] = endpoint->id;
	}
	*ret_id = TAKE_PTR(id);
	*ret_count = now.count;
	return 0;
}

static struct managed_endpoint *find_mutable(const struct managed *managed, uint32_t id)
{
	for (size_t i = 0; i < managed->endpoints; i++)
		if (managed->endpoint[i]->id == id)
			return managed->endpoint[i];
	return NULL;
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
	drop_endpoint_devices(managed, endpoint);
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
	if (r < 0) {
		snprintf(ret_error, ENDPOINT_ERROR_MAX, "cannot attach to %s (%s): %s", found->name,
			 found->interface[0].host.ifname, attach_hint(r));
		return r;
	}
	*ret_new = true;
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

	while (number == 0 && *i < (found ? found->interfaces : endpoint->devices)) {
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
