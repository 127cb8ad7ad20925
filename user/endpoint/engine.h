/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * engine.h - who can say what a word means. One file for each engine, one line for each in engines.c's table.
 *
 *     selector --engine--> targets: namespace, a process in it, what the engine knows of it
 *
 * An engine only says which namespace is meant; what is in that namespace is found out in inspect.c, in the same
 * way for all.
 */
#ifndef HF_ENDPOINT_ENGINE_H
#define HF_ENDPOINT_ENGINE_H

#include "endpoint/container.h"
#include "endpoint/endpoint.h"
#include "endpoint/selector.h"
#include "endpoint/sockets.h"

struct endpoint_target {
	enum endpoint_kind kind;
	enum endpoint_match match;
	char name[ENDPOINT_NAME_MAX + 1];
	pid_t pid; /* 0: none is known */
	uint64_t start_time;
	struct netns netns; /* owned; NETNS_NONE: it does not run, or refusal says why */
	char refusal
		[ENDPOINT_REASON_MAX]; /* why it can't be worked on, for all that is known; "" */
	bool is_gone; /* the refusal is about a moment: its process was not to be found */
	struct container *container; /* owned, its labels NULL; NULL: not of a container engine */
};

struct endpoint_names {
	size_t count;
	char (*name)[ENDPOINT_NAME_MAX + 1]; /* owned; without the prefix */
};

/* What engines answered to one selector. */
struct found {
	size_t targets;
	struct endpoint_target *target; /* owned */
	struct endpoint_names names; /* what they know, when it was to be had for nothing */
	uint64_t deadline_ns; /* for those that have to be waited for */
	struct endpoint_sockets sockets; /* where engines are asked */
	unsigned int slow_engines; /* how many of them have not been asked yet, this one included */
	/* Of the engine asked last: why it can't say; safe to print. */
	char trouble[ENDPOINT_ERROR_MAX / 2];
	bool absent; /* the trouble is that there is no such engine, and nobody said that there is */
};

struct endpoint_engine {
	enum endpoint_kind kind;
	const char *prefix; /* the word before the colon */
	const char *what; /* "'x' is not a ..." */
	bool bare; /* a name without a prefix may mean one of these */
	/*
	 * Engines that have a plain list of names:
	 * list adds names; an engine that is not there has none. NULL: can't be listed.
	 * find: -ENOENT, -ESRCH: no such name; -EINVAL: it can't be one of mine. Fills pid, start_time, netns.
	 */
	int (*list)(struct endpoint_names *names);
	int (*find)(const char *name, struct endpoint_target *ret_target);
	/* Of a name on the list: is it one of several that this word means together? NULL: no word does. */
	bool (*is_one_of)(const char *name, const char *word);
	/*
	 * Engines that have more to say: adds targets, and names that are known. NULL: list and find will do.
	 * On failure found->trouble has the reason, and nothing was added.
	 */
	int (*select)(const struct selector *selector, struct found *found);
	bool (*waits)(const struct endpoint_sockets
			      *sockets); /* would it have to be waited for? NULL: no */
};

extern const struct endpoint_engine endpoint_engine_lab;
extern const struct endpoint_engine endpoint_engine_netns;
extern const struct endpoint_engine endpoint_engine_pid;
extern const struct endpoint_engine endpoint_engine_docker;
extern const struct endpoint_engine endpoint_engine_podman;
extern const struct endpoint_engine endpoint_engine_containerd;
extern const struct endpoint_engine endpoint_engine_unit;

/* NULL behind the last; the order is that of `ps`, and of whose name a shared namespace has. */
extern const struct endpoint_engine *const endpoint_engines[];

int endpoint_names_add(struct endpoint_names *names,
		       const char *name); /* -E2BIG: ENDPOINTS_MAX are in */
void endpoint_names_free(struct endpoint_names *names); /* for _cleanup_ */

/* Takes the target's resources over, whatever comes of it. */
int found_add(struct found *found, struct endpoint_target *target);
void found_free(struct found *found); /* for _cleanup_ */
void endpoint_target_done(struct endpoint_target *target); /* for _cleanup_ */

/* Asks one engine, by its select or by its list and find. */
int endpoint_engine_ask(const struct endpoint_engine *engine, const struct selector *selector,
			struct found *found);

/*
 * Where the other end of a veth may be: the caller's own namespace, the lab's switch, all of /run/netns, and
 * when that is not enough the namespaces of all processes (an engine may have its bridges in one without a name). Taken
 * once for many endpoints.
 */
struct candidates {
	size_t count;
	struct netns *netns; /* owned; the first is the caller's own */
	bool has_processes; /* those of all processes are in */
};
int candidates_collect(struct candidates *ret_candidates);
int candidates_add_processes(struct candidates *candidates);
void candidates_free(struct candidates *candidates); /* for _cleanup_ */

/*
 * Fills in what is found inside target (which is emptied). -EMEDIUMTYPE when there is nothing to work on; then
 * *ret_endpoint is set as well, has no interface, and its refusal says why.
 */
int endpoint_inspect(struct endpoint_target *target, struct candidates *candidates,
		     struct endpoint **ret_endpoint);

#endif
