/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * outcall.h - the guards on the way to the next service, in one place: breaker, bulkhead, retries, fallback. Each acts only
 * when its policy says so, so each can be switched on alone.
 *
 *     begin: breaker? bulkhead? --> [the call itself, by the mode] --> end: told to both; again, and when?
 *
 * Shared by all requests of a service, under one lock that is never held while something waits. Zeroed, it guards
 * nothing and takes no lock.
 */
#ifndef HF_CHAIN_OUTCALL_H
#define HF_CHAIN_OUTCALL_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#include "chain/breaker.h"
#include "chain/bulkhead.h"
#include "chain/fallback.h"
#include "chain/retry.h"

struct outcall_policy { /* zeroed: no guard at all */
	struct retry_policy retry;
	struct breaker_policy breaker;
	unsigned int calls_max; /* at once, towards the next service; 0: no limit */
	enum fallback fallback;
	uint64_t seed; /* of the jitter */
};

struct outcall {
	struct outcall_policy policy; /* fixed before the first request */
	pthread_mutex_t lock; /* guards what follows */
	struct breaker breaker;
	struct bulkhead bulkhead;
	struct fallback_cache cache;
	uint64_t rolls;
};

struct outcall_try { /* of one request; zeroed: nothing was tried yet */
	unsigned int tries;
	bool is_admitted; /* between begin and end */
	uint64_t ticket;
};

enum outcall_verdict { OUTCALL_GO, OUTCALL_BREAKER_OPEN, OUTCALL_BULKHEAD_FULL };

void outcall_init(struct outcall *outcall, const struct outcall_policy *policy);
void outcall_done(struct outcall *outcall);

/* May the next service be called now? OUTCALL_GO is followed by outcall_end() or outcall_abandon(). */
enum outcall_verdict outcall_begin(struct outcall *outcall, struct outcall_try *attempt,
				   uint64_t now_ns);
/* True: make another try, when `ret_wait_ns` have passed. */
bool outcall_end(struct outcall *outcall, struct outcall_try *attempt, bool has_failed,
		 uint64_t now_ns, uint64_t *ret_wait_ns);
/* The request itself is gone. Also when nothing was begun. */
void outcall_abandon(struct outcall *outcall, struct outcall_try *attempt);

/* A good answer, to be kept when there is use for it. */
void outcall_keep(struct outcall *outcall, const char *answer, size_t len, uint64_t now_ns);
/*
 * What to say after all tries have failed. SHAPE_CACHED: a copy of the kept answer is in `into`, and `ret_age_ns` old.
 */
enum answer_shape outcall_fall_back(struct outcall *outcall, uint64_t now_ns, struct buffer *into,
				    uint64_t *ret_age_ns);

/* For those who ask how it stands. */
enum breaker_state outcall_breaker_state(struct outcall *outcall, uint64_t *ret_times_opened);

#endif
