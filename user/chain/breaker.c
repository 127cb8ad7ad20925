/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * breaker.c - see breaker.h.
 */
#include "chain/breaker.h"

#include <string.h>

static void enter(struct breaker *breaker, enum breaker_state state, uint64_t now_ns)
{
	breaker->state = state;
	breaker->epoch++;
	breaker->probing = 0;
	breaker->succeeded = 0;
	breaker->recorded = 0;
	breaker->failed = 0;
	breaker->at = 0;
	if (state == BREAKER_OPEN) {
		breaker->opened_ns = now_ns;
		breaker->times_opened++;
	}
}

bool breaker_admit(struct breaker *breaker, const struct breaker_policy *policy, uint64_t now_ns,
		   uint64_t *ret_ticket)
{
	if (breaker->state == BREAKER_OPEN && now_ns >= breaker->opened_ns + policy->open_ns)
		enter(breaker, BREAKER_HALF_OPEN, now_ns);
	if (breaker->state == BREAKER_OPEN)
		return false;
	if (breaker->state == BREAKER_HALF_OPEN) {
		if (breaker->probing == policy->probes)
			return false;
		breaker->probing++;
	}
	*ret_ticket = breaker->epoch;
	return true;
}

static void record(struct breaker *breaker, const struct breaker_policy *policy, bool has_failed)
{
	if (breaker->recorded == policy->calls)
		breaker->failed -= breaker->window[breaker->at];
	else
		breaker->recorded++;
	breaker->window[breaker->at] = has_failed;
	breaker->failed += has_failed;
	breaker->at = (breaker->at + 1) % policy->calls;
}

static bool window_says_open(const struct breaker *breaker, const struct breaker_policy *policy)
{
	uint64_t share = ((uint64_t)breaker->failed << 32) / policy->calls;

	if (breaker->recorded < policy->calls)
		return false;
	return share >= policy->share_odds; /* all of them is 2^32, and reaches 100 % too */
}

void breaker_report(struct breaker *breaker, const struct breaker_policy *policy, uint64_t ticket,
		    bool has_failed, uint64_t now_ns)
{
	if (ticket != breaker->epoch)
		return;
	if (breaker->state == BREAKER_CLOSED) {
		record(breaker, policy, has_failed);
		if (window_says_open(breaker, policy))
			enter(breaker, BREAKER_OPEN, now_ns);
	} else if (has_failed) {
		enter(breaker, BREAKER_OPEN, now_ns);
	} else if (++breaker->succeeded == policy->probes) {
		enter(breaker, BREAKER_CLOSED, now_ns);
	}
}

void breaker_cancel(struct breaker *breaker, uint64_t ticket)
{
	if (ticket == breaker->epoch && breaker->state == BREAKER_HALF_OPEN && breaker->probing)
		breaker->probing--;
}

const char *breaker_state_name(enum breaker_state state)
{
	static const char *const names[] = {
		[BREAKER_CLOSED] = "closed",
		[BREAKER_OPEN] = "open",
		[BREAKER_HALF_OPEN] = "half-open",
	};

	return names[state];
}
