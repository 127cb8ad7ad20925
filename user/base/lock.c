/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * lock.c - see lock.h.
 */
#include "base/lock.h"

void lock_init(pthread_mutex_t *lock)
{
	pthread_mutexattr_t inherits;

	pthread_mutexattr_init(&inherits);
	pthread_mutexattr_setprotocol(&inherits, PTHREAD_PRIO_INHERIT);
	pthread_mutex_init(lock, &inherits);
	pthread_mutexattr_destroy(&inherits);
}
