/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * lab_names.c - the lab's network namespaces and their names in /run/netns.
 *
 * A namespace that has no name yet dies with its maker, and a file that has no name yet (O_TMPFILE) too. So both are
 * made first, their inodes are written down, and only then do they get a name, which fails when somebody has it:
 *
 *     unshare, O_TMPFILE  ->  state.json  ->  linkat() to /run/netns/hf-a  ->  mount the namespace on it
 *
 * Killed at any point, there is nothing under /run/netns that is not written down. Removal asks of each name whether it
 * is that namespace, then whether it is that file; what is neither stays.
 */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "lab/lab_parts.h"

#define PATH_SIZE  (sizeof(NETNS_NAMES_DIR) + NETNS_NAME_MAX + 1)
#define LAYERS_MAX 8 /* mounts on one name: where mounts were copied over each other */

void lab_spaces_init(struct lab_spaces *spaces)
{
	const struct lab_space none = { .netns = NETNS_NONE, .file_fd = -1 };

	spaces->hub = none;
	for (size_t i = 0; i < LAB_NODES_MAX; i++)
		spaces->node[i] = none;
}

static void space_close(struct lab_space *space)
{
	netns_close(&space->netns);
	closep(&space->file_fd);
	space->file_fd = -1;
}

void lab_spaces_close(struct lab_spaces *spaces)
{
	space_close(&spaces->hub);
	for (size_t i = 0; i < LAB_NODES_MAX; i++)
		space_close(&spaces->node[i]);
}

static void path_of(const struct lab_state *state, const char *node, char path[PATH_SIZE])
{
	char name[NETNS_NAME_MAX + 1];

	lab_netns_name(state, node, name);
	snprintf(path, PATH_SIZE, "%s/%s", NETNS_NAMES_DIR, name);
}

bool lab_names_dir_is_there(void)
{
	return access(NETNS_NAMES_DIR, F_OK) == 0;
}

static int name_check(const struct lab_state *state, const char *node, char *ret_error)
{
	char path[PATH_SIZE];
	struct stat st;

	path_of(state, node, path);
	if (lstat(path, &st) < 0)
		return errno == ENOENT ? 0 : -errno;
	return lab_tell(ret_error, -EBUSY,
			"%s exists and is not the lab's: remove it, or set HOPFAULT_LAB_PREFIX",
			path);
}

int lab_names_check(const struct lab_state *state, char *ret_error)
{
	int r;

	r = name_check(state, LAB_SWITCH, ret_error);
	for (size_t i = 0; i < state->nodes && r == 0; i++)
		r = name_check(state, state->node[i].name, ret_error);
	return r;
}

/*
 * As `ip netns add` does it: the folder is a shared mount of its own, so that a name that is removed here is removed in
 * every mount namespace that was copied from this one.
 */
static int names_dir_make(void)
{
	if (mkdir(NETNS_NAMES_DIR, 0755) < 0 && errno != EEXIST)
		return -errno;
	if (mount("", NETNS_NAMES_DIR, "none", MS_SHARED | MS_REC, NULL) == 0)
		return 0;
	if (errno != EINVAL) /* EINVAL: not a mount yet */
		return -errno;
	if (mount(NETNS_NAMES_DIR, NETNS_NAMES_DIR, "none", MS_BIND | MS_REC, NULL) < 0)
		return -errno;
	if (mount("", NETNS_NAMES_DIR, "none", MS_SHARED | MS_REC, NULL) < 0)
		return -errno;
	return 0;
}

/* Only what we made, and only when nobody uses it: both calls fail otherwise, and that is well. */
static void names_dir_remove(void)
{
	if (rmdir(NETNS_NAMES_DIR) == 0 || errno != EBUSY)
		return;
	if (umount2(NETNS_NAMES_DIR, UMOUNT_NOFOLLOW) == 0)
		rmdir(NETNS_NAMES_DIR);
}

static int netns_make(struct netns *ret_ns)
{
	_cleanup_(netns_close) struct netns home = NETNS_NONE;
	int r;

	r = netns_open_self(&home);
	if (r < 0)
		return r;
	if (unshare(CLONE_NEWNET) < 0)
		return -errno;
	r = netns_open_self(ret_ns);
	if (setns(home.fd, CLONE_NEWNET) < 0)
		abort(); /* in the wrong namespace, every next step would harm someone */
	return r;
}

