/* SPDX-License-Identifier: GPL-2.0-or-later */
/* runs.c - see runs.h. */
#include "export/runs.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "export/csv_read.h"

/* ---- which there are ---- */

void runs_done(struct runs *runs)
{
	for (unsigned int i = 0; i < runs->count; i++)
		free(runs->name[i]);
}

unsigned int runs_find(const struct runs *runs, const char *name)
{
	unsigned int i = 0;

	while (i < runs->count && strcmp(runs->name[i], name) != 0)
		i++;
	return i;
}

static int note_run(void *ctx, const struct export_run *run)
{
	struct runs *runs = ctx;
	unsigned int i = runs_find(runs, run->run_id);

	if (i < runs->count) {
		runs->scattered[i] = true;
		return 0;
	}
	if (i == RUNS_MAX)
		return -E2BIG;
	runs->name[i] = strdup(run->run_id);
	if (!runs->name[i])
		return -ENOMEM;
	runs->count++;
	return 0;
}

static int pass_chain(void *ctx, const struct chain *chain)
{
	return 0;
}

static int pass_end(void *ctx)
{
	return 0;
}

int runs_list(const char *path, struct runs *ret_runs, char *error)
{
	const struct csv_sink sink = { note_run, pass_chain, pass_end, ret_runs };

	*ret_runs = (struct runs){};
	return csv_read(path, &sink, error);
}

/* ---- one of them ---- */

struct taker {
	const char *wanted;
	const struct export_run *run; /* NULL: another run's rows are passing */
	struct summary *summary;
	struct export *picture; /* may be NULL */
};

static int take_begin(void *ctx, const struct export_run *run)
{
	struct taker *taker = ctx;

	taker->run = strcmp(run->run_id, taker->wanted) == 0 ? run : NULL;
	return taker->run && taker->picture ? export_begin_run(taker->picture, run) : 0;
}

static int take_chain(void *ctx, const struct chain *chain)
{
	struct taker *taker = ctx;
	int r;

	if (!taker->run)
		return 0;
	r = summary_add(taker->summary, taker->run, chain);
	return r == 0 && taker->picture ? export_chain(taker->picture, chain) : r;
}

static int take_end(void *ctx)
{
	struct taker *taker = ctx;

	return taker->run && taker->picture ? export_end_run(taker->picture) : 0;
}

int runs_read(const char *path, const char *name, struct summary *ret_summary,
	      struct export *picture, char *error)
{
	struct taker taker = { .wanted = name, .summary = ret_summary, .picture = picture };
	const struct csv_sink sink = { take_begin, take_chain, take_end, &taker };

	if (summary_init(ret_summary, name) < 0) {
		snprintf(error, EXPORT_ERROR_MAX, "no memory");
		return -ENOMEM;
	}
	return csv_read(path, &sink, error);
}
