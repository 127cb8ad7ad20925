/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * stream.c - follows ranges of bytes from point to point.
 *
 *     LEAVE --> left --ENTER, pass--> delivered
 *                    --ENTER, delay-> held --RELEASE--> delivered
 *                    --ENTER, drop--> dropped --ENTER again--> (lost for so long)
 *
 * A piece that only partly passes the next point is cut there. Of two copies in the delay engine the one that is
 * due first is the one that a release means.
 */
#include <stdlib.h>
#include <string.h>

#include "trace/call.h"
#include "trace/stream.h"

#define PIECES_MAX 512 /* in one list: an unscaled window of small packets is far less */

static uint64_t later(uint64_t a, uint64_t b)
{
	return a > b ? a : b;
}

static uint64_t earlier(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

/* ---- lists of pieces ---- */

static bool pieces_make_room(struct pieces *pieces, struct budget *budget)
{
	uint32_t room = pieces->room ? pieces->room * 2 : 2;
	size_t more = (room - pieces->room) * sizeof(*pieces->at);
	struct piece *at;

	if (pieces->count < pieces->room)
		return true;
	if (room > PIECES_MAX || !budget_take(budget, more))
		return false;
	at = realloc(pieces->at, room * sizeof(*at));
	if (!at) {
		budget_give(budget, more);
		return false;
	}
	pieces->at = at;
	pieces->room = room;
	return true;
}

static void pieces_add(struct pieces *pieces, const struct stream_env *env,
		       const struct piece *piece)
{
	if (!pieces_make_room(pieces, env->budget)) {
		env->sink->on_forgotten(env->ctx);
		return;
	}
	pieces->at[pieces->count++] = *piece;
}

static void pieces_remove(struct pieces *pieces, uint32_t which)
{
	pieces->at[which] = pieces->at[--pieces->count];
}

static void pieces_free(struct pieces *pieces, struct budget *budget)
{
	budget_give(budget, pieces->room * sizeof(*pieces->at));
	free(pieces->at);
	*pieces = (struct pieces){ 0 };
}

static bool overlaps(const struct piece *piece, uint64_t begin, uint64_t end)
{
	return piece->begin < end && begin < piece->end;
}

/* Cuts [begin, end) out of piece `which`, which overlaps it; what is left of it stays in the list. */
static struct piece pieces_cut(struct pieces *pieces, const struct stream_env *env, uint32_t which,
			       uint64_t begin, uint64_t end)
{
	struct piece whole = pieces->at[which];
	struct piece cut = whole;

	cut.begin = later(whole.begin, begin);
	cut.end = earlier(whole.end, end);
	pieces_remove(pieces, which);
	if (whole.begin < cut.begin) {
		struct piece before = whole;

		before.end = cut.begin;
		pieces_add(pieces, env, &before);
	}
	if (cut.end < whole.end) {
		struct piece behind = whole;

		behind.begin = cut.end;
		pieces_add(pieces, env, &behind);
	}
	return cut;
}

/* Any piece that overlaps [begin, end), cut to it. */
static bool pieces_take(struct pieces *pieces, const struct stream_env *env, uint64_t begin,
			uint64_t end, struct piece *ret_piece)
{
	for (uint32_t i = 0; i < pieces->count; i++) {
		if (overlaps(&pieces->at[i], begin, end)) {
			*ret_piece = pieces_cut(pieces, env, i, begin, end);
			return true;
		}
	}
	return false;
}

/* As it is most often: there is one piece, and it has the bytes of the packet. */
static bool pieces_take_only(struct pieces *pieces, const struct piece *packet,
			     struct piece *ret_piece)
{
	if (pieces->count != 1 || pieces->at[0].begin != packet->begin ||
	    pieces->at[0].end != packet->end)
		return false;
	*ret_piece = pieces->at[0];
	pieces->count = 0;
	return true;
}

/* ---- what was delivered ---- */

static void tell_delivered(const struct stream_env *env, const struct piece *piece, uint64_t begin,
			   uint64_t end)
{
	struct piece fresh;

	if (begin >= end)
		return;
	if (begin == piece->begin && end == piece->end) {
		env->sink->on_delivered(env->ctx, piece);
		return;
	}
	fresh = *piece;
	fresh.begin = begin;
	fresh.end = end;
	env->sink->on_delivered(env->ctx, &fresh);
}

static void advance(struct stream *stream)
{
	uint32_t gone = 0;

	while (gone < stream->ranges && stream->range[gone].begin <= stream->delivered) {
		stream->delivered = later(stream->delivered, stream->range[gone].end);
		gone++;
	}
	stream->ranges -= gone;
	memmove(stream->range, stream->range + gone, stream->ranges * sizeof(stream->range[0]));
}

static void insert_range(struct stream *stream, uint64_t begin, uint64_t end)
{
	uint32_t first = 0, last;

	while (first < stream->ranges && stream->range[first].end < begin)
		first++;
	for (last = first; last < stream->ranges && stream->range[last].begin <= end; last++) {
		begin = earlier(begin, stream->range[last].begin);
		end = later(end, stream->range[last].end);
	}
	if (first == last) {
		if (stream->ranges == STREAM_HOLES) {
			/* too many holes: the oldest is taken for delivered */
			stream->delivered = stream->range[0].begin;
			advance(stream);
			insert_range(stream, begin, end);
			return;
		}
		last++;
		memmove(&stream->range[first + 1], &stream->range[first],
			(stream->ranges - first) * sizeof(stream->range[0]));
		stream->ranges++;
	}
	stream->range[first] = (struct byte_range){ begin, end };
	memmove(&stream->range[first + 1], &stream->range[last],
		(stream->ranges - last) * sizeof(stream->range[0]));
	stream->ranges -= last - first - 1;
}

/* Tells those bytes of the piece that were not delivered before; most often these are all of it, and the next. */
static void deliver(struct stream *stream, const struct stream_env *env, const struct piece *piece)
{
	uint64_t at = later(piece->begin, stream->delivered);

	if (at >= piece->end)
		return;
	if (piece->begin == stream->delivered && !stream->ranges) {
		env->sink->on_delivered(env->ctx, piece);
		stream->delivered = piece->end;
		return;
	}
	for (uint32_t i = 0; i < stream->ranges && stream->range[i].begin < piece->end; i++) {
		tell_delivered(env, piece, at, earlier(stream->range[i].begin, piece->end));
		at = later(at, stream->range[i].end);
	}
	tell_delivered(env, piece, at, piece->end);
	at = later(piece->begin, stream->delivered);
	if (at == stream->delivered)
		stream->delivered = piece->end;
	else
		insert_range(stream, at, piece->end);
	if (stream->ranges)
		advance(stream);
}

static bool is_delivered(const struct stream *stream, uint64_t begin, uint64_t end)
{
	if (end <= stream->delivered)
		return true;
	for (uint32_t i = 0; i < stream->ranges; i++)
		if (stream->range[i].begin <= begin && end <= stream->range[i].end)
			return true;
	return false;
}

/* ---- the points ---- */

static void drop(struct stream *stream, const struct stream_env *env, const struct piece *piece,
		 uint64_t now_ns)
{
	struct piece dropped = *piece;

	env->sink->on_dropped(env->ctx, piece->begin, piece->end, true, piece->rule_id);
	if (is_delivered(stream, piece->begin, piece->end))
		return; /* another copy has arrived: nobody waits for this one */
	if (dropped.enter_ns == TIME_UNKNOWN)
		dropped.release_ns = now_ns; /* dropped where it left: see repaired() */
	else
		dropped.release_ns = later(now_ns, dropped.enter_ns);
	pieces_add(&stream->dropped, env, &dropped);
}

/* The bytes came by again after a rule had dropped them. While a piece is dropped, release_ns is when. */
static void repaired(struct stream *stream, const struct stream_env *env, uint64_t begin,
		     uint64_t end, uint64_t now_ns)
{
	struct piece lost;

	while (pieces_take(&stream->dropped, env, begin, end, &lost))
		env->sink->on_lost(env->ctx, lost.begin, lost.end, true, lost.release_ns, now_ns);
}

static void lost_on_the_way(struct stream *stream, const struct stream_env *env, uint64_t begin,
			    uint64_t end, uint64_t now_ns)
{
	struct piece lost;

	while (pieces_take(&stream->left, env, begin, end, &lost)) {
		if (!stream->entry_seen)
			continue;
		env->sink->on_dropped(env->ctx, lost.begin, lost.end, false, NULL);
		env->sink->on_lost(env->ctx, lost.begin, lost.end, false, lost.left_ns, now_ns);
	}
}

void stream_left(struct stream *stream, const struct stream_env *env, const struct piece *packet,
		 uint64_t now_ns, uint8_t verdict, bool entry_expected)
{
	struct piece piece = *packet;

	piece.left_ns = now_ns;
	piece.enter_ns = piece.release_ns = TIME_UNKNOWN;
	if (packet->begin < stream->high) {
		env->sink->on_again(env->ctx, packet->begin, earlier(packet->end, stream->high));
		if (stream->left.count)
			lost_on_the_way(stream, env, packet->begin, packet->end, now_ns);
		if (stream->dropped.count && !entry_expected)
			repaired(stream, env, packet->begin, packet->end, now_ns);
	}
	if (verdict == HF_VERDICT_DROP)
		drop(stream, env, &piece, now_ns);
	else if (entry_expected || stream->entry_seen)
		pieces_add(&stream->left, env, &piece);
	else
		deliver(stream, env, &piece); /* it goes where nobody looks */
}

static void enter_piece(struct stream *stream, const struct stream_env *env, struct piece *piece,
			const struct piece *packet, uint64_t now_ns, uint8_t verdict)
{
	memcpy(piece->rule_id, packet->rule_id, sizeof(piece->rule_id));
	piece->enter_ns = now_ns;
	piece->asked_ns = packet->asked_ns;
	switch (verdict) {
	case HF_VERDICT_DROP:
		drop(stream, env, piece, now_ns);
		break;
	case HF_VERDICT_DELAY:
		piece->release_ns = TIME_UNKNOWN;
		pieces_add(&stream->held, env, piece);
		break;
	default:
		piece->release_ns = now_ns;
		piece->asked_ns = 0;
		deliver(stream, env, piece);
	}
}

/* Bytes of the packet that nobody has seen leaving. */
static void enter_unseen(struct stream *stream, const struct stream_env *env,
			 const struct piece *packet, uint64_t begin, uint64_t end, uint64_t now_ns,
			 uint8_t verdict)
{
	struct piece piece = *packet;

	if (begin >= end)
		return;
	piece.begin = begin;
	piece.end = end;
	piece.left_ns = TIME_UNKNOWN;
	enter_piece(stream, env, &piece, packet, now_ns, verdict);
}

/* The piece of the list that has the first byte at or after `at`. */
static bool first_from(const struct pieces *pieces, uint64_t at, uint64_t end, uint32_t *ret_which)
{
	uint64_t best = end;
	bool found = false;

	for (uint32_t i = 0; i < pieces->count; i++) {
		uint64_t begin = later(pieces->at[i].begin, at);

		if (pieces->at[i].end > at && begin < best) {
			best = begin;
			*ret_which = i;
			found = true;
		}
	}
	return found;
}

void stream_entered(struct stream *stream, const struct stream_env *env, const struct piece *packet,
		    uint64_t now_ns, uint8_t verdict)
{
	uint64_t at = packet->begin;
	struct piece piece;
	uint32_t which;

	if (stream->dropped.count)
		repaired(stream, env, packet->begin, packet->end, now_ns);
	if (pieces_take_only(&stream->left, packet, &piece)) {
		enter_piece(stream, env, &piece, packet, now_ns, verdict);
		return;
	}
	while (first_from(&stream->left, at, packet->end, &which)) {
		piece = pieces_cut(&stream->left, env, which, at, packet->end);
		enter_unseen(stream, env, packet, at, piece.begin, now_ns, verdict);
		enter_piece(stream, env, &piece, packet, now_ns, verdict);
		at = piece.end;
	}
	enter_unseen(stream, env, packet, at, packet->end, now_ns, verdict);
}

static uint64_t due_ns(const struct piece *piece)
{
	return piece->enter_ns + piece->asked_ns;
}

/* When the packet that is meant by a release of [begin, end) came in: of those held, the one that is due first. */
static bool held_since(const struct pieces *held, uint64_t begin, uint64_t end, uint64_t *ret_ns)
{
	const struct piece *best = NULL;

	for (uint32_t i = 0; i < held->count; i++) {
		const struct piece *piece = &held->at[i];

		if (overlaps(piece, begin, end) && (!best || due_ns(piece) < due_ns(best)))
			best = piece;
	}
	if (!best)
		return false;
	*ret_ns = best->enter_ns;
	return true;
}

static void release_piece(struct stream *stream, const struct stream_env *env, struct piece *piece,
			  const struct piece *packet, uint64_t now_ns, uint8_t verdict)
{
	if (verdict == HF_VERDICT_DROP) {
		memcpy(piece->rule_id, packet->rule_id, sizeof(piece->rule_id));
		drop(stream, env, piece, now_ns);
		return;
	}
	piece->release_ns = later(now_ns, piece->enter_ns);
	deliver(stream, env, piece);
}

void stream_released(struct stream *stream, const struct stream_env *env,
		     const struct piece *packet, uint64_t now_ns, uint8_t verdict)
{
	uint64_t since_ns;
	uint32_t i = 0;

	if (!held_since(&stream->held, packet->begin, packet->end, &since_ns)) {
		env->sink->on_unmatched(env->ctx);
		return;
	}
	while (i < stream->held.count) {
		struct piece *held = &stream->held.at[i];
		struct piece piece;

		if (held->enter_ns != since_ns || !overlaps(held, packet->begin, packet->end)) {
			i++;
			continue;
		}
		piece = pieces_cut(&stream->held, env, i, packet->begin, packet->end);
		release_piece(stream, env, &piece, packet, now_ns, verdict);
	}
}

/* ---- the end ---- */

static void flush_list(struct stream *stream, const struct stream_env *env, struct pieces *list,
		       uint64_t end)
{
	struct piece piece;

	while (list->count && pieces_take(list, env, 0, end, &piece)) {
		piece.release_ns = TIME_UNKNOWN;
		deliver(stream, env, &piece);
	}
}

void stream_lose(struct stream *stream, const struct stream_env *env, uint64_t end, uint64_t now_ns)
{
	for (uint32_t i = 0; i < stream->dropped.count; i++) {
		const struct piece *lost = &stream->dropped.at[i];

		if (lost->begin < end && lost->release_ns < now_ns)
			env->sink->on_lost(env->ctx, lost->begin, earlier(lost->end, end), true,
					   lost->release_ns, now_ns);
	}
}

void stream_flush(struct stream *stream, const struct stream_env *env, uint64_t end)
{
	flush_list(stream, env, &stream->held, end);
	flush_list(stream, env, &stream->left, end);
	flush_list(stream, env, &stream->dropped, end);
	if (stream->delivered < end) {
		stream->delivered = end;
		advance(stream);
	}
}

void stream_start(struct stream *stream, uint32_t seq)
{
	stream->is_known = true;
	stream->base =
		(1ULL << 32) + seq; /* room below it, for what is older than what we saw first */
	stream->high = stream->base;
	stream->delivered = stream->base;
	stream->read_high = stream->base;
	stream->fin = UINT64_MAX;
}

void stream_free(struct stream *stream, struct budget *budget)
{
	pieces_free(&stream->left, budget);
	pieces_free(&stream->held, budget);
	pieces_free(&stream->dropped, budget);
}

uint64_t stream_number(const struct stream *stream, uint32_t seq)
{
	return stream->high + (uint64_t)(int64_t)(int32_t)(seq - (uint32_t)stream->high);
}

/* ---- send calls ---- */

struct send *stream_add_send(struct stream *stream, uint64_t begin, uint64_t len)
{
	struct send *send = &stream->send[stream->sends++ % STREAM_SENDS];

	*send = (struct send){ .begin = begin, .len = len };
	return send;
}

struct cause *stream_add_cause(struct stream *stream, struct send *send)
{
	send->has_cause = true;
	return &stream->cause[send - stream->send];
}

const struct cause *stream_cause(const struct stream *stream, const struct send *send)
{
	static const struct cause unknown;

	return send->has_cause ? &stream->cause[send - stream->send] : &unknown;
}

static bool send_wrote(const struct send *send, uint64_t number)
{
	return send->begin == number || (send->begin < number && number < send->begin + send->len);
}

/* A call that wanted to write more than it could is followed by one that begins where it stopped: the last wins. */
const struct send *stream_find_send(const struct stream *stream, uint64_t number)
{
	uint32_t oldest = stream->sends > STREAM_SENDS ? stream->sends - STREAM_SENDS : 0;

	for (uint32_t i = stream->sends; i > oldest; i--)
		if (send_wrote(&stream->send[(i - 1) % STREAM_SENDS], number))
			return &stream->send[(i - 1) % STREAM_SENDS];
	return NULL;
}
