/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * turn.c - which bytes of a connection are which request and which response.
 *
 *     client ->  [ request 1 ]              [ request 2 ][ request 3 ]
 *     server ->               [ response 1 ]                          [ response 2 ][ response 3 ]
 *
 * A message ends when bytes flow the other way: that is all that is known of an unknown protocol. HTTP/1 heads say
 * more: each request head begins a request, each response head a response, and responses answer requests
 * first in, first out, so a client that writes several requests ahead, each by its own send, is paired exactly.
 *
 * What can not be seen, because only the beginning of a packet is looked at:
 *   - two requests (or responses) in one packet are one message, and the second response is counted as unmatched, or taken
 *     for the next request's if one is waiting; pairing is right again once no request waits;
 *   - a body that has something like a request line at the very beginning of a packet is taken for a request.
 * An interim response (1xx but 101) is no response: its bytes belong to nothing, the request goes on, and the
 * response begins with the next head.
 * A call that is given up keeps its place in the queue, so its late response meets it and not the next request.
 *
 * Who gave up is seen on the wire: the client's FIN or reset, or its socket's end. Of a protocol that is not HTTP a FIN may
 * only say that there are no more requests; then an answer that comes after it counts.
 */
#include <string.h>

#include "trace/turn.h"

static enum end client_of(const struct connection *connection)
{
	return (enum end)connection->client;
}

static enum part part_of(const struct way *way)
{
	return way->from == client_of(way->connection) ? REQUEST : RESPONSE;
}

static struct stream *stream_of(const struct way *way, enum part part)
{
	enum end client = client_of(way->connection);

	return &way->connection->stream[part == REQUEST ? client : !client];
}

struct message *turn_message(const struct way *way, struct open_call *call)
{
	return &call->message[part_of(way)];
}

/* ---- what the points tell of a message ---- */

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

/* Calls the body for each message of this way that has bytes of [begin_, end_). */
#define hf_for_each_message(way, call, message, begin_, end_)          \
	for (call = (way)->connection->first; call; call = call->next) \
		if (message = turn_message(way, call),                 \
		    message->begin < (end_) && (begin_) < message->end)

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
		struct loss *loss = &call->loss[part_of(way)];

		interval_add(injected ? &loss->injected : &loss->real, from_ns, to_ns);
	}
}

void turn_note_act(const struct way *way, struct open_call *call, const uint32_t *rule_id,
		   bool is_drop)
{
	struct message *message = turn_message(way, call);

	if (!message_has_begun(message))
		message = &call->message[REQUEST];
	note_rules(message, rule_id);
	message->drops_injected += is_drop;
}

void turn_note_resent(const struct way *way, uint64_t begin, uint64_t end)
{
	struct open_call *call;
	struct message *message;

	hf_for_each_message(way, call, message, begin, end) message->resent++;
}

static void on_forgotten(void *ctx)
{
	((const struct way *)ctx)->messages->stats->forgotten_sightings++;
}

static void on_unmatched(void *ctx)
{
	((const struct way *)ctx)->messages->stats->unmatched_sightings++;
}

const struct stream_sink turn_stream_sink = {
	.on_delivered = on_delivered,
	.on_again = on_again,
	.on_dropped = on_dropped,
	.on_lost = on_lost,
	.on_forgotten = on_forgotten,
	.on_unmatched = on_unmatched,
};

/* ---- the life of a call ---- */

static void flush_stream(const struct way *way, enum part part, uint64_t end)
{
	enum end client = client_of(way->connection);
	struct way that_way = { way->messages, way->connection,
				part == REQUEST ? client : !client };
	struct stream_env env = { way->messages->budget, &turn_stream_sink, &that_way };

	if (end)
		stream_flush(stream_of(way, part), &env, end);
}

