/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * message.c - from ordered events to connections, their streams and their messages.
 *
 *     packet --> connection --> which message are new bytes of?  (turn.c)
 *                           --> which point did they pass, and when?  (stream.c, sighting.c)
 *     socket --> connection --> who sent, who has read  (turn.c)
 *
 * A connection may be seen from its first SYN or from its middle, from both ends, from one, or from between. Its pair of
 * ends may come again with a new SYN: then it is another connection.
 */
#include <errno.h>
#include <netinet/in.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "trace/open_call.h"
#include "trace/sighting.h"
#include "trace/turn.h"

enum { TCP_FIN = 1, TCP_SYN = 2, TCP_RST = 4, TCP_ACK = 16 };

static bool is_named(uint32_t endpoint)
{
	return endpoint >= HF_ENDPOINT_FIRST;
}

static struct way way_of(struct messages *messages, struct connection *connection, enum end from)
{
	return (struct way){ messages, connection, from };
}

/* ---- connections ---- */

/* Connecting, and nothing has come of it yet. Of a client that nobody looks at, success would not be seen either. */
static bool is_connecting(const struct connection *connection)
{
	return connection->attempt_ns != TIME_UNKNOWN && connection->client != NO_END &&
	       is_named(connection->endpoint[connection->client]);
}

static void note_connected(struct connection *connection)
{
	connection->attempt_ns = TIME_UNKNOWN;
}

static void connection_end(struct messages *messages, struct connection *connection)
{
	struct way way = way_of(messages, connection, END_A);

	if (is_connecting(connection))
		open_attempt_end(&way, ENDED_BY_NOBODY);
	open_calls_settle(&way, true);
	open_calls_end(&way);
	connection_drop(&messages->connections, connection);
}

/* The program that sees a packet leave does not ask to whom it goes, so it is asked here, once. */
static void name_ends(const struct address_book *addresses, struct connection *connection)
{
	if (!addresses->endpoint_at)
		return;
	for (int end = 0; end < 2; end++)
		connection->endpoint[end] =
			addresses->endpoint_at(addresses->ctx, &connection->key.addr[end]);
}

static struct connection *connection_begin(struct messages *messages, const struct hf_flow *flow)
{
	struct connection *connection = connection_add(&messages->connections, flow);

	if (connection)
		name_ends(&messages->addresses, connection);
	else
		messages->stats->refused_connections++;
	return connection;
}

static void connection_mind(struct messages *messages, struct connection *connection)
{
	bool is_busy = connection->first != NULL;

	connection->last_ns = messages->now_ns;
	if (!is_busy || !connection->is_busy)
		connection_touch(&messages->connections, connection, is_busy);
}

static void note_endpoint(struct connection *connection, enum end end, uint32_t endpoint)
{
	if (endpoint && !is_named(connection->endpoint[end]))
		connection->endpoint[end] = endpoint;
}

static void set_client(struct connection *connection, enum end end)
{
	if (connection->client_is_sure || connection->first)
		return;
	connection->client = (int8_t)end;
	connection->client_is_sure = true;
}

/* ---- the handshake ---- */

/* A first SYN on ends that are known: it is the same one again, or the ends have a new life. */
static bool is_another_connection(const struct connection *connection, enum end from,
				  const struct hf_packet_event *packet)
{
	const struct stream *stream = &connection->stream[from];

	if (!stream->is_known)
		return connection->stream[!from].is_known || connection->closed[0] ||
		       connection->closed[1];
	return (uint32_t)stream->base != packet->seq + 1;
}

/* What the delivered copy was asked to wait, and how long dropped copies kept it. */
static void note_syn_entered(struct connection *connection, enum end from,
			     const struct hf_packet_event *packet)
{
	uint64_t now_ns = packet->event.time_ns;
	uint64_t *dropped_ns = &connection->syn_dropped_ns[from];

	if (connection->syn_entered[from])
		return;
	if (*dropped_ns != TIME_UNKNOWN)
		connection->handshake.injected_ns += now_ns - *dropped_ns;
	*dropped_ns = TIME_UNKNOWN;
	if (packet->verdict == HF_VERDICT_DROP) {
		*dropped_ns = now_ns;
		connection->handshake.drops++;
		memcpy(connection->handshake.rule_id, packet->rule_id, sizeof(packet->rule_id));
		return;
	}
	connection->syn_entered[from] = true;
	if (packet->verdict == HF_VERDICT_DELAY)
		connection->handshake.injected_ns += packet->delay_ns;
}

