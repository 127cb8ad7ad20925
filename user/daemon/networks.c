/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * networks.c - see networks.h.
 */
#include "daemon/networks.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void networks_done(struct networks *networks)
{
	free(networks->network);
	*networks = (struct networks){};
}

static bool has_bridge_of(const struct network *network, const struct endpoint_interface *interface)
{
	return network->bridge && network->bridge == interface->host.master &&
	       netns_id_equal(network->host, interface->host.netns.id);
}

/* An engine's name is the better one: bridges go and come with it, and their numbers are given again. */
static struct network *find_same(const struct networks *networks,
				 const struct endpoint_interface *interface)
{
	for (size_t i = 0; interface->network[0] && i < networks->count; i++)
		if (strcmp(networks->network[i].name, interface->network) == 0)
			return &networks->network[i];
	for (size_t i = 0; i < networks->count; i++)
		if (has_bridge_of(&networks->network[i], interface) &&
		    (!interface->network[0] || !networks->network[i].name[0]))
			return &networks->network[i];
	return NULL;
}

static struct network *add(struct networks *networks)
{
	struct network *more;

	if (networks->count == HF_NETWORK_UNKNOWN - 1)
		return NULL;
	more = realloc(networks->network, (networks->count + 1) * sizeof(*more));
	if (!more)
		return NULL;
	networks->network = more;
	more[networks->count] = (struct network){};
	return &more[networks->count++];
}

uint16_t networks_find(const struct networks *networks, const struct endpoint_interface *interface)
{
	const struct network *network = find_same(networks, interface);

	return network ? (uint16_t)(network - networks->network + 1) : 0;
}

uint16_t networks_number(struct networks *networks, const struct endpoint_interface *interface)
{
	struct network *network;

	if (!interface->network[0] && !interface->host.master)
		return 0;
	network = find_same(networks, interface);
	if (!network)
		network = add(networks);
	if (!network)
		return 0;
	if (interface->network[0])
		snprintf(network->name, sizeof(network->name), "%s", interface->network);
	network->host = interface->host.netns.id;
	network->bridge = interface->host.master;
	snprintf(network->bridge_name, sizeof(network->bridge_name), "%s", interface->host.bridge);
	return (uint16_t)(network - networks->network + 1);
}

bool networks_is_called(const struct networks *networks, uint16_t number, const char *name)
{
	const struct network *network;

	if (number == 0 || number > networks->count)
		return false;
	network = &networks->network[number - 1];
	return strcmp(network->name, name) == 0 || strcmp(network->bridge_name, name) == 0;
}

const char *networks_name(const struct networks *networks, uint16_t number)
{
	const struct network *network;

	if (number == 0 || number > networks->count)
		return "";
	network = &networks->network[number - 1];
	return network->name[0] ? network->name : network->bridge_name;
}
