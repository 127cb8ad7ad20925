/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * managed.h - the endpoints that the owner has taken in hand: their ids, and the programs on their devices.
 *
 *     word --take--> id, endpoint --attach--> both hooks of each host-side veth
 *                                         --> devices, addresses, namespaces (maps)
 *
 *     up    its devices are attached       down  they have gone; it is looked for, see follow.h
 *     waiting  nobody has seen it yet      `when up` was said of it
 *
 * A name keeps its id for the owner's life, also when what it names was taken down and came again.
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
	enum endpoint_kind
		kind; /* a lab service and a namespace may have one name; 0: waiting, and not known */
	char name[ENDPOINT_NAME_MAX + 1]; /* as ps shows it */
	char word[ENDPOINT_NAME_MAX +
		  1]; /* what it is found again by: lab:a; while it waits, what was said */
	char container[ENDPOINT_ID_MAX + 1]; /* the last id of the one whose network it has; "" */
	struct netns_id netns; /* its own */
	struct endpoint_addr addr[ENDPOINT_ADDRS_MAX];
	uint16_t addr_network
		[ENDPOINT_ADDRS_MAX]; /* the number of the network that each is on; 0: none */
	size_t addrs;
	uint32_t host[ENDPOINT_INTERFACES_MAX]; /* numbers of the namespaces where they are told */
	size_t hosts;
	struct device *device; /* NULL: not there now */
	size_t devices;
	size_t width; /* how many it had at most */
	uint64_t delay_ns; /* what its devices were made ready for; 0: nothing */
	bool traced;
	bool outward; /* rules are in force from here to the host or the world */
	bool delays_outward; /* its devices were made ready to delay what leaves by them */
	char left_out[IFNAMSIZ + 48]; /* see struct endpoint */
	struct endpoint_sockets sockets; /* where engines were asked about it */
	bool is_waiting; /* nobody has seen it yet */
	bool has_lost; /* a device, and none has come for it */
	bool had_network; /* a device of its was on one that has a number */
	uint32_t reattached; /* how often it came again */
	uint32_t quarantined; /* veths of its that were treated as its before they were known */
	uint64_t changed_ns; /* when it last lost or got a device */
	bool has_moved; /* has lost one, or got one that no command brought: the rest of it may follow */
	uint64_t
		reattach_ns; /* the last time: from its veth's appearance until that was guarded; 0: unknown */
	uint64_t identify_ns; /* until it was known to be its, and all was attached; 0: unknown */
	struct endpoint
		*found; /* owned: what the name means now, when that is not what is attached */
};

struct managed_options {
	struct programs *programs;
	struct hold *hold; /* NULL: no TUN here */
	struct loop *loop; /* watches for devices that go */
	struct guard *guard;
	/* After an endpoint has lost a device, or one is on another network. */
	void (*changed)(void *ctx);
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
 * The endpoint that a word will mean, when nothing is known by it yet (`when up`): one that is down, or a waiting one.
 * -EINVAL: not a name.
 */
int managed_await(struct managed *managed, const char *word,
		  const struct managed_endpoint **ret_endpoint, char *ret_error);

/*
 * It is there again, or for the first time: *now (which is taken) is what is attached from now on; what stays of its devices
 * is not touched meanwhile. Errors: those of managed_attach().
 */
int managed_found(struct managed *managed, uint32_t id, struct endpoint **now, char *ret_error);

/* Nothing is attached, and nothing was found that could be. */
bool managed_is_absent(const struct managed *managed, uint32_t id);
/* Of one of its devices it is not known on which network it is: nobody has told yet. */
bool managed_is_unclear(const struct managed_endpoint *endpoint);
struct hosts *managed_hosts(struct managed *managed);

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
/* Does it have this address, or will it when it is attached? Then on which network (ret_network may be NULL). */
bool managed_address_network(struct managed *managed, uint32_t id, const struct hf_addr *addr,
			     uint16_t *ret_network);
/* Who has this address now; of several the one that is traced. HF_ENDPOINT_WORLD: nobody that is known. */
uint32_t managed_at_address(const struct managed *managed, const struct hf_addr *addr);
/* "back, bridge": those that it is on. */
void managed_networks_text(struct managed *managed, uint32_t id, char *text, size_t size);

/*
 * Has the endpoint an interface that is worked on inside (a macvlan or ipvlan), or (inside false) one behind a veth? Neither
 * of one that is not there.
 */
bool managed_has(const struct managed *managed, uint32_t id, bool inside);
/* To be called now and then: sees which devices inside endpoints have gone. */
void managed_look_inside(struct managed *managed);

/* NULL: nobody has this id. */
const struct managed_endpoint *managed_find(const struct managed *managed, uint32_t id);
const char *managed_name(const struct managed *managed, uint32_t id); /* never NULL */
size_t managed_count(const struct managed *managed);
/* The i of managed_at() for an id; managed_count(): nobody has it. */
size_t managed_place(const struct managed *managed, uint32_t id);
const struct managed_endpoint *managed_at(const struct managed *managed, size_t i);

/*
 * Packets to this endpoint are about to be delayed by up to delay_ns: an engine is made ready on each device.
 * ret_notice (256 bytes) gets a sentence when it is another engine than the one that was chosen, and is left as it was
 * else.
 */
int managed_ready_to_delay(struct managed *managed, uint32_t id, uint64_t delay_ns,
			   char *ret_notice);

/* The same for packets from this endpoint to the host or the world. -ENXIO: there is no TUN, which that needs. */
int managed_ready_to_delay_outward(struct managed *managed, uint32_t id, char *ret_notice);

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
