/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * grace.c - see grace.h.
 */
#include "link/grace.h"

#include <cap-ng.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"

#define KNOB   "/sys/kernel/rcu_expedited"
#define NORMAL "/sys/kernel/rcu_normal"

/* The knob is the machine's, so there is one of these. */
static struct {
	pthread_mutex_t lock;
	unsigned int hurried; /* calls under way */
	int knob_fd; /* -1: not started, or nothing to be had */
	int watched_fd; /* the watcher reads its other end until we are gone */
	pid_t watcher;
	volatile char *note; /* mapped, shared with the watcher; nonzero: the knob is 1 by us */
	const char *note_path;
} grace = { .lock = PTHREAD_MUTEX_INITIALIZER, .knob_fd = -1, .watched_fd = -1 };

static char read_digit(int fd)
{
	char digit = 0;

	return pread(fd, &digit, 1, 0) == 1 ? digit : 0;
}

static bool set_knob(int fd, char digit)
{
	return pwrite(fd, &digit, 1, 0) == 1;
}

/* -1: it can't be written, or must not be. */
static int open_knob(const struct grace_files *files)
{
	_cleanup_(closep) int normal =
		open(files->normal ? files->normal : NORMAL, O_RDONLY | O_CLOEXEC);

	if (normal < 0 || read_digit(normal) != '0')
		return -1;
	return open(files->knob ? files->knob : KNOB, O_RDWR | O_CLOEXEC);
}

bool grace_can_hurry(void)
{
	_cleanup_(closep) int knob = open_knob(&(struct grace_files){});

	return knob >= 0;
}

static int map_note(const char *path, int flags, volatile char **ret_note)
{
	_cleanup_(closep) int fd = open(path, O_RDWR | O_CLOEXEC | O_NOFOLLOW | flags, 0600);
	void *at;

	if (fd < 0 || ftruncate(fd, 1) < 0)
		return -errno;
	at = mmap(NULL, 1, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (at == MAP_FAILED)
		return -errno;
	*ret_note = at;
	return 0;
}

static void unmap_note(volatile char *note)
{
	munmap((void *)note, 1);
}

/* ---- the watcher ---- */

/* What it needs is at 3 and 4, and nothing else of its parent's is held open. */
static void keep_only(int watch_fd, int knob_fd)
{
	int watch = fcntl(watch_fd, F_DUPFD, 8), knob = fcntl(knob_fd, F_DUPFD, 8);
	int null = open("/dev/null", O_RDWR);

	for (int fd = STDIN_FILENO; fd <= STDERR_FILENO && null >= 0; fd++)
		dup2(null, fd);
	dup2(watch, 3);
	dup2(knob, 4);
	if (syscall(SYS_close_range, 5U, ~0U, 0U) < 0) /* Linux 5.9 */
		for (int fd = 5; fd < (int)sysconf(_SC_OPEN_MAX) && fd < 65536; fd++)
			close(fd);
}

/* Ends with its parent, and not before: no signal that a terminal or an administrator's habit sends ends it. */
static _Noreturn void watch(int watch_fd, int knob_fd, volatile char *note)
{
	static const int ignored[] = { SIGINT, SIGTERM, SIGHUP, SIGQUIT };
	char byte;

	for (size_t i = 0; i < ARRAY_SIZE(ignored); i++)
		signal(ignored[i], SIG_IGN);
	prctl(PR_SET_NAME, "hopfault-grace", 0, 0, 0);
	keep_only(watch_fd, knob_fd);
	capng_clear(CAPNG_SELECT_BOTH);
	capng_apply(CAPNG_SELECT_CAPS); /* the file is open: no more is needed to write to it */
	while (read(3, &byte, 1) < 0 && errno == EINTR)
		;
	if (*note && set_knob(4, '0'))
		*note = 0;
	_exit(0);
}

static int start_watcher(void)
{
	int end[2], r = 0;

	if (pipe2(end, O_CLOEXEC) < 0)
		return -errno;
	grace.watcher = fork();
	if (grace.watcher < 0)
		r = -errno;
	if (grace.watcher == 0) {
		close(end[1]);
		watch(end[0], grace.knob_fd, grace.note);
	}
	close(end[0]);
	grace.watched_fd = end[1];
	return r;
}

/* ---- its parent ---- */

int grace_start(const struct grace_files *files)
{
	int r;

	grace.knob_fd = open_knob(files);
	if (grace.knob_fd < 0)
		return 0;
	grace.note_path = files->note;
	r = map_note(files->note, O_CREAT | O_TRUNC, &grace.note);
	if (r >= 0)
		r = start_watcher();
	if (r < 0)
		grace_stop();
	return r;
}

void grace_stop(void)
{
	closep(&grace.watched_fd);
	if (grace.watcher > 0)
		while (waitpid(grace.watcher, NULL, 0) < 0 && errno == EINTR)
			;
	if (grace.note) {
		unmap_note(grace.note);
		unlink(grace.note_path);
	}
	closep(&grace.knob_fd);
	grace.knob_fd = grace.watched_fd = -1;
	grace.watcher = 0;
	grace.note = NULL;
}

/* Noted first: whoever finds a note for nothing writes a 0 over a 0. */
void grace_hurry(void)
{
	pthread_mutex_lock(&grace.lock);
	if (grace.hurried++ == 0 && grace.knob_fd >= 0 && read_digit(grace.knob_fd) == '0') {
		*grace.note = 1;
		set_knob(grace.knob_fd, '1');
	}
	pthread_mutex_unlock(&grace.lock);
}

void grace_ease(void)
{
	pthread_mutex_lock(&grace.lock);
	if (--grace.hurried == 0 && grace.knob_fd >= 0 && *grace.note &&
	    set_knob(grace.knob_fd, '0'))
		*grace.note = 0;
	pthread_mutex_unlock(&grace.lock);
}

int grace_restore(const struct grace_files *files)
{
	_cleanup_(closep) int knob_fd = -1;
	volatile char *note;
	int r, restored = 0;

	r = map_note(files->note, 0, &note);
	if (r < 0)
		return r == -ENOENT ? 0 : r;
	if (*note) {
		knob_fd = open(files->knob ? files->knob : KNOB, O_RDWR | O_CLOEXEC);
		r = knob_fd >= 0 && set_knob(knob_fd, '0') ? 0 : -EIO;
		restored = 1;
	}
	unmap_note(note);
	if (r < 0)
		return r;
	unlink(files->note);
	return restored;
}
