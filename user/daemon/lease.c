/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * lease.c - see lease.h.
 */
#include "daemon/lease.h"

#include <errno.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/lock.h"
#include "base/priority.h"

#define RENEW_NS	 250000000ULL
#define ENGINE_SILENT_NS 500000000ULL

struct lease {
	volatile struct hf_config *config;
	const struct hold *hold;
	uint64_t patience_ns;
	uint64_t heard_ns; /* when the loop was last heard of; atomic */
	bool is_ending;
	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t changed;
};

/* Other threads go on while we look: their signs may be younger than now_ns. */
static bool owner_is_well(const struct lease *lease, uint64_t now_ns)
{
	uint64_t heard_ns = __atomic_load_n(&lease->heard_ns, __ATOMIC_RELAXED);

	if (now_ns > heard_ns + lease->patience_ns)
		return false;
	return !lease->hold || now_ns <= hold_heartbeat_ns(lease->hold) + ENGINE_SILENT_NS;
}

/* With the lock held, once there is a thread. */
static void renew(struct lease *lease)
{
	uint64_t now_ns = clock_now_ns();

	if (owner_is_well(lease, now_ns))
		lease->config->lease_ns = now_ns + LEASE_NS;
}

static struct timespec next_turn(void)
{
	uint64_t next_ns = clock_now_ns() + RENEW_NS;

	return (struct timespec){ .tv_sec = (time_t)(next_ns / CLOCK_SECOND_NS),
				  .tv_nsec = (long)(next_ns % CLOCK_SECOND_NS) };
}

static void *live(void *argument)
{
	struct lease *lease = argument;

	priority_first();
	pthread_mutex_lock(&lease->lock);
	while (!lease->is_ending) {
		struct timespec next = next_turn();

		renew(lease);
		pthread_cond_timedwait(&lease->changed, &lease->lock, &next);
	}
	lease->config->lease_ns = 0;
	pthread_mutex_unlock(&lease->lock);
	return NULL;
}

int lease_start(volatile struct hf_config *config, const struct hold *hold, uint64_t patience_ns,
		struct lease **ret_lease)
{
	struct lease *lease = calloc(1, sizeof(*lease));
	pthread_condattr_t monotonic;
	int r;

	if (!lease)
		return -ENOMEM;
	lease->config = config;
	lease->hold = hold;
	lease->patience_ns = patience_ns;
	lease->heard_ns = clock_now_ns();
	lock_init(&lease->lock);
	pthread_condattr_init(&monotonic);
	pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
	pthread_cond_init(&lease->changed, &monotonic);
	pthread_condattr_destroy(&monotonic);
	renew(lease);
	r = pthread_create(&lease->thread, NULL, live, lease);
	if (r != 0) {
		config->lease_ns = 0;
		free(lease);
		return -r;
	}
	*ret_lease = lease;
	return 0;
}

void lease_heard(struct lease *lease)
{
	uint64_t now_ns = clock_now_ns();

	__atomic_store_n(&lease->heard_ns, now_ns, __ATOMIC_RELAXED);
	if (now_ns < lease->config->lease_ns)
		return;
	pthread_mutex_lock(&lease->lock);
	renew(lease); /* the thread's next turn is too late for what is about to be said */
	pthread_mutex_unlock(&lease->lock);
}

void lease_end(struct lease *lease)
{
	if (!lease)
		return;
	pthread_mutex_lock(&lease->lock);
	lease->is_ending = true;
	pthread_cond_signal(&lease->changed);
	pthread_mutex_unlock(&lease->lock);
	pthread_join(lease->thread, NULL);
	pthread_cond_destroy(&lease->changed);
	pthread_mutex_destroy(&lease->lock);
	free(lease);
}
