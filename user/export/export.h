/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * export.h - the one door to every file format: runs of chains go in, a file comes out.
 *
 *     export_open(format, path) -> export_begin_run -> export_chain ... -> export_end_run -> export_close
 *                                  `------------- once for each run ------------'
 *
 * A format is a file of this folder with one `struct export_format`; export.c lists them all. Names, paths and
 * methods come from outside: every format escapes what it writes.
 */
#ifndef HOPFAULT_EXPORT_EXPORT_H
#define HOPFAULT_EXPORT_EXPORT_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "base/cleanup.h"
#include "trace/call.h"

#define EXPORT_SCHEMA_VERSION 1
#define EXPORT_ERROR_MAX      512
#define EXPORT_NAME_MAX	      16 /* room for the name of an endpoint that nobody named: "#4294967295" */

/* Whose calls these are. Must live until export_end_run(). */
struct export_run {
	const char *run_id;
	/* The name of an endpoint, or NULL when it has none. The string must live as long as the run. */
	const char *(*endpoint_name)(void *ctx, uint32_t id);
	void *ctx;
	int64_t realtime_offset_ns; /* CLOCK_REALTIME - CLOCK_MONOTONIC, when the run began */
};

struct export;

/* What a format is. Each function returns 0 or -errno; those that are NULL have nothing to do. */
struct export_format {
	const char *name; /* as in --csv */
	const char *help; /* one sentence for the option */
	size_t size; /* of its own struct, which begins with struct export */
	bool appends; /* can go on with a file that an earlier process wrote */
	int (*begin_file)(struct export *export);
	int (*begin_run)(struct export *export);
	int (*chain)(struct export *export, const struct chain *chain);
	int (*end_run)(struct export *export);
	int (*end_file)(struct export *export);
	void (*release)(
		struct export *export); /* frees what it holds; file and run may be unfinished */
	/* appends: is this the first line of such a file? */
	bool (*is_header)(const char *line);
};

/* What every format finds in front of its own struct. */
struct export
{
	const struct export_format *format;
	FILE *out;
	const struct export_run *run; /* NULL between runs */
	bool continues; /* the file has its header already */
};

extern const struct export_format export_csv; /* hops.csv: a row a call */
extern const struct export_format export_jsonl; /* the same as JSON, an object a line */
extern const struct export_format export_summary; /* summary.csv: a row for each hop and stage */
extern const struct export_format export_svg; /* a picture: cumulative latency along the chain */
extern const struct export_format export_perfetto; /* Chrome trace events */

/* All of them; NULL ends the list. */
extern const struct export_format *const export_formats[];

enum {
	EXPORT_APPEND =
		1U << 0, /* go on with a file that is there; a new one is made when it is not */
};

/*
 * Opens `path` ("-": standard output) for this format. Without EXPORT_APPEND an existing file is replaced.
 *   -EMEDIUMTYPE  append: the file begins with another header (another format or schema version)
 *   -EBADMSG	   append: its last line is cut off
 *   -ENOTSUP	   append: this format can't
 *   or what open() says. A sentence stands in `error` (EXPORT_ERROR_MAX bytes; may be NULL).
 */
int export_open(const struct export_format *format, const char *path, unsigned int flags,
		struct export **ret_export, char *error);

int export_begin_run(struct export *export, const struct export_run *run);
int export_chain(struct export *export, const struct chain *chain);
int export_end_run(struct export *export);

/*
 * Writes what was kept for the end, and gives everything back. 0, or the first error of the file (-EIO,
 * -ENOSPC).
 */
int export_close(struct export *export);
/* Gives everything back without finishing the file. NULL is fine. */
void export_free(struct export *export);
DEFINE_CLEANUP(struct export *, export_free)

/* The endpoint's name; "world", or "#17", when it has none. Returns the name, which may stand in `text`. */
const char *export_endpoint_name(const struct export_run *run, uint32_t id,
				 char text[EXPORT_NAME_MAX]);

#endif
