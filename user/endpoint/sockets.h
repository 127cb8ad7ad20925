/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * sockets.h - where container engines are asked.
 *
 *     --docker-socket PATH  >  HOPFAULT_DOCKER_SOCKET  >  DOCKER_HOST  >  /var/run/docker.sock  >  a rootless engine's
 *
 * Chosen by the command, in its own environment, and sent with its request: what the owner was started with counts for
 * nothing. Who asks a socket believes what it answers about names. So it must belong to root or to who asks; or lie
 * where only its own user can have put it, in /run/user/UID.
 */
#ifndef HF_ENDPOINT_SOCKETS_H
#define HF_ENDPOINT_SOCKETS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "endpoint/endpoint.h"

#define ENDPOINT_SOCKET_MAX \
	255 /* characters of an address: a path, unix:// and a path, or what can't be used */

struct endpoint_sockets {
	/* "": where such an engine is by default; that there is none is then no trouble. */
	char docker[ENDPOINT_SOCKET_MAX + 1];
	char podman[ENDPOINT_SOCKET_MAX + 1];
	/*
	 * CLOCK_MONOTONIC, for a request of many words: no engine is waited for any longer, whatever each word could take
	 * alone. 0: there is no such time.
	 */
	uint64_t deadline_ns;
};

/* docker, podman: as on the command line; NULL: the environment decides. */
void endpoint_sockets_choose(const char *docker, const char *podman,
			     struct endpoint_sockets *ret_sockets);

/* /PATH or unix:///PATH, and not too long for a socket. Else *ret_reason is a constant sentence. */
bool endpoint_socket_is_valid(const char *address, const char **ret_reason);

/* The path in an address; NULL: it is none on this machine. */
const char *endpoint_socket_path(const char *address);

/* Where an engine of this kind is asked by them, also by default; NULL: it is no engine with a socket, or no path. */
const char *endpoint_sockets_path(const struct endpoint_sockets *sockets, enum endpoint_kind kind);

/*
 * Do both mean one engine of this kind, by whatever path? True of kinds without a socket; kind 0: of all engines. Two
 * engines may each have a container of the same name.
 */
bool endpoint_sockets_meet(const struct endpoint_sockets *a, const struct endpoint_sockets *b,
			   enum endpoint_kind kind);

/*
 * May it be asked? -ENOENT, -EACCES, -ENOTSOCK, or -EPERM: it is another user's, whose number is *ret_uid. A
 * relative path is -EINVAL.
 */
int endpoint_socket_check(const char *path, unsigned int *ret_uid);

#endif
