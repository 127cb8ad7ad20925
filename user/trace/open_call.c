/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * open_call.c - a call begins, and ends.
 */
#include <string.h>

#include "trace/open_call.h"
#include "trace/sighting.h"

/* ---- the beginning ---- */

static void loss_empty(struct loss *loss)
{
	loss->injected.count = loss->real.count = 0;
}

/* NULL: no room, counted. */
static struct open_call *call_new(const struct way *way)
{
	struct open_call *call = pool_get(&way->messages->calls);

	if (!call) {
		way->messages->stats->refused_calls++;
		return NULL;
	}
	call->connection = way->connection;
	loss_empty(&call->loss[REQUEST]);
	loss_empty(&call->loss[RESPONSE]);
	return call;
}

void message_forget(struct open_call *call, enum part part)
{
	memset(&call->message[part], 0, sizeof(call->message[part]));
	loss_empty(&call->loss[part]);
}

const struct send *message_begin(struct open_call *call, enum part part,
				 const struct stream *stream, uint64_t begin)
{
	const struct send *send = stream_find_send(stream, begin);
	struct message *message = &call->message[part];

	if (message_has_begun(message))
		message_forget(call, part);
	message->begin = message->end = begin;
	message->send_ns = send ? send->time_ns : TIME_UNKNOWN;
	message->sender_tid = send ? send->tid : 0;
	message->first_left_ns = message->left_ns = TIME_UNKNOWN;
	message->enter_ns = message->release_ns = message->read_ns = TIME_UNKNOWN;
	return send;
}

void open_call_note_head(struct open_call *call, const struct head *head)
{
	memcpy(call->method, head->method, sizeof(call->method));
	memcpy(call->path, head->path, sizeof(call->path));
}

/* No room: the bytes of this connection can no longer be paired, so say nothing of them. */
static void go_deaf(const struct way *way)
{
	way->connection->is_deaf = true;
	open_calls_end(way);
}

struct open_call *open_call_begin(const struct way *way, uint64_t begin, uint64_t end,
				  const struct head *head)
{
	struct connection *connection = way->connection;
	struct messages *messages = way->messages;
	struct open_call *call = call_new(way);
	const struct send *send;

	if (!call) {
		go_deaf(way);
		return NULL;
	}
	send = message_begin(call, REQUEST, way_stream(way, REQUEST), begin);
	call->message[REQUEST].end = end;
	call->begun_ns = send ? send->time_ns : messages->now_ns;
	call->is_first = connection->calls_begun++ == 0;
	if (head->kind == HEAD_REQUEST)
		open_call_note_head(call, head);
	if (connection->first)
		connection->last->next = call;
	else
		connection->first = call;
	interval_trim(&connection->holds, connection->first->begun_ns);
	connection->last = call;
	messages->sink.on_begun(messages->sink.ctx, call,
				send ? stream_cause(way_stream(way, REQUEST), send) : NULL);
	return call;
}

/* ---- meanwhile ---- */

bool open_call_is_http(const struct open_call *call)
{
	return call->method[0] != 0;
}

bool open_call_has_response(const struct way *way, const struct open_call *call)
{
	const struct message *response = &call->message[RESPONSE];
	const struct stream *stream = way_stream(way, RESPONSE);

	if (stream->reads_seen) /* beyond it: the call that has read its end was not told */
		return message_is_read(response) || stream->read_high > response->end;
	return !stream->entry_seen || stream->delivered >= response->end;
}

void stop_answering(struct connection *connection)
{
	connection->answering = NULL;
	connection->is_interim = false;
	connection->is_interrupted = false;
}

/* ---- one ends ---- */

/* No answer, or as far as can be seen not all of it has reached the client. */
static bool is_unanswered(const struct way *way, const struct open_call *call)
{
	const struct message *response = &call->message[RESPONSE];
	const struct stream *stream = way_stream(way, RESPONSE);

	if (!message_has_begun(response))
		return true;
	if (way->connection->answering == call && way->connection->is_interim)
		return true;
	if (message_is_read(response))
		return false;
	if (call->is_given_up)
		return true;
	return stream->entry_seen && stream->delivered < response->end;
}

static void note_end(const struct way *way, struct open_call *call, enum ended_by ended_by)
{
	if (call->ended_by != ENDED_BY_NOBODY || call->is_over)
		return;
	call->ended_by = (uint8_t)ended_by; /* of nobody: the last that was seen of it */
	call->ended_ns = way->messages->now_ns;
}

/* All that is known of this part's bytes so far goes into their messages. */
static void flush_stream(const struct way *way, enum part part, uint64_t end)
{
	struct way own = way_of_part(way, part);
	struct stream_env env = sighting_env(&own);

	if (end)
		stream_flush(way_stream(way, part), &env, end);
}

/* What a rule dropped for good has cost until nobody waited any more. */
static void lose_stream(const struct way *way, enum part part, const struct open_call *call)
{
	struct way own = way_of_part(way, part);
	struct stream_env env = sighting_env(&own);

	stream_lose(way_stream(way, part), &env, call->message[part].end, call->ended_ns);
}

