/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * retry.c - see retry.h.
 */
#include "chain/retry.h"

bool retry_is_due(const struct retry_policy *policy, unsigned int tries)
{
	return tries <= policy->retries;
}

/* base * 2^(tries - 1), at most the cap, and never beyond 64 bits. */
static uint64_t bound_ns(const struct retry_policy *policy, unsigned int tries)
{
	uint64_t cap_ns = policy->cap_ns ? policy->cap_ns : UINT64_MAX;
	uint64_t bound = policy->base_ns;

	for (unsigned int i = 1; i < tries && bound < cap_ns; i++)
		bound = bound > UINT64_MAX / 2 ? UINT64_MAX : 2 * bound;
	return bound < cap_ns ? bound : cap_ns;
}

/* value * roll / 2^32 in two halves, as the product may not fit. */
static uint64_t share_of(uint64_t value, uint32_t roll)
{
	return (value >> 32) * roll + (((value & 0xffffffff) * roll) >> 32);
}

uint64_t retry_wait_ns(const struct retry_policy *policy, unsigned int tries, uint32_t roll)
{
	uint64_t bound;

	if (!policy->base_ns)
		return 0;
	bound = bound_ns(policy, tries);
	return policy->has_no_jitter ? bound : share_of(bound, roll);
}
