/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * inspect.c - what is in a namespace, and where are the other ends of its veths?
 *
 *     inside:     eth0, a veth; IFLA_LINK = 7, IFLA_LINK_NETNSID = 0
 *     candidates: which of them does *this namespace* call number 0?     (RTM_GETNSID by descriptor)
 *     there:      link 7 is a veth, and its other end is eth0's ifindex, in a namespace that it calls by the number of
 *                 this one: both ends must say the same
 *
 * A macvlan or ipvlan whose lower device is elsewhere is worked on inside: there is no other end.
 *
 * All answers come from the kernel. A container can rename its interfaces and mount what it likes over /sys: that changes
 * nothing here. A veth that is a port of a bridge is a host side itself, not a way into something.
 */
#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <linux/if_link.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/text.h"
#include "endpoint/engine.h"

static int candidates_add(struct candidates *candidates, struct netns *ns)
{
	struct netns *grown;

	for (size_t i = 0; i < candidates->count; i++) {
		if (netns_id_equal(candidates->netns[i].id, ns->id)) {
			netns_close(ns);
			return 0;
		}
	}
	grown = reallocarray(candidates->netns, candidates->count + 1, sizeof(*grown));
	if (!grown) {
		netns_close(ns);
		return -ENOMEM;
	}
	candidates->netns = grown;
	grown[candidates->count++] = *ns;
	return 0;
}

static int candidates_add_names(struct candidates *candidates)
{
	char **names = NULL;
	size_t count = 0;
	int r;

	r = netns_list_names(&names, &count);
	if (r < 0)
		return r;
	for (size_t i = 0; i < count && i < ENDPOINTS_MAX && r == 0; i++) {
		struct netns ns;

		if (netns_open_name(names[i], &ns) == 0)
			r = candidates_add(candidates, &ns);
	}
	netns_free_names(names, count);
	return r;
}

/* A process's namespace, unless it is in already (by number, before it is opened). */
static int candidates_add_process(struct candidates *candidates, pid_t pid)
{
	char path[64], link[64];
	struct netns ns;
	uint64_t ino;
	ssize_t len;

	snprintf(path, sizeof(path), "/proc/%d/ns/net", (int)pid);
	len = readlink(path, link, sizeof(link) - 1);
	if (len < 0)
		return 0;
	link[len] = '\0';
	if (sscanf(link, "net:[%" SCNu64 "]", &ino) != 1)
		return 0;
	for (size_t i = 0; i < candidates->count; i++)
		if (candidates->netns[i].id.ino == ino)
			return 0;
	if (candidates->count >= ENDPOINTS_MAX || netns_open_pid(pid, 0, &ns) < 0)
		return 0;
	return candidates_add(candidates, &ns);
}

int candidates_add_processes(struct candidates *candidates)
{
	_cleanup_(closedirp) DIR *dir = opendir("/proc");
	struct dirent *entry;
	int r = 0;

	candidates->has_processes = true;
	if (!dir)
		return -errno;
	while (r == 0 && (entry = readdir(dir))) {
		pid_t pid = (pid_t)strtol(entry->d_name, NULL, 10);

		if (pid > 0)
			r = candidates_add_process(candidates, pid);
	}
	return r;
}

int candidates_collect(struct candidates *ret_candidates)
{
	_cleanup_(candidates_free) struct candidates candidates = { 0 };
	struct netns own;
	int r;

	r = netns_open_self(&own);
	if (r < 0)
		return r;
	r = candidates_add(&candidates, &own);
	if (r == 0)
		r = candidates_add_names(&candidates); /* the lab's switch is one of them */
	if (r < 0)
		return r;
	*ret_candidates = candidates;
	candidates = (struct candidates){ 0 };
	return 0;
}

void candidates_free(struct candidates *candidates)
{
	for (size_t i = 0; i < candidates->count; i++)
		netns_close(&candidates->netns[i]);
	free(candidates->netns);
	*candidates = (struct candidates){ 0 };
}

struct inspection {
	const struct netns *netns;
	struct candidates *candidates;
	struct netlink *inside;
	struct endpoint *endpoint; /* being filled */
	char left_out[IFNAMSIZ + 48]; /* likewise, of a kind that goes past the host's side */
	/* Why there may be nothing to work on. */
	char other_kind[IFNAMSIZ + 48]; /* "eth0 is a macvlan" */
	bool saw_veth;
	bool saw_port;
};

