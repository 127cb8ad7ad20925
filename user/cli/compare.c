/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * compare.c - `hopfault compare hops.csv`: two traced runs side by side, as a table and as a picture.
 *
 * It only reads the file that `trace --csv` wrote: no owner, no root, no kernel. The file is read once to see which
 * runs there are, and once more for each run that is shown.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/log.h"
#include "base/suggest.h"
#include "cli/command.h"
#include "export/hoptable.h"
#include "export/runs.h"

#define SHOWN_MAX 2

struct compare_options {
	bool help;
	const char *svg;
};

static const struct option_row compare_rows[] = {
	COMMAND_HELP_ROW(struct compare_options),
	{ .name = "svg",
	  .value = "FILE",
	  .help = "draw the latency along the chain, both runs in it",
	  .kind = OPTION_TEXT,
	  OPTION_INTO(struct compare_options, svg) },
	{}
};

static int list_runs(const char *path, struct runs *ret_runs)
{
	char error[EXPORT_ERROR_MAX];

	if (runs_list(path, ret_runs, error) < 0) {
		log_err(0, "compare: %s", error);
		return EXIT_FAILED;
	}
	if (ret_runs->count == 0) {
		log_err(0, "compare: %s holds no calls", path);
		return EXIT_FAILED;
	}
	return EXIT_DONE;
}

/* ---- which of them are meant ---- */

static void print_names(const struct runs *runs, const char *path)
{
	char list[512];
	size_t used = 0;

	for (unsigned int i = 0; i < runs->count && used < sizeof(list); i++)
		used += (size_t)snprintf(list + used, sizeof(list) - used, " %s", runs->name[i]);
	log_err(0, "compare: the runs in %s are:%s", path, list);
}

static int choose_named(const struct runs *runs, const struct options_words *words,
			const char *shown[SHOWN_MAX])
{
	char near[256];

	for (unsigned int i = 1; i < words->count; i++) {
		const char *word = words->word[i];
		unsigned int found = runs_find(runs, word);

		if (found == runs->count) {
			log_err(0, "compare: '%s' (word %u) is no run of this file%s", word,
				words->position[i],
				suggest_phrase(near, sizeof(near), word,
					       (const char *const *)runs->name, runs->count));
			print_names(runs, words->word[0]);
			return EXIT_MISUSED;
		}
		shown[i - 1] = runs->name[found];
	}
	if (words->count == 3 && strcmp(words->word[1], words->word[2]) == 0) {
		log_err(0, "compare: '%s' (word %u) is named twice", words->word[2],
			words->position[2]);
		return EXIT_MISUSED;
	}
	return EXIT_DONE;
}

static int choose(const struct runs *runs, const struct options_words *words,
		  const char *shown[SHOWN_MAX])
{
	int status = choose_named(runs, words, shown);

	if (status != EXIT_DONE)
		return status;
	if (words->count == 1 && runs->count > SHOWN_MAX) {
		log_err(0, "compare: there are %u runs: name one or two of them", runs->count);
		print_names(runs, words->word[0]);
		return EXIT_MISUSED;
	}
	for (unsigned int i = 0; words->count == 1 && i < runs->count; i++)
		shown[i] = runs->name[i];
	for (int i = 0; i < SHOWN_MAX; i++) {
		if (!shown[i] || !runs->scattered[runs_find(runs, shown[i])])
			continue;
		log_err(0,
			"compare: the rows of %s do not stand together: two traces had this name",
			shown[i]);
		return EXIT_FAILED;
	}
	return EXIT_DONE;
}

static int read_runs(const char *path, const char *const shown[SHOWN_MAX],
		     struct summary summary[SHOWN_MAX], struct export *picture)
{
	char error[EXPORT_ERROR_MAX];

	for (int i = 0; i < SHOWN_MAX && shown[i]; i++) {
		if (runs_read(path, shown[i], &summary[i], picture, error) < 0) {
			log_err(0, "compare: %s", error);
			return EXIT_FAILED;
		}
	}
	return EXIT_DONE;
}

static int show(const char *path, const char *const shown[SHOWN_MAX], struct export *picture)
{
	struct summary summary[SHOWN_MAX] = {};
	const struct hoptable_run run[SHOWN_MAX] = {
		{ .summary = &summary[0], .lost_events = HOPTABLE_LOST_UNKNOWN },
		{ .summary = &summary[1], .lost_events = HOPTABLE_LOST_UNKNOWN },
	};
	int status = read_runs(path, shown, summary, picture);

	if (status == EXIT_DONE && hoptable_print(run, shown[1] ? 2 : 1, stdout) < 0) {
		log_err(0, "compare: the table can't be printed");
		status = EXIT_FAILED;
	}
	for (int i = 0; i < SHOWN_MAX; i++)
		summary_done(&summary[i]);
	return status;
}

static int show_and_draw(const char *path, const char *const shown[SHOWN_MAX], const char *svg)
{
	_cleanup_(export_freep) struct export *picture = NULL;
	char error[EXPORT_ERROR_MAX];
	int status, r;

	if (svg && export_open(&export_svg, svg, 0, &picture, error) < 0) {
		log_err(0, "compare: --svg %s", error);
		return EXIT_FAILED;
	}
	status = show(path, shown, picture);
	if (status != EXIT_DONE || !svg)
		return status;
	r = export_close(TAKE_PTR(picture));
	if (r < 0) {
		log_err(r, "compare: --svg %s: %s", svg, strerror(-r));
		return EXIT_FAILED;
	}
	if (strcmp(svg, "-") != 0)
		printf("wrote %s\n", svg);
	return EXIT_DONE;
}

static int run_compare(const struct command *command, int argc, char **argv)
{
	_cleanup_(options_words_done) struct options_words words = {};
	_cleanup_(runs_done) struct runs runs = {};
	const char *shown[SHOWN_MAX] = {};
	struct compare_options options = {};
	int status;

	status = command_parse(command, argc, argv, &options, &words);
	if (status != EXIT_DONE || options.help)
		return status;
	if (words.count < 1 || words.count > 1 + SHOWN_MAX || words.command) {
		log_err(0, "compare: say which file, and of its runs at most two");
		fprintf(stderr, "usage: hopfault %s %s\n", command->name, command->usage);
		return EXIT_MISUSED;
	}
	status = list_runs(words.word[0], &runs);
	if (status == EXIT_DONE)
		status = choose(&runs, &words, shown);
	return status == EXIT_DONE ? show_and_draw(words.word[0], shown, options.svg) : status;
}

const struct command command_compare = {
	.name = "compare",
	.usage = "FILE [BEFORE [AFTER]] [--svg FILE]",
	.summary = "two traced runs side by side: a table, and a picture",
	.details =
		"FILE is what `hopfault trace --csv` wrote; BEFORE and AFTER are the names that\n"
		"--run-id gave, and need not be said when the file holds no more than two. Root "
		"is\n"
		"not needed. Example:\n"
		"  hopfault trace --chain client,a,b --run-id baseline --csv hops.csv -- COMMAND\n"
		"  hopfault add a b delay 5ms\n"
		"  hopfault trace --chain client,a,b --run-id injected --csv hops.csv --append \\\n"
		"      -- COMMAND\n"
		"  hopfault compare hops.csv --svg cumulative.svg\n",
	.options = compare_rows,
	.run = run_compare,
};
