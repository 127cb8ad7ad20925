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

static struct hf_event event_of(const struct hf_passage *passage, enum hf_event_kind kind,
				size_t size, uint64_t time_ns)
{
	return (struct hf_event){ .size = (uint16_t)size,
				  .version = HF_ABI_VERSION,
				  .kind = (uint8_t)kind,
				  .cpu = passage->event.cpu,
				  .time_ns = time_ns };
}

static bool send_of(const struct hf_passage *passage, struct hf_socket_event *ret_send)
{
	if (!passage->sent_ns)
		return false;
	*ret_send = (struct hf_socket_event){
		.event = event_of(passage, HF_EVENT_SOCKET, sizeof(*ret_send), passage->sent_ns),
		.flow = passage->flow,
		.seq = passage->seq,
		.endpoint = passage->src_endpoint,
		.pid = passage->pid,
		.tid = passage->tid,
		.op = HF_SOCKET_SEND,
	};
	return true;
}

/* Where it left nobody asked to whom it goes: that it entered somewhere is of that place alone. */
static bool sighting_of(const struct hf_passage *passage, enum hf_point point, uint64_t time_ns,
			struct hf_packet_event *ret_sighting)
{
	bool has_left = point == HF_POINT_LEAVE;
	uint8_t head_len = has_left ? passage->head_len : 0;

	if (!time_ns)
		return false;
	*ret_sighting = (struct hf_packet_event){
		.event = event_of(passage, HF_EVENT_PACKET, sizeof(*ret_sighting) + head_len,
				  time_ns),
		.flow = passage->flow,
		.seq = passage->seq,
		.len = passage->len,
		.src_endpoint = passage->src_endpoint,
		.dst_endpoint =
			has_left && passage->entered_ns ? HF_ENDPOINT_NONE : passage->dst_endpoint,
		.point = (uint8_t)point,
		.verdict = HF_VERDICT_PASS,
		.tcp_flags = passage->tcp_flags,
		.head_len = head_len,
		.segments = passage->segments,
	};
	memcpy(ret_sighting->head, passage->head, head_len);
	return true;
}

bool passage_part(const struct hf_passage *passage, unsigned int nth, struct hf_event *ret_part)
{
	switch (nth) {
	case 0:
		return send_of(passage, (struct hf_socket_event *)ret_part);
	case 1:
		return sighting_of(passage, HF_POINT_LEAVE, passage->left_ns,
				   (struct hf_packet_event *)ret_part);
	case 2:
		return sighting_of(passage, HF_POINT_ENTER, passage->entered_ns,
				   (struct hf_packet_event *)ret_part);
	default:
		return false;
	}
}
