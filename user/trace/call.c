/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * call.c - makes the row of a call: the instants of its two messages cut in stages, and beside them how much of that
 * time was made by a rule or by loss.
 *
 *     request  : send  first left  left  enter  release  read
 *     response :                                              send  first left  left  enter  release  read
 *
 * Nothing is guessed: what was not seen for each byte of a message is unknown. Of a call that no whole answer came for, the
 * time until somebody gave up counts, and what lies behind its last point is unattributed.
 */
#include <string.h>

#include "trace/calls.h"

/* A thread that connects and at once sends has waited for the handshake; one that comes back later has not. */
#define CONNECT_GAP_NS (10 * 1000 * 1000ULL)

static uint64_t bytes_of(const struct message *message)
{
	return message->end - message->begin;
}

static uint64_t if_all(const struct message *message, uint64_t bytes, uint64_t time_ns)
{
	return bytes == bytes_of(message) ? time_ns : TIME_UNKNOWN;
}

/* Six instants of a message, in order. */
static void message_points(const struct message *message, uint64_t point_ns[])
{
	for (int i = 0; i < POINT_COUNT / 2; i++)
		point_ns[i] = TIME_UNKNOWN;
	if (!message_has_begun(message))
		return;
	point_ns[0] = message->send_ns;
	point_ns[1] = message->first_left_ns;
	point_ns[2] = if_all(message, message->left_bytes, message->left_ns);
	point_ns[3] = if_all(message, message->enter_bytes, message->enter_ns);
	point_ns[4] = if_all(message, message->release_bytes, message->release_ns);
	if (message_is_read(message))
		point_ns[5] = message->read_ns;
}

static uint64_t first_known(const uint64_t point_ns[], int from, int to)
{
	while (from < to && point_ns[from] == TIME_UNKNOWN)
		from++;
	return from < to ? point_ns[from] : TIME_UNKNOWN;
}

/* The server began to answer before it had all of the request: the stages would cut across each other. */
static bool is_overlap(const struct open_call *open, const uint64_t point_ns[POINT_COUNT])
{
	uint64_t answer_ns = first_known(point_ns, POINT_SRV_SEND, POINT_COUNT);
	uint64_t request_ns = point_ns[POINT_REQ_READ];

	if (open->is_overlap)
		return true;
	return answer_ns != TIME_UNKNOWN && request_ns != TIME_UNKNOWN && answer_ns < request_ns;
}

static void total_only(struct call *call)
{
	for (int i = 0; i < STAGE_UNATTRIBUTED; i++)
		call->stage_ns[i] = TIME_UNKNOWN;
	call->stage_ns[STAGE_UNATTRIBUTED] = call->total_ns;
	call->shape = SHAPE_OVERLAP;
	call->complete = false;
}

static enum call_shape shape_of(const struct open_call *open)
{
	if (!open->is_unanswered)
		return SHAPE_TURNS;
	switch (open->ended_by) {
	case ENDED_BY_CLIENT:
		return open->is_attempt ? SHAPE_UNCONNECTED : SHAPE_ABANDONED;
	case ENDED_BY_SERVER:
		return open->is_attempt ? SHAPE_REFUSED : SHAPE_BROKEN;
	default:
		return SHAPE_PENDING;
	}
}

/* What came after the end was for nobody. */
static void forget_what_came_too_late(const struct open_call *open, uint64_t point_ns[POINT_COUNT])
{
	if (!open->is_unanswered)
		return;
	for (int i = 0; i < POINT_COUNT; i++)
		if (point_ns[i] != TIME_UNKNOWN && point_ns[i] > open->ended_ns)
			point_ns[i] = TIME_UNKNOWN;
}

static void wait_until_ended(const struct open_call *open, struct call *call)
{
	uint64_t until_ns = call->start_mono_ns + call->total_ns;

	if (!open->is_unanswered || open->ended_ns < until_ns)
		return;
	call->stage_ns[STAGE_UNATTRIBUTED] += open->ended_ns - until_ns;
	call->total_ns += open->ended_ns - until_ns;
}

static unsigned int fill_stages(const struct open_call *open, struct call *call,
				uint64_t point_ns[POINT_COUNT])
{
	unsigned int moved;
	bool overlap;

	message_points(&open->message[REQUEST], &point_ns[POINT_CLI_SEND]);
	message_points(&open->message[RESPONSE], &point_ns[POINT_SRV_SEND]);
	overlap = is_overlap(open, point_ns);
	if (!overlap)
		forget_what_came_too_late(open, point_ns);
	moved = stage_cut(point_ns, call->stage_ns, &call->total_ns);
	call->start_mono_ns = first_known(point_ns, 0, POINT_COUNT);
	if (call->start_mono_ns == TIME_UNKNOWN)
		call->start_mono_ns = open->begun_ns;
	call->shape = (uint8_t)shape_of(open);
	call->complete = points_are_complete(point_ns);
	if (!overlap) {
		wait_until_ended(open, call);
		return moved;
	}
	total_only(call);
	return 0;
}