static bool is_one_of(const struct netlink_link *link, const char *kind)
{
	return strcmp(link->kind, kind) == 0;
}

/* Does the link at the other end say the same about us? */
static int check_other_end(const struct inspection *in, const struct netlink_link *link,
			   const struct netns *there, struct netlink_link *ret_other,
			   struct netlink_link *ret_bridge)
{
	_cleanup_(netlink_closep) struct netlink *nl = NULL;
	struct netlink_link other;
	int32_t nsid;
	int r;

	r = netlink_open(there->fd, &nl);
	if (r < 0)
		return r;
	r = netlink_link_by_index(nl, link->peer_ifindex, &other);
	if (r < 0)
		return r;
	if (!is_one_of(&other, "veth") || other.peer_ifindex != link->ifindex)
		return -ENODEV;
	r = netlink_nsid(nl, in->netns->fd, &nsid);
	if (r < 0)
		return r;
	if (nsid != other.peer_nsid)
		return -ENODEV;
	*ret_bridge = (struct netlink_link){ 0 };
	if (other.master) /* that it went in between is no reason to go without the rest */
		netlink_link_by_index(nl, other.master, ret_bridge);
	*ret_other = other;
	return 0;
}

/* -ENODEV: in none of the candidates. */
static int find_among_candidates(const struct inspection *in, const struct netlink_link *link,
				 struct endpoint_host_side *ret_side)
{
	for (size_t i = 0; i < in->candidates->count; i++) {
		const struct netns *there = &in->candidates->netns[i];
		struct endpoint_host_side side = { .netns = NETNS_NONE, .below = NETNS_NONE };
		struct netlink_link other, bridge;
		int32_t nsid;

		if (netlink_nsid(in->inside, there->fd, &nsid) < 0 || nsid != link->peer_nsid)
			continue;
		if (check_other_end(in, link, there, &other, &bridge) < 0)
			return -ENODEV; /* it has gone in between */
		side.ifindex = other.ifindex;
		side.master = other.master;
		memcpy(side.ifname, other.name, sizeof(side.ifname));
		memcpy(side.bridge, bridge.name, sizeof(side.bridge));
		if (netns_dup(there, &side.netns) < 0)
			return -ENODEV;
		*ret_side = side;
		return 0;
	}
	return -ENODEV;
}

static int find_host_side(const struct inspection *in, const struct netlink_link *link,
			  struct endpoint_host_side *ret_side)
{
	int r;

	r = find_among_candidates(in, link, ret_side);
	if (r != -ENODEV || in->candidates->has_processes)
		return r;
	r = candidates_add_processes(in->candidates);
	return r < 0 ? r : find_among_candidates(in, link, ret_side);
}

static int add_interface(struct endpoint *endpoint, const struct netlink_link *link,
			 const struct endpoint_host_side *side)
{
	struct endpoint_interface *grown;

	if (endpoint->interfaces >= ENDPOINT_INTERFACES_MAX)
		return -E2BIG;
	grown = reallocarray(endpoint->interface, endpoint->interfaces + 1, sizeof(*grown));
	if (!grown)
		return -ENOMEM;
	endpoint->interface = grown;
	grown += endpoint->interfaces++;
	*grown = (struct endpoint_interface){ .ifindex = link->ifindex, .host = *side };
	memcpy(grown->name, link->name, sizeof(grown->name));
	memcpy(grown->mac, link->mac, sizeof(grown->mac));
	return 0;
}

/* What a tunnel or a bridge inside carries crosses a veth in the end. What these carry does not. */
static bool goes_past_us(const struct netlink_link *link)
{
	static const char *const kinds[] = { "ipvlan", "macvtap", "ipvtap", "" };

	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++)
		if (is_one_of(link, kinds[i]))
			return true;
	return false;
}

/*
 * Packets for an ipvlan in its mode l3s are taken from the lower device's own way through the stack: they pass no hook of
 * the ipvlan's (drivers/net/ipvlan/ipvlan_l3s.c).
 */
static bool is_worked_on_inside(const struct netlink_link *link)
{
	if (!(link->flags & IFF_UP) || link->peer_nsid == NETLINK_NSID_UNKNOWN)
		return false; /* on a device in here: that one is looked at */
	return is_one_of(link, "macvlan") ||
	       (is_one_of(link, "ipvlan") && link->ipvlan_mode != IPVLAN_MODE_L3S);
}

