/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * fallback.h - what a service answers when the next one has failed and it may still answer something: graceful
 * degradation. Pure but for the memory that holds the last good answer.
 *
 *     full     the next one's answer, as it came
 *     cached   the next one's last good answer, with its age
 *     partial  this service's own part alone
 *
 * A degraded answer has status 200 and says that it is one: "degraded":true,"shape":"cached".
 */
#ifndef HF_CHAIN_FALLBACK_H
#define HF_CHAIN_FALLBACK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "chain/buffer.h"

#define FALLBACK_CACHE_MAX_BYTES (1u << 20) /* what is larger is not kept */

enum fallback { FALLBACK_NONE, FALLBACK_CACHED, FALLBACK_PARTIAL };

enum answer_shape { SHAPE_FULL, SHAPE_CACHED, SHAPE_PARTIAL };

struct fallback_cache { /* zeroed: empty */
	struct buffer answer;
	uint64_t kept_ns; /* 0: nothing is kept */
};

/* Keeps a copy of an answer that was good. One that was degraded further down is not: it would be passed off as good. */
void fallback_keep(struct fallback_cache *cache, const char *answer, size_t len, uint64_t now_ns);
void fallback_cache_done(struct fallback_cache *cache);

/* The shape of the answer when the call has failed; SHAPE_FULL: there is none, the failure is the answer. */
enum answer_shape fallback_choose(enum fallback fallback, const struct fallback_cache *cache);

/* Does an answer say that it, or one inside it, is degraded? */
bool answer_is_degraded(const char *answer, size_t len);

const char *answer_shape_name(enum answer_shape shape); /* "cached" */

#endif
