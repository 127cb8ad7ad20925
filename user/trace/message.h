/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * message.h - connections, and which of their bytes are which request and which response.
 *
 * The sink hears of a call when its request begins, when each side has read the other's message, and when
 * the call is over, in this order. It reads the open call; only `user` is the sink's own.
 */
#ifndef HOPFAULT_TRACE_MESSAGE_H
#define HOPFAULT_TRACE_MESSAGE_H

#include <stdbool.h>
#include <stdint.h>

#include "abi.h"
#include "trace/call.h"
#include "trace/interval.h"
#include "trace/pool.h"
#include "trace/stream.h"
#include "trace/tracer.h"

enum part { REQUEST, RESPONSE };

/* Bytes one way. A time is TIME_UNKNOWN until it is known for all bytes that the message has. */
struct message {
	uint64_t begin; /* see stream_number(); both 0: it has not begun */
	uint64_t end; /* grows while the message is not over */
	uint32_t sender_tid;
	uint64_t send_ns; /* the send call of its first byte begins */
	uint64_t first_left_ns; /* its first byte leaves: the copy that was delivered, as below */
	uint64_t left_ns; /* the last of its bytes leaves .. */
	uint64_t enter_ns; /* .. is at the receiver's veth .. */
	uint64_t release_ns; /* .. is let go by the delay engine */
	uint64_t asked_ns; /* delay that was asked for the bytes that were released last */
	uint64_t left_bytes; /* how many bytes the times above know of */
	uint64_t enter_bytes;
	uint64_t release_bytes;
	uint64_t read_ns; /* the receiver has read up to read_end */
	uint64_t read_end;

	uint32_t seen_again; /* packets with bytes that had left before */
	uint32_t resent; /* the same, as the sender's TCP tells it */
	uint32_t drops_injected;
	uint32_t drops_real;
	uint32_t rule_id[CALL_RULES_MAX];
};

/* When bytes of a message were lost. */
struct loss {
	struct interval_set injected;
	struct interval_set real;
};

struct connection;

/* Who made an end of waiting for an answer. */
enum ended_by { ENDED_BY_NOBODY, ENDED_BY_CLIENT, ENDED_BY_SERVER };

/* A request, and what has come of its response; or an attempt to connect that came to nothing. */
struct open_call {
	struct open_call *next; /* on this connection, in the order of the requests */
	struct connection *connection;
	void *user; /* of the sink */
	uint64_t begun_ns;
	struct message message[2]; /* [REQUEST], [RESPONSE] */
	char method[CALL_METHOD_MAX];
	char path[CALL_PATH_MAX];
	uint16_t status;
	bool is_first; /* of its connection */
	bool is_overlap; /* not a clean turn */
	bool is_over; /* told to the sink; waits only to swallow its late response */
	bool is_attempt; /* no request was sent: there was no connection */
	bool is_unanswered; /* when it is over: no whole answer had come by ended_ns */
	bool is_given_up; /* for sure: what comes now is for nobody */
	uint8_t ended_by; /* enum ended_by; believed when is_unanswered */
	uint64_t ended_ns; /* of ended_by; of nobody: when it was over */
	/* of each message; last: large, most often empty, and so emptied, not cleared */
	struct loss loss[2];
};

/* What the opening of a connection has cost. */
struct handshake {
	uint64_t connect_ns; /* TIME_UNKNOWN when not seen */
	uint64_t established_ns;
	uint32_t tid;
	uint64_t injected_ns; /* asked delay, and injected loss, of SYN and SYN-ACK */
	uint32_t drops; /* of SYN and SYN-ACK by a rule .. */
	uint32_t rule_id[HF_EVENT_RULES_MAX]; /* .. these, of the last drop */
};

struct message_sink {
	void *ctx;
	/* A process begins to send; what is known of the cause goes along with the bytes. */
	void (*on_send)(void *ctx, uint32_t endpoint, uint32_t pid, uint32_t tid,
			struct cause *ret_cause);
	/* The first byte of a request was seen; `cause` is NULL when its send call was not. */
	void (*on_begun)(void *ctx, struct open_call *call, const struct cause *cause);
	/* The server has read all bytes of the request so far; happens again when there are more. */
	void (*on_request_read)(void *ctx, struct open_call *call, uint32_t pid, uint32_t tid);
	/* The first byte of the response was seen. */
	void (*on_answered)(void *ctx, struct open_call *call);
	/* The client has read all bytes of the response so far, or has given up. */
	void (*on_client_done)(void *ctx, struct open_call *call);
	void (*on_over)(void *ctx, struct open_call *call);
};

/* See tracer_options. */
struct address_book {
	void *ctx;
	uint32_t (*endpoint_at)(void *ctx, const struct hf_addr *addr); /* NULL: nobody to ask */
};

struct message_limits {
	unsigned int connections;
	unsigned int calls;
	uint64_t settle_ns;
	uint64_t call_ns;
	uint64_t connection_ns;
	uint64_t hash_seed;
};

struct messages;

/* Returns 0 or -ENOMEM. `stats` and `budget` must live as long. */
int messages_new(const struct message_sink *sink, const struct address_book *addresses,
		 const struct message_limits *limits, struct budget *budget,
		 struct tracer_stats *stats, struct messages **ret_messages);
void messages_free(struct messages *messages);

/* Events, in the order of their times. */
void messages_packet(struct messages *messages, const struct hf_packet_event *packet);
void messages_socket(struct messages *messages, const struct hf_socket_event *socket);
/* Ends what is complete and quiet, or too old. No event before now_ns comes any more. */
void messages_sweep(struct messages *messages, uint64_t now_ns);
/* Ends everything and forgets all connections. */
void messages_finish(struct messages *messages);

unsigned int messages_connections(const struct messages *messages);

/* The parts of a call that belong to its connection. */
struct call_ends {
	uint32_t src, dst; /* endpoints */
	const struct hf_addr *src_addr, *dst_addr;
	uint16_t src_port, dst_port;
	uint8_t proto;
	const struct handshake *handshake;
	const struct interval_set
		*holds; /* when packets of the connection were to be held, either way */
};
void open_call_ends(const struct open_call *call, struct call_ends *ret_ends);

static inline bool message_has_begun(const struct message *message)
{
	return message->end != 0;
}

static inline bool message_is_read(const struct message *message)
{
	return message->end != 0 && message->read_end == message->end;
}

#endif
