/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * netlink.c - what is there: links, addresses, namespace numbers; and the news of links.
 *
 * A list that changed while it was read is asked for again, a few times; lists are bounded. Orders, which
 * change something, are in netlink_set.c.
 */
#include "link/netlink.h"

#include <errno.h>
#include <linux/if_link.h>
#include <linux/net_namespace.h>
#include <linux/rtnetlink.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "base/cleanup.h"
#include "link/netlink_parse.h"
#include "link/netlink_socket.h"
#include "link/netlink_talk.h"

#define DUMP_TRIES	    16
#define WATCH_BUFFER	    65536
#define WATCH_SOCKET_BUFFER (1 << 20) /* bytes of news that may wait for the reader */

struct list {
	void *items;
	size_t count;
	size_t room;
	size_t item_size;
};

/* Room for one more at the end, or NULL with ret_error set. */
static void *list_place(struct list *list, int *ret_error)
{
	if (list->count >= NETLINK_LINKS_MAX) {
		*ret_error = -E2BIG;
		return NULL;
	}
	if (list->count == list->room) {
		size_t room = list->room ? list->room * 2 : 16;
		void *grown = reallocarray(list->items, room, list->item_size);

		if (!grown) {
			*ret_error = -ENOMEM;
			return NULL;
		}
		list->items = grown;
		list->room = room;
	}
	return (char *)list->items + list->count * list->item_size;
}

static int take_link(const struct nlmsghdr *message, void *user)
{
	struct list *list = user;
	struct netlink_link *place;
	int r = 0;

	place = list_place(list, &r);
	if (!place)
		return r;
	r = netlink_parse_link(message, place);
	if (r < 0)
		return r;
	list->count++;
	return 0;
}

static int take_addr(const struct nlmsghdr *message, void *user)
{
	struct list *list = user;
	struct netlink_addr *place;
	int r = 0;

	place = list_place(list, &r);
	if (!place)
		return r;
	r = netlink_parse_addr(message, place);
	if (r == -EAFNOSUPPORT)
		return 0;
	if (r < 0)
		return r;
	list->count++;
	return 0;
}

static struct nlmsghdr *begin_link_question(void *buffer, uint16_t flags, uint32_t ifindex)
{
	struct nlmsghdr *request = netlink_begin(buffer, RTM_GETLINK, flags);
	struct ifinfomsg *info = mnl_nlmsg_put_extra_header(request, sizeof(*info));

	info->ifi_index = (int)ifindex;
	mnl_attr_put_u32(request, IFLA_EXT_MASK, RTEXT_FILTER_SKIP_STATS);
	return request;
}

static struct nlmsghdr *begin_link_dump(void *buffer)
{
	return begin_link_question(buffer, NLM_F_DUMP, 0);
}

static struct nlmsghdr *begin_addr_dump(void *buffer)
{
	struct nlmsghdr *request = netlink_begin(buffer, RTM_GETADDR, NLM_F_DUMP);

	mnl_nlmsg_put_extra_header(request, sizeof(struct ifaddrmsg));
	return request;
}

static int dump(struct netlink *nl, struct nlmsghdr *(*begin)(void *buffer), netlink_answer_fn take,
		struct list *list)
{
	char buffer[NETLINK_REQUEST_SIZE] __attribute__((aligned(8)));
	int r = -EINTR;

	for (int i = 0; i < DUMP_TRIES && r == -EINTR; i++) {
		list->count = 0;
		r = netlink_talk(nl, begin(buffer), take, list);
	}
	return r == -EINTR ? -EAGAIN : r;
}

int netlink_list_links(struct netlink *nl, struct netlink_link **ret_links, size_t *ret_count)
{
	struct list list = { .item_size = sizeof(struct netlink_link) };
	int r;

	r = dump(nl, begin_link_dump, take_link, &list);
	if (r < 0) {
		free(list.items);
		return r;
	}
	*ret_links = list.items;
	*ret_count = list.count;
	return 0;
}

int netlink_list_addrs(struct netlink *nl, struct netlink_addr **ret_addrs, size_t *ret_count)
{
	struct list list = { .item_size = sizeof(struct netlink_addr) };
	int r;

	r = dump(nl, begin_addr_dump, take_addr, &list);
	if (r < 0) {
		free(list.items);
		return r;
	}
	*ret_addrs = list.items;
	*ret_count = list.count;
	return 0;
}

static int take_one_link(const struct nlmsghdr *message, void *user)
{
	return netlink_parse_link(message, user);
}

int netlink_link_by_index(struct netlink *nl, uint32_t ifindex, struct netlink_link *ret_link)
{
	char buffer[NETLINK_REQUEST_SIZE] __attribute__((aligned(8)));
	struct netlink_link link = { 0 };
	int r;

	if (ifindex == 0)
		return -ENODEV;
	r = netlink_talk(nl, begin_link_question(buffer, 0, ifindex), take_one_link, &link);
	if (r < 0)
		return r;
	if (link.ifindex != ifindex)
		return -ENODEV;
	*ret_link = link;
	return 0;
}

