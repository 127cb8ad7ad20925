/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * whose.c - see whose.h.
 */
#include "endpoint/whose.h"

#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "endpoint/cgroup.h"

#define NOT_IT_MAX 256 /* namespaces that were seen to be others */

struct search {
	struct netlink *nl; /* in the veth's namespace */
	int32_t nsid; /* what that calls the namespace that is looked for */
	uint64_t ino; /* of it; 0: not found yet */
	uint64_t not_it[NOT_IT_MAX];
	size_t not_its;
	char own_id[CONTAINER_ID_LEN + 1]; /* of the container that this process runs in, or "" */
	uint64_t start_time; /* of the oldest process with a container; UINT64_MAX: none yet */
	struct whose *whose;
};

static bool is_it(struct search *search, const struct netns *netns)
{
	int32_t nsid;

	return netlink_nsid(search->nl, netns->fd, &nsid) >= 0 && nsid == search->nsid;
}

static int look_at_names(struct search *search)
{
	char **name = NULL;
	size_t names = 0;
	int r;

	r = netns_list_names(&name, &names);
	for (size_t i = 0; r >= 0 && i < names && !search->whose->name[0]; i++) {
		_cleanup_(netns_close) struct netns netns = NETNS_NONE;

		if (netns_open_name(name[i], &netns) < 0 || !is_it(search, &netns))
			continue;
		strcpy(search->whose->name, name[i]);
		search->ino = netns.id.ino;
	}
	netns_free_names(name, names);
	return r;
}

static bool is_known_not_to_be(const struct search *search, uint64_t ino)
{
	for (size_t i = 0; i < search->not_its; i++)
		if (search->not_it[i] == ino)
			return true;
	return false;
}

/* Is this process in the namespace? */
static bool process_is_in(struct search *search, pid_t pid)
{
	_cleanup_(netns_close) struct netns netns = NETNS_NONE;
	char path[64], link[64];
	uint64_t ino;
	ssize_t len;

	snprintf(path, sizeof(path), "/proc/%d/ns/net", (int)pid);
	len = readlink(path, link, sizeof(link) - 1);
	if (len < 0)
		return false;
	link[len] = '\0';
	if (sscanf(link, "net:[%" SCNu64 "]", &ino) != 1)
		return false;
	if (search->ino)
		return ino == search->ino;
	if (is_known_not_to_be(search, ino) || netns_open_pid(pid, 0, &netns) < 0)
		return false;
	if (is_it(search, &netns)) {
		search->ino = netns.id.ino;
		return true;
	}
	if (search->not_its < NOT_IT_MAX)
		search->not_it[search->not_its++] = netns.id.ino;
	return false;
}

/*
 * Several containers may be in one namespace, as the members of a pod are: the oldest of their processes is of the one
 * whose it is. Numbers tell no age, as they begin again.
 */
static void take_process(struct search *search, pid_t pid)
{
	char text[CGROUP_TEXT_MAX], container[CONTAINER_ID_LEN + 1];
	uint64_t start_time;

	search->whose->has_process = true;
	if (process_start_time(pid, &start_time) < 0 || start_time >= search->start_time ||
	    cgroup_read("/proc", pid, text) < 0 ||
	    !cgroup_container(text, search->own_id[0] ? search->own_id : NULL, container))
		return;
	search->start_time = start_time;
	strcpy(search->whose->container, container);
}

static int look_at_processes(struct search *search)
{
	_cleanup_(closedirp) DIR *dir = opendir("/proc");
	struct dirent *entry;

	if (!dir)
		return -errno;
	while ((entry = readdir(dir))) {
		pid_t pid = (pid_t)strtol(entry->d_name, NULL, 10);

		if (pid > 0 && process_is_in(search, pid))
			take_process(search, pid);
	}
	return 0;
}

static int begin(struct search *search, const struct netns *host, uint32_t ifindex)
{
	struct netlink_link link;
	char text[CGROUP_TEXT_MAX];
	int r;

	r = netlink_open(host->fd, &search->nl);
	if (r >= 0)
		r = netlink_link_by_index(search->nl, ifindex, &link);
	if (r < 0)
		return r;
	if (link.peer_nsid == NETLINK_NSID_UNKNOWN)
		return -EAGAIN;
	search->nsid = link.peer_nsid;
	if (cgroup_read("/proc", getpid(), text) == 0)
		cgroup_container(text, NULL, search->own_id);
	return 0;
}

int endpoint_whose(const struct netns *host, uint32_t ifindex, struct whose *ret_whose)
{
	struct whose whose = {};
	struct search search = { .whose = &whose, .start_time = UINT64_MAX };
	int r;

	r = begin(&search, host, ifindex);
	if (r >= 0)
		r = look_at_names(&search);
	if (r >= 0)
		r = look_at_processes(&search);
	netlink_close(search.nl);
	if (r < 0)
		return r;
	*ret_whose = whose;
	return 0;
}
