/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * clean.c - `hopfault clean`: takes away what a killed owner left, and nothing else.
 */
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/log.h"
#include "cli/ask.h"
#include "cli/command.h"
#include "daemon/residue.h"

struct clean_options {
	bool help;
};

static const struct option_row clean_rows[] = { COMMAND_HELP_ROW(struct clean_options), {} };

static int run_clean(const struct command *command, int argc, char **argv)
{
	_cleanup_(options_words_done) struct options_words words = {};
	_cleanup_(closep) int fd = -1;
	struct clean_options options = {};
	struct residue_result result = {};
	int status, r;

	status = command_parse(command, argc, argv, &options, &words);
	if (status != EXIT_DONE || options.help)
		return status;
	status = command_needs_root(command);
	if (status != EXIT_DONE)
		return status;
	if (wire_connect(&fd) == 0) {
		log_err(0, "the owner is alive and cleans up after itself; `hopfault heal` ends "
			   "its faults, `hopfault daemon --stop` ends it");
		return EXIT_FAILED;
	}
	r = residue_clean(&result);
	if (r < 0) {
		log_err(r, "cannot clean: %s", strerror(-r));
		return EXIT_FAILED;
	}
	if (result.filters + result.clsacts + result.fqs == 0)
		puts("nothing of ours was left");
	else
		printf("took away: %u filters, %u clsact, %u fq\n", result.filters, result.clsacts,
		       result.fqs);
	return EXIT_DONE;
}

const struct command command_clean = {
	.name = "clean",
	.usage = "",
	.summary = "take away what a killed owner left, and nothing else",
	.options = clean_rows,
	.run = run_clean,
};
