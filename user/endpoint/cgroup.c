/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * cgroup.c - see cgroup.h.
 */
#include "endpoint/cgroup.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"

#define HEX	    "0123456789abcdef"
#define PODS_PARENT "libpod_parent"

/* One name between slashes. */
struct component {
	const char *at;
	size_t len;
};

/* The next component of a line's path; *at is behind it then. False at the line's end. */
static bool next_component(const char **at, struct component *ret_component)
{
	const char *first = *at + strspn(*at, "/");
	size_t len = strcspn(first, "/\n");

	*at = first + len;
	*ret_component = (struct component){ first, len };
	return len > 0;
}

/* The path of "12:cpu,cpuacct:/path"; NULL: the text ends. *line is the next line's beginning then. */
static const char *next_path(const char **line)
{
	while (**line) {
		const char *controllers = strchr(*line, ':'), *end = strchrnul(*line, '\n');
		const char *path = controllers ? strchr(controllers + 1, ':') : NULL;

		*line = *end ? end + 1 : end;
		if (path && path < end)
			return path + 1;
	}
	return NULL;
}

static bool ends_with(struct component component, const char *end)
{
	size_t len = strlen(end);

	return component.len > len && memcmp(component.at + component.len - len, end, len) == 0;
}

/* "ID", "docker-ID.scope"; not "libpod-conmon-ID.scope", which is the engine's own helper. */
static bool component_id(struct component component, char *ret_id)
{
	size_t len = component.len;

	if (ends_with(component, ".scope"))
		len -= strlen(".scope");
	if (len < CONTAINER_ID_LEN || memmem(component.at, len, "conmon", 6))
		return false;
	component.at += len - CONTAINER_ID_LEN;
	if (len > CONTAINER_ID_LEN && component.at[-1] != '-')
		return false;
	if (strspn(component.at, HEX) != CONTAINER_ID_LEN)
		return false;
	memcpy(ret_id, component.at, CONTAINER_ID_LEN);
	ret_id[CONTAINER_ID_LEN] = '\0';
	return true;
}

static bool is_called(struct component component, const char *name)
{
	return component.len == strlen(name) && memcmp(component.at, name, component.len) == 0;
}

/* The outermost id of a path for which `is_wanted` is no other than not_id. */
static bool path_id(const char *path, const char *not_id, char *ret_id)
{
	struct component component, above = { "", 0 };
	char id[CONTAINER_ID_LEN + 1];

	for (; next_component(&path, &component); above = component) {
		if (!component_id(component, id) || (not_id && strcmp(id, not_id) == 0))
			continue;
		if (component.len == CONTAINER_ID_LEN && is_called(above, PODS_PARENT))
			continue; /* a pod's: its members are below, libpod-ID */
		strcpy(ret_id, id);
		return true;
	}
	return false;
}

bool cgroup_container(const char *text, const char *not_id, char ret_id[CONTAINER_ID_LEN + 1])
{
	const char *path;

	while ((path = next_path(&text)))
		if (path_id(path, not_id, ret_id))
			return true;
	return false;
}

bool cgroup_is_another_container(const char *text, const char *id)
{
	char found[CONTAINER_ID_LEN + 1];

	return cgroup_container(text, NULL, found) && strstr(text, id) == NULL;
}

static bool path_unit(const char *path, char *ret_unit)
{
	struct component component;

	while (next_component(&path, &component)) {
		if (ends_with(component, ".slice"))
			continue;
		if (component.len > ENDPOINT_NAME_MAX ||
		    (!ends_with(component, ".service") && !ends_with(component, ".scope")))
			return false;
		memcpy(ret_unit, component.at, component.len);
		ret_unit[component.len] = '\0';
		return true;
	}
	return false;
}

bool cgroup_unit(const char *text, char *ret_unit)
{
	const char *path;

	while ((path = next_path(&text)))
		if (path_unit(path, ret_unit))
			return true;
	return false;
}

int cgroup_read(const char *proc, pid_t pid, char *text)
{
	_cleanup_(closep) int fd = -1;
	size_t len = 0;
	char path[128];
	ssize_t n = 1;

	snprintf(path, sizeof(path), "%s/%d/cgroup", proc, (int)pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return errno == ENOENT ? -ESRCH : -errno;
	while (n > 0 && len < CGROUP_TEXT_MAX - 1) {
		n = read(fd, text + len, CGROUP_TEXT_MAX - 1 - len);
		if (n < 0)
			return -errno;
		len += (size_t)n;
	}
	text[len] = '\0';
	return 0;
}

int cgroup_scan(const char *proc, int (*tell)(pid_t pid, const char *text, void *user), void *user)
{
	_cleanup_(closedirp) DIR *dir = opendir(proc);
	char text[CGROUP_TEXT_MAX];
	struct dirent *entry;
	int r = 0;

	if (!dir)
		return -errno;
	while (r >= 0 && (entry = readdir(dir))) {
		pid_t pid = (pid_t)strtol(entry->d_name, NULL, 10);

		if (pid > 0 && cgroup_read(proc, pid, text) == 0)
			r = tell(pid, text, user);
	}
	return r < 0 ? r : 0;
}
