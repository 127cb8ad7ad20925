/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * outside.h - which addresses are the host's, and which are nobody's business here: what is left is the world.
 *
 *     an address of the namespace in which the veths are      the host
 *     the networks on its bridges, and those of endpoints     somebody's whom nobody named: neither host nor world
 *     groups, broadcast, link-local                           likewise
 *     everything else                                         the world
 *
 * Told to the programs as prefixes in the map of addresses, only while rules name the host or the world. Read anew
 * with each such request, with each endpoint that is attached meanwhile, and when an address of the host's comes or goes.
 */
#ifndef HF_DAEMON_OUTSIDE_H
#define HF_DAEMON_OUTSIDE_H

#include <stddef.h>
#include <stdint.h>

#include "abi.h"
#include "link/netns.h"

struct outside_entry {
	struct hf_prefix_key key;
	uint32_t endpoint; /* HF_ENDPOINT_HOST or HF_ENDPOINT_OTHER */
};

/* Begin with zeroes. An address means something in one namespace: set netns before anything is added or looked for. */
struct outside {
	struct outside_entry *entry; /* owned */
	size_t count, room;
	uint32_t netns; /* as in hf_device_key */
};

void outside_done(struct outside *outside);

/* Groups, broadcast and link-local. -ENOMEM. */
int outside_add_common(struct outside *outside);
/* All addresses of a namespace, and the networks on its bridges. */
int outside_add_host(struct outside *outside, int netns_fd);
/* The network that an address is on; prefix_len of the 128. Nothing when it is one of a single address. */
int outside_add_network(struct outside *outside, const struct hf_addr *addr, uint8_t prefix_len);

/* What was known of this namespace before, and is not there now. */
int outside_keep(struct outside *outside, const struct outside *before, uint32_t netns);

/* Whose an address is by the longest prefix: HF_ENDPOINT_HOST, _OTHER, or _WORLD where none has it. */
uint32_t outside_find(const struct outside *outside, const struct hf_addr *addr);

/* Puts new in the map, in the place of what old put there (which may be empty). Addresses of endpoints stay theirs. */
int outside_tell(int addresses_fd, const struct outside *old, const struct outside *new);

#endif
