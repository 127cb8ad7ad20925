/* SPDX-License-Identifier: GPL-2.0-or-later */
/* sheet.c - see sheet.h. */
#include "report/sheet.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "export/csv_line.h"

static int fail(int r, char *error, const char *path, size_t line, const char *what)
{
	if (line)
		snprintf(error, SHEET_ERROR_MAX, "%s, line %zu: %s", path, line, what);
	else
		snprintf(error, SHEET_ERROR_MAX, "%s: %s", path, what);
	return r;
}

void sheet_done(struct sheet *sheet)
{
	free(sheet->cell);
	free(sheet->text);
	*sheet = (struct sheet){};
}

/* Also of what has no size before it is read. */
static int read_all(FILE *file, char **ret_text, size_t *ret_len)
{
	_cleanup_(freep) char *text = NULL;
	size_t len = 0, size = 0, got;
	char *grown;

	do {
		if (len + 1 >= size) {
			size = size ? 2 * size : 65536;
			if (size > SHEET_BYTES_MAX)
				return -EMSGSIZE;
			grown = realloc(text, size);
			if (!grown)
				return -ENOMEM;
			text = grown;
		}
		got = fread(text + len, 1, size - len - 1, file);
		len += got;
	} while (got);
	if (ferror(file))
		return -EIO;
	text[len] = '\0';
	*ret_text = TAKE_PTR(text);
	*ret_len = len;
	return 0;
}

/* The next line, whose end is taken off; NULL behind the last. */
static char *next_line(char **at)
{
	char *line = *at, *end;

	if (*line == '\0')
		return NULL;
	end = line + strcspn(line, "\n");
	*at = *end ? end + 1 : end;
	if (end > line && end[-1] == '\r')
		end[-1] = '\0';
	*end = '\0';
	return line;
}

static size_t count_lines(const char *text)
{
	size_t lines = 1;

	for (text = strchr(text, '\n'); text; text = strchr(text + 1, '\n'))
		lines++;
	return lines;
}

static int split_rows(struct sheet *sheet, char *at, const char *path, char *error)
{
	char **cell = sheet->cell, *line;

	for (size_t number = 2; (line = next_line(&at)) != NULL; number++) {
		int count;

		if (*line == '\0' && sheet->columns > 1)
			continue;
		count = csv_line_split(line, cell, sheet->columns);
		if (count != (int)sheet->columns)
			return fail(-EBADMSG, error, path, number,
				    "it has not as many fields as the first line");
		cell += sheet->columns;
		sheet->rows++;
	}
	return 0;
}

static int split_sheet(struct sheet *sheet, const char *path, char *error)
{
	char *at = sheet->text, *line = next_line(&at);
	int count;

	if (!line)
		return fail(-EBADMSG, error, path, 0, "it is empty");
	count = csv_line_split(line, sheet->column, SHEET_COLUMNS_MAX);
	if (count < 0)
		return fail(-EBADMSG, error, path, 1, "not the header of a CSV file");
	sheet->columns = (unsigned int)count;
	sheet->cell = calloc(count_lines(at) * sheet->columns, sizeof(*sheet->cell));
	if (!sheet->cell)
		return fail(-ENOMEM, error, path, 0, "no memory");
	return split_rows(sheet, at, path, error);
}

int sheet_read(const char *path, struct sheet *ret_sheet, char *error)
{
	_cleanup_(sheet_done) struct sheet sheet = {};
	_cleanup_(fclosep) FILE *file = fopen(path, "re");
	size_t len;
	int r;

	if (!file)
		return fail(-errno, error, path, 0, strerror(errno));
	r = read_all(file, &sheet.text, &len);
	if (r < 0)
		return fail(r, error, path, 0,
			    r == -EMSGSIZE ? "it is larger than 256 MB" : strerror(-r));
	if (strlen(sheet.text) != len)
		return fail(-EBADMSG, error, path, 0, "it is no text");
	r = split_sheet(&sheet, path, error);
	if (r < 0)
		return r;
	*ret_sheet = sheet;
	sheet = (struct sheet){};
	return 0;
}

int sheet_find(const struct sheet *sheet, const char *column)
{
	for (unsigned int i = 0; i < sheet->columns; i++)
		if (!strcmp(sheet->column[i], column))
			return (int)i;
	return -1;
}

const char *sheet_cell(const struct sheet *sheet, size_t row, int column)
{
	return sheet->cell[row * sheet->columns + (size_t)column];
}

bool sheet_number(const char *cell, double *ret_number)
{
	char *end;
	double number;

	if (cell[strspn(cell, "0123456789.eE+-")])
		return false; /* no hex, inf or nan */
	number = strtod(cell, &end);
	if (end == cell || *end || !isfinite(number))
		return false;
	*ret_number = number;
	return true;
}
