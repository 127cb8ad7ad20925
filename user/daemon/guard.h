/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * guard.h - a veth that appears while somebody who is partitioned away is missing is treated as the missing one, at once,
 * and asked who it is afterwards.
 *
 *     before any news: its ifindex is new --> judged at its peers as everyone together who is guarded there
 *
 *     RTM_NEWLINK --> whom may it be? --> its row in the map of devices     what it sends is judged at its peers
 *        |            (places.h)     \--> link_enter at its egress          what is sent to it is judged here
 *        |                           \--> link_leave, with rules outward    what it sends to the host and the world
 *        |                                  identified as the missing one:  settled, until the owner takes it over
 *        '-- from when it can carry ------> as somebody else:               released at once
 *            packets, 2 s at most           not at all:                     released
 *
 * Two threads, as nothing else may come in between: one reads the news and writes the map (microseconds), the other attaches
 * (which waits for the lock of rtnetlink and a grace period of the kernel). The owner's loop may be waiting for
 * anything meanwhile. A veth whose other end is in the same namespace has a row and no program: it may be the end that is
 * about to move into the container.
 *
 * What is held here dies with the process, as all that is attached does.
 */
#ifndef HF_DAEMON_GUARD_H
#define HF_DAEMON_GUARD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "daemon/places.h"
#include "link/programs.h"

#define GUARD_HELD_MAX	    256 /* veths at a time; more are counted as missed */
#define GUARD_QUARANTINE_NS 2000000000ULL

struct guard;

struct guard_options {
	struct devices *devices; /* to be told of what is held */
	int newcomers_fd; /* the map */
	/* Somebody went missing, or a veth is to be identified. Called by a thread of the guard: be quick. */
	void (*news)(void *ctx);
	void *ctx;
};

struct guard_stats {
	uint32_t held; /* veths, now */
	uint64_t quarantined; /* ever */
	uint64_t identified; /* of these: as one that was missing */
	uint64_t foreign; /* as somebody else */
	uint64_t expired; /* not within the time */
	uint64_t missed; /* not quarantined, for want of room or by an error */
	uint64_t row_last_ns, row_max_ns; /* from the news until its row was written */
	uint64_t program_last_ns,
		program_max_ns; /* until the programs were attached, where there was a use for them */
};

int guard_start(const struct guard_options *options, struct guard **ret_guard);
void guard_end(struct guard *guard); /* releases all; NULL is fine */

/*
 * A namespace whose news are to be read; again: a new TAP. hand[CLSACT_HOOKS] stay the caller's. -E2BIG, or what
 * opening says.
 */
int guard_watch(struct guard *guard, const struct netns *netns, const struct program_hand *hand,
		uint32_t tap);
/* Those in which nobody has a place are not watched any more. */
void guard_unwatch_unused(struct guard *guard);
bool guard_watches(struct guard *guard, struct netns_id netns);

/* As places_set() and places_forget(); what is not there any more is seen to be vacant. */
int guard_set(struct guard *guard, uint32_t endpoint, const struct place *now, size_t count,
	      bool is_whole);
void guard_forget(struct guard *guard, uint32_t endpoint);

/* A place of its is vacant. */
bool guard_misses(struct guard *guard, uint32_t endpoint);

/* A veth that is to be identified. */
struct guard_question {
	struct netns netns; /* owned copy */
	uint32_t ifindex;
};
/* Returns how many, at most `max`. */
size_t guard_questions(struct guard *guard, struct guard_question *ret_question, size_t max);
/* It is this endpoint's; nothing when it is not held here. */
void guard_settle(struct guard *guard, struct netns_id netns, uint32_t ifindex, uint32_t endpoint);
/* It is nobody's who is missing. */
void guard_release(struct guard *guard, struct netns_id netns, uint32_t ifindex);

/* What became of it before the owner took it over. */
struct guard_adoption {
	struct attachment hook[CLSACT_HOOKS]; /* is_attached false: no program (yet) */
	uint64_t seen_ns; /* when its news were read */
	uint64_t row_ns; /* its row was written */
	uint64_t program_ns; /* all that are of use there were attached; 0: not yet */
};
/* The owner makes it a device of its own: row and program are its now. False: it is not held here. */
bool guard_adopt(struct guard *guard, struct netns_id netns, uint32_t ifindex,
		 struct guard_adoption *ret_adoption);

void guard_stats(struct guard *guard, struct guard_stats *ret_stats);

#endif
