/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * ask.c - see ask.h.
 */
#include "cli/ask.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/log.h"
#include "cli/command.h"
#include "endpoint/sockets.h"

#define OWNER_WAIT_NS 10000000000ULL
#define OWNER_LOOK_US 20000

json_t *ask_request(const char *command)
{
	const char *engine = getenv("HOPFAULT_DELAY_ENGINE");
	char build[WIRE_BUILD_MAX];
	json_t *request;

	wire_build(build);
	request = json_pack("{s:s,s:s}", "build", build, "command", command);
	if (request && engine && engine[0])
		json_object_set_new(request, "delay_engine", json_string(engine));
	return request;
}

void ask_set_sockets(json_t *request, const char *docker, const char *podman)
{
	struct endpoint_sockets sockets;

	endpoint_sockets_choose(docker, podman, &sockets);
	if (sockets.docker[0])
		json_object_set_new(request, "docker_socket", json_string(sockets.docker));
	if (sockets.podman[0])
		json_object_set_new(request, "podman_socket", json_string(sockets.podman));
}

/* In the child: a session of its own, so that a terminal's signals are not the owner's. */
static void become_owner(int ready_fd)
{
	char number[16];

	setsid();
	if (fork() != 0)
		_exit(0);
	snprintf(number, sizeof(number), "%d", ready_fd);
	execl("/proc/self/exe", "hopfault", "daemon", "--ready-fd", number, (char *)NULL);
	dprintf(ready_fd, "failed\n");
	_exit(1);
}

static int start_owner(void)
{
	char answer[16] = "";
	int ready[2], status;
	ssize_t n;
	pid_t child;

	if (pipe(ready) < 0)
		return -errno;
	child = fork();
	if (child == 0) {
		close(ready[0]);
		become_owner(ready[1]);
	}
	close(ready[1]);
	if (child > 0)
		waitpid(child, &status, 0);
	do {
		n = read(ready[0], answer, sizeof(answer) - 1);
	} while (n < 0 && errno == EINTR);
	close(ready[0]);
	if (strncmp(answer, "busy", 4) == 0)
		return -EALREADY;
	return strncmp(answer, "ready", 5) == 0 ? 0 : -EIO; /* else it has said why */
}

static bool nobody_is_there(int r)
{
	return r == -ENOENT || r == -ECONNREFUSED;
}

/* Another owner has the lock and does not listen: it is on its way up, or down. Then there is soon one, or room for one. */
int ask_connect(bool start, int *ret_fd)
{
	uint64_t give_up_ns = clock_now_ns() + OWNER_WAIT_NS;
	int r;

	for (;;) {
		r = wire_connect(ret_fd);
		if (!nobody_is_there(r))
			break;
		if (!start)
			return -ENOENT;
		r = start_owner();
		if (r == -EALREADY && clock_now_ns() < give_up_ns)
			usleep(OWNER_LOOK_US);
		else if (r == -EALREADY)
			break;
		else if (r < 0)
			return r;
	}
	return r < 0 ? log_err(r, "cannot reach the owner: %s", strerror(-r)) : 0;
}

static int told(const json_t *reply)
{
	const char *error = json_string_value(json_object_get(reply, "error"));

	log_err(0, "%s", error ? error : "the owner's answer makes no sense");
	return json_is_true(json_object_get(reply, "misused")) ? EXIT_MISUSED : EXIT_FAILED;
}

int ask_send(int fd, json_t *request, json_t **ret_reply)
{
	_cleanup_(json_decrefp) json_t *asked = request, *reply = NULL;
	_cleanup_(freep) char *payload = NULL;
	enum wire_kind kind;
	size_t length;
	int r = asked ? wire_send_json(fd, WIRE_REQUEST, asked) : -ENOMEM;

	if (r >= 0)
		r = wire_receive(fd, &kind, &payload, &length);
	if (r < 0) {
		log_err(r, "the owner did not answer: %s", strerror(-r));
		return EXIT_FAILED;
	}
	reply = kind == WIRE_REPLY ? json_loadb(payload, length, 0, NULL) : NULL;
	if (!json_is_true(json_object_get(reply, "ok")))
		return told(reply);
	*ret_reply = TAKE_PTR(reply);
	return EXIT_DONE;
}

int ask(bool start, json_t *request, json_t **ret_reply)
{
	_cleanup_(closep) int fd = -1;

	if (ask_connect(start, &fd) < 0) {
		json_decref(request);
		return EXIT_FAILED;
	}
	return ask_send(fd, request, ret_reply);
}

int ask_print_json(const json_t *value)
{
	if (json_dumpf(value, stdout, JSON_INDENT(2)) < 0 || putchar('\n') < 0)
		return EXIT_FAILED;
	return EXIT_DONE;
}

void ask_note_done(json_t *reply)
{
	json_object_set_new(reply, "done_mono_ns", json_integer((json_int_t)clock_now_ns()));
}
