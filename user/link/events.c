/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * events.c - see events.h. libbpf hands the ring's records out by a callback, so the one that comes next is held.
 */
#include "link/events.h"

#include <bpf/libbpf.h>
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "link/lanes.h"

struct events {
	struct lanes *lanes;
	struct ring_buffer *ring;
	bool ring_is_read; /* nothing was left in it: what has come since is younger than all of this round */
	bool has_held;
	size_t held_size;
	struct hf_lane_slot held;
};

/* This one is consumed; the answer ends the reading. */
static int hold(void *ctx, void *data, size_t size)
{
	struct events *events = ctx;

	events->has_held = true;
	events->held_size = size < sizeof(events->held) ? size : sizeof(events->held);
	memcpy(&events->held, data, events->held_size);
	return -EAGAIN;
}

static void fetch(struct events *events)
{
	if (events->has_held || events->ring_is_read)
		return;
	ring_buffer__consume(events->ring);
	events->ring_is_read = !events->has_held;
}

void events_begin(struct events *events)
{
	events->ring_is_read = false;
	lanes_begin(events->lanes);
}

static void empty_ring(struct events *events)
{
	do {
		events->has_held = false;
		fetch(events);
	} while (events->has_held);
}

int events_open(const struct lanes_shared *lanes, int ring_fd, struct events **ret_events)
{
	struct events *events = calloc(1, sizeof(*events));
	int r;

	if (!events)
		return -ENOMEM;
	r = lanes_new(lanes, &events->lanes);
	if (r >= 0) {
		events->ring = ring_buffer__new(ring_fd, hold, events, NULL);
		r = events->ring ? 0 : -errno;
	}
	if (r < 0) {
		events_close(events);
		return r;
	}
	empty_ring(events);
	*ret_events = events;
	return 0;
}

void events_close(struct events *events)
{
	if (!events)
		return;
	ring_buffer__free(events->ring);
	lanes_free(events->lanes);
	free(events);
}

const void *events_next(struct events *events, uint64_t before_ns, size_t *ret_size)
{
	const struct hf_lane_slot *slot;
	uint64_t held_ns;

	fetch(events);
	held_ns = events->has_held ? events->held.event.time_ns : UINT64_MAX;
	slot = lanes_next(events->lanes, held_ns < before_ns ? held_ns : before_ns);
	if (slot) {
		*ret_size = sizeof(*slot);
		return slot;
	}
	if (held_ns < before_ns) {
		events->has_held = false;
		*ret_size = events->held_size;
		return &events->held;
	}
	return NULL;
}

unsigned int events_waiting(const struct events *events)
{
	return lanes_fullest(events->lanes);
}
