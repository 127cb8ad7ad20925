/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * daemon.h - the owner: one process for a host that holds programs, maps, delay engine, rings and the control socket.
 * Every other command is one request to it.
 */
#ifndef HF_DAEMON_DAEMON_H
#define HF_DAEMON_DAEMON_H

#include <stdint.h>

#include "abi.h"

#define DAEMON_IDLE_NS (60ULL * 1000 * 1000 * 1000)

struct daemon_options {
	uint64_t idle_ns; /* ends after so long without a fault, a trace or a client; 0: never */
	enum hf_engine engine; /* HF_ENGINE_NONE: the best that the kernel has */
	int ready_fd; /* written to and closed when it is ready, or has failed; -1: none */
};

/*
 * Runs until it is told to end. 0, or -errno after one line on the log and on ready_fd:
 * -EALREADY: an owner is there.
 */
int daemon_run(const struct daemon_options *options);

#endif
