/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * trace_bench.c - how many events a second the tracer takes on one processor.
 *
 *     trace_bench [chains [concurrency]]
 *
 * Five-service chains on kept connections, told in order: per call eight events, and two more with a delay.
 */
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "trace/event.h"
#include "trace/tracer.h"

#define DEPTH 5

struct bench {
	struct tracer *tracer;
	uint64_t events;
	uint64_t chains;
};

struct wire {
	uint32_t client, tid;
	uint16_t port;
	uint32_t seq[2];
};

static void on_chain(void *ctx, const struct chain *chain)
{
	((struct bench *)ctx)->chains += chain->calls == DEPTH;
}

static struct hf_flow flow_of(const struct wire *wire, int way)
{
	struct hf_flow flow = { .proto = IPPROTO_TCP };

	flow.src.byte[15] = (unsigned char)(wire->client + (way ? 1 : 0));
	flow.dst.byte[15] = (unsigned char)(wire->client + (way ? 0 : 1));
	flow.sport = way ? 8080 : wire->port;
	flow.dport = way ? wire->port : 8080;
	return flow;
}

static void packet(struct bench *bench, const struct wire *wire, int way, uint64_t t, int point,
		   uint32_t seq, uint32_t len)
{
	static const char *const head[] = { "GET /work?n=1 HTTP/1.1\r\nHost: b\r\n",
					    "HTTP/1.1 200 OK\r\n" };
	union {
		struct hf_packet_event packet;
		char bytes[EVENT_MAX];
	} u = { 0 };

	u.packet.flow = flow_of(wire, way);
	u.packet.seq = seq;
	u.packet.len = len;
	u.packet.src_endpoint = wire->client + (way ? 1 : 0);
	if (point != HF_POINT_LEAVE)
		u.packet.dst_endpoint = wire->client + (way ? 0 : 1);
	u.packet.point = (uint8_t)point;
	u.packet.head_len = point == HF_POINT_LEAVE ? (uint8_t)strlen(head[way]) : 0;
	memcpy(u.packet.head, head[way], u.packet.head_len);
	u.packet.event = (struct hf_event){ (uint16_t)(sizeof(u.packet) + u.packet.head_len),
					    HF_ABI_VERSION, HF_EVENT_PACKET, 0, t };
	tracer_feed(bench->tracer, &u, u.packet.event.size);
	bench->events++;
}

static void sock(struct bench *bench, const struct wire *wire, int side, uint64_t t, int op,
		 uint32_t seq, uint32_t len)
{
	struct hf_socket_event s = { .flow = flow_of(wire, side) };

	s.event = (struct hf_event){ sizeof(s), HF_ABI_VERSION, HF_EVENT_SOCKET, 0, t };
	s.seq = seq;
	s.len = len;
	s.endpoint = wire->client + (side ? 1 : 0);
	s.pid = s.endpoint;
	s.tid = s.endpoint * 1000 + wire->tid;
	s.op = (uint8_t)op;
	tracer_feed(bench->tracer, &s, sizeof(s));
	bench->events++;
}

static uint64_t message(struct bench *bench, struct wire *wire, int way, uint64_t t, uint32_t len)
{
	uint32_t seq = wire->seq[way];

	wire->seq[way] += len;
	sock(bench, wire, way, t, HF_SOCKET_SEND, seq, len);
	packet(bench, wire, way, t + 1000, HF_POINT_LEAVE, seq, len);
	packet(bench, wire, way, t + 2000, HF_POINT_ENTER, seq, len);
	sock(bench, wire, !way, t + 9000, HF_SOCKET_RECV, seq + len, len);
	return t + 10000;
}

static uint64_t cpu_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
	return (uint64_t)now.tv_sec * 1000000000ULL + (uint64_t)now.tv_nsec;
}

/* One step of each of the concurrent chains in turn, so that their events mingle. */
static void run(struct bench *bench, struct wire (*wire)[DEPTH], unsigned int chains,
		unsigned int concurrency)
{
	uint64_t t = 1000000000;

	for (unsigned int done = 0; done < chains; done += concurrency) {
		for (int step = 0; step < 2 * DEPTH; step++) {
			int hop = step < DEPTH ? step : 2 * DEPTH - 1 - step;

			for (unsigned int c = 0; c < concurrency; c++)
				message(bench, &wire[c][hop], step >= DEPTH, t + c, 200);
			t += 20000;
		}
		tracer_tick(bench->tracer, t);
	}
	tracer_finish(bench->tracer);
}

int main(int argc, char **argv)
{
	unsigned int chains = argc > 1 ? (unsigned int)atoi(argv[1]) : 50000;
	unsigned int concurrency = argc > 2 ? (unsigned int)atoi(argv[2]) : 8;
	struct bench bench = { 0 };
	struct tracer_options options = { .on_chain = on_chain, .ctx = &bench };
	struct wire(*wire)[DEPTH] = calloc(concurrency ? concurrency : 1, sizeof(*wire));
	const struct tracer_stats *stats;
	uint64_t took_ns;

	if (!wire || !chains || !concurrency || tracer_new(&options, &bench.tracer) < 0) {
		fprintf(stderr, "trace_bench: no memory, or zero\n");
		return 1;
	}
	for (unsigned int c = 0; c < concurrency; c++)
		for (uint32_t i = 0; i < DEPTH; i++)
			wire[c][i] = (struct wire){
				HF_ENDPOINT_FIRST + i, c + 1, (uint16_t)(20000 + c), { 1, 1 }
			};
	took_ns = cpu_ns();
	run(&bench, wire, chains, concurrency);
	took_ns = cpu_ns() - took_ns;
	stats = tracer_stats(bench.tracer);
	printf("%llu events, %llu whole chains of %u: %.0f events/s, %.0f ns an event, %.1f us a "
	       "chain, %llu KB at most\n",
	       (unsigned long long)bench.events, (unsigned long long)bench.chains, chains,
	       (double)bench.events * 1e9 / (double)took_ns, (double)took_ns / (double)bench.events,
	       (double)took_ns / 1e3 / (double)bench.chains,
	       (unsigned long long)stats->memory_most / 1024);
	tracer_free(bench.tracer);
	free(wire);
	return 0;
}
