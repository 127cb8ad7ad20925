/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * daemon.c - `hopfault daemon`: the owner, in the foreground. Other commands start it by themselves.
 */
#include "daemon/daemon.h"

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/log.h"
#include "cli/ask.h"
#include "cli/command.h"
#include "link/probe.h"

struct daemon_words {
	bool help;
	bool stop;
	uint64_t idle_ns;
	uint64_t ready_fd;
};

#define NO_FD UINT64_MAX

static const struct option_row daemon_rows[] = {
	COMMAND_HELP_ROW(struct daemon_words),
	{ .name = "idle",
	  .value = "TIME",
	  .help = "end after so long without a fault, a trace or a client (1m unless said)",
	  .kind = OPTION_TIME,
	  OPTION_INTO(struct daemon_words, idle_ns) },
	{ .name = "ready-fd",
	  .value = "FD",
	  .help = "write a line there when it is ready",
	  .kind = OPTION_COUNT,
	  .max = 1023,
	  OPTION_INTO(struct daemon_words, ready_fd) },
	{ .name = "stop",
	  .help = "end the owner that runs: all is healed and taken away",
	  .kind = OPTION_FLAG,
	  OPTION_INTO(struct daemon_words, stop) },
	{}
};

#define END_MS 10000

/* The owner answers, then takes everything down; it is gone when its process is. */
static int stop_owner(void)
{
	_cleanup_(json_decrefp) json_t *reply = NULL;
	_cleanup_(closep) int fd = -1;
	_cleanup_(closep) int pidfd = -1;
	struct pollfd end = { .events = POLLIN };
	int status;

	if (ask_connect(false, &fd) < 0) {
		puts("no owner is running");
		return EXIT_DONE;
	}
	status = ask_send(fd, ask_request("stop"), &reply);
	if (status != EXIT_DONE)
		return status;
	pidfd = (int)syscall(SYS_pidfd_open,
			     (pid_t)json_integer_value(json_object_get(reply, "pid")), 0);
	closep(&fd);
	fd = -1;
	end.fd = pidfd;
	if (pidfd >= 0 && poll(&end, 1, END_MS) == 0) {
		log_err(0, "the owner has not ended after %d s", END_MS / 1000);
		return EXIT_FAILED;
	}
	puts("the owner has ended: all faults are healed, its programs and devices are gone");
	return EXIT_DONE;
}

static enum hf_engine wanted_engine(void)
{
	const char *word = getenv("HOPFAULT_DELAY_ENGINE");

	if (word && strcmp(word, hf_engine_name(HF_ENGINE_FQ)) == 0)
		return HF_ENGINE_FQ;
	if (word && strcmp(word, hf_engine_name(HF_ENGINE_HOLD)) == 0)
		return HF_ENGINE_HOLD;
	return HF_ENGINE_NONE;
}

static int run_daemon(const struct command *command, int argc, char **argv)
{
	_cleanup_(options_words_done) struct options_words words = {};
	struct daemon_words options = { .idle_ns = DAEMON_IDLE_NS, .ready_fd = NO_FD };
	int status, r;

	status = command_parse(command, argc, argv, &options, &words);
	if (status != EXIT_DONE || options.help)
		return status;
	status = command_needs_root(command);
	if (status != EXIT_DONE)
		return status;
	if (options.stop)
		return stop_owner();
	r = daemon_run(&(struct daemon_options){
		.idle_ns = options.idle_ns,
		.engine = wanted_engine(),
		.ready_fd = options.ready_fd == NO_FD ? -1 : (int)options.ready_fd,
	});
	return r < 0 ? EXIT_FAILED : EXIT_DONE;
}

const struct command command_daemon = {
	.name = "daemon",
	.usage = "[--idle TIME | --stop]",
	.summary = "the owner of all faults, in the foreground; other commands start it themselves",
	.options = daemon_rows,
	.run = run_daemon,
};
