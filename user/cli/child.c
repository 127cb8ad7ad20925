/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * child.c - see child.h.
 */
#include "cli/child.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/log.h"

/* The command is to be ended by Ctrl-C as if it ran alone: what we block, to read it from a signalfd, it must not. */
static void unblock_signals(void)
{
	sigset_t none;

	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
}

static void wait_and_run(int gate, char *const *command)
{
	char go;

	unblock_signals();
	if (read(gate, &go, 1) != 1)
		_exit(125);
	close(gate);
	execvp(command[0], command);
	log_err(-errno, "cannot run %s: %s", command[0], strerror(errno));
	_exit(errno == ENOENT ? 127 : 126);
}

int child_prepare(char *const *command, unsigned int flags, struct child *ret_child)
{
	const pid_t parent = getpid();
	int gate[2];
	pid_t pid;

	if (pipe2(gate, O_CLOEXEC) < 0)
		return -errno;
	fflush(NULL);
	pid = fork();
	if (pid < 0) {
		close(gate[0]);
		close(gate[1]);
		return -errno;
	}
	if (pid == 0) {
		close(gate[1]);
		if (flags & CHILD_SAYS_ON_STDERR)
			dup2(STDERR_FILENO, STDOUT_FILENO);
		if ((flags & CHILD_DIES_WITH_US) && prctl(PR_SET_PDEATHSIG, SIGTERM) == 0 &&
		    getppid() != parent)
			_exit(125); /* it was too late already */
		wait_and_run(gate[0], command);
	}
	close(gate[0]);
	*ret_child = (struct child){ .pid = pid, .gate = gate[1] };
	return 0;
}

void child_go(struct child *child)
{
	if (write(child->gate, "g", 1) != 1)
		log_warn("the command could not be let go: %s", strerror(errno));
	close(child->gate);
	child->gate = -1;
}

static int shell_status(int status)
{
	return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

int child_wait(struct child *child)
{
	void (*before)(int) = signal(SIGINT, SIG_IGN);
	int status = 0;

	while (waitpid(child->pid, &status, 0) < 0 && errno == EINTR)
		;
	signal(SIGINT, before);
	child->pid = 0;
	return shell_status(status);
}

bool child_has_ended(struct child *child, int *ret_status)
{
	int status;

	if (waitpid(child->pid, &status, WNOHANG) != child->pid)
		return false;
	child->pid = 0;
	*ret_status = shell_status(status);
	return true;
}

void child_cancel(struct child *child)
{
	if (child->pid <= 0)
		return;
	if (child->gate >= 0)
		close(child->gate);
	else
		kill(child->pid, SIGTERM);
	while (waitpid(child->pid, NULL, 0) < 0 && errno == EINTR)
		;
	*child = CHILD_NONE;
}