/* ---- what was made by a rule, or by loss ---- */

static void add_all(struct interval_set *set, const struct interval_set *more)
{
	for (uint32_t i = 0; i < more->count; i++)
		interval_add(set, more->at[i].from_ns, more->at[i].to_ns);
}

static uint64_t at_most(uint64_t asked_ns, uint64_t limit_ns)
{
	return asked_ns < limit_ns ? asked_ns : limit_ns;
}

/* Asked delay within the stage that follows `point`, but for the time that is counted as loss. */
static uint64_t asked_in_stage(const struct call *call, const uint64_t point_ns[POINT_COUNT],
			       enum call_point point, uint64_t asked_ns,
			       const struct interval_set *lost)
{
	uint64_t stage_ns = call->stage_ns[point];

	if (stage_ns == TIME_UNKNOWN || !asked_ns)
		return 0;
	return at_most(asked_ns, stage_ns - interval_within(lost, point_ns[point],
							    point_ns[point] + stage_ns));
}

static uint64_t held_between(const struct interval_set *holds, const struct interval_set *lost,
			     uint64_t from_ns, uint64_t to_ns)
{
	if (from_ns == TIME_UNKNOWN || to_ns == TIME_UNKNOWN)
		return 0;
	return interval_within_except(holds, from_ns, to_ns, lost);
}

/* The four parts lie in different times, so their sum is never more than the total. */
static void fill_injected(const struct open_call *open, const struct call_ends *ends,
			  const uint64_t point_ns[POINT_COUNT], struct call *call)
{
	const struct message *request = &open->message[REQUEST];
	const struct message *response = &open->message[RESPONSE];
	uint64_t start_ns = call->start_mono_ns;
	uint64_t end_ns = start_ns + call->total_ns;
	struct interval_set lost, real;

	lost.count = real.count = 0;
	add_all(&lost, &open->loss[REQUEST].injected);
	add_all(&lost, &open->loss[RESPONSE].injected);
	add_all(&real, &open->loss[REQUEST].real);
	add_all(&real, &open->loss[RESPONSE].real);
	call->inj_req_ns =
		asked_in_stage(call, point_ns, POINT_REQ_ENTER, request->asked_ns, &lost);
	call->inj_resp_ns =
		asked_in_stage(call, point_ns, POINT_RESP_ENTER, response->asked_ns, &lost);
	call->inj_loss_ns = interval_within(&lost, start_ns, end_ns);
	call->real_loss_ns = interval_within(&real, start_ns, end_ns);
	call->inj_stream_ns = held_between(ends->holds, &lost, point_ns[POINT_REQ_FIRST],
					   point_ns[POINT_REQ_LAST]) +
			      held_between(ends->holds, &lost, point_ns[POINT_RESP_FIRST],
					   point_ns[POINT_RESP_LAST]);
	call->injected_ns =
		call->inj_req_ns + call->inj_resp_ns + call->inj_stream_ns + call->inj_loss_ns;
}

static void add_rules(struct call *call, const struct message *message)
{
	for (int i = 0; i < CALL_RULES_MAX && message->rule_id[i]; i++) {
		int at = 0;

		while (at < CALL_RULES_MAX && call->rule_id[at] &&
		       call->rule_id[at] != message->rule_id[i])
			at++;
		if (at < CALL_RULES_MAX)
			call->rule_id[at] = message->rule_id[i];
	}
}

/* Sightings and the sender's TCP tell of the same packets; each may be blind to some. */
static uint32_t retransmits_of(const struct message *message)
{
	return message->seen_again > message->resent ? message->seen_again : message->resent;
}

static void fill_counts(const struct open_call *open, struct call *call)
{
	for (int part = REQUEST; part <= RESPONSE; part++) {
		const struct message *message = &open->message[part];

		call->retransmits += retransmits_of(message);
		call->drops_injected += message->drops_injected;
		call->drops_real += message->drops_real;
		add_rules(call, message);
	}
	call->req_bytes = bytes_of(&open->message[REQUEST]);
	call->resp_bytes = bytes_of(&open->message[RESPONSE]);
}

/* ---- the handshake, before the call ---- */

