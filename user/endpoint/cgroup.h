/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * cgroup.h - which container or which systemd unit a process belongs to, by the names of its control groups.
 *
 *     /docker/<64 digits>                                     /kubepods.slice/.../cri-containerd-<64 digits>.scope
 *     /machine.slice/libpod-<64 digits>.scope/container       /system.slice/nginx.service
 *     /libpod_parent/<64 digits of a pod>/libpod-<64 digits>
 *
 * Whoever is inside a container may make groups below its own and give them any name. So of several ids in a path the
 * outermost counts, and a unit counts only when nothing but slices stands above it: neither can be made from inside.
 */
#ifndef HF_ENDPOINT_CGROUP_H
#define HF_ENDPOINT_CGROUP_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "endpoint/container.h"

#define CGROUP_TEXT_MAX 8192 /* of /proc/PID/cgroup; what is longer is not looked at */

/* Of a whole /proc/PID/cgroup; not_id (may be NULL) is passed over: the container that we ourselves are in. */
bool cgroup_container(const char *text, const char *not_id, char ret_id[CONTAINER_ID_LEN + 1]);
/* Is it in some container, and none of its ids is this one? Then the process is somebody else's. */
bool cgroup_is_another_container(const char *text, const char *id);
/* "nginx.service", ret_unit of ENDPOINT_NAME_MAX + 1 bytes. */
bool cgroup_unit(const char *text, char *ret_unit);

/* proc: "/proc". text of CGROUP_TEXT_MAX bytes. -ESRCH: no such process. */
int cgroup_read(const char *proc, pid_t pid, char *text);
/* For each process that has a group; ends when tell returns less than 0, and returns that. */
int cgroup_scan(const char *proc, int (*tell)(pid_t pid, const char *text, void *user), void *user);

#endif
