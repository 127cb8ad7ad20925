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

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "lab/lab_parts.h"

#define SERVICES_DEFAULT 5
#define FOLDER_TRIES	 20
#define LOCK_WAIT_NS	 5000000000ULL

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

/* Signals that ask to stop wait while this is held. */
static void stop_signals(sigset_t *ret_set)
{
	sigemptyset(ret_set);
	sigaddset(ret_set, SIGINT);
	sigaddset(ret_set, SIGTERM);
	sigaddset(ret_set, SIGHUP);
	sigaddset(ret_set, SIGQUIT);
}

static bool is_interrupted(void)
{
	sigset_t stop, pending;

	stop_signals(&stop);
	sigpending(&pending);
	return sigandset(&stop, &stop, &pending) == 0 && !sigisemptyset(&stop);
}

static void signals_hold(sigset_t *ret_before)
{
	sigset_t stop;

	stop_signals(&stop);
	sigprocmask(SIG_BLOCK, &stop, ret_before);
}

static void signals_release(const sigset_t *before)
{
	sigprocmask(SIG_SETMASK, before, NULL);
}

static int folder_path(char path[LAB_PATH_MAX])
{
	int r;

	r = lab_path("", path);
	if (r == 0)
		path[strlen(path) - 1] = '\0'; /* the slash */
	return r;
}

/* RUN_DIR and RUN_DIR/lab; folders above must be there. */
static int folder_make(char *ret_error)
{
	char path[LAB_PATH_MAX];
	const char *run_dir;
	int r;

	r = lab_run_dir(&run_dir);
	if (r == 0)
		r = folder_path(path);
	if (r < 0)
		return lab_tell(ret_error, r,
				"HOPFAULT_RUN_DIR must be an absolute path, and short");
	if ((mkdir(run_dir, 0755) < 0 && errno != EEXIST) ||
	    (mkdir(path, 0755) < 0 && errno != EEXIST))
		return lab_tell(ret_error, -errno, "can't make %s: %s", path, strerror(errno));
	return 0;
}

/* What is left in it is ours: nobody else is told of this folder. */
static void folder_remove(void)
{
	char path[LAB_PATH_MAX], file[LAB_PATH_MAX + NAME_MAX + 2];
	_cleanup_(closedirp) DIR *dir = NULL;
	const struct dirent *entry;
	const char *run_dir;

	if (folder_path(path) < 0 || lab_run_dir(&run_dir) < 0)
		return;
	dir = opendir(path);
	while (dir && (entry = readdir(dir))) {
		snprintf(file, sizeof(file), "%s/%s", path, entry->d_name);
		unlink(file); /* fails for . and .. */
	}
	rmdir(path);
	rmdir(run_dir); /* when nothing else is in it */
}

/* A folder that was removed while we waited for its lock is not the one to lock. */
static bool is_still_there(int fd, const char *path)
{
	struct stat mine, there;

	return fstat(fd, &mine) == 0 && stat(path, &there) == 0 && mine.st_ino == there.st_ino &&
	       mine.st_dev == there.st_dev;
}

static int lock_wait(int fd)
{
	const struct timespec pause = { .tv_nsec = 5000000 };
	uint64_t end_ns = clock_now_ns() + LOCK_WAIT_NS;

	while (flock(fd, LOCK_EX | LOCK_NB) < 0) {
		if (errno != EWOULDBLOCK && errno != EINTR)
			return -errno;
		if (clock_now_ns() > end_ns)
			return -EBUSY;
		if (is_interrupted())
			return -EINTR;
		nanosleep(&pause, NULL);
	}
	return 0;
}

/* -ENOENT: there is no folder. The lock is let go when the descriptor is closed. */
static int folder_lock(int *ret_fd, char *ret_error)
{
	char path[LAB_PATH_MAX];
	int r;

	r = folder_path(path);
	if (r < 0)
		return lab_tell(ret_error, r,
				"HOPFAULT_RUN_DIR must be an absolute path, and short");
	for (;;) {
		_cleanup_(closep) int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

		if (fd < 0)
			return lab_tell(ret_error, -errno, "can't open %s: %s", path,
					strerror(errno));
		r = lock_wait(fd);
		if (r < 0)
			return lab_tell(ret_error, r, "%s",
					r == -EINTR ? "interrupted"
						    : "another command is at work on the lab");
		if (!is_still_there(fd, path))
			continue;
		*ret_fd = TAKE_FD(fd);
		return 0;
	}
}

/* ---- the plan ---- */

static struct hf_addr addr_of(bool is_ipv4, size_t number)
{
	/* 10.83.0.N and fd83::N */
	struct hf_addr ipv4 = { { [10] = 0xff, 0xff, 10, 83, 0, (uint8_t)number } };
	struct hf_addr ipv6 = { { 0xfd, 0x83, [15] = (uint8_t)number } };

	return is_ipv4 ? ipv4 : ipv6;
}

static bool state_has(const struct lab_state *state, const char *name)
{
	for (size_t i = 0; i < state->nodes; i++) {
		if (strcmp(state->node[i].name, name) == 0)
			return true;
	}
	return false;
}

