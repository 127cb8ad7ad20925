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
#include <sys/epoll.h>

#include "base/cleanup.h"
#include "base/log.h"
#include "daemon/residue.h"
#include "link/qdisc.h"

#define HOSTS_MAX 64

/* A namespace in which managed devices lie. */
struct host {
	struct netns netns; /* fd -1: free place */
	uint32_t tap; /* ifindex; 0: the hold engine does not serve it */
	size_t devices;
	struct netlink_watch *watch;
	bool is_reading; /* the watch is in use: it can't be closed now */
	struct managed *managed;
};

struct managed {
	struct managed_options with;
	struct managed_endpoint **endpoint;
	size_t endpoints;
	uint32_t next_id;
	struct host host[HOSTS_MAX];
};

static void device_gone(enum netlink_news news, const struct netlink_link *link, void *user);

/* ---- namespaces ---- */

static struct host *find_host(struct managed *managed, struct netns_id id)
{
	for (size_t i = 0; i < HOSTS_MAX; i++)
		if (managed->host[i].netns.fd >= 0 && netns_id_equal(managed->host[i].netns.id, id))
			return &managed->host[i];
	return NULL;
}

static void close_host(struct managed *managed, struct host *host)
{
	if (host->tap)
		hold_remove_netns(managed->with.hold, host->netns.fd);
	programs_forget_netns(managed->with.programs, &host->netns);
	loop_unwatch(managed->with.loop, netlink_watch_fd(host->watch));
	netlink_watch_close(host->watch);
	netns_close(&host->netns);
	*host = (struct host){ .netns = NETNS_NONE };
}

static void read_news(void *ctx, uint32_t events)
{
	struct host *host = ctx;

	host->is_reading = true;
	netlink_watch_read(host->watch);
	host->is_reading = false;
	if (host->devices == 0)
		close_host(host->managed, host);
}

static int open_host(struct managed *managed, struct host *host, const struct netns *netns)
{
	int r;

	r = netns_dup(netns, &host->netns);
	if (r < 0)
		return r;
	host->managed = managed;
	r = netlink_watch_open(netns->fd, device_gone, host, &host->watch);
	if (r >= 0)
		r = loop_watch(managed->with.loop, netlink_watch_fd(host->watch), EPOLLIN,
			       read_news, host);
	if (r >= 0)
		return 0;
	netlink_watch_closep(&host->watch);
	netns_close(&host->netns);
	return r;
}

static int take_host(struct managed *managed, const struct netns *netns, struct host **ret_host)
{
	struct host *host = find_host(managed, netns->id);
	int r;

	for (size_t i = 0; !host && i < HOSTS_MAX; i++) {
		if (managed->host[i].netns.fd >= 0)
			continue;
		r = open_host(managed, &managed->host[i], netns);
		if (r < 0)
			return r;
		host = &managed->host[i];
	}
	if (!host)
		return -E2BIG;
	host->devices++;
	*ret_host = host;
	return 0;
}

/* The last device has gone: let the namespace go as well, so that it can die. */
static void leave_host(struct managed *managed, struct netns_id id)
{
	struct host *host = find_host(managed, id);

	if (host && --host->devices == 0 && !host->is_reading)
		close_host(managed, host);
}

/* ---- maps ---- */

static int map_fd(const struct managed *managed, enum programs_map map)
{
	return programs_map_fd(managed->with.programs, map);
}

static struct hf_device_key device_key(const struct managed_device *device)
{
	return (struct hf_device_key){
		.netns = programs_netns_number(&device->netns),
		.ifindex = device->ifindex,
	};
}

