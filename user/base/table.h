/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * table.h - aligned columns on a terminal.
 *
 *     static const struct table_column columns[] = {
 *             { .header = "NAME", .shrinks = true },
 *             { .header = "PID", .align = TABLE_RIGHT },
 *     };
 *     _cleanup_(table_freep) struct table *table = table_new(columns, ARRAY_SIZE(columns), 80);
 *     table_cell(table, "%s", name);
 *     table_cell(table, "%d", pid);          (the row is full: the next cell begins a new one)
 *     return table_print(table, stdout);
 *
 * Cells are escaped for the terminal. What is too wide ends in an ellipsis. An error on the way (no memory) is
 * kept and told by table_print(), so cells need no check.
 */
#ifndef HOPFAULT_BASE_TABLE_H
#define HOPFAULT_BASE_TABLE_H

#include <stdbool.h>
#include <stdio.h>

#include "base/cleanup.h"

enum table_align { TABLE_LEFT, TABLE_RIGHT };

struct table_column {
	const char *header;
	const char *
		group; /* neighbours with the same pointer or text share this heading above theirs; or NULL */
	enum table_align align;
	unsigned int max_width; /* 0: no limit */
	bool shrinks; /* gives way when the table is wider than it may be */
};

struct table;

/* `columns` must live as long as the table. `total_width` 0: no limit. NULL: no memory. */
struct table *table_new(const struct table_column *columns, unsigned int count,
			unsigned int total_width);
void table_free(struct table *table);
DEFINE_CLEANUP(struct table *, table_free)

/* The next cell of the current row. */
void table_cell(struct table *table, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* A line of dashes before the next row. A row that is not full is filled with empty cells first. */
void table_rule(struct table *table);

/* 0, or what went wrong while it was filled or printed. */
int table_print(struct table *table, FILE *out);

#endif
