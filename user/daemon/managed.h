/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * managed.h - the endpoints that the owner has taken in hand: their ids, and the programs on their devices.
 *
 *     word --take--> id, endpoint --attach--> both hooks of each host-side veth
 *                                         --> devices, addresses, namespaces (maps)
 *
 * An endpoint stays managed until its devices are gone or the owner ends. A name keeps its id for the owner's life,
 * also when what it names was taken down and came again.
 */
#ifndef HF_DAEMON_MANAGED_H
#define HF_DAEMON_MANAGED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "daemon/device.h"
#include "daemon/loop.h"
#include "endpoint/endpoint.h"
#include "endpoint/sockets.h"
#include "hold/hold.h"
#include "link/programs.h"

struct managed;

struct managed_endpoint {
	uint32_t id;
	enum endpoint_kind kind; /* a lab service and a namespace may have one name */
	char name[ENDPOINT_NAME_MAX + 1]; /* as ps shows it */
	struct netns_id netns; /* its own */
	struct endpoint_addr addr[ENDPOINT_ADDRS_MAX];
	size_t addrs;
	struct device *device; /* NULL: not there now */
	size_t devices;
	uint64_t delay_ns; /* what its devices were made ready for; 0: nothing */
	bool traced;
	bool outward; /* rules are in force from here to the host or the world */
	char left_out[IFNAMSIZ + 48]; /* see struct endpoint */
	struct endpoint_sockets sockets; /* where engines were asked about it */
	struct endpoint
		*found; /* owned: what the name means now, when that is not what is attached */
};

struct managed_options {
	struct programs *programs;
	struct hold *hold; /* NULL: no TUN here */
	struct loop *loop; /* watches for devices that go */
	enum hf_engine engine; /* what delays are to be done by */
	/* NULL, or called after each endpoint: a request for hundreds of them takes longer than the lease */
	void (*progress)(void *ctx);
	void *ctx;
};

int managed_new(const struct managed_options *options, struct managed **ret_managed);
/* Takes all programs and qdiscs away that were put there. */
void managed_free(struct managed *managed);

/* Where container engines are asked from now on: each request says it anew. */
void managed_use_sockets(struct managed *managed, const struct endpoint_sockets *sockets);

/*
 * The endpoint that a word means: looked up, given its id, not touched. A second name for a namespace that is attached
 * means the endpoint that stands there already. Valid until the next managed_take(). On failure
 * ret_error (ENDPOINT_ERROR_MAX bytes) has a sentence for the user. Errors: those of endpoint_resolve().
 */
int managed_take(struct managed *managed, const char *word,
		 const struct managed_endpoint **ret_endpoint, char *ret_error);

/* The ids of all that a word means (at least one), to be freed. Errors: those of endpoint_select(). */
int managed_take_all(struct managed *managed, const char *word, uint32_t **ret_id,
		     size_t *ret_count, char *ret_error);

/*
 * Our programs on all its devices. *ret_new: they were not there before. On failure nothing new stays attached, and
 * ret_error has a sentence. -EBUSY, -ENODEV, or what the kernel says.
 */
int managed_attach(struct managed *managed, uint32_t id, bool *ret_new, char *ret_error);
/* Takes them away again. */
void managed_detach(struct managed *managed, uint32_t id);

/*
 * Forgets what names were found to mean and nobody attached, when a request has been answered: what was found keeps
 * its namespace alive.
 */
void managed_let_go(struct managed *managed);

/*
 * The number of the network of this name that the endpoint is on, or will be on when it is attached; 0: it is on none.
 * The name is the engine's, or the bridge's.
 */
uint16_t managed_network(struct managed *managed, uint32_t id, const char *name);
/* "back, bridge": those that it is on. */
void managed_networks_text(struct managed *managed, uint32_t id, char *text, size_t size);

/* NULL: nobody has this id. */
const struct managed_endpoint *managed_find(const struct managed *managed, uint32_t id);
const char *managed_name(const struct managed *managed, uint32_t id); /* never NULL */
size_t managed_count(const struct managed *managed);
const struct managed_endpoint *managed_at(const struct managed *managed, size_t i);

/*
 * Packets to this endpoint are about to be delayed by up to delay_ns: an engine is made ready on each device.
 * ret_notice (256 bytes) gets a sentence when it is another engine than the one that was chosen, and is left as it was
 * else.
 */
int managed_ready_to_delay(struct managed *managed, uint32_t id, uint64_t delay_ns,
			   char *ret_notice);

/* Whether there are rules from this endpoint to the host or the world: else what leaves it is not looked at. */
int managed_set_outward(struct managed *managed, uint32_t id, bool outward);

/*
 * Rules are about to name the host or the world: the programs are told which addresses are what, and told anew when an
 * endpoint is attached, until false is said.
 */
int managed_know_outside(struct managed *managed, bool know);

/* Whether sightings and socket events of this endpoint are wanted. */
int managed_set_traced(struct managed *managed, uint32_t id, bool traced);

#endif
