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
#include "trace/open_call.h"
#include "trace/turn.h"

/* ---- requests ---- */

/* open_call_has_response() where seeing nothing is no answer, because the client's side is one that is looked at. */
static bool response_is_seen_to_arrive(const struct way *way, const struct open_call *call)
{
	const struct stream *stream = way_stream(way, RESPONSE);
	uint32_t client = way->connection->endpoint[client_of(way->connection)];

	if (client >= HF_ENDPOINT_FIRST && !stream->reads_seen && !stream->entry_seen)
		return false;
	return open_call_has_response(way, call);
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
	return open_call_is_http(last) && !response_is_seen_to_arrive(way, last);
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
	if (open_call_has_response(way, answered) &&
	    (way_stream(way, RESPONSE)->reads_seen || !open_call_is_http(answered))) {
		stop_answering(connection);
		open_calls_settle(way, false);
		return false;
	}
	if (open_call_is_http(answered)) {
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
	last = open_call_begin(way, begin, end, head);
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

	message_begin(call, RESPONSE, way_stream(way, RESPONSE), begin);
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
	open_calls_settle(way, false);
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
			open_calls_end(way);
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
		if (way_message(way, call)->begin == begin && head->kind == HEAD_REQUEST &&
		    way_part(way) == REQUEST && !open_call_is_http(call))
			open_call_note_head(call, head);
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
	if (way_part(way) == REQUEST)
		request_bytes(way, stream->high, end, head);
	else
		response_bytes(way, stream->high, end, head);
}

static void read_message(const struct way *way, struct open_call *call, uint32_t pid, uint32_t tid)
{
	const struct message_sink *sink = &way->messages->sink;
	struct message *message = way_message(way, call);

	message->read_ns = way->messages->now_ns;
	message->read_end = message->end;
	if (call->is_over)
		return;
	if (way_part(way) == RESPONSE)
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
		const struct message *message = way_message(way, call);

		if (!message_has_begun(message))
			break;
		if (begin < message->end && message->end <= end && !message_is_read(message))
			read_message(way, call, pid, tid);
	}
	open_calls_settle(way, false);
}
