/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * call.h - a call: one request with its response, one hop of a chain, cut in stages.
 *
 * This is what the tracer makes and the exporters write. It is plain data without pointers, so that it can
 * cross a socket between two processes of the same build.
 *
 *   A: send  left A      at B   released  received  B's send  ...the mirror image...  A has received
 *      |-----|-- stream --|------|---------|---------|
 *      cli_send  req_stream net_req hold_req srv_queue srv_app ...
 *
 * Each stage begins where the one before it ends; the stages sum to total_ns, exactly.
 */
#ifndef HOPFAULT_TRACE_CALL_H
#define HOPFAULT_TRACE_CALL_H

#include <stdbool.h>
#include <stdint.h>

#include "abi.h"

/* A time that is not known. Exported as an empty field; never as 0 or -1. */
#define TIME_UNKNOWN UINT64_MAX

/* In the order in which they follow each other; names come from stage_name(). */
enum stage {
	STAGE_CLI_SEND, /* A's send call begins .. first request byte leaves A */
	STAGE_REQ_STREAM, /* .. last request byte leaves A */
	STAGE_NET_REQ, /* .. it reaches B's veth */
	STAGE_HOLD_REQ, /* .. the delay engine releases it (0 with no rule) */
	STAGE_SRV_QUEUE, /* .. B's receive call returns it */
	STAGE_SRV_APP, /* .. B's send of the response begins */
	STAGE_SRV_SEND, /* .. first response byte leaves B */
	STAGE_RESP_STREAM, /* .. last response byte leaves B */
	STAGE_NET_RESP, /* .. it reaches A's veth */
	STAGE_HOLD_RESP, /* .. the delay engine releases it */
	STAGE_CLI_QUEUE, /* .. A's receive call returns it */
	STAGE_UNATTRIBUTED, /* between two points, when a point between them was not seen */
	STAGE_COUNT
};

enum link_method {
	LINK_NONE, /* a root, or unknown */
	LINK_HEADER,
	LINK_EXCLUSIVE,
	LINK_THREAD,
	LINK_LOOP,
	LINK_AFFINITY,
	LINK_WAKE,
	LINK_LIKELY,
	LINK_METHOD_COUNT
};

enum call_shape {
	SHAPE_TURNS, /* a request, then its response */
	SHAPE_OVERLAP, /* the response begins before the request ends, or a stream without turns: total only */
	/* No whole answer came; total_ns is then how long it was waited for, what no stage tells is unattributed: */
	SHAPE_ABANDONED, /* .. until the client closed or reset the connection */
	SHAPE_BROKEN, /* .. until the server's end or reset of the connection was there */
	SHAPE_UNCONNECTED, /* no request: the client gave up connecting, after total_ns */
	SHAPE_REFUSED, /* no request: a reset answered the attempt to connect */
	SHAPE_PENDING, /* of a request, or of connecting: nobody had given up when the trace ended, or after call_ns */
	SHAPE_COUNT
};

#define CALL_RULES_MAX	8
#define CALL_METHOD_MAX 12
#define CALL_PATH_MAX	80

struct call {
	uint8_t trace_id[16]; /* the same for all calls of a tree */
	uint64_t span_id; /* never 0 */
	uint64_t parent_span_id; /* 0: a root */
	uint32_t depth; /* 0: a root */

	uint32_t src; /* endpoint ids: src sent the request */
	uint32_t dst;
	struct hf_addr src_addr;
	struct hf_addr dst_addr;
	uint16_t src_port;
	uint16_t dst_port;
	uint8_t proto; /* IPPROTO_TCP */

	char method[CALL_METHOD_MAX]; /* printable, terminated; empty when the bytes are not HTTP */
	char path[CALL_PATH_MAX]; /* without the query string */
	uint16_t status; /* 0: unknown */
	uint64_t req_bytes;
	uint64_t resp_bytes;

	uint64_t start_mono_ns; /* the first point that was seen: A's send begins, when complete */
	uint64_t total_ns; /* = sum over stage_ns[] of what is known */
	uint64_t stage_ns[STAGE_COUNT];
	uint64_t
		connect_ns; /* handshake that this call waited for, before total_ns; else unknown */
	uint64_t srv_self_ns; /* srv_app less the time that B waited for its own calls */

	/* how much of the above was made by us, or by loss */
	uint64_t inj_connect_ns;
	uint64_t inj_req_ns; /* asked delay within hold_req */
	uint64_t inj_resp_ns; /* asked delay within hold_resp */
	uint64_t inj_stream_ns;
	uint64_t inj_loss_ns;
	uint64_t injected_ns;
	uint64_t real_loss_ns;

	uint32_t retransmits;
	uint32_t drops_injected;
	uint32_t drops_real;
	uint32_t rule_id[CALL_RULES_MAX]; /* rules that touched it; 0 ends the list */

	uint8_t link_method; /* enum link_method */
	uint8_t shape; /* enum call_shape */
	bool complete; /* every point was seen */
	double link_confidence;
};

/* A tree of calls with one root: call[0] is the root, every other stands after its parent. */
struct chain {
	unsigned int calls;
	const struct call *call;
};

/* The stage's column in hops.csv, without "_ns": "cli_send". */
const char *stage_name(enum stage stage);
/* "exclusive", "thread", ...: the word in the column link_method. */
const char *link_method_name(enum link_method method);
/* "turns", "overlap", "abandoned", ...: the word in the column shape. */
const char *call_shape_name(enum call_shape shape);

#endif
