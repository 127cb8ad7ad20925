/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * container.h - what an engine says about its containers, as far as it concerns a network; and which of them a
 * word means. Pure: text in, structs out.
 *
 *     GET /containers/json?all=1    --> id, names, labels, state, networks       (struct containers)
 *     GET /containers/ID/json       --> the process, and what has changed since
 *
 * The text is foreign: its size is bounded by who read it, its depth and its number of values here; names
 * that are not [A-Za-z0-9][A-Za-z0-9_.-]* are taken as none, so that no container is called a path, another engine's
 * `lab:a`, or a terminal's escape. One whose name is not taken is called by its id. Docker and Podman answer alike.
 */
#ifndef HF_ENDPOINT_CONTAINER_H
#define HF_ENDPOINT_CONTAINER_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "abi.h"
#include "endpoint/selector.h"

#define CONTAINER_ID_LEN	64 /* lower-case hexadecimal digits */
#define CONTAINER_ID_SHORT	12
#define CONTAINER_ID_PREFIX_MIN 4 /* fewer are no id */
#define CONTAINER_JSON_DEPTH	24
#define CONTAINER_JSON_VALUES	500000
#define CONTAINERS_MAX		4096 /* in one answer, running or not */
#define CONTAINER_NETWORKS_MAX	ENDPOINT_INTERFACES_MAX

enum container_network_mode {
	CONTAINER_NET_OWN = 0,
	CONTAINER_NET_HOST,
	CONTAINER_NET_NONE,
	CONTAINER_NET_SHARED, /* another container's */
};

struct container_network {
	char name[ENDPOINT_NETWORK_MAX + 1]; /* "" when it is not one to be printed */
	bool has_mac, has_ipv4, has_ipv6;
	uint8_t mac[6];
	struct hf_addr ipv4;
	struct hf_addr ipv6;
};

struct container {
	char id[CONTAINER_ID_LEN + 1];
	char name[ENDPOINT_NAME_MAX + 1]; /* never empty: else the short id */
	char project[ENDPOINT_NAME_MAX + 1]; /* of compose; "" when it is not one of its services */
	char service[ENDPOINT_NAME_MAX + 1];
	enum endpoint_state state;
	enum container_network_mode mode;
	bool mode_is_said; /* else it is not known yet: Podman's list says nothing of it */
	/* Of a shared namespace: the container whose it is; both "" else, or when it is not known. */
	char owner_id[CONTAINER_ID_LEN + 1];
	char owner[ENDPOINT_NAME_MAX + 1];
	size_t networks;
	struct container_network network[CONTAINER_NETWORKS_MAX];
	const json_t *labels; /* borrowed; may be NULL */
};

struct containers {
	size_t count;
	struct container *container; /* owned */
	json_t *root; /* owned: what labels points into */
};

/* -EBADMSG: not what such an answer looks like; -E2BIG: too deep, too many; -ENOMEM. */
int containers_parse(const char *text, size_t len_bytes, struct containers *ret_containers);
void containers_done(struct containers *containers); /* for _cleanup_ */

/*
 * Brings a container up to date with the answer about it alone (it may have restarted since the list was made): state,
 * networks, process (0: none). -EBADMSG, -E2BIG, -ENOMEM: it is as it was.
 */
int container_update(const char *text, size_t len_bytes, struct container *container,
		     pid_t *ret_pid);

/*
 * Who is in another's namespace has its networks, which engines tell of the owner alone: they are taken from there. Nothing
 * happens to a container that has its own. Docker says whose it is in the list, Podman in the later answer only.
 */
void container_share_networks(const struct containers *containers, struct container *guest);

/* The engine's own word about an error, escaped for the terminal; "" when it has none. */
void container_message_parse(const char *text, size_t len_bytes, char *ret_message, size_t size);

/* [A-Za-z0-9][A-Za-z0-9_.-]*, at most ENDPOINT_NAME_MAX characters: what engines and compose allow. */
bool container_name_is_valid(const char *name);
bool container_id_is_valid(const char *id); /* all its digits */

/* In what way it is meant: NOT, else the strongest that applies. */
enum endpoint_match container_match(const struct container *container,
				    const struct selector *selector);
/* The network that an interface belongs to, by its MAC, else by one of its addresses; NULL: none of them. */
const struct container_network *container_network_of(const struct container *container,
						     const struct endpoint_interface *interface);

#endif
