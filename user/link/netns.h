/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * netns.h - network namespaces: open one, know which one it is, step in and out with one thread.
 *
 * A namespace is known by the device and inode number of its file, and by nothing else: names are reused,
 * and so are process ids. Whoever holds the descriptor keeps the namespace alive and its number taken.
 */
#ifndef HF_LINK_NETNS_H
#define HF_LINK_NETNS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define NETNS_NAMES_DIR "/run/netns"
#define NETNS_NAME_MAX	63 /* characters of a name, without the end */
#define NETNS_NAMES_MAX 4096 /* names listed; more are -E2BIG */

struct netns_id {
	uint64_t dev;
	uint64_t ino;
};

struct netns {
	int fd; /* owned; close-on-exec; -1: none */
	struct netns_id id;
};

#define NETNS_NONE ((struct netns){ .fd = -1 })

/*
 * Each opens a namespace. Errors: -ENOENT (no such name), -ESRCH (no such process, or its start time is
 * another), -EINVAL (not a name, or not a network namespace), or what open() said.
 */
int netns_open_self(struct netns *ret_ns); /* the calling thread's */
int netns_open_name(const char *name, struct netns *ret_ns);
/* start_time as process_start_time() gives it; 0: any process with this id will do. */
int netns_open_pid(pid_t pid, uint64_t start_time, struct netns *ret_ns);
int netns_dup(const struct netns *ns, struct netns *ret_ns);
void netns_close(struct netns *ns); /* leaves NETNS_NONE; takes NULL; for _cleanup_ */

bool netns_id_equal(struct netns_id a, struct netns_id b);
bool netns_name_is_valid(const char *name);
/* The id of the namespace that a name stands for now. */
int netns_id_of_name(const char *name, struct netns_id *ret_id);

/*
 * A number that no other namespace ever gets while this machine is up, where inode numbers are used again. 0 when the
 * kernel has none (before 5.14).
 */
int netns_cookie(int fd, uint64_t *ret_cookie);

/*
 * Moves the calling thread, and only it. ret_previous is a descriptor of where it was; netns_leave() goes
 * back there, closes it and sets it to -1 (it does nothing for -1). A netns_leave() that fails leaves the
 * thread in the wrong place: do not go on.
 */
int netns_enter(int fd, int *ret_previous);
int netns_leave(int *previous);

/* The valid names in /run/netns, sorted; none when the folder is missing. Freed by netns_free_names(). */
int netns_list_names(char ***ret_names, size_t *ret_count);
void netns_free_names(char **names, size_t count);

/* When a process began, in clock ticks since boot: with the pid it names a process for good. */
int process_start_time(pid_t pid, uint64_t *ret_start_time);

#endif
