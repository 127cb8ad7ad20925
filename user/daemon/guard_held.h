/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * guard_held.h - one veth in quarantine, and what can happen to it. For the files of the guard alone, which call it with
 * the guard's lock held.
 */
#ifndef HF_DAEMON_GUARD_HELD_H
#define HF_DAEMON_GUARD_HELD_H

#include "daemon/guard.h"
#include "link/netlink.h"

#define GUARD_HOSTS_MAX	  64
#define GUARD_GARBAGE_MAX 512

enum held_state {
	HELD_FREE = 0, /* a free place in the table */
	HELD_UNKNOWN, /* in quarantine */
	HELD_SETTLED, /* identified; the owner will take it over */
	HELD_EXPIRED, /* not in quarantine any more, and still to be identified */
};

enum held_program {
	PROGRAM_NONE = 0,
	PROGRAM_WANTED,
	PROGRAM_IN_WORK,
	PROGRAM_ATTACHED,
};

struct guard_host {
	struct netns netns; /* owned copy; fd -1: a free place */
	struct program_hand hand[CLSACT_HOOKS];
	uint32_t tap;
	struct netlink_watch *watch;
	uint32_t *link; /* ifindexes of all that is there */
	size_t links, room;
	uint32_t newest; /* the highest ifindex that was seen */
	struct guard *guard;
};

struct held {
	enum held_state state;
	struct guard_host *host;
	uint32_t ifindex, peer_ifindex, master;
	bool peer_is_elsewhere; /* else it may be the end that is about to move */
	bool is_counted;
	struct guise as; /* what it is taken for */
	enum held_program program[CLSACT_HOOKS];
	struct attachment hook[CLSACT_HOOKS];
	uint64_t seen_ns, row_ns, program_ns;
	uint64_t until_ns; /* of the state; 0: no limit yet, as it can't carry packets */
};

/* A program that is to be detached, which takes its time. */
struct guard_garbage {
	struct netns netns; /* owned copy */
	uint32_t ifindex;
	enum clsact_hook at;
	struct attachment hook;
};

struct guard_table {
	struct devices *devices;
	int newcomers_fd;
	struct places places;
	struct held held[GUARD_HELD_MAX];
	struct guard_garbage garbage[GUARD_GARBAGE_MAX];
	size_t garbages;
	struct guard_stats stats;
};

struct held *held_find(struct guard_table *table, struct netns_id netns, uint32_t ifindex);
/* Tells the programs that links up to the newest are known, and whom newer ones are taken for. */
void held_tell_newest(struct guard_table *table, const struct guard_host *host);
/* Takes a new veth in, if somebody is missing where it is. */
void held_consider(struct guard_table *table, struct guard_host *host,
		   const struct netlink_link *link);
/* It has changed, or who is missing has: whom is it taken for now? link NULL: it is as it was. */
void held_reconsider(struct guard_table *table, struct held *held, const struct netlink_link *link);
void held_reconsider_all(struct guard_table *table);
void held_settle(struct guard_table *table, struct held *held, uint32_t endpoint);
void held_release(struct guard_table *table, struct held *held);
/* Its link has gone. */
void held_forget(struct guard_table *table, struct held *held);
/* A program's fate is known. */
void held_attached(struct guard_table *table, struct held *held, enum clsact_hook at, int r,
		   const struct attachment *hook);
/* Time has passed; returns when it is to be called again (UINT64_MAX: no need). */
uint64_t held_expire(struct guard_table *table, uint64_t now_ns);
/* Of a veth there; *hook is empty then. */
void held_throw_away(struct guard_table *table, const struct netns *netns, uint32_t ifindex,
		     enum clsact_hook at, struct attachment *hook);
/* Leaves it a free place. */
void held_make_free(struct held *held);

#endif
