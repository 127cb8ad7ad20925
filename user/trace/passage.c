/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * passage.c - see passage.h.
 */
#include "trace/passage.h"

#include <string.h>

bool passage_is_valid(const struct hf_passage *passage, size_t size)
{
	return size >= sizeof(*passage) && passage->head_len <= sizeof(passage->head);
}

/*
 * Field by field: a part is made for each event of a trace, and a whole struct that is cleared first costs more than the
 * rest of it.
 */
static void fill_event(const struct hf_passage *passage, enum hf_event_kind kind, size_t size,
		       uint64_t time_ns, struct hf_event *ret_event)
{
	ret_event->size = (uint16_t)size;
	ret_event->version = HF_ABI_VERSION;
	ret_event->kind = (uint8_t)kind;
	ret_event->cpu = passage->event.cpu;
	ret_event->time_ns = time_ns;
}

static void fill_send(const struct hf_passage *passage, struct hf_socket_event *ret_send)
{
	fill_event(passage, HF_EVENT_SOCKET, sizeof(*ret_send), passage->sent_ns, &ret_send->event);
	ret_send->flow = passage->flow;
	ret_send->seq = passage->seq;
	ret_send->len = 0;
	ret_send->endpoint = passage->src_endpoint;
	ret_send->pid = passage->pid;
	ret_send->tid = passage->tid;
	ret_send->op = HF_SOCKET_SEND;
	ret_send->passive = 0;
	memset(ret_send->unused, 0, sizeof(ret_send->unused));
	ret_send->since_ns = 0;
}

static void fill_sighting(const struct hf_passage *passage, enum hf_point point, uint64_t time_ns,
			  uint32_t dst_endpoint, uint8_t head_len,
			  struct hf_packet_event *ret_sighting)
{
	fill_event(passage, HF_EVENT_PACKET, sizeof(*ret_sighting) + head_len, time_ns,
		   &ret_sighting->event);
	ret_sighting->flow = passage->flow;
	ret_sighting->seq = passage->seq;
	ret_sighting->len = passage->len;
	ret_sighting->src_endpoint = passage->src_endpoint;
	ret_sighting->dst_endpoint = dst_endpoint;
	ret_sighting->delay_ns = 0;
	memset(ret_sighting->rule_id, 0, sizeof(ret_sighting->rule_id));
	ret_sighting->point = (uint8_t)point;
	ret_sighting->verdict = HF_VERDICT_PASS;
	ret_sighting->tcp_flags = passage->tcp_flags;
	ret_sighting->head_len = head_len;
	ret_sighting->segments = passage->segments;
}

/* Where it left nobody asked to whom it goes: that it entered somewhere is of that place alone. */
static void fill_leaving(const struct hf_passage *passage, struct hf_packet_event *ret_sighting)
{
	fill_sighting(passage, HF_POINT_LEAVE, passage->left_ns,
		      passage->entered_ns ? HF_ENDPOINT_NONE : passage->dst_endpoint,
		      passage->head_len, ret_sighting);
	/* all of it, as that has a length that is known here */
	if (passage->head_len)
		memcpy(ret_sighting->head, passage->head, sizeof(passage->head));
}

static void fill_entering(const struct hf_passage *passage, struct hf_packet_event *ret_sighting)
{
	fill_sighting(passage, HF_POINT_ENTER, passage->entered_ns, passage->dst_endpoint, 0,
		      ret_sighting);
}

void passage_take(struct hf_passage *passage, uint64_t time_ns, struct hf_event *ret_part)
{
	if (passage->sent_ns == time_ns) {
		fill_send(passage, (struct hf_socket_event *)ret_part);
		passage->sent_ns = 0;
	} else if (passage->left_ns == time_ns) {
		fill_leaving(passage, (struct hf_packet_event *)ret_part);
		passage->left_ns = 0;
	} else {
		fill_entering(passage, (struct hf_packet_event *)ret_part);
		passage->entered_ns = 0;
	}
}
