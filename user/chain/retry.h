/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * retry.h - whether a call that failed is made again, and when. Pure: the dice are the caller's.
 *
 *     try 1 --fails--> wait in [0, base)  --> try 2 --fails--> wait in [0, 2 base) --> try 3 ...
 *
 * The wait is "full jitter": uniform between nothing and a bound that doubles with each try up to a cap (Marc Brooker,
 * "Exponential Backoff And Jitter", AWS Architecture Blog, 2015). Callers that failed together would otherwise come
 * back together. Without jitter the wait is the bound itself; without a base there is no wait at all, which is how
 * retry storms are made.
 */
#ifndef HF_CHAIN_RETRY_H
#define HF_CHAIN_RETRY_H

#include <stdbool.h>
#include <stdint.h>

#define RETRY_MAX	     10 /* tries beyond the first */
#define RETRY_CAP_DEFAULT_NS UINT64_C(1000000000)

struct retry_policy {
	unsigned int retries; /* tries beyond the first; 0: none */
	uint64_t base_ns; /* 0: the next try follows at once */
	uint64_t cap_ns; /* of the bound; 0: none */
	bool has_no_jitter;
};

/* `tries` have failed so far, the first one included. */
bool retry_is_due(const struct retry_policy *policy, unsigned int tries);

/* How long to wait before the next try, after `tries` failed ones; `roll` is uniform in [0, 2^32). */
uint64_t retry_wait_ns(const struct retry_policy *policy, unsigned int tries, uint32_t roll);

#endif
