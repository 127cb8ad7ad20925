/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * container_parse.c - an engine's JSON into structs, believing none of it. See container.h.
 *
 * jansson would nest 2048 deep and take sixteen megabytes of `{},` as a gigabyte of tables, so the shape is looked at
 * first, in one pass without memory. What has the wrong type or does not fit is left out; an entry without an id is
 * no entry.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/text.h"
#include "endpoint/container.h"

#define MODE_SHARED   "container:"
#define LABEL_PROJECT "com.docker.compose.project"
#define LABEL_SERVICE "com.docker.compose.service"
/* podman-compose's own */
#define LABEL_PROJECT_PODMAN "io.podman.compose.project"

static void decrefp(json_t **value)
{
	json_decref(*value);
}

/* Strings are skipped, nothing is checked: that is jansson's part. */
static const char *end_of_string(const char *at, const char *end)
{
	while (at < end && *at != '"')
		at += *at == '\\' && at + 1 < end ? 2 : 1;
	return at;
}

static bool shape_is_bounded(const char *text, size_t len_bytes)
{
	const char *end = text + len_bytes;
	size_t depth = 0, values = 0;

	for (const char *at = text; at < end; at++) {
		if (*at == '"')
			at = end_of_string(at + 1, end);
		else if (*at == '[' || *at == '{')
			depth++;
		else if ((*at == ']' || *at == '}') && depth > 0)
			depth--;
		else if (*at != ',')
			continue;
		values++;
		if (depth > CONTAINER_JSON_DEPTH || values > CONTAINER_JSON_VALUES)
			return false;
	}
	return true;
}

static int parse(const char *text, size_t len_bytes, json_t **ret_root)
{
	if (!text)
		return -EBADMSG;
	if (!shape_is_bounded(text, len_bytes))
		return -E2BIG;
	*ret_root = json_loadb(text, len_bytes, 0, NULL);
	return *ret_root ? 0 : -EBADMSG;
}

static const char *text_at(const json_t *object, const char *key)
{
	const char *text = json_string_value(json_object_get(object, key));

	return text ? text : "";
}

static void take_name(char *to, const char *name)
{
	if (container_name_is_valid(name))
		strcpy(to, name);
}

static enum endpoint_state state_of_word(const char *word)
{
	static const struct {
		const char *word;
		enum endpoint_state state;
	} words[] = {
		{ "running", ENDPOINT_RUNNING },
		{ "stopping", ENDPOINT_RUNNING }, /* Podman's: asked to end, it may take its time */
		{ "paused", ENDPOINT_PAUSED },
		{ "restarting", ENDPOINT_RESTARTING },
		{ "created", ENDPOINT_CREATED },
		{ "configured", ENDPOINT_CREATED },
		{ "initialized", ENDPOINT_CREATED },
		{ "exited", ENDPOINT_EXITED },
		{ "stopped", ENDPOINT_EXITED },
		{ "removing", ENDPOINT_DEAD },
		{ "dead", ENDPOINT_DEAD },
	};

	for (size_t i = 0; i < ARRAY_SIZE(words); i++)
		if (strcmp(words[i].word, word) == 0)
			return words[i].state;
	return ENDPOINT_STATE_UNKNOWN;
}

static enum container_network_mode mode_of_word(const char *word)
{
	if (strcmp(word, "host") == 0)
		return CONTAINER_NET_HOST;
	if (strcmp(word, "none") == 0)
		return CONTAINER_NET_NONE;
	if (strncmp(word, MODE_SHARED, strlen(MODE_SHARED)) == 0)
		return CONTAINER_NET_SHARED;
	return CONTAINER_NET_OWN;
}

/* Engines write a leading slash; a name with another one is a link's alias. */
static void parse_names(const json_t *entry, struct container *container)
{
	const json_t *names = json_object_get(entry, "Names"), *value;
	size_t i;

	json_array_foreach(names, i, value)
	{
		const char *name = json_string_value(value);

		if (name && !container->name[0])
			take_name(container->name, name[0] == '/' ? name + 1 : name);
	}
	if (!container->name[0])
		memcpy(container->name, container->id, CONTAINER_ID_SHORT);
}

static void parse_labels(const json_t *entry, struct container *container)
{
	const json_t *labels = json_object_get(entry, "Labels");

	if (!json_is_object(labels))
		return;
	container->labels = labels;
	take_name(container->project, text_at(labels, LABEL_PROJECT));
	if (!container->project[0])
		take_name(container->project, text_at(labels, LABEL_PROJECT_PODMAN));
	if (container->project[0])
		take_name(container->service, text_at(labels, LABEL_SERVICE));
}

static bool parse_mac(const char *text, uint8_t *ret_mac)
{
	unsigned int byte[6];
	int used = 0;

	if (strlen(text) != 17 ||
	    sscanf(text, "%2x:%2x:%2x:%2x:%2x:%2x%n", &byte[0], &byte[1], &byte[2], &byte[3],
		   &byte[4], &byte[5], &used) != 6 ||
	    used != 17)
		return false;
	for (int i = 0; i < 6; i++)
		ret_mac[i] = (uint8_t)byte[i];
	return true;
}

