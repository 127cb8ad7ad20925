/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * within.h - what small programs share that work inside named network namespaces: go there, or die with a reason.
 */
#ifndef HF_TESTS_WITHIN_H
#define HF_TESTS_WITHIN_H

#include <err.h>
#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "link/netns.h"

/* The calling thread goes into the namespace of this name, for good. */
static inline void go_within(const char *name)
{
	_cleanup_(netns_close) struct netns ns = NETNS_NONE;
	int previous, r = netns_open_name(name, &ns);

	if (r == 0)
		r = netns_enter(ns.fd, &previous);
	if (r < 0) {
		errno = -r;
		err(2, "cannot enter the network namespace %s", name);
	}
	close(previous);
}

#endif