/* No answer, or as far as can be seen not all of it has reached the client. */
static bool is_unanswered(const struct way *way, const struct open_call *call)
{
	const struct message *response = &call->message[RESPONSE];
	const struct stream *stream = stream_of(way, RESPONSE);

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

/* What a rule dropped for good has cost until nobody waited any more. */
static void lose_stream(const struct way *way, enum part part, const struct open_call *call)
{
	enum end client = client_of(way->connection);
	struct way that_way = { way->messages, way->connection,
				part == REQUEST ? client : !client };
	struct stream_env env = { way->messages->budget, &turn_stream_sink, &that_way };

	stream_lose(stream_of(way, part), &env, call->message[part].end, call->ended_ns);
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

static void stop_answering(struct connection *connection)
{
	connection->answering = NULL;
	connection->is_interim = false;
	connection->is_interrupted = false;
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

void turn_end_all(const struct way *way)
{
	while (way->connection->first)
		end_first(way);
}

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

static void message_forget(struct open_call *call, enum part part)
{
	memset(&call->message[part], 0, sizeof(call->message[part]));
	loss_empty(&call->loss[part]);
}

/* All of it is 0 so far, or it is an interim response that another follows. */
static void message_begin(struct open_call *call, enum part part, const struct stream *stream,
			  uint64_t begin, const struct send **ret_send)
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
	*ret_send = send;
}

static void note_request_head(struct open_call *call, const struct head *head)
{
	memcpy(call->method, head->method, sizeof(call->method));
	memcpy(call->path, head->path, sizeof(call->path));
}

/* No room: the bytes of this connection can no longer be paired, so say nothing of them. */
static void go_deaf(const struct way *way)
{
	way->connection->is_deaf = true;
	turn_end_all(way);
}

static struct open_call *call_begin(const struct way *way, uint64_t begin, uint64_t end,
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
	message_begin(call, REQUEST, stream_of(way, REQUEST), begin, &send);
	call->message[REQUEST].end = end;
	call->begun_ns = send ? send->time_ns : messages->now_ns;
	call->is_first = connection->calls_begun++ == 0;
	if (head->kind == HEAD_REQUEST)
		note_request_head(call, head);
	if (connection->first)
		connection->last->next = call;
	else
		connection->first = call;
	interval_trim(&connection->holds, connection->first->begun_ns);
	connection->last = call;
	messages->sink.on_begun(messages->sink.ctx, call,
				send ? stream_cause(stream_of(way, REQUEST), send) : NULL);
	return call;
}

/* ---- requests ---- */

static bool is_http(const struct open_call *call)
{
	return call->method[0] != 0;
}

/* As far as can be seen, the client has all of the response that the server has sent. */
static bool response_has_arrived(const struct way *way, const struct open_call *call)
{
	const struct message *response = &call->message[RESPONSE];
	const struct stream *stream = stream_of(way, RESPONSE);

	if (stream->reads_seen) /* beyond it: the call that has read its end was not told */
		return message_is_read(response) || stream->read_high > response->end;
	return !stream->entry_seen || stream->delivered >= response->end;
}

/* The same where seeing nothing is no answer, because the client's side is one that is looked at. */
static bool response_is_seen_to_arrive(const struct way *way, const struct open_call *call)
{
	const struct stream *stream = stream_of(way, RESPONSE);
	uint32_t client = way->connection->endpoint[client_of(way->connection)];

	if (client >= HF_ENDPOINT_FIRST && !stream->reads_seen && !stream->entry_seen)
		return false;
	return response_has_arrived(way, call);
}

/* Bytes of the client that are no new request: more of the last one. */
static bool request_goes_on(const struct way *way, const struct open_call *last)
{
	const struct connection *connection = way->connection;

	if (last->is_over)
		return false;
	if (!message_has_begun(&last->message[RESPONSE]))
		return true;
	if (connection->answering == last && connection->is_interim)
		return true;
	return is_http(last) && !response_is_seen_to_arrive(way, last);
}

static void continue_request(const struct way *way, struct open_call *last, uint64_t end)
{
	struct connection *connection = way->connection;

	last->message[REQUEST].end = end;
	if (!message_has_begun(&last->message[RESPONSE]))
		return;
	if (connection->is_interim) {
		message_forget(last, RESPONSE);
		stop_answering(connection);
	} else {
		last->is_overlap = true;
	}
}

/* A new request: what was being answered is over, or (written ahead) is interrupted by it. */
static bool interrupt_answer(const struct way *way)
{
	struct connection *connection = way->connection;
	struct open_call *answered = connection->answering;

	if (!answered)
		return false;
	if (response_has_arrived(way, answered) &&
	    (stream_of(way, RESPONSE)->reads_seen || !is_http(answered))) {
		stop_answering(connection);
		turn_settle(way, false);
		return false;
	}
	if (is_http(answered)) {
		connection->is_interrupted = true;
		return false;
	}
	answered->is_overlap = true;
	stop_answering(connection);
	return true;
}

static void request_bytes(const struct way *way, uint64_t begin, uint64_t end,
			  const struct head *head)
{
	struct open_call *last = way->connection->last;
	bool is_overlap;

	if (last && head->kind != HEAD_REQUEST && request_goes_on(way, last)) {
		continue_request(way, last, end);
		return;
	}
	is_overlap = interrupt_answer(way);
	last = call_begin(way, begin, end, head);
	if (last)
		last->is_overlap = is_overlap;
}

/* ---- responses ---- */

static struct open_call *first_unanswered(const struct connection *connection)
{
	struct open_call *call = connection->first;

	while (call && message_has_begun(&call->message[RESPONSE]))
		call = call->next;
	return call;
}

static void response_begin(const struct way *way, struct open_call *call, uint64_t begin,
			   uint64_t end, const struct head *head)
{
	struct connection *connection = way->connection;
	struct messages *messages = way->messages;
	const struct send *send;

	message_begin(call, RESPONSE, stream_of(way, RESPONSE), begin, &send);
	call->message[RESPONSE].end = end;
	call->status = head->status;
	stop_answering(connection);
	connection->answering = call;
	connection->is_interim = status_is_interim(head->status);
	if (!connection->is_interim && !call->is_over)
		messages->sink.on_answered(messages->sink.ctx, call);
}

/* Whose response begins here? NULL: nobody's. */
static struct open_call *answered_by(const struct connection *connection, const struct head *head)
{
	if (head->kind == HEAD_RESPONSE && connection->is_interim)
		return connection->answering;
	return first_unanswered(connection);
}

static bool response_goes_on(const struct connection *connection, const struct head *head)
{
	const struct open_call *answering = connection->answering;

	if (!answering || head->kind == HEAD_RESPONSE)
		return false;
	return !connection->is_interrupted || answering->status != 0;
}

static void response_bytes(const struct way *way, uint64_t begin, uint64_t end,
			   const struct head *head)
{
	struct connection *connection = way->connection;
	struct open_call *call;

	if (response_goes_on(connection, head)) {
		connection->answering->message[RESPONSE].end = end;
		return;
	}
	call = answered_by(connection, head);
	if (call) {
		response_begin(way, call, begin, end, head);
	} else {
		way->messages->stats->unmatched_responses++;
		stop_answering(connection);
	}
	turn_settle(way, false);
}

/* ---- bytes ---- */

/* Seen from the middle only, the first who speaks is the client, until a head says otherwise. */
static void find_client(const struct way *way, const struct head *head)
{
	struct connection *connection = way->connection;
	int client = head->kind == HEAD_RESPONSE ? !way->from : way->from;

	if (connection->client_is_sure)
		return;
	if (head->kind != HEAD_NONE) {
		connection->client_is_sure = true;
		if (connection->client != NO_END && connection->client != client)
			turn_end_all(way);
		connection->client = (int8_t)client;
	} else if (connection->client == NO_END) {
		connection->client = (int8_t)client;
	}
}

/* A head that was not seen with the first copy. */
static void note_late_head(const struct way *way, uint64_t begin, const struct head *head)
{
	struct open_call *call;

	for (call = way->connection->first; call; call = call->next)
		if (turn_message(way, call)->begin == begin && head->kind == HEAD_REQUEST &&
		    part_of(way) == REQUEST && !is_http(call))
			note_request_head(call, head);
}

void turn_bytes(const struct way *way, uint64_t begin, uint64_t end, const struct head *head)
{
	const struct stream *stream = &way->connection->stream[way->from];
	static const struct head no_head;

	find_client(way, head);
	if (end <= stream->high) {
		if (head->kind != HEAD_NONE)
			note_late_head(way, begin, head);
		return;
	}
	if (begin < stream->high)
		head = &no_head;
	/* a gap is bytes that nobody told of; they are of this message, if of any */
	if (part_of(way) == REQUEST)
		request_bytes(way, stream->high, end, head);
	else
		response_bytes(way, stream->high, end, head);
}

static void read_message(const struct way *way, struct open_call *call, uint32_t pid, uint32_t tid)
{
	const struct message_sink *sink = &way->messages->sink;
	struct message *message = turn_message(way, call);

	message->read_ns = way->messages->now_ns;
	message->read_end = message->end;
	if (call->is_over)
		return;
	if (part_of(way) == RESPONSE)
		sink->on_client_done(sink->ctx, call);
	else if (!message_has_begun(&call->message[RESPONSE]) || way->connection->is_interim)
		sink->on_request_read(sink->ctx, call, pid, tid);
}

/* Only the call that returns the last byte tells when; if it was not told, a later one must not stand in for it. */
void turn_read(const struct way *way, uint64_t begin, uint64_t end, uint32_t pid, uint32_t tid)
{
	struct open_call *call;

	if (way->connection->client == NO_END)
		return;
	for (call = way->connection->first; call; call = call->next) {
		const struct message *message = turn_message(way, call);

		if (!message_has_begun(message))
			break;
		if (begin < message->end && message->end <= end && !message_is_read(message))
			read_message(way, call, pid, tid);
	}
	turn_settle(way, false);
}

/* ---- the end of calls ---- */

void turn_abandon(const struct way *way, bool for_sure)
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
			call->is_given_up = for_sure || is_http(call);
		}
		sink->on_client_done(sink->ctx, call);
		if (is_http(call))
			connection->closed[way->from] = true;
	}
}

