/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * main.c - hopfault [OPTION...] COMMAND ...: finds the command and steps aside.
 */
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/log.h"
#include "base/suggest.h"
#include "cli/command.h"

struct main_options {
	bool help;
	bool version;
	bool debug;
	int engine; /* index in engine_words; -1: the best */
};

static const char *const engine_words[] = { "fq", "hold", NULL };

static const struct option_row main_rows[] = {
	COMMAND_HELP_ROW(struct main_options),
	{ .name = "version",
	  .letter = 'V',
	  .help = "print the version",
	  .kind = OPTION_FLAG,
	  OPTION_INTO(struct main_options, version) },
	{ .name = "delay-engine",
	  .value = "ENGINE",
	  .help = "what holds packets back: hold or fq (unless said: the one that `check` names)",
	  .kind = OPTION_CHOICE,
	  .choices = engine_words,
	  OPTION_INTO(struct main_options, engine) },
	{ .name = "debug",
	  .help = "say more on stderr",
	  .kind = OPTION_FLAG,
	  OPTION_INTO(struct main_options, debug) },
	{}
};

static int print_help(void)
{
	puts("hopfault breaks the network between running services, link by link, and shows\n"
	     "where every microsecond of every request went.\n\n"
	     "usage: hopfault [OPTION...] COMMAND ...\n\nCommands:");
	for (const struct command *const *command = commands; *command; command++)
		printf("  %-12s %s\n", (*command)->name, (*command)->summary);
	puts("  help         `hopfault help COMMAND` says more about one of them");
	puts("  version      print the version\n\nOptions:");
	options_print_help(main_rows, stdout);
	puts("\nExit status: 0 done, 1 failed, 2 misused.");
	return EXIT_DONE;
}

static int print_version(void)
{
	puts("hopfault " HOPFAULT_VERSION);
	return EXIT_DONE;
}

static const struct command *find_command(const char *name)
{
	const char *names[32];
	char near[256];
	size_t count = 0;

	for (const struct command *const *command = commands; *command; command++) {
		if (strcmp((*command)->name, name) == 0)
			return *command;
		names[count++] = (*command)->name;
	}
	log_err(0, "'%s' is no command%s", name,
		suggest_phrase(near, sizeof(near), name, names, count));
	return NULL;
}

static int help_for(int argc, char **argv)
{
	const struct command *command;

	if (argc < 2)
		return print_help();
	command = find_command(argv[1]);
	if (!command)
		return EXIT_MISUSED;
	command_print_help(command, stdout);
	return EXIT_DONE;
}

static int run_command(int argc, char **argv)
{
	const struct command *command;

	if (strcmp(argv[0], "help") == 0)
		return help_for(argc, argv);
	if (strcmp(argv[0], "version") == 0)
		return print_version();
	command = find_command(argv[0]);
	return command ? command->run(command, argc, argv) : EXIT_MISUSED;
}

int main(int argc, char **argv)
{
	_cleanup_(options_words_done) struct options_words words = {};
	struct main_options options = { .engine = -1 };
	char error[OPTIONS_ERROR_MAX];

	if (options_parse(main_rows, OPTIONS_STOP_AT_WORD, argc, argv, &options, &words, error) <
	    0) {
		log_err(0, "%s", error);
		return EXIT_MISUSED;
	}
	if (options.debug)
		log_set_level(LOG_LEVEL_DEBUG);
	if (options.engine >= 0)
		setenv("HOPFAULT_DELAY_ENGINE", engine_words[options.engine], 1);
	if (options.version)
		return print_version();
	if (options.help)
		return print_help();
	if (words.taken == argc) {
		log_err(0, "a command is missing; `hopfault help` lists them");
		return EXIT_MISUSED;
	}
	return run_command(argc - words.taken, argv + words.taken);
}
