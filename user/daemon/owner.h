/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * owner.h - what the daemon's own files share: everything that the owner holds, in the order in which it is made. It
 * is taken down in reverse.
 */
#ifndef HF_DAEMON_OWNER_H
#define HF_DAEMON_OWNER_H

#include <stdbool.h>
#include <stdint.h>

#include "daemon/client.h"
#include "daemon/daemon.h"
#include "daemon/faults.h"
#include "daemon/follow.h"
#include "daemon/lease.h"
#include "daemon/loop.h"
#include "daemon/managed.h"
#include "daemon/tracing.h"
#include "hold/hold.h"
#include "link/probe.h"
#include "link/programs.h"

#define KEEPERS_MAX 256
#define TRACED_MAX  256

/* A process for whose life a fault was asked. */
struct keeper {
	struct owner *owner;
	int pidfd; /* -1: free place */
	uint64_t token;
	uint64_t ended_ns; /* 0: it runs */
};

/* The trace that runs, and for whom. */
struct trace_session {
	struct client *client; /* NULL: none runs */
	struct tracing *tracing;
	/*
	 * Chains that begin on a link from the first word's endpoints (one, unless it means several) to the second's are
	 * counted: root[0, root_srcs) are the sources, and root_dsts more the destinations.
	 */
	uint32_t root[TRACED_MAX];
	size_t root_srcs, root_dsts;
	uint64_t wanted; /* chains; 0: until told */
	uint64_t deadline_ns; /* 0: until told */
	uint64_t chains; /* counted so far */
	uint64_t unsent; /* chains that the client did not take in time */
	uint64_t next_progress_ns;
};

struct owner {
	struct daemon_options with;
	struct probe probe;
	int lock_fd;
	char grace_note[256];
	struct loop *loop;
	struct programs *programs;
	struct hold *hold; /* NULL: no TUN here */
	struct follow *follow;
	struct managed *managed;
	struct faults *faults;
	struct lease *lease;
	struct clients *clients;
	int listen_fd;
	int signal_fd;
	int tick_fd;
	uint64_t started_ns;
	uint64_t busy_ns; /* when there was last something to do */
	bool is_ending;
	struct keeper keeper[KEEPERS_MAX];
	struct trace_session trace;
};

/* requests.c: one request, answered. */
void requests_handle(void *ctx, struct client *client, json_t *request);

/* session.c: the trace. */
void session_begin(struct owner *owner, struct client *client, const json_t *request);
void session_tick(struct owner *owner, uint64_t now_ns);
/* Hands out what is left, reports, and ends the client. Nothing when no trace runs. */
void session_finish(struct owner *owner);
/* The client has gone: nobody wants the rest. */
void session_drop(struct owner *owner);

/* keeper.c: the fault lives while the process does. -ESRCH: it has ended. */
int keeper_add(struct owner *owner, pid_t pid, uint64_t token);
void keeper_drop(struct owner *owner, uint64_t token);
/* Heals for those whose process has ended a moment ago. */
void keeper_tick(struct owner *owner, uint64_t now_ns);

#endif
