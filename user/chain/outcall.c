/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * outcall.c - see outcall.h.
 */
#include "chain/outcall.h"

#include "dice.h"

static bool has_breaker(const struct outcall *outcall)
{
	return outcall->policy.breaker.share_odds != 0;
}

/* One who counts nothing need not take turns. */
static bool guards_calls(const struct outcall *outcall)
{
	return has_breaker(outcall) || outcall->policy.calls_max || outcall->policy.retry.retries;
}

void outcall_init(struct outcall *outcall, const struct outcall_policy *policy)
{
	*outcall = (struct outcall){
		.policy = *policy,
		.lock = PTHREAD_MUTEX_INITIALIZER,
		.bulkhead = { .max = policy->calls_max },
	};
}

void outcall_done(struct outcall *outcall)
{
	fallback_cache_done(&outcall->cache);
}

static enum outcall_verdict admit(struct outcall *outcall, struct outcall_try *attempt,
				  uint64_t now_ns)
{
	if (has_breaker(outcall) &&
	    !breaker_admit(&outcall->breaker, &outcall->policy.breaker, now_ns, &attempt->ticket))
		return OUTCALL_BREAKER_OPEN;
	if (bulkhead_arrive(&outcall->bulkhead) == BULKHEAD_ENTER)
		return OUTCALL_GO;
	if (has_breaker(outcall))
		breaker_cancel(&outcall->breaker, attempt->ticket);
	return OUTCALL_BULKHEAD_FULL;
}

enum outcall_verdict outcall_begin(struct outcall *outcall, struct outcall_try *attempt,
				   uint64_t now_ns)
{
	enum outcall_verdict verdict = OUTCALL_GO;

	if (guards_calls(outcall)) {
		pthread_mutex_lock(&outcall->lock);
		verdict = admit(outcall, attempt, now_ns);
		pthread_mutex_unlock(&outcall->lock);
	}
	attempt->is_admitted = verdict == OUTCALL_GO;
	attempt->tries += attempt->is_admitted;
	return verdict;
}

bool outcall_end(struct outcall *outcall, struct outcall_try *attempt, bool has_failed,
		 uint64_t now_ns, uint64_t *ret_wait_ns)
{
	const struct retry_policy *retry = &outcall->policy.retry;
	uint32_t roll;

	attempt->is_admitted = false;
	if (!guards_calls(outcall))
		return false;
	pthread_mutex_lock(&outcall->lock);
	if (has_breaker(outcall))
		breaker_report(&outcall->breaker, &outcall->policy.breaker, attempt->ticket,
			       has_failed, now_ns);
	bulkhead_leave(&outcall->bulkhead);
	roll = dice_roll(outcall->policy.seed, outcall->rolls++, DICE_JITTER);
	pthread_mutex_unlock(&outcall->lock);
	if (!has_failed || !retry_is_due(retry, attempt->tries))
		return false;
	*ret_wait_ns = retry_wait_ns(retry, attempt->tries, roll);
	return true;
}

void outcall_abandon(struct outcall *outcall, struct outcall_try *attempt)
{
	if (!attempt->is_admitted)
		return;
	attempt->is_admitted = false;
	if (!guards_calls(outcall))
		return;
	pthread_mutex_lock(&outcall->lock);
	if (has_breaker(outcall))
		breaker_cancel(&outcall->breaker, attempt->ticket);
	bulkhead_leave(&outcall->bulkhead);
	pthread_mutex_unlock(&outcall->lock);
}

void outcall_keep(struct outcall *outcall, const char *answer, size_t len, uint64_t now_ns)
{
	if (outcall->policy.fallback != FALLBACK_CACHED)
		return;
	pthread_mutex_lock(&outcall->lock);
	fallback_keep(&outcall->cache, answer, len, now_ns);
	pthread_mutex_unlock(&outcall->lock);
}

enum answer_shape outcall_fall_back(struct outcall *outcall, uint64_t now_ns, struct buffer *into,
				    uint64_t *ret_age_ns)
{
	const struct fallback_cache *cache = &outcall->cache;
	enum answer_shape shape;

	if (outcall->policy.fallback == FALLBACK_NONE)
		return SHAPE_FULL;
	pthread_mutex_lock(&outcall->lock);
	shape = fallback_choose(outcall->policy.fallback, cache);
	if (shape == SHAPE_CACHED) {
		buffer_reset(into);
		if (buffer_add(into, cache->answer.bytes, cache->answer.len) < 0)
			shape = SHAPE_PARTIAL;
		*ret_age_ns = now_ns - cache->kept_ns;
	}
	pthread_mutex_unlock(&outcall->lock);
	return shape;
}

enum breaker_state outcall_breaker_state(struct outcall *outcall, uint64_t *ret_times_opened)
{
	enum breaker_state state;

	pthread_mutex_lock(&outcall->lock);
	state = outcall->breaker.state;
	*ret_times_opened = outcall->breaker.times_opened;
	pthread_mutex_unlock(&outcall->lock);
	return state;
}
