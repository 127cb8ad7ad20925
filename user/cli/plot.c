/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * plot.c - `hopfault plot KIND FILE.csv`: a picture of a CSV file's columns. No owner, no root, no kernel.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/log.h"
#include "base/suggest.h"
#include "base/units.h"
#include "cli/command.h"
#include "report/chart.h"

struct plot_words {
	bool help;
	struct chart_wish wish;
	const char *svg;
};

/* ---- words that are lists ---- */

static int take_columns(const char *text, struct chart_columns *columns, char separator,
			const char **ret_reason)
{
	char *list = strdup(text); /* lives as long as the process */

	if (!list)
		return -ENOMEM;
	for (char *name = list; name; columns->count++) {
		char *end = strchr(name, separator);

		if (end)
			*end++ = '\0';
		if (!*name) {
			*ret_reason = "an empty column name in the list";
			return -EINVAL;
		}
		if (columns->count == CHART_COLUMNS_MAX) {
			*ret_reason = "more than 8 columns";
			return -EINVAL;
		}
		columns->name[columns->count] = name;
		name = end;
	}
	return 0;
}

static int parse_columns(const char *text, void *field, const char **ret_reason)
{
	return take_columns(text, field, ',', ret_reason);
}

static int parse_sum(const char *text, void *field, const char **ret_reason)
{
	return take_columns(text, field, '+', ret_reason);
}

static int parse_where(const char *text, void *field, const char **ret_reason)
{
	struct chart_wish *wish = field;
	char *column = strdup(text), *value = column ? strchr(column, '=') : NULL;

	if (!value || value == column) {
		*ret_reason = "write COLUMN=VALUE";
		return -EINVAL;
	}
	if (wish->wheres == CHART_WHERE_MAX) {
		*ret_reason = "more than 8 conditions";
		return -EINVAL;
	}
	*value++ = '\0';
	wish->where[wish->wheres].column = column;
	wish->where[wish->wheres++].value = value;
	return 0;
}

/* A bare number is what the x column has; a time with its unit is counted from the first row. */
static int parse_mark(const char *text, void *field, const char **ret_reason)
{
	struct chart_wish *wish = field;
	struct chart_mark *mark = &wish->mark[wish->marks];
	char *at = strdup(text), *label = at ? strchr(at, '=') : NULL;
	uint64_t ns;

	if (!label || label == at || !label[1]) {
		*ret_reason = "write T=LABEL";
		return -EINVAL;
	}
	if (wish->marks == CHART_MARKS_MAX) {
		*ret_reason = "more than 16 marks";
		return -EINVAL;
	}
	*label++ = '\0';
	mark->label = label;
	mark->is_relative = !sheet_number(at, &mark->at);
	if (mark->is_relative) {
		if (units_parse_time(at, &ns, ret_reason) < 0)
			return -EINVAL;
		mark->at = (double)ns;
	}
	wish->marks++;
	return 0;
}

static const struct option_row plot_rows[] = {
	COMMAND_HELP_ROW(struct plot_words),
	{ .name = "x",
	  .value = "COL",
	  .help = "the column that goes to the right; stack: a time, or a sum of them, COL+COL",
	  .kind = OPTION_OTHER,
	  .parse = parse_sum,
	  OPTION_INTO(struct plot_words, wish.x) },
	{ .name = "y",
	  .value = "COL[,COL...]",
	  .help = "the columns that go up; stack: what is summed instead of counting rows",
	  .kind = OPTION_OTHER,
	  .parse = parse_columns,
	  OPTION_INTO(struct plot_words, wish.y) },
	{ .name = "by",
	  .value = "COL[,COL...]",
	  .help = "a line, bar or layer for each value of it",
	  .kind = OPTION_OTHER,
	  .parse = parse_columns,
	  OPTION_INTO(struct plot_words, wish.by) },
	{ .name = "formula",
	  .value = "COL[,COL...]",
	  .help = "lines: columns that were not measured, drawn as lines; then --y is points",
	  .kind = OPTION_OTHER,
	  .parse = parse_columns,
	  OPTION_INTO(struct plot_words, wish.formula) },
	{ .name = "where",
	  .value = "COL=VALUE",
	  .help = "only rows that have this; may be given more than once",
	  .kind = OPTION_OTHER,
	  .parse = parse_where,
	  .repeats = true,
	  OPTION_INTO(struct plot_words, wish) },
	{ .name = "mark",
	  .value = "T=LABEL",
	  .help = "a line at this x; 2.5s: so long after the first row; may be given more than "
		  "once",
	  .kind = OPTION_OTHER,
	  .parse = parse_mark,
	  .repeats = true,
	  OPTION_INTO(struct plot_words, wish) },
	{ .name = "stacked",
	  .help = "bars: those of a group on top of each other",
	  .kind = OPTION_FLAG,
	  OPTION_INTO(struct plot_words, wish.stacked) },
	{ .name = "slot",
	  .value = "TIME",
	  .help = "stack: what is counted together (unless said: about a 60th of the whole)",
	  .kind = OPTION_TIME,
	  OPTION_INTO(struct plot_words, wish.slot_ns) },
	{ .name = "title",
	  .value = "TEXT",
	  .help = "above the picture (unless said: made from the columns' names)",
	  .kind = OPTION_TEXT,
	  OPTION_INTO(struct plot_words, wish.title) },
	{ .name = "x-title",
	  .value = "TEXT",
	  .help = "below it; the unit is added",
	  .kind = OPTION_TEXT,
	  OPTION_INTO(struct plot_words, wish.x_title) },
	{ .name = "y-title",
	  .value = "TEXT",
	  .help = "beside it; the unit is added",
	  .kind = OPTION_TEXT,
	  OPTION_INTO(struct plot_words, wish.y_title) },
	{ .name = "svg",
	  .value = "FILE",
	  .help = "where to (- is standard output)",
	  .kind = OPTION_TEXT,
	  OPTION_INTO(struct plot_words, svg) },
	{}
};

