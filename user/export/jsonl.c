/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * jsonl.c - the rows of hops.csv as JSON, an object a line: the same names, numbers as numbers, unknown as
 * null.
 */
#include <errno.h>
#include <string.h>

#include "base/text.h"
#include "export/columns.h"

static void write_object(FILE *out, const struct export_run *run, const struct call *call)
{
	struct field field;
	unsigned int i;

	for (i = 0; i < hop_columns_count; i++) {
		fprintf(out, "%c\"%s\":", i ? ',' : '{', hop_columns[i].name);
		column_value(&hop_columns[i], run, call, &field);
		if (field.text[0] == '\0')
			fputs("null", out);
		else if (hop_columns[i].is_number)
			fputs(field.text, out);
		else
			text_write_json(out, field.text);
	}
	fputs("}\n", out);
}

static int jsonl_chain(struct export *export, const struct chain *chain)
{
	unsigned int i;

	for (i = 0; i < chain->calls; i++)
		write_object(export->out, export->run, &chain->call[i]);
	return ferror(export->out) ? -EIO : 0;
}

static bool jsonl_is_header(const char *line)
{
	char start[64];

	snprintf(start, sizeof(start), "{\"schema_version\":%d,\"run_id\":", EXPORT_SCHEMA_VERSION);
	return !strncmp(line, start, strlen(start));
}

const struct export_format export_jsonl = {
	.name = "jsonl",
	.help = "the rows of --csv as JSON, an object a line",
	.size = sizeof(struct export),
	.appends = true,
	.chain = jsonl_chain,
	.is_header = jsonl_is_header,
};
