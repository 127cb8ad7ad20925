/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * lab_links.c - the wires: a bridge in the switch's namespace, and a veth pair from there into each node's.
 *
 * Both ends are born where they live, so nothing ever shows up in the host's own namespace. All links of the switch are in
 * one group, and go in one order.
 */
#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "lab/lab_parts.h"
#include "link/netlink.h"

#define LAB_GROUP	0x6866
#define PREFIX_LEN_IPV4 (96 + 24)
#define PREFIX_LEN_IPV6 64
#define BRIDGE		"br0"
#define LINK_WAIT_NS	3000000000ULL

/* Only for peace and quiet: a lab works without, so what can't be written is left. */
static void sysctl_here(const char *path, const char *value)
{
	_cleanup_(closep) int fd = open(path, O_WRONLY | O_CLOEXEC);

	if (fd >= 0 && write(fd, value, strlen(value)) < 0)
		return;
}

static void quiet_here(bool is_switch)
{
	sysctl_here("/proc/sys/net/ipv6/conf/default/accept_ra", "0");
	/* Addresses are ours alone: duplicate detection would only make them late. */
	sysctl_here("/proc/sys/net/ipv6/conf/all/accept_dad", "0");
	sysctl_here("/proc/sys/net/ipv6/conf/default/accept_dad", "0");
	if (is_switch)
		sysctl_here("/proc/sys/net/ipv6/conf/default/disable_ipv6", "1");
}

static int quiet(const struct netns *netns, bool is_switch)
{
	int previous = -1, r;

	r = netns_enter(netns->fd, &previous);
	if (r < 0)
		return r;
	quiet_here(is_switch);
	if (netns_leave(&previous) < 0)
		abort(); /* in the wrong namespace, every next step would harm someone */
	return 0;
}

static int set_up_by_name(struct netlink *nl, const char *name, uint32_t *ret_ifindex)
{
	struct netlink_link link;
	int r;

	r = netlink_link_by_name(nl, name, &link);
	if (r < 0)
		return r;
	*ret_ifindex = link.ifindex;
	return netlink_set_up(nl, link.ifindex, true);
}

static int bridge_make(struct netlink *nl, uint32_t *ret_ifindex)
{
	uint32_t ifindex;
	int r;

	r = netlink_add_bridge(nl, BRIDGE);
	if (r == 0)
		r = set_up_by_name(nl, BRIDGE, &ifindex);
	if (r == 0)
		r = netlink_set_group(nl, ifindex, LAB_GROUP);
	if (r == 0)
		*ret_ifindex = ifindex;
	return r;
}

static int inside_make(const struct lab_node *node, const struct lab_space *space)
{
	_cleanup_(netlink_closep) struct netlink *nl = NULL;
	uint32_t lo, eth;
	int r;

	r = netlink_open(space->netns.fd, &nl);
	if (r == 0)
		r = set_up_by_name(nl, "lo", &lo);
	if (r == 0)
		r = set_up_by_name(nl, "eth0", &eth);
	if (r == 0)
		r = netlink_add_addr(nl, eth, &node->ipv4, PREFIX_LEN_IPV4);
	if (r == 0)
		r = netlink_add_addr(nl, eth, &node->ipv6, PREFIX_LEN_IPV6);
	return r;
}

static int wire_make(struct netlink *hub, uint32_t bridge, const struct lab_node *node,
		     const struct lab_space *space)
{
	char name[IFNAMSIZ];
	struct netlink_link port;
	int r;

	r = quiet(&space->netns, false);
	if (r < 0)
		return r;
	snprintf(name, sizeof(name), "veth-%s", node->name);
	r = netlink_add_veth(hub, name, space->netns.fd, "eth0");
	if (r == 0)
		r = netlink_link_by_name(hub, name, &port);
	if (r == 0)
		r = netlink_set_group(hub, port.ifindex, LAB_GROUP);
	if (r == 0)
		r = netlink_set_master(hub, port.ifindex, bridge);
	if (r == 0)
		r = netlink_set_up(hub, port.ifindex, true);
	if (r == 0)
		r = inside_make(node, space);
	return r;
}

