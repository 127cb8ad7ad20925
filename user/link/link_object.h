/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * link_object.h - load the link object on the maps of the socket object; one of them ahead of its use.
 *
 * The kernel needs tens of milliseconds to verify the programs, and nothing of that depends on where they will be
 * attached. So the first object is loaded while the owner gets ready and its first client thinks; who needs it sooner
 * waits for the rest of it.
 */
#ifndef HF_LINK_LINK_OBJECT_H
#define HF_LINK_LINK_OBJECT_H

#include "link.skel.h"
#include "socket.skel.h"

/* bss->netns_id is the caller's to fill in before it attaches. -errno from libbpf; -ENOENT: a map is not shared. */
int link_object_load(const struct socket_bpf *socket, struct link_bpf **ret_object);

struct link_object_ahead;

/* Begins to load one in a thread. The socket object must outlive it. 0, -ENOMEM or what pthread_create() says. */
int link_object_ahead_start(const struct socket_bpf *socket, struct link_object_ahead **ret_ahead);
/* Waits for it and hands it out; *ahead is NULL afterwards, whatever came of it. Errors: those of link_object_load(). */
int link_object_ahead_take(struct link_object_ahead **ahead, struct link_bpf **ret_object);
/* Nobody needs it any more. NULL in *ahead is fine. */
void link_object_ahead_end(struct link_object_ahead **ahead);

#endif