int netlink_link_by_name(struct netlink *nl, const char *name, struct netlink_link *ret_link)
{
	char buffer[NETLINK_REQUEST_SIZE] __attribute__((aligned(8)));
	struct netlink_link link = { 0 };
	struct nlmsghdr *request;
	int r;

	if (strlen(name) >= IFNAMSIZ || name[0] == '\0')
		return -ENODEV;
	request = begin_link_question(buffer, 0, 0);
	mnl_attr_put_strz(request, IFLA_IFNAME, name);
	r = netlink_talk(nl, request, take_one_link, &link);
	if (r < 0)
		return r;
	/* The kernel also finds a link by its alternative names: not what was asked for. */
	if (strcmp(link.name, name) != 0)
		return -ENODEV;
	*ret_link = link;
	return 0;
}

static int take_nsid(const struct nlmsghdr *message, void *user)
{
	const struct nlattr *attr;
	int32_t *nsid = user;

	if (message->nlmsg_type != RTM_NEWNSID)
		return -EBADMSG;
	mnl_attr_for_each(attr, message, sizeof(struct rtgenmsg))
	{
		if (mnl_attr_get_type(attr) == NETNSA_NSID &&
		    mnl_attr_validate(attr, MNL_TYPE_U32) >= 0)
			*nsid = (int32_t)mnl_attr_get_u32(attr);
	}
	return 0;
}

int netlink_nsid(struct netlink *nl, int netns_fd, int32_t *ret_nsid)
{
	char buffer[NETLINK_REQUEST_SIZE] __attribute__((aligned(8)));
	int32_t nsid = NETNSA_NSID_NOT_ASSIGNED;
	struct nlmsghdr *request;
	int r;

	request = netlink_begin(buffer, RTM_GETNSID, 0);
	mnl_nlmsg_put_extra_header(request, sizeof(struct rtgenmsg));
	mnl_attr_put_u32(request, NETNSA_FD, (uint32_t)netns_fd);
	r = netlink_talk(nl, request, take_nsid, &nsid);
	if (r < 0)
		return r;
	if (nsid < 0)
		return -ENOENT;
	*ret_nsid = nsid;
	return 0;
}

struct netlink_watch {
	struct mnl_socket *socket;
	netlink_news_fn tell;
	void *user;
	char buffer[WATCH_BUFFER] __attribute__((aligned(8)));
};

int netlink_watch_open(int netns_fd, bool with_addrs, netlink_news_fn tell, void *user,
		       struct netlink_watch **ret_watch)
{
	const unsigned int addrs = with_addrs ? RTMGRP_IPV4_IFADDR | RTMGRP_IPV6_IFADDR : 0;
	_cleanup_(netlink_watch_closep) struct netlink_watch *watch = calloc(1, sizeof(*watch));
	int size_bytes = WATCH_SOCKET_BUFFER, r;

	if (!watch)
		return -ENOMEM;
	watch->tell = tell;
	watch->user = user;
	r = netlink_socket_open(netns_fd, SOCK_NONBLOCK, &watch->socket);
	if (r < 0)
		return r;
	if (setsockopt(netlink_watch_fd(watch), SOL_SOCKET, SO_RCVBUF, &size_bytes,
		       sizeof(size_bytes)) < 0)
		return -errno;
	if (mnl_socket_bind(watch->socket, RTMGRP_LINK | addrs, MNL_SOCKET_AUTOPID) < 0)
		return -errno;
	*ret_watch = TAKE_PTR(watch);
	return 0;
}

int netlink_watch_fd(const struct netlink_watch *watch)
{
	return mnl_socket_get_fd(watch->socket);
}

/* A bridge tells of its ports in the same messages: that one was removed from it is not that it is gone. */
static bool is_of_a_bridge(const struct nlmsghdr *message)
{
	const struct ifinfomsg *info = mnl_nlmsg_get_payload(message);

	return info->ifi_family == AF_BRIDGE;
}

static void watch_tell(struct netlink_watch *watch, const struct nlmsghdr *message)
{
	struct netlink_link link;

	if (message->nlmsg_type == RTM_NEWADDR || message->nlmsg_type == RTM_DELADDR) {
		watch->tell(NETLINK_ADDRS_CHANGED, NULL, watch->user);
		return;
	}
	if (netlink_parse_link(message, &link) < 0 || is_of_a_bridge(message))
		return;
	watch->tell(message->nlmsg_type == RTM_NEWLINK ? NETLINK_LINK_NEW : NETLINK_LINK_REMOVED,
		    &link, watch->user);
}

static void watch_tell_all(struct netlink_watch *watch, int len)
{
	const struct nlmsghdr *message = (const void *)watch->buffer;

	for (; mnl_nlmsg_ok(message, len); message = mnl_nlmsg_next(message, &len))
		watch_tell(watch, message);
}

int netlink_watch_read(struct netlink_watch *watch)
{
	for (;;) {
		ssize_t len = recv(netlink_watch_fd(watch), watch->buffer, sizeof(watch->buffer),
				   MSG_TRUNC);

		if (len < 0 && errno == EINTR)
			continue;
		if (len < 0 && errno == EAGAIN)
			return 0;
		if (len < 0 && errno != ENOBUFS)
			return -errno;
		if (len < 0 || (size_t)len > sizeof(watch->buffer))
			watch->tell(NETLINK_NEWS_LOST, NULL, watch->user);
		else
			watch_tell_all(watch, (int)len);
	}
}

void netlink_watch_close(struct netlink_watch *watch)
{
	if (!watch)
		return;
	if (watch->socket)
		mnl_socket_close(watch->socket);
	free(watch);
}

void netlink_watch_closep(struct netlink_watch **watch)
{
	netlink_watch_close(*watch);
}
