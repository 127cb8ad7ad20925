/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * folder.h - a folder's files, by the end of their names, and a file whole in memory: bounded, for they may be anybody's.
 */
#ifndef HOPFAULT_REPORT_FOLDER_H
#define HOPFAULT_REPORT_FOLDER_H

#include <stdbool.h>
#include <stddef.h>

#define FOLDER_FILES_MAX 256
#define FOLDER_PATH_MAX	 4096

struct folder {
	char path[FOLDER_PATH_MAX - 256];
	unsigned int count;
	char *name[FOLDER_FILES_MAX]; /* of regular files, in alphabetical order */
	unsigned int left_out;
};

/* -errno of opening it, -ENAMETOOLONG, -ENOMEM. */
int folder_open(const char *path, struct folder *ret_folder);
void folder_done(struct folder *folder); /* for _cleanup_ */

bool folder_has(const struct folder *folder, const char *name);
bool folder_name_ends(const char *name, const char *suffix);
void folder_path_of(const struct folder *folder, const char *name, char path[FOLDER_PATH_MAX]);

/* Whole, with a NUL behind it. -EFBIG: larger than `max`. */
int folder_read(const struct folder *folder, const char *name, size_t max, char **ret_bytes,
		size_t *ret_len);

#endif
