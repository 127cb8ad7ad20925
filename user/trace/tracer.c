/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * tracer.c - the pipe from raw events to chains of calls, joined in one place: see tracer_join().
 */
#include <errno.h>
#include <stdlib.h>
#include <sys/random.h>
#include <time.h>

#include "base/cleanup.h"
#include "trace/calls.h"
#include "trace/chain.h"
#include "trace/event.h"
#include "trace/message.h"
#include "trace/tracer.h"

#define MS 1000000ULL
#define S  (1000 * MS)

#define SWEEP_NS (50 * MS) /* looking at all open calls is not for every tick */

struct tracer {
	struct tracer_options options;
	struct budget budget;
	struct tracer_stats stats;
	struct event_window *window;
	struct messages *messages;
	struct calls calls;
	struct chains *chains;
	uint64_t swept_ns;
};

static void or_default(uint64_t *value, uint64_t default_value)
{
	if (!*value)
		*value = default_value;
}

static uint64_t random_seed(void)
{
	uint64_t seed;
	struct timespec now;

	if (getrandom(&seed, sizeof(seed), GRND_NONBLOCK) == (ssize_t)sizeof(seed))
		return seed;
	clock_gettime(CLOCK_REALTIME, &now);
	return (uint64_t)now.tv_sec * S + (uint64_t)now.tv_nsec;
}

static void set_defaults(struct tracer_options *options)
{
	or_default(&options->window_ns, 10 * MS);
	or_default(&options->settle_ns, S);
	or_default(&options->call_ns, 30 * S);
	or_default(&options->connection_ns, 300 * S);
	or_default(&options->seed, random_seed());
	if (!options->window_max)
		options->window_max = 65536;
	if (!options->connections)
		options->connections = 65536;
	if (!options->calls)
		options->calls = 65536;
	if (!options->memory_max)
		options->memory_max = 256U << 20;
}

static void on_packet(void *ctx, const struct hf_packet_event *packet)
{
	messages_packet(ctx, packet);
}

static void on_socket(void *ctx, const struct hf_socket_event *socket)
{
	messages_socket(ctx, socket);
}

/* event -> message -> call -> chain -> on_chain; each is built with the one that it gives to, so from the end. */
static int tracer_join(struct tracer *t)
{
	const struct tracer_options *o = &t->options;
	struct message_limits limits = { o->connections, o->calls,	   o->settle_ns,
					 o->call_ns,	 o->connection_ns, random_seed() };
	struct address_book addresses = { o->ctx, o->endpoint_at };
	struct chain_sink user = { o->ctx, o->on_chain };
	struct message_sink calls = calls_sink(&t->calls);
	struct event_sink events;
	int r;

	r = chains_new(&user, o->calls, o->seed, &t->budget, &t->stats, &t->chains);
	if (r < 0)
		return r;
	t->calls = (struct calls){ t->chains, &t->stats };
	r = messages_new(&calls, &addresses, &limits, &t->budget, &t->stats, &t->messages);
	if (r < 0)
		return r;
	events = (struct event_sink){ t->messages, on_packet, on_socket };
	return event_window_new(&events, o->window_ns, o->window_max, &t->budget, &t->stats,
				&t->window);
}

int tracer_new(const struct tracer_options *options, struct tracer **ret_tracer)
{
	_cleanup_(tracer_freep) struct tracer *tracer = NULL;
	int r;

	if (!options->on_chain)
		return -EINVAL;
	tracer = calloc(1, sizeof(*tracer));
	if (!tracer)
		return -ENOMEM;
	tracer->options = *options;
	set_defaults(&tracer->options);
	tracer->budget.max = tracer->options.memory_max;
	r = tracer_join(tracer);
	if (r < 0)
		return r;
	*ret_tracer = TAKE_PTR(tracer);
	return 0;
}

void tracer_free(struct tracer *tracer)
{
	if (!tracer)
		return;
	event_window_free(tracer->window);
	messages_free(tracer->messages);
	chains_free(tracer->chains);
	free(tracer);
}

int tracer_feed(struct tracer *tracer, const void *event, size_t size)
{
	return event_window_feed(tracer->window, event, size);
}

void tracer_tick(struct tracer *tracer, uint64_t now_ns)
{
	uint64_t seen_ns = event_window_move(tracer->window, now_ns);

	if (seen_ns < tracer->swept_ns + SWEEP_NS)
		return;
	tracer->swept_ns = seen_ns;
	messages_sweep(tracer->messages, seen_ns);
}

void tracer_finish(struct tracer *tracer)
{
	event_window_flush(tracer->window);
	messages_finish(tracer->messages);
}

/* The figures of now are taken when somebody asks. */
const struct tracer_stats *tracer_stats(struct tracer *tracer)
{
	struct tracer_stats *stats = &tracer->stats;

	stats->connections_now = messages_connections(tracer->messages);
	stats->calls_now = chains_open(tracer->chains);
	stats->memory_now = tracer->budget.used;
	stats->memory_most = tracer->budget.most;
	return stats;
}
