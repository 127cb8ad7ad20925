/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * csv_read.h - hops.csv back into runs of chains: for pictures and tables of runs that other processes traced.
 */
#ifndef HOPFAULT_EXPORT_CSV_READ_H
#define HOPFAULT_EXPORT_CSV_READ_H

#include "export/export.h"

/*
 * Where the runs go. Each returns 0, or -errno to stop. Run and chain are valid during the call, a run
 * until it ends.
 */
struct csv_sink {
	int (*begin_run)(void *ctx, const struct export_run *run);
	int (*chain)(void *ctx, const struct chain *chain);
	int (*end_run)(void *ctx);
	void *ctx;
};

/*
 * Runs follow each other by run_id. Endpoint ids are made up here: equal names have equal ids. The realtime
 * offset is
 * not in the file, and 0. A sentence with the line's number stands in `error` (EXPORT_ERROR_MAX bytes; may
 * be NULL):
 *   -EMEDIUMTYPE  not a hops.csv of this schema version
 *   -EBADMSG	   a row that is none
 *   -E2BIG	   more than 65536 calls in one chain, or more than 4096 names
 *   -ENOMEM, what fopen() says, or what the sink returned
 */
int csv_read(const char *path, const struct csv_sink *sink, char *error);

/* The same with an open export as the sink. */
int csv_read_into(const char *path, struct export *export, char *error);

#endif
