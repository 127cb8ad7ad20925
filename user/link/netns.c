/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * netns.c - open, compare and enter network namespaces.
 *
 *     /run/netns/NAME --\
 *     process id --------+--> descriptor --> (device, inode) = which one it is
 *     own thread -------/
 *
 * A process id may be given to another process between any two calls, so by pid a namespace is opened in this
 * order: pidfd, start time, namespace, and then the pidfd is asked whether its process still lives.
 *
 * Must never trust a name in a path: names are checked before they are joined to a folder, and symbolic links are not
 * followed out of it.
 */
#include "link/netns.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <linux/nsfs.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/cleanup.h"

bool netns_id_equal(struct netns_id a, struct netns_id b)
{
	return a.dev == b.dev && a.ino == b.ino;
}

bool netns_name_is_valid(const char *name)
{
	size_t len = strlen(name);

	if (len == 0 || len > NETNS_NAME_MAX || name[0] == '.')
		return false;
	for (size_t i = 0; i < len; i++) {
		unsigned char c = (unsigned char)name[i];

		if (c <= ' ' || c == '/' || c >= 0x7f)
			return false;
	}
	return true;
}

void netns_close(struct netns *ns)
{
	if (!ns)
		return;
	if (ns->fd >= 0)
		close(ns->fd);
	*ns = NETNS_NONE;
}

/* Takes fd over, whatever comes of it. */
static int netns_from_fd(int fd, struct netns *ret_ns)
{
	struct netns ns = { .fd = fd };
	struct stat st;
	int type, r = 0;

	type = ioctl(fd, NS_GET_NSTYPE);
	if (type != CLONE_NEWNET)
		r = -EINVAL; /* also what is no namespace file at all: a name that lost its mount */
	else if (fstat(fd, &st) < 0)
		r = -errno;
	if (r < 0) {
		netns_close(&ns);
		return r;
	}
	ns.id = (struct netns_id){ .dev = st.st_dev, .ino = st.st_ino };
	*ret_ns = ns;
	return 0;
}

int netns_open_self(struct netns *ret_ns)
{
	int fd = open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return -errno;
	return netns_from_fd(fd, ret_ns);
}

int netns_open_name(const char *name, struct netns *ret_ns)
{
	char path[sizeof(NETNS_NAMES_DIR) + NETNS_NAME_MAX + 1];
	int fd;

	if (!netns_name_is_valid(name))
		return -EINVAL;
	snprintf(path, sizeof(path), "%s/%s", NETNS_NAMES_DIR, name);
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	if (fd < 0)
		return -errno;
	return netns_from_fd(fd, ret_ns);
}

int netns_id_of_name(const char *name, struct netns_id *ret_id)
{
	_cleanup_(netns_close) struct netns ns = NETNS_NONE;
	int r;

	r = netns_open_name(name, &ns);
	if (r < 0)
		return r;
	*ret_id = ns.id;
	return 0;
}

int process_start_time(pid_t pid, uint64_t *ret_start_time)
{
	char path[64], line[1024], *field;
	FILE *file;
	uint64_t start_time;
	size_t len;

	snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
	file = fopen(path, "re");
	if (!file)
		return errno == ENOENT ? -ESRCH : -errno;
	len = fread(line, 1, sizeof(line) - 1, file);
	fclose(file);
	line[len] = '\0';
	field = strrchr(line, ')'); /* field 2 is the name, which may hold anything */
	if (!field)
		return -ESRCH;
	/* Fields 3 to 21, then 22: see proc_pid_stat(5). */
	if (sscanf(field + 1,
		   " %*c %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s "
		   "%" SCNu64,
		   &start_time) != 1)
		return -EBADMSG;
	*ret_start_time = start_time;
	return 0;
}

/* pidfd_send_signal with signal 0: is the process that the pidfd was opened for still there? */
static bool pidfd_is_alive(int pidfd)
{
	return syscall(SYS_pidfd_send_signal, pidfd, 0, NULL, 0) == 0 || errno == EPERM;
}

