/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * lock.h - a mutex whose holder runs as if it were who waits for it (PTHREAD_PRIO_INHERIT): a thread that nobody hurries must
 * not keep one waiting that goes first.
 */
#ifndef HOPFAULT_BASE_LOCK_H
#define HOPFAULT_BASE_LOCK_H

#include <pthread.h>

/* pthread_mutex_destroy() ends it. */
void lock_init(pthread_mutex_t *lock);

#endif
