/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * loop.c - see loop.h. Watches stand in a table by descriptor, so a callback that closes another descriptor can't
 * leave a stale pointer in the batch of events that is being handled. Each watch has a number as well: what was told of
 * a descriptor that was closed is not taken for news of the next one with its number.
 */
#include "daemon/loop.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "base/cleanup.h"

#define WATCHES_MAX 1024
#define BATCH	    64

struct watch {
	loop_fn call; /* NULL: none */
	void *ctx;
	uint32_t number; /* how many watches this descriptor has had */
};

struct loop {
	int epoll_fd;
	bool stopped;
	struct watch watch[WATCHES_MAX]; /* by descriptor */
};

int loop_new(struct loop **ret_loop)
{
	struct loop *loop = calloc(1, sizeof(*loop));

	if (!loop)
		return -ENOMEM;
	loop->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	if (loop->epoll_fd < 0) {
		int r = -errno;

		free(loop);
		return r;
	}
	*ret_loop = loop;
	return 0;
}

void loop_free(struct loop *loop)
{
	if (!loop)
		return;
	close(loop->epoll_fd);
	free(loop);
}

int loop_watch(struct loop *loop, int fd, uint32_t events, loop_fn call, void *ctx)
{
	struct epoll_event event = { .events = events };
	struct watch *watch;
	uint32_t number;
	bool is_new;

	if (fd < 0 || fd >= WATCHES_MAX)
		return -EMFILE;
	watch = &loop->watch[fd];
	is_new = !watch->call;
	number = watch->number + is_new;
	event.data.u64 = (uint64_t)number << 32 | (uint32_t)fd;
	if (epoll_ctl(loop->epoll_fd, is_new ? EPOLL_CTL_ADD : EPOLL_CTL_MOD, fd, &event) < 0)
		return -errno;
	*watch = (struct watch){ .call = call, .ctx = ctx, .number = number };
	return 0;
}

void loop_unwatch(struct loop *loop, int fd)
{
	if (fd < 0 || fd >= WATCHES_MAX || !loop->watch[fd].call)
		return;
	loop->watch[fd] = (struct watch){ .number = loop->watch[fd].number };
	epoll_ctl(loop->epoll_fd, EPOLL_CTL_DEL, fd, NULL);
}

int loop_timer_set(int timer_fd, uint64_t period_ns)
{
	struct timespec period = { .tv_sec = (time_t)(period_ns / 1000000000),
				   .tv_nsec = (long)(period_ns % 1000000000) };
	struct itimerspec when = { .it_interval = period, .it_value = period };

	return timerfd_settime(timer_fd, 0, &when, NULL) < 0 ? -errno : 0;
}

int loop_timer(struct loop *loop, uint64_t period_ns, loop_fn call, void *ctx)
{
	_cleanup_(closep) int fd = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
	int r;

	if (fd < 0)
		return -errno;
	r = loop_timer_set(fd, period_ns);
	if (r >= 0)
		r = loop_watch(loop, fd, EPOLLIN, call, ctx);
	return r < 0 ? r : TAKE_FD(fd);
}

static void tell(struct loop *loop, const struct epoll_event *event)
{
	const struct watch *watch = &loop->watch[(uint32_t)event->data.u64];

	if (watch->call && watch->number == event->data.u64 >> 32)
		watch->call(watch->ctx, event->events);
}

int loop_run(struct loop *loop)
{
	struct epoll_event event[BATCH];

	loop->stopped = false;
	while (!loop->stopped) {
		int n = epoll_wait(loop->epoll_fd, event, BATCH, -1);

		if (n < 0 && errno != EINTR)
			return -errno;
		for (int i = 0; i < n; i++)
			tell(loop, &event[i]);
	}
	return 0;
}

void loop_stop(struct loop *loop)
{
	loop->stopped = true;
}
