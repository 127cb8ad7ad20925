/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * stage.c - cuts the time of a call at the points that were seen: no gap, no overlap, nothing negative,
 * and nothing invented where a point is missing. Also the words for stages, methods and shapes.
 */
#include "trace/stage.h"

static bool is_known(uint64_t time_ns)
{
	return time_ns != TIME_UNKNOWN;
}

bool points_are_complete(const uint64_t point_ns[POINT_COUNT])
{
	for (int i = 0; i < POINT_COUNT; i++)
		if (!is_known(point_ns[i]))
			return false;
	return true;
}

/* An effect bounds the time of everything that led to it, so walk back from the last effect. */
unsigned int stage_cut(uint64_t point_ns[POINT_COUNT], uint64_t stage_ns[STAGE_COUNT],
		       uint64_t *ret_total_ns)
{
	uint64_t effect_ns = TIME_UNKNOWN, unattributed_ns = 0, total_ns = 0;
	int effect = POINT_COUNT; /* the known point that follows; at first there is none */
	unsigned int moved = 0;

	for (int i = 0; i < STAGE_UNATTRIBUTED; i++)
		stage_ns[i] = TIME_UNKNOWN;
	for (int i = POINT_COUNT - 1; i >= 0; i--) {
		if (!is_known(point_ns[i]))
			continue;
		if (point_ns[i] > effect_ns) {
			point_ns[i] = effect_ns;
			moved++;
		}
		if (effect < POINT_COUNT) {
			uint64_t span_ns = effect_ns - point_ns[i];

			total_ns += span_ns;
			if (effect == i + 1)
				stage_ns[i] = span_ns;
			else
				unattributed_ns += span_ns;
		}
		effect = i;
		effect_ns = point_ns[i];
	}
	stage_ns[STAGE_UNATTRIBUTED] = unattributed_ns;
	*ret_total_ns = total_ns;
	return moved;
}

static const char *const stage_names[STAGE_COUNT] = {
	[STAGE_CLI_SEND] = "cli_send",	 [STAGE_REQ_STREAM] = "req_stream",
	[STAGE_NET_REQ] = "net_req",	 [STAGE_HOLD_REQ] = "hold_req",
	[STAGE_SRV_QUEUE] = "srv_queue", [STAGE_SRV_APP] = "srv_app",
	[STAGE_SRV_SEND] = "srv_send",	 [STAGE_RESP_STREAM] = "resp_stream",
	[STAGE_NET_RESP] = "net_resp",	 [STAGE_HOLD_RESP] = "hold_resp",
	[STAGE_CLI_QUEUE] = "cli_queue", [STAGE_UNATTRIBUTED] = "unattributed",
};

static const char *const method_names[LINK_METHOD_COUNT] = {
	[LINK_NONE] = "none",	  [LINK_HEADER] = "header", [LINK_EXCLUSIVE] = "exclusive",
	[LINK_THREAD] = "thread", [LINK_LOOP] = "loop",	    [LINK_AFFINITY] = "affinity",
	[LINK_WAKE] = "wake",	  [LINK_LIKELY] = "likely",
};

static const char *const shape_names[SHAPE_COUNT] = {
	[SHAPE_TURNS] = "turns",
	[SHAPE_OVERLAP] = "overlap",
	[SHAPE_ABANDONED] = "abandoned",
	[SHAPE_BROKEN] = "broken",
	[SHAPE_UNCONNECTED] = "unconnected",
	[SHAPE_REFUSED] = "refused",
	[SHAPE_PENDING] = "pending",
};

const char *stage_name(enum stage stage)
{
	return (unsigned int)stage < STAGE_COUNT ? stage_names[stage] : "unknown";
}

const char *link_method_name(enum link_method method)
{
	return (unsigned int)method < LINK_METHOD_COUNT ? method_names[method] : "unknown";
}

const char *call_shape_name(enum call_shape shape)
{
	return (unsigned int)shape < SHAPE_COUNT ? shape_names[shape] : "unknown";
}
