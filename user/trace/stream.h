/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * stream.h - the bytes of one connection, one way, as they pass the points on their way.
 *
 *     LEAVE [100,200) [200,300)      ENTER [100,300)      RELEASE [100,300)
 *
 * Packets are cut and joined on their way (GSO, GRO), lost, sent again, held and overtaken, so nothing is matched by packet:
 * a piece is a range of bytes that passed each point at one time. Bytes count when they are delivered for the first time;
 * a later copy of them tells nothing. Sequence numbers wrap, so inside they have 64 bits.
 */
#ifndef HOPFAULT_TRACE_STREAM_H
#define HOPFAULT_TRACE_STREAM_H

#include <stdbool.h>
#include <stdint.h>

#include "abi.h"
#include "trace/cause.h"
#include "trace/pool.h"

/* One copy of some bytes. Times that were not seen are TIME_UNKNOWN. */
struct piece {
	uint64_t begin;
	uint64_t end; /* not included */
	uint64_t left_ns;
	uint64_t enter_ns;
	uint64_t release_ns; /* enter_ns when nothing held it */
	uint64_t asked_ns; /* delay that was asked; 0 none */
	uint32_t rule_id[HF_EVENT_RULES_MAX];
};

/* Unordered, bounded, empty most of the time. */
struct pieces {
	struct piece *at;
	uint32_t count;
	uint32_t room;
};

struct byte_range {
	uint64_t begin;
	uint64_t end;
};

/* A send call of this stream's sender. */
struct send {
	uint64_t begin; /* number of its first byte */
	uint64_t len; /* bytes that it wants to send; 0: not known */
	uint64_t time_ns;
	uint32_t tid;
	bool has_cause; /* one was looked for: see stream_cause() */
};

#define STREAM_SENDS 8 /* remembered; each is asked for when its first byte leaves */
#define STREAM_HOLES 8

/* By use: each event of a connection needs the first lines of one or both of its streams, few need the rest. */
struct stream {
	_Alignas(POOL_ALIGN) uint64_t high; /* the first byte that was not seen yet */
	uint64_t read_high;
	uint64_t fin; /* where the sender ended it; UINT64_MAX: not yet */
	uint64_t delivered; /* all bytes before it were delivered; beyond it, those of range[] */
	struct pieces left; /* on the way to the receiver's veth */
	uint32_t sends;
	uint32_t ranges;
	bool is_known; /* high means something */
	bool entry_seen; /* a packet was seen at the receiver's veth; the owner says so */
	bool reads_seen; /* the receiver's receive calls are told */

	uint64_t base; /* the first byte that we know of */
	struct pieces held; /* in the delay engine */
	struct pieces dropped; /* by a rule, and not seen again */

	struct send send[STREAM_SENDS];
	struct cause cause[STREAM_SENDS]; /* of each */
	struct byte_range range[STREAM_HOLES];
};

/* What the stream tells. Ranges are cut as the pieces are, not as messages are. */
struct stream_sink {
	/* These bytes were delivered, for the first time. */
	void (*on_delivered)(void *ctx, const struct piece *piece);
	/* These bytes left the sender again. */
	void (*on_again)(void *ctx, uint64_t begin, uint64_t end);
	/* A copy was dropped; `injected`: by a rule, else by who knows. rule_id may be NULL. */
	void (*on_dropped)(void *ctx, uint64_t begin, uint64_t end, bool injected,
			   const uint32_t *rule_id);
	/* .. and the same bytes came by again: what the loss has cost. */
	void (*on_lost)(void *ctx, uint64_t begin, uint64_t end, bool injected, uint64_t from_ns,
			uint64_t to_ns);
	/* A piece found no room, or a release found no piece. */
	void (*on_forgotten)(void *ctx);
	void (*on_unmatched)(void *ctx);
};

struct stream_env {
	struct budget *budget;
	const struct stream_sink *sink;
	void *ctx;
};

/* `seq` is the first byte that is known of. */
void stream_start(struct stream *stream, uint32_t seq);
void stream_free(struct stream *stream, struct budget *budget);

/* The 64-bit number that is meant by `seq`: the nearest to what was seen last. The stream has started. */
uint64_t stream_number(const struct stream *stream, uint32_t seq);

/* A packet with bytes passed a point; piece has begin, end and rule_id, and asked_ns when it is to be held. */
void stream_left(struct stream *stream, const struct stream_env *env, const struct piece *packet,
		 uint64_t now_ns, uint8_t verdict, bool entry_expected);
void stream_entered(struct stream *stream, const struct stream_env *env, const struct piece *packet,
		    uint64_t now_ns, uint8_t verdict);
void stream_released(struct stream *stream, const struct stream_env *env,
		     const struct piece *packet, uint64_t now_ns, uint8_t verdict);

/* Bytes before `end` that a rule dropped and that did not come by again: nobody waits for them since now_ns. */
void stream_lose(struct stream *stream, const struct stream_env *env, uint64_t end,
		 uint64_t now_ns);
/* Everything before `end` is over: tells what is known of bytes whose delivery was not seen, and forgets them. */
void stream_flush(struct stream *stream, const struct stream_env *env, uint64_t end);

/* Remembers a send call; the caller fills the rest of it. */
struct send *stream_add_send(struct stream *stream, uint64_t begin, uint64_t len);
/* Where its cause is to be filled in. */
struct cause *stream_add_cause(struct stream *stream, struct send *send);
/* What is known of the cause of a send call of this stream. */
const struct cause *stream_cause(const struct stream *stream, const struct send *send);
/* The send call that wrote byte `number`, or NULL. */
const struct send *stream_find_send(const struct stream *stream, uint64_t number);

#endif
