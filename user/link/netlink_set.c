/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * netlink_set.c - orders to rtnetlink: make, change and remove links, addresses and routes.
 *
 * Each is one message, which the kernel does whole or not at all.
 */
#include "link/netlink.h"

#include <errno.h>
#include <linux/if_addr.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <linux/veth.h>
#include <string.h>
#include <sys/socket.h>

#include "link/netlink_talk.h"

static int put_name(struct nlmsghdr *request, const char *name)
{
	if (name[0] == '\0' || strlen(name) >= IFNAMSIZ)
		return -EINVAL;
	mnl_attr_put_strz(request, IFLA_IFNAME, name);
	return 0;
}

static struct nlmsghdr *begin_new_link(void *buffer)
{
	struct nlmsghdr *request;

	request = netlink_begin(buffer, RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL);
	mnl_nlmsg_put_extra_header(request, sizeof(struct ifinfomsg));
	return request;
}

/* The other end is a whole link message of its own, inside an attribute. */
static int put_veth_peer(struct nlmsghdr *request, int netns_fd, const char *name)
{
	struct nlattr *data = mnl_attr_nest_start(request, IFLA_INFO_DATA);
	struct nlattr *peer = mnl_attr_nest_start(request, VETH_INFO_PEER);
	int r;

	mnl_nlmsg_put_extra_header(request, sizeof(struct ifinfomsg));
	r = put_name(request, name);
	if (netns_fd >= 0)
		mnl_attr_put_u32(request, IFLA_NET_NS_FD, (uint32_t)netns_fd);
	mnl_attr_nest_end(request, peer);
	mnl_attr_nest_end(request, data);
	return r;
}

int netlink_add_veth(struct netlink *nl, const char *name, int peer_netns_fd, const char *peer_name)
{
	char buffer[NETLINK_REQUEST_SIZE] __attribute__((aligned(8)));
	struct nlmsghdr *request = begin_new_link(buffer);
	struct nlattr *info;
	int r;

	r = put_name(request, name);
	if (r < 0)
		return r;
	info = mnl_attr_nest_start(request, IFLA_LINKINFO);
	mnl_attr_put_strz(request, IFLA_INFO_KIND, "veth");
	r = put_veth_peer(request, peer_netns_fd, peer_name);
	if (r < 0)
		return r;
	mnl_attr_nest_end(request, info);
	return netlink_talk(nl, request, NULL, NULL);
}

int netlink_add_bridge(struct netlink *nl, const char *name)
{
	char buffer[NETLINK_REQUEST_SIZE] __attribute__((aligned(8)));
	struct nlmsghdr *request = begin_new_link(buffer);
	struct nlattr *info, *data;
	int r;

	r = put_name(request, name);
	if (r < 0)
		return r;
	info = mnl_attr_nest_start(request, IFLA_LINKINFO);
	mnl_attr_put_strz(request, IFLA_INFO_KIND, "bridge");
	data = mnl_attr_nest_start(request, IFLA_INFO_DATA);
	mnl_attr_put_u32(request, IFLA_BR_FORWARD_DELAY, 0);
	mnl_attr_put_u32(request, IFLA_BR_STP_STATE, 0);
	mnl_attr_put_u8(request, IFLA_BR_MCAST_SNOOPING, 0); /* nobody here asks who listens */
	mnl_attr_nest_end(request, data);
	mnl_attr_nest_end(request, info);
	return netlink_talk(nl, request, NULL, NULL);
}

static struct nlmsghdr *begin_change(void *buffer, uint16_t type, uint32_t ifindex)
{
	struct nlmsghdr *request = netlink_begin(buffer, type, 0);
	struct ifinfomsg *info = mnl_nlmsg_put_extra_header(request, sizeof(*info));

	info->ifi_index = (int)ifindex;
	return request;
}

int netlink_delete_link(struct netlink *nl, uint32_t ifindex)
{
	char buffer[NETLINK_REQUEST_SIZE] __attribute__((aligned(8)));

	if (ifindex == 0)
		return -ENODEV;
	return netlink_talk(nl, begin_change(buffer, RTM_DELLINK, ifindex), NULL, NULL);
}

int netlink_set_up(struct netlink *nl, uint32_t ifindex, bool up)
{
	char buffer[NETLINK_REQUEST_SIZE] __attribute__((aligned(8)));
	struct nlmsghdr *request = netlink_begin(buffer, RTM_SETLINK, 0);
	struct ifinfomsg *info = mnl_nlmsg_put_extra_header(request, sizeof(*info));

	info->ifi_index = (int)ifindex;
	info->ifi_change = IFF_UP;
	info->ifi_flags = up ? IFF_UP : 0;
	return netlink_talk(nl, request, NULL, NULL);
}

static int set_u32(struct netlink *nl, uint32_t ifindex, uint16_t attr, uint32_t value)
{
	char buffer[NETLINK_REQUEST_SIZE] __attribute__((aligned(8)));
	struct nlmsghdr *request = begin_change(buffer, RTM_SETLINK, ifindex);

	mnl_attr_put_u32(request, attr, value);
	return netlink_talk(nl, request, NULL, NULL);
}

int netlink_set_master(struct netlink *nl, uint32_t ifindex, uint32_t master)
{
	return set_u32(nl, ifindex, IFLA_MASTER, master);
}

