/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * places.h - where the endpoints that are to be kept apart have their veths, and where one of them is missing. Pure.
 *
 *     web: (host, vethA, br0)  (host, vethB, br1)       vethA goes: web is missing on br0
 *                                                       a new veth on br0, or on no bridge yet: may be web's
 *
 * A veth that appears where exactly one is missing is taken for that one. Where several are, it is taken for
 * HF_ENDPOINT_QUARANTINE, which is cut from whomever one of them is cut from (fault/quarantine.h).
 * Small numbers: all is looked through from the first to the last. Not for several threads at once.
 */
#ifndef HF_DAEMON_PLACES_H
#define HF_DAEMON_PLACES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "abi.h"
#include "link/netns.h"

struct place {
	uint32_t endpoint;
	struct netns_id netns; /* of the host side */
	uint32_t ifindex; /* 0: it has not been there yet */
	uint32_t master; /* 0: none */
	uint16_t network; /* its number; 0: of none that has one */
	bool is_outward; /* rules are in force from here to the host or the world */
	bool is_vacant; /* its veth is not there */
};

/* What a veth is taken for. */
struct guise {
	uint32_t endpoint; /* HF_ENDPOINT_NONE: nobody is missing there */
	uint16_t network; /* HF_NETWORK_UNKNOWN: one of several */
	bool is_outward;
};

struct places {
	struct place *place; /* owned */
	size_t count;
};

void places_done(struct places *places); /* leaves it empty */

/*
 * What an endpoint has now (endpoint and all other fields of each are the caller's). is_whole: that is all. Else it is
 * known to have had more: a place of before that is not taken by one of these is vacant from now on, so that there are
 * never fewer than before. -ENOMEM: nothing has changed.
 */
int places_set(struct places *places, uint32_t endpoint, const struct place *now, size_t count,
	       bool is_whole);
void places_forget(struct places *places, uint32_t endpoint);

/* The veth has gone; true: it was somebody's. */
bool places_gone(struct places *places, struct netns_id netns, uint32_t ifindex);
/* It belongs to another bridge now. */
void places_moved(struct places *places, struct netns_id netns, uint32_t ifindex, uint32_t master);
/* Everyone who has a place there, as one: HF_ENDPOINT_NONE, the only one, or HF_ENDPOINT_QUARANTINE. */
uint32_t places_all(const struct places *places, struct netns_id netns);
bool places_have_netns(const struct places *places, struct netns_id netns);

/*
 * Whom a veth that has just come is to be taken for. master 0: it is on no bridge (yet). A vacant place whose bridge
 * is_there() denies may come again on any.
 */
struct guise places_whose(const struct places *places, struct netns_id netns, uint32_t master,
			  bool (*is_there)(const void *ctx, uint32_t ifindex), const void *ctx);
/* It is this endpoint's: on which of its networks, if that can be told, and does it have rules to the host or the world? */
struct guise places_as(const struct places *places, struct netns_id netns, uint32_t master,
		       uint32_t endpoint);

#endif
