/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * netlink_talk.h - for the files in link/ that build their own requests: one request, its answer.
 */
#ifndef HF_LINK_NETLINK_TALK_H
#define HF_LINK_NETLINK_TALK_H

#include <libmnl/libmnl.h>
#include <stdint.h>

#include "link/netlink.h"

#define NETLINK_REQUEST_SIZE 1024 /* bytes; every request here is a fraction of it */

/* Called for each message of the answer; below 0 ends the conversation with that error. */
typedef int (*netlink_answer_fn)(const struct nlmsghdr *message, void *user);

/* Begins a request in `buffer` (of NETLINK_REQUEST_SIZE, zeroed here). */
struct nlmsghdr *netlink_begin(void *buffer, uint16_t type, uint16_t flags);

/*
 * Sends it and reads the answer to its end. With NLM_F_DUMP: -EINTR when the list changed while it was
 * read (ask again). take may be NULL.
 */
int netlink_talk(struct netlink *nl, struct nlmsghdr *request, netlink_answer_fn take, void *user);

/* A string attribute, cut to size; `text` is untouched when the attribute is no string. */
void netlink_copy_text(const struct nlattr *attr, char *text, size_t size);

#endif
