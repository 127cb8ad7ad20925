/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * engine_pid.c - `pid:1234`: the network namespace that a process is in. Never meant by a bare number.
 */
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "endpoint/engine.h"

static int parse_pid(const char *text, pid_t *ret_pid)
{
	size_t len = strlen(text);
	long pid;

	if (len == 0 || len > 10 || strspn(text, "0123456789") != len)
		return -EINVAL;
	pid = strtol(text, NULL, 10);
	if (pid < 1 || pid > INT_MAX)
		return -EINVAL;
	*ret_pid = (pid_t)pid;
	return 0;
}

static int pid_find(const char *name, struct endpoint_target *ret_target)
{
	struct endpoint_target target = { .netns = NETNS_NONE };
	int r;

	r = parse_pid(name, &target.pid);
	if (r < 0)
		return r;
	r = process_start_time(target.pid, &target.start_time);
	if (r < 0)
		return r;
	/* Fails when the process that was just looked at has gone since, whoever has its number now. */
	r = netns_open_pid(target.pid, target.start_time, &target.netns);
	if (r < 0)
		return r;
	*ret_target = target;
	return 0;
}

const struct endpoint_engine endpoint_engine_pid = {
	.kind = ENDPOINT_PID,
	.prefix = "pid",
	.what = "process id",
	.find = pid_find,
};