/* The packet has got to where it goes, as far as that place is looked at. */
static bool has_arrived(const struct connection *connection, enum end from,
			const struct hf_packet_event *packet)
{
	if (packet->point == HF_POINT_LEAVE && is_named(connection->endpoint[!from]))
		return false;
	return packet->verdict == HF_VERDICT_PASS;
}

static void note_attempt(struct messages *messages, struct connection *connection, enum end from,
			 const struct hf_packet_event *packet)
{
	connection->attempt_ns = packet->event.time_ns;
	messages->sink.on_send(messages->sink.ctx, connection->endpoint[from], 0, 0,
			       &connection->attempt_cause);
}

static void note_syn(struct messages *messages, struct connection *connection, enum end from,
		     const struct hf_packet_event *packet)
{
	struct stream *stream = &connection->stream[from];
	bool is_answer = packet->tcp_flags & TCP_ACK;

	if (!stream->is_known) {
		stream_start(stream, packet->seq + 1);
		if (!is_answer && connection->client == NO_END)
			note_attempt(messages, connection, from, packet);
	}
	set_client(connection, is_answer ? (enum end) !from : from);
	if (packet->point == HF_POINT_ENTER)
		note_syn_entered(connection, from, packet);
	if (is_answer && has_arrived(connection, from, packet))
		note_connected(connection);
}

/* ---- packets ---- */

static bool is_syn(const struct hf_packet_event *packet)
{
	return packet->tcp_flags & TCP_SYN;
}

static struct connection *connection_of_packet(struct messages *messages,
					       const struct hf_packet_event *packet,
					       enum end *ret_from)
{
	struct connection *connection =
		connection_find(&messages->connections, &packet->flow, ret_from);

	if (connection && is_syn(packet) && !(packet->tcp_flags & TCP_ACK) &&
	    packet->point != HF_POINT_RELEASE &&
	    is_another_connection(connection, *ret_from, packet)) {
		connection_end(messages, connection);
		connection = NULL;
	}
	if (connection || packet->point == HF_POINT_RELEASE || (!is_syn(packet) && !packet->len))
		return connection;
	return connection_begin(messages, &packet->flow);
}

static struct piece piece_of(const struct stream *stream, const struct hf_packet_event *packet)
{
	struct piece piece = {
		.left_ns = TIME_UNKNOWN,
		.enter_ns = TIME_UNKNOWN,
		.release_ns = TIME_UNKNOWN,
	};

	piece.begin = stream_number(stream, packet->seq + is_syn(packet));
	piece.end = piece.begin + packet->len;
	if (packet->verdict == HF_VERDICT_DELAY)
		piece.asked_ns = packet->delay_ns;
	memcpy(piece.rule_id, packet->rule_id, sizeof(piece.rule_id));
	return piece;
}

static void pass_point(const struct way *way, const struct piece *piece,
		       const struct hf_packet_event *packet)
{
	struct stream *stream = &way->connection->stream[way->from];
	struct stream_env env = sighting_env(way);
	uint64_t now_ns = packet->event.time_ns;

	switch (packet->point) {
	case HF_POINT_LEAVE:
		stream_left(stream, &env, piece, now_ns, packet->verdict,
			    is_named(way->connection->endpoint[!way->from]));
		break;
	case HF_POINT_ENTER:
		stream_entered(stream, &env, piece, now_ns, packet->verdict);
		break;
	default:
		stream_released(stream, &env, piece, now_ns, packet->verdict);
	}
}

