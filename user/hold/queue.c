/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * queue.c - slots and chunks on free lists, and a binary heap over the slots.
 *
 * The heap's entries carry the key (due, arrival), so that sifting touches no packet. Delays are mostly constant,
 * so a new entry is mostly the last to leave and its sift ends at once. An expedited packet is due at 0; those
 * keep their order because they are numbered anew in the order in which they would have left.
 */
#include "hold/queue.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "base/cleanup.h"

#define LIMIT_PACKETS_MAX (1U << 24)
#define LIMIT_BYTES_MAX	  ((size_t)1 << 40)

struct entry {
	uint64_t due_ns;
	uint64_t arrival;
	uint32_t slot;
};

struct queue {
	struct packet *slot;
	struct entry *heap;
	uint32_t *free_slot; /* a stack: the slot used last is the next, and still in the cache */
	uint8_t *chunk;
	uint32_t *chunk_next;
	uint32_t free_chunk; /* a list through chunk_next */
	uint32_t chunk_count;
	uint32_t slot_count;
	uint32_t free_slots;
	uint32_t packets;
	size_t bytes;
	uint64_t arrivals;
	struct packet *landing;
	uint32_t landing_chunk[FRAME_CHUNKS_MAX];
	uint8_t *landing_data[FRAME_CHUNKS_MAX];
	unsigned landing_chunks;
};