static bool parse_ipv4(const char *text, struct hf_addr *ret_addr)
{
	*ret_addr = (struct hf_addr){ { [10] = 0xff, 0xff } };
	return inet_pton(AF_INET, text, ret_addr->byte + 12) == 1;
}

static void parse_network(const char *name, const json_t *value, struct container *container)
{
	struct container_network *network;

	if (container->networks == CONTAINER_NETWORKS_MAX)
		return;
	network = &container->network[container->networks++];
	*network = (struct container_network){ 0 };
	if (strlen(name) <= ENDPOINT_NETWORK_MAX)
		take_name(network->name, name);
	network->has_mac = parse_mac(text_at(value, "MacAddress"), network->mac);
	network->has_ipv4 = parse_ipv4(text_at(value, "IPAddress"), &network->ipv4);
	network->has_ipv6 =
		inet_pton(AF_INET6, text_at(value, "GlobalIPv6Address"), network->ipv6.byte) == 1;
}

static void parse_networks(const json_t *entry, struct container *container)
{
	json_t *networks = json_object_get(json_object_get(entry, "NetworkSettings"), "Networks");
	const char *name;
	json_t *value;

	json_object_foreach(networks, name, value) parse_network(name, value, container);
}

static void parse_mode(const json_t *entry, struct container *container)
{
	const char *word = text_at(json_object_get(entry, "HostConfig"), "NetworkMode");

	if (!word[0])
		return; /* not said here */
	container->mode = mode_of_word(word);
	container->mode_is_said = true;
	if (container->mode == CONTAINER_NET_SHARED &&
	    container_id_is_valid(word + strlen(MODE_SHARED)))
		strcpy(container->owner_id, word + strlen(MODE_SHARED));
}

static bool parse_container(const json_t *entry, struct container *container)
{
	const char *id = text_at(entry, "Id");

	if (!container_id_is_valid(id))
		return false;
	strcpy(container->id, id);
	parse_names(entry, container);
	parse_labels(entry, container);
	container->state = state_of_word(text_at(entry, "State"));
	parse_mode(entry, container);
	parse_networks(entry, container);
	return true;
}

void container_share_networks(const struct containers *containers, struct container *guest)
{
	for (size_t i = 0; i < containers->count && guest->mode == CONTAINER_NET_SHARED; i++) {
		const struct container *owner = &containers->container[i];

		if (strcmp(guest->owner_id, owner->id) != 0)
			continue;
		strcpy(guest->owner, owner->name);
		guest->networks = owner->networks;
		memcpy(guest->network, owner->network, sizeof(guest->network));
		return;
	}
}

static void take_entries(struct containers *containers)
{
	json_t *entry;
	size_t i;

	json_array_foreach(containers->root, i, entry)
	{
		struct container *container = &containers->container[containers->count];

		if (parse_container(entry, container))
			containers->count++;
	}
	for (i = 0; i < containers->count; i++)
		container_share_networks(containers, &containers->container[i]);
}

int containers_parse(const char *text, size_t len_bytes, struct containers *ret_containers)
{
	_cleanup_(containers_done) struct containers containers = { 0 };
	int r;

	r = parse(text, len_bytes, &containers.root);
	if (r < 0)
		return r;
	if (!json_is_array(containers.root))
		return -EBADMSG;
	if (json_array_size(containers.root) > CONTAINERS_MAX)
		return -E2BIG;
	containers.container =
		calloc(json_array_size(containers.root) + 1, sizeof(struct container));
	if (!containers.container)
		return -ENOMEM;
	take_entries(&containers);
	*ret_containers = containers;
	containers = (struct containers){ 0 };
	return 0;
}

void containers_done(struct containers *containers)
{
	free(containers->container);
	json_decref(containers->root);
	*containers = (struct containers){ 0 };
}

int container_update(const char *text, size_t len_bytes, struct container *container,
		     pid_t *ret_pid)
{
	_cleanup_(decrefp) json_t *root = NULL;
	const json_t *state, *pid;
	int r;

	r = parse(text, len_bytes, &root);
	if (r < 0)
		return r;
	state = json_object_get(root, "State");
	pid = json_object_get(state, "Pid");
	if (!json_is_integer(pid) || json_integer_value(pid) < 0 ||
	    json_integer_value(pid) > INT32_MAX)
		return -EBADMSG;
	container->state = state_of_word(text_at(state, "Status"));
	parse_mode(root, container);
	if (container->mode != CONTAINER_NET_SHARED) {
		container->networks = 0;
		parse_networks(root, container);
	}
	*ret_pid = (pid_t)json_integer_value(pid);
	return 0;
}

void container_message_parse(const char *text, size_t len_bytes, char *ret_message, size_t size)
{
	_cleanup_(decrefp) json_t *root = NULL;
	const char *message = "";

	if (parse(text, len_bytes, &root) == 0)
		message = text_at(root, "message");
	text_escape_terminal(ret_message, size, message);
}
