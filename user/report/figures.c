/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * figures.c - a page without an author: CSV files are told of by what their columns are.
 *
 *   run_id, trace_id, span_id     calls: the table that `trace` and `compare` print, and the cumulative picture
 *   run_id, src, dst, stage	   a trace's summary, where its calls are not there: percentiles by hop
 *   start_mono_ns, latency_ns,	   requests of a load: what was answered, how fast, and over time
 *   status
 *
 * Others are among the files at the page's end.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/histogram.h"
#include "base/units.h"
#include "export/hoptable.h"
#include "export/runs.h"
#include "report/chart.h"
#include "report/html.h"
#include "report/page.h"

#define RUNS_SHOWN  16
#define ANSWERS_MAX 32

/* ---- calls ---- */

static int write_table(struct summary *summary, unsigned int runs, FILE *out)
{
	struct hoptable_run run[2] = {
		{ .summary = &summary[0], .lost_events = HOPTABLE_LOST_UNKNOWN },
		{ .summary = &summary[1], .lost_events = HOPTABLE_LOST_UNKNOWN },
	};
	_cleanup_(freep) char *text = NULL;
	char *line, *rest;
	size_t len;
	FILE *table = open_memstream(&text, &len);
	int r;

	if (!table)
		return -ENOMEM;
	r = hoptable_print(run, runs, table);
	if (fclose(table) == EOF || r < 0)
		return r < 0 ? r : -ENOMEM;
	fputs("<pre>", out);
	for (rest = text; (line = strsep(&rest, "\n")) != NULL;) {
		html_text(out,
			  line); /* what is not printable in a line is escaped, its end is ours */
		fputc('\n', out);
	}
	fputs("</pre>\n", out);
	return 0;
}

static int write_drawn(FILE *out, int fd)
{
	_cleanup_(freep) char *svg = NULL;
	off_t len = lseek(fd, 0, SEEK_END);

	if (len <= 0 || (size_t)len > PAGE_PICTURE_MAX)
		return -EIO;
	svg = malloc((size_t)len);
	if (!svg)
		return -ENOMEM;
	if (pread(fd, svg, (size_t)len, 0) != len)
		return -EIO;
	html_picture(out, "Cumulative latency along the chain", svg, (size_t)len);
	return 0;
}

/* One run, or two side by side; the picture is drawn into memory. */
static int write_runs(const char *path, char *const *name, unsigned int runs, FILE *out,
		      char *error)
{
	_cleanup_(closep) int fd = memfd_create("picture", MFD_CLOEXEC);
	_cleanup_(export_freep) struct export *picture = NULL;
	struct summary summary[2] = {};
	char place[64];
	int r;

	if (fd < 0)
		return -errno;
	snprintf(place, sizeof(place), "/proc/self/fd/%d", fd);
	r = export_open(&export_svg, place, 0, &picture, error);
	for (unsigned int i = 0; i < runs && r == 0; i++)
		r = runs_read(path, name[i], &summary[i], picture, error);
	if (r == 0)
		r = write_table(summary, runs, out);
	for (unsigned int i = 0; i < runs; i++)
		summary_done(&summary[i]);
	if (r == 0)
		r = export_close(TAKE_PTR(picture));
	return r == 0 ? write_drawn(out, fd) : r;
}

static int write_calls(const char *path, const char *name, FILE *out, char *error)
{
	_cleanup_(runs_done) struct runs runs = {};
	char title[512];
	int r;

	r = runs_list(path, &runs, error);
	if (r < 0)
		return r;
	snprintf(title, sizeof(title), "Calls: %s", name);
	html_element(out, "h2", title);
	if (runs.count == 0)
		html_element(out, "p", "No call was seen.");
	if (runs.count == 2) {
		snprintf(title, sizeof(title), "%.200s and %.200s", runs.name[0], runs.name[1]);
		html_element(out, "h3", title);
		return write_runs(path, runs.name, 2, out, error);
	}
	for (unsigned int i = 0; i < runs.count && i < RUNS_SHOWN && r == 0; i++) {
		html_element(out, "h3", runs.name[i]);
		r = write_runs(path, &runs.name[i], 1, out, error);
	}
	if (runs.count > RUNS_SHOWN)
		fprintf(out, "<p>%u runs more are not shown.</p>\n", runs.count - RUNS_SHOWN);
	return r;
}

