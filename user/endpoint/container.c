/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * container.c - which containers a word means, and which network an interface is on. See container.h.
 */
#include "endpoint/container.h"

#include <string.h>

bool container_name_is_valid(const char *name)
{
	static const char allowed[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
				      "0123456789_.-";
	size_t len = strlen(name);

	return len > 0 && len <= ENDPOINT_NAME_MAX && strspn(name, allowed) == len &&
	       strspn(name, "_.-") == 0;
}

static bool is_hex(const char *text)
{
	return text[strspn(text, "0123456789abcdef")] == '\0';
}

bool container_id_is_valid(const char *id)
{
	return strlen(id) == CONTAINER_ID_LEN && is_hex(id);
}

static bool is_beginning_of_id(const char *text, const char *id)
{
	size_t len = strlen(text);

	return len >= CONTAINER_ID_PREFIX_MIN && len <= CONTAINER_ID_LEN && is_hex(text) &&
	       strncmp(id, text, len) == 0;
}

static enum endpoint_match match_name(const struct container *container, const char *name)
{
	if (strcmp(container->name, name) == 0)
		return ENDPOINT_MATCH_NAME;
	if (container->service[0] && strcmp(container->service, name) == 0)
		return ENDPOINT_MATCH_SERVICE;
	return is_beginning_of_id(name, container->id) ? ENDPOINT_MATCH_ID : ENDPOINT_MATCH_NOT;
}

static bool has_label(const struct container *container, const struct selector *selector)
{
	const char *value = json_string_value(json_object_get(container->labels, selector->text));

	return value && (selector->any_value || strcmp(value, selector->value) == 0);
}

enum endpoint_match container_match(const struct container *container,
				    const struct selector *selector)
{
	bool is_meant = false;

	switch (selector->kind) {
	case SELECT_NAME:
		return match_name(container, selector->text);
	case SELECT_SERVICE:
		return strcmp(container->project, selector->text) == 0 &&
				       strcmp(container->service, selector->value) == 0
			       ? ENDPOINT_MATCH_SERVICE
			       : ENDPOINT_MATCH_NOT;
	case SELECT_LABEL:
		is_meant = has_label(container, selector);
		break;
	case SELECT_PATTERN:
	case SELECT_ALL:
		is_meant = selector_matches_name(selector, container->name);
		break;
	}
	return is_meant ? ENDPOINT_MATCH_MANY : ENDPOINT_MATCH_NOT;
}

static bool has_address(const struct container_network *network,
			const struct endpoint_interface *interface)
{
	for (size_t i = 0; i < interface->addrs; i++) {
		const struct hf_addr *addr = &interface->addr[i].addr;

		if (network->has_ipv4 && memcmp(addr, &network->ipv4, sizeof(*addr)) == 0)
			return true;
		if (network->has_ipv6 && memcmp(addr, &network->ipv6, sizeof(*addr)) == 0)
			return true;
	}
	return false;
}

const struct container_network *container_network_of(const struct container *container,
						     const struct endpoint_interface *interface)
{
	for (size_t i = 0; i < container->networks; i++)
		if (container->network[i].has_mac &&
		    memcmp(container->network[i].mac, interface->mac, 6) == 0)
			return &container->network[i];
	for (size_t i = 0; i < container->networks; i++)
		if (has_address(&container->network[i], interface))
			return &container->network[i];
	return NULL;
}
