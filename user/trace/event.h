/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * event.h - raw records in, checked events out, in the order of their times.
 */
#ifndef HOPFAULT_TRACE_EVENT_H
#define HOPFAULT_TRACE_EVENT_H

#include <stddef.h>
#include <stdint.h>

#include "abi.h"
#include "trace/pool.h"
#include "trace/tracer.h"

/* The largest event of this ABI. */
#define EVENT_MAX (sizeof(struct hf_packet_event) + HF_HEAD_MAX)

struct event_window;

struct event_sink {
	void *ctx;
	/* In order of time_ns; of equal times, in the order of arrival. */
	void (*on_packet)(void *ctx, const struct hf_packet_event *packet);
	void (*on_socket)(void *ctx, const struct hf_socket_event *socket);
};

/* Returns 0 or -ENOMEM. Counts into `stats`, which must live as long. */
int event_window_new(const struct event_sink *sink, uint64_t window_ns, unsigned int max,
		     struct budget *budget, struct tracer_stats *stats,
		     struct event_window **ret_window);
void event_window_free(struct event_window *window);

/* Returns 0 or -EBADMSG. May call the sink, for older events. */
int event_window_feed(struct event_window *window, const void *event, size_t size);
/* Hands out what is older than now_ns - window_ns. Returns that time: nothing older will be handed out. */
uint64_t event_window_move(struct event_window *window, uint64_t now_ns);
/* Hands out everything. Returns the time of the newest. */
uint64_t event_window_flush(struct event_window *window);

#endif
