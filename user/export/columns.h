/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * columns.h - what hops.csv has in its columns, as one table: header and row come from the same line of it.
 */
#ifndef HOPFAULT_EXPORT_COLUMNS_H
#define HOPFAULT_EXPORT_COLUMNS_H

#include "export/export.h"

struct column;

/* A value as text, not yet escaped; empty: unknown. */
struct field {
	const char *text; /* buffer, or a string that lives longer */
	char buffer[80];
};

typedef void (*column_put_fn)(struct field *field, const struct export_run *run,
			      const struct call *call, const struct column *column);

/* The way back, for csv_read.c: false when the text is none of this column's. */
typedef bool (*column_take_fn)(const char *text, struct call *call, const struct column *column);

struct column {
	const char *name; /* with "_ns", if it has that */
	column_put_fn put;
	column_take_fn
		take; /* NULL: the reader's own business (run, endpoints), or made from others */
	int argument; /* of put and take */
	bool is_number; /* digits or empty: needs no escape */
};

/* In the order of the file. */
extern const struct column hop_columns[];
extern const unsigned int hop_columns_count;

/* The value of a column for one call; field->text is valid until the next. */
void column_value(const struct column *column, const struct export_run *run,
		  const struct call *call, struct field *ret_field);

#endif
