/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * queue.h - frames that wait, ordered by due time and, where that is equal, by arrival.
 *
 *   free slot + free chunks --> landing (read into) --> heap --> take the first --> free again
 *
 * All memory is reserved once; nothing is allocated while frames move. A frame's first bytes live in its slot,
 * the rest in chunks, so that small frames do not pay for large ones and a frame is read and sent where it lies.
 * Pure: knows no sockets, no clocks, no threads. Not thread-safe.
 */
#ifndef HOPFAULT_HOLD_QUEUE_H
#define HOPFAULT_HOLD_QUEUE_H

#include <linux/virtio_net.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "abi.h"

#define FRAME_INLINE	 216 /* first bytes of a frame, in the slot: most headers, and whole ACKs */
#define CHUNK_SIZE	 2048
#define FRAME_MAX	 (64 * 1024 + 64) /* the largest GSO frame with Ethernet header and VLAN tag */
#define FRAME_CHUNKS_MAX ((FRAME_MAX - FRAME_INLINE + CHUNK_SIZE - 1) / CHUNK_SIZE)
#define CHUNK_NONE	 UINT32_MAX

/* Members up to `head` are what was read, in that order: vnet header, hold header, frame. */
struct packet {
	struct virtio_net_hdr vnet;
	struct hf_hold_header header;
	uint8_t head[FRAME_INLINE];
	uint32_t len_bytes; /* of the frame */
	uint32_t chunk; /* the first of its chunks, or CHUNK_NONE */
	uint32_t port; /* where it came in and goes out: the engine's number */
};

struct queue;

/* -ENOMEM, -EINVAL (a limit that does not hold one frame, or is absurd). Memory is touched only when used. */
int queue_new(size_t limit_bytes, unsigned limit_packets, struct queue **ret_queue);
void queue_free(struct queue *queue);

/*
 * A place to read the next frame into: a slot, and FRAME_CHUNKS_MAX chunks for what does not fit in it. NULL:
 * full. The same place is given until queue_push() takes it.
 */
struct packet *queue_landing(struct queue *queue, uint8_t *const **ret_chunks);

/* The landed frame (packet->len_bytes and header set) begins to wait; chunks that it did not need stay landing. */
void queue_push(struct queue *queue);

bool queue_is_empty(const struct queue *queue);
uint64_t queue_next_due_ns(const struct queue *queue); /* UINT64_MAX when empty */

/* The one that leaves next, NULL when empty; popped, it is the caller's until queue_release(). */
struct packet *queue_first(const struct queue *queue);
void queue_pop(struct queue *queue);
void queue_release(struct queue *queue, struct packet *packet);

/* The data of a chunk, and the chunk after it. */
uint8_t *queue_chunk(const struct queue *queue, uint32_t chunk, uint32_t *ret_next);

/* Makes every packet that `choose` says due at once, keeping their order among themselves; returns how many. */
unsigned queue_expedite(struct queue *queue, bool (*choose)(void *ctx, const struct packet *packet),
			void *ctx);

unsigned queue_packets(const struct queue *queue);
size_t queue_bytes(const struct queue *queue); /* of frames, not of memory */

#endif
