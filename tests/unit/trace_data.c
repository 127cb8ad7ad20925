/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * trace_data.c - made-up traffic for the tests of user/trace.
 */
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include "trace_data.h"

static const struct trip usual = { 3 * US, 0, 7 * US, 0, 11 * US, 0, 0 };

static void keep(void *ctx, const struct chain *chain)
{
	struct story *story = ctx;

	story->call = realloc(story->call, (story->calls + chain->calls) * sizeof(*story->call));
	if (!story->call)
		abort();
	memcpy(story->call + story->calls, chain->call, chain->calls * sizeof(*story->call));
	story->calls += chain->calls;
	story->chains++;
}

/* The other way round: whose is an address that addr_of() has made? */
static uint32_t endpoint_at(void *ctx, const struct hf_addr *addr)
{
	return (uint32_t)addr->byte[14] << 8 | addr->byte[15];
}

struct story *story_new(const struct tracer_options *options)
{
	struct tracer_options mine = options ? *options : (struct tracer_options){ 0 };
	struct story *story = calloc(1, sizeof(*story));

	if (!story)
		abort();
	mine.on_chain = keep;
	mine.endpoint_at = endpoint_at;
	mine.ctx = story;
	if (!mine.seed)
		mine.seed = 1;
	if (tracer_new(&mine, &story->tracer) < 0)
		abort();
	return story;
}

void story_free(struct story *story)
{
	tracer_free(story->tracer);
	free(story->record);
	free(story->call);
	free(story);
}

static int by_order(const void *a, const void *b)
{
	const struct record *x = a, *y = b;

	if (x->order != y->order)
		return x->order < y->order ? -1 : 1;
	return (x->event.time_ns > y->event.time_ns) - (x->event.time_ns < y->event.time_ns);
}

static void tell(struct story *story)
{
	qsort(story->record, story->records, sizeof(*story->record), by_order);
	for (size_t i = 0; i < story->records; i++)
		tracer_feed(story->tracer, story->record[i].bytes, story->record[i].size);
	story->records = 0;
}

void story_tell_on(struct story *story)
{
	for (size_t i = 0; i < story->records; i++)
		story->record[i].order = story->record[i].event.time_ns;
	tell(story);
}

void story_tell(struct story *story)
{
	story_tell_on(story);
	tracer_finish(story->tracer);
}

uint64_t story_random(uint64_t *seed)
{
	*seed = *seed * 6364136223846793005ULL + 1442695040888963407ULL;
	return *seed >> 33;
}

void story_tell_shuffled(struct story *story, uint64_t ns, uint64_t seed)
{
	for (size_t i = 0; i < story->records; i++)
		story->record[i].order =
			story->record[i].event.time_ns + story_random(&seed) % (ns + 1);
	tell(story);
	tracer_finish(story->tracer);
}

struct wire wire_open(uint32_t client, uint32_t server, uint16_t port)
{
	struct wire wire = { .client = client, .server = server, .port = port };

	wire.seq[0] = 1000;
	wire.seq[1] = 500000;
	wire.head[0] = "GET /x HTTP/1.1\r\n";
	wire.head[1] = "HTTP/1.1 200 OK\r\n";
	wire.pid[0] = wire.tid[0] = client;
	wire.pid[1] = wire.tid[1] = server;
	return wire;
}

static struct hf_addr addr_of(uint32_t endpoint)
{
	struct hf_addr addr = { .byte = { [10] = 0xff, [11] = 0xff, [12] = 10 } };

	addr.byte[14] = (unsigned char)(endpoint >> 8);
	addr.byte[15] = (unsigned char)endpoint;
	return addr;
}

static struct hf_flow flow_of(const struct wire *wire, int way)
{
	struct hf_flow flow = { .proto = IPPROTO_TCP };

	flow.src = addr_of(way ? wire->server : wire->client);
	flow.dst = addr_of(way ? wire->client : wire->server);
	flow.sport = way ? 8080 : wire->port;
	flow.dport = way ? wire->port : 8080;
	return flow;
}

static struct record *new_record(struct story *story)
{
	if (story->records == story->room) {
		story->room = story->room ? story->room * 2 : 64;
		story->record = realloc(story->record, story->room * sizeof(*story->record));
		if (!story->record)
			abort();
	}
	memset(&story->record[story->records], 0, sizeof(*story->record));
	return &story->record[story->records++];
}

static struct hf_event event_of(size_t size, enum hf_event_kind kind, uint64_t time_ns)
{
	return (struct hf_event){ .size = (uint16_t)size,
				  .version = HF_ABI_VERSION,
				  .kind = (uint8_t)kind,
				  .time_ns = time_ns };
}

struct hf_packet_event *say_packet(struct story *story, const struct wire *wire, int way,
				   uint64_t time_ns, enum hf_point point, uint32_t seq,
				   uint32_t len)
{
	struct record *record = new_record(story);
	struct hf_packet_event *packet = &record->packet;

	record->size = sizeof(*packet);
	packet->event = event_of(record->size, HF_EVENT_PACKET, time_ns);
	packet->flow = flow_of(wire, way);
	packet->seq = seq;
	packet->len = len;
	packet->src_endpoint = way ? wire->server : wire->client;
	if (point !=
	    HF_POINT_LEAVE) /* as the programs: there nobody has asked yet to whom it goes */
		packet->dst_endpoint = way ? wire->client : wire->server;
	packet->point = (uint8_t)point;
	packet->tcp_flags = 16;
	packet->segments = 1;
	return packet;
}

