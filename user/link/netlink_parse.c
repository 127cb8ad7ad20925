/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * netlink_parse.c - read RTM_NEWLINK, RTM_DELLINK and RTM_NEWADDR messages.
 *
 * An attribute of the wrong size is passed over as if it was not there; no byte beyond the message is read.
 */
#include "link/netlink_parse.h"

#include <errno.h>
#include <linux/if_addr.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <string.h>
#include <sys/socket.h>

#include "link/netlink_talk.h"

static uint32_t attr_u32(const struct nlattr *attr, uint32_t otherwise)
{
	return mnl_attr_validate(attr, MNL_TYPE_U32) < 0 ? otherwise : mnl_attr_get_u32(attr);
}

static void parse_ipvlan(const struct nlattr *data, struct netlink_link *link)
{
	const struct nlattr *attr;

	mnl_attr_for_each_nested(attr, data)
	{
		if (mnl_attr_get_type(attr) == IFLA_IPVLAN_MODE &&
		    mnl_attr_validate(attr, MNL_TYPE_U16) >= 0)
			link->ipvlan_mode = mnl_attr_get_u16(attr);
	}
}

static void parse_kind(const struct nlattr *linkinfo, struct netlink_link *link)
{
	const struct nlattr *attr, *data = NULL;

	mnl_attr_for_each_nested(attr, linkinfo)
	{
		if (mnl_attr_get_type(attr) == IFLA_INFO_KIND)
			netlink_copy_text(attr, link->kind, sizeof(link->kind));
		else if (mnl_attr_get_type(attr) == IFLA_INFO_DATA)
			data = attr;
	}
	if (data && strcmp(link->kind, "ipvlan") == 0)
		parse_ipvlan(data, link);
}

static void parse_link_attr(const struct nlattr *attr, struct netlink_link *link)
{
	switch (mnl_attr_get_type(attr)) {
	case IFLA_IFNAME:
		netlink_copy_text(attr, link->name, sizeof(link->name));
		break;
	case IFLA_MASTER:
		link->master = attr_u32(attr, 0);
		break;
	case IFLA_LINK:
		link->peer_ifindex = attr_u32(attr, 0);
		break;
	case IFLA_LINK_NETNSID:
		link->peer_nsid = (int32_t)attr_u32(attr, (uint32_t)NETLINK_NSID_UNKNOWN);
		break;
	case IFLA_MTU:
		link->mtu = attr_u32(attr, 0);
		break;
	case IFLA_TXQLEN:
		link->txqlen = attr_u32(attr, 0);
		break;
	case IFLA_QDISC:
		netlink_copy_text(attr, link->qdisc, sizeof(link->qdisc));
		break;
	case IFLA_ADDRESS:
		if (mnl_attr_get_payload_len(attr) == sizeof(link->mac))
			memcpy(link->mac, mnl_attr_get_payload(attr), sizeof(link->mac));
		break;
	case IFLA_LINKINFO:
		parse_kind(attr, link);
		break;
	default:
		break;
	}
}

int netlink_parse_link(const struct nlmsghdr *message, struct netlink_link *ret_link)
{
	const struct ifinfomsg *info = mnl_nlmsg_get_payload(message);
	struct netlink_link link = { .peer_nsid = NETLINK_NSID_UNKNOWN };
	const struct nlattr *attr;

	if (message->nlmsg_type != RTM_NEWLINK && message->nlmsg_type != RTM_DELLINK)
		return -EBADMSG;
	if (mnl_nlmsg_get_payload_len(message) < sizeof(*info) || info->ifi_index <= 0)
		return -EBADMSG;
	link.ifindex = (uint32_t)info->ifi_index;
	link.flags = info->ifi_flags;
	mnl_attr_for_each(attr, message, sizeof(*info)) parse_link_attr(attr, &link);
	*ret_link = link;
	return 0;
}

static void map_ipv4(const void *bytes, struct hf_addr *ret_addr)
{
	memset(ret_addr, 0, 10);
	memset(ret_addr->byte + 10, 0xff, 2);
	memcpy(ret_addr->byte + 12, bytes, 4);
}

static int parse_ip(uint8_t family, const struct nlattr *attr, struct hf_addr *ret_addr)
{
	size_t len = mnl_attr_get_payload_len(attr);

	if (family == AF_INET && len == 4)
		map_ipv4(mnl_attr_get_payload(attr), ret_addr);
	else if (family == AF_INET6 && len == sizeof(*ret_addr))
		memcpy(ret_addr, mnl_attr_get_payload(attr), len);
	else
		return -EBADMSG;
	return 0;
}

int netlink_parse_addr(const struct nlmsghdr *message, struct netlink_addr *ret_addr)
{
	const struct ifaddrmsg *info = mnl_nlmsg_get_payload(message);
	const struct nlattr *attr, *address = NULL, *local = NULL;
	struct netlink_addr addr = { 0 };
	uint32_t flags;
	int r;

	if (message->nlmsg_type != RTM_NEWADDR ||
	    mnl_nlmsg_get_payload_len(message) < sizeof(*info))
		return -EBADMSG;
	if (info->ifa_family != AF_INET && info->ifa_family != AF_INET6)
		return -EAFNOSUPPORT;
	flags = info->ifa_flags;
	mnl_attr_for_each(attr, message, sizeof(*info))
	{
		if (mnl_attr_get_type(attr) == IFA_ADDRESS)
			address = attr;
		else if (mnl_attr_get_type(attr) == IFA_LOCAL)
			local = attr; /* of a pair, IFA_ADDRESS is the peer's */
		else if (mnl_attr_get_type(attr) == IFA_FLAGS)
			flags = attr_u32(attr, flags);
	}
	if (!local && !address)
		return -EBADMSG;
	r = parse_ip(info->ifa_family, local ? local : address, &addr.addr);
	if (r < 0)
		return r;
	addr.ifindex = info->ifa_index;
	addr.prefix_len = (uint8_t)(info->ifa_prefixlen + (info->ifa_family == AF_INET ? 96 : 0));
	addr.scope = info->ifa_scope;
	addr.is_tentative = (flags & (IFA_F_TENTATIVE | IFA_F_OPTIMISTIC)) == IFA_F_TENTATIVE;
	*ret_addr = addr;
	return 0;
}
