/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * lab.h - a little data centre in network namespaces, for trying things out: a client and services that call
 * each other in a chain, on one bridge that the host's own network never sees.
 *
 *     hf-client   hf-a   hf-b ... hf-e      namespaces; inside each eth0
 *        |         |      |        |
 *     veth-client veth-a veth-b  veth-e     hf-lab: br0, 10.83.0.0/24, fd83::/64
 *
 * All or nothing: what lab_up() could not finish, it takes back; what a killed one left, lab_down() takes away. Nothing
 * is touched that is not written down as the lab's own, by inode or by process id with start time.
 */
#ifndef HF_LAB_LAB_H
#define HF_LAB_LAB_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "endpoint/lab_state.h"

#define LAB_SERVICES_MAX 32
#define LAB_PORT	 8080
#define LAB_ERROR_MAX	 512

struct lab_setting { /* of one service, by name */
	const char *name; /* of a service, which means all its replicas, or of one replica */
	uint32_t replicas; /* 0: as it is */
	const char *
		words; /* more options for its command, blanks between; they win over the lab's; NULL: none */
};

struct lab_options {
	size_t services; /* 0: 5 */
	const char *const *name; /* of the services, in the order of the chain; NULL: a, b, c ... */
	const char *const *service_arg; /* passed to every service, NULL-terminated; NULL: none */
	const struct lab_setting *setting; /* may name one service more than once */
	size_t settings;
	uint32_t
		monolith; /* N: one service that does N services' work itself, with --monolith N; 0: no */
	const char *
		program; /* the service's binary; NULL: hopchain beside this program, else in PATH */
	/*
	 * How long the first service waits for the next one; each further one waits an equal step less, so that
	 * it can still tell those before it which hop failed (5 services, 1 s: 1 s, 800, 600, 400 ms). 0: each
	 * waits as long as the program does when it is not told.
	 */
	uint64_t timeout_ns;
	bool replace; /* take down what is up first */
	uint64_t ready_timeout_ns; /* until every service must answer; 0: 10 s */
};

struct lab_result {
	uint64_t took_ns; /* of the whole call */
	uint64_t ready_ns; /* lab_up: of it, waiting until the services listened */
	size_t nodes; /* client included; lab_down: what was taken away */
};

/*
 * Replicas of a service `a` are called a1, a2 ...; whoever calls it spreads its connections over them.
 *
 * Each returns 0 or -errno, with a sentence for the user in ret_error (LAB_ERROR_MAX bytes, may be NULL).
 *
 *   -EEXIST	it is up already (use replace)
 *   -EBUSY	something foreign has a name that the lab needs; it stays as it is
 *   -ENOENT	lab_status, lab_enter_client: there is no lab; lab_up: no service binary
 *   -ETIMEDOUT	a service did not listen in time (its log is kept, and named in ret_error)
 *   -EINTR	lab_up was interrupted; nothing is left
 */
int lab_up(const struct lab_options *options, struct lab_result *ret_result, char *ret_error);
/* 0 also when there was nothing to take away (nodes is 0). */
int lab_down(struct lab_result *ret_result, char *ret_error);

/*
 * Ends a service in the middle of what it does (SIGKILL), and starts it again with the options that it had. The first
 * waits until it has ended, the second until it listens. -ENOENT: no such service; -EALREADY: it has ended, or is alive,
 * already.
 */
int lab_kill(const char *name, char *ret_error);
int lab_start(const char *name, const struct lab_options *options, struct lab_result *ret_result,
	      char *ret_error); /* of the options: program, ready_timeout_ns */

struct lab_node_status {
	char name[LAB_NAME_MAX + 1];
	bool is_client;
	bool netns_is_there;
	bool is_alive; /* the process that is written down; false for the client */
	bool is_listening; /* its port accepts connections */
	pid_t pid;
	unsigned int tier; /* replicas share one; 0: the client, 1: who is called by it */
	struct hf_addr ipv4;
	struct hf_addr ipv6;
	char netns[NETNS_NAME_MAX + 1];
	char veth[16];
};

struct lab_status {
	bool is_whole; /* up was finished, and everything is still there */
	size_t nodes;
	struct lab_node_status *node; /* owned */
};

int lab_status(struct lab_status *ret_status, char *ret_error);
void lab_status_free(struct lab_status *status); /* for _cleanup_ */

/* Moves the calling thread into the client's network namespace, for good. */
int lab_enter_client(char *ret_error);

#endif
