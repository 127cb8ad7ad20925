/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * session.c - a trace, from its request to its report. Calls go to the client as they are found; the client writes
 * the files, so what it asked for in its folder is written with its own rights.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <time.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "daemon/owner.h"
#include "daemon/reply.h"

#define TICK_NS	    100000000ULL /* a lane wakes us sooner when it fills up */
#define PROGRESS_NS 500000000ULL

static bool is_among(const uint32_t *id, size_t count, uint32_t wanted)
{
	for (size_t i = 0; i < count; i++)
		if (id[i] == wanted)
			return true;
	return false;
}

static bool is_root(const struct trace_session *trace, const struct call *call)
{
	return is_among(trace->root, trace->root_srcs, call->src) &&
	       is_among(trace->root + trace->root_srcs, trace->root_dsts, call->dst);
}

static void on_chain(void *ctx, const struct chain *chain)
{
	struct owner *owner = ctx;
	struct trace_session *trace = &owner->trace;

	if (trace->wanted && trace->chains >= trace->wanted)
		return;
	if (client_send_later(trace->client, WIRE_CALLS, chain->call,
			      chain->calls * sizeof(*chain->call)) < 0)
		trace->unsent++;
	if (is_root(trace, &chain->call[0]))
		trace->chains++;
}

static void on_ring(void *ctx, uint32_t events)
{
	struct owner *owner = ctx;

	if (owner->trace.tracing)
		tracing_poll(owner->trace.tracing);
}

static json_t *progress_of(const struct trace_session *trace)
{
	json_t *report = tracing_report(trace->tracing);

	json_object_set_new(report, "counted", json_integer((json_int_t)trace->chains));
	json_object_set_new(report, "unsent", json_integer((json_int_t)trace->unsent));
	return report;
}

/* The endpoints of a chain, and how many of them its first and its second word mean. */
struct cast {
	uint32_t id[TRACED_MAX];
	size_t word[TRACED_MAX]; /* which of the chain's words means it */
	size_t count, words;
	size_t first, second;
};

static int take_word(struct owner *owner, const char *word, struct cast *cast, char *ret_error)
{
	_cleanup_(freep) uint32_t *id = NULL;
	size_t count = 0;
	int r;

	r = managed_take_all(owner->managed, word, &id, &count, ret_error);
	for (size_t i = 0; i < count && r >= 0; i++) {
		if (is_among(cast->id, cast->count, id[i])) {
			snprintf(ret_error, ENDPOINT_ERROR_MAX, "%s stands twice in the chain",
				 managed_name(owner->managed, id[i]));
			return -EINVAL;
		}
		if (cast->count == TRACED_MAX) {
			snprintf(ret_error, ENDPOINT_ERROR_MAX, "more than %d endpoints",
				 TRACED_MAX);
			return -EINVAL;
		}
		cast->word[cast->count] = cast->words;
		cast->id[cast->count++] = id[i];
	}
	cast->words++;
	return r;
}

static int take_endpoints(struct owner *owner, const json_t *names, struct cast *ret_cast,
			  char *ret_error)
{
	struct cast cast = {};
	bool is_new;
	json_t *name;
	size_t i;
	int r = 0;

	json_array_foreach(names, i, name)
	{
		if (!json_is_string(name))
			return -EINVAL;
		r = take_word(owner, json_string_value(name), &cast, ret_error);
		if (r < 0)
			return r;
		if (i == 0)
			cast.first = cast.count;
		if (i == 1)
			cast.second = cast.count - cast.first;
	}
	for (i = 0; i < cast.count && r >= 0; i++)
		r = managed_attach(owner->managed, cast.id[i], &is_new, ret_error);
	if (r >= 0)
		*ret_cast = cast;
	return r;
}

static json_t *names_of(const struct owner *owner)
{
	json_t *names = json_object();
	char key[16];

	for (size_t i = 0; i < managed_count(owner->managed); i++) {
		const struct managed_endpoint *endpoint = managed_at(owner->managed, i);

		snprintf(key, sizeof(key), "%u", endpoint->id);
		json_object_set_new(names, key, json_string(endpoint->name));
	}
	return names;
}

/* For each word of the chain, the ids that it means. */
static json_t *ids_of(const struct cast *cast)
{
	json_t *chain = json_array();

	for (size_t i = 0; i < cast->words; i++)
		json_array_append_new(chain, json_array());
	for (size_t i = 0; i < cast->count; i++)
		json_array_append_new(json_array_get(chain, cast->word[i]),
				      json_integer(cast->id[i]));
	return chain;
}

