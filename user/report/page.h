/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * page.h - a folder of CSV files as one page to read.
 *
 *     DIR/report.md there:  its text, tables and pictures, and behind them every CSV file
 *     not there:		   what the CSV files are shows how they are told: calls (hops.csv), requests (load's), others
 *
 * A folder may be anybody's: text is escaped, HTML in report.md is left out, pictures can run nothing, sizes are bounded.
 */
#ifndef HOPFAULT_REPORT_PAGE_H
#define HOPFAULT_REPORT_PAGE_H

#include <stdio.h>

#include "report/folder.h"

#define PAGE_ERROR_MAX	  5120
#define PAGE_TEXT_MAX	  (4U << 20) /* report.md */
#define PAGE_PICTURE_MAX  (8U << 20)
#define PAGE_PICTURES_MAX 64
#define PAGE_EMBED_MAX \
	(256U << 10) /* of a CSV file that is put into the page; larger ones are linked */
#define PAGE_ROWS_SHOWN 20

/* 0, or -errno with a sentence in `error`: -ENODATA: there is nothing to tell of. */
int page_write(const struct folder *folder, FILE *out, char *error);

/* ---- its parts ---- */

/* report.md's text as HTML. */
int page_markdown(const struct folder *folder, const char *text, size_t len, FILE *out);
/* The first heading, or "". */
void page_markdown_title(const char *text, char *title, size_t size);

/* How many of the folder's files were told of as calls and requests. */
int page_figures(const struct folder *folder, FILE *out, unsigned int *ret_told, char *error);
/* Each CSV file: its size, its first rows, and itself. */
int page_files(const struct folder *folder, FILE *out, char *error);
void page_picture_of(const struct folder *folder, const char *name, const char *title, FILE *out);

#endif
