/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * qdisc.h - what queues at a device, and the one qdisc that this tool may put there: an `fq` that holds
 * packets until their departure time.
 *
 * Only where the kernel's own default stands is one installed, and only what was installed is removed.
 */
#ifndef HF_LINK_QDISC_H
#define HF_LINK_QDISC_H

#include <stdbool.h>
#include <stdint.h>

#include "link/netlink.h"

struct qdisc_root {
	char kind[32]; /* "noqueue", "fq", "pfifo_fast" ... */
	uint32_t handle; /* 0: the kernel's default, nobody's choice */
	bool has_clsact; /* or an ingress qdisc: has_ingress_only */
	bool has_ingress_only;
};

/* What fq is to hold. */
struct qdisc_fq_need {
	uint64_t
		delay_ns; /* the longest delay that is asked, jitter added; at most QDISC_FQ_DELAY_MAX_NS */
	uint64_t packets_per_sec; /* the most that are expected; 0: QDISC_FQ_RATE_DEFAULT */
};
/* The handle of every fq that this tool installs: `clean` knows what a killed owner left by it. */
#define QDISC_FQ_HANDLE 0x8f710000U

#define QDISC_FQ_DELAY_MAX_NS (1800ULL * 1000 * 1000 * 1000) /* half an hour */
#define QDISC_FQ_RATE_DEFAULT 200000

struct qdisc_fq_size {
	uint32_t limit; /* packets held in all */
	uint32_t flow_limit; /* packets held for one flow */
	uint32_t horizon_us; /* a departure time beyond it is refused */
};

struct qdisc_fq_counts {
	uint64_t packets; /* sent */
	uint64_t drops; /* for whatever reason */
	uint64_t horizon_drops;
	uint64_t flow_limit_drops;
	uint32_t queued; /* packets held now */
};

/* -ENODEV: no such device. */
int qdisc_read_root(struct netlink *nl, uint32_t ifindex, struct qdisc_root *ret_root);
struct qdisc_fq_size qdisc_fq_size_for(const struct qdisc_fq_need *need);
/*
 * Puts an fq at the root. -EBUSY: another one stands there, and ret_found tells which (it is set whenever the
 * device was read). -EOPNOTSUPP: this kernel has no fq. -ENODEV: no such device. -EINVAL: delay too long.
 * ret_handle is what qdisc_remove_fq() must be given; ret_found may be NULL.
 */
int qdisc_install_fq(struct netlink *nl, uint32_t ifindex, const struct qdisc_fq_need *need,
		     struct qdisc_root *ret_found, uint32_t *ret_handle);
/* Makes it hold what is needed now. A smaller queue drops what is over: ask for the most that is in force. */
int qdisc_resize_fq(struct netlink *nl, uint32_t ifindex, uint32_t handle,
		    const struct qdisc_fq_need *need);
/* -ESTALE: what is at the root is not what was installed; it stays. 0 also when the device has gone. */
int qdisc_remove_fq(struct netlink *nl, uint32_t ifindex, uint32_t handle);
/* -ENOENT: no fq with this handle at the root. */
int qdisc_read_fq(struct netlink *nl, uint32_t ifindex, uint32_t handle,
		  struct qdisc_fq_counts *ret_counts);

#endif