struct hf_packet_event *say_head(struct story *story, const struct wire *wire, int way,
				 uint64_t time_ns, uint32_t seq, uint32_t len)
{
	struct hf_packet_event *packet =
		say_packet(story, wire, way, time_ns, HF_POINT_LEAVE, seq, len);
	struct record *record = &story->record[story->records - 1];
	size_t head_len = wire->head[way] ? strlen(wire->head[way]) : 0;

	if (head_len > HF_HEAD_MAX)
		head_len = HF_HEAD_MAX;
	if (head_len)
		memcpy(record->bytes + sizeof(*packet), wire->head[way], head_len);
	packet->head_len = (uint8_t)head_len;
	record->size += head_len;
	packet->event.size = (uint16_t)record->size;
	return packet;
}

struct hf_socket_event *say_socket(struct story *story, const struct wire *wire, int side,
				   uint64_t time_ns, enum hf_socket_op op, uint32_t seq,
				   uint32_t len)
{
	struct record *record = new_record(story);
	struct hf_socket_event *socket = &record->socket;

	record->size = sizeof(*socket);
	socket->event = event_of(record->size, HF_EVENT_SOCKET, time_ns);
	socket->flow = flow_of(wire, side);
	socket->seq = seq;
	socket->len = len;
	socket->endpoint = side ? wire->server : wire->client;
	socket->pid = wire->pid[side];
	socket->tid = wire->tid[side];
	socket->op = (uint8_t)op;
	return socket;
}

static int is_seen(const struct wire *wire, int point)
{
	return !(wire->is_blind & (1U << point));
}

/* `base` is the first of the six points of this way. */
static uint64_t say_message(struct story *story, struct wire *wire, int way, uint64_t t,
			    uint32_t len, const struct trip *trip)
{
	int base = way ? POINT_SRV_SEND : POINT_CLI_SEND;
	uint32_t seq = wire->seq[way];
	struct hf_packet_event *packet;

	if (!trip)
		trip = &usual;
	wire->seq[way] += len;
	if (is_seen(wire, base))
		say_socket(story, wire, way, t, HF_SOCKET_SEND, seq, 0); /* how much is not told */
	t += trip->send;
	if (is_seen(wire, base + 1))
		say_head(story, wire, way, t, seq, len);
	t += trip->stream + trip->net;
	if (is_seen(wire, base + 3)) {
		packet = say_packet(story, wire, way, t, HF_POINT_ENTER, seq, len);
		packet->rule_id[0] = trip->rule;
		packet->delay_ns = trip->asked;
		packet->verdict = trip->asked ? HF_VERDICT_DELAY : HF_VERDICT_PASS;
	}
	t += trip->hold;
	if (trip->asked && is_seen(wire, base + 4))
		say_packet(story, wire, way, t, HF_POINT_RELEASE, seq, len);
	t += trip->queue;
	if (is_seen(wire, base + 5))
		say_socket(story, wire, !way, t, HF_SOCKET_RECV, seq + len, len);
	return t;
}

uint64_t say_request(struct story *story, struct wire *wire, uint64_t time_ns, uint32_t len,
		     const struct trip *trip)
{
	return say_message(story, wire, 0, time_ns, len, trip);
}

uint64_t say_response(struct story *story, struct wire *wire, uint64_t time_ns, uint32_t len,
		      const struct trip *trip)
{
	return say_message(story, wire, 1, time_ns, len, trip);
}

uint64_t say_call(struct story *story, struct wire *wire, uint64_t time_ns, uint64_t app_ns)
{
	uint64_t t = say_request(story, wire, time_ns, 100, NULL);

	return say_response(story, wire, t + app_ns, 200, NULL);
}

void say_handshake(struct story *story, struct wire *wire, uint64_t time_ns, uint64_t took_ns,
		   uint64_t delay_ns)
{
	uint32_t isn = wire->seq[0] - 1;
	struct hf_packet_event *packet;

	say_packet(story, wire, 0, time_ns + 1, HF_POINT_LEAVE, isn, 0)->tcp_flags = 2;
	packet = say_packet(story, wire, 0, time_ns + 2, HF_POINT_ENTER, isn, 0);
	packet->tcp_flags = 2;
	packet->delay_ns = delay_ns;
	packet->verdict = delay_ns ? HF_VERDICT_DELAY : HF_VERDICT_PASS;
	packet = say_packet(story, wire, 1, time_ns + took_ns - 2, HF_POINT_LEAVE, wire->seq[1] - 1,
			    0);
	packet->tcp_flags = 18;
	packet = say_packet(story, wire, 1, time_ns + took_ns - 1, HF_POINT_ENTER, wire->seq[1] - 1,
			    0);
	packet->tcp_flags = 18;
	say_socket(story, wire, 0, time_ns + took_ns, HF_SOCKET_ESTABLISHED, 0, 0)->since_ns =
		time_ns;
}

uint64_t sum_of_stages(const struct call *call)
{
	uint64_t sum_ns = 0;

	for (int i = 0; i < STAGE_COUNT; i++)
		if (call->stage_ns[i] != TIME_UNKNOWN)
			sum_ns += call->stage_ns[i];
	return sum_ns;
}
