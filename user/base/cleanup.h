/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * cleanup.h - resources that give themselves back when the function ends, on every path.
 *
 *     _cleanup_(freep) char *name = strdup(text);
 *     _cleanup_(closep) int fd = open(path, O_RDONLY | O_CLOEXEC);
 *     ...
 *     *ret_fd = TAKE_FD(fd);     (handed on: no longer ours to close)
 *
 * Every cleanup function here leaves errno as it was, and takes NULL or a negative fd as "nothing".
 */
#ifndef HOPFAULT_BASE_CLEANUP_H
#define HOPFAULT_BASE_CLEANUP_H

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define _cleanup_(fn) __attribute__((cleanup(fn)))

/* The pointer, and NULL in its place: the cleanup of the variable has nothing to do any more. */
#define TAKE_PTR(pointer)                                       \
	({                                                      \
		__typeof__(pointer) *take_place_ = &(pointer);  \
		__typeof__(pointer) take_value_ = *take_place_; \
		*take_place_ = NULL;                            \
		take_value_;                                    \
	})

/* The same for a file descriptor, with -1 in its place. */
#define TAKE_FD(fd)                             \
	({                                      \
		int *take_place_ = &(fd);       \
		int take_value_ = *take_place_; \
		*take_place_ = -1;              \
		take_value_;                    \
	})

#ifndef ARRAY_SIZE
#define ARRAY_SIZE(array) (sizeof(array) / sizeof((array)[0]))
#endif

/*
 * Makes fn##p() from fn(), which takes a `type` that may be tested as a truth (a pointer):
 *     DEFINE_CLEANUP(struct table *, table_free)  ->  _cleanup_(table_freep) struct table *t
 */
#define DEFINE_CLEANUP(type, fn)              \
	static inline void fn##p(type *place) \
	{                                     \
		int cleanup_errno_ = errno;   \
                                              \
		if (*place)                   \
			fn(*place);           \
		errno = cleanup_errno_;       \
	}

static inline void freep(void *place)
{
	int saved_errno = errno;

	free(*(void **)place);
	errno = saved_errno;
}

static inline void closep(int *fd)
{
	int saved_errno = errno;

	if (*fd >= 0)
		close(*fd);
	errno = saved_errno;
}

DEFINE_CLEANUP(FILE *, fclose)
DEFINE_CLEANUP(FILE *, pclose)
DEFINE_CLEANUP(DIR *, closedir)

#endif
