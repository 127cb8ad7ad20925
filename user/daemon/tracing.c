/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * tracing.c - see tracing.h.
 */
#include "daemon/tracing.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/priority.h"
#include "link/events.h"

#define POLL_MAX_NS    100000000ULL /* then the loop has other things to do */
#define FINISH_MAX_NS  500000000ULL
#define EVENTS_AT_ONCE 4096 /* between two looks at the clock */
#define PRESSING       (HF_LANE_SLOTS / 8 * 7) /* slots of a lane that wait */
#define CALM_NS	       1000000000ULL /* not behind for so long: no hurry any more */

struct lost_total {
	uint64_t packet_events;
	uint64_t socket_events;
};

struct tracing {
	struct tracing_options with;
	uint32_t *endpoint; /* copy */
	struct tracer *tracer;
	struct events *events;
	bool is_on;
	uint64_t pressed_ns; /* when it last fell behind; 0: it is in no hurry */
	struct lost_total lost_before;
};

static struct lost_total read_lost(const struct tracing *tracing)
{
	int cpus = libbpf_num_possible_cpus();
	_cleanup_(freep) struct hf_lost *lost =
		cpus > 0 ? calloc((size_t)cpus, sizeof(*lost)) : NULL;
	struct lost_total total = {};
	const uint32_t zero = 0;

	if (!lost || bpf_map_lookup_elem(programs_map_fd(tracing->with.programs, PROGRAMS_LOST),
					 &zero, lost) < 0)
		return total;
	for (int i = 0; i < cpus; i++) {
		total.packet_events += lost[i].packet_events;
		total.socket_events += lost[i].socket_events;
	}
	return total;
}

/*
 * The reader shares the processors with what it watches. It is in no hurry, and lets a service that wakes up go before it,
 * until it falls behind; then it goes first, until it has not been behind for a second. On Linux this is the calling
 * thread's own: the lease and the delay engine have theirs.
 */
static void hurry_if_pressed(struct tracing *tracing, uint64_t now_ns)
{
	if (events_waiting(tracing->events) >= PRESSING) {
		if (!tracing->pressed_ns)
			priority_hurry();
		tracing->pressed_ns = now_ns;
	} else if (tracing->pressed_ns && now_ns > tracing->pressed_ns + CALM_NS) {
		priority_give_way();
		tracing->pressed_ns = 0;
	}
}

static int set_traced(struct tracing *tracing, bool traced)
{
	int r = 0;

	for (size_t i = 0; i < tracing->with.endpoints; i++) {
		int one = managed_set_traced(tracing->with.managed, tracing->endpoint[i], traced);

		r = one < 0 ? one : r;
	}
	return r;
}

static int turn_on(struct tracing *tracing)
{
	int r;

	r = set_traced(tracing, true);
	if (r >= 0)
		r = programs_watch_sockets(tracing->with.programs);
	if (r < 0) {
		set_traced(tracing, false);
		return r;
	}
	tracing->lost_before = read_lost(tracing);
	programs_config(tracing->with.programs)->tracing = 1;
	tracing->is_on = true;
	priority_give_way();
	return 0;
}

static void turn_off(struct tracing *tracing)
{
	programs_config(tracing->with.programs)->tracing = 0;
	programs_unwatch_sockets(tracing->with.programs);
	set_traced(tracing, false);
	tracing->is_on = false;
}

static void on_chain(void *ctx, const struct chain *chain)
{
	struct tracing *tracing = ctx;

	tracing->with.on_chain(tracing->with.ctx, chain);
}

/* Of several that have the address, in different namespaces, the one that is traced is meant: the others are not seen. */
static uint32_t endpoint_at(void *ctx, const struct hf_addr *addr)
{
	const struct tracing *tracing = ctx;

	return managed_at_address(tracing->with.managed, addr);
}

/* What an earlier trace has left there is not ours. */
static int open_events(struct programs *programs, struct events **ret_events)
{
	struct lanes_shared lanes = programs_lanes(programs);

	return events_open(&lanes, programs_map_fd(programs, PROGRAMS_EVENTS), ret_events);
}

