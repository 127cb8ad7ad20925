/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * sheet.h - any CSV file with a header row, whole in memory: what plots and pages are made from.
 */
#ifndef HOPFAULT_REPORT_SHEET_H
#define HOPFAULT_REPORT_SHEET_H

#include <stdbool.h>
#include <stddef.h>

#define SHEET_COLUMNS_MAX 64
#define SHEET_BYTES_MAX	  (256U << 20)
#define SHEET_ERROR_MAX	  512

struct sheet {
	unsigned int columns;
	char *column[SHEET_COLUMNS_MAX]; /* their names */
	size_t rows;
	char **cell; /* rows * columns, row by row; "" is unknown */
	char *text; /* all of it */
};

/*
 * -EMSGSIZE larger than SHEET_BYTES_MAX, -EBADMSG a line that is no row of it, -ENOMEM, or what open() and read() say.
 * A sentence with the file and the line stands in `error` (SHEET_ERROR_MAX bytes).
 */
int sheet_read(const char *path, struct sheet *ret_sheet, char *error);
void sheet_done(struct sheet *sheet); /* for _cleanup_ */

/* The place of a column, or -1. */
int sheet_find(const struct sheet *sheet, const char *column);
const char *sheet_cell(const struct sheet *sheet, size_t row, int column);

/* A finite decimal number, and nothing else. */
bool sheet_number(const char *cell, double *ret_number);

#endif
