/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * child.h - the command behind `--`: made first, so that the owner can watch it; let go when the fault is in force.
 */
#ifndef HF_CLI_CHILD_H
#define HF_CLI_CHILD_H

#include <stdbool.h>
#include <sys/types.h>

struct child {
	pid_t pid; /* 0: none */
	int gate; /* a byte into it lets the child go; closing it ends the child */
};

#define CHILD_NONE ((struct child){ .gate = -1 })

enum {
	CHILD_DIES_WITH_US = 1U << 0, /* SIGTERM comes to it when we end, however that is */
	CHILD_SAYS_ON_STDERR = 1U << 1, /* what it would say on our standard output */
};

int child_prepare(char *const *command, unsigned int flags, struct child *ret_child);
void child_go(struct child *child);
/* Waits; the exit status as a shell gives it (128 + n after signal n). While it waits, SIGINT is the child's. */
int child_wait(struct child *child);
/* True when it has ended, with its status. Does not wait. */
bool child_has_ended(struct child *child, int *ret_status);
/* Not to be run after all. Nothing for CHILD_NONE. */
void child_cancel(struct child *child);

#endif
