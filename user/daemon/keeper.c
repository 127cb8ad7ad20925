/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * keeper.c - a fault that was asked for with `-- COMMAND` lives while the command does. The process itself is watched,
 * by a pidfd: that hopfault, which started it, is killed changes nothing.
 */
#include <errno.h>
#include <sys/epoll.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "daemon/owner.h"

#define GRACE_NS 200000000ULL

static void release(struct keeper *keeper)
{
	loop_unwatch(keeper->owner->loop, keeper->pidfd);
	close(keeper->pidfd);
	keeper->pidfd = -1;
}

/*
 * The command line that started it, when it still lives, heals the fault itself and tells what it did. It gets a moment
 * for that.
 */
static void process_ended(void *ctx, uint32_t events)
{
	struct keeper *keeper = ctx;

	loop_unwatch(keeper->owner->loop, keeper->pidfd);
	keeper->ended_ns = clock_now_ns();
}

void keeper_tick(struct owner *owner, uint64_t now_ns)
{
	for (size_t i = 0; i < KEEPERS_MAX; i++) {
		struct keeper *keeper = &owner->keeper[i];

		if (keeper->pidfd < 0 || !keeper->ended_ns || now_ns < keeper->ended_ns + GRACE_NS)
			continue;
		release(keeper);
		faults_heal_owner(owner->faults, keeper->token);
	}
}

int keeper_add(struct owner *owner, pid_t pid, uint64_t token)
{
	_cleanup_(closep) int pidfd = (int)syscall(SYS_pidfd_open, pid, 0);
	int r;

	if (pidfd < 0)
		return -errno;
	for (size_t i = 0; i < KEEPERS_MAX; i++) {
		struct keeper *keeper = &owner->keeper[i];

		if (keeper->pidfd >= 0)
			continue;
		*keeper = (struct keeper){ .owner = owner, .pidfd = pidfd, .token = token };
		r = loop_watch(owner->loop, pidfd, EPOLLIN, process_ended, keeper);
		if (r < 0) {
			keeper->pidfd = -1;
			return r;
		}
		(void)TAKE_FD(pidfd);
		return 0;
	}
	return -E2BIG;
}

void keeper_drop(struct owner *owner, uint64_t token)
{
	for (size_t i = 0; i < KEEPERS_MAX; i++)
		if (owner->keeper[i].pidfd >= 0 && owner->keeper[i].token == token)
			release(&owner->keeper[i]);
}