static int space_make(struct lab_space *space, struct lab_netns *ret_written)
{
	struct lab_netns written = { 0 };
	struct stat st;
	int r;

	r = netns_make(&space->netns);
	if (r < 0)
		return r;
	space->file_fd = open(NETNS_NAMES_DIR, O_TMPFILE | O_RDWR | O_CLOEXEC, 0444);
	if (space->file_fd < 0 || fstat(space->file_fd, &st) < 0)
		return -errno;
	r = netns_cookie(space->netns.fd, &written.cookie);
	if (r < 0)
		return r;
	written.id = space->netns.id;
	written.file = (struct netns_id){ st.st_dev, st.st_ino };
	*ret_written = written;
	return 0;
}

int lab_spaces_make(struct lab_state *state, struct lab_spaces *ret_spaces, char *ret_error)
{
	int r;

	r = names_dir_make();
	if (r < 0)
		return lab_tell(ret_error, r, "can't make %s: %s", NETNS_NAMES_DIR, strerror(-r));
	r = space_make(&ret_spaces->hub, &state->hub);
	for (size_t i = 0; i < state->nodes && r == 0; i++)
		r = space_make(&ret_spaces->node[i], &state->node[i].netns);
	if (r < 0)
		return lab_tell(ret_error, r, "can't make a network namespace: %s", strerror(-r));
	return 0;
}

static int name_make(const struct lab_state *state, const char *node, const struct lab_space *space,
		     char *ret_error)
{
	char path[PATH_SIZE], source[64];

	path_of(state, node, path);
	snprintf(source, sizeof(source), "/proc/self/fd/%d", space->file_fd);
	if (linkat(AT_FDCWD, source, AT_FDCWD, path, AT_SYMLINK_FOLLOW) < 0)
		return lab_tell(ret_error, errno == EEXIST ? -EBUSY : -errno, "can't make %s: %s",
				path, strerror(errno));
	snprintf(source, sizeof(source), "/proc/self/fd/%d", space->netns.fd);
	if (mount(source, path, "none", MS_BIND, NULL) < 0)
		return lab_tell(ret_error, -errno, "can't mount a namespace on %s: %s", path,
				strerror(errno));
	return 0;
}

int lab_names_make(const struct lab_state *state, const struct lab_spaces *spaces, char *ret_error)
{
	int r;

	r = name_make(state, LAB_SWITCH, &spaces->hub, ret_error);
	for (size_t i = 0; i < state->nodes && r == 0; i++)
		r = name_make(state, state->node[i].name, &spaces->node[i], ret_error);
	return r;
}

enum what_it_is { NOTHING, OUR_NAMESPACE, OUR_FILE, FOREIGN };

static enum what_it_is look_at(const char *path, const struct lab_netns *written)
{
	_cleanup_(closep) int fd = open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	struct netns found = { .fd = fd };
	struct stat st;

	if (fd < 0)
		return errno == ENOENT ? NOTHING : FOREIGN;
	if (fstat(fd, &st) < 0)
		return FOREIGN;
	found.id = (struct netns_id){ st.st_dev, st.st_ino };
	if (netns_id_equal(found.id, written->file))
		return OUR_FILE;
	return lab_netns_is(written, &found) ? OUR_NAMESPACE : FOREIGN;
}

static int name_remove(const struct lab_state *state, const char *node,
		       const struct lab_netns *written, char *ret_error)
{
	char path[PATH_SIZE];

	path_of(state, node, path);
	for (int i = 0; i < LAYERS_MAX; i++) {
		switch (look_at(path, written)) {
		case NOTHING:
			return 0;
		case OUR_NAMESPACE:
			if (umount2(path, MNT_DETACH | UMOUNT_NOFOLLOW) < 0)
				return lab_tell(ret_error, -errno, "can't unmount %s: %s", path,
						strerror(errno));
			break;
		case OUR_FILE:
			if (unlink(path) < 0)
				return lab_tell(ret_error, -errno, "can't remove %s: %s", path,
						strerror(errno));
			return 0;
		case FOREIGN:
			return lab_tell(ret_error, -EBUSY,
					"%s is not the lab's (any more): it was left", path);
		}
	}
	return lab_tell(ret_error, -EBUSY, "%s is mounted over and over", path);
}

int lab_names_remove(const struct lab_state *state, char *ret_error)
{
	int r, first;

	first = name_remove(state, LAB_SWITCH, &state->hub, ret_error);
	for (size_t i = 0; i < state->nodes; i++) {
		r = name_remove(state, state->node[i].name, &state->node[i].netns,
				first == 0 ? ret_error : NULL);
		if (first == 0)
			first = r;
	}
	if (state->made_names_dir)
		names_dir_remove();
	return first;
}
