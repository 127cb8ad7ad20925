/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * netlink_parse.h - from rtnetlink's bytes to our structures. Pure.
 */
#ifndef HF_LINK_NETLINK_PARSE_H
#define HF_LINK_NETLINK_PARSE_H

#include <libmnl/libmnl.h>

#include "link/netlink.h"

/* -EBADMSG: not such a message. -EAFNOSUPPORT: an address that is neither IPv4 nor IPv6. */
int netlink_parse_link(const struct nlmsghdr *message, struct netlink_link *ret_link);
int netlink_parse_addr(const struct nlmsghdr *message, struct netlink_addr *ret_addr);

#endif
