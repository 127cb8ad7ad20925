/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * trace_client.c - see trace_client.h.
 */
#include "cli/trace_client.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/log.h"
#include "cli/ask.h"
#include "cli/command.h"

/* ---- the request ---- */

static json_t *chain_names(const char *list)
{
	_cleanup_(freep) char *copy = strdup(list);
	json_t *names = json_array();
	char *at = NULL;

	for (char *word = copy ? strtok_r(copy, ",", &at) : NULL; word;
	     word = strtok_r(NULL, ",", &at))
		json_array_append_new(names, json_string(word));
	return names;
}

json_t *trace_client_request(const char *chain, const char *docker, const char *podman)
{
	json_t *request = ask_request("trace");

	ask_set_sockets(request, docker, podman);
	json_object_set_new(request, "chain", chain_names(chain));
	return request;
}

/* ---- begin ---- */

static int watch_signals(struct trace_client *client)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGCHLD);
	sigprocmask(SIG_BLOCK, &set, NULL);
	client->signal_fd = signalfd(-1, &set, SFD_CLOEXEC);
	return client->signal_fd < 0 ? log_err(-errno, "no signalfd: %s", strerror(errno)) : 0;
}

int trace_client_open(struct trace_client *client, char **command)
{
	if (watch_signals(client) < 0 || ask_connect(true, &client->fd) < 0)
		return EXIT_FAILED;
	client->reader.fd = client->fd;
	if (!command)
		return EXIT_DONE;
	return child_prepare(command, client->child_flags, &client->child) < 0 ? EXIT_FAILED
									       : EXIT_DONE;
}

int trace_client_begin(struct trace_client *client, json_t *request)
{
	return ask_send(client->fd, request, &client->reply);
}

void trace_client_go(struct trace_client *client)
{
	client->had_child = client->child.pid != 0;
	if (client->had_child)
		child_go(&client->child);
}

const char *trace_client_name(const struct trace_client *client, uint32_t id)
{
	char key[16];

	snprintf(key, sizeof(key), "%u", id);
	return json_string_value(json_object_get(json_object_get(client->reply, "names"), key));
}

/* ---- while it runs ---- */

static void note_failure(struct trace_client *client, int r)
{
	if (r < 0 && client->failure == 0)
		client->failure = r;
}

void trace_client_stop(struct trace_client *client)
{
	json_t *request;

	if (client->asked_to_stop)
		return;
	client->asked_to_stop = true;
	request = ask_request("trace-stop");
	wire_send_json(client->fd, WIRE_REQUEST, request);
	json_decref(request);
}

static void take_chain(struct trace_client *client, const char *payload, size_t length)
{
	const struct chain chain = {
		.calls = (unsigned int)(length / sizeof(struct call)),
		.call = (const struct call *)payload,
	};

	if (length == 0 || length % sizeof(struct call))
		note_failure(client, -EBADMSG);
	else
		client->on_chain(client->ctx, &chain);
}

/* False: the trace has ended. */
static bool take_frame(struct trace_client *client, enum wire_kind kind, const char *payload,
		       size_t length)
{
	_cleanup_(json_decrefp) json_t *value = NULL;

	if (kind == WIRE_CALLS) {
		take_chain(client, payload, length);
		return true;
	}
	value = json_loadb(payload, length, 0, NULL);
	if (kind == WIRE_PROGRESS && client->on_progress)
		client->on_progress(client->ctx, value);
	if (kind == WIRE_END)
		client->report = json_incref(value);
	return kind != WIRE_END;
}

/* All that has come. False: the trace has ended. */
static bool take_frames(struct trace_client *client)
{
	enum wire_kind kind;
	const char *payload;
	size_t length;
	int r = wire_reader_fill(&client->reader);

	while (r >= 0) {
		r = wire_reader_next(&client->reader, &kind, &payload, &length);
		if (r == 0)
			return true;
		if (r > 0 && !take_frame(client, kind, payload, length))
			return false;
	}
	note_failure(client, r);
	return false;
}

/* The command has ended, or the user has had enough. */
static void take_signal(struct trace_client *client)
{
	struct signalfd_siginfo info;

	if (read(client->signal_fd, &info, sizeof(info)) != sizeof(info))
		return;
	if (info.ssi_signo != SIGCHLD) {
		client->is_interrupted = true;
		trace_client_stop(client);
	} else if (client->child.pid && child_has_ended(&client->child, &client->child_status)) {
		trace_client_stop(client);
	}
}

bool trace_client_step(struct trace_client *client, int timeout_ms)
{
	struct pollfd ready[2] = {
		{ .fd = client->fd, .events = POLLIN },
		{ .fd = client->signal_fd, .events = POLLIN },
	};

	if (poll(ready, 2, timeout_ms) < 0) {
		if (errno != EINTR)
			note_failure(client, -errno);
		return errno == EINTR;
	}
	if (ready[1].revents)
		take_signal(client);
	return !ready[0].revents || take_frames(client);
}

void trace_client_done(struct trace_client *client)
{
	child_cancel(&client->child);
	wire_reader_done(&client->reader);
	json_decref(client->reply);
	json_decref(client->report);
	closep(&client->fd);
	closep(&client->signal_fd);
}