/* A packet that carries no byte acts on the call in hand, for instance an acknowledgement that a rule dropped. */
static void note_bare_packet(const struct way *way, const struct hf_packet_event *packet)
{
	struct open_call *call = way->connection->first;

	if (!call || packet->verdict == HF_VERDICT_PASS || packet->point == HF_POINT_RELEASE ||
	    message_is_read(&call->message[RESPONSE]))
		return;
	sighting_note_act(way, call, packet->rule_id, packet->verdict == HF_VERDICT_DROP);
}

static void data_packet(const struct way *way, const struct hf_packet_event *packet)
{
	struct stream *stream = &way->connection->stream[way->from];
	struct piece piece;
	struct head head;

	if (!stream->is_known)
		stream_start(stream, packet->seq);
	piece = piece_of(stream, packet);
	if (packet->point != HF_POINT_RELEASE) {
		head_parse(packet->head, packet->head_len, &head);
		turn_bytes(way, piece.begin, piece.end, &head);
	}
	pass_point(way, &piece, packet);
	if (piece.end > stream->high && packet->point != HF_POINT_RELEASE)
		stream->high = piece.end;
}

static void note_hold(struct connection *connection, const struct hf_packet_event *packet)
{
	uint64_t now_ns = packet->event.time_ns;

	if (packet->verdict != HF_VERDICT_DELAY || packet->point == HF_POINT_RELEASE)
		return;
	interval_add(&connection->holds, now_ns, now_ns + packet->delay_ns);
}

static void note_fin(const struct way *way, const struct hf_packet_event *packet)
{
	struct stream *stream = &way->connection->stream[way->from];

	if (!(packet->tcp_flags & TCP_FIN) || packet->point == HF_POINT_RELEASE)
		return;
	if (stream->is_known)
		stream->fin = stream_number(stream, packet->seq) + packet->len;
	open_calls_abandon(way, false);
	if (has_arrived(way->connection, way->from, packet))
		open_calls_break(way);
}

/* A reset kills the sender's side at once, and the other when it gets there. */
static void note_reset(const struct way *way, const struct hf_packet_event *packet)
{
	struct connection *connection = way->connection;
	enum end from = way->from;

	if (!(packet->tcp_flags & TCP_RST))
		return;
	open_calls_abandon(way, true);
	if (has_arrived(connection, from, packet)) {
		open_calls_break(way);
		if (is_connecting(connection) && connection->client != (int)from)
			open_attempt_end(way, ENDED_BY_SERVER);
	}
	connection->closed[from] = true;
	if (packet->point != HF_POINT_LEAVE && packet->verdict == HF_VERDICT_PASS)
		connection->closed[!from] = true;
}

static void after_event(struct messages *messages, struct connection *connection)
{
	if (connection->closed[0] && connection->closed[1])
		connection_end(messages, connection);
	else
		connection_mind(messages, connection);
}

void messages_packet(struct messages *messages, const struct hf_packet_event *packet)
{
	struct connection *connection;
	struct way way;
	enum end from;

	if (packet->flow.proto != IPPROTO_TCP)
		return;
	messages->now_ns = packet->event.time_ns;
	connection = connection_of_packet(messages, packet, &from);
	if (!connection)
		return;
	way = way_of(messages, connection, from);
	note_endpoint(connection, from, packet->src_endpoint);
	note_endpoint(connection, !from, packet->dst_endpoint);
	note_hold(connection, packet);
	if (packet->point == HF_POINT_ENTER)
		connection->stream[from].entry_seen = true;
	if (is_syn(packet))
		note_syn(messages, connection, from, packet);
	else if (packet->len || packet->tcp_flags & TCP_FIN)
		note_connected(connection);
	if (packet->len && !connection->is_deaf)
		data_packet(&way, packet);
	else
		note_bare_packet(&way, packet);
	note_fin(&way, packet);
	note_reset(&way, packet);
	open_calls_settle(&way, false);
	after_event(messages, connection);
}

/* ---- sockets ---- */