static bool has_waited_for(const struct open_call *open, const struct handshake *handshake)
{
	const struct message *request = &open->message[REQUEST];

	if (!open->is_first || handshake->connect_ns == TIME_UNKNOWN ||
	    handshake->established_ns == TIME_UNKNOWN || request->send_ns == TIME_UNKNOWN)
		return false;
	return handshake->tid && handshake->tid == request->sender_tid &&
	       handshake->connect_ns <= handshake->established_ns &&
	       handshake->established_ns <= request->send_ns &&
	       request->send_ns - handshake->established_ns <= CONNECT_GAP_NS;
}

static void fill_connect(const struct open_call *open, const struct handshake *handshake,
			 struct call *call)
{
	call->connect_ns = TIME_UNKNOWN;
	if (!has_waited_for(open, handshake))
		return;
	call->connect_ns = handshake->established_ns - handshake->connect_ns;
	call->inj_connect_ns = at_most(handshake->injected_ns, call->connect_ns);
}

/* SYNs that a rule dropped: what it cost lies before the first byte, and is all that there is to tell. */
static void fill_attempt(const struct open_call *open, const struct handshake *handshake,
			 struct call *call)
{
	if (!open->is_attempt)
		return;
	call->drops_injected = handshake->drops;
	memcpy(call->rule_id, handshake->rule_id, sizeof(handshake->rule_id));
	call->inj_loss_ns = at_most(handshake->injected_ns, call->total_ns);
	call->injected_ns = call->inj_loss_ns;
}

unsigned int call_fill(const struct open_call *open, struct call *ret_call,
		       uint64_t ret_point_ns[POINT_COUNT])
{
	struct call_ends ends;
	unsigned int moved;

	open_call_ends(open, &ends);
	ret_call->src = ends.src;
	ret_call->dst = ends.dst;
	ret_call->src_addr = *ends.src_addr;
	ret_call->dst_addr = *ends.dst_addr;
	ret_call->src_port = ends.src_port;
	ret_call->dst_port = ends.dst_port;
	ret_call->proto = ends.proto;
	memcpy(ret_call->method, open->method, sizeof(ret_call->method));
	memcpy(ret_call->path, open->path, sizeof(ret_call->path));
	ret_call->status = open->status;
	ret_call->srv_self_ns = TIME_UNKNOWN;
	moved = fill_stages(open, ret_call, ret_point_ns);
	fill_counts(open, ret_call);
	fill_injected(open, &ends, ret_point_ns, ret_call);
	fill_connect(open, ends.handshake, ret_call);
	fill_attempt(open, ends.handshake, ret_call);
	return moved;
}

/* ---- between messages and chains ---- */

static void on_send(void *ctx, uint32_t endpoint, uint32_t pid, uint32_t tid,
		    struct cause *ret_cause)
{
	chain_look(((struct calls *)ctx)->chains, endpoint, pid, tid, ret_cause);
}

static void on_begun(void *ctx, struct open_call *open, const struct cause *known)
{
	struct calls *calls = ctx;
	struct call_ends ends;
	struct cause cause;

	if (known) {
		open->user = chain_begin(calls->chains, known);
		return;
	}
	open_call_ends(open, &ends);
	chain_look(calls->chains, ends.src, 0, 0, &cause);
	open->user = chain_begin(calls->chains, &cause);
}

static void on_request_read(void *ctx, struct open_call *open, uint32_t pid, uint32_t tid)
{
	struct calls *calls = ctx;
	struct call_ends ends;

	open_call_ends(open, &ends);
	if (open->user)
		chain_request_read(calls->chains, open->user, ends.dst, pid, tid);
}

static void on_answered(void *ctx, struct open_call *open)
{
	struct calls *calls = ctx;

	if (open->user)
		chain_answered(calls->chains, open->user);
}

static void on_client_done(void *ctx, struct open_call *open)
{
	(void)ctx;
	if (open->user)
		chain_client_done(open->user);
}

static void on_over(void *ctx, struct open_call *open)
{
	struct calls *calls = ctx;
	uint64_t point_ns[POINT_COUNT];

	if (!open->user)
		return;
	calls->stats->contradictions += call_fill(open, chain_row(open->user), point_ns);
	chain_end(calls->chains, open->user, point_ns[POINT_REQ_READ], point_ns[POINT_SRV_SEND]);
	open->user = NULL;
}

struct message_sink calls_sink(struct calls *calls)
{
	return (struct message_sink){
		.ctx = calls,
		.on_send = on_send,
		.on_begun = on_begun,
		.on_request_read = on_request_read,
		.on_answered = on_answered,
		.on_client_done = on_client_done,
		.on_over = on_over,
	};
}
