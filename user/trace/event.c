/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * event.c - checks each record, takes passages apart, and puts all events in order.
 *
 *     records:  5 3 4 9 ...  -->  sorted by time  -->  3 4 5   (9 waits until the window has moved on)
 *
 * A record may overtake another by the few microseconds between a program's look at the clock and its place, or by
 * milliseconds when a virtual processor was put aside in between. So what comes is nearly sorted already: it is put in
 * from the newest end, which costs less than a heap. The window is bounded in time and in number. What comes later than it
 * is dropped and counted: taking it would put effects before causes everywhere above.
 */
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "trace/event.h"
#include "trace/passage.h"

#define FIRST_SLOTS 64
#define FETCH_AHEAD 2 /* entries: one is handed out in about the time of a look into memory */

struct slot {
	union {
		struct hf_event head;
		struct hf_packet_event packet;
		struct hf_socket_event socket;
		unsigned char bytes[EVENT_MAX];
	};
};

/* In order; the slot stays where it is. */
struct entry {
	uint64_t time_ns;
	uint32_t slot;
};

struct event_window {
	struct event_sink sink;
	struct budget *budget;
	struct tracer_stats *stats;
	uint64_t window_ns;
	uint64_t newest_ns;
	uint64_t let_go_ns; /* events older than this are late */
	uint32_t max;
	uint32_t room; /* allocated slots */
	uint32_t first; /* the oldest entry */
	uint32_t used;
	struct slot *slot;
	struct entry *entry; /* a ring, by time; of one time, by arrival */
	uint32_t *free_slot; /* a stack: [0, room - used) */
};

/* ---- is it an event? ---- */

static bool packet_is_valid(const struct hf_packet_event *packet, size_t size)
{
	if (size < sizeof(*packet) || packet->head_len > HF_HEAD_MAX)
		return false;
	if (size < sizeof(*packet) + packet->head_len)
		return false;
	return packet->point >= HF_POINT_LEAVE && packet->point <= HF_POINT_RELEASE &&
	       packet->verdict <= HF_VERDICT_DROP;
}

static bool socket_is_valid(const struct hf_socket_event *socket, size_t size)
{
	return size >= sizeof(*socket) && socket->op >= HF_SOCKET_SEND &&
	       socket->op <= HF_SOCKET_RETRANSMIT;
}

/* What it stands in (a slot of a lane, a record of the ring) may be longer than its event says, but never shorter. */
static bool event_is_valid(const struct slot *slot, size_t size)
{
	if (slot->head.size > size || slot->head.version != HF_ABI_VERSION)
		return false;
	switch (slot->head.kind) {
	case HF_EVENT_PACKET:
		return packet_is_valid(&slot->packet, slot->head.size);
	case HF_EVENT_SOCKET:
		return socket_is_valid(&slot->socket, slot->head.size);
	default:
		return false;
	}
}

static void count(struct tracer_stats *stats, const struct slot *slot)
{
	stats->events[slot->head.kind]++;
	if (slot->head.kind == HF_EVENT_PACKET)
		stats->packets[slot->packet.point]++;
	else
		stats->sockets[slot->socket.op]++;
}

/* ---- in order ---- */

/* The ring's entry number `at`, counted from the oldest. */
static struct entry *entry_at(const struct event_window *window, uint32_t at)
{
	uint32_t place = window->first + at;

	return &window->entry[place < window->room ? place : place - window->room];
}

/* From the newest end: what comes is nearly in order, so it hardly ever moves more than a few entries. */
static void put_in_order(struct event_window *window, struct entry entry)
{
	uint32_t at = window->used++;

	while (at > 0 && entry_at(window, at - 1)->time_ns > entry.time_ns) {
		*entry_at(window, at) = *entry_at(window, at - 1);
		at--;
	}
	*entry_at(window, at) = entry;
}

static void hand_out(struct event_window *window, const struct slot *slot)
{
	if (slot->head.kind == HF_EVENT_PACKET)
		window->sink.on_packet(window->sink.ctx, &slot->packet);
	else
		window->sink.on_socket(window->sink.ctx, &slot->socket);
}

/* It was written a window's length ago, so it lies in no near cache any more. */
static void fetch_ahead(const struct slot *slot)
{
	for (size_t line = 0; line < sizeof(struct hf_packet_event) + 64; line += 64)
		__builtin_prefetch(slot->bytes + line);
}

/* The slot is free after it was read. */
static void hand_out_first(struct event_window *window)
{
	struct entry first = *entry_at(window, 0);

	if (window->used > FETCH_AHEAD)
		fetch_ahead(&window->slot[entry_at(window, FETCH_AHEAD)->slot]);

	window->first = window->first + 1 < window->room ? window->first + 1 : 0;
	window->used--;
	window->free_slot[window->room - window->used - 1] = first.slot;
	window->let_go_ns = first.time_ns;
	hand_out(window, &window->slot[first.slot]);
}

