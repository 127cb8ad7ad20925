/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * breaker.h - a circuit breaker: stop calling what fails, and find out cheaply when it is well again. Pure: the clock is
 * the caller's.
 *
 *     CLOSED  --of the last `calls`, at least `share` failed-->  OPEN  --`open_ns` later-->  HALF_OPEN
 *        ^                                                        ^                             |   |
 *        |                                                        +------- one of them fails ---+   |
 *        +-------------------- all of `probes` calls succeeded -------------------------------------+
 *
 * Nygard, "Release It!" (2007), has the three states; the window that is counted in calls, and is judged only when it is
 * full, is Resilience4j's. Consecutive failures alone would never trip on a service of which 30 % fail.
 */
#ifndef HF_CHAIN_BREAKER_H
#define HF_CHAIN_BREAKER_H

#include <stdbool.h>
#include <stdint.h>

#define BREAKER_CALLS_MAX	256
#define BREAKER_CALLS_DEFAULT	20
#define BREAKER_OPEN_DEFAULT_NS UINT64_C(1000000000)
#define BREAKER_PROBES_DEFAULT	1
#define BREAKER_PROBES_MAX	32

struct breaker_policy {
	uint32_t share_odds; /* of failures, out of 2^32, that opens it; 0: there is no breaker */
	unsigned int calls; /* of the window */
	uint64_t open_ns;
	unsigned int probes; /* calls let through while it is half-open */
};

enum breaker_state { BREAKER_CLOSED, BREAKER_OPEN, BREAKER_HALF_OPEN };

struct breaker { /* zeroed: closed */
	enum breaker_state state;
	uint64_t opened_ns;
	uint64_t
		epoch; /* changes with the state: what was let through before is not counted after */
	unsigned int probing; /* half-open: let through so far, successes included */
	unsigned int succeeded;
	unsigned int recorded, failed, at; /* of the window */
	bool window[BREAKER_CALLS_MAX]; /* true: it failed */
	uint64_t times_opened;
};

/* May a call be made now? `ret_ticket` is handed to breaker_report() or breaker_cancel(), one of which must follow. */
bool breaker_admit(struct breaker *breaker, const struct breaker_policy *policy, uint64_t now_ns,
		   uint64_t *ret_ticket);
void breaker_report(struct breaker *breaker, const struct breaker_policy *policy, uint64_t ticket,
		    bool has_failed, uint64_t now_ns);
/* The call was given up for a reason that says nothing about the one that was called. */
void breaker_cancel(struct breaker *breaker, uint64_t ticket);

const char *breaker_state_name(enum breaker_state state); /* "half-open" */

#endif
