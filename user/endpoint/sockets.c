/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * sockets.c - see sockets.h.
 */
#include "endpoint/sockets.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "endpoint/engine_http.h"

#define UNIX_PREFIX "unix://"

/* Where an engine may be, by the variables that its own tools read too. */
struct habit {
	const char *path_variable; /* a path */
	const char *host_variable; /* an address */
	const char *usual; /* a path */
	const char *in_run_dir; /* of a rootless one, below its user's run folder */
};

static const struct habit docker_habit = {
	.path_variable = "HOPFAULT_DOCKER_SOCKET",
	.host_variable = "DOCKER_HOST",
	.usual = "/var/run/docker.sock",
	.in_run_dir = "docker.sock",
};

static const struct habit podman_habit = {
	.path_variable = "HOPFAULT_PODMAN_SOCKET",
	.host_variable = "CONTAINER_HOST",
	.usual = "/run/podman/podman.sock",
	.in_run_dir = "podman/podman.sock",
};

/* A variable that is set and not empty. */
static const char *variable(const char *name)
{
	const char *value = getenv(name);

	return value && value[0] ? value : NULL;
}

/* Of the user; also of the one whom sudo has made root. False: there is none. */
static bool find_rootless(const struct habit *habit, char *ret_address)
{
	const char *dir = variable("XDG_RUNTIME_DIR"), *uid = variable("SUDO_UID");
	char path[ENDPOINT_SOCKET_MAX + 1];

	for (int by_sudo = 0; by_sudo < 2; by_sudo++) {
		if (!by_sudo && dir && dir[0] == '/')
			snprintf(path, sizeof(path), "%s/%s", dir, habit->in_run_dir);
		else if (by_sudo && uid && strspn(uid, "0123456789") == strlen(uid))
			snprintf(path, sizeof(path), "/run/user/%.10s/%s", uid, habit->in_run_dir);
		else
			continue;
		if (access(path, F_OK) < 0)
			continue;
		snprintf(ret_address, ENDPOINT_SOCKET_MAX + 1, "%s", path);
		return true;
	}
	return false;
}

static void choose(const struct habit *habit, const char *said, char *ret_address)
{
	if (!said)
		said = variable(habit->path_variable);
	if (!said)
		said = variable(habit->host_variable);
	if (said)
		snprintf(ret_address, ENDPOINT_SOCKET_MAX + 1, "%s", said);
	else if (access(habit->usual, F_OK) == 0 || !find_rootless(habit, ret_address))
		ret_address[0] = '\0';
}

void endpoint_sockets_choose(const char *docker, const char *podman,
			     struct endpoint_sockets *ret_sockets)
{
	*ret_sockets = (struct endpoint_sockets){ 0 };
	choose(&docker_habit, docker, ret_sockets->docker);
	choose(&podman_habit, podman, ret_sockets->podman);
}

const char *endpoint_socket_path(const char *address)
{
	if (strncmp(address, UNIX_PREFIX, strlen(UNIX_PREFIX)) == 0)
		return address + strlen(UNIX_PREFIX);
	return strstr(address, "://") ? NULL : address;
}

bool endpoint_socket_is_valid(const char *address, const char **ret_reason)
{
	const char *path = endpoint_socket_path(address);

	if (!path)
		*ret_reason = "only an engine on this machine can be worked with: a path, or "
			      "unix:///PATH";
	else if (path[0] != '/')
		*ret_reason = "no socket's path: it must begin with /";
	else if (strlen(path) > ENGINE_SOCKET_PATH_MAX)
		*ret_reason = "longer than a socket's path can be (107 characters)";
	else
		return true;
	return false;
}

const char *endpoint_sockets_path(const struct endpoint_sockets *sockets, enum endpoint_kind kind)
{
	if (kind == ENDPOINT_DOCKER)
		return sockets->docker[0] ? endpoint_socket_path(sockets->docker)
					  : docker_habit.usual;
	if (kind == ENDPOINT_PODMAN)
		return sockets->podman[0] ? endpoint_socket_path(sockets->podman)
					  : podman_habit.usual;
	return NULL;
}

static bool is_one_socket(const char *a, const char *b)
{
	struct stat at_a, at_b;

	if (!a || !b || strcmp(a, b) == 0)
		return a == b || (a && b);
	return stat(a, &at_a) == 0 && stat(b, &at_b) == 0 && at_a.st_dev == at_b.st_dev &&
	       at_a.st_ino == at_b.st_ino;
}

bool endpoint_sockets_meet(const struct endpoint_sockets *a, const struct endpoint_sockets *b,
			   enum endpoint_kind kind)
{
	static const enum endpoint_kind with_socket[] = { ENDPOINT_DOCKER, ENDPOINT_PODMAN };

	for (size_t i = 0; i < ARRAY_SIZE(with_socket); i++)
		if ((!kind || kind == with_socket[i]) &&
		    !is_one_socket(endpoint_sockets_path(a, with_socket[i]),
				   endpoint_sockets_path(b, with_socket[i])))
			return false;
	return true;
}

static bool is_in_its_users_place(const char *path, uid_t uid)
{
	char place[32];

	snprintf(place, sizeof(place), "/run/user/%u/", (unsigned int)uid);
	return strncmp(path, place, strlen(place)) == 0 && !strstr(path, "/../");
}

int endpoint_socket_check(const char *path, unsigned int *ret_uid)
{
	struct stat at;

	if (path[0] != '/')
		return -EINVAL;
	if (stat(path, &at) < 0)
		return errno == ENOTDIR ? -ENOENT : -errno;
	if (!S_ISSOCK(at.st_mode))
		return -ENOTSOCK;
	if (at.st_uid == 0 || at.st_uid == geteuid() || is_in_its_users_place(path, at.st_uid))
		return 0;
	*ret_uid = at.st_uid;
	return -EPERM;
}
