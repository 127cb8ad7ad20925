/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * lab_ready.c - does a service listen? Asked from the client's place, by a connection: so it also says that the bridge
 * forwards and that addresses are in use.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "lab/lab_parts.h"

#define LINE_SIZE	 200
#define TRY_MS		 200
#define PAUSE_NS	 2000000
#define READY_DEFAULT_NS 10000000000ULL

/* 0: connected; -ECONNREFUSED, -ETIMEDOUT ... */
static int finish_connect(int fd)
{
	struct pollfd poll_fd = { .fd = fd, .events = POLLOUT };
	socklen_t size = sizeof(int);
	int error = 0, n;

	do {
		n = poll(&poll_fd, 1, TRY_MS);
	} while (n < 0 && errno == EINTR);
	if (n < 1)
		return -ETIMEDOUT;
	if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size) < 0)
		return -errno;
	return -error;
}

/* The calling thread must be in the client's namespace. */
static int try_here(const struct lab_node *node, uint16_t port)
{
	_cleanup_(closep) int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	struct sockaddr_in addr = { .sin_family = AF_INET, .sin_port = htons(port) };

	if (fd < 0)
		return -errno;
	memcpy(&addr.sin_addr, node->ipv4.byte + 12, 4);
	if (connect(fd, (const struct sockaddr *)&addr, sizeof(addr)) == 0)
		return 0;
	return errno == EINPROGRESS ? finish_connect(fd) : -errno;
}

static int try_from(int client_netns_fd, const struct lab_node *node, uint16_t port)
{
	int previous = -1, r;

	r = netns_enter(client_netns_fd, &previous);
	if (r < 0)
		return r;
	r = try_here(node, port);
	if (netns_leave(&previous) < 0)
		abort(); /* in the wrong namespace, every next step would harm someone */
	return r;
}

bool lab_is_listening(const struct lab_state *state, const struct lab_node *node,
		      int client_netns_fd)
{
	return try_from(client_netns_fd, node, state->port) == 0;
}

/* The first line that the service wrote: what it has against its options, for example. "" when there is none. */
static void first_line_of(const char *path, char ret_line[LINE_SIZE])
{
	_cleanup_(fclosep) FILE *file = fopen(path, "re");

	ret_line[0] = '\0';
	if (!file || !fgets(ret_line, LINE_SIZE, file))
		ret_line[0] = '\0';
	ret_line[strcspn(ret_line, "\n")] = '\0';
}

static int tell_not_ready(const struct lab_node *node, int r, char *ret_error)
{
	char log_name[LAB_NAME_MAX + 8], path[LAB_PATH_MAX] = "", line[LINE_SIZE];

	snprintf(log_name, sizeof(log_name), "%s.log", node->name);
	lab_path(log_name, path);
	if (r == -EINTR)
		return lab_tell(ret_error, r, "interrupted");
	if (r != -ECHILD)
		return lab_tell(ret_error, r, "service %s does not listen in time; its log is %s",
				node->name, path);
	first_line_of(path, line);
	return lab_tell(ret_error, r, "service %s ended at once: %s (its log is %s)", node->name,
			line, path);
}

static int wait_for(const struct lab_state *state, const struct lab_node *node, int client_netns_fd,
		    uint64_t end_ns, bool (*is_interrupted)(void))
{
	const struct timespec pause = { .tv_nsec = PAUSE_NS };

	while (!lab_is_listening(state, node, client_netns_fd)) {
		if (is_interrupted())
			return -EINTR;
		if (!lab_process_is_alive(node->pid, node->start_time))
			return -ECHILD;
		if (clock_now_ns() > end_ns)
			return -ETIMEDOUT;
		nanosleep(&pause, NULL);
	}
	return 0;
}

int lab_ready_wait(const struct lab_state *state, int client_netns_fd, uint64_t timeout_ns,
		   bool (*is_interrupted)(void), char *ret_error)
{
	uint64_t end_ns = clock_now_ns() + (timeout_ns ? timeout_ns : READY_DEFAULT_NS);
	int r;

	for (size_t i = 1; i < state->nodes; i++) {
		r = wait_for(state, &state->node[i], client_netns_fd, end_ns, is_interrupted);
		if (r < 0)
			return tell_not_ready(&state->node[i], r, ret_error);
	}
	return 0;
}

int lab_ready_wait_one(const struct lab_state *state, const struct lab_node *node,
		       int client_netns_fd, uint64_t timeout_ns, bool (*is_interrupted)(void),
		       char *ret_error)
{
	uint64_t end_ns = clock_now_ns() + (timeout_ns ? timeout_ns : READY_DEFAULT_NS);
	int r = wait_for(state, node, client_netns_fd, end_ns, is_interrupted);

	return r < 0 ? tell_not_ready(node, r, ret_error) : 0;
}
