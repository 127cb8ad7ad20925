/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * command.c - see command.h.
 */
#include "cli/command.h"

#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "endpoint/sockets.h"

const struct command *const commands[] = {
	&command_check,	  &command_ps,	   &command_add,    &command_partition,
	&command_heal,	  &command_status, &command_trace,  &command_audit,
	&command_compare, &command_plot,   &command_report, &command_availability,
	&command_lab,	  &command_clean,  &command_daemon, NULL,
};

void command_print_help(const struct command *command, FILE *out)
{
	fprintf(out, "usage: hopfault %s %s\n\n", command->name, command->usage);
	options_print_wrapped(command->summary, 0, out);
	if (command->details) {
		fputc('\n', out);
		fputs(command->details, out);
	}
	if (command->print_more)
		command->print_more(out);
	fputs("\nOptions:\n", out);
	options_print_help(command->options, out);
}

int command_parse(const struct command *command, int argc, char **argv, void *values,
		  struct options_words *ret_words)
{
	char error[OPTIONS_ERROR_MAX];

	if (options_parse(command->options, 0, argc, argv, values, ret_words, error) < 0) {
		log_err(0, "%s", error);
		fprintf(stderr, "usage: hopfault %s %s\n", command->name, command->usage);
		return EXIT_MISUSED;
	}
	if (*(const bool *)values) /* its first member: help */
		command_print_help(command, stdout);
	return EXIT_DONE;
}

static int check_socket(const char *option, const char *address)
{
	const char *reason;

	if (!address || endpoint_socket_is_valid(address, &reason))
		return EXIT_DONE;
	log_err(0, "%s: '%s': %s", option, address, reason);
	return EXIT_MISUSED;
}

int command_check_sockets(const struct command_sockets *sockets)
{
	int status = check_socket("--docker-socket", sockets->docker);

	return status == EXIT_DONE ? check_socket("--podman-socket", sockets->podman) : status;
}

int command_needs_root(const struct command *command)
{
	if (geteuid() == 0)
		return EXIT_DONE;
	log_err(0, "%s needs root: it loads BPF programs and changes devices. Nothing was done.",
		command->name);
	return EXIT_FAILED;
}