void turn_break(const struct way *way)
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
void turn_end_abandoned(const struct way *way, uint64_t before_ns)
{
	struct open_call *call;

	for (call = way->connection->first; call; call = call->next)
		if (call->is_given_up && call->ended_by == ENDED_BY_CLIENT &&
		    call->ended_ns < before_ns)
			tell_over(way, call);
}

void turn_end_attempt(const struct way *way, enum ended_by ended_by)
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

/* No receive call of this client was told so far: is it because there will be none? */
static bool read_may_come(const struct way *way, const struct open_call *call)
{
	uint32_t client = way->connection->endpoint[client_of(way->connection)];

	return client >= HF_ENDPOINT_FIRST && !stream_of(way, RESPONSE)->reads_seen &&
	       way->messages->now_ns < call->begun_ns + way->messages->limits.settle_ns;
}

static bool call_is_certainly_over(const struct way *way, const struct open_call *call)
{
	const struct message *response = &call->message[RESPONSE];

	if (!message_has_begun(response) || !response_has_arrived(way, call))
		return false;
	if (read_may_come(way, call))
		return false;
	if (call != way->connection->answering)
		return true; /* something follows its response, or a new request did */
	return stream_of(way, RESPONSE)->fin == response->end;
}

void turn_settle(const struct way *way, bool is_quiet)
{
	const struct connection *connection = way->connection;

	if (connection->client == NO_END)
		return;
	while (connection->first) {
		struct open_call *call = connection->first;
		bool has_rested = is_quiet && message_has_begun(&call->message[RESPONSE]) &&
				  response_has_arrived(way, call) && !connection->is_interim;

		if (!has_rested && !call_is_certainly_over(way, call))
			return;
		end_first(way);
	}
}

void turn_expire(const struct way *way, uint64_t before_ns)
{
	struct open_call *call;

	for (call = way->connection->first; call; call = call->next) {
		if (call->begun_ns >= before_ns || call->is_over)
			continue;
		way->messages->stats->expired_calls++;
		tell_over(way, call);
	}
}
