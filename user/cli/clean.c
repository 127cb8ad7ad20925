/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * clean.c - `hopfault clean`: takes away what a killed owner left, and nothing else.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <time.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/log.h"
#include "cli/ask.h"
#include "cli/command.h"
#include "daemon/residue.h"

struct clean_options {
	bool help;
};

static const struct option_row clean_rows[] = { COMMAND_HELP_ROW(struct clean_options), {} };

#define DYING_MAX_NS 5000000000ULL
#define LOOK_NS	     20000000L

/* False: whoever has the socket ended before it answered. One that is stopped does not answer, and lives. */
static bool owner_answers(int fd)
{
	_cleanup_(json_decrefp) json_t *request = ask_request("status");
	_cleanup_(freep) char *reply = NULL;
	const struct timeval patience = { .tv_sec = 2 };
	enum wire_kind kind;
	size_t length;
	int r;

	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	r = wire_send_json(fd, WIRE_REQUEST, request);
	if (r >= 0)
		r = wire_receive(fd, &kind, &reply, &length);
	return r >= 0 || r == -EAGAIN;
}

/* A killed owner's socket can be connected to until the last of its threads has gone, which is waited for. */
static bool owner_is_alive(void)
{
	const struct timespec pause = { .tv_nsec = LOOK_NS };
	uint64_t begin_ns = clock_now_ns();

	while (clock_now_ns() - begin_ns < DYING_MAX_NS) {
		_cleanup_(closep) int fd = -1;

		if (wire_connect(&fd) < 0)
			return false;
		if (owner_answers(fd))
			return true;
		nanosleep(&pause, NULL);
	}
	return true;
}

static int run_clean(const struct command *command, int argc, char **argv)
{
	_cleanup_(options_words_done) struct options_words words = {};
	struct clean_options options = {};
	struct residue_result result = {};
	int status, r;

	status = command_parse(command, argc, argv, &options, &words);
	if (status != EXIT_DONE || options.help)
		return status;
	status = command_needs_root(command);
	if (status != EXIT_DONE)
		return status;
	if (owner_is_alive()) {
		log_err(0, "the owner is alive and cleans up after itself; `hopfault heal` ends "
			   "its faults, `hopfault daemon --stop` ends it");
		return EXIT_FAILED;
	}
	r = residue_clean(&result);
	if (r < 0) {
		log_err(r, "cannot clean: %s", strerror(-r));
		return EXIT_FAILED;
	}
	if (result.knob)
		puts("set /sys/kernel/rcu_expedited back to 0");
	if (result.filters + result.clsacts + result.fqs > 0)
		printf("took away: %u filters, %u clsact, %u fq\n", result.filters, result.clsacts,
		       result.fqs);
	else if (!result.knob)
		puts("nothing of ours was left");
	return EXIT_DONE;
}

const struct command command_clean = {
	.name = "clean",
	.usage = "",
	.summary = "take away what a killed owner left, and nothing else",
	.options = clean_rows,
	.run = run_clean,
};
