/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * lab_lock.c - one at a time: the lab's folder, its lock, and signals that wait until a step is done.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "lab/lab_parts.h"

#define LOCK_WAIT_NS 5000000000ULL

/* Signals that ask to stop wait while this is held. */
static void stop_signals(sigset_t *ret_set)
{
	sigemptyset(ret_set);
	sigaddset(ret_set, SIGINT);
	sigaddset(ret_set, SIGTERM);
	sigaddset(ret_set, SIGHUP);
	sigaddset(ret_set, SIGQUIT);
}

bool lab_is_interrupted(void)
{
	sigset_t stop, pending;

	stop_signals(&stop);
	sigpending(&pending);
	return sigandset(&stop, &stop, &pending) == 0 && !sigisemptyset(&stop);
}

void lab_signals_hold(sigset_t *ret_before)
{
	sigset_t stop;

	stop_signals(&stop);
	sigprocmask(SIG_BLOCK, &stop, ret_before);
}

void lab_signals_release(const sigset_t *before)
{
	sigprocmask(SIG_SETMASK, before, NULL);
}

static int folder_path(char path[LAB_PATH_MAX])
{
	int r;

	r = lab_path("", path);
	if (r == 0)
		path[strlen(path) - 1] = '\0'; /* the slash */
	return r;
}

int lab_folder_make(char *ret_error)
{
	char path[LAB_PATH_MAX];
	const char *run_dir;
	int r;

	r = lab_run_dir(&run_dir);
	if (r == 0)
		r = folder_path(path);
	if (r < 0)
		return lab_tell(ret_error, r,
				"HOPFAULT_RUN_DIR must be an absolute path, and short");
	if ((mkdir(run_dir, 0755) < 0 && errno != EEXIST) ||
	    (mkdir(path, 0755) < 0 && errno != EEXIST))
		return lab_tell(ret_error, -errno, "can't make %s: %s", path, strerror(errno));
	return 0;
}

void lab_folder_remove(void)
{
	char path[LAB_PATH_MAX], file[LAB_PATH_MAX + NAME_MAX + 2];
	_cleanup_(closedirp) DIR *dir = NULL;
	const struct dirent *entry;
	const char *run_dir;

	if (folder_path(path) < 0 || lab_run_dir(&run_dir) < 0)
		return;
	dir = opendir(path);
	while (dir && (entry = readdir(dir))) {
		snprintf(file, sizeof(file), "%s/%s", path, entry->d_name);
		unlink(file); /* fails for . and .. */
	}
	rmdir(path);
	rmdir(run_dir); /* when nothing else is in it */
}

/* A folder that was removed while we waited for its lock is not the one to lock. */
static bool is_still_there(int fd, const char *path)
{
	struct stat mine, there;

	return fstat(fd, &mine) == 0 && stat(path, &there) == 0 && mine.st_ino == there.st_ino &&
	       mine.st_dev == there.st_dev;
}

static int lock_wait(int fd)
{
	const struct timespec pause = { .tv_nsec = 5000000 };
	uint64_t end_ns = clock_now_ns() + LOCK_WAIT_NS;

	while (flock(fd, LOCK_EX | LOCK_NB) < 0) {
		if (errno != EWOULDBLOCK && errno != EINTR)
			return -errno;
		if (clock_now_ns() > end_ns)
			return -EBUSY;
		if (lab_is_interrupted())
			return -EINTR;
		nanosleep(&pause, NULL);
	}
	return 0;
}

int lab_folder_lock(int *ret_fd, char *ret_error)
{
	char path[LAB_PATH_MAX];
	int r;

	r = folder_path(path);
	if (r < 0)
		return lab_tell(ret_error, r,
				"HOPFAULT_RUN_DIR must be an absolute path, and short");
	for (;;) {
		_cleanup_(closep) int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

		if (fd < 0)
			return lab_tell(ret_error, -errno, "can't open %s: %s", path,
					strerror(errno));
		r = lock_wait(fd);
		if (r < 0)
			return lab_tell(ret_error, r, "%s",
					r == -EINTR ? "interrupted"
						    : "another command is at work on the lab");
		if (!is_still_there(fd, path))
			continue;
		*ret_fd = TAKE_FD(fd);
		return 0;
	}
}
