/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test_page.c - facts about the page of a folder: what it tells, and that nobody's words can do anything in it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "export_data.h"
#include "report/html.h"
#include "report/page.h"

struct fixture {
	char path[64];
	char error[PAGE_ERROR_MAX];
	char *text; /* of the page */
};

static int setup(void **state)
{
	struct fixture *fixture = calloc(1, sizeof(*fixture));

	data_make_folder(fixture->path, sizeof(fixture->path));
	*state = fixture;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *fixture = *state;

	data_remove_folder(fixture->path);
	free(fixture->text);
	free(fixture);
	return 0;
}

static void put(struct fixture *fixture, const char *name, const char *text)
{
	char path[256];
	FILE *file;

	snprintf(path, sizeof(path), "%s/%s", fixture->path, name);
	file = fopen(path, "we");
	assert_non_null(file);
	fputs(text, file);
	assert_int_equal(fclose(file), 0);
}

static int try_page(struct fixture *fixture)
{
	_cleanup_(folder_done) struct folder folder = {};
	size_t len;
	FILE *out = open_memstream(&fixture->text, &len);
	int r;

	assert_int_equal(folder_open(fixture->path, &folder), 0);
	r = page_write(&folder, out, fixture->error);
	assert_int_equal(fclose(out), 0);
	return r;
}

static const char *page(struct fixture *fixture)
{
	if (try_page(fixture) < 0)
		fail_msg("refused: %s", fixture->error);
	return fixture->text;
}

static unsigned int count(const char *text, const char *what)
{
	unsigned int found = 0;

	for (const char *at = strstr(text, what); at; at = strstr(at + 1, what))
		found++;
	return found;
}

static void assert_has(const char *text, const char *what)
{
	if (!strstr(text, what))
		fail_msg("the page has no '%s'", what);
}

static void assert_has_not(const char *text, const char *what)
{
	if (strstr(text, what))
		fail_msg("the page has '%s'", what);
}

static void a_text_is_rendered_with_its_tables_and_pictures(void **state)
{
	struct fixture *fixture = *state;
	const char *text;

	put(fixture, "report.md",
	    "# A title\n\n| a | b |\n|---|--:|\n| x | 1 |\n\n![Floor](floor.svg)\n");
	put(fixture, "floor.svg", "<svg/>");
	put(fixture, "points.csv", "a,b\n1,2\n");
	text = page(fixture);
	assert_has(text, "<title>A title</title>");
	assert_has(text, "<td align=\"right\">1</td>");
	assert_has(text, "<figure><img alt=\"Floor\" src=\"data:image/svg+xml;base64,PHN2Zy8+\">");
	assert_has_not(text, "<p><figure>");
	assert_has(text, "points.csv: 1 rows, 2 columns");
	assert_has(text, "download=\"points.csv\" href=\"data:text/csv;base64,YSxiCjEsMgo=\"");
}

static void html_in_a_text_is_left_out(void **state)
{
	struct fixture *fixture = *state;
	const char *text;

	put(fixture, "report.md",
	    "# T</title><script>alert(1)</script>\n\n<script>alert(2)</script>\n\n"
	    "<img src=x onerror=alert(3)> [l](javascript:alert(4))\n");
	text = page(fixture);
	assert_has_not(text, "<script");
	assert_has_not(text, "onerror");
	assert_has_not(text, "javascript:");
	assert_int_equal(count(text, "</title>"), 1);
}

static void nothing_is_fetched_from_elsewhere(void **state)
{
	struct fixture *fixture = *state;
	const char *text;

	put(fixture, "report.md",
	    "![a](http://example.org/x.svg) ![b](../../etc/x.svg) ![c](report.md)\n");
	text = page(fixture);
	assert_has_not(text, "<img");
	assert_has_not(text, "example.org");
	assert_int_equal(count(text, "a picture that is not in this folder"), 3);
	assert_has(text, "default-src 'none'");
}