static const struct netns *find_numbered(const struct inspection *in, int32_t nsid)
{
	int32_t theirs;

	for (size_t i = 0; i < in->candidates->count; i++)
		if (netlink_nsid(in->inside, in->candidates->netns[i].fd, &theirs) >= 0 &&
		    theirs == nsid)
			return &in->candidates->netns[i];
	return NULL;
}

/* In whose host's namespace it is, is of use, and no condition. */
static int find_below(const struct inspection *in, const struct netlink_link *link,
		      struct netns *ret_below)
{
	const struct netns *below = find_numbered(in, link->peer_nsid);
	int r;

	if (!below && !in->candidates->has_processes) {
		r = candidates_add_processes(in->candidates);
		if (r < 0)
			return r;
		below = find_numbered(in, link->peer_nsid);
	}
	return below ? netns_dup(below, ret_below) : 0;
}

static int find_inside(const struct inspection *in, const struct netlink_link *link,
		       struct endpoint_host_side *ret_side)
{
	struct endpoint_host_side side = {
		.netns = NETNS_NONE,
		.below = NETNS_NONE,
		.ifindex = link->ifindex,
		.is_inside = true,
	};
	int r;

	memcpy(side.ifname, link->name, sizeof(side.ifname));
	r = find_below(in, link, &side.below);
	if (r >= 0)
		r = netns_dup(in->netns, &side.netns);
	if (r < 0) {
		netns_close(&side.below);
		return r;
	}
	*ret_side = side;
	return 0;
}

static void note_other_kind(struct inspection *in, const struct netlink_link *link)
{
	char name[IFNAMSIZ * 4];

	/* The container chose its interface's name: make it harmless. */
	text_escape_terminal(name, sizeof(name), link->name);
	snprintf(in->other_kind, sizeof(in->other_kind), "%.24s is a %.24s", name,
		 link->kind[0] ? link->kind : "device without a kind");
	if (goes_past_us(link))
		memcpy(in->left_out, in->other_kind, sizeof(in->left_out));
}

/* The side is the interface's now, or closed. */
static int take_interface(struct inspection *in, const struct netlink_link *link,
			  struct endpoint_host_side *side)
{
	int r = add_interface(in->endpoint, link, side);

	if (r < 0) {
		netns_close(&side->netns);
		netns_close(&side->below);
	}
	return r;
}

static int inspect_link(struct inspection *in, const struct netlink_link *link)
{
	struct endpoint_host_side side;
	int r;

	if (link->flags & IFF_LOOPBACK)
		return 0;
	if (is_worked_on_inside(link)) {
		r = find_inside(in, link, &side);
		return r < 0 ? r : take_interface(in, link, &side);
	}
	if (!is_one_of(link, "veth")) {
		/* Every namespace has these of its own, in kernels that do tunnels. */
		if (link->flags & IFF_UP)
			note_other_kind(in, link);
		return 0;
	}
	if (link->master != 0) {
		in->saw_port = true;
		return 0;
	}
	if (link->peer_nsid == NETLINK_NSID_UNKNOWN)
		return 0; /* both ends in here: an affair of its own */
	in->saw_veth = true;
	if (find_host_side(in, link, &side) < 0)
		return 0;
	return take_interface(in, link, &side);
}

static struct endpoint_interface *interface_by_index(struct endpoint *endpoint, uint32_t ifindex)
{
	for (size_t i = 0; i < endpoint->interfaces; i++) {
		if (endpoint->interface[i].ifindex == ifindex)
			return &endpoint->interface[i];
	}
	return NULL;
}

static int inspect_addrs(struct inspection *in)
{
	_cleanup_(freep) struct netlink_addr *addrs = NULL;
	size_t count = 0;
	int r;

	r = netlink_list_addrs(in->inside, &addrs, &count);
	if (r < 0)
		return r;
	for (size_t i = 0; i < count; i++) {
		struct endpoint_interface *interface =
			interface_by_index(in->endpoint, addrs[i].ifindex);

		if (!interface)
			continue;
		if (interface->addrs >= ENDPOINT_ADDRS_MAX)
			return -E2BIG;
		interface->addr[interface->addrs++] = (struct endpoint_addr){
			.addr = addrs[i].addr,
			.prefix_len = addrs[i].prefix_len,
			.scope = addrs[i].scope,
			.is_inside = interface->host.is_inside,
		};
	}
	return 0;
}

