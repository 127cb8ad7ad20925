/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * load_place.c - from words to a namespace to send from and an address to send to.
 *
 * A target is always an address in the end: a name that is looked up inside the sender's namespace would be looked up
 * with the host's files.
 */
#include "cli/load_place.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/rtnetlink.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"

int load_place_lab(char *ret_target, size_t size, char *ret_error)
{
	_cleanup_(lab_status_free) struct lab_status status = {};
	char address[INET6_ADDRSTRLEN];
	size_t i = 0;
	int r;

	r = lab_status(&status, ret_error);
	if (r < 0)
		return r;
	while (i < status.nodes && status.node[i].is_client)
		i++;
	if (i == status.nodes) {
		snprintf(ret_error, LOAD_PLACE_ERROR_MAX, "the lab has no service");
		return -ENOENT;
	}
	snprintf(ret_target, size, "%s:%d", endpoint_addr_text(&status.node[i].ipv4, address),
		 LAB_PORT);
	return lab_enter_client(ret_error);
}

/* "docker:web:8080": what stands behind the last colon is the port. The port itself is checked by who connects. */
static int split_port(const char *to, char ret_name[ENDPOINT_NAME_MAX + 1], const char **ret_port)
{
	const char *colon = strrchr(to, ':');

	if (!colon || colon == to || !colon[1] || colon - to > ENDPOINT_NAME_MAX)
		return -EINVAL;
	snprintf(ret_name, ENDPOINT_NAME_MAX + 1, "%.*s", (int)(colon - to), to);
	*ret_port = colon + 1;
	return 0;
}

static bool is_address(const char *name)
{
	struct in_addr ipv4;

	return name[0] == '[' || inet_pton(AF_INET, name, &ipv4) == 1;
}

static bool is_on_network(const struct endpoint *endpoint, const char *network)
{
	for (size_t i = 0; i < endpoint->interfaces; i++)
		if (strcmp(endpoint->interface[i].network, network) == 0)
			return true;
	return false;
}

/* The greater, the better; 0: no use. A network that both are on is more than a family. */
static int worth(const struct endpoint *from, const struct endpoint_interface *interface,
		 const struct endpoint_addr *addr)
{
	if (addr->scope != RT_SCOPE_UNIVERSE)
		return 0;
	return 1 + hf_addr_is_ipv4(&addr->addr) + 2 * is_on_network(from, interface->network);
}

static const struct hf_addr *best_address(const struct endpoint *from, const struct endpoint *to)
{
	const struct hf_addr *best = NULL;
	int most = 0;

	for (size_t i = 0; i < to->interfaces; i++) {
		const struct endpoint_interface *interface = &to->interface[i];

		for (size_t k = 0; k < interface->addrs; k++) {
			int value = worth(from, interface, &interface->addr[k]);

			if (value <= most)
				continue;
			most = value;
			best = &interface->addr[k].addr;
		}
	}
	return best;
}

static int find_target(const struct endpoint *from, const char *to, char *ret_target, size_t size,
		       char *ret_error)
{
	_cleanup_(endpoint_freep) struct endpoint *endpoint = NULL;
	char name[ENDPOINT_NAME_MAX + 1], text[INET6_ADDRSTRLEN];
	const struct hf_addr *addr;
	const char *port;
	int r;

	if (split_port(to, name, &port) < 0) {
		snprintf(ret_error, LOAD_PLACE_ERROR_MAX, "--to: write NAME:PORT or ADDRESS:PORT");
		return -EINVAL;
	}
	if (is_address(name))
		return snprintf(ret_target, size, "%s", to) < (int)size ? 0 : -ENAMETOOLONG;
	r = endpoint_resolve(name, &endpoint, ret_error);
	if (r < 0)
		return r;
	addr = best_address(from, endpoint);
	if (!addr) {
		snprintf(ret_error, LOAD_PLACE_ERROR_MAX, "--to: %s has no address",
			 endpoint->name);
		return -EADDRNOTAVAIL;
	}
	endpoint_addr_text(addr, text);
	snprintf(ret_target, size, hf_addr_is_ipv4(addr) ? "%s:%s" : "[%s]:%s", text, port);
	return 0;
}

int load_place_endpoint(const char *from, const char *to, char *ret_target, size_t size,
			char *ret_error)
{
	_cleanup_(endpoint_freep) struct endpoint *endpoint = NULL;
	int r;

	r = endpoint_resolve(from, &endpoint, ret_error);
	if (r == 0)
		r = find_target(endpoint, to, ret_target, size, ret_error);
	if (r < 0)
		return r;
	if (setns(endpoint->netns.fd, CLONE_NEWNET) < 0) {
		r = -errno;
		snprintf(ret_error, LOAD_PLACE_ERROR_MAX, "can't enter the namespace of %s: %s",
			 endpoint->name, strerror(-r));
	}
	return r;
}