/* ---- requests ---- */

struct answer { /* requests that ended alike */
	char name[CHART_NAME_MAX];
	struct samples latency_ns;
};

static struct answer *answer_for(struct answer *answers, unsigned int *count, const char *name)
{
	unsigned int i = 0;

	while (i < *count && strcmp(answers[i].name, name))
		i++;
	if (i == ANSWERS_MAX)
		return NULL;
	if (i == *count) {
		snprintf(answers[i].name, sizeof(answers[i].name), "%s", name);
		samples_init(&answers[i].latency_ns, 0);
		(*count)++;
	}
	return &answers[i];
}

static void name_answer(const struct sheet *sheet, size_t row, char name[CHART_NAME_MAX])
{
	static const char *const columns[] = { "status", "error", "failing_hop" };
	size_t used = 0;

	name[0] = '\0';
	for (size_t i = 0; i < ARRAY_SIZE(columns); i++) {
		int column = sheet_find(sheet, columns[i]);
		const char *cell = column < 0 ? "" : sheet_cell(sheet, row, column);

		if (i == 0 && !*cell)
			cell = "no answer";
		if (*cell)
			used += (size_t)snprintf(name + used, CHART_NAME_MAX - used, "%s%.36s",
						 used ? " " : "", cell);
	}
}

static void write_answers(struct answer *answers, unsigned int count, FILE *out)
{
	static const double percents[] = { 50, 95, 99 };
	char text[UNITS_TEXT_MAX];

	fputs("<table><thead><tr><th>answer</th><th>requests</th><th>p50</th><th>p95</th>"
	      "<th>p99</th></tr></thead><tbody>\n",
	      out);
	for (unsigned int i = 0; i < count; i++) {
		fputs("<tr>", out);
		html_element(out, "td", answers[i].name);
		snprintf(text, sizeof(text), "%lu", (unsigned long)answers[i].latency_ns.count);
		html_cell(out, text);
		for (size_t k = 0; k < ARRAY_SIZE(percents); k++)
			html_cell(out, units_format_duration(
					       text, samples_percentile(&answers[i].latency_ns,
									percents[k])));
		fputs("</tr>\n", out);
	}
	fputs("</tbody></table>\n", out);
}

static int count_answers(const struct sheet *sheet, FILE *out)
{
	struct answer *answers = calloc(ANSWERS_MAX, sizeof(*answers));
	int column = sheet_find(sheet, "latency_ns"), r = 0;
	unsigned int count = 0;
	char name[CHART_NAME_MAX];
	double ns;

	if (!answers)
		return -ENOMEM;
	for (size_t row = 0; row < sheet->rows && r == 0; row++) {
		struct answer *answer;

		name_answer(sheet, row, name);
		answer = answer_for(answers, &count, name);
		if (answer && sheet_number(sheet_cell(sheet, row, column), &ns) && ns >= 0)
			r = samples_add(&answer->latency_ns, (uint64_t)ns);
	}
	if (r == 0)
		write_answers(answers, count, out);
	for (unsigned int i = 0; i < count; i++)
		samples_done(&answers[i].latency_ns);
	free(answers);
	return r;
}

static int draw_answers(const struct sheet *sheet, FILE *out, char *error)
{
	struct chart_wish wish = {
		.x = { 2, { "start_mono_ns", "latency_ns" } },
		.by = { 1, { "status" } },
		.title = "What the client got, and when",
		.y_title = "requests ended",
	};
	_cleanup_(chart_done) struct chart chart = {};
	_cleanup_(freep) char *svg = NULL;
	size_t len;
	FILE *picture;

	for (unsigned int i = 0; chart_kinds[i]; i++)
		if (!strcmp(chart_kinds[i]->name, "stack"))
			wish.kind = chart_kinds[i];
	if (sheet_find(sheet, "error") >= 0)
		wish.by.name[wish.by.count++] = "error";
	if (sheet_find(sheet, "failing_hop") >= 0)
		wish.by.name[wish.by.count++] = "failing_hop";
	if (sheet->rows == 0 || chart_read(&wish, sheet, &chart, error) < 0)
		return 0; /* no picture, then */
	picture = open_memstream(&svg, &len);
	if (!picture)
		return -ENOMEM;
	chart_write(&chart, picture);
	if (fclose(picture) == EOF)
		return -ENOMEM;
	html_picture(out, wish.title, svg, len);
	return 0;
}

