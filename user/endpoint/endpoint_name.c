/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * endpoint_name.c - what a name may look like, and how kinds and addresses are written. Pure.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "endpoint/endpoint.h"

bool endpoint_name_is_valid(const char *name)
{
	static const char allowed[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
				      "0123456789_.:/@-";
	size_t len = strlen(name);

	if (len == 0 || len > ENDPOINT_NAME_MAX || strspn(name, allowed) != len)
		return false;
	/* `.` and `..` are places; what begins with - is an option somewhere, with @ or - a spreadsheet's formula. */
	return strcmp(name, ".") != 0 && strcmp(name, "..") != 0 && name[0] != '-' &&
	       name[0] != '@';
}

const char *endpoint_interface_network(const struct endpoint_interface *interface)
{
	if (interface->network[0])
		return interface->network;
	return interface->host.bridge[0] ? interface->host.bridge : "-";
}

const char *endpoint_reserved_name(uint32_t id)
{
	switch (id) {
	case HF_ENDPOINT_WORLD:
		return "world";
	case HF_ENDPOINT_HOST:
		return "host";
	case HF_ENDPOINT_QUARANTINE:
		return "quarantine";
	case HF_ENDPOINT_OTHER:
		return "unnamed";
	}
	return NULL;
}

const char *endpoint_kind_word(enum endpoint_kind kind)
{
	switch (kind) {
	case ENDPOINT_LAB:
		return "lab";
	case ENDPOINT_NETNS:
		return "netns";
	case ENDPOINT_PID:
		return "pid";
	case ENDPOINT_DOCKER:
		return "docker";
	case ENDPOINT_PODMAN:
		return "podman";
	case ENDPOINT_CONTAINERD:
		return "containerd";
	case ENDPOINT_UNIT:
		return "unit";
	case ENDPOINT_KINDS:
		break;
	}
	return "unknown";
}

const char *endpoint_state_word(enum endpoint_state state)
{
	switch (state) {
	case ENDPOINT_RUNNING:
		return "running";
	case ENDPOINT_PAUSED:
		return "paused";
	case ENDPOINT_RESTARTING:
		return "restarting";
	case ENDPOINT_CREATED:
		return "created";
	case ENDPOINT_EXITED:
		return "exited";
	case ENDPOINT_DEAD:
		return "dead";
	case ENDPOINT_STATE_UNKNOWN:
		break;
	}
	return "";
}

int endpoint_full_name(const struct endpoint *endpoint, char *ret_name, size_t size)
{
	int len = snprintf(ret_name, size, "%s:%s", endpoint_kind_word(endpoint->kind),
			   endpoint->name);

	return len < 0 || (size_t)len >= size ? -ENAMETOOLONG : 0;
}

const char *endpoint_addr_text(const struct hf_addr *addr, char *ret_text)
{
	if (hf_addr_is_ipv4(addr))
		return inet_ntop(AF_INET, addr->byte + 12, ret_text, INET6_ADDRSTRLEN);
	return inet_ntop(AF_INET6, addr->byte, ret_text, INET6_ADDRSTRLEN);
}
