/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * lab_change.c - what is done to one service while the lab is up: kill, start.
 *
 * A service that was killed keeps its namespace, address and place in the state; what is started again is another process
 * there, with the command that is written down. Started half-way, it waits at its pipe as in lab_up(): it ends when its
 * maker does before its number is written down.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "lab/lab_parts.h"

static int find_service(struct lab_state *state, const char *name, struct lab_node **ret_node,
			char *ret_error)
{
	for (size_t i = 1; i < state->nodes; i++) {
		if (strcmp(state->node[i].name, name) == 0) {
			*ret_node = &state->node[i];
			return 0;
		}
	}
	return lab_tell(ret_error, -ENOENT, "the lab has no service '%.32s': it has %s to %s", name,
			state->node[1].name, state->node[state->nodes - 1].name);
}

/* The lock, and the state of a lab that was finished. */
static int open_lab(int *ret_lock, struct lab_state **ret_state, char *ret_error)
{
	int r;

	r = lab_folder_lock(ret_lock, NULL);
	if (r == -ENOENT)
		return lab_tell(ret_error, r, "there is no lab: hopfault lab up makes one");
	if (r < 0)
		return lab_tell(ret_error, r, "another command is at work on the lab");
	r = lab_state_get(ret_state, ret_error);
	if (r == 0 && ((*ret_state)->nodes < 2 || !(*ret_state)->is_finished))
		return lab_tell(ret_error, -ENOENT,
				"the lab was not finished: hopfault lab up makes it anew");
	return r;
}

static int kill_locked(struct lab_state *state, const char *name, char *ret_error)
{
	struct lab_node *node = NULL;
	int r;

	r = find_service(state, name, &node, ret_error);
	if (r < 0)
		return r;
	if (!lab_process_is_alive(node->pid, node->start_time))
		return lab_tell(ret_error, -EALREADY, "service %s has ended already", name);
	return lab_service_end(node, ret_error);
}

int lab_kill(const char *name, char *ret_error)
{
	_cleanup_(freep) struct lab_state *state = NULL;
	_cleanup_(closep) int lock = -1;
	sigset_t before;
	int r;

	lab_tell(ret_error, 0, "%s", "");
	lab_signals_hold(&before);
	r = open_lab(&lock, &state, ret_error);
	if (r == 0)
		r = kill_locked(state, name, ret_error);
	lab_signals_release(&before);
	return r;
}

static int make_and_go(const char *program, struct lab_state *state, struct lab_node *node,
		       const struct netns *own, char *ret_error)
{
	_cleanup_(closep) int go_fd = -1;
	int r;

	r = lab_service_make(program, node, own->fd, &go_fd, ret_error);
	if (r == 0)
		r = lab_state_put(state, ret_error);
	if (r < 0)
		return r;
	r = lab_service_go(go_fd);
	return r < 0 ? lab_tell(ret_error, r, "can't start service %s: %s", node->name,
				strerror(-r))
		     : 0;
}

static int start_locked(struct lab_state *state, const char *name,
			const struct lab_options *options, char *ret_error)
{
	_cleanup_(netns_close) struct netns own = NETNS_NONE, client = NETNS_NONE;
	_cleanup_(freep) char *program = NULL;
	struct lab_node *node = NULL;
	int r;

	r = find_service(state, name, &node, ret_error);
	if (r < 0)
		return r;
	if (lab_process_is_alive(node->pid, node->start_time))
		return lab_tell(ret_error, -EALREADY, "service %s is alive", name);
	if (!node->command[0])
		return lab_tell(ret_error, -ENOENT,
				"an earlier version made this lab: hopfault lab up --replace");
	r = lab_program_find(options, &program, ret_error);
	if (r < 0)
		return r;
	r = lab_netns_open(state, node->name, &node->netns, &own);
	if (r == 0)
		r = lab_netns_open(state, LAB_CLIENT, &state->node[0].netns, &client);
	if (r < 0)
		return lab_tell(ret_error, r,
				"the network namespace of %s, or the client's, is gone", name);
	r = make_and_go(program, state, node, &own, ret_error);
	if (r < 0)
		return r;
	return lab_ready_wait_one(state, node, client.fd, options->ready_timeout_ns,
				  lab_is_interrupted, ret_error);
}

int lab_start(const char *name, const struct lab_options *options, struct lab_result *ret_result,
	      char *ret_error)
{
	_cleanup_(freep) struct lab_state *state = NULL;
	uint64_t begin_ns = clock_now_ns();
	_cleanup_(closep) int lock = -1;
	sigset_t before;
	int r;

	lab_tell(ret_error, 0, "%s", "");
	lab_signals_hold(&before);
	r = open_lab(&lock, &state, ret_error);
	if (r == 0)
		r = start_locked(state, name, options, ret_error);
	lab_signals_release(&before);
	if (r == 0 && ret_result)
		*ret_result =
			(struct lab_result){ .took_ns = clock_now_ns() - begin_ns, .nodes = 1 };
	return r;
}
