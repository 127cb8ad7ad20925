/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * whose.h - the other way round: here is a host-side veth, who is behind it?
 *
 *     veth --IFLA_LINK_NETNSID--> namespace --> its names in /run/netns, a process in it --> its container's id
 *
 * Answered from the kernel alone, without an engine, so that it is known while the engine is still starting the container.
 */
#ifndef HF_ENDPOINT_WHOSE_H
#define HF_ENDPOINT_WHOSE_H

#include <stdbool.h>
#include <stdint.h>

#include "endpoint/endpoint.h"

struct whose {
	char name[NETNS_NAME_MAX + 1]; /* in /run/netns, the first of several; "": none */
	bool has_process; /* somebody is in there */
	char container[ENDPOINT_ID_MAX + 1]; /* of the oldest process that has one; "": none */
};

/* -EAGAIN: its other end is not in another namespace (yet); -ENODEV: no such link. */
int endpoint_whose(const struct netns *host, uint32_t ifindex, struct whose *ret_whose);

/*
 * Does a word mean the container with this id, or one that has its network (a member of a pod, by the pod's), for the engine at
 * one of these sockets? 1: yes; 0: an engine knows the container, and the word means another. -ENOENT: no engine knows it.
 * -ETIMEDOUT and others: the engine can't be asked. Waits, at most ENDPOINT_ENGINES_WAIT_NS, and asks nothing that the
 * container, which is just being started, could delay.
 */
int endpoint_means_container(const struct endpoint_sockets *sockets, const char *word,
			     const char *container_id);

#endif
