/* SPDX-License-Identifier: GPL-2.0-or-later */
/* page.c - see page.h. */
#include "report/page.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "report/html.h"
#include "report/sheet.h"

static const char *base_name(const struct folder *folder)
{
	const char *slash = strrchr(folder->path, '/');

	return slash && slash[1] ? slash + 1 : folder->path;
}

void page_picture_of(const struct folder *folder, const char *name, const char *title, FILE *out)
{
	_cleanup_(freep) char *svg = NULL;
	char said[512];
	size_t len;
	int r;

	r = folder_read(folder, name, PAGE_PICTURE_MAX, &svg, &len);
	if (r < 0) {
		snprintf(said, sizeof(said), "(%s can't be shown: %s)", name,
			 r == -EFBIG ? "larger than 8 MB" : strerror(-r));
		html_element(out, "p", said);
		return;
	}
	html_picture(out, title, svg, len);
}

/* ---- with a text ---- */

static int write_text(const struct folder *folder, FILE *out, char *error)
{
	_cleanup_(freep) char *text = NULL;
	char title[256];
	size_t len;
	int r;

	r = folder_read(folder, "report.md", PAGE_TEXT_MAX, &text, &len);
	if (r < 0) {
		snprintf(error, PAGE_ERROR_MAX, "%s/report.md: %s", folder->path,
			 r == -EFBIG ? "larger than 4 MB" : strerror(-r));
		return r;
	}
	page_markdown_title(text, title, sizeof(title));
	html_begin(out, *title ? title : base_name(folder));
	r = page_markdown(folder, text, len, out);
	if (r < 0)
		snprintf(error, PAGE_ERROR_MAX, "%s/report.md: %s", folder->path, strerror(-r));
	return r;
}

/* ---- without one ---- */

static void write_pictures(const struct folder *folder, FILE *out)
{
	unsigned int shown = 0;

	for (unsigned int i = 0; i < folder->count; i++) {
		if (!folder_name_ends(folder->name[i], ".svg") || shown == PAGE_PICTURES_MAX)
			continue;
		if (shown++ == 0)
			html_element(out, "h2", "Pictures");
		page_picture_of(folder, folder->name[i], folder->name[i], out);
	}
}

static int write_figures(const struct folder *folder, FILE *out, char *error)
{
	unsigned int told;
	int r;

	html_begin(out, base_name(folder));
	html_element(out, "h1", base_name(folder));
	r = page_figures(folder, out, &told, error);
	if (r == 0)
		write_pictures(folder, out);
	return r;
}

/* ---- the files themselves ---- */

static void write_row(const struct sheet *sheet, size_t row, FILE *out)
{
	fputs("<tr>", out);
	for (unsigned int i = 0; i < sheet->columns; i++) {
		char text[80];

		snprintf(text, sizeof(text), "%.76s", sheet_cell(sheet, row, (int)i));
		html_cell(out, text);
	}
	fputs("</tr>\n", out);
}

static void write_sheet(const struct sheet *sheet, FILE *out)
{
	size_t rows = sheet->rows < PAGE_ROWS_SHOWN ? sheet->rows : PAGE_ROWS_SHOWN;

	fputs("<div class=\"wide\"><table><thead><tr>", out);
	for (unsigned int i = 0; i < sheet->columns; i++) {
		fputs("<th>", out);
		html_text(out, sheet->column[i]);
		fputs("</th>", out);
	}
	fputs("</tr></thead><tbody>\n", out);
	for (size_t row = 0; row < rows; row++)
		write_row(sheet, row, out);
	fputs("</tbody></table></div>\n", out);
	if (rows < sheet->rows)
		fprintf(out, "<p>and %zu rows more</p>\n", sheet->rows - rows);
}

/* A small file is in the page; of a large one the page says where it lay: beside it. */
static void write_link(const struct folder *folder, const char *name, FILE *out)
{
	_cleanup_(freep) char *bytes = NULL;
	size_t len;

	if (folder_read(folder, name, PAGE_EMBED_MAX, &bytes, &len) < 0) {
		fputs("<p>The file is too large to be in this page: it is ", out);
		html_text(out, name);
		fputs(" beside it.</p>\n", out);
		return;
	}
	fputs("<p><a download=\"", out);
	html_text(out, name);
	fputs("\" href=\"data:text/csv;base64,", out);
	html_base64(out, bytes, len);
	fputs("\">save it</a></p>\n", out);
}

static void write_file(const struct folder *folder, const char *name, FILE *out)
{
	_cleanup_(sheet_done) struct sheet sheet = {};
	char path[FOLDER_PATH_MAX], error[SHEET_ERROR_MAX];

	folder_path_of(folder, name, path);
	fputs("<details><summary>", out);
	html_text(out, name);
	if (sheet_read(path, &sheet, error) < 0) {
		fputs(": can't be read</summary>\n", out);
		html_element(out, "p", error);
	} else {
		fprintf(out, ": %zu rows, %u columns</summary>\n", sheet.rows, sheet.columns);
		write_sheet(&sheet, out);
		write_link(folder, name, out);
	}
	fputs("</details>\n", out);
}

int page_files(const struct folder *folder, FILE *out, char *error)
{
	bool has_any = false;

	for (unsigned int i = 0; i < folder->count; i++) {
		if (!folder_name_ends(folder->name[i], ".csv"))
			continue;
		if (!has_any)
			html_element(out, "h2", "The figures, in CSV files");
		has_any = true;
		write_file(folder, folder->name[i], out);
	}
	if (folder->left_out)
		fprintf(out, "<p>The folder has %u files more than this page looked at.</p>\n",
			folder->left_out);
	return 0;
}

static bool has_something(const struct folder *folder)
{
	for (unsigned int i = 0; i < folder->count; i++)
		if (folder_name_ends(folder->name[i], ".csv") ||
		    folder_name_ends(folder->name[i], ".svg"))
			return true;
	return folder_has(folder, "report.md");
}

int page_write(const struct folder *folder, FILE *out, char *error)
{
	int r;

	if (!has_something(folder)) {
		snprintf(error, PAGE_ERROR_MAX, "%s holds no report.md, no CSV file and no picture",
			 folder->path);
		return -ENODATA;
	}
	r = folder_has(folder, "report.md") ? write_text(folder, out, error)
					    : write_figures(folder, out, error);
	if (r == 0)
		r = page_files(folder, out, error);
	if (r < 0)
		return r;
	html_end(out);
	if (ferror(out)) {
		snprintf(error, PAGE_ERROR_MAX, "it can't be written");
		return -EIO;
	}
	return 0;
}
