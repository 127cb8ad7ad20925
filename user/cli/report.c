/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * report.c - `hopfault report DIR`: a folder of CSV files as one page. No owner, no root, no kernel.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/log.h"
#include "cli/command.h"
#include "report/page.h"

struct report_options {
	bool help;
	const char *html;
};

static const struct option_row report_rows[] = {
	COMMAND_HELP_ROW(struct report_options),
	{ .name = "html",
	  .value = "FILE",
	  .help = "where to (DIR/report.html); - is standard output",
	  .kind = OPTION_TEXT,
	  OPTION_INTO(struct report_options, html) },
	{}
};

static int write_file(const char *path, const char *page, size_t len)
{
	_cleanup_(fclosep) FILE *file = NULL;
	FILE *out = stdout;

	if (strcmp(path, "-")) {
		out = file = fopen(path, "we");
		if (!file)
			return -errno;
	}
	if (fwrite(page, 1, len, out) != len || fflush(out) == EOF)
		return errno ? -errno : -EIO;
	return 0;
}

/* It is made whole in memory first: a page that fails leaves the old one as it was. */
static int make_page(const struct folder *folder, const char *path)
{
	_cleanup_(freep) char *page = NULL;
	char error[PAGE_ERROR_MAX] = "no memory";
	size_t len;
	FILE *out = open_memstream(&page, &len);
	int r = out ? page_write(folder, out, error) : -ENOMEM;

	if (out && fclose(out) == EOF)
		r = r < 0 ? r : -ENOMEM;
	if (r < 0) {
		log_err(r, "report: %s", error);
		return EXIT_FAILED;
	}
	r = write_file(path, page, len);
	if (r < 0) {
		log_err(r, "report: %s: %s", path, strerror(-r));
		return EXIT_FAILED;
	}
	if (strcmp(path, "-"))
		printf("wrote %s\n", path);
	return EXIT_DONE;
}

static int run_report(const struct command *command, int argc, char **argv)
{
	_cleanup_(options_words_done) struct options_words words = {};
	_cleanup_(folder_done) struct folder folder = {};
	struct report_options options = {};
	char path[FOLDER_PATH_MAX];
	int status, r;

	status = command_parse(command, argc, argv, &options, &words);
	if (status != EXIT_DONE || options.help)
		return status;
	if (words.count != 1 || words.command) {
		log_err(0, "report: say which folder");
		fprintf(stderr, "usage: hopfault %s %s\n", command->name, command->usage);
		return EXIT_MISUSED;
	}
	r = folder_open(words.word[0], &folder);
	if (r < 0) {
		log_err(r, "report: %s: %s", words.word[0], strerror(-r));
		return EXIT_FAILED;
	}
	folder_path_of(&folder, "report.html", path);
	return make_page(&folder, options.html ? options.html : path);
}

const struct command command_report = {
	.name = "report",
	.usage = "DIR [--html FILE]",
	.summary = "a folder's CSV files as one page that needs nothing but itself",
	.details =
		"With DIR/report.md: its text and tables, its pictures (![title](file.svg)), and "
		"then\n"
		"the CSV files. Without: what `trace --csv` and `lab load --csv` wrote is shown "
		"by hop,\n"
		"by answer and over time, and every picture of DIR. No script is in it, nothing "
		"is\n"
		"fetched by it. Root is not needed.\n",
	.options = report_rows,
	.run = run_report,
};