static int write_requests(const struct sheet *sheet, const char *name, FILE *out, char *error)
{
	char title[512];
	int r;

	snprintf(title, sizeof(title), "Requests: %s", name);
	html_element(out, "h2", title);
	r = count_answers(sheet, out);
	return r == 0 ? draw_answers(sheet, out, error) : r;
}

/* ---- a summary alone ---- */

static void write_time(const struct sheet *sheet, size_t row, const char *column, FILE *out)
{
	const char *cell = sheet_cell(sheet, row, sheet_find(sheet, column));
	char text[UNITS_TEXT_MAX] = "";
	double ns;

	if (sheet_number(cell, &ns) && ns >= 0)
		units_format_duration(text, (uint64_t)ns);
	html_cell(out, text);
}

static void write_summary(const struct sheet *sheet, const char *name, FILE *out)
{
	static const char *const words[] = { "run_id", "src", "dst" };
	static const char *const times[] = { "p50_ns", "p95_ns", "p99_ns" };
	int stage = sheet_find(sheet, "stage"), count = sheet_find(sheet, "count");
	char title[512];

	snprintf(title, sizeof(title), "Hops: %s", name);
	html_element(out, "h2", title);
	fputs("<table><thead><tr><th>run</th><th>from</th><th>to</th><th>calls</th><th>p50</th>"
	      "<th>p95</th><th>p99</th></tr></thead><tbody>\n",
	      out);
	for (size_t row = 0; row < sheet->rows; row++) {
		if (strcmp(sheet_cell(sheet, row, stage), "total"))
			continue;
		fputs("<tr>", out);
		for (size_t i = 0; i < ARRAY_SIZE(words); i++)
			html_element(out, "td",
				     sheet_cell(sheet, row, sheet_find(sheet, words[i])));
		html_cell(out, sheet_cell(sheet, row, count));
		for (size_t i = 0; i < ARRAY_SIZE(times); i++)
			write_time(sheet, row, times[i], out);
		fputs("</tr>\n", out);
	}
	fputs("</tbody></table>\n", out);
}

/* ---- all of them ---- */

static bool has_columns(const struct sheet *sheet, const char *const *columns)
{
	for (; *columns; columns++)
		if (sheet_find(sheet, *columns) < 0)
			return false;
	return true;
}

static int tell_of(const struct folder *folder, const char *name, FILE *out, bool *ret_told,
		   char *error)
{
	static const char *const calls[] = { "run_id", "trace_id", "span_id", NULL };
	static const char *const requests[] = { "start_mono_ns", "latency_ns", "status", NULL };
	static const char *const summary[] = { "run_id", "src",	   "dst",    "stage", "count",
					       "p50_ns", "p95_ns", "p99_ns", NULL };
	_cleanup_(sheet_done) struct sheet sheet = {};
	char path[FOLDER_PATH_MAX];

	folder_path_of(folder, name, path);
	*ret_told = false;
	if (sheet_read(path, &sheet, error) < 0)
		return 0; /* it is said where the files are */
	*ret_told = true;
	if (has_columns(&sheet, calls))
		return write_calls(path, name, out, error);
	if (has_columns(&sheet, requests))
		return write_requests(&sheet, name, out, error);
	if (has_columns(&sheet, summary) && !folder_has(folder, "hops.csv")) {
		write_summary(&sheet, name, out);
		return 0;
	}
	*ret_told = false;
	return 0;
}

int page_figures(const struct folder *folder, FILE *out, unsigned int *ret_told, char *error)
{
	bool told;
	int r = 0;

	*ret_told = 0;
	for (unsigned int i = 0; i < folder->count && r == 0; i++) {
		if (!folder_name_ends(folder->name[i], ".csv"))
			continue;
		error[0] = '\0';
		r = tell_of(folder, folder->name[i], out, &told, error);
		*ret_told += told;
	}
	if (r < 0 && !error[0])
		snprintf(error, PAGE_ERROR_MAX, "%s: %s", folder->path, strerror(-r));
	return r;
}
