/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * seeker.h - finds out what became of endpoints that went, or have not come yet, and who is behind veths in quarantine;
 * in threads of its own, as an engine may take its time.
 *
 *     here      what /proc, /run/netns and the lab's file say: a restarted container's id in a process's control group.
 *               Within milliseconds, and before the engine calls the container running
 *     engines   what must be asked of an engine: names of containers that were made anew, and bare words
 *
 * After news both look again and again, at intervals that grow from 4 ms (engines: 50 ms) to 250 ms (1 s). Where there is
 * but to be checked, both look each half second (1 s). An engine's
 * own stream of events is not read: the kernel tells of a veth before the engine tells of its container, and works for
 * engines that have none.
 */
#ifndef HF_DAEMON_SEEKER_H
#define HF_DAEMON_SEEKER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "daemon/guard.h"
#include "endpoint/endpoint.h"
#include "endpoint/sockets.h"

struct seeker;

enum seeker_need {
	SEEKER_HAS, /* nothing */
	SEEKER_CHECKS, /* a look now and then: its addresses may still change */
	SEEKER_MISSES, /* it, or a part of it */
};

/* An endpoint that matters; it is looked for while something of it is needed. */
struct seeker_wish {
	uint32_t endpoint;
	enum seeker_need need; /* for all the owner knows; the guard may know better */
	uint64_t down_ns; /* since when nothing of it is there; 0: something is */
	char word[ENDPOINT_NAME_MAX + 1]; /* what it was called, with its prefix if that is known */
	/* Of the one whose network it has, mostly itself: its last id, which a restart does not change; "". */
	char container[ENDPOINT_ID_MAX + 1];
	struct endpoint_sockets sockets; /* where engines are asked about it */
};

struct seeker_options {
	struct guard *guard;
	void (*found)(void *ctx); /* there is something to take; called by a thread of the seeker */
	void *ctx;
};

int seeker_start(const struct seeker_options *options, struct seeker **ret_seeker);
/* Its threads end, after an engine's answer or its deadline; it may still be hurried. Then the guard may end. */
void seeker_rest(struct seeker *seeker);
void seeker_end(struct seeker *seeker);

/* Replaces who matters. -ENOMEM: it is what it was. */
int seeker_ask(struct seeker *seeker, const struct seeker_wish *wish, size_t count);
/* Something has changed. From any thread. */
void seeker_hurry(struct seeker *seeker);

/* The next that was found; *ret_endpoint is the caller's. False: none. */
bool seeker_take(struct seeker *seeker, uint32_t *ret_id, struct endpoint **ret_endpoint);

#endif