static void socket_sends(struct messages *messages, struct connection *connection, enum end own,
			 const struct hf_socket_event *socket)
{
	struct stream *stream = &connection->stream[own];
	struct send *send;

	if (!stream->is_known)
		stream_start(stream, socket->seq);
	send = stream_add_send(stream, stream_number(stream, socket->seq), socket->len);
	send->time_ns = socket->event.time_ns;
	send->tid = socket->tid;
	if (connection->client != !own) /* a server's response has no cause to be looked for */
		messages->sink.on_send(messages->sink.ctx, socket->endpoint, socket->pid,
				       socket->tid, stream_add_cause(stream, send));
}

static void socket_reads(struct messages *messages, struct connection *connection, enum end own,
			 const struct hf_socket_event *socket)
{
	struct stream *stream = &connection->stream[!own];
	struct way way = way_of(messages, connection, !own);
	uint64_t end;

	if (!socket->len || !stream->is_known)
		return;
	end = stream_number(stream, socket->seq);
	stream->reads_seen = true;
	if (end > stream->read_high)
		stream->read_high = end;
	turn_read(&way, end - socket->len, end, socket->pid, socket->tid);
}

static void socket_established(struct connection *connection, enum end own,
			       const struct hf_socket_event *socket)
{
	set_client(connection, socket->passive ? (enum end) !own : own);
	note_connected(connection);
	if (socket->passive || !socket->since_ns)
		return;
	connection->handshake.connect_ns = socket->since_ns;
	connection->handshake.established_ns = socket->event.time_ns;
	connection->handshake.tid = socket->tid;
}

static void socket_resends(struct messages *messages, struct connection *connection, enum end own,
			   const struct hf_socket_event *socket)
{
	struct stream *stream = &connection->stream[own];
	struct way way = way_of(messages, connection, own);
	uint64_t begin;

	if (!stream->is_known || !socket->len || connection->client == NO_END)
		return;
	begin = stream_number(stream, socket->seq);
	sighting_note_resent(&way, begin, begin + socket->len);
}

/* The client gives up connecting; what is known of the thread is of now, of the endpoint of when it began. */
static void attempt_fails(struct messages *messages, struct connection *connection, enum end own,
			  const struct hf_socket_event *socket)
{
	struct way way = way_of(messages, connection, own);
	struct cause cause = {};

	if (socket->since_ns)
		connection->attempt_ns = socket->since_ns;
	messages->sink.on_send(messages->sink.ctx, socket->endpoint, socket->pid, socket->tid,
			       &cause);
	connection->attempt_cause.thread = cause.thread;
	open_attempt_end(&way, ENDED_BY_CLIENT);
	connection->closed[!own] = true; /* there it never was */
}

static void socket_closes(struct messages *messages, struct connection *connection, enum end own,
			  const struct hf_socket_event *socket)
{
	struct way way = way_of(messages, connection, own);

	if (is_connecting(connection) && connection->client == (int)own)
		attempt_fails(messages, connection, own, socket);
	open_calls_abandon(&way, true);
	connection->closed[own] = true;
}

/* A connect on ends that have carried something: the old connection has gone without a word. */
static struct connection *connection_of_socket(struct messages *messages,
					       const struct hf_socket_event *socket,
					       enum end *ret_own)
{
	struct connection *connection =
		connection_find(&messages->connections, &socket->flow, ret_own);

	if (connection)
		return connection;
	if (socket->op != HF_SOCKET_ESTABLISHED && socket->op != HF_SOCKET_SEND)
		return NULL;
	return connection_begin(messages, &socket->flow);
}

void messages_socket(struct messages *messages, const struct hf_socket_event *socket)
{
	struct connection *connection;
	enum end own;

	if (socket->flow.proto != IPPROTO_TCP)
		return;
	messages->now_ns = socket->event.time_ns;
	connection = connection_of_socket(messages, socket, &own);
	if (!connection)
		return;
	note_endpoint(connection, own, socket->endpoint);
	switch (socket->op) {
	case HF_SOCKET_SEND:
		socket_sends(messages, connection, own, socket);
		break;
	case HF_SOCKET_RECV:
		socket_reads(messages, connection, own, socket);
		break;
	case HF_SOCKET_ESTABLISHED:
		socket_established(connection, own, socket);
		break;
	case HF_SOCKET_CLOSE:
		socket_closes(messages, connection, own, socket);
		break;
	case HF_SOCKET_RETRANSMIT:
		socket_resends(messages, connection, own, socket);
		break;
	}
	after_event(messages, connection);
}