static int inspect_links(struct inspection *in)
{
	_cleanup_(freep) struct netlink_link *links = NULL;
	size_t count = 0;
	int r;

	r = netlink_list_links(in->inside, &links, &count);
	if (r < 0)
		return r;
	for (size_t i = 0; i < count && r == 0; i++)
		r = inspect_link(in, &links[i]);
	return r;
}

/* A sentence's end for an endpoint without an interface to work on. */
static void explain_nothing(const struct inspection *in, char *text, size_t size)
{
	if (netns_id_equal(in->netns->id, in->candidates->netns[0].id))
		snprintf(text, size,
			 "it is in the host's own network, not behind a veth: its traffic is "
			 "among that of `host`");
	else if (in->saw_veth)
		snprintf(text, size,
			 "the other end of its veth is in a network namespace that has no name "
			 "here");
	else if (in->saw_port)
		snprintf(text, size, "it is a switch: its veths are ports of a bridge");
	else if (in->left_out[0])
		snprintf(text, size,
			 "it has no veth (%s): what it sends and gets does not pass where work "
			 "is done, on the host's side",
			 in->left_out);
	else if (in->other_kind[0])
		snprintf(text, size, "it has no veth (%s)", in->other_kind);
	else
		snprintf(text, size, "it has no network interface but loopback");
}

static int inspect(struct inspection *in)
{
	struct endpoint *endpoint = in->endpoint;
	int r;

	r = netlink_open(in->netns->fd, &in->inside);
	if (r < 0)
		return r;
	if (!netns_id_equal(in->netns->id, in->candidates->netns[0].id)) {
		r = inspect_links(in);
		if (r == 0)
			r = inspect_addrs(in);
		if (r < 0)
			return r;
	}
	if (endpoint->interfaces > 0) {
		memcpy(endpoint->left_out, in->left_out, sizeof(endpoint->left_out));
		return 0;
	}
	explain_nothing(in, endpoint->refusal, sizeof(endpoint->refusal));
	return -EMEDIUMTYPE;
}

static void take_networks(const struct container *container, struct endpoint *endpoint)
{
	for (size_t i = 0; i < endpoint->interfaces; i++) {
		const struct container_network *network =
			container_network_of(container, &endpoint->interface[i]);

		if (network)
			strcpy(endpoint->interface[i].network, network->name);
	}
}

static void take_target(struct endpoint_target *target, struct endpoint *endpoint)
{
	const struct container *container = target->container;

	strcpy(endpoint->name, target->name);
	strcpy(endpoint->refusal, target->refusal);
	endpoint->kind = target->kind;
	endpoint->pid = target->pid;
	endpoint->start_time = target->start_time;
	endpoint->netns = target->netns;
	target->netns = NETNS_NONE;
	if (!container)
		return;
	strcpy(endpoint->id, container->id);
	strcpy(endpoint->project, container->project);
	strcpy(endpoint->service, container->service);
	strcpy(endpoint->owner, container->owner);
	strcpy(endpoint->owner_id, container->owner_id);
	endpoint->state = container->state;
}

static void refuse_without_namespace(struct endpoint *endpoint)
{
	if (endpoint->refusal[0])
		return;
	snprintf(endpoint->refusal, sizeof(endpoint->refusal), "it does not run now (%s)",
		 endpoint_state_word(endpoint->state));
}

int endpoint_inspect(struct endpoint_target *target, struct candidates *candidates,
		     struct endpoint **ret_endpoint)
{
	_cleanup_(endpoint_freep) struct endpoint *endpoint = calloc(1, sizeof(*endpoint));
	struct inspection in = { .candidates = candidates, .endpoint = endpoint };
	int r = -EMEDIUMTYPE;

	if (!endpoint)
		return -ENOMEM;
	take_target(target, endpoint);
	in.netns = &endpoint->netns;
	if (endpoint->netns.fd < 0)
		refuse_without_namespace(endpoint);
	else
		r = inspect(&in);
	netlink_close(in.inside);
	if (r == 0 && target->container)
		take_networks(target->container, endpoint);
	if (r == 0 || r == -EMEDIUMTYPE)
		*ret_endpoint = TAKE_PTR(endpoint);
	return r;
}
