/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * ask.h - one request to the owner; when none runs, one is started.
 */
#ifndef HF_CLI_ASK_H
#define HF_CLI_ASK_H

#include <jansson.h>
#include <stdbool.h>

#include "daemon/wire.h"

/*
 * A request with its command and our build; the engine that the user wants goes in as well. NULL: no memory.
 */
json_t *ask_request(const char *command);

/* Into a request that names endpoints: where engines are asked, as it was said or as the environment has it. */
void ask_set_sockets(json_t *request, const char *docker, const char *podman);

/*
 * Connects to the owner, or starts one first (start) and connects then. -ENOENT: none runs and none was to be
 * started. Failures to start have been told.
 */
int ask_connect(bool start, int *ret_fd);

/*
 * Sends the request (the reference is taken) and waits for the reply. Returns an exit status: EXIT_DONE with a new
 * reference in ret_reply; else what was wrong has been told.
 */
int ask_send(int fd, json_t *request, json_t **ret_reply);

/* Both in one: connect, send, wait, close. */
int ask(bool start, json_t *request, json_t **ret_reply);

/* Prints JSON for --json: one object, indented, a newline behind. */
int ask_print_json(const json_t *value);

/*
 * For --json of what changes faults: "done_mono_ns", CLOCK_MONOTONIC now, when the change is in force. It
 * stands on the same clock as the times in CSV files.
 */
void ask_note_done(json_t *reply);

#endif