/* What is to be added to CLOCK_MONOTONIC to get the time of day. */
static int64_t realtime_offset_ns(void)
{
	struct timespec real, mono;

	clock_gettime(CLOCK_MONOTONIC, &mono);
	clock_gettime(CLOCK_REALTIME, &real);
	return ((int64_t)real.tv_sec - mono.tv_sec) * 1000000000 + (real.tv_nsec - mono.tv_nsec);
}

static int start(struct owner *owner, const uint32_t *id, size_t count)
{
	int r;

	r = tracing_start(
		&(struct tracing_options){
			.programs = owner->programs,
			.managed = owner->managed,
			.endpoint = id,
			.endpoints = count,
			.on_chain = on_chain,
			.ctx = owner,
		},
		&owner->trace.tracing);
	if (r < 0)
		return r;
	loop_timer_set(owner->tick_fd, TICK_NS);
	/* edge-triggered: something may be left in the ring that is too young to be read, and the timer is soon enough for that */
	return loop_watch(owner->loop, tracing_fd(owner->trace.tracing), EPOLLIN | EPOLLET, on_ring,
			  owner);
}

void session_begin(struct owner *owner, struct client *client, const json_t *request)
{
	uint64_t for_ns = (uint64_t)json_integer_value(json_object_get(request, "for_ns"));
	char error[ENDPOINT_ERROR_MAX] = "a chain is at least two names";
	char missing[PROBE_MISSING_MAX];
	struct cast cast = {};
	int r;

	if (owner->trace.client)
		return reply_error(client, false, "a trace is running already");
	if (!probe_can_trace(&owner->probe)) {
		snprintf(error, sizeof(error),
			 "this kernel can't be traced, faults work: it lacks %s (see: hopfault "
			 "check)",
			 probe_missing(&owner->probe, missing));
		return reply_error(client, false, error);
	}
	r = take_endpoints(owner, json_object_get(request, "chain"), &cast, error);
	if (r < 0 || cast.second == 0)
		return reply_error(client, r != -EBUSY, error);
	owner->trace = (struct trace_session){
		.client = client,
		.root_srcs = cast.first,
		.root_dsts = cast.second,
		.wanted = (uint64_t)json_integer_value(json_object_get(request, "chains")),
		.deadline_ns = for_ns ? clock_now_ns() + for_ns : 0,
		.next_progress_ns = clock_now_ns() + PROGRESS_NS,
	};
	memcpy(owner->trace.root, cast.id, sizeof(cast.id));
	r = start(owner, cast.id, cast.count);
	if (r < 0) {
		session_drop(owner);
		snprintf(error, sizeof(error), "cannot trace: %s", strerror(-r));
		return reply_error(client, false, error);
	}
	client_send_json(client, WIRE_REPLY,
			 json_pack("{s:b,s:o,s:o,s:I}", "ok", 1, "names", names_of(owner), "chain",
				   ids_of(&cast), "realtime_offset_ns",
				   (json_int_t)realtime_offset_ns()));
}

void session_drop(struct owner *owner)
{
	if (owner->trace.tracing)
		loop_unwatch(owner->loop, tracing_fd(owner->trace.tracing));
	tracing_free(owner->trace.tracing);
	owner->trace = (struct trace_session){};
}

void session_finish(struct owner *owner)
{
	struct client *client = owner->trace.client;

	if (!client)
		return;
	tracing_finish(owner->trace.tracing);
	client_send_json(client, WIRE_END, progress_of(&owner->trace));
	session_drop(owner);
	client_end(client);
}

void session_tick(struct owner *owner, uint64_t now_ns)
{
	struct trace_session *trace = &owner->trace;

	if (!trace->client)
		return;
	tracing_poll(trace->tracing);
	if ((trace->wanted && trace->chains >= trace->wanted) ||
	    (trace->deadline_ns && now_ns >= trace->deadline_ns)) {
		session_finish(owner);
		return;
	}
	if (now_ns >= trace->next_progress_ns) {
		trace->next_progress_ns = now_ns + PROGRESS_NS;
		client_send_json(trace->client, WIRE_PROGRESS, progress_of(trace));
	}
}
