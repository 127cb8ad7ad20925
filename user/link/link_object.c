/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * link_object.c - see link_object.h.
 */
#include "link/link_object.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>

#include "base/cleanup.h"

struct link_object_ahead {
	const struct socket_bpf *socket;
	pthread_t thread;
	/* the thread's until it is joined */
	struct link_bpf *object;
	int result;
};

/* Every map of the new object but its own data is the one of the same name that is there already. */
static int share_maps(struct link_bpf *link, const struct socket_bpf *socket)
{
	struct bpf_map *map, *shared;
	int r;

	bpf_object__for_each_map(map, link->obj)
	{
		if (bpf_map__is_internal(map))
			continue;
		shared = bpf_object__find_map_by_name(socket->obj, bpf_map__name(map));
		if (!shared)
			return -ENOENT;
		r = bpf_map__reuse_fd(map, bpf_map__fd(shared));
		if (r < 0)
			return r;
	}
	return 0;
}

int link_object_load(const struct socket_bpf *socket, struct link_bpf **ret_object)
{
	struct link_bpf *object = link_bpf__open();
	int r;

	if (!object)
		return -errno;
	r = share_maps(object, socket);
	if (r >= 0)
		r = link_bpf__load(object);
	if (r < 0) {
		link_bpf__destroy(object);
		return r;
	}
	*ret_object = object;
	return 0;
}

static void *load(void *argument)
{
	struct link_object_ahead *ahead = argument;

	ahead->result = link_object_load(ahead->socket, &ahead->object);
	return NULL;
}

int link_object_ahead_start(const struct socket_bpf *socket, struct link_object_ahead **ret_ahead)
{
	struct link_object_ahead *ahead = calloc(1, sizeof(*ahead));
	int r;

	if (!ahead)
		return -ENOMEM;
	ahead->socket = socket;
	r = pthread_create(&ahead->thread, NULL, load, ahead);
	if (r != 0) {
		free(ahead);
		return -r;
	}
	*ret_ahead = ahead;
	return 0;
}

int link_object_ahead_take(struct link_object_ahead **ahead, struct link_bpf **ret_object)
{
	_cleanup_(freep) struct link_object_ahead *mine = *ahead;

	*ahead = NULL;
	pthread_join(mine->thread, NULL);
	if (mine->result < 0)
		return mine->result;
	*ret_object = mine->object;
	return 0;
}

void link_object_ahead_end(struct link_object_ahead **ahead)
{
	struct link_bpf *object;

	if (*ahead && link_object_ahead_take(ahead, &object) >= 0)
		link_bpf__destroy(object);
}