static int ports_are_running(struct netlink *hub, uint32_t bridge, bool *ret_are)
{
	_cleanup_(freep) struct netlink_link *links = NULL;
	size_t count = 0;
	int r;

	r = netlink_list_links(hub, &links, &count);
	if (r < 0)
		return r;
	*ret_are = true;
	for (size_t i = 0; i < count; i++) {
		if (links[i].master == bridge && !(links[i].flags & IFF_RUNNING))
			*ret_are = false;
	}
	return 0;
}

/* A port forwards when its carrier has been seen: that is done by a worker, a moment later. */
static int wait_for_ports(struct netlink *hub, uint32_t bridge)
{
	const struct timespec pause = { .tv_nsec = 1000000 };
	uint64_t end_ns = clock_now_ns() + LINK_WAIT_NS;
	bool are_running = false;
	int r;

	for (;;) {
		r = ports_are_running(hub, bridge, &are_running);
		if (r < 0 || are_running)
			return r;
		if (clock_now_ns() > end_ns)
			return -ETIMEDOUT;
		nanosleep(&pause, NULL);
	}
}

static int links_make(struct netlink *hub, const struct lab_state *state,
		      const struct lab_spaces *spaces)
{
	uint32_t bridge;
	int r;

	r = bridge_make(hub, &bridge);
	for (size_t i = 0; i < state->nodes && r == 0; i++)
		r = wire_make(hub, bridge, &state->node[i], &spaces->node[i]);
	if (r == 0)
		r = wait_for_ports(hub, bridge);
	return r;
}

int lab_links_make(const struct lab_state *state, const struct lab_spaces *spaces, char *ret_error)
{
	_cleanup_(netlink_closep) struct netlink *hub = NULL;
	int r;

	r = quiet(&spaces->hub.netns, true);
	if (r == 0)
		r = netlink_open(spaces->hub.netns.fd, &hub);
	if (r == 0)
		r = links_make(hub, state, spaces);
	if (r < 0)
		return lab_tell(ret_error, r, "can't wire the lab: %s%s%s", strerror(-r),
				hub && netlink_error(hub)[0] ? ": " : "",
				hub ? netlink_error(hub) : "");
	return 0;
}

static int hub_links_remove(const struct lab_state *state)
{
	_cleanup_(netlink_closep) struct netlink *hub = NULL;
	_cleanup_(netns_close) struct netns ns = NETNS_NONE;
	int r;

	r = lab_netns_open(state, LAB_SWITCH, &state->hub, &ns);
	if (r < 0)
		return r == -ENOENT ? 0 : r;
	r = netlink_open(ns.fd, &hub);
	if (r == 0)
		r = netlink_delete_group(hub, LAB_GROUP);
	return r == -ENODEV ? 0 : r;
}

/* The other end is gone with the switch's, unless somebody took the switch's name away. */
static int node_link_remove(const struct lab_state *state, const struct lab_node *node)
{
	_cleanup_(netlink_closep) struct netlink *nl = NULL;
	_cleanup_(netns_close) struct netns ns = NETNS_NONE;
	struct netlink_link link;
	int r;

	r = lab_netns_open(state, node->name, &node->netns, &ns);
	if (r < 0)
		return r == -ENOENT ? 0 : r;
	r = netlink_open(ns.fd, &nl);
	if (r == 0)
		r = netlink_link_by_name(nl, "eth0", &link);
	if (r == 0)
		r = netlink_delete_link(nl, link.ifindex);
	return r == -ENODEV ? 0 : r;
}

int lab_links_remove(const struct lab_state *state, char *ret_error)
{
	int r;

	r = hub_links_remove(state);
	for (size_t i = 0; i < state->nodes && r == 0; i++)
		r = node_link_remove(state, &state->node[i]);
	if (r < 0)
		return lab_tell(ret_error, r, "can't remove the lab's links: %s", strerror(-r));
	return 0;
}
