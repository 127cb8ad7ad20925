/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * netlink_socket.h - for the files in link/ that need a bare rtnetlink socket of a namespace.
 */
#ifndef HF_LINK_NETLINK_SOCKET_H
#define HF_LINK_NETLINK_SOCKET_H

#include <libmnl/libmnl.h>

/* netns_fd -1: the calling thread's own. flags: SOCK_NONBLOCK or 0. */
int netlink_socket_open(int netns_fd, int flags, struct mnl_socket **ret_socket);

#endif
