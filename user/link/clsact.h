/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * clsact.h - our programs as clsact filters: on kernels without TCX, and below an fq, whose clone trick needs the
 * verdict TC_ACT_STOLEN as only a clsact filter gives it.
 *
 * A clsact qdisc is shared with everyone. It is made only where there is none, and taken away only when this tool
 * made it and nobody else's filter has come to live in it. Our own filters are known by handle and name.
 */
#ifndef HF_LINK_CLSACT_H
#define HF_LINK_CLSACT_H

#include <stdbool.h>
#include <stdint.h>

#include "link/netlink.h"

#define CLSACT_HANDLE 0x686f7066 /* "hopf" */

enum clsact_hook { CLSACT_INGRESS, CLSACT_EGRESS, CLSACT_HOOKS };

struct clsact_filter {
	enum clsact_hook hook;
	uint32_t priority;
	uint32_t prog_id;
};

/* What stands in a device's clsact. */
struct clsact_census {
	unsigned int foreign;
	unsigned int ours;
	struct clsact_filter mine[8]; /* the first few of ours */
};

/* Both change the namespace that the calling thread is in; nl must be of the same. */
int clsact_attach(struct netlink *nl, uint32_t ifindex, enum clsact_hook hook, int prog_fd,
		  bool *ret_made_qdisc, uint32_t *ret_priority);
int clsact_detach(uint32_t ifindex, enum clsact_hook hook, uint32_t priority);

/* 0 also when the device or its clsact is not there. */
int clsact_count(struct netlink *nl, uint32_t ifindex, struct clsact_census *ret_census);

/* Takes the qdisc away when no filter is left in it. */
int clsact_remove_if_empty(struct netlink *nl, uint32_t ifindex);

#endif
