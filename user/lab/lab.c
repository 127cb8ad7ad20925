/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * lab.c - up, down, status: the parts in their order, and back.
 *
 *     up:   state (a plan) - namespaces - state (their inodes) - names - links - processes, waiting
 *           - state (their numbers) - go - they listen - state (finished)
 *     down: processes - links - names - files - state
 *
 * down goes by the state alone, and up that fails is followed by down: so what a killed up left is taken away by the same
 * code in the same way, whenever somebody asks for it. One lock, on the folder, for all of it.
 *
 * Signals that mean "stop" wait until a step is done; up then takes back what it did, and lets them through.
 */
#include "lab/lab.h"

#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "lab/lab_parts.h"

#define FOLDER_TRIES 20

int lab_tell(char *ret_error, int r, const char *format, ...)
{
	va_list arguments;

	if (ret_error) {
		va_start(arguments, format);
		vsnprintf(ret_error, LAB_ERROR_MAX, format, arguments);
		va_end(arguments);
	}
	return r;
}

/* ---- down ---- */

/* All parts are tried; the first error is told. The state goes last, and stays when anything of ours could not be removed. */
static int take_down(const struct lab_state *state, char *ret_error)
{
	int r, names;

	r = lab_services_remove(state, ret_error);
	if (r < 0)
		return r;
	r = lab_links_remove(state, ret_error);
	names = lab_names_remove(state, r == 0 ? ret_error : NULL);
	if (r < 0)
		return r;
	if (names < 0 && names != -EBUSY)
		return names;
	r = lab_state_remove();
	if (r < 0)
		return lab_tell(ret_error, r, "can't remove the lab's state: %s", strerror(-r));
	return names;
}

int lab_state_get(struct lab_state **ret_state, char *ret_error)
{
	int r;

	r = lab_state_read(ret_state);
	if (r == -ENOENT)
		return lab_tell(ret_error, r, "there is no lab: hopfault lab up makes one");
	if (r < 0)
		return lab_tell(ret_error, r, "can't read the lab's state: %s", strerror(-r));
	return 0;
}

static int down_locked(struct lab_result *result, char *ret_error)
{
	_cleanup_(freep) struct lab_state *state = NULL;
	int r;

	r = lab_state_get(&state, ret_error);
	if (r == -ENOENT)
		return 0;
	if (r < 0)
		return r;
	r = take_down(state, ret_error);
	if (r == 0 || r == -EBUSY)
		result->nodes = state->nodes;
	return r;
}

int lab_down(struct lab_result *ret_result, char *ret_error)
{
	struct lab_result result = { 0 };
	uint64_t begin_ns = clock_now_ns();
	_cleanup_(closep) int lock = -1;
	sigset_t before;
	int r;

	lab_tell(ret_error, 0, "%s", "");
	r = lab_folder_lock(&lock, ret_error);
	if (r < 0 && r != -ENOENT)
		return r;
	if (r == 0) {
		lab_signals_hold(&before);
		r = down_locked(&result, ret_error);
		if (r == 0 || r == -EBUSY)
			lab_folder_remove();
		lab_signals_release(&before);
		if (r < 0)
			return r;
	}
	lab_tell(ret_error, 0, "%s", "");
	result.took_ns = clock_now_ns() - begin_ns;
	if (ret_result)
		*ret_result = result;
	return 0;
}

/* ---- up ---- */

int lab_state_put(const struct lab_state *state, char *ret_error)
{
	int r;

	r = lab_state_write(state);
	if (r < 0)
		return lab_tell(ret_error, r, "can't write the lab's state: %s", strerror(-r));
	return lab_is_interrupted() ? lab_tell(ret_error, -EINTR, "interrupted") : 0;
}

static int write_hosts(const struct lab_state *state, char *ret_error)
{
	int r;

	r = lab_hosts_write(state);
	if (r < 0)
		return lab_tell(ret_error, r, "can't write the lab's hosts file: %s", strerror(-r));
	return 0;
}

static int start_services(const char *program, struct lab_state *state,
			  const struct lab_spaces *spaces, char *ret_error)
{
	_cleanup_(closep) int go_fd = -1;
	int r;

	r = lab_services_make(program, state, spaces, &go_fd, ret_error);
	if (r == 0)
		r = lab_state_put(state, ret_error);
	if (r < 0)
		return r;
	r = lab_services_go(state, go_fd);
	if (r < 0)
		return lab_tell(ret_error, r, "can't start the services: %s", strerror(-r));
	return 0;
}

static int build(const struct lab_options *options, const char *program, struct lab_state *state,
		 struct lab_result *result, char *ret_error)
{
	_cleanup_(lab_spaces_close) struct lab_spaces spaces;
	uint64_t begin_ns;
	int r;

	lab_spaces_init(&spaces);
	r = lab_state_put(state, ret_error);
	if (r == 0)
		r = lab_spaces_make(state, &spaces, ret_error);
	if (r == 0)
		r = lab_state_put(state, ret_error);
	if (r == 0)
		r = lab_names_make(state, &spaces, ret_error);
	if (r == 0)
		r = lab_links_make(state, &spaces, ret_error);
	if (r == 0)
		r = write_hosts(state, ret_error);
	if (r == 0)
		r = start_services(program, state, &spaces, ret_error);
	if (r < 0)
		return r;
	begin_ns = clock_now_ns();
	r = lab_ready_wait(state, spaces.node[0].netns.fd, options->ready_timeout_ns,
			   lab_is_interrupted, ret_error);
	if (r < 0)
		return r;
	result->ready_ns = clock_now_ns() - begin_ns;
	state->is_finished = true;
	return lab_state_put(state, ret_error);
}

