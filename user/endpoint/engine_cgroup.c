/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * engine_cgroup.c - two engines that ask nobody but /proc: `containerd:ID` and `unit:NAME.service`.
 *
 *     /proc/PID/cgroup of all processes --> id or unit --> of each its oldest process --> its namespace
 *
 * containerd (and any CRI engine) speaks gRPC over HTTP/2 and has no well-kept client in C; every one of its containers
 * has its id in its control group, though, so one found by `crictl ps` can be named by it, Kubernetes pods included. So can
 * Docker's and Podman's containers when their sockets can't be reached.
 *
 * A unit is looked up in the same way instead of by `systemctl show`: that needs a bus, which may hang or be missing, and a
 * child process for each look-up. The main process is the oldest of the unit, which is what systemd itself takes where
 * it has to guess; all processes of a unit share one network namespace (PrivateNetwork=, NetworkNamespacePath=).
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "endpoint/cgroup.h"
#include "endpoint/engine.h"

/* One container or unit that was seen, with its oldest process so far. */
struct group {
	char name[ENDPOINT_NAME_MAX + 1]; /* all of the id, or the unit */
	pid_t pid;
	uint64_t start_time;
};

struct groups {
	bool (*name_of)(const struct groups *groups, const char *text, char *ret_name);
	char own_id[CONTAINER_ID_LEN + 1]; /* of the container that this process runs in, or "" */
	size_t count;
	struct group *group; /* owned */
};

static void groups_free(struct groups *groups)
{
	free(groups->group);
}

static int add_group(struct groups *groups, const char *name, struct group **ret_group)
{
	struct group *grown;

	for (size_t i = 0; i < groups->count; i++) {
		if (strcmp(groups->group[i].name, name) == 0) {
			*ret_group = &groups->group[i];
			return 0;
		}
	}
	if (groups->count >= ENDPOINTS_MAX)
		return -E2BIG;
	grown = reallocarray(groups->group, groups->count + 1, sizeof(*grown));
	if (!grown)
		return -ENOMEM;
	groups->group = grown;
	*ret_group = &grown[groups->count++];
	**ret_group = (struct group){ .start_time = UINT64_MAX };
	strcpy((*ret_group)->name, name);
	return 0;
}

static int take_process(pid_t pid, const char *text, void *user)
{
	struct groups *groups = user;
	char name[ENDPOINT_NAME_MAX + 1];
	struct group *group;
	uint64_t start_time;
	int r;

	if (!groups->name_of(groups, text, name) || process_start_time(pid, &start_time) < 0)
		return 0;
	r = add_group(groups, name, &group);
	if (r < 0)
		return r;
	if (start_time < group->start_time) {
		group->pid = pid;
		group->start_time = start_time;
	}
	return 0;
}

static int target_of_group(const struct group *group, struct endpoint_target *ret_target)
{
	*ret_target = (struct endpoint_target){
		.pid = group->pid,
		.start_time = group->start_time,
		.netns = NETNS_NONE,
	};
	return netns_open_pid(group->pid, group->start_time, &ret_target->netns);
}

static int tell_trouble(struct found *found, int r)
{
	snprintf(found->trouble, sizeof(found->trouble), "can't read control groups in /proc: %s",
		 strerror(-r));
	return r;
}

static bool container_of(const struct groups *groups, const char *text, char *ret_name)
{
	return cgroup_container(text, groups->own_id, ret_name);
}

static enum endpoint_match match_id(const struct selector *selector, const char *id)
{
	struct container container = { 0 };

	if (selector->kind == SELECT_ALL)
		return ENDPOINT_MATCH_MANY;
	if (selector->kind != SELECT_NAME)
		return ENDPOINT_MATCH_NOT;
	strcpy(container.id, id);
	return container_match(&container, selector);
}

static int add_container(struct found *found, const struct group *group, enum endpoint_match match)
{
	struct endpoint_target target;

	if (target_of_group(group, &target) < 0)
		return 0; /* it has gone since */
	target.kind = ENDPOINT_CONTAINERD;
	target.match = match;
	memcpy(target.name, group->name, CONTAINER_ID_SHORT);
	target.container = calloc(1, sizeof(*target.container));
	if (target.container) {
		strcpy(target.container->id, group->name);
		target.container->state = ENDPOINT_RUNNING;
	}
	return found_add(found, &target);
}

/* The beginning of an id, as container_match() takes it. All processes are looked at for nothing less. */
static bool could_be_id(const char *word)
{
	size_t len = strlen(word);

	return len >= CONTAINER_ID_PREFIX_MIN && strspn(word, "0123456789abcdef") == len;
}

static int containerd_select(const struct selector *selector, struct found *found)
{
	_cleanup_(groups_free) struct groups groups = { .name_of = container_of };
	char text[CGROUP_TEXT_MAX];
	int r;

	if (selector->kind != SELECT_ALL && selector->kind != SELECT_NAME)
		return 0;
	if (selector->kind == SELECT_NAME && !could_be_id(selector->text))
		return 0;
	if (cgroup_read("/proc", getpid(), text) == 0)
		cgroup_container(text, NULL, groups.own_id);
	r = cgroup_scan("/proc", take_process, &groups);
	for (size_t i = 0; i < groups.count && r == 0; i++) {
		enum endpoint_match match = match_id(selector, groups.group[i].name);

		if (match != ENDPOINT_MATCH_NOT)
			r = add_container(found, &groups.group[i], match);
	}
	return r < 0 ? tell_trouble(found, r) : 0;
}

const struct endpoint_engine endpoint_engine_containerd = {
	.kind = ENDPOINT_CONTAINERD,
	.prefix = "containerd",
	.what = "container's id",
	.bare = true,
	.select = containerd_select,
};

static bool unit_of(const struct groups *groups, const char *text, char *ret_name)
{
	return cgroup_unit(text, ret_name);
}

/* As systemctl does: a name without an end is a service's. */
static bool is_unit_meant(const char *word, const char *unit)
{
	size_t len = strlen(word);

	return strcmp(word, unit) == 0 ||
	       (strncmp(word, unit, len) == 0 && strcmp(unit + len, ".service") == 0);
}

static int unit_select(const struct selector *selector, struct found *found)
{
	_cleanup_(groups_free) struct groups groups = { .name_of = unit_of };
	int r;

	if (selector->kind != SELECT_NAME)
		return 0; /* the host's own units are not a fleet to be shown or swept */
	r = cgroup_scan("/proc", take_process, &groups);
	for (size_t i = 0; i < groups.count && r == 0; i++) {
		const struct group *group = &groups.group[i];
		struct endpoint_target target;

		if (endpoint_name_is_valid(group->name))
			endpoint_names_add(&found->names, group->name);
		if (!is_unit_meant(selector->text, group->name) ||
		    target_of_group(group, &target) < 0)
			continue;
		target.kind = ENDPOINT_UNIT;
		target.match = ENDPOINT_MATCH_NAME;
		strcpy(target.name, group->name);
		r = found_add(found, &target);
	}
	return r < 0 ? tell_trouble(found, r) : 0;
}

const struct endpoint_engine endpoint_engine_unit = {
	.kind = ENDPOINT_UNIT,
	.prefix = "unit",
	.what = "systemd unit",
	.select = unit_select,
};