int tracing_start(const struct tracing_options *options, struct tracing **ret_tracing)
{
	struct tracing *tracing = calloc(1, sizeof(*tracing));
	const struct tracer_options tracer = {
		.on_chain = on_chain,
		.endpoint_at = endpoint_at,
		.ctx = tracing,
	};
	int r = -ENOMEM;

	if (!tracing)
		return r;
	tracing->with = *options;
	tracing->endpoint = malloc(options->endpoints * sizeof(*tracing->endpoint));
	if (!tracing->endpoint)
		goto fail;
	memcpy(tracing->endpoint, options->endpoint,
	       options->endpoints * sizeof(*tracing->endpoint));
	r = tracer_new(&tracer, &tracing->tracer);
	if (r < 0)
		goto fail;
	r = open_events(options->programs, &tracing->events);
	if (r < 0)
		goto fail;
	r = turn_on(tracing);
	if (r < 0)
		goto fail;
	*ret_tracing = tracing;
	return 0;
fail:
	tracing_free(tracing);
	return r;
}

int tracing_fd(const struct tracing *tracing)
{
	return programs_map_fd(tracing->with.programs, PROGRAMS_EVENTS);
}

/* Returns how many events there were, or -EAGAIN when there are more. */
static int read_events(struct tracing *tracing, uint64_t before_ns)
{
	const void *event;
	size_t size;

	events_begin(tracing->events);
	for (int read = 0; read < EVENTS_AT_ONCE; read++) {
		event = events_next(tracing->events, before_ns, &size);
		if (!event)
			return read;
		tracer_feed(tracing->tracer, event, size);
	}
	return -EAGAIN;
}

/* The clock goes on only when all before it was read: what is still there would come too late. */
void tracing_poll(struct tracing *tracing)
{
	uint64_t begin_ns = clock_now_ns(), before_ns;
	int r;

	hurry_if_pressed(tracing, begin_ns);
	do {
		before_ns = clock_now_ns() - HF_LANE_SHUT_NS;
		r = read_events(tracing, before_ns);
		if (r >= 0)
			tracer_tick(tracing->tracer, before_ns);
	} while (r == -EAGAIN && before_ns < begin_ns + POLL_MAX_NS);
}

void tracing_finish(struct tracing *tracing)
{
	uint64_t begin_ns;

	if (!tracing->is_on)
		return;
	turn_off(tracing);
	begin_ns = clock_now_ns();
	while (read_events(tracing, UINT64_MAX) == -EAGAIN &&
	       clock_now_ns() - begin_ns < FINISH_MAX_NS)
		;
	tracer_finish(tracing->tracer);
}

void tracing_free(struct tracing *tracing)
{
	if (!tracing)
		return;
	if (tracing->is_on)
		turn_off(tracing);
	priority_usual();
	events_close(tracing->events);
	tracer_free(tracing->tracer);
	free(tracing->endpoint);
	free(tracing);
}

json_t *tracing_report(const struct tracing *tracing)
{
	const struct tracer_stats *stats = tracer_stats(tracing->tracer);
	struct lost_total lost = read_lost(tracing);
	json_t *linked = json_object();

	for (enum link_method method = 0; method < LINK_METHOD_COUNT; method++)
		if (stats->linked[method])
			json_object_set_new(linked, link_method_name(method),
					    json_integer((json_int_t)stats->linked[method]));
	return json_pack("{s:I,s:I,s:I,s:I,s:I,s:I,s:{s:I,s:I,s:I,s:I,s:I,s:I},s:o,s:I,s:I}",
			 "chains", (json_int_t)stats->chains, "calls_complete",
			 (json_int_t)stats->calls_complete, "calls_incomplete",
			 (json_int_t)stats->calls_incomplete, "orphans", (json_int_t)stats->orphans,
			 "packet_events", (json_int_t)stats->events[HF_EVENT_PACKET],
			 "socket_events", (json_int_t)stats->events[HF_EVENT_SOCKET], "lost",
			 "ring_packets",
			 (json_int_t)(lost.packet_events - tracing->lost_before.packet_events),
			 "ring_sockets",
			 (json_int_t)(lost.socket_events - tracing->lost_before.socket_events),
			 "late", (json_int_t)stats->late, "malformed", (json_int_t)stats->malformed,
			 "forgotten", (json_int_t)stats->forgotten_sightings, "refused",
			 (json_int_t)(stats->refused_calls + stats->refused_connections), "linked",
			 linked, "contradictions", (json_int_t)stats->contradictions,
			 "memory_most_bytes", (json_int_t)stats->memory_most);
}
