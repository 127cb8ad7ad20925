/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * emit.bpf.h - reserve, fill, submit; what no ring could take is counted, by source.
 *
 *     events (small, warm) --full--> spill, until the reader has emptied that
 *
 * The reader polls on a timer, so an event does not wake it; only a ring that fills up does.
 */
#ifndef HOPFAULT_EMIT_BPF_H
#define HOPFAULT_EMIT_BPF_H

#include "maps.bpf.h"

static __always_inline struct hf_lost *lost_here(void)
{
	__u32 zero = 0;

	return bpf_map_lookup_elem(&lost, &zero);
}

/*
 * NULL: both are full. What is in the spill is younger than all that is in the ring, because nothing goes to the ring
 * while there is something in the spill: whoever reads the ring first and then the spill reads in order.
 */
static __always_inline void *event_reserve(__u64 size)
{
	void *event = NULL;

	if (!bpf_ringbuf_query(&spill, BPF_RB_AVAIL_DATA))
		event = bpf_ringbuf_reserve(&events, size, 0);
	return event ? event : bpf_ringbuf_reserve(&spill, size, 0);
}

#define WAKE_FIRST (RING_BYTES / 2)
#define WAKE_EACH  (RING_BYTES / 8)
#define WAKE_WIDTH 512 /* wider than any event, so that one is sure to fall into it */

/*
 * Half full is worth a wake-up, and each eighth beyond it; until then the reader's own timer is soon enough. Only the
 * event that crosses the line wakes: a wake-up costs as much as the event. The spill needs none: who reads the ring
 * reads that too.
 */
static __always_inline __u64 wakeup_flags(void)
{
	__u64 waiting = bpf_ringbuf_query(&events, BPF_RB_AVAIL_DATA);

	if (waiting >= WAKE_FIRST && (waiting & (WAKE_EACH - 1)) < WAKE_WIDTH)
		return BPF_RB_FORCE_WAKEUP;
	return BPF_RB_NO_WAKEUP;
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

static __always_inline void event_submit(void *event)
{
	bpf_ringbuf_submit(event, wakeup_flags());
}

#endif
