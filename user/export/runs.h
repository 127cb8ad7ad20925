/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * runs.h - the runs that a hops.csv holds, by name: which there are, and one of them gathered.
 *
 * The file is read once to see which runs there are, and once more for each run that is wanted.
 */
#ifndef HOPFAULT_EXPORT_RUNS_H
#define HOPFAULT_EXPORT_RUNS_H

#include "export/summary.h"

#define RUNS_MAX 64 /* that are told apart in a file */

struct runs {
	unsigned int count;
	char *name[RUNS_MAX]; /* in the order of the file */
	bool scattered[RUNS_MAX]; /* its rows do not stand together: two traces had this name */
};

/* As csv_read(); -E2BIG also for more than RUNS_MAX runs. */
int runs_list(const char *path, struct runs *ret_runs, char *error);
void runs_done(struct runs *runs); /* for _cleanup_ */
/* Its index, or runs->count. */
unsigned int runs_find(const struct runs *runs, const char *name);

/* One run: into a summary, which this initializes, and into an open picture, which may be NULL. */
int runs_read(const char *path, const char *name, struct summary *ret_summary,
	      struct export *picture, char *error);

#endif
