/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * command.h - what a command is, and the exit statuses that all of them share.
 *
 * A command is one file of this folder: a table of options, a few sentences of help, a function. main.c lists
 * them; help is printed from the same tables.
 */
#ifndef HF_CLI_COMMAND_H
#define HF_CLI_COMMAND_H

#include <stdio.h>

#include "base/options.h"

enum { EXIT_DONE = 0, EXIT_FAILED = 1, EXIT_MISUSED = 2 };

struct command {
	const char *name;
	const char *usage; /* what follows the name: "SRC DST EFFECT... [MATCH]" */
	const char *summary; /* one line, begins small, no full stop */
	const char *details; /* paragraphs for its own help, or NULL */
	void (*print_more)(FILE *out); /* behind the details, what stands in a table; or NULL */
	const struct option_row *options;
	int (*run)(const struct command *command, int argc, char **argv);
};

extern const struct command command_add, command_audit, command_availability, command_check,
	command_clean, command_compare, command_daemon, command_heal, command_lab,
	command_partition, command_plot, command_ps, command_report, command_status, command_trace;

/* All of them, in the order of the help; NULL ends the list. */
extern const struct command *const commands[];

void command_print_help(const struct command *command, FILE *out);

/*
 * Options and words of a command. 0: go on. EXIT_MISUSED was said; help was printed with `--help` and *ret_help set.
 * values is the struct that the table's offsets lead into; it must begin with `bool help`.
 */
int command_parse(const struct command *command, int argc, char **argv, void *values,
		  struct options_words *ret_words);

/* For commands that name endpoints: where engines are asked, as it was said. */
struct command_sockets {
	const char *docker;
	const char *podman;
};

#define COMMAND_SOCKET_ROWS(type, field)                                                   \
	{ .name = "docker-socket",                                                         \
	  .value = "PATH",                                                                 \
	  .help = "ask Docker here (unless said: DOCKER_HOST, else /var/run/docker.sock, " \
		  "else a rootless one)",                                                  \
	  .kind = OPTION_TEXT,                                                             \
	  OPTION_INTO(type, field.docker) },                                               \
	{                                                                                  \
		.name = "podman-socket", .value = "PATH", .help = "ask Podman here",       \
		.kind = OPTION_TEXT, OPTION_INTO(type, field.podman)                       \
	}

/* Is each a path that a socket can have? EXIT_DONE, or EXIT_MISUSED and it was said. */
int command_check_sockets(const struct command_sockets *sockets);

/* Says that this needs root, before anything is done. EXIT_DONE or EXIT_FAILED. */
int command_needs_root(const struct command *command);

#define COMMAND_HELP_ROW(type)                                                      \
	{                                                                           \
		.name = "help", .letter = 'h', .help = "print this and do nothing", \
		.kind = OPTION_FLAG, OPTION_INTO(type, help)                        \
	}

#endif