static int plan_node(struct lab_state *state, const char *name, char *ret_error)
{
	struct lab_node *node = &state->node[state->nodes];

	if (!lab_name_is_valid(name))
		return lab_tell(
			ret_error, -EINVAL,
			"'%.32s' is not a lab name: 1 to %d characters of a-z 0-9 -, not %s", name,
			LAB_NAME_MAX, LAB_SWITCH);
	if (state_has(state, name))
		return lab_tell(ret_error, -EINVAL, "two of the lab are called '%s'", name);
	strcpy(node->name, name);
	state->nodes++;
	node->ipv4 = addr_of(true, state->nodes);
	node->ipv6 = addr_of(false, state->nodes);
	return 0;
}

static int plan_service(struct lab_state *state, const struct lab_options *options, size_t i,
			char *ret_error)
{
	char name[LAB_NAME_MAX + 1];

	if (options->name)
		return plan_node(state, options->name[i], ret_error);
	if (i < 26)
		snprintf(name, sizeof(name), "%c", (char)('a' + i));
	else
		snprintf(name, sizeof(name), "s%u", (unsigned int)i + 1);
	return plan_node(state, name, ret_error);
}

static int plan(const struct lab_options *options, struct lab_state *state, char *ret_error)
{
	size_t services = options->services ? options->services : SERVICES_DEFAULT;
	const char *prefix;
	int r;

	if (options->monolith)
		services = 1;
	if (services > LAB_SERVICES_MAX)
		return lab_tell(ret_error, -E2BIG, "a lab has at most %d services",
				LAB_SERVICES_MAX);
	r = lab_prefix(&prefix);
	if (r < 0)
		return lab_tell(ret_error, r,
				"HOPFAULT_LAB_PREFIX is 1 to %d characters of a-z 0-9 -",
				LAB_PREFIX_MAX);
	strcpy(state->prefix, prefix);
	state->port = LAB_PORT;
	state->made_names_dir = !lab_names_dir_is_there();
	r = plan_node(state, LAB_CLIENT, ret_error);
	for (size_t i = 0; i < services && r == 0; i++)
		r = plan_service(state, options, i, ret_error);
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

static int read_state(struct lab_state **ret_state, char *ret_error)
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

	r = read_state(&state, ret_error);
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
	r = folder_lock(&lock, ret_error);
	if (r < 0 && r != -ENOENT)
		return r;
	if (r == 0) {
		signals_hold(&before);
		r = down_locked(&result, ret_error);
		if (r == 0 || r == -EBUSY)
			folder_remove();
		signals_release(&before);
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

static int write_state(const struct lab_state *state, char *ret_error)
{
	int r;

	r = lab_state_write(state);
	if (r < 0)
		return lab_tell(ret_error, r, "can't write the lab's state: %s", strerror(-r));
	return is_interrupted() ? lab_tell(ret_error, -EINTR, "interrupted") : 0;
}

static int write_hosts(const struct lab_state *state, char *ret_error)
{
	int r;

	r = lab_hosts_write(state);
	if (r < 0)
		return lab_tell(ret_error, r, "can't write the lab's hosts file: %s", strerror(-r));
	return 0;
}

static int start_services(const struct lab_options *options, const char *program,
			  struct lab_state *state, const struct lab_spaces *spaces, char *ret_error)
{
	_cleanup_(closep) int go_fd = -1;
	int r;

	r = lab_services_make(options, program, state, spaces, &go_fd, ret_error);
	if (r == 0)
		r = write_state(state, ret_error);
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
	r = write_state(state, ret_error);
	if (r == 0)
		r = lab_spaces_make(state, &spaces, ret_error);
	if (r == 0)
		r = write_state(state, ret_error);
	if (r == 0)
		r = lab_names_make(state, &spaces, ret_error);
	if (r == 0)
		r = lab_links_make(state, &spaces, ret_error);
	if (r == 0)
		r = write_hosts(state, ret_error);
	if (r == 0)
		r = start_services(options, program, state, &spaces, ret_error);
	if (r < 0)
		return r;
	begin_ns = clock_now_ns();
	r = lab_ready_wait(state, spaces.node[0].netns.fd, options->ready_timeout_ns,
			   is_interrupted, ret_error);
	if (r < 0)
		return r;
	result->ready_ns = clock_now_ns() - begin_ns;
	state->is_finished = true;
	return write_state(state, ret_error);
}

/* What is up already: nothing, a lab (-EEXIST), or the rest of an up that died, which is taken away. */
static int make_room(const struct lab_options *options, char *ret_error)
{
	_cleanup_(freep) struct lab_state *state = NULL;
	int r;

	r = read_state(&state, ret_error);
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
		r = plan(options, state, ret_error);
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
		r = folder_make(ret_error);
		if (r == 0)
			r = folder_lock(ret_lock, ret_error);
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
	signals_hold(&before);
	r = open_folder(&lock, ret_error);
	if (r == 0)
		r = up_locked(options, &result, ret_error);
	if (r < 0 && lock >= 0 && r != -ETIMEDOUT && r != -ECHILD && r != -EEXIST)
		folder_remove();
	signals_release(&before);
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

	r = read_state(&state, ret_error);
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

	r = read_state(&state, ret_error);
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
