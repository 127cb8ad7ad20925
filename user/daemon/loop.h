/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * loop.h - one epoll, and who is called when a descriptor is ready. One thread.
 */
#ifndef HF_DAEMON_LOOP_H
#define HF_DAEMON_LOOP_H

#include <stdbool.h>
#include <stdint.h>

struct loop;

typedef void (*loop_fn)(void *ctx, uint32_t events);

int loop_new(struct loop **ret_loop);
void loop_free(struct loop *loop); /* closes none of the watched descriptors */

/* One watch for each descriptor. The same call changes the events. The callback may drop its own or any other watch. */
int loop_watch(struct loop *loop, int fd, uint32_t events, loop_fn call, void *ctx);
void loop_unwatch(struct loop *loop, int fd);

/* A timer that calls again and again; returns its descriptor, which loop_unwatch() and close() end. */
int loop_timer(struct loop *loop, uint64_t period_ns, loop_fn call, void *ctx);
int loop_timer_set(int timer_fd, uint64_t period_ns);

/* Runs until loop_stop(); may be run again. */
int loop_run(struct loop *loop);
void loop_stop(struct loop *loop);

#endif