/* What is up already: nothing, a lab (-EEXIST), or the rest of an up that died, which is taken away. */
static int make_room(const struct lab_options *options, char *ret_error)
{
	_cleanup_(freep) struct lab_state *state = NULL;
	int r;

	r = lab_state_get(&state, ret_error);
	if (r == -ENOENT)
		return 0;
	if (r < 0)
		return r;
	if (state->is_finished && !options->replace)
		return lab_tell(ret_error, -EEXIST,
				"the lab is up already: use --replace, or lab down");
	return take_down(state, ret_error);
}

static int up_locked(const struct lab_options *options, struct lab_result *result, char *ret_error)
{
	_cleanup_(freep) struct lab_state *state = calloc(1, sizeof(*state));
	_cleanup_(freep) char *program = NULL;
	int r;

	if (!state)
		return -ENOMEM;
	r = lab_program_find(options, &program, ret_error);
	if (r == 0)
		r = make_room(options, ret_error);
	if (r == 0)
		r = lab_plan(options, state, ret_error);
	if (r == 0)
		r = lab_names_check(state, ret_error);
	if (r < 0)
		return r;
	r = build(options, program, state, result, ret_error);
	if (r < 0) {
		take_down(state, NULL); /* the logs stay: ret_error may name one */
		return r;
	}
	result->nodes = state->nodes;
	return 0;
}

/* Made if need be, and locked. */
static int open_folder(int *ret_lock, char *ret_error)
{
	int r = -ENOENT;

	/* -ENOENT: a down has removed it in between, or the folder above is not there. */
	for (int i = 0; i < FOLDER_TRIES && r == -ENOENT; i++) {
		r = lab_folder_make(ret_error);
		if (r == 0)
			r = lab_folder_lock(ret_lock, ret_error);
	}
	return r;
}

int lab_up(const struct lab_options *options, struct lab_result *ret_result, char *ret_error)
{
	struct lab_result result = { 0 };
	uint64_t begin_ns = clock_now_ns();
	_cleanup_(closep) int lock = -1;
	sigset_t before;
	int r;

	lab_tell(ret_error, 0, "%s", "");
	lab_signals_hold(&before);
	r = open_folder(&lock, ret_error);
	if (r == 0)
		r = up_locked(options, &result, ret_error);
	if (r < 0 && lock >= 0 && r != -ETIMEDOUT && r != -ECHILD && r != -EEXIST)
		lab_folder_remove();
	lab_signals_release(&before);
	if (r < 0)
		return r;
	lab_tell(ret_error, 0, "%s", "");
	result.took_ns = clock_now_ns() - begin_ns;
	if (ret_result)
		*ret_result = result;
	return 0;
}

/* ---- status ---- */

static bool node_is_well(const struct lab_node_status *node)
{
	return node->netns_is_there && (node->is_client || (node->is_alive && node->is_listening));
}

static void look_at_node(const struct lab_state *state, size_t i, const struct netns *client,
			 struct lab_node_status *status)
{
	_cleanup_(netns_close) struct netns ns = NETNS_NONE;
	const struct lab_node *node = &state->node[i];

	*status = (struct lab_node_status){
		.is_client = i == 0,
		.netns_is_there = lab_netns_open(state, node->name, &node->netns, &ns) == 0,
		.is_alive = lab_process_is_alive(node->pid, node->start_time),
		.pid = node->pid,
		.tier = node->tier,
		.ipv4 = node->ipv4,
		.ipv6 = node->ipv6,
	};
	strcpy(status->name, node->name);
	lab_netns_name(state, node->name, status->netns);
	snprintf(status->veth, sizeof(status->veth), "veth-%s", node->name);
	if (client->fd >= 0 && status->is_alive)
		status->is_listening = lab_is_listening(state, node, client->fd);
}

int lab_status(struct lab_status *ret_status, char *ret_error)
{
	_cleanup_(lab_status_free) struct lab_status status = { 0 };
	_cleanup_(netns_close) struct netns client = NETNS_NONE;
	_cleanup_(freep) struct lab_state *state = NULL;
	int r;

	r = lab_state_get(&state, ret_error);
	if (r < 0)
		return r;
	status.node = calloc(state->nodes + 1, sizeof(*status.node));
	if (!status.node)
		return -ENOMEM;
	status.nodes = state->nodes;
	status.is_whole = state->is_finished;
	r = lab_netns_open(state, LAB_CLIENT, &state->node[0].netns, &client);
	if (r < 0 && r != -ENOENT)
		return lab_tell(ret_error, r, "can't open the client's namespace: %s",
				strerror(-r));
	for (size_t i = 0; i < state->nodes; i++) {
		look_at_node(state, i, &client, &status.node[i]);
		status.is_whole = status.is_whole && node_is_well(&status.node[i]);
	}
	*ret_status = status;
	status = (struct lab_status){ 0 };
	return 0;
}

void lab_status_free(struct lab_status *status)
{
	free(status->node);
	*status = (struct lab_status){ 0 };
}

int lab_enter_client(char *ret_error)
{
	_cleanup_(netns_close) struct netns client = NETNS_NONE;
	_cleanup_(freep) struct lab_state *state = NULL;
	int r;

	r = lab_state_get(&state, ret_error);
	if (r < 0)
		return r;
	r = lab_netns_open(state, LAB_CLIENT, &state->node[0].netns, &client);
	if (r == 0 && setns(client.fd, CLONE_NEWNET) < 0)
		r = -errno;
	if (r < 0)
		return lab_tell(ret_error, r, "can't enter the client's namespace: %s",
				strerror(-r));
	return 0;
}
