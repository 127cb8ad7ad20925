/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * managed_ask.c - questions about endpoints, which change nothing. See managed.h.
 */
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "daemon/managed_parts.h"

struct managed_endpoint *managed_find_mutable(const struct managed *managed, uint32_t id)
{
	size_t place = managed_place(managed, id);

	return place < managed->endpoints ? managed->endpoint[place] : NULL;
}

const struct managed_endpoint *managed_find(const struct managed *managed, uint32_t id)
{
	return managed_find_mutable(managed, id);
}

const char *managed_name(const struct managed *managed, uint32_t id)
{
	const struct managed_endpoint *endpoint = managed_find(managed, id);
	const char *reserved = endpoint_reserved_name(id);

	return endpoint ? endpoint->name : reserved ? reserved : "?";
}

/* Ids are given one after the other, and nobody is ever taken off the list. */
size_t managed_place(const struct managed *managed, uint32_t id)
{
	size_t place = (size_t)id - HF_ENDPOINT_FIRST;

	return id >= HF_ENDPOINT_FIRST && place < managed->endpoints ? place : managed->endpoints;
}

size_t managed_count(const struct managed *managed)
{
	return managed->endpoints;
}

const struct managed_endpoint *managed_at(const struct managed *managed, size_t i)
{
	return managed->endpoint[i];
}

bool managed_is_absent(const struct managed *managed, uint32_t id)
{
	const struct managed_endpoint *endpoint = managed_find_mutable(managed, id);

	return endpoint && endpoint->devices == 0 && !endpoint->found;
}

bool managed_is_unclear(const struct managed_endpoint *endpoint)
{
	for (size_t i = 0; i < endpoint->devices; i++)
		if (endpoint->device[i].network == HF_NETWORK_UNKNOWN)
			return true;
	return false;
}

struct hosts *managed_hosts(struct managed *managed)
{
	return managed->hosts;
}

/* The i-th network that it is on, or will be when it is attached; 0: there are no more. Those without a number are passed over. */
static uint16_t network_at(struct managed *managed, const struct managed_endpoint *endpoint,
			   size_t *i)
{
	const struct endpoint *found = endpoint->found;
	uint16_t number = 0;

	while ((number == 0 || number == HF_NETWORK_UNKNOWN) &&
	       *i < (found ? found->interfaces : endpoint->devices)) {
		number = found ? networks_number(&managed->networks, &found->interface[*i])
			       : endpoint->device[*i].network;
		(*i)++;
	}
	return number;
}

uint16_t managed_network(struct managed *managed, uint32_t id, const char *name)
{
	const struct managed_endpoint *endpoint = managed_find_mutable(managed, id);
	uint16_t number;
	size_t i = 0;

	while (endpoint && (number = network_at(managed, endpoint, &i)))
		if (networks_is_called(&managed->networks, number, name))
			return number;
	return 0;
}

static bool is_address(const struct endpoint_addr *one, const struct hf_addr *other)
{
	return memcmp(&one->addr, other, sizeof(*other)) == 0;
}

uint32_t managed_at_address(const struct managed *managed, const struct hf_addr *addr)
{
	uint32_t found = HF_ENDPOINT_WORLD;

	for (size_t i = 0; i < managed->endpoints; i++) {
		const struct managed_endpoint *endpoint = managed->endpoint[i];

		for (size_t k = 0; k < endpoint->addrs; k++) {
			if (!is_address(&endpoint->addr[k], addr))
				continue;
			if (endpoint->traced)
				return endpoint->id;
			found = endpoint->id;
		}
	}
	return found;
}

bool managed_address_network(struct managed *managed, uint32_t id, const struct hf_addr *addr,
			     uint16_t *ret_network)
{
	struct managed_endpoint *endpoint = managed_find_mutable(managed, id), will = {};

	if (endpoint && endpoint->found) {
		managed_copy_addresses(endpoint->found, &will);
		managed_note_networks(managed, endpoint->found, &will);
		endpoint = &will;
	}
	for (size_t i = 0; endpoint && i < endpoint->addrs; i++)
		if (is_address(&endpoint->addr[i], addr)) {
			if (ret_network)
				*ret_network = endpoint->addr_network[i];
			return true;
		}
	return false;
}

void managed_networks_text(struct managed *managed, uint32_t id, char *text, size_t size)
{
	const struct managed_endpoint *endpoint = managed_find_mutable(managed, id);
	size_t used = 0, i = 0;
	uint16_t number;

	snprintf(text, size, "none that has a name");
	while (endpoint && used < size && (number = network_at(managed, endpoint, &i)))
		used += (size_t)snprintf(text + used, size - used, "%s%s", used ? ", " : "",
					 networks_name(&managed->networks, number));
}

/* Has it an interface that is worked on inside, or one that is not? As it was found last, else as it is attached. */
bool managed_has(const struct managed *managed, uint32_t id, bool inside)
{
	const struct managed_endpoint *endpoint = managed_find_mutable(managed, id);

	if (!endpoint)
		return false;
	for (size_t i = 0; endpoint->found && i < endpoint->found->interfaces; i++)
		if (endpoint->found->interface[i].host.is_inside == inside)
			return true;
	for (size_t i = 0; !endpoint->found && i < endpoint->devices; i++)
		if (endpoint->device[i].is_inside == inside)
			return true;
	return false;
}
