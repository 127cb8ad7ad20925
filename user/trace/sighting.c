/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * sighting.c - what was seen of a stream's bytes goes into the messages that have them.
 */
#include "trace/sighting.h"

static void note_rules(struct message *message, const uint32_t *rule_id)
{
	for (int i = 0; rule_id && i < HF_EVENT_RULES_MAX && rule_id[i]; i++) {
		int at = 0;

		while (at < CALL_RULES_MAX && message->rule_id[at] &&
		       message->rule_id[at] != rule_id[i])
			at++;
		if (at < CALL_RULES_MAX)
			message->rule_id[at] = rule_id[i];
	}
}

static uint64_t latest(uint64_t known_ns, uint64_t time_ns)
{
	return known_ns == TIME_UNKNOWN || time_ns > known_ns ? time_ns : known_ns;
}

static void note_passage(struct message *message, const struct piece *piece, uint64_t bytes)
{
	note_rules(message, piece->rule_id);
	if (piece->left_ns != TIME_UNKNOWN) {
		message->left_bytes += bytes;
		message->left_ns = latest(message->left_ns, piece->left_ns);
		if (piece->begin <= message->begin)
			message->first_left_ns = piece->left_ns;
	}
	if (piece->enter_ns != TIME_UNKNOWN) {
		message->enter_bytes += bytes;
		message->enter_ns = latest(message->enter_ns, piece->enter_ns);
	}
	if (piece->release_ns != TIME_UNKNOWN) {
		message->release_bytes += bytes;
		if (message->release_ns == TIME_UNKNOWN || piece->release_ns >= message->release_ns)
			message->asked_ns = piece->asked_ns;
		message->release_ns = latest(message->release_ns, piece->release_ns);
	}
}

static void on_delivered(void *ctx, const struct piece *piece)
{
	const struct way *way = ctx;
	struct open_call *call;
	struct message *message;

	hf_for_each_message(way, call, message, piece->begin, piece->end)
	{
		uint64_t begin = piece->begin > message->begin ? piece->begin : message->begin;
		uint64_t end = piece->end < message->end ? piece->end : message->end;

		note_passage(message, piece, end - begin);
	}
}

static void on_again(void *ctx, uint64_t begin, uint64_t end)
{
	const struct way *way = ctx;
	struct open_call *call;
	struct message *message;

	hf_for_each_message(way, call, message, begin, end) message->seen_again++;
}

static void on_dropped(void *ctx, uint64_t begin, uint64_t end, bool injected,
		       const uint32_t *rule_id)
{
	const struct way *way = ctx;
	struct open_call *call;
	struct message *message;

	hf_for_each_message(way, call, message, begin, end)
	{
		note_rules(message, rule_id);
		if (injected)
			message->drops_injected++;
		else
			message->drops_real++;
	}
}

static void on_lost(void *ctx, uint64_t begin, uint64_t end, bool injected, uint64_t from_ns,
		    uint64_t to_ns)
{
	const struct way *way = ctx;
	struct open_call *call;
	struct message *message;

	hf_for_each_message(way, call, message, begin, end)
	{
		struct loss *loss = &call->loss[way_part(way)];

		interval_add(injected ? &loss->injected : &loss->real, from_ns, to_ns);
	}
}

static void on_forgotten(void *ctx)
{
	((const struct way *)ctx)->messages->stats->forgotten_sightings++;
}

static void on_unmatched(void *ctx)
{
	((const struct way *)ctx)->messages->stats->unmatched_sightings++;
}

static const struct stream_sink sink = {
	.on_delivered = on_delivered,
	.on_again = on_again,
	.on_dropped = on_dropped,
	.on_lost = on_lost,
	.on_forgotten = on_forgotten,
	.on_unmatched = on_unmatched,
};

struct stream_env sighting_env(const struct way *way)
{
	return (struct stream_env){ way->messages->budget, &sink, (void *)way };
}

void sighting_note_act(const struct way *way, struct open_call *call, const uint32_t *rule_id,
		       bool is_drop)
{
	struct message *message = way_message(way, call);

	if (!message_has_begun(message))
		message = &call->message[REQUEST];
	note_rules(message, rule_id);
	message->drops_injected += is_drop;
}

void sighting_note_resent(const struct way *way, uint64_t begin, uint64_t end)
{
	struct open_call *call;
	struct message *message;

	hf_for_each_message(way, call, message, begin, end) message->resent++;
}
