/* SPDX-License-Identifier: GPL-2.0-or-later */
/* folder.c - see folder.h. */
#include "report/folder.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/cleanup.h"

static int by_name(const void *one, const void *other)
{
	return strcmp(*(char *const *)one, *(char *const *)other);
}

static bool is_file(DIR *dir, const char *name)
{
	struct stat stat;

	return fstatat(dirfd(dir), name, &stat, 0) == 0 && S_ISREG(stat.st_mode);
}

int folder_open(const char *path, struct folder *ret_folder)
{
	_cleanup_(closedirp) DIR *dir = opendir(path);
	struct folder *folder = ret_folder;
	struct dirent *entry;

	if (!dir)
		return -errno;
	*folder = (struct folder){};
	if (snprintf(folder->path, sizeof(folder->path), "%s", path) >= (int)sizeof(folder->path))
		return -ENAMETOOLONG;
	while ((entry = readdir(dir)) != NULL) {
		if (entry->d_name[0] == '.' || !is_file(dir, entry->d_name))
			continue;
		if (folder->count == FOLDER_FILES_MAX) {
			folder->left_out++;
			continue;
		}
		folder->name[folder->count] = strdup(entry->d_name);
		if (!folder->name[folder->count])
			return -ENOMEM;
		folder->count++;
	}
	qsort(folder->name, folder->count, sizeof(folder->name[0]), by_name);
	return 0;
}

void folder_done(struct folder *folder)
{
	for (unsigned int i = 0; i < folder->count; i++)
		free(folder->name[i]);
	folder->count = 0;
}

bool folder_has(const struct folder *folder, const char *name)
{
	for (unsigned int i = 0; i < folder->count; i++)
		if (!strcmp(folder->name[i], name))
			return true;
	return false;
}

bool folder_name_ends(const char *name, const char *suffix)
{
	size_t len = strlen(name), end = strlen(suffix);

	return len > end && !strcmp(name + len - end, suffix);
}

void folder_path_of(const struct folder *folder, const char *name, char path[FOLDER_PATH_MAX])
{
	snprintf(path, FOLDER_PATH_MAX, "%s/%s", folder->path, name);
}

int folder_read(const struct folder *folder, const char *name, size_t max, char **ret_bytes,
		size_t *ret_len)
{
	_cleanup_(fclosep) FILE *file = NULL;
	_cleanup_(freep) char *bytes = NULL;
	char path[FOLDER_PATH_MAX];
	struct stat stat;
	size_t len;

	folder_path_of(folder, name, path);
	file = fopen(path, "re");
	if (!file || fstat(fileno(file), &stat) < 0)
		return -errno;
	if (!S_ISREG(stat.st_mode))
		return -EINVAL;
	if ((size_t)stat.st_size > max)
		return -EFBIG;
	bytes = malloc((size_t)stat.st_size + 1);
	if (!bytes)
		return -ENOMEM;
	len = fread(bytes, 1, (size_t)stat.st_size, file);
	if (ferror(file))
		return -EIO;
	bytes[len] = '\0';
	*ret_bytes = TAKE_PTR(bytes);
	*ret_len = len;
	return 0;
}