static void *map_memory(size_t bytes)
{
	void *memory = mmap(NULL, bytes, PROT_READ | PROT_WRITE,
			    MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	return memory == MAP_FAILED ? NULL : memory;
}

static void unmap_memory(void *memory, size_t bytes)
{
	if (memory)
		munmap(memory, bytes);
}

void queue_free(struct queue *queue)
{
	if (!queue)
		return;
	unmap_memory(queue->slot, queue->slot_count * sizeof(*queue->slot));
	unmap_memory(queue->chunk, (size_t)queue->chunk_count * CHUNK_SIZE);
	free(queue->heap);
	free(queue->free_slot);
	free(queue->chunk_next);
	free(queue);
}

DEFINE_CLEANUP(struct queue *, queue_free)

static void fill_free_lists(struct queue *queue)
{
	queue->free_slots = queue->slot_count;
	for (uint32_t i = 0; i < queue->slot_count; i++)
		queue->free_slot[i] = queue->slot_count - 1 - i;
	for (uint32_t i = 0; i < queue->chunk_count; i++)
		queue->chunk_next[i] = i + 1 < queue->chunk_count ? i + 1 : CHUNK_NONE;
	queue->free_chunk = 0;
}

int queue_new(size_t limit_bytes, unsigned limit_packets, struct queue **ret_queue)
{
	_cleanup_(queue_freep) struct queue *queue = NULL;

	if (limit_packets == 0 || limit_packets > LIMIT_PACKETS_MAX ||
	    limit_bytes < (size_t)FRAME_CHUNKS_MAX * CHUNK_SIZE || limit_bytes > LIMIT_BYTES_MAX)
		return -EINVAL;
	queue = calloc(1, sizeof(*queue));
	if (!queue)
		return -ENOMEM;
	queue->slot_count = limit_packets;
	queue->chunk_count = (uint32_t)(limit_bytes / CHUNK_SIZE);
	queue->slot = map_memory(queue->slot_count * sizeof(*queue->slot));
	queue->chunk = map_memory((size_t)queue->chunk_count * CHUNK_SIZE);
	queue->heap = calloc(queue->slot_count, sizeof(*queue->heap));
	queue->free_slot = calloc(queue->slot_count, sizeof(*queue->free_slot));
	queue->chunk_next = calloc(queue->chunk_count, sizeof(*queue->chunk_next));
	if (!queue->slot || !queue->chunk || !queue->heap || !queue->free_slot ||
	    !queue->chunk_next)
		return -ENOMEM;
	fill_free_lists(queue);
	*ret_queue = TAKE_PTR(queue);
	return 0;
}

uint8_t *queue_chunk(const struct queue *queue, uint32_t chunk, uint32_t *ret_next)
{
	*ret_next = queue->chunk_next[chunk];
	return queue->chunk + (size_t)chunk * CHUNK_SIZE;
}

struct packet *queue_landing(struct queue *queue, uint8_t *const **ret_chunks)
{
	while (queue->landing_chunks < FRAME_CHUNKS_MAX && queue->free_chunk != CHUNK_NONE) {
		uint32_t chunk = queue->free_chunk;
		unsigned i = queue->landing_chunks++;

		queue->landing_chunk[i] = chunk;
		queue->landing_data[i] = queue_chunk(queue, chunk, &queue->free_chunk);
	}
	if (queue->landing_chunks < FRAME_CHUNKS_MAX)
		return NULL;
	if (!queue->landing) {
		if (queue->free_slots == 0)
			return NULL;
		queue->landing = &queue->slot[queue->free_slot[--queue->free_slots]];
	}
	*ret_chunks = queue->landing_data;
	return queue->landing;
}

/* The first chunks of the landing become the packet's; the others move up. */
static void hand_over_chunks(struct queue *queue, struct packet *packet)
{
	size_t beyond = packet->len_bytes > FRAME_INLINE ? packet->len_bytes - FRAME_INLINE : 0;
	unsigned used = (unsigned)((beyond + CHUNK_SIZE - 1) / CHUNK_SIZE);
	unsigned left = queue->landing_chunks - used;

	packet->chunk = CHUNK_NONE;
	if (used == 0)
		return;
	for (unsigned i = used; i-- > 0;) {
		queue->chunk_next[queue->landing_chunk[i]] = packet->chunk;
		packet->chunk = queue->landing_chunk[i];
	}
	memmove(queue->landing_chunk, queue->landing_chunk + used, left * sizeof(uint32_t));
	memmove(queue->landing_data, queue->landing_data + used, left * sizeof(uint8_t *));
	queue->landing_chunks = left;
}

static bool leaves_before(const struct entry *a, const struct entry *b)
{
	return a->due_ns != b->due_ns ? a->due_ns < b->due_ns : a->arrival < b->arrival;
}

static void sift_up(struct entry *heap, uint32_t place, struct entry moving)
{
	while (place > 0) {
		uint32_t parent = (place - 1) / 2;

		if (!leaves_before(&moving, &heap[parent]))
			break;
		heap[place] = heap[parent];
		place = parent;
	}
	heap[place] = moving;
}

static void sift_down(struct entry *heap, uint32_t count, uint32_t place, struct entry moving)
{
	for (;;) {
		uint32_t child = 2 * place + 1;

		if (child >= count)
			break;
		if (child + 1 < count && leaves_before(&heap[child + 1], &heap[child]))
			child++;
		if (!leaves_before(&heap[child], &moving))
			break;
		heap[place] = heap[child];
		place = child;
	}
	heap[place] = moving;
}

void queue_push(struct queue *queue)
{
	struct packet *packet = TAKE_PTR(queue->landing);
	struct entry entry = {
		.due_ns = packet->header.due_ns,
		.arrival = queue->arrivals++,
		.slot = (uint32_t)(packet - queue->slot),
	};

	hand_over_chunks(queue, packet);
	queue->bytes += packet->len_bytes;
	sift_up(queue->heap, queue->packets++, entry);
}

bool queue_is_empty(const struct queue *queue)
{
	return queue->packets == 0;
}

uint64_t queue_next_due_ns(const struct queue *queue)
{
	return queue->packets ? queue->heap[0].due_ns : UINT64_MAX;
}

struct packet *queue_first(const struct queue *queue)
{
	return queue->packets ? &queue->slot[queue->heap[0].slot] : NULL;
}

void queue_pop(struct queue *queue)
{
	queue->bytes -= queue_first(queue)->len_bytes;
	queue->packets--;
	if (queue->packets > 0)
		sift_down(queue->heap, queue->packets, 0, queue->heap[queue->packets]);
}

void queue_release(struct queue *queue, struct packet *packet)
{
	uint32_t chunk = packet->chunk;

	while (chunk != CHUNK_NONE) {
		uint32_t next = queue->chunk_next[chunk];

		queue->chunk_next[chunk] = queue->free_chunk;
		queue->free_chunk = chunk;
		chunk = next;
	}
	queue->free_slot[queue->free_slots++] = (uint32_t)(packet - queue->slot);
}

static int compare_entries(const void *a, const void *b)
{
	return leaves_before(a, b) ? -1 : 1;
}

/* A sorted array is a heap, and stays one when a subset is moved to its front in order. */
unsigned queue_expedite(struct queue *queue, bool (*choose)(void *ctx, const struct packet *packet),
			void *ctx)
{
	unsigned chosen = 0;

	qsort(queue->heap, queue->packets, sizeof(*queue->heap), compare_entries);
	for (uint32_t i = 0; i < queue->packets; i++) {
		struct entry *entry = &queue->heap[i];

		if (!choose(ctx, &queue->slot[entry->slot]))
			continue;
		entry->due_ns = 0;
		entry->arrival = queue->arrivals++;
		chosen++;
	}
	if (chosen > 0)
		qsort(queue->heap, queue->packets, sizeof(*queue->heap), compare_entries);
	return chosen;
}

unsigned queue_packets(const struct queue *queue)
{
	return queue->packets;
}

size_t queue_bytes(const struct queue *queue)
{
	return queue->bytes;
}