/* ---- time ---- */

static uint64_t before(uint64_t now_ns, uint64_t age_ns)
{
	return now_ns > age_ns ? now_ns - age_ns : 0;
}

static void sweep_busy(struct messages *messages, struct connection *connection, uint64_t now_ns)
{
	struct way way = way_of(messages, connection, END_A);
	bool is_quiet = connection->last_ns < before(now_ns, messages->limits.settle_ns);

	open_calls_settle(&way, is_quiet);
	open_calls_end_abandoned(&way, before(now_ns, messages->limits.settle_ns));
	if (is_quiet && (connection->closed[0] || connection->closed[1]))
		open_calls_end(&way);
	open_calls_expire(&way, before(now_ns, messages->limits.call_ns));
	if (!connection->first)
		connection_touch(&messages->connections, connection, false);
}

static bool is_forgotten(const struct messages *messages, const struct connection *connection,
			 uint64_t now_ns)
{
	return connection->last_ns < before(now_ns, messages->limits.connection_ns);
}

void messages_sweep(struct messages *messages, uint64_t now_ns)
{
	struct connections *all = &messages->connections;
	struct connection *connection, *next;

	messages->now_ns = now_ns;
	for (connection = all->busy.oldest; connection; connection = next) {
		next = connection->newer;
		if (is_forgotten(messages, connection, now_ns)) {
			messages->stats->expired_connections++;
			connection_end(messages, connection);
		} else {
			sweep_busy(messages, connection, now_ns);
		}
	}
	while (all->idle.oldest && is_forgotten(messages, all->idle.oldest, now_ns)) {
		messages->stats->expired_connections++;
		connection_end(messages, all->idle.oldest);
	}
}

void messages_finish(struct messages *messages)
{
	while (messages->connections.busy.oldest)
		connection_end(messages, messages->connections.busy.oldest);
	while (messages->connections.idle.oldest)
		connection_end(messages, messages->connections.idle.oldest);
}

unsigned int messages_connections(const struct messages *messages)
{
	return messages->connections.pool.used;
}

void open_call_ends(const struct open_call *call, struct call_ends *ret_ends)
{
	const struct connection *connection = call->connection;
	int client = connection->client, server = !client;

	*ret_ends = (struct call_ends){
		.src = connection->endpoint[client],
		.dst = connection->endpoint[server],
		.src_addr = &connection->key.addr[client],
		.dst_addr = &connection->key.addr[server],
		.src_port = connection->key.port[client],
		.dst_port = connection->key.port[server],
		.proto = connection->key.proto,
		.handshake = &connection->handshake,
		.holds = &connection->holds,
	};
}

int messages_new(const struct message_sink *sink, const struct address_book *addresses,
		 const struct message_limits *limits, struct budget *budget,
		 struct tracer_stats *stats, struct messages **ret_messages)
{
	struct messages *messages = calloc(1, sizeof(*messages));
	int r;

	if (!messages)
		return -ENOMEM;
	messages->sink = *sink;
	messages->addresses = *addresses;
	messages->limits = *limits;
	messages->budget = budget;
	messages->stats = stats;
	pool_init(&messages->calls, budget, sizeof(struct open_call),
		  offsetof(struct open_call, loss), limits->calls);
	r = connections_init(&messages->connections, budget, limits->connections,
			     limits->hash_seed);
	if (r < 0) {
		messages_free(messages);
		return r;
	}
	*ret_messages = messages;
	return 0;
}

void messages_free(struct messages *messages)
{
	if (!messages)
		return;
	connections_free(&messages->connections);
	pool_empty(&messages->calls);
	free(messages);
}
