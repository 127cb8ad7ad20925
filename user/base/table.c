/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * table.c - aligned columns on a terminal.
 *
 * Cells are escaped when they come in and kept as text; widths are found when all of them are known:
 *
 *     wanted width of each column (its widest cell, at most max_width)
 *       -> while the sum is too wide, the widest column that shrinks gives one column
 *       -> cells that are still too wide are cut and end in an ellipsis
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE /* vasprintf */
#endif

#include "base/table.h"

#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"

#define GAP	   2 /* columns between columns */
#define SHRINK_MIN 4

struct table {
	const struct table_column *column;
	unsigned int columns;
	unsigned int total_width;
	char **cell; /* row after row; a rule is a row whose first cell is NULL */
	size_t cells, allocated;
	int error;
	unsigned int width[]; /* of each column, once known */
};

struct table *table_new(const struct table_column *columns, unsigned int count,
			unsigned int total_width)
{
	struct table *table = calloc(1, sizeof(*table) + count * sizeof(table->width[0]));

	if (!table)
		return NULL;
	table->column = columns;
	table->columns = count;
	table->total_width = total_width;
	return table;
}

void table_free(struct table *table)
{
	size_t i;

	if (!table)
		return;
	for (i = 0; i < table->cells; i++)
		free(table->cell[i]);
	free(table->cell);
	free(table);
}

static void add_cell(struct table *table, char *text)
{
	size_t allocated = table->allocated ? 2 * table->allocated : 64;
	char **cell;

	if (table->cells == table->allocated) {
		cell = realloc(table->cell, allocated * sizeof(*cell));
		if (!cell) {
			table->error = -ENOMEM;
			free(text);
			return;
		}
		table->cell = cell;
		table->allocated = allocated;
	}
	table->cell[table->cells++] = text;
}

static char *escaped_copy(const char *text)
{
	size_t size = text_escape_terminal(NULL, 0, text) + 1;
	char *copy = malloc(size);

	if (copy)
		text_escape_terminal(copy, size, text);
	return copy;
}

void table_cell(struct table *table, const char *format, ...)
{
	_cleanup_(freep) char *raw = NULL;
	va_list arguments;
	char *text = NULL;
	int len;

	if (table->error)
		return;
	va_start(arguments, format);
	len = vasprintf(&raw, format, arguments);
	va_end(arguments);
	if (len < 0)
		raw = NULL;
	else
		text = escaped_copy(raw);
	if (text)
		add_cell(table, text);
	else
		table->error = -ENOMEM;
}

static void fill_row(struct table *table)
{
	while (!table->error && table->cells % table->columns)
		table_cell(table, "%s", "");
}

void table_rule(struct table *table)
{
	unsigned int i;

	fill_row(table);
	for (i = 0; i < table->columns && !table->error; i++)
		add_cell(table, NULL);
}

static void find_widths(struct table *table)
{
	unsigned int i;
	size_t cell;

	for (i = 0; i < table->columns; i++)
		table->width[i] = (unsigned int)text_width(table->column[i].header);
	for (cell = 0; cell < table->cells; cell++) {
		unsigned int *width = &table->width[cell % table->columns];
		unsigned int wanted = 0;

		if (table->cell[cell])
			wanted = (unsigned int)text_width(table->cell[cell]);
		if (wanted > *width)
			*width = wanted;
	}
	for (i = 0; i < table->columns; i++) {
		unsigned int limit = table->column[i].max_width;

		if (limit && table->width[i] > limit)
			table->width[i] = limit;
	}
}

static unsigned int sum_of_widths(const struct table *table)
{
	unsigned int sum = GAP * (table->columns - 1), i;

	for (i = 0; i < table->columns; i++)
		sum += table->width[i];
	return sum;
}

static unsigned int *widest_that_shrinks(struct table *table)
{
	unsigned int *widest = NULL;
	unsigned int i;

	for (i = 0; i < table->columns; i++)
		if (table->column[i].shrinks && table->width[i] > SHRINK_MIN &&
		    (!widest || table->width[i] > *widest))
			widest = &table->width[i];
	return widest;
}

