/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * service_options.h - hopchain's options as they were given, and what those about guards come to.
 */
#ifndef HF_CHAIN_SERVICE_OPTIONS_H
#define HF_CHAIN_SERVICE_OPTIONS_H

#include <stdbool.h>
#include <stdint.h>

#include "chain/service.h"

#define QUEUE_NOT_GIVEN UINT64_MAX

struct hopchain_options { /* 0 or NULL: not given, but for those with a default */
	const char *name;
	const char *listen;
	const char *next;
	const char *next_name;
	int mode;
	int keep_alive;
	uint64_t work_ns;
	uint64_t wait_ns;
	uint64_t workers;
	uint64_t queue;
	uint32_t fail_odds;
	uint64_t retries;
	uint64_t backoff_ns;
	uint64_t backoff_max_ns;
	int jitter;
	uint32_t breaker_odds;
	uint64_t breaker_calls;
	uint64_t breaker_open_ns;
	uint64_t breaker_probes;
	uint64_t calls_max;
	int fallback;
	uint64_t seed;
	uint64_t answer_bytes;
	uint64_t timeout_ns;
	uint64_t monolith;
	uint64_t ready_fd;
	bool help;
};

/* Everything between the request and the next service. -EINVAL, which is logged, for what would have no effect. */
int service_take_guards(const struct hopchain_options *options, struct service *service);

#endif
