/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * qdisc_fq.h - the bytes that ask for an fq: apart, so that a test can read them where there is no fq.
 */
#ifndef HF_LINK_QDISC_FQ_H
#define HF_LINK_QDISC_FQ_H

#include <libmnl/libmnl.h>
#include <stdbool.h>
#include <stdint.h>

#include "link/qdisc.h"

/* buffer of NETLINK_REQUEST_SIZE bytes. is_new: create, and fail where one stands; else change. */
struct nlmsghdr *qdisc_fq_request(void *buffer, uint32_t ifindex, uint32_t handle, bool is_new,
				  const struct qdisc_fq_size *size);

#endif
