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
 *
 * A passage waits as a whole, at the time of its earliest part; when that is handed out it moves on to its next.
 */
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "trace/event.h"
#include "trace/passage.h"

#define FIRST_SLOTS 64
#define FETCH_AHEAD 1 /* entries: one is handed out in about the time of a look into memory */

struct slot {
	union {
		struct hf_event head;
		struct hf_packet_event packet;
		struct hf_socket_event socket;
		/* the times of parts that were handed out, or came too late, are 0 */
		struct hf_passage passage;
		unsigned char bytes[EVENT_MAX];
	};
};

/* In order; the slot stays where it is. */
struct entry {
	uint64_t time_ns; /* of what the slot hands out next */
	uint32_t slot;
	uint32_t arrival; /* a number that wraps: of one time, the one that came first is first */
};

struct event_window {
	struct event_sink sink;
	struct budget *budget;
	struct tracer_stats *stats;
	uint64_t window_ns;
	uint64_t newest_ns;
	uint64_t let_go_ns; /* events older than this are late */
	uint32_t max;
	uint32_t waiting; /* events in the slots */
	uint32_t arrivals;
	uint32_t room; /* allocated slots */
	uint32_t ring; /* entries that there is room for: a power of two, not less than the slots */
	uint32_t first; /* the oldest entry, a number that wraps */
	uint32_t used;
	struct slot *slot;
	struct entry *entry; /* a ring, in order */
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

static bool event_is_valid(const struct slot *slot, size_t size)
{
	if (size < sizeof(slot->head) || slot->head.version != HF_ABI_VERSION)
		return false;
	switch (slot->head.kind) {
	case HF_EVENT_PACKET:
		return packet_is_valid(&slot->packet, size);
	case HF_EVENT_SOCKET:
		return socket_is_valid(&slot->socket, size);
	case HF_EVENT_PASSAGE:
		return passage_is_valid(&slot->passage, size);
	default:
		return false;
	}
}

/* What it stands in (a slot of a lane, a record of the ring) may be longer than its event says, but never shorter. */
static bool copy_event(struct slot *slot, const struct hf_event *event, size_t size)
{
	size_t said = event->size;

	if (said > size || said > sizeof(*slot))
		return false;
	memcpy(slot, event, said);
	return event_is_valid(slot, said);
}

/* ---- in order ---- */

/* The ring's entry number `at`, counted from the oldest. */
static struct entry *entry_at(const struct event_window *window, uint32_t at)
{
	return &window->entry[(window->first + at) & (window->ring - 1)];
}

static bool is_before(const struct entry *a, const struct entry *b)
{
	if (a->time_ns != b->time_ns)
		return a->time_ns < b->time_ns;
	return (int32_t)(a->arrival - b->arrival) < 0;
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

/* The first entry has more to hand out, later: what comes before that moves up. */
static void move_on(struct event_window *window, struct entry entry)
{
	uint32_t at = 0;

	while (at + 1 < window->used && is_before(entry_at(window, at + 1), &entry)) {
		*entry_at(window, at) = *entry_at(window, at + 1);
		at++;
	}
	*entry_at(window, at) = entry;
}

/* It was written a window's length ago, so it lies in no near cache any more. */
static void fetch_ahead(const struct slot *slot)
{
	for (size_t line = 0; line < sizeof(*slot); line += 64)
		__builtin_prefetch(slot->bytes + line);
}

/* The slot is free after it was read. */
static void leave(struct event_window *window)
{
	uint32_t slot = entry_at(window, 0)->slot;

	window->first++;
	window->used--;
	window->free_slot[window->room - window->used - 1] = slot;
	if (window->used > FETCH_AHEAD)
		fetch_ahead(&window->slot[entry_at(window, FETCH_AHEAD)->slot]);
}

static void hand_out(struct event_window *window, const struct slot *slot)
{
	if (slot->head.kind == HF_EVENT_PACKET)
		window->sink.on_packet(window->sink.ctx, &slot->packet);
	else
		window->sink.on_socket(window->sink.ctx, &slot->socket);
}

/* Its entry is the first. What comes next of it goes out at once, if it is not younger than until_ns and still the first. */
static void hand_out_passage(struct event_window *window, struct hf_passage *passage,
			     uint64_t until_ns)
{
	struct entry entry = *entry_at(window, 0);
	struct slot part;

	do {
		window->waiting--;
		window->let_go_ns = entry.time_ns;
		passage_take(passage, entry.time_ns, &part.head);
		hand_out(window, &part);
		entry.time_ns = passage_next_ns(passage);
		if (!entry.time_ns) {
			leave(window);
			return;
		}
	} while (entry.time_ns <= until_ns &&
		 (window->used == 1 || is_before(&entry, entry_at(window, 1))));
	move_on(window, entry);
}

static void hand_out_first(struct event_window *window, uint64_t until_ns)
{
	const struct entry *first = entry_at(window, 0);
	struct slot *slot = &window->slot[first->slot];

	if (slot->head.kind == HF_EVENT_PASSAGE) {
		hand_out_passage(window, &slot->passage, until_ns);
		return;
	}
	window->waiting--;
	window->let_go_ns = first->time_ns;
	leave(window);
	hand_out(window, slot);
}

static void hand_out_until(struct event_window *window, uint64_t time_ns)
{
	while (window->used > 0 && entry_at(window, 0)->time_ns <= time_ns)
		hand_out_first(window, time_ns);
}

/* The entries are laid out anew from the start of their ring. */
static bool grow(struct event_window *window)
{
	uint32_t room = window->room ? window->room * 2 : FIRST_SLOTS, added;
	uint32_t ring = window->ring ? window->ring * 2 : FIRST_SLOTS;
	_cleanup_(freep) struct entry *entry = NULL;
	uint32_t *free_slot;
	struct slot *slot;
	size_t bytes;

	if (room > window->max)
		room = window->max;
	added = room - window->room;
	bytes = added * (sizeof(*slot) + sizeof(*free_slot)) +
		(ring - window->ring) * sizeof(*entry);
	if (added == 0 || !budget_take(window->budget, bytes))
		return false;
	slot = realloc(window->slot, room * sizeof(*slot));
	if (slot)
		window->slot = slot;
	free_slot = realloc(window->free_slot, room * sizeof(*free_slot));
	if (free_slot)
		window->free_slot = free_slot;
	entry = calloc(ring, sizeof(*entry));
	if (!slot || !free_slot || !entry) {
		budget_give(window->budget, bytes);
		return false;
	}
	for (uint32_t i = 0; i < window->used; i++)
		entry[i] = *entry_at(window, i);
	for (uint32_t i = 0; i < added; i++)
		window->free_slot[i] = window->room + i;
	free(window->entry);
	window->entry = TAKE_PTR(entry);
	window->first = 0;
	window->ring = ring;
	window->room = room;
	return true;
}

static void note_time(struct event_window *window, uint64_t time_ns)
{
	if (time_ns > window->newest_ns)
		window->newest_ns = time_ns;
}

static uint64_t horizon(const struct event_window *window)
{
	return window->newest_ns > window->window_ns ? window->newest_ns - window->window_ns : 0;
}

/* One event, even if it is a passage's: that is how they are counted. */
static void hurry(struct event_window *window)
{
	window->stats->hurried++;
	hand_out_first(window, 0);
}

static uint32_t *next_free(struct event_window *window)
{
	return &window->free_slot[window->room - window->used - 1];
}

/* Where the next record, of `events` events, is to stand: free until put_in() takes it. */
static struct slot *next_slot(struct event_window *window, uint32_t events)
{
	while (window->used > 0 && window->waiting + events > window->max)
		hurry(window);
	while (window->used == window->room && !grow(window))
		hurry(window);
	return &window->slot[*next_free(window)];
}

static bool is_late(struct event_window *window, uint64_t time_ns)
{
	if (time_ns >= window->let_go_ns)
		return false;
	window->stats->late++;
	return true;
}

/* Takes the slot that next_slot() has told. */
static void put_in(struct event_window *window, uint64_t time_ns)
{
	struct entry entry = { time_ns, *next_free(window), window->arrivals++ };

	put_in_order(window, entry);
	hand_out_until(window, horizon(window));
}

static void put_in_event(struct event_window *window, const struct slot *slot)
{
	uint64_t time_ns = slot->head.time_ns;

	window->stats->events[slot->head.kind]++;
	if (slot->head.kind == HF_EVENT_PACKET)
		window->stats->packets[slot->packet.point]++;
	else
		window->stats->sockets[slot->socket.op]++;
	if (is_late(window, time_ns))
		return;
	window->waiting++;
	note_time(window, time_ns);
	put_in(window, time_ns);
}

/* Counted, and kept if it is not late. */
static void note_part(struct event_window *window, __u64 *time_ns, uint64_t *counter)
{
	if (!*time_ns)
		return;
	++*counter;
	if (is_late(window, *time_ns)) {
		*time_ns = 0;
		return;
	}
	window->waiting++;
	note_time(window, *time_ns);
}

static void put_in_passage(struct event_window *window, struct slot *slot)
{
	struct tracer_stats *stats = window->stats;
	struct hf_passage *passage = &slot->passage;
	uint64_t first_ns;

	stats->events[HF_EVENT_SOCKET] += passage->sent_ns != 0;
	stats->events[HF_EVENT_PACKET] += (passage->left_ns != 0) + (passage->entered_ns != 0);
	note_part(window, &passage->sent_ns, &stats->sockets[HF_SOCKET_SEND]);
	note_part(window, &passage->left_ns, &stats->packets[HF_POINT_LEAVE]);
	note_part(window, &passage->entered_ns, &stats->packets[HF_POINT_ENTER]);
	first_ns = passage_next_ns(passage);
	if (first_ns)
		put_in(window, first_ns);
}

static int refuse(struct event_window *window)
{
	window->stats->malformed++;
	return -EBADMSG;
}

static uint32_t events_in(const struct hf_event *event, size_t size)
{
	if (event->kind != HF_EVENT_PASSAGE || size < sizeof(struct hf_passage))
		return 1;
	return passage_parts((const struct hf_passage *)event);
}

int event_window_feed(struct event_window *window, const void *event, size_t size)
{
	const struct hf_event *head = event;
	struct slot *slot;

	if (size < sizeof(*head))
		return refuse(window);
	slot = next_slot(window, events_in(head, size));
	if (!copy_event(slot, head, size))
		return refuse(window);
	if (slot->head.kind == HF_EVENT_PASSAGE)
		put_in_passage(window, slot);
	else
		put_in_event(window, slot);
	return 0;
}

uint64_t event_window_move(struct event_window *window, uint64_t now_ns)
{
	note_time(window, now_ns);
	hand_out_until(window, horizon(window));
	if (horizon(window) > window->let_go_ns)
		window->let_go_ns = horizon(window);
	return window->let_go_ns;
}

uint64_t event_window_flush(struct event_window *window)
{
	hand_out_until(window, UINT64_MAX);
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
