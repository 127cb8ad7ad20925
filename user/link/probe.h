/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * probe.h - what this kernel can do, found by trying it in a namespace that nobody else sees.
 *
 * A configuration file may promise what the kernel then refuses, so nothing is read that can be tried.
 */
#ifndef HF_LINK_PROBE_H
#define HF_LINK_PROBE_H

#include <stdbool.h>
#include <stdint.h>

#include "abi.h"

struct probe {
	bool is_root; /* or has the capabilities: else nothing below was tried */
	bool btf; /* /sys/kernel/btf/vmlinux */
	bool ringbuf;
	bool veth; /* the trials below need one */
	bool clsact;
	bool tcx;
	bool tun;
	bool fq;
	bool tracepoints; /* BTF-typed tracepoints can be attached */
	bool fentry;
	bool send_tracepoint; /* tcp_sendmsg_locked */
	bool receive_tracepoint; /* sock_recv_length */
	bool expedite; /* grace periods can be hurried, see grace.h */
	uint32_t tcp_recvmsg_args; /* 5 or 6 */
	char release[65]; /* uname -r */
};

/*
 * Never fails: what could not be tried is not there. Takes some tens of milliseconds. The environment's
 * HOPFAULT_WITHOUT (ringbuf, btf, tcx, clsact, tun, fq, tracepoints, fentry, expedite; joined by commas) makes it find less than
 * there is, so that every fall-back can be tried on any kernel.
 */
void probe_kernel(struct probe *ret_probe);

bool probe_can_trace(const struct probe *probe);
bool probe_can_attach(const struct probe *probe);
bool probe_has_engine(const struct probe *probe, enum hf_engine engine);
/*
 * What delays are done by when nobody chooses: hold, else fq, else none. Only hold can judge a packet again when it lets
 * it go; what waits in an fq crosses a partition that has fallen meanwhile, and outlives a heal, by its delay.
 */
enum hf_engine probe_best_engine(const struct probe *probe);
const char *hf_engine_name(enum hf_engine engine); /* "fq", "hold", "none" */

/* One row of `check`. */
struct probe_feature {
	const char *name;
	bool is_there;
	const char *serves; /* what it is for */
	const char *without; /* what its absence costs */
};
#define PROBE_FEATURES_MAX 16
/* Returns how many rows were written. */
unsigned int probe_features(const struct probe *probe,
			    struct probe_feature row[PROBE_FEATURES_MAX]);

/* "BPF ring buffer, TUN/TAP": what is missing, of all that is ever used. Returns `text`. */
#define PROBE_MISSING_MAX 256
char *probe_missing(const struct probe *probe, char text[PROBE_MISSING_MAX]);

#endif
