/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * trace_client.h - a trace on the client's side: a conversation with the owner, and the command that makes the traffic.
 *
 *     open: the command is made, and waits  --begin--> the owner traces  --go--> it runs
 *     step, step, ...: chains come           --stop, or the command's end--> the last of them, and the report
 */
#ifndef HF_CLI_TRACE_CLIENT_H
#define HF_CLI_TRACE_CLIENT_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cli/child.h"
#include "daemon/wire.h"
#include "trace/call.h"

struct trace_client {
	/* set by the user before it is opened */
	void (*on_chain)(void *ctx, const struct chain *chain);
	void (*on_progress)(void *ctx, const json_t *progress); /* or NULL */
	void *ctx;
	unsigned int child_flags; /* CHILD_* */

	/* for the user to read */
	json_t *reply; /* the owner's, to the request; NULL: not begun */
	json_t *report; /* at the end; NULL: there was none */
	struct child child; /* pid 0: none runs */
	bool had_child;
	int child_status; /* when it has ended */
	bool is_interrupted; /* a signal asked for the end */
	int failure; /* the first; 0: none */

	int fd, signal_fd;
	bool asked_to_stop;
	struct wire_reader reader;
};

#define TRACE_CLIENT_NONE .fd = -1, .signal_fd = -1, .child = { .gate = -1 }, .reader = { .fd = -1 }

/* {"command": "trace", "chain": [...]} of "a,b,c", where engines are asked. */
json_t *trace_client_request(const char *chain, const char *docker, const char *podman);

/* command NULL: none. An exit status; what was wrong has been told. */
int trace_client_open(struct trace_client *client, char **command);
/* The reference to the request is taken. An exit status, as above. */
int trace_client_begin(struct trace_client *client, json_t *request);
/* The command, if there is one. */
void trace_client_go(struct trace_client *client);
/* Waits so long for anything, -1 for ever. False: the trace has ended. */
bool trace_client_step(struct trace_client *client, int timeout_ms);
/* What is on its way still comes. */
void trace_client_stop(struct trace_client *client);
/* Also of one that was not opened. A command that still runs is ended. */
void trace_client_done(struct trace_client *client);

/* The name of an endpoint's id; NULL: not of this trace. */
const char *trace_client_name(const struct trace_client *client, uint32_t id);

#endif
