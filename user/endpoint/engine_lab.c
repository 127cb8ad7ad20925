/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * engine_lab.c - `lab:a`: the lab's client and services, as state.json has them, while it is true. A service of several
 * replicas means all of them.
 */
#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "endpoint/engine.h"
#include "endpoint/lab_state.h"

static bool node_is_there(const struct lab_state *state, const struct lab_node *node)
{
	_cleanup_(netns_close) struct netns ns = NETNS_NONE;

	return lab_netns_open(state, node->name, &node->netns, &ns) == 0;
}

static int lab_list(struct endpoint_names *names)
{
	_cleanup_(freep) struct lab_state *state = NULL;
	int r;

	r = lab_state_read(&state);
	if (r < 0)
		return r == -ENOENT ? 0 : r;
	for (size_t i = 0; i < state->nodes && r == 0; i++) {
		if (node_is_there(state, &state->node[i]))
			r = endpoint_names_add(names, state->node[i].name);
	}
	return r;
}

static bool process_is(pid_t pid, uint64_t start_time)
{
	uint64_t found;

	return pid > 0 && process_start_time(pid, &found) == 0 && found == start_time;
}

static int lab_find(const char *name, struct endpoint_target *ret_target)
{
	_cleanup_(freep) struct lab_state *state = NULL;
	const struct lab_node *node = NULL;
	int r;

	r = lab_state_read(&state);
	if (r < 0)
		return r;
	for (size_t i = 0; i < state->nodes && !node; i++) {
		if (strcmp(state->node[i].name, name) == 0)
			node = &state->node[i];
	}
	if (!node)
		return -ENOENT;
	*ret_target = (struct endpoint_target){ .netns = NETNS_NONE };
	r = lab_netns_open(state, node->name, &node->netns, &ret_target->netns);
	if (r < 0)
		return r;
	if (process_is(node->pid, node->start_time)) {
		ret_target->pid = node->pid;
		ret_target->start_time = node->start_time;
	}
	return 0;
}

/* a1, a2, a3 are a's replicas. */
static bool is_replica(const char *name, const char *service)
{
	size_t len = strlen(service);

	return len > 0 && !isdigit((unsigned char)service[len - 1]) &&
	       strncmp(name, service, len) == 0 && name[len] &&
	       strspn(name + len, "0123456789") == strlen(name + len);
}

const struct endpoint_engine endpoint_engine_lab = {
	.kind = ENDPOINT_LAB,
	.prefix = "lab",
	.what = "lab service",
	.bare = true,
	.list = lab_list,
	.find = lab_find,
	.is_one_of = is_replica,
};
