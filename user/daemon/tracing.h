/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * tracing.h - the way of a request through the owner: lanes, ring -> event -> message -> call -> chain -> sink.
 *
 * One trace at a time. While it runs, the programs tell what they see of the traced endpoints; when it ends, they
 * are silent again and cost one look-up.
 */
#ifndef HF_DAEMON_TRACING_H
#define HF_DAEMON_TRACING_H

#include <jansson.h>
#include <stddef.h>
#include <stdint.h>

#include "daemon/managed.h"
#include "link/programs.h"
#include "trace/tracer.h"

struct tracing;

struct tracing_options {
	struct programs *programs;
	struct managed *managed;
	const uint32_t *endpoint; /* ids of the traced endpoints */
	size_t endpoints;
	void (*on_chain)(void *ctx, const struct chain *chain);
	void *ctx;
};

int tracing_start(const struct tracing_options *options, struct tracing **ret_tracing);
/* A descriptor: an edge when a lane or the ring fills up. Else tracing_poll() on a timer is soon enough. */
int tracing_fd(const struct tracing *tracing);
/*
 * Takes what is there, a bounded number of events at a time, and lets the tracer's clock go on. When a lane was nearly full,
 * the calling thread gets processor time before others until it has caught up.
 */
void tracing_poll(struct tracing *tracing);
/* No more events: hands out all that is open. */
void tracing_finish(struct tracing *tracing);
void tracing_free(struct tracing *tracing); /* stops it if it runs */

/* What was seen and what was lost, for every report. A new reference. */
json_t *tracing_report(const struct tracing *tracing);

#endif