static void shrink_to_fit(struct table *table)
{
	unsigned int *widest;

	while (table->total_width && sum_of_widths(table) > table->total_width) {
		widest = widest_that_shrinks(table);
		if (!widest)
			return;
		(*widest)--;
	}
}

static void print_blanks(FILE *out, size_t count)
{
	while (count--)
		fputc(' ', out);
}

static size_t bytes_of_columns(const char *text, unsigned int columns)
{
	size_t len = strlen(text), at = 0;
	uint32_t code_point;

	while (columns-- && at < len) {
		unsigned int size = text_utf8_next(text + at, len - at, &code_point);

		at += size ? size : 1;
	}
	return at;
}

/* Blanks behind the last column are left out, so no line ends in one. */
static void print_cell(FILE *out, const char *text, unsigned int width, enum table_align align,
		       bool last)
{
	size_t columns = text_width(text);
	bool cut = columns > width;
	size_t blanks = cut ? 0 : width - columns;

	if (align == TABLE_RIGHT)
		print_blanks(out, blanks);
	if (cut)
		fprintf(out, "%.*s…", (int)bytes_of_columns(text, width - 1), text);
	else
		fputs(text, out);
	if (align == TABLE_LEFT && !last)
		print_blanks(out, blanks);
	if (!last)
		print_blanks(out, GAP);
}

static void print_dashes(FILE *out, size_t count)
{
	while (count--)
		fputc('-', out);
}

static void print_rule(const struct table *table, FILE *out)
{
	print_dashes(out, sum_of_widths(table));
	fputc('\n', out);
}

/* How many columns, from `first`, share its group heading. */
static unsigned int group_span(const struct table *table, unsigned int first)
{
	const char *group = table->column[first].group;
	unsigned int i = first + 1;

	while (group && i < table->columns && table->column[i].group &&
	       !strcmp(table->column[i].group, group))
		i++;
	return i - first;
}

static bool has_groups(const struct table *table)
{
	unsigned int i;

	for (i = 0; i < table->columns; i++)
		if (table->column[i].group)
			return true;
	return false;
}

/* "--- injected ---" across the columns of the group. */
static void print_group(FILE *out, const char *group, unsigned int width)
{
	size_t columns = text_width(group);
	size_t dashes = width > columns + 2 ? width - columns - 2 : 0;

	print_dashes(out, dashes / 2);
	fprintf(out, "%s%.*s%s", dashes / 2 ? " " : "", (int)bytes_of_columns(group, width), group,
		dashes - dashes / 2 ? " " : "");
	print_dashes(out, dashes - dashes / 2);
}

static void print_groups(const struct table *table, FILE *out)
{
	size_t blanks = 0;
	unsigned int i, span, width, k;

	for (i = 0; i < table->columns; i += span) {
		span = group_span(table, i);
		width = GAP * (span - 1);
		for (k = i; k < i + span; k++)
			width += table->width[k];
		if (table->column[i].group) {
			print_blanks(out, blanks);
			print_group(out, table->column[i].group, width);
			blanks = GAP;
		} else {
			blanks += width + GAP;
		}
	}
	fputc('\n', out);
}

static void print_header(const struct table *table, FILE *out)
{
	unsigned int i;

	if (has_groups(table))
		print_groups(table, out);
	for (i = 0; i < table->columns; i++)
		print_cell(out, table->column[i].header, table->width[i], table->column[i].align,
			   i + 1 == table->columns);
	fputc('\n', out);
}

static void print_row(const struct table *table, char *const *cell, FILE *out)
{
	unsigned int i, used = table->columns;

	while (used > 1 && cell[used - 1][0] == '\0')
		used--;
	for (i = 0; i < used; i++)
		print_cell(out, cell[i], table->width[i], table->column[i].align, i + 1 == used);
	fputc('\n', out);
}

int table_print(struct table *table, FILE *out)
{
	size_t row;

	fill_row(table);
	if (table->error)
		return table->error;
	find_widths(table);
	shrink_to_fit(table);
	print_header(table, out);
	for (row = 0; row < table->cells; row += table->columns) {
		if (table->cell[row])
			print_row(table, table->cell + row, out);
		else
			print_rule(table, out);
	}
	return ferror(out) ? -EIO : 0;
}
