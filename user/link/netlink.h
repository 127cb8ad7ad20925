/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * netlink.h - typed questions and orders to rtnetlink, in one network namespace.
 *
 * A struct netlink is a socket that was opened inside its namespace and stays there: the thread that uses it
 * may be anywhere. One thread at a time. Calls return 0 or -errno; when the kernel said why in words
 * (extended acknowledgement), netlink_error() has them until the next call.
 */
#ifndef HF_LINK_NETLINK_H
#define HF_LINK_NETLINK_H

#include <net/if.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "abi.h"

#define NETLINK_LINKS_MAX    16384 /* links or addresses in one dump; more are -E2BIG */
#define NETLINK_NSID_UNKNOWN (-1)

struct netlink;

struct netlink_link {
	uint32_t ifindex;
	uint32_t master; /* ifindex of the bridge (or bond) it belongs to; 0: none */
	uint32_t peer_ifindex; /* IFLA_LINK: of a veth its other end; 0: none */
	int32_t peer_nsid; /* IFLA_LINK_NETNSID: where peer_ifindex counts; NETLINK_NSID_UNKNOWN: here */
	uint32_t flags; /* IFF_* */
	uint32_t mtu;
	uint32_t txqlen;
	char name[IFNAMSIZ];
	char kind[32]; /* "veth", "bridge"; empty for hardware and loopback */
	char qdisc[32];
	uint8_t mac[6]; /* zeros when there is none of this length */
	uint16_t ipvlan_mode; /* IPVLAN_MODE_*, of an ipvlan */
};

struct netlink_addr {
	uint32_t ifindex;
	struct hf_addr addr;
	uint8_t prefix_len; /* counts bits of the 128: an IPv4 /24 is 120 */
	uint8_t scope; /* RT_SCOPE_* */
	bool is_tentative;
};

/* netns_fd -1: the calling thread's own. */
int netlink_open(int netns_fd, struct netlink **ret_nl);
void netlink_close(struct netlink *nl);
void netlink_closep(struct netlink **nl); /* for _cleanup_ */
const char *netlink_error(const struct netlink *nl); /* the kernel's words, or "" */

/* The lists are the caller's to free(). */
int netlink_list_links(struct netlink *nl, struct netlink_link **ret_links, size_t *ret_count);
int netlink_list_addrs(struct netlink *nl, struct netlink_addr **ret_addrs, size_t *ret_count);
/* One link; -ENODEV when there is none. */
int netlink_link_by_name(struct netlink *nl, const char *name, struct netlink_link *ret_link);
int netlink_link_by_index(struct netlink *nl, uint32_t ifindex, struct netlink_link *ret_link);
/* The number that nl's namespace has given to another; -ENOENT when it has given none. */
int netlink_nsid(struct netlink *nl, int netns_fd, int32_t *ret_nsid);

/* A pair of veths: `name` here, `peer_name` in peer_netns_fd from its birth on. Both down. */
int netlink_add_veth(struct netlink *nl, const char *name, int peer_netns_fd,
		     const char *peer_name);
int netlink_add_bridge(struct netlink *nl,
		       const char *name); /* no STP, forward delay or snooping */
int netlink_delete_link(struct netlink *nl, uint32_t ifindex);
int netlink_set_group(struct netlink *nl, uint32_t ifindex, uint32_t group);
/* Deletes all links of a group at once; group 0 is refused, -ENODEV: none is in it. */
int netlink_delete_group(struct netlink *nl, uint32_t group);
int netlink_set_up(struct netlink *nl, uint32_t ifindex, bool up);
int netlink_set_master(struct netlink *nl, uint32_t ifindex, uint32_t master); /* 0: none */
int netlink_set_mtu(struct netlink *nl, uint32_t ifindex, uint32_t mtu);
int netlink_set_txqlen(struct netlink *nl, uint32_t ifindex, uint32_t packets);
int netlink_set_mac(struct netlink *nl, uint32_t ifindex, const uint8_t mac[6]);
int netlink_set_name(struct netlink *nl, uint32_t ifindex, const char *name);
/* prefix_len of the 128. IPv6 without duplicate address detection: usable at once. */
int netlink_add_addr(struct netlink *nl, uint32_t ifindex, const struct hf_addr *addr,
		     uint8_t prefix_len);
/* dst NULL: the default route of via's family; via NULL: on the link itself; not both. */
int netlink_add_route(struct netlink *nl, const struct hf_addr *dst, uint8_t prefix_len,
		      const struct hf_addr *via, uint32_t ifindex);

static inline bool hf_addr_is_ipv4(const struct hf_addr *addr)
{
	static const uint8_t mapped[12] = { [10] = 0xff, [11] = 0xff };

	return memcmp(addr->byte, mapped, sizeof(mapped)) == 0;
}

/*
 * News of links, and of addresses if that is asked. fd() is non-blocking, for an event loop; read() takes all that is there and calls back for
 * each. NETLINK_NEWS_LOST means that the kernel dropped news: list the links again.
 */
enum netlink_news {
	NETLINK_LINK_NEW = 1, /* new, or changed; link is whole */
	NETLINK_LINK_REMOVED = 2, /* link has its last state */
	NETLINK_NEWS_LOST = 3, /* link is NULL */
	NETLINK_ADDRS_CHANGED = 4, /* an address came or went; link is NULL */
};
typedef void (*netlink_news_fn)(enum netlink_news news, const struct netlink_link *link,
				void *user);

struct netlink_watch;
int netlink_watch_open(int netns_fd, bool with_addrs, netlink_news_fn tell, void *user,
		       struct netlink_watch **ret_watch);
int netlink_watch_fd(const struct netlink_watch *watch);
int netlink_watch_read(struct netlink_watch *watch); /* 0: all read */
void netlink_watch_close(struct netlink_watch *watch);
void netlink_watch_closep(struct netlink_watch **watch); /* for _cleanup_ */

#endif