static void calls_are_told_of_as_a_table_and_a_picture(void **state)
{
	struct fixture *fixture = *state;
	const char *text;
	struct export *export;
	char path[256];

	snprintf(path, sizeof(path), "%s/hops.csv", fixture->path);
	assert_int_equal(export_open(&export_csv, path, 0, &export, NULL), 0);
	data_export(export, &data_baseline, 10, 0);
	data_export(export, &data_injected, 10, 5000000);
	assert_int_equal(export_close(export), 0);
	text = page(fixture);
	assert_has(text, "<h3>baseline and injected</h3>");
	assert_has(text, "Delay asked and given, one way");
	assert_has(text, "Injected and real");
	assert_int_equal(count(text, "data:image/svg+xml"), 1);
}

static void requests_are_told_of_by_answer_and_over_time(void **state)
{
	struct fixture *fixture = *state;
	const char *text;

	put(fixture, "load.csv",
	    "schema_version,request,start_mono_ns,latency_ns,intended_latency_ns,status,error,"
	    "failing_hop\n"
	    "1,0,1000,2000000,2000000,200,,\n1,1,5000,3000000,3000000,504,timeout,<i>-&gt;\n"
	    "1,2,9000,4000000,4000000,,refused,\n");
	text = page(fixture);
	assert_has(text, "<td>504 timeout &lt;i&gt;-&amp;gt;</td>");
	assert_has(text, "<td>no answer refused</td>");
	assert_has(text, "<td class=\"n\">4.000ms</td>");
	assert_int_equal(count(text, "data:image/svg+xml"), 1);
	assert_has_not(text, "<i>");
}

static void a_summary_alone_is_told_of_by_hop(void **state)
{
	struct fixture *fixture = *state;
	const char *text;

	put(fixture, "summary.csv",
	    "run_id,src,dst,stage,count,p50_ns,p95_ns,p99_ns\n"
	    "r,a,<b>,total,7,1500000,2500000,\nr,a,<b>,net_req,7,1,1,1\n");
	text = page(fixture);
	assert_has(text, "<td>&lt;b&gt;</td>");
	assert_has(text, "<td class=\"n\">1.500ms</td>");
	assert_int_equal(count(text, "<td>r</td>"), 1 + 2); /* and the file's own two rows */
}

static void broken_files_are_named_and_do_no_harm(void **state)
{
	struct fixture *fixture = *state;
	const char *text;

	put(fixture, "broken.csv", "a,b\n1\n");
	put(fixture, "fine.csv", "a\n<script>\n");
	text = page(fixture);
	assert_has(text, "broken.csv: can't be read");
	assert_has(text, "line 2: it has not as many fields");
	assert_has(text, "&lt;script&gt;");
}

static void an_empty_folder_is_refused(void **state)
{
	struct fixture *fixture = *state;

	assert_int_equal(try_page(fixture), -ENODATA);
	assert_has(fixture->error, "no report.md, no CSV file and no picture");
}

static void bytes_are_written_in_base64(void **state)
{
	static const char *const pairs[][2] = {
		{ "", "" },	   { "f", "Zg==" },	   { "fo", "Zm8=" },
		{ "foo", "Zm9v" }, { "foob", "Zm9vYg==" }, { "\xff\xfe", "//4=" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(pairs); i++) { /* RFC 4648, 10 */
		_cleanup_(freep) char *text = NULL;
		size_t len;
		FILE *out = open_memstream(&text, &len);

		html_base64(out, pairs[i][0], strlen(pairs[i][0]));
		assert_int_equal(fclose(out), 0);
		assert_string_equal(text, pairs[i][1]);
	}
}

#define FACT(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		FACT(a_text_is_rendered_with_its_tables_and_pictures),
		FACT(html_in_a_text_is_left_out),
		FACT(nothing_is_fetched_from_elsewhere),
		FACT(calls_are_told_of_as_a_table_and_a_picture),
		FACT(requests_are_told_of_by_answer_and_over_time),
		FACT(a_summary_alone_is_told_of_by_hop),
		FACT(broken_files_are_named_and_do_no_harm),
		FACT(an_empty_folder_is_refused),
		FACT(bytes_are_written_in_base64),
	};

	return cmocka_run_group_tests_name("page", tests, NULL, NULL);
}