int netlink_set_mtu(struct netlink *nl, uint32_t ifindex, uint32_t mtu)
{
	return set_u32(nl, ifindex, IFLA_MTU, mtu);
}

int netlink_set_txqlen(struct netlink *nl, uint32_t ifindex, uint32_t packets)
{
	return set_u32(nl, ifindex, IFLA_TXQLEN, packets);
}

int netlink_set_group(struct netlink *nl, uint32_t ifindex, uint32_t group)
{
	return set_u32(nl, ifindex, IFLA_GROUP, group);
}

/* One order for all of them costs one grace period, not one for each. */
int netlink_delete_group(struct netlink *nl, uint32_t group)
{
	char buffer[NETLINK_REQUEST_SIZE] __attribute__((aligned(8)));
	struct nlmsghdr *request = begin_change(buffer, RTM_DELLINK, 0);

	if (group == 0)
		return -EINVAL; /* the group of all links that are in none */
	mnl_attr_put_u32(request, IFLA_GROUP, group);
	return netlink_talk(nl, request, NULL, NULL);
}

int netlink_set_mac(struct netlink *nl, uint32_t ifindex, const uint8_t mac[6])
{
	char buffer[NETLINK_REQUEST_SIZE] __attribute__((aligned(8)));
	struct nlmsghdr *request = begin_change(buffer, RTM_SETLINK, ifindex);

	mnl_attr_put(request, IFLA_ADDRESS, 6, mac);
	return netlink_talk(nl, request, NULL, NULL);
}

int netlink_set_name(struct netlink *nl, uint32_t ifindex, const char *name)
{
	char buffer[NETLINK_REQUEST_SIZE] __attribute__((aligned(8)));
	struct nlmsghdr *request = begin_change(buffer, RTM_SETLINK, ifindex);
	int r;

	r = put_name(request, name);
	if (r < 0)
		return r;
	return netlink_talk(nl, request, NULL, NULL);
}

static void put_ip(struct nlmsghdr *request, uint16_t attr, const struct hf_addr *addr)
{
	if (hf_addr_is_ipv4(addr))
		mnl_attr_put(request, attr, 4, addr->byte + 12);
	else
		mnl_attr_put(request, attr, sizeof(*addr), addr->byte);
}

static uint8_t family_of(const struct hf_addr *addr)
{
	return hf_addr_is_ipv4(addr) ? AF_INET : AF_INET6;
}

/* From bits of the 128 to bits of the address's own family. */
static int own_prefix_len(const struct hf_addr *addr, uint8_t prefix_len, uint8_t *ret_len)
{
	if (prefix_len > 128 || (hf_addr_is_ipv4(addr) && prefix_len < 96))
		return -EINVAL;
	*ret_len = hf_addr_is_ipv4(addr) ? prefix_len - 96 : prefix_len;
	return 0;
}

int netlink_add_addr(struct netlink *nl, uint32_t ifindex, const struct hf_addr *addr,
		     uint8_t prefix_len)
{
	char buffer[NETLINK_REQUEST_SIZE] __attribute__((aligned(8)));
	struct nlmsghdr *request;
	struct ifaddrmsg *info;
	int r;

	request = netlink_begin(buffer, RTM_NEWADDR, NLM_F_CREATE | NLM_F_EXCL);
	info = mnl_nlmsg_put_extra_header(request, sizeof(*info));
	r = own_prefix_len(addr, prefix_len, &info->ifa_prefixlen);
	if (r < 0)
		return r;
	info->ifa_family = family_of(addr);
	info->ifa_index = ifindex;
	info->ifa_scope = RT_SCOPE_UNIVERSE;
	if (info->ifa_family == AF_INET6)
		info->ifa_flags = IFA_F_NODAD;
	put_ip(request, IFA_LOCAL, addr);
	put_ip(request, IFA_ADDRESS, addr);
	return netlink_talk(nl, request, NULL, NULL);
}

int netlink_add_route(struct netlink *nl, const struct hf_addr *dst, uint8_t prefix_len,
		      const struct hf_addr *via, uint32_t ifindex)
{
	char buffer[NETLINK_REQUEST_SIZE] __attribute__((aligned(8)));
	struct nlmsghdr *request;
	struct rtmsg *info;
	int r;

	if (!dst && !via)
		return -EINVAL;
	if (dst && via && family_of(dst) != family_of(via))
		return -EINVAL;
	request = netlink_begin(buffer, RTM_NEWROUTE, NLM_F_CREATE | NLM_F_EXCL);
	info = mnl_nlmsg_put_extra_header(request, sizeof(*info));
	info->rtm_family = family_of(dst ? dst : via);
	info->rtm_table = RT_TABLE_MAIN;
	info->rtm_protocol = RTPROT_STATIC;
	info->rtm_scope = via ? RT_SCOPE_UNIVERSE : RT_SCOPE_LINK;
	info->rtm_type = RTN_UNICAST;
	if (dst) {
		r = own_prefix_len(dst, prefix_len, &info->rtm_dst_len);
		if (r < 0)
			return r;
		put_ip(request, RTA_DST, dst);
	}
	if (via)
		put_ip(request, RTA_GATEWAY, via);
	mnl_attr_put_u32(request, RTA_OIF, ifindex);
	return netlink_talk(nl, request, NULL, NULL);
}
