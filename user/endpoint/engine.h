/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * engine.h - who can say what a name means. One file for each engine, one line for each in endpoint.c's table.
 *
 * An engine only says which namespace is meant, and a process in it when it knows one; what is in that
 * namespace is found out in inspect.c, in the same way for all.
 */
#ifndef HF_ENDPOINT_ENGINE_H
#define HF_ENDPOINT_ENGINE_H

#include "endpoint/endpoint.h"

struct endpoint_target {
	pid_t pid; /* 0: none is known */
	uint64_t start_time;
	struct netns netns; /* owned */
};

struct endpoint_names {
	size_t count;
	char (*name)[ENDPOINT_NAME_MAX + 1]; /* owned; without the prefix */
};

struct endpoint_engine {
	enum endpoint_kind kind;
	const char *prefix; /* the word before the colon */
	bool bare; /* a name without a prefix may mean one of these */
	/* Adds names; an engine that is not there has none. NULL: can't be listed. */
	int (*list)(struct endpoint_names *names);
	/* -ENOENT, -ESRCH: no such name; -EINVAL: it can't be one of mine. */
	int (*find)(const char *name, struct endpoint_target *ret_target);
};

extern const struct endpoint_engine endpoint_engine_lab;
extern const struct endpoint_engine endpoint_engine_netns;
extern const struct endpoint_engine endpoint_engine_pid;

int endpoint_names_add(struct endpoint_names *names,
		       const char *name); /* -E2BIG: ENDPOINTS_MAX are in */
void endpoint_names_free(struct endpoint_names *names); /* for _cleanup_ */

/*
 * Where the other end of a veth may be: the caller's own namespace, the lab's switch, all of /run/netns. Taken
 * once for many endpoints.
 */
struct candidates {
	size_t count;
	struct netns *netns; /* owned; the first is the caller's own */
};
int candidates_collect(struct candidates *ret_candidates);
void candidates_free(struct candidates *candidates); /* for _cleanup_ */

/*
 * Fills in what is found inside target (which is taken over). -EMEDIUMTYPE with the reason in ret_error when
 * there is nothing to work on.
 */
int endpoint_inspect(const char *name, enum endpoint_kind kind, struct endpoint_target *target,
		     const struct candidates *candidates, struct endpoint **ret_endpoint,
		     char *ret_error);

#endif
