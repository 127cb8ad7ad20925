/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * trace_data.h - made-up traffic for the tests of user/trace: a story is a list of events that is told to a tracer, and
 * what the tracer makes of it is kept beside it.
 *
 *     struct story *s = story_new(NULL);
 *     struct wire w = wire_open(CLIENT, A, 40000);
 *     uint64_t t = say_request(s, &w, T0, 100, NULL);     A has read it
 *     say_response(s, &w, t + 5000, 200, NULL);
 *     story_tell(s);                                      s->call[0] is the call
 */
#ifndef HOPFAULT_TESTS_TRACE_DATA_H
#define HOPFAULT_TESTS_TRACE_DATA_H

#include <stddef.h>
#include <stdint.h>

#include "trace/event.h"
#include "trace/stage.h"
#include "trace/tracer.h"

#define T0 1000000000ULL
#define US 1000ULL
#define MS (1000 * US)

enum { CLIENT = HF_ENDPOINT_FIRST, A, B, C, D, E };

struct record {
	uint64_t order; /* in which the records are told */
	size_t size;
	union {
		struct hf_event event;
		struct hf_packet_event packet;
		struct hf_socket_event socket;
		unsigned char bytes[EVENT_MAX];
	};
};

struct story {
	struct tracer *tracer;
	struct record *record;
	size_t records, room;
	struct call *call; /* all rows, in the order in which they came */
	size_t calls;
	unsigned int chains;
};

/* A connection: the client's port, what was sent so far, and who acts at both ends. */
struct wire {
	uint32_t client, server;
	uint16_t port;
	uint32_t seq[2]; /* next byte of client, of server */
	uint32_t pid[2], tid[2]; /* 0: as the endpoint's number */
	const char *head[2]; /* first bytes of a message; NULL: not HTTP */
	uint32_t is_blind; /* bits 1 << enum call_point: events that do not come */
};

/* How long each stage of one way takes, ns; and what a rule asks. */
struct trip {
	uint64_t send, stream, net, hold, queue;
	uint64_t asked;
	uint32_t rule;
};

struct story *story_new(const struct tracer_options *options);
void story_free(struct story *story);
/* In the order of their times, and the end of the trace. Again for what was said since. */
void story_tell(struct story *story);
/* The same without the end. */
void story_tell_on(struct story *story);
/* Each record is told up to `ns` late, by a seeded dice. */
void story_tell_shuffled(struct story *story, uint64_t ns, uint64_t seed);
uint64_t story_random(uint64_t *seed);

struct wire wire_open(uint32_t client, uint32_t server, uint16_t port);

/* Single events; `way` 0 is from the client. They return the event, to be changed. */
struct hf_packet_event *say_packet(struct story *story, const struct wire *wire, int way,
				   uint64_t time_ns, enum hf_point point, uint32_t seq,
				   uint32_t len);
/* `side` 0 is the client's socket. */
struct hf_socket_event *say_socket(struct story *story, const struct wire *wire, int side,
				   uint64_t time_ns, enum hf_socket_op op, uint32_t seq,
				   uint32_t len);
/* The same packet, with the head of the wire, at the point LEAVE. */
struct hf_packet_event *say_head(struct story *story, const struct wire *wire, int way,
				 uint64_t time_ns, uint32_t seq, uint32_t len);

/* A message in one packet; trip NULL: the usual times. Returns when it was read. */
uint64_t say_request(struct story *story, struct wire *wire, uint64_t time_ns, uint32_t len,
		     const struct trip *trip);
uint64_t say_response(struct story *story, struct wire *wire, uint64_t time_ns, uint32_t len,
		      const struct trip *trip);
/* Both, with the server at work for app_ns. */
uint64_t say_call(struct story *story, struct wire *wire, uint64_t time_ns, uint64_t app_ns);
/* ESTABLISHED after took_ns, and the SYNs between; delay is asked of the SYN. */
void say_handshake(struct story *story, struct wire *wire, uint64_t time_ns, uint64_t took_ns,
		   uint64_t delay_ns);

uint64_t sum_of_stages(const struct call *call);

#endif
