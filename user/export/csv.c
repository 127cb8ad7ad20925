/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * csv.c - hops.csv: a header, then a row for each call, a parent before its children (RFC 4180).
 *
 * Rows are written as chains come, so the file can be followed while it grows, and what was traced before a
 * crash is there.
 */
#include <errno.h>
#include <string.h>

#include "base/text.h"
#include "export/columns.h"

static int csv_begin_file(struct export *export)
{
	unsigned int i;

	for (i = 0; i < hop_columns_count && !export->continues; i++)
		fprintf(export->out, "%s%s", i ? "," : "", hop_columns[i].name);
	if (!export->continues)
		fputc('\n', export->out);
	return ferror(export->out) ? -EIO : 0;
}

static void write_row(FILE *out, const struct export_run *run, const struct call *call)
{
	struct field field;
	unsigned int i;

	for (i = 0; i < hop_columns_count; i++) {
		if (i)
			putc_unlocked(',', out);
		column_value(&hop_columns[i], run, call, &field);
		if (hop_columns[i].is_number)
			fputs_unlocked(field.text, out);
		else
			text_write_csv(out, field.text);
	}
	putc_unlocked('\n', out);
}

static int csv_chain(struct export *export, const struct chain *chain)
{
	unsigned int i;

	for (i = 0; i < chain->calls; i++)
		write_row(export->out, export->run, &chain->call[i]);
	return ferror(export->out) ? -EIO : 0;
}

static bool csv_is_header(const char *line)
{
	unsigned int i;

	for (i = 0; i < hop_columns_count; i++) {
		size_t len = strlen(hop_columns[i].name);

		if (i && *line++ != ',')
			return false;
		if (strncmp(line, hop_columns[i].name, len))
			return false;
		line += len;
	}
	return *line == '\0';
}

const struct export_format export_csv = {
	.name = "csv",
	.help = "a row for each call, with all its stages",
	.size = sizeof(struct export),
	.appends = true,
	.begin_file = csv_begin_file,
	.chain = csv_chain,
	.is_header = csv_is_header,
};