static void hand_out_until(struct event_window *window, uint64_t time_ns)
{
	while (window->used > 0 && entry_at(window, 0)->time_ns <= time_ns)
		hand_out_first(window);
}

/* Only when it is full: the entries are then all of the ring, and are laid out anew from its start. */
static bool grow(struct event_window *window)
{
	uint32_t room = window->room ? window->room * 2 : FIRST_SLOTS, added;
	size_t each = sizeof(struct slot) + sizeof(struct entry) + sizeof(uint32_t);
	_cleanup_(freep) struct entry *entry = NULL;
	uint32_t *free_slot;
	struct slot *slot;

	if (room > window->max)
		room = window->max;
	added = room - window->room;
	if (added == 0 || !budget_take(window->budget, added * each))
		return false;
	slot = realloc(window->slot, room * sizeof(*slot));
	if (slot)
		window->slot = slot;
	free_slot = realloc(window->free_slot, room * sizeof(*free_slot));
	if (free_slot)
		window->free_slot = free_slot;
	entry = calloc(room, sizeof(*entry));
	if (!slot || !free_slot || !entry) {
		budget_give(window->budget, added * each);
		return false;
	}
	for (uint32_t i = 0; i < window->used; i++)
		entry[i] = *entry_at(window, i);
	for (uint32_t i = 0; i < added; i++)
		window->free_slot[i] = window->room + i;
	free(window->entry);
	window->entry = TAKE_PTR(entry);
	window->first = 0;
	window->room = room;
	return true;
}

static uint64_t horizon(const struct event_window *window)
{
	return window->newest_ns > window->window_ns ? window->newest_ns - window->window_ns : 0;
}

/* Where the next event is to stand: free until put_in() takes it. */
static struct slot *next_slot(struct event_window *window)
{
	if (window->used == window->room && !grow(window)) {
		window->stats->hurried++;
		hand_out_first(window);
	}
	return &window->slot[window->free_slot[window->room - window->used - 1]];
}

static void put_in(struct event_window *window, const struct slot *slot)
{
	struct entry entry = { slot->head.time_ns, (uint32_t)(slot - window->slot) };

	count(window->stats, slot);
	if (entry.time_ns < window->let_go_ns) {
		window->stats->late++;
		return;
	}
	put_in_order(window, entry);
	if (entry.time_ns > window->newest_ns)
		window->newest_ns = entry.time_ns;
	hand_out_until(window, horizon(window));
}

static int refuse(struct event_window *window)
{
	window->stats->malformed++;
	return -EBADMSG;
}

static int feed_passage(struct event_window *window, const struct hf_passage *passage, size_t size)
{
	if (passage->event.version != HF_ABI_VERSION || !passage_is_valid(passage, size))
		return refuse(window);
	for (unsigned int nth = 0; nth < PASSAGE_PARTS; nth++) {
		struct slot *slot = next_slot(window);

		if (passage_part(passage, nth, &slot->head))
			put_in(window, slot);
	}
	return 0;
}

int event_window_feed(struct event_window *window, const void *event, size_t size)
{
	const struct hf_event *head = event;
	struct slot *slot;

	if (size < sizeof(*head))
		return refuse(window);
	if (head->kind == HF_EVENT_PASSAGE)
		return feed_passage(window, event, size);
	slot = next_slot(window);
	memcpy(slot, event, size < sizeof(*slot) ? size : sizeof(*slot));
	if (!event_is_valid(slot, size))
		return refuse(window);
	put_in(window, slot);
	return 0;
}

uint64_t event_window_move(struct event_window *window, uint64_t now_ns)
{
	if (now_ns > window->newest_ns)
		window->newest_ns = now_ns;
	hand_out_until(window, horizon(window));
	if (horizon(window) > window->let_go_ns)
		window->let_go_ns = horizon(window);
	return window->let_go_ns;
}

uint64_t event_window_flush(struct event_window *window)
{
	while (window->used > 0)
		hand_out_first(window);
	return window->newest_ns;
}

int event_window_new(const struct event_sink *sink, uint64_t window_ns, unsigned int max,
		     struct budget *budget, struct tracer_stats *stats,
		     struct event_window **ret_window)
{
	struct event_window *window = calloc(1, sizeof(*window));

	if (!window)
		return -ENOMEM;
	window->sink = *sink;
	window->window_ns = window_ns;
	window->max = max;
	window->budget = budget;
	window->stats = stats;
	if (!grow(window)) {
		event_window_free(window);
		return -ENOMEM;
	}
	*ret_window = window;
	return 0;
}

void event_window_free(struct event_window *window)
{
	if (!window)
		return;
	free(window->slot);
	free(window->entry);
	free(window->free_slot);
	free(window);
}
