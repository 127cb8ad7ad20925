/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * fdinfo.h - what the kernel says of each descriptor of another process: the files of /proc/PID/fdinfo, opened one after the
 * other, to read.
 */
#ifndef HF_TESTS_FDINFO_H
#define HF_TESTS_FDINFO_H

#include <dirent.h>
#include <errno.h>
#include <stdio.h>

/* -errno: there is no such process, or it may not be looked at. */
static inline int fdinfo_each(const char *pid, void (*look)(void *ctx, FILE *info), void *ctx)
{
	char path[64], file[512];
	const struct dirent *entry;
	DIR *folder;

	snprintf(path, sizeof(path), "/proc/%.16s/fdinfo", pid);
	folder = opendir(path);
	if (!folder)
		return -errno;
	while ((entry = readdir(folder))) {
		FILE *info;

		snprintf(file, sizeof(file), "%s/%s", path, entry->d_name);
		info = fopen(file, "re");
		if (!info)
			continue;
		look(ctx, info);
		fclose(info);
	}
	closedir(folder);
	return 0;
}

#endif
