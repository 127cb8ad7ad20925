/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * service_options.c - from options to guards: defaults, and what needs what.
 */
#include "chain/service_options.h"

#include <errno.h>

#include "base/cleanup.h"
#include "base/log.h"
#include "dice.h"

/* What would be without effect is refused, or one would believe in it. */
static int refuse_idle_guards(const struct hopchain_options *options)
{
	const struct {
		bool is_given;
		const char *option;
		bool has_use;
		const char *reason;
	} rows_of_use[] = {
		{ options->retries, "retries", options->next, "--next: it calls nobody" },
		{ options->breaker_odds, "breaker", options->next, "--next: it calls nobody" },
		{ options->calls_max, "calls-max", options->next, "--next: it calls nobody" },
		{ options->fallback, "fallback", options->next, "--next: it calls nobody" },
		{ options->backoff_ns, "backoff", options->retries, "--retries" },
		{ options->backoff_max_ns, "backoff-max", options->backoff_ns, "--backoff" },
		{ !options->jitter, "jitter", options->backoff_ns, "--backoff" },
		{ options->breaker_calls, "breaker-calls", options->breaker_odds, "--breaker" },
		{ options->breaker_open_ns, "breaker-open", options->breaker_odds, "--breaker" },
		{ options->breaker_probes, "breaker-probes", options->breaker_odds, "--breaker" },
		{ options->queue != QUEUE_NOT_GIVEN, "queue", options->workers, "--workers" },
		{ options->workers, "workers", options->mode == SERVICE_THREADS,
		  "--mode threads: an event loop works on one request at a time" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows_of_use); i++)
		if (rows_of_use[i].is_given && !rows_of_use[i].has_use)
			return log_err(-EINVAL, "--%s needs %s", rows_of_use[i].option,
				       rows_of_use[i].reason);
	return 0;
}

static uint64_t or_default(uint64_t value, uint64_t otherwise)
{
	return value ? value : otherwise;
}

/* Services that were given the same seed, or none, still have dice of their own. */
static uint64_t own_seed(const struct hopchain_options *options)
{
	uint64_t seed = options->seed;

	for (const char *at = options->name; *at; at++)
		seed = dice_mix(seed * 31 + (unsigned char)*at);
	return seed;
}

int service_take_guards(const struct hopchain_options *options, struct service *service)
{
	const struct outcall_policy policy = {
		.retry = {
			.retries = (unsigned int)options->retries,
			.base_ns = options->backoff_ns,
			.cap_ns = or_default(options->backoff_max_ns, RETRY_CAP_DEFAULT_NS),
			.has_no_jitter = !options->jitter,
		},
		.breaker = {
			.share_odds = options->breaker_odds,
			.calls = (unsigned int)or_default(options->breaker_calls,
							  BREAKER_CALLS_DEFAULT),
			.open_ns = or_default(options->breaker_open_ns, BREAKER_OPEN_DEFAULT_NS),
			.probes = (unsigned int)or_default(options->breaker_probes,
							   BREAKER_PROBES_DEFAULT),
		},
		.calls_max = (unsigned int)options->calls_max,
		.fallback = (enum fallback)options->fallback,
		.seed = own_seed(options),
	};
	unsigned int queue =
		options->queue == QUEUE_NOT_GIVEN ? BULKHEAD_MAX : (unsigned int)options->queue;
	int r = refuse_idle_guards(options);

	if (r < 0)
		return r;
	outcall_init(&service->outcall, &policy);
	gate_init(&service->gate, (unsigned int)options->workers, queue);
	service->fail_odds = options->fail_odds;
	service->fail_seed = own_seed(options);
	return 0;
}