static void tell_over(const struct way *way, struct open_call *call)
{
	if (call->is_over)
		return;
	call->is_unanswered = is_unanswered(way, call);
	note_end(way, call, ENDED_BY_NOBODY);
	if (call->is_unanswered) {
		lose_stream(way, REQUEST, call);
		lose_stream(way, RESPONSE, call);
	}
	flush_stream(way, REQUEST, call->message[REQUEST].end);
	flush_stream(way, RESPONSE, call->message[RESPONSE].end);
	call->is_over = true;
	way->messages->sink.on_over(way->messages->sink.ctx, call);
}

/* The oldest call leaves the connection. */
static void end_first(const struct way *way)
{
	struct connection *connection = way->connection;
	struct open_call *call = connection->first;

	tell_over(way, call);
	if (connection->answering == call)
		stop_answering(connection);
	connection->first = call->next;
	if (!connection->first)
		connection->last = NULL;
	pool_put(&way->messages->calls, call);
}

/* ---- whose time has come ---- */

void open_calls_abandon(const struct way *way, bool for_sure)
{
	struct connection *connection = way->connection;
	const struct message_sink *sink = &way->messages->sink;
	struct open_call *call;

	if (connection->client != (int)way->from)
		return;
	for (call = connection->first; call; call = call->next) {
		if (call->is_over || message_is_read(&call->message[RESPONSE]))
			continue;
		if (is_unanswered(way, call)) {
			note_end(way, call, ENDED_BY_CLIENT);
			call->is_given_up = for_sure || open_call_is_http(call);
		}
		sink->on_client_done(sink->ctx, call);
		if (open_call_is_http(call))
			connection->closed[way->from] = true;
	}
}

void open_calls_break(const struct way *way)
{
	struct connection *connection = way->connection;
	struct open_call *call;

	if (connection->client == NO_END || connection->client == (int)way->from)
		return;
	for (call = connection->first; call; call = call->next)
		if (!message_has_begun(&call->message[RESPONSE]))
			note_end(way, call, ENDED_BY_SERVER);
}

/* Retransmissions of what nobody waits for may keep such a connection from being quiet for minutes. */
void open_calls_end_abandoned(const struct way *way, uint64_t before_ns)
{
	struct open_call *call;

	for (call = way->connection->first; call; call = call->next)
		if (call->is_given_up && call->ended_by == ENDED_BY_CLIENT &&
		    call->ended_ns < before_ns)
			tell_over(way, call);
}

/* No receive call of this client was told so far: is it because there will be none? */
static bool read_may_come(const struct way *way, const struct open_call *call)
{
	uint32_t client = way->connection->endpoint[client_of(way->connection)];

	return client >= HF_ENDPOINT_FIRST && !way_stream(way, RESPONSE)->reads_seen &&
	       way->messages->now_ns < call->begun_ns + way->messages->limits.settle_ns;
}

static bool call_is_certainly_over(const struct way *way, const struct open_call *call)
{
	const struct message *response = &call->message[RESPONSE];

	if (!message_has_begun(response) || !open_call_has_response(way, call))
		return false;
	if (read_may_come(way, call))
		return false;
	if (call != way->connection->answering)
		return true; /* something follows its response, or a new request did */
	return way_stream(way, RESPONSE)->fin == response->end;
}

void open_calls_settle(const struct way *way, bool is_quiet)
{
	const struct connection *connection = way->connection;

	if (connection->client == NO_END)
		return;
	while (connection->first) {
		struct open_call *call = connection->first;
		bool has_rested = is_quiet && message_has_begun(&call->message[RESPONSE]) &&
				  open_call_has_response(way, call) && !connection->is_interim;

		if (!has_rested && !call_is_certainly_over(way, call))
			return;
		end_first(way);
	}
}

void open_calls_expire(const struct way *way, uint64_t before_ns)
{
	struct open_call *call;

	for (call = way->connection->first; call; call = call->next) {
		if (call->begun_ns >= before_ns || call->is_over)
			continue;
		way->messages->stats->expired_calls++;
		tell_over(way, call);
	}
}

void open_calls_end(const struct way *way)
{
	while (way->connection->first)
		end_first(way);
}

void open_attempt_end(const struct way *way, enum ended_by ended_by)
{
	struct connection *connection = way->connection;
	struct messages *messages = way->messages;
	const struct message_sink *sink = &messages->sink;
	struct open_call *call = call_new(way);
	uint64_t begun_ns = connection->attempt_ns;

	connection->attempt_ns = TIME_UNKNOWN;
	for (int end = END_A; end <= END_B; end++)
		if (connection->syn_dropped_ns[end] != TIME_UNKNOWN)
			connection->handshake.injected_ns +=
				messages->now_ns - connection->syn_dropped_ns[end];
	if (!call)
		return;
	call->begun_ns = begun_ns;
	call->is_attempt = call->is_unanswered = true;
	note_end(way, call, ended_by);
	sink->on_begun(sink->ctx, call, &connection->attempt_cause);
	sink->on_client_done(sink->ctx, call);
	sink->on_over(sink->ctx, call);
	pool_put(&messages->calls, call);
}
