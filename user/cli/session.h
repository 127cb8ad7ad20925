/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * session.h - over which SSH connection is this command typed?
 *
 *     sshd's listener - sshd [the connection] - sshd of the user - shell - sudo - hopfault
 *
 * The nearest sshd among our ancestors has it, whatever sudo made of the environment; SSH_CONNECTION is believed where
 * none is found (in tmux, say). Its other end may be an ssh or sshd on this machine, in a container that one hops
 * through: then the connection to that one is named as well, and so on, SESSIONS_MAX in all.
 */
#ifndef HF_CLI_SESSION_H
#define HF_CLI_SESSION_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "abi.h"
#include "link/netns.h"

#define SESSIONS_MAX 4

struct session {
	struct hf_addr local, remote;
	uint16_t local_port, remote_port;
	struct netns_id netns; /* of the socket at our side */
};

/* What SSH_CONNECTION says: "CLIENT PORT SERVER PORT". netns is left as it is. */
bool session_from_environment(const char *text, struct session *ret_session);

/* The connection of the nearest sshd among a process and its ancestors. */
bool session_of_process(pid_t pid, struct session *ret_session);

/* How many; the first is our own, each later one carries the one before it. */
size_t sessions_find(struct session ret_session[SESSIONS_MAX]);

/* Into a request for a fault: "sessions", if there are any. */
void sessions_add(json_t *request);

#endif
