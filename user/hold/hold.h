/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * hold.h - the delay engine in user space: keeps frames until they are due, then lets them go on.
 *
 *   tc program at vethB's egress            engine                         tc program again
 *     [hf_hold_header][frame] --> TAP --> read, keep until due_ns --> packet socket, marked --> container
 *
 *   the same at vethA's ingress                                      tc programs at the TAP's ingress, then vethA's
 *     [hf_hold_header][frame] --> TAP --> read, keep until due_ns --> TAP, enclosed --> marked --> bridge, host, world
 *
 * One engine has one thread and any number of network namespaces: in each a TAP (where frames come in) and a
 * packet socket (where they go out). Both die with the process: when it is killed, nothing stays but the
 * packets that are lost. The packet socket and the TAP keep their namespace alive until hold_remove_netns().
 *
 * A frame to a container leaves with skb->mark = config->release_mark | its sender's id and skb->tstamp = due_ns (CLOCK_MONOTONIC, by SO_TXTIME).
 * A frame that is released early (flush, removal, end) has a tstamp in the future: it has no error to account,
 * and the program must clear the stamp, or an fq on that device would hold it again. A frame that had its VLAN
 * tag beside it comes back with the tag in line. A GSO frame comes and goes whole.
 *
 * Nothing here prints. Functions return 0 or -errno; outputs stay untouched on failure. All functions may be
 * called from any thread but the engine's own (that is, not from is_alive()).
 */
#ifndef HOPFAULT_HOLD_H
#define HOPFAULT_HOLD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "abi.h"
#include "hold/spread.h"

struct hold;

struct hold_options {
	size_t limit_bytes; /* memory for frames; beyond it arrivals are dropped and counted */
	unsigned limit_packets; /* likewise, in frames (a GSO frame is one) */
	uint64_t spin_ns; /* wake so much before a frame is due, and spin; 0: sleep to the end */
	bool realtime; /* ask for SCHED_FIFO */
};

/* 64 MB, 65536 frames, 100 us, realtime. */
struct hold_options hold_options_default(void);

/* Counters since hold_new(), in frames (up to 64 KB each) unless said otherwise. */
struct hold_stats {
	uint64_t held_packets; /* held now */
	uint64_t held_bytes; /* of frames held now */
	uint64_t held_ever;
	uint64_t released; /* taken by the kernel, when due or by flush */
	uint64_t flushed; /* of these, before they were due */
	uint64_t
		refused; /* dropped on the way out: by a drop rule judged at release, a foreign program, a full queue */
	uint64_t send_errors; /* the device is gone or down, out of memory, ... */
	uint64_t stale; /* a lease and more behind their time (stopped process): dropped */
	uint64_t
		overflow; /* limit_bytes or limit_packets reached: dropped. Never an asked-for loss */
	uint64_t
		ring_overflow; /* dropped by the TAPs, whose ring was full. Never an asked-for loss */
	uint64_t
		malformed; /* read from a TAP and not ours, cut short, or larger than 64 KB: dropped */
	uint64_t wakes; /* how often the thread woke */
	uint64_t spun_ns; /* time spent spinning */
	unsigned netns_count; /* namespaces served */
	unsigned netns_lost; /* of these, TAPs that somebody deleted */
	bool running;
	bool realtime; /* SCHED_FIFO was asked for and given */
	int realtime_error; /* -errno when it was asked for and refused */
	struct spread release; /* handed to the kernel - due_ns; without flushed frames */
	struct spread wake; /* how late the thread's own bare timer (ppoll) woke it */
};

/* Memory that the programs look into as well. Must outlive the engine. */
struct hold_shared {
	const volatile struct hf_config *config; /* only release_mark is read */
	struct hf_return *returns; /* HF_RETURN_SLOTS of them; written */
};

int hold_new(const struct hold_options *options, const struct hold_shared *shared,
	     struct hold **ret_hold);

/* Releases all that is held, in order and at once; stops the thread; removes the TAPs. NULL is fine. */
void hold_free(struct hold *hold);

/*
 * Serve one more network namespace. -EEXIST: it is served already (also when its TAP was lost: remove it first). -ENODEV, -ENOENT: no TUN here.
 * Needs CAP_NET_ADMIN and CAP_NET_RAW there, and CAP_SYS_ADMIN to enter it; returns in the caller's own.
 */
int hold_add_netns(struct hold *hold, int netns_fd, uint32_t *ret_tap_ifindex);

/* Releases what is held there, at once, and removes the TAP. -ENOENT: not served. */
int hold_remove_netns(struct hold *hold, int netns_fd);

/* Start the thread. That SCHED_FIFO was refused is no failure: see hold_stats. */
int hold_start(struct hold *hold);

/*
 * Release at once, in order, every frame whose rule is not alive (all, when is_alive is NULL), with those that
 * still wait in the TAPs' rings. Call it after the generation flip. Returns when all is handed to the kernel;
 * -ETIMEDOUT when the thread did not answer within a second (then is_alive() is not called any more).
 * is_alive() runs in the engine's thread: it must be quick and must not call the engine.
 */
int hold_flush(struct hold *hold, bool (*is_alive)(void *ctx, uint32_t rule_id), void *ctx);

/* CLOCK_MONOTONIC time of the thread's last sign of life; it gives one at least every 250 ms. 0: not started. */
uint64_t hold_heartbeat_ns(const struct hold *hold);

void hold_stats(struct hold *hold, struct hold_stats *ret_stats);

/*
 * The error of a bare timer in the calling thread, as it is scheduled: `samples` sleeps of sleep_ns by
 * clock_nanosleep to an absolute deadline, timer slack 1 ns. What the engine's error is to be compared with.
 */
int hold_timer_error(uint64_t sleep_ns, unsigned samples, struct spread *ret_error);

#endif