static int tell_device(struct managed *managed, const struct managed_endpoint *endpoint,
		       const struct managed_device *device)
{
	struct hf_device_key key = device_key(device);
	const struct host *host = find_host(managed, device->netns.id);
	struct hf_device value = {
		.endpoint = endpoint->id,
		.engine = device->engine,
		.hold_ifindex = host ? host->tap : 0,
		.traced = endpoint->traced,
	};

	return bpf_map_update_elem(map_fd(managed, PROGRAMS_DEVICES), &key, &value, BPF_ANY) < 0
		       ? -errno
		       : 0;
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

/* ---- devices ---- */

static void remove_fq(struct managed_device *device)
{
	_cleanup_(netlink_closep) struct netlink *nl = NULL;

	if (!device->fq_handle || netlink_open(device->netns.fd, &nl) < 0)
		return;
	qdisc_remove_fq(nl, device->ifindex, device->fq_handle);
	device->fq_handle = 0;
}

static void detach_device(struct managed *managed, struct managed_device *device)
{
	struct hf_device_key key = device_key(device);

	/* in reverse: the hook that made the clsact takes it away, when it is empty */
	for (int hook = CLSACT_HOOKS - 1; hook >= 0; hook--)
		programs_detach(&device->netns, device->ifindex, (enum clsact_hook)hook,
				&device->hook[hook]);
	remove_fq(device);
	residue_forget(&device->netns, device->ifindex);
	bpf_map_delete_elem(map_fd(managed, PROGRAMS_DEVICES), &key);
	leave_host(managed, device->netns.id);
	netns_close(&device->netns);
}

/* The fq's clone trick needs a clsact filter at the egress, also where TCX is to be had. */
static int attach_hooks(struct managed *managed, struct managed_device *device)
{
	int r = 0;

	for (enum clsact_hook hook = 0; hook < CLSACT_HOOKS && r >= 0; hook++)
		r = programs_attach(managed->with.programs, &device->netns, device->ifindex, hook,
				    hook == CLSACT_EGRESS && device->engine == HF_ENGINE_FQ,
				    &device->hook[hook]);
	if (r >= 0)
		r = residue_record(&device->netns, device->ifindex, device->hook,
				   device->fq_handle);
	return r;
}

static int attach_device(struct managed *managed, const struct managed_endpoint *endpoint,
			 const struct endpoint_host_side *side, struct managed_device *device)
{
	struct host *host;
	int r;

	*device = (struct managed_device){
		.netns = NETNS_NONE,
		.ifindex = side->ifindex,
		.engine = managed->with.engine,
		.hook = { { .link_fd = -1 }, { .link_fd = -1 } },
	};
	memcpy(device->ifname, side->ifname, sizeof(device->ifname));
	r = take_host(managed, &side->netns, &host);
	if (r < 0)
		return r;
	r = netns_dup(&side->netns, &device->netns);
	if (r < 0) {
		leave_host(managed, side->netns.id);
		return r;
	}
	r = tell_device(managed, endpoint, device);
	if (r >= 0)
		r = attach_hooks(managed, device);
	if (r < 0)
		detach_device(managed, device);
	return r;
}

static void drop_endpoint_devices(struct managed *managed, struct managed_endpoint *endpoint)
{
	untell(managed, endpoint);
	for (size_t i = 0; i < endpoint->devices; i++)
		detach_device(managed, &endpoint->device[i]);
	free(endpoint->device);
	endpoint->device = NULL;
	endpoint->devices = 0;
	endpoint->addrs = 0;
}

static void tell_host_devices(struct managed *managed, const struct host *host)
{
	for (size_t i = 0; i < managed->endpoints; i++)
		for (size_t k = 0; k < managed->endpoint[i]->devices; k++)
			if (netns_id_equal(managed->endpoint[i]->device[k].netns.id,
					   host->netns.id))
				tell_device(managed, managed->endpoint[i],
					    &managed->endpoint[i]->device[k]);
}

/* Somebody deleted our TAP. Until there is another, packets pass undelayed rather than get lost. */
static void tap_gone(struct managed *managed, struct host *host)
{
	log_warn("the hold engine's TAP was deleted; making another");
	host->tap = 0;
	tell_host_devices(managed, host);
	hold_remove_netns(managed->with.hold, host->netns.fd);
	if (hold_add_netns(managed->with.hold, host->netns.fd, &host->tap) < 0)
		log_warn("it could not be made: delays are off in that namespace");
	tell_host_devices(managed, host);
}

/* A veth went, and with it all that was attached to it. */
static void drop_device(struct managed *managed, struct netns_id id, uint32_t ifindex)
{
	for (size_t i = 0; i < managed->endpoints; i++) {
		struct managed_endpoint *endpoint = managed->endpoint[i];

		for (size_t k = 0; k < endpoint->devices; k++) {
			if (endpoint->device[k].ifindex != ifindex ||
			    !netns_id_equal(endpoint->device[k].netns.id, id))
				continue;
			log_debug("%s is gone: %s", endpoint->name, endpoint->device[k].ifname);
			drop_endpoint_devices(managed, endpoint);
			return;
		}
	}
}

static bool device_is_gone(struct netlink *nl, const struct managed_device *device)
{
	struct netlink_link link;

	return netlink_link_by_index(nl, device->ifindex, &link) == -ENODEV;
}

/* News were lost: whatever stands on our list is looked for. */
static void look_again(struct managed *managed, struct host *host)
{
	_cleanup_(netlink_closep) struct netlink *nl = NULL;
	struct netlink_link link;

	if (netlink_open(host->netns.fd, &nl) < 0)
		return;
	if (host->tap && netlink_link_by_index(nl, host->tap, &link) == -ENODEV)
		tap_gone(managed, host);
	for (size_t i = 0; i < managed->endpoints; i++) {
		struct managed_endpoint *endpoint = managed->endpoint[i];

		for (size_t k = 0; k < endpoint->devices; k++)
			if (netns_id_equal(endpoint->device[k].netns.id, host->netns.id) &&
			    device_is_gone(nl, &endpoint->device[k])) {
				drop_endpoint_devices(managed, endpoint);
				break;
			}
	}
}

/* Somebody set it down: what is redirected to it would be lost. */
static void tap_changed(struct host *host, const struct netlink_link *link)
{
	_cleanup_(netlink_closep) struct netlink *nl = NULL;

	if (link->flags & IFF_UP)
		return;
	log_warn("the hold engine's TAP was set down; setting it up again");
	if (netlink_open(host->netns.fd, &nl) < 0 || netlink_set_up(nl, host->tap, true) < 0)
		log_warn("it could not be set up");
}

static void device_gone(enum netlink_news news, const struct netlink_link *link, void *user)
{
	struct host *host = user;
	struct managed *managed = host->managed;

	if (news == NETLINK_NEWS_LOST)
		look_again(managed, host);
	else if (news == NETLINK_LINK_NEW && host->tap && host->tap == link->ifindex)
		tap_changed(host, link);
	else if (news == NETLINK_LINK_REMOVED && host->tap && host->tap == link->ifindex)
		tap_gone(managed, host);
	else if (news == NETLINK_LINK_REMOVED)
		drop_device(managed, host->netns.id, link->ifindex);
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
		r = attach_device(managed, to, &from->interface[i].host, &to->device[i]);
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
		if (endpoint->device[i].ifindex == interface->host.ifindex &&
		    netns_id_equal(endpoint->device[i].netns.id, interface->host.netns.id))
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
	endpoint->found = endpoint_free(endpoint->found);
	if (!is_current(endpoint, *now))
		endpoint->found = TAKE_PTR(*now);
	*ret_endpoint = endpoint;
	return 0;
}

int managed_take(struct managed *managed, const char *word,
		 const struct managed_endpoint **ret_endpoint, char *ret_error)
{
	_cleanup_(endpoint_freep) struct endpoint *now = NULL;
	int r;

	r = endpoint_resolve(word, &now, ret_error);
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

	r = endpoint_select(word, &now, ret_error);
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

	return endpoint ? endpoint->name : id == HF_ENDPOINT_WORLD ? "world" : "?";
}

size_t managed_count(const struct managed *managed)
{
	return managed->endpoints;
}

const struct managed_endpoint *managed_at(const struct managed *managed, size_t i)
{
	return managed->endpoint[i];
}

/* ---- delay engines ---- */

static int ready_hold(struct managed *managed, struct managed_device *device)
{
	struct host *host = find_host(managed, device->netns.id);

	device->engine = HF_ENGINE_HOLD;
	if (!managed->with.hold)
		return -EOPNOTSUPP;
	if (!host || host->tap)
		return 0;
	return hold_add_netns(managed->with.hold, host->netns.fd, &host->tap);
}

static int ready_fq(struct managed *managed, struct managed_device *device, uint64_t delay_ns,
		    char *ret_notice)
{
	const struct qdisc_fq_need need = { .delay_ns = delay_ns };
	_cleanup_(netlink_closep) struct netlink *nl = NULL;
	struct qdisc_root found = {};
	int r;

	if (device->fq_handle && device->fq_delay_ns >= delay_ns)
		return 0;
	r = netlink_open(device->netns.fd, &nl);
	if (r < 0)
		return r;
	if (device->fq_handle)
		r = qdisc_resize_fq(nl, device->ifindex, device->fq_handle, &need);
	else
		r = qdisc_install_fq(nl, device->ifindex, &need, &found, &device->fq_handle);
	if (r == -EBUSY) {
		snprintf(ret_notice, 256,
			 "%s has a qdisc of its own (%s): the hold engine delays there",
			 device->ifname, found.kind);
		return ready_hold(managed, device);
	}
	if (r < 0)
		return r;
	device->fq_delay_ns = delay_ns;
	r = residue_record(&device->netns, device->ifindex, device->hook, device->fq_handle);
	return r < 0 ? r : programs_watch_fq(managed->with.programs);
}

int managed_ready_to_delay(struct managed *managed, uint32_t id, uint64_t delay_ns,
			   char *ret_notice)
{
	struct managed_endpoint *endpoint = find_mutable(managed, id);
	int r = 0;

	for (size_t i = 0; endpoint && i < endpoint->devices && r >= 0; i++) {
		struct managed_device *device = &endpoint->device[i];

		if (device->engine == HF_ENGINE_FQ)
			r = ready_fq(managed, device, delay_ns, ret_notice);
		else if (device->engine == HF_ENGINE_HOLD)
			r = ready_hold(managed, device);
		else
			r = -EOPNOTSUPP;
		if (r >= 0)
			r = tell_device(managed, endpoint, device);
	}
	if (endpoint && r >= 0 && endpoint->delay_ns < delay_ns)
		endpoint->delay_ns = delay_ns;
	return r;
}

int managed_set_traced(struct managed *managed, uint32_t id, bool traced)
{
	struct managed_endpoint *endpoint = find_mutable(managed, id);
	int r = 0;

	if (!endpoint)
		return -ENOENT;
	endpoint->traced = traced;
	for (size_t i = 0; i < endpoint->devices && r >= 0; i++)
		r = tell_device(managed, endpoint, &endpoint->device[i]);
	return r;
}

/* ---- life ---- */

int managed_new(const struct managed_options *options, struct managed **ret_managed)
{
	struct managed *managed = calloc(1, sizeof(*managed));

	if (!managed)
		return -ENOMEM;
	managed->with = *options;
	managed->next_id = HF_ENDPOINT_FIRST;
	for (size_t i = 0; i < HOSTS_MAX; i++)
		managed->host[i].netns = NETNS_NONE;
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
	free(managed);
}
