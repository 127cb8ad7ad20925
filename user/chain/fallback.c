/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * fallback.c - see fallback.h.
 */
#include "chain/fallback.h"

#include <string.h>

void fallback_keep(struct fallback_cache *cache, const char *answer, size_t len, uint64_t now_ns)
{
	if (len > FALLBACK_CACHE_MAX_BYTES || answer_is_degraded(answer, len))
		return;
	cache->answer.max = FALLBACK_CACHE_MAX_BYTES;
	cache->answer.len = 0;
	cache->kept_ns = buffer_add(&cache->answer, answer, len) < 0 ? 0 : now_ns;
}

void fallback_cache_done(struct fallback_cache *cache)
{
	buffer_done(&cache->answer);
	cache->kept_ns = 0;
}

enum answer_shape fallback_choose(enum fallback fallback, const struct fallback_cache *cache)
{
	switch (fallback) {
	case FALLBACK_CACHED:
		return cache->kept_ns ? SHAPE_CACHED : SHAPE_PARTIAL;
	case FALLBACK_PARTIAL:
		return SHAPE_PARTIAL;
	default:
		return SHAPE_FULL;
	}
}

bool answer_is_degraded(const char *answer, size_t len)
{
	static const char mark[] = "\"degraded\":true";

	return len && memmem(answer, len, mark, sizeof(mark) - 1);
}

const char *answer_shape_name(enum answer_shape shape)
{
	static const char *const names[] = {
		[SHAPE_FULL] = "full",
		[SHAPE_CACHED] = "cached",
		[SHAPE_PARTIAL] = "partial",
	};

	return names[shape];
}
