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
 * while there is something in the spill: whoever reads the ring first and then the spill reads in order. The spill is not
 * asked itself whether it is empty, as that would be two more lines of memory for each event. The word is set again with
 * each event in it, as the reader may have taken it back in the meantime.
 */
static __always_inline void *event_reserve(__u64 size)
{
	__u32 zero = 0;
	struct hf_config *owner = bpf_map_lookup_elem(&config, &zero);
	void *event = NULL;

	if (!owner)
		return NULL;
	if (!owner->spilling)
		event = bpf_ringbuf_reserve(&events, size, 0);
	if (!event) {
		event = bpf_ringbuf_reserve(&spill, size, 0);
		owner->spilling = 1;
	}
	return event;
}

#define WAKE_FIRST  (RING_BYTES / 2)
#define WAKE_EACH   (RING_BYTES / 8)
#define WAKE_ONE_IN 8 /* events, by the low bits of their times */
#define WAKE_WIDTH     \
	(WAKE_ONE_IN * \
	 512) /* wider than so many events, so that one that looks falls into it nearly always */

/*
 * Half full is worth a wake-up, and each eighth beyond it; until then the reader's own timer is soon enough. Only an
 * event that crosses the line wakes: a wake-up costs as much as the event, and to look whether it does as much as a
 * quarter of that, so one in eight looks. The spill needs none: who reads the ring reads that too.
 */
static __always_inline __u64 wakeup_flags(__u64 now_ns)
{
	__u64 waiting;

	if (now_ns % WAKE_ONE_IN)
		return BPF_RB_NO_WAKEUP;
	waiting = bpf_ringbuf_query(&events, BPF_RB_AVAIL_DATA);
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

static __always_inline void event_submit(void *event, __u64 now_ns)
{
	bpf_ringbuf_submit(event, wakeup_flags(now_ns));
}

#endif
