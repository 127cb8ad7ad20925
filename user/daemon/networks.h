/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * networks.h - numbers for the networks that endpoints are on, so that a program can compare them.
 *
 *     an engine's network "back", and the bridge br-1f02 that it is made of     one number
 *     a bridge that somebody made by hand                                       one number
 *
 * A number is never used again while the owner lives. A network that is made anew by its engine under its old name
 * keeps its number: the faults on it stay.
 */
#ifndef HF_DAEMON_NETWORKS_H
#define HF_DAEMON_NETWORKS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "endpoint/endpoint.h"

struct network {
	char name[ENDPOINT_NETWORK_MAX + 1]; /* the engine's; "" while no engine has told */
	struct netns_id host; /* where its bridge is */
	uint32_t bridge; /* 0: it has none */
	char bridge_name[IFNAMSIZ];
};

/* Begin with zeroes. The number of a network is its place, plus one. */
struct networks {
	struct network *network; /* owned */
	size_t count;
};

void networks_done(struct networks *networks);

/* 0: neither name nor bridge, or no room for one more. */
uint16_t networks_number(struct networks *networks, const struct endpoint_interface *interface);
/* 0: not known yet. */
uint16_t networks_find(const struct networks *networks, const struct endpoint_interface *interface);
/* By its engine or by its bridge's name. */
bool networks_is_called(const struct networks *networks, uint16_t number, const char *name);
/* "back"; "" for 0. */
const char *networks_name(const struct networks *networks, uint16_t number);

#endif