int netns_open_pid(pid_t pid, uint64_t start_time, struct netns *ret_ns)
{
	_cleanup_(netns_close) struct netns ns = NETNS_NONE;
	_cleanup_(closep) int pidfd = -1;
	uint64_t found;
	char path[64];
	int fd, r;

	if (pid <= 0)
		return -ESRCH;
	pidfd = (int)syscall(SYS_pidfd_open, pid, 0);
	if (pidfd < 0)
		return errno == EINVAL ? -ESRCH : -errno; /* EINVAL: a thread, not a process */
	r = process_start_time(pid, &found);
	if (r < 0)
		return r;
	if (start_time != 0 && found != start_time)
		return -ESRCH;
	snprintf(path, sizeof(path), "/proc/%d/ns/net", (int)pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return errno == ENOENT ? -ESRCH : -errno; /* ENOENT: a zombie */
	r = netns_from_fd(fd, &ns);
	if (r < 0)
		return r;
	if (!pidfd_is_alive(pidfd))
		return -ESRCH;
	*ret_ns = ns;
	ns = NETNS_NONE;
	return 0;
}

int netns_dup(const struct netns *ns, struct netns *ret_ns)
{
	int fd = fcntl(ns->fd, F_DUPFD_CLOEXEC, 3);

	if (fd < 0)
		return -errno;
	*ret_ns = (struct netns){ .fd = fd, .id = ns->id };
	return 0;
}

int netns_enter(int fd, int *ret_previous)
{
	_cleanup_(netns_close) struct netns previous = NETNS_NONE;
	int r;

	r = netns_open_self(&previous);
	if (r < 0)
		return r;
	if (setns(fd, CLONE_NEWNET) < 0)
		return -errno;
	*ret_previous = previous.fd;
	previous = NETNS_NONE;
	return 0;
}

int netns_leave(int *previous)
{
	int r = 0;

	if (*previous < 0)
		return 0;
	if (setns(*previous, CLONE_NEWNET) < 0)
		r = -errno;
	close(*previous);
	*previous = -1;
	return r;
}

static uint64_t cookie_here(void)
{
	_cleanup_(closep) int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	uint64_t cookie = 0;
	socklen_t size = sizeof(cookie);

	if (fd < 0 || getsockopt(fd, SOL_SOCKET, SO_NETNS_COOKIE, &cookie, &size) < 0)
		return 0;
	return cookie;
}

int netns_cookie(int fd, uint64_t *ret_cookie)
{
	uint64_t cookie;
	int previous = -1, r;

	r = netns_enter(fd, &previous);
	if (r < 0)
		return r;
	cookie = cookie_here();
	if (netns_leave(&previous) < 0)
		abort(); /* in the wrong namespace, every next step would harm someone */
	*ret_cookie = cookie;
	return 0;
}

void netns_free_names(char **names, size_t count)
{
	if (!names)
		return;
	for (size_t i = 0; i < count; i++)
		free(names[i]);
	free(names);
}

static int names_append(char ***names, size_t *count, const char *name)
{
	char **grown, *copy;

	if (*count >= NETNS_NAMES_MAX)
		return -E2BIG;
	grown = reallocarray(*names, *count + 1, sizeof(*grown));
	if (!grown)
		return -ENOMEM;
	*names = grown;
	copy = strdup(name);
	if (!copy)
		return -ENOMEM;
	grown[(*count)++] = copy;
	return 0;
}

static int compare_names(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

int netns_list_names(char ***ret_names, size_t *ret_count)
{
	char **names = NULL;
	size_t count = 0;
	struct dirent *entry;
	DIR *dir;
	int r = 0;

	dir = opendir(NETNS_NAMES_DIR);
	if (!dir && errno != ENOENT)
		return -errno;
	while (dir && r == 0 && (entry = readdir(dir))) {
		if (netns_name_is_valid(entry->d_name))
			r = names_append(&names, &count, entry->d_name);
	}
	if (dir)
		closedir(dir);
	if (r < 0) {
		netns_free_names(names, count);
		return r;
	}
	if (count > 1)
		qsort(names, count, sizeof(*names), compare_names);
	*ret_names = names;
	*ret_count = count;
	return 0;
}
