/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * device.c - see device.h.
 */
#include "daemon/device.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "daemon/residue.h"
#include "link/qdisc.h"

static struct hf_device_key device_key(const struct device *device)
{
	return (struct hf_device_key){
		.netns = programs_netns_number(&device->netns),
		.ifindex = device->ifindex,
	};
}

bool device_is(const struct device *device, struct netns_id netns, uint32_t ifindex)
{
	return device->ifindex == ifindex && netns_id_equal(device->netns.id, netns);
}

static int tell(const struct device_tools *tools, const struct device *device,
		const struct device_owner *owner)
{
	struct hf_device_key key = device_key(device);
	struct hf_device value = {
		.endpoint = owner->endpoint,
		.engine = device->engine,
		.traced = owner->traced,
		.inside = device->is_inside,
		.outward = owner->outward,
		.network = device->network,
	};
	int r;

	if (device->is_inside)
		value.below = programs_netns_number(&device->below);
	else
		value.hold_ifindex = hosts_tap(tools->hosts, device->netns.id);
	r = devices_put(programs_devices(tools->programs), &key, &value);
	if (r < 0)
		return r;
	programs_told(tools->programs);
	return 0;
}

/* ---- inside ---- */

/* Keeps what it is, without keeping it alive. */
static void let_go(struct netns *netns)
{
	struct netns_id id = netns->id;

	netns_close(netns);
	netns->id = id;
}

static void reopen(struct device *device)
{
	struct netns_id id = device->netns.id;
	struct netns netns = NETNS_NONE;
	int r;

	if (device->netns.fd >= 0)
		return;
	r = device->netns_name[0] ? netns_open_name(device->netns_name, &netns)
				  : netns_open_pid(device->pid, device->start_time, &netns);
	if (r < 0)
		return;
	if (netns_id_equal(netns.id, id))
		device->netns = netns;
	else
		netns_close(&netns);
}

static bool is_listed(struct device device)
{
	_cleanup_(netlink_closep) struct netlink *nl = NULL;
	struct netlink_link link;
	bool is_there;

	reopen(&device);
	is_there = device.netns.fd >= 0 && netlink_open(device.netns.fd, &nl) >= 0 &&
		   netlink_link_by_index(nl, device.ifindex, &link) != -ENODEV;
	let_go(&device.netns);
	return is_there;
}

bool device_is_there(const struct device *device)
{
	const struct attachment *hook = &device->hook[CLSACT_INGRESS];

	return hook->link_fd >= 0 ? programs_is_attached(hook) : is_listed(*device);
}

const struct netns *device_host(const struct device *device)
{
	return device->is_inside ? &device->below : &device->netns;
}

static void note_way_inside(struct device *device, const struct endpoint *endpoint)
{
	device->pid = endpoint->pid;
	device->start_time = endpoint->start_time;
	if (endpoint->kind == ENDPOINT_NETNS)
		snprintf(device->netns_name, sizeof(device->netns_name), "%.*s", NETNS_NAME_MAX,
			 endpoint->name);
}

static void remove_fq(struct device *device)
{
	_cleanup_(netlink_closep) struct netlink *nl = NULL;

	if (!device->fq_handle || netlink_open(device->netns.fd, &nl) < 0)
		return;
	qdisc_remove_fq(nl, device->ifindex, device->fq_handle);
	device->fq_handle = 0;
}

void device_detach(const struct device_tools *tools, struct device *device)
{
	struct hf_device_key key = device_key(device);

	/* first, so that no packet is marked any more which a program that has gone would not know again */
	devices_remove(programs_devices(tools->programs), &key);
	programs_told(tools->programs);
	if (device->is_inside && device->hook[CLSACT_INGRESS].link_fd < 0)
		reopen(device); /* for filters; where the namespace has gone, so have they */
	/* in reverse: the hook that made the clsact takes it away, when it is empty */
	for (int hook = CLSACT_HOOKS - 1; hook >= 0; hook--)
		programs_detach(&device->netns, device->ifindex, (enum clsact_hook)hook,
				&device->hook[hook]);
	remove_fq(device);
	residue_forget(&device->netns, device->ifindex);
	if (device->is_inside)
		programs_forget_netns(tools->programs, &device->netns);
	else
		hosts_leave(tools->hosts, device->netns.id);
	netns_close(&device->netns);
	netns_close(&device->below);
}

/* The fq's clone trick needs a clsact filter at the egress, also where TCX is to be had. */
static bool needs_clsact(const struct device *device, enum clsact_hook hook)
{
	return hook == CLSACT_EGRESS && device->engine == HF_ENGINE_FQ;
}

/* Hooks are taken away in reverse, and the clsact with the last: the guard attaches in another order than we do. */
static void let_ingress_have_clsact(struct device *device)
{
	struct attachment *enter = &device->hook[CLSACT_EGRESS];
	struct attachment *leave = &device->hook[CLSACT_INGRESS];

	if (!enter->made_clsact || !leave->is_attached || leave->link_fd >= 0)
		return;
	enter->made_clsact = false;
	leave->made_clsact = true;
}

/*
 * What leaves is looked at for a trace and for rules towards what has no device. Else that hook would cost its attachment,
 * which waits for a grace period of the kernel's, and nothing would ask it. Inside, both come at once: the namespace is let go.
 */
static bool is_needed(const struct device *device, enum clsact_hook hook,
		      const struct device_owner *owner)
{
	return hook == CLSACT_EGRESS || device->is_inside || owner->traced || owner->outward;
}

