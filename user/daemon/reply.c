/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * reply.c - see reply.h.
 */
#include "daemon/reply.h"

#include <errno.h>
#include <string.h>

#include "base/text.h"

#define ERROR_TEXT_MAX 4096

void reply_ok(struct client *client, json_t *reply)
{
	json_object_set_new(reply, "ok", json_true());
	client_send_json(client, WIRE_REPLY, reply);
	client_end(client);
}

/* JSON takes UTF-8 alone, and a sentence may quote names that are none, or were cut in the middle of a character. */
void reply_error(struct client *client, bool misused, const char *text)
{
	char harmless[ERROR_TEXT_MAX];

	text_escape_terminal(harmless, sizeof(harmless), text);
	client_send_json(
		client, WIRE_REPLY,
		json_pack("{s:b,s:b,s:s}", "ok", 0, "misused", (int)misused, "error", harmless));
	client_end(client);
}

static bool is_misuse(int r)
{
	return r == -EINVAL || r == -ENOENT || r == -ENOTUNIQ || r == -EMEDIUMTYPE || r == -ESRCH;
}

void reply_failure(struct client *client, int r, const char *text)
{
	reply_error(client, is_misuse(r), text[0] ? text : strerror(-r));
}
