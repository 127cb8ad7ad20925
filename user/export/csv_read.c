/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * csv_read.c - hops.csv back into runs of chains.
 *
 * Every row is one line (what could break it is escaped when it is written), and a chain's rows follow each
 * other with the
 * root first. The columns are those of columns.c, each with its own way back.
 */
#include "export/csv_read.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "export/columns.h"
#include "export/csv_line.h"

#define COLUMNS_MAX 64
#define NAMES_MAX   4096
#define CALLS_MAX   65536

struct reader {
	const struct csv_sink *sink;
	struct export_run run;
	char *run_id; /* NULL before the first row */
	char *name[NAMES_MAX];
	unsigned int names;
	struct call *call; /* of the chain in hand */
	unsigned int calls, allocated;
};

static void reader_free(struct reader *reader)
{
	unsigned int i;

	for (i = 0; i < reader->names; i++)
		free(reader->name[i]);
	free(reader->run_id);
	free(reader->call);
	free(reader);
}
DEFINE_CLEANUP(struct reader *, reader_free)

static const char *name_of(void *ctx, uint32_t id)
{
	const struct reader *reader = ctx;

	if (id < HF_ENDPOINT_FIRST || id - HF_ENDPOINT_FIRST >= reader->names)
		return NULL;
	return reader->name[id - HF_ENDPOINT_FIRST];
}

static int id_of(struct reader *reader, const char *name, uint32_t *ret_id)
{
	unsigned int i;

	for (i = 0; i < reader->names; i++)
		if (!strcmp(reader->name[i], name))
			break;
	if (i == NAMES_MAX)
		return -E2BIG;
	if (i == reader->names) {
		reader->name[i] = strdup(name);
		if (!reader->name[i])
			return -ENOMEM;
		reader->names++;
	}
	*ret_id = HF_ENDPOINT_FIRST + i;
	return 0;
}

static int split(char *line, char *field[COLUMNS_MAX])
{
	int count = csv_line_split(line, field, COLUMNS_MAX);

	return count == (int)hop_columns_count ? 0 : -EBADMSG;
}

static const char *field_of(char *const field[COLUMNS_MAX], const char *column)
{
	unsigned int i;

	for (i = 0; i < hop_columns_count; i++)
		if (!strcmp(hop_columns[i].name, column))
			return field[i];
	return "";
}

static int read_call(struct reader *reader, char *const field[COLUMNS_MAX], struct call *ret_call)
{
	struct call call = {};
	unsigned int i;
	int r;

	for (i = 0; i < hop_columns_count; i++)
		if (hop_columns[i].take && !hop_columns[i].take(field[i], &call, &hop_columns[i]))
			return -EBADMSG;
	r = id_of(reader, field_of(field, "src"), &call.src);
	if (r == 0)
		r = id_of(reader, field_of(field, "dst"), &call.dst);
	if (r < 0)
		return r;
	*ret_call = call;
	return 0;
}

static int hand_out_chain(struct reader *reader)
{
	struct chain chain = { .calls = reader->calls, .call = reader->call };

	reader->calls = 0;
	return chain.calls ? reader->sink->chain(reader->sink->ctx, &chain) : 0;
}

static int end_run(struct reader *reader)
{
	int r = hand_out_chain(reader);

	if (r == 0 && reader->run_id)
		r = reader->sink->end_run(reader->sink->ctx);
	free(reader->run_id);
	reader->run_id = NULL;
	return r;
}

static int begin_run(struct reader *reader, const char *run_id)
{
	reader->run_id = strdup(run_id);
	if (!reader->run_id)
		return -ENOMEM;
	reader->run = (struct export_run){
		.run_id = reader->run_id,
		.endpoint_name = name_of,
		.ctx = reader,
	};
	return reader->sink->begin_run(reader->sink->ctx, &reader->run);
}

static int add_call(struct reader *reader, const struct call *call)
{
	unsigned int allocated = reader->allocated ? 2 * reader->allocated : 16;
	struct call *grown;

	if (reader->calls == CALLS_MAX)
		return -E2BIG;
	if (reader->calls == reader->allocated) {
		grown = realloc(reader->call, allocated * sizeof(*grown));
		if (!grown)
			return -ENOMEM;
		reader->call = grown;
		reader->allocated = allocated;
	}
	reader->call[reader->calls++] = *call;
	return 0;
}

static bool begins_chain(const struct reader *reader, const struct call *call)
{
	return reader->calls == 0 || call->parent_span_id == 0 ||
	       memcmp(call->trace_id, reader->call[0].trace_id, sizeof(call->trace_id));
}

static int read_row(struct reader *reader, char *line)
{
	char *field[COLUMNS_MAX];
	struct call call;
	int r;

	r = split(line, field);
	if (r == 0)
		r = read_call(reader, field, &call);
	if (r == 0 && reader->run_id && strcmp(reader->run_id, field_of(field, "run_id")))
		r = end_run(reader);
	if (r == 0 && !reader->run_id)
		r = begin_run(reader, field_of(field, "run_id"));
	if (r == 0 && begins_chain(reader, &call))
		r = hand_out_chain(reader);
	return r < 0 ? r : add_call(reader, &call);
}

static int fail(int r, char *error, const char *path, unsigned long line, const char *what)
{
	if (error && line)
		snprintf(error, EXPORT_ERROR_MAX, "%s, line %lu: %s", path, line, what);
	else if (error)
		snprintf(error, EXPORT_ERROR_MAX, "%s: %s", path, what);
	return r;
}

/* A line without its end; false at the end of the file. */
static bool next_line(FILE *file, char **line, size_t *size)
{
	ssize_t len = getline(line, size, file);

	if (len <= 0)
		return false;
	(*line)[strcspn(*line, "\r\n")] = '\0';
	return true;
}

int csv_read(const char *path, const struct csv_sink *sink, char *error)
{
	_cleanup_(reader_freep) struct reader *reader = calloc(1, sizeof(*reader));
	_cleanup_(fclosep) FILE *file = fopen(path, "re");
	_cleanup_(freep) char *line = NULL;
	unsigned long number = 1;
	size_t size = 0;
	int r = 0;

	if (!file)
		return fail(-errno, error, path, 0, strerror(errno));
	if (!reader)
		return fail(-ENOMEM, error, path, 0, "no memory");
	reader->sink = sink;
	if (!next_line(file, &line, &size) || !export_csv.is_header(line))
		return fail(-EMEDIUMTYPE, error, path, 1, "not the header of a hops.csv");
	while (r == 0 && next_line(file, &line, &size)) {
		number++;
		r = read_row(reader, line);
	}
	if (r < 0)
		return fail(r, error, path, number,
			    r == -EBADMSG ? "not a row of hops.csv" : strerror(-r));
	r = end_run(reader);
	return r < 0 ? fail(r, error, path, number, strerror(-r)) : 0;
}

static int into_begin_run(void *ctx, const struct export_run *run)
{
	return export_begin_run(ctx, run);
}

static int into_chain(void *ctx, const struct chain *chain)
{
	return export_chain(ctx, chain);
}

static int into_end_run(void *ctx)
{
	return export_end_run(ctx);
}

int csv_read_into(const char *path, struct export *export, char *error)
{
	const struct csv_sink sink = {
		.begin_run = into_begin_run,
		.chain = into_chain,
		.end_run = into_end_run,
		.ctx = export,
	};

	return csv_read(path, &sink, error);
}