static int attach_hook(const struct device_tools *tools, struct device *device,
		       enum clsact_hook hook)
{
	if (device->is_inside)
		return programs_attach_inside(tools->programs, &device->netns, device->ifindex,
					      hook, &device->hook[hook]);
	return programs_attach(tools->programs, &device->netns, device->ifindex, hook,
			       needs_clsact(device, hook), &device->hook[hook]);
}

/* Those that are needed and not there. */
static int attach_hooks(const struct device_tools *tools, struct device *device,
			const struct device_owner *owner)
{
	bool any_new = false;
	int r = 0;

	for (enum clsact_hook hook = 0; hook < CLSACT_HOOKS && r >= 0; hook++) {
		if (device->hook[hook].is_attached || !is_needed(device, hook, owner))
			continue;
		r = attach_hook(tools, device, hook);
		any_new = true;
	}
	if (r < 0 || !any_new)
		return r;
	let_ingress_have_clsact(device);
	return residue_record(&device->netns, device->ifindex, device->hook, device->fq_handle);
}

int device_tell(const struct device_tools *tools, struct device *device,
		const struct device_owner *owner)
{
	int r = device->is_inside ? 0 : attach_hooks(tools, device, owner);

	return r < 0 ? r : tell(tools, device, owner);
}

static int take_place(const struct device_tools *tools, const struct endpoint_host_side *side,
		      struct device *device)
{
	int r = side->is_inside ? 0 : hosts_take(tools->hosts, &side->netns);

	if (r < 0)
		return r;
	r = netns_dup(&side->netns, &device->netns);
	if (r >= 0 && side->below.fd >= 0)
		r = netns_dup(&side->below, &device->below);
	if (r >= 0)
		return 0;
	netns_close(&device->netns);
	if (!side->is_inside)
		hosts_leave(tools->hosts, side->netns.id);
	return r;
}

/* The guard's program goes on until ours is there, where it can't be ours. */
static int adopt(const struct device_tools *tools, struct device *device,
		 const struct device_owner *owner)
{
	struct attachment guards = { .link_fd = -1 };
	struct guard_adoption adoption;
	int r;

	if (!guard_adopt(tools->guard, device->netns.id, device->ifindex, &adoption)) {
		r = attach_hooks(tools, device, owner);
		device->guarded_ns = clock_now_ns();
		return r;
	}
	for (enum clsact_hook at = 0; at < CLSACT_HOOKS; at++)
		if (needs_clsact(device, at) && adoption.hook[at].link_fd >= 0)
			guards = adoption.hook[at]; /* there is one such hook */
		else if (adoption.hook[at].is_attached)
			device->hook[at] = adoption.hook[at];
	r = tell(tools, device, owner); /* the guard may have written its own row meanwhile */
	if (r >= 0)
		r = attach_hooks(tools, device, owner);
	let_ingress_have_clsact(device);
	device->appeared_ns = adoption.seen_ns;
	device->guarded_ns = adoption.program_ns ? adoption.program_ns : clock_now_ns();
	programs_detach(&device->netns, device->ifindex, CLSACT_EGRESS, &guards);
	return r;
}

int device_attach(const struct device_tools *tools, const struct device_owner *owner,
		  const struct endpoint *endpoint, const struct endpoint_host_side *side,
		  uint16_t network, struct device *ret_device)
{
	struct device device = {
		.netns = NETNS_NONE,
		.below = NETNS_NONE,
		.is_inside = side->is_inside,
		.ifindex = side->ifindex,
		.master = side->master,
		.engine = side->is_inside ? HF_ENGINE_NONE : tools->engine,
		.network = network,
		.hook = { { .link_fd = -1 }, { .link_fd = -1 } },
	};
	int r;

	memcpy(device.ifname, side->ifname, sizeof(device.ifname));
	note_way_inside(&device, endpoint);
	r = take_place(tools, side, &device);
	if (r < 0)
		return r;
	r = tell(tools, &device, owner);
	if (r >= 0)
		r = adopt(tools, &device, owner);
	if (r < 0) {
		device_detach(tools, &device);
		return r;
	}
	if (device.is_inside)
		let_go(&device.netns);
	*ret_device = device;
	return 0;
}

/* ---- delay engines ---- */

static int ready_hold(const struct device_tools *tools, struct device *device)
{
	device->engine = HF_ENGINE_HOLD;
	return hosts_ready_tap(tools->hosts, device->netns.id);
}

static int ready_fq(const struct device_tools *tools, struct device *device, uint64_t delay_ns,
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
		return ready_hold(tools, device);
	}
	if (r < 0)
		return r;
	device->fq_delay_ns = delay_ns;
	r = residue_record(&device->netns, device->ifindex, device->hook, device->fq_handle);
	return r < 0 ? r : programs_watch_fq(tools->programs);
}

int device_ready_to_delay(const struct device_tools *tools, struct device *device,
			  uint64_t delay_ns, char *ret_notice)
{
	if (device->is_inside)
		return 0;
	if (device->engine == HF_ENGINE_FQ)
		return ready_fq(tools, device, delay_ns, ret_notice);
	if (device->engine == HF_ENGINE_HOLD)
		return ready_hold(tools, device);
	return -EOPNOTSUPP;
}

int device_ready_to_delay_outward(const struct device_tools *tools, struct device *device)
{
	int r = device->is_inside ? 0 : hosts_ready_return(tools->hosts, device->netns.id);

	return r == -EOPNOTSUPP ? -ENXIO : r;
}
