/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * emit.bpf.h - reserve, fill, submit; what could not be told is counted, by source.
 *
 *     this processor's lane --full, taken, or there is none--> ring
 *
 * The owner reads both by time. It polls on a timer, so an event does not wake it; only what fills up does.
 */
#ifndef HOPFAULT_EMIT_BPF_H
#define HOPFAULT_EMIT_BPF_H

#include "lane.bpf.h"

static __always_inline struct hf_lost *lost_here(void)
{
	__u32 zero = 0;

	return bpf_map_lookup_elem(&lost, &zero);
}

/*
 * In the lane, if there is one with room; else in the ring, and *lane is NULL then. NULL: the ring is full, too. A slot of a
 * lane is larger than any event, and holds what was in it before.
 */
static __always_inline void *event_reserve(struct hf_lane **lane, __u64 size)
{
	if (*lane) {
		void *slot = lane_next(*lane);

		if (slot)
			return slot;
	}
	*lane = NULL;
	return bpf_ringbuf_reserve(&events, size, 0);
}

static __always_inline void event_fill(struct hf_event *event, enum hf_event_kind kind, __u16 size,
				       __u64 now_ns)
{
	event->size = size;
	event->version = HF_ABI_VERSION;
	event->kind = kind;
	event->cpu = bpf_get_smp_processor_id();
	event->time_ns = now_ns;
}

/*
 * A lane that is half full or a little more is worth a wake-up, and each eighth beyond that; until then the reader's own timer
 * is soon enough. It waits for the ring, so an empty record there wakes it.
 */
#define LANE_WAKE_FIRST (HF_LANE_SLOTS / 2)
#define LANE_WAKE_EACH	(HF_LANE_SLOTS / 8)

static __always_inline void lane_wake(const struct hf_lane *lane)
{
	void *nothing;

	if (lane->written % LANE_WAKE_EACH || lane->written - lane_read(lane) < LANE_WAKE_FIRST)
		return;
	nothing = bpf_ringbuf_reserve(&events, sizeof(struct hf_event), 0);
	if (nothing)
		bpf_ringbuf_discard(nothing, BPF_RB_FORCE_WAKEUP);
}

#define RING_WAKE_FIRST (RING_BYTES / 2)
#define RING_WAKE_EACH	(RING_BYTES / 8)
#define RING_LOOK_EACH \
	8 /* events, by the low bits of their times: to look costs a quarter of an event */
#define RING_WAKE_WIDTH (RING_LOOK_EACH * 512) /* an event that looks falls into it nearly always */

static __always_inline __u64 ring_wakes(__u64 now_ns)
{
	__u64 waiting;

	if (now_ns % RING_LOOK_EACH)
		return BPF_RB_NO_WAKEUP;
	waiting = bpf_ringbuf_query(&events, BPF_RB_AVAIL_DATA);
	if (waiting >= RING_WAKE_FIRST && (waiting & (RING_WAKE_EACH - 1)) < RING_WAKE_WIDTH)
		return BPF_RB_FORCE_WAKEUP;
	return BPF_RB_NO_WAKEUP;
}

/* With the lane as event_reserve() left it. */
static __always_inline void event_submit(struct hf_lane *lane, void *event, __u64 now_ns)
{
	if (!lane) {
		bpf_ringbuf_submit(event, ring_wakes(now_ns));
		return;
	}
	lane_pass(lane);
	lane_wake(lane);
}

#endif
