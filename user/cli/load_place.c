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
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"

static struct load_place *place_new(struct load_places *places)
{
	return places->count == LOAD_PLACES_MAX ? NULL : &places->place[places->count++];
}

int load_places_lab(struct load_places *ret_places, char *ret_error)
{
	_cleanup_(lab_status_free) struct lab_status status = {};
	char address[INET6_ADDRSTRLEN];
	int r;

	r = lab_status(&status, ret_error);
	if (r < 0)
		return r;
	ret_places->count = 0;
	for (size_t i = 0; i < status.nodes; i++) {
		const struct lab_node_status *node = &status.node[i];
		struct load_place *place = node->is_client ? NULL : place_new(ret_places);

		if (!place)
			continue;
		place->tier = node->tier;
		snprintf(place->name, sizeof(place->name), "%s", node->name);
		snprintf(place->address, sizeof(place->address), "%s:%d",
			 endpoint_addr_text(&node->ipv4, address), LAB_PORT);
	}
	if (!ret_places->count) {
		snprintf(ret_error, LOAD_PLACE_ERROR_MAX, "the lab has no service");
		return -ENOENT;
	}
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

/* The services that are called by who sends, with commas between. */
void load_places_target(const struct load_places *places, char *ret_target, size_t size)
{
	size_t len = 0;

	ret_target[0] = '\0';
	for (size_t i = 0; i < places->count && len < size; i++)
		if (places->place[i].tier == 1)
			len += (size_t)snprintf(ret_target + len, size - len, "%s%s",
						len ? "," : "", places->place[i].address);
}

static int add_place(const struct endpoint *from, const char *to, struct load_places *places,
		     char *ret_error)
{
	struct load_place *place = place_new(places);

	if (!place) {
		snprintf(ret_error, LOAD_PLACE_ERROR_MAX, "--to: at most %d", LOAD_PLACES_MAX);
		return -E2BIG;
	}
	place->tier = 1;
	snprintf(place->name, sizeof(place->name), "%s", to);
	return find_target(from, to, place->address, sizeof(place->address), ret_error);
}

int load_places_endpoint(const char *from, const char *to, struct load_places *ret_places,
			 char *ret_error)
{
	_cleanup_(endpoint_freep) struct endpoint *endpoint = NULL;
	_cleanup_(freep) char *list = strdup(to);
	char *rest = NULL;
	int r;

	if (!list)
		return -ENOMEM;
	r = endpoint_resolve(from, &endpoint, ret_error);
	ret_places->count = 0;
	for (char *word = strtok_r(list, ",", &rest); word && r == 0;
	     word = strtok_r(NULL, ",", &rest))
		r = add_place(endpoint, word, ret_places, ret_error);
	if (r < 0)
		return r;
	if (setns(endpoint->netns.fd, CLONE_NEWNET) < 0) {
		r = -errno;
		snprintf(ret_error, LOAD_PLACE_ERROR_MAX, "can't enter the namespace of %s: %s",
			 endpoint->name, strerror(-r));
	}
	return r;
}