/* ---- what is asked ---- */

static const struct chart_kind *find_kind(const char *word)
{
	for (const struct chart_kind *const *kind = chart_kinds; *kind; kind++)
		if (!strcmp((*kind)->name, word))
			return *kind;
	return NULL;
}

static int refuse_kind(const char *word, unsigned int position)
{
	const char *names[8];
	char near[128];
	size_t count = 0;

	for (const struct chart_kind *const *kind = chart_kinds; *kind; kind++)
		names[count++] = (*kind)->name;
	log_err(0, "plot: '%s' (word %u) is none of lines, stack, bars%s", word, position,
		suggest_phrase(near, sizeof(near), word, names, count));
	return EXIT_MISUSED;
}

static int misused(const char *what)
{
	log_err(0, "plot: %s", what);
	return EXIT_MISUSED;
}

static int check_words(const struct chart_wish *wish)
{
	bool is_stack = !strcmp(wish->kind->name, "stack");

	if (!wish->x.count)
		return misused("--x is missing: the column that goes to the right");
	if (!is_stack && wish->x.count > 1)
		return misused("--x: a sum of columns is for stack alone");
	if (!is_stack && !wish->y.count)
		return misused("--y is missing: the columns that go up");
	if (is_stack && wish->y.count > 1)
		return misused("--y: stack sums one column");
	if (wish->formula.count && strcmp(wish->kind->name, "lines"))
		return misused("--formula is for lines alone");
	if (wish->slot_ns && !is_stack)
		return misused("--slot is for stack alone");
	if (wish->stacked && strcmp(wish->kind->name, "bars"))
		return misused("--stacked is for bars alone");
	if (wish->marks && !strcmp(wish->kind->name, "bars"))
		return misused("--mark: bars have no place for it");
	return EXIT_DONE;
}

static int write_chart(const struct chart *chart, const char *path)
{
	_cleanup_(fclosep) FILE *file = NULL;
	FILE *out = stdout;
	int r;

	if (strcmp(path, "-")) {
		out = file = fopen(path, "we");
		if (!file)
			return -errno;
	}
	r = chart_write(chart, out);
	if (r == 0 && fflush(out) == EOF)
		r = -errno;
	return r;
}

static int plot(const struct plot_words *plot, const char *path)
{
	_cleanup_(sheet_done) struct sheet sheet = {};
	_cleanup_(chart_done) struct chart chart = {};
	char error[SHEET_ERROR_MAX];
	int r;

	if (sheet_read(path, &sheet, error) < 0) {
		log_err(0, "plot: %s", error);
		return EXIT_FAILED;
	}
	r = chart_read(&plot->wish, &sheet, &chart, error);
	if (r < 0) {
		log_err(0, "plot: %s: %s", path, error);
		return r == -EINVAL ? EXIT_MISUSED : EXIT_FAILED;
	}
	r = write_chart(&chart, plot->svg);
	if (r < 0) {
		log_err(r, "plot: --svg %s: %s", plot->svg, strerror(-r));
		return EXIT_FAILED;
	}
	if (chart.rows_left_out)
		log_warn("plot: %zu rows of %s do not fit in and are not shown",
			 chart.rows_left_out, path);
	if (strcmp(plot->svg, "-"))
		printf("wrote %s\n", plot->svg);
	return EXIT_DONE;
}

static int run_plot(const struct command *command, int argc, char **argv)
{
	_cleanup_(options_words_done) struct options_words words = {};
	struct plot_words options = {};
	int status;

	status = command_parse(command, argc, argv, &options, &words);
	if (status != EXIT_DONE || options.help)
		return status;
	if (words.count != 2 || words.command) {
		log_err(0, "plot: say which kind, and which file");
		fprintf(stderr, "usage: hopfault %s %s\n", command->name, command->usage);
		return EXIT_MISUSED;
	}
	options.wish.kind = find_kind(words.word[0]);
	if (!options.wish.kind)
		return refuse_kind(words.word[0], words.position[0]);
	status = check_words(&options.wish);
	if (status != EXIT_DONE)
		return status;
	if (!options.svg)
		return misused("--svg is missing: where to");
	return plot(&options, words.word[1]);
}

const struct command command_plot = {
	.name = "plot",
	.usage = "lines|stack|bars FILE.csv --x COL [--y COL,...] [--by COL] ... --svg FILE",
	.summary = "a picture of a CSV file's columns",
	.details =
		"  lines  y over x, in lines; with --formula: points, and the formula's line\n"
		"  stack  rows counted over time, kinds (--by) on top of each other\n"
		"  bars   groups by x, in each a bar for every --y, or every value of --by;\n"
		"         beside each other, or --stacked\n"
		"\n"
		"A column's name says what it measures: _ns, _us, _ms, _s are times, _bytes,\n"
		"_percent, _share (of 1). Empty fields are unknown, and left out. Root is not "
		"needed.\n"
		"Examples:\n"
		"  hopfault plot lines sweep.csv --x delay_ms --y p50_ns --by hops \\\n"
		"      --formula floor_ns --svg sweep.svg\n"
		"  hopfault plot stack load.csv --x start_mono_ns+latency_ns --by status,error \\\n"
		"      --mark 2s=cut --mark 5s=healed --svg load.svg\n"
		"  hopfault plot bars summary.csv --where stage=total --x dst --y p50_ns,p99_ns "
		"\\\n"
		"      --where run_id=baseline --svg hops.svg\n",
	.options = plot_rows,
	.run = run_plot,
};
