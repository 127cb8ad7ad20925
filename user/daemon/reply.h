/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * reply.h - the last word to a client: yes with what it asked for, or no with a sentence. Both end the connection.
 */
#ifndef HF_DAEMON_REPLY_H
#define HF_DAEMON_REPLY_H

#include <jansson.h>
#include <stdbool.h>

#include "daemon/client.h"

/* The reference to reply is taken. */
void reply_ok(struct client *client, json_t *reply);
/* misused: the user's words were wrong, not the machine. The text may hold any bytes. */
void reply_error(struct client *client, bool misused, const char *text);
/* The same for -errno; an empty text is replaced by the errno's own. */
void reply_failure(struct client *client, int r, const char *text);

#endif
