/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test_svg.c - facts about the picture: well-formed, complete, safe, and the same for the same chains. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "export_data.h"

#define DELAY 5000000

struct fixture {
	char folder[64];
	char path[128];
};

static int setup(void **state)
{
	struct fixture *fixture = calloc(1, sizeof(*fixture));

	data_make_folder(fixture->folder, sizeof(fixture->folder));
	snprintf(fixture->path, sizeof(fixture->path), "%s/chain.svg", fixture->folder);
	*state = fixture;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *fixture = *state;

	data_remove_folder(fixture->folder);
	free(fixture);
	return 0;
}

static unsigned int count(const char *text, const char *what)
{
	unsigned int found = 0;

	for (text = strstr(text, what); text; text = strstr(text + 1, what))
		found++;
	return found;
}

/* Elements nest, attributes are quoted, no bare & or <: enough for a file that this program wrote. */
static void assert_well_formed(const char *text)
{
	const char *open[64];
	size_t length[64], depth = 0;

	for (text = strchr(text, '<'); text; text = strchr(text, '<')) {
		const char *end = strchr(text, '>'), *amp = strchr(text, '&');

		assert_non_null(end);
		for (; amp && amp < end + strcspn(end, "<"); amp = strchr(amp + 1, '&'))
			assert_true(!strncmp(amp, "&lt;", 4) || !strncmp(amp, "&gt;", 4) ||
				    !strncmp(amp, "&amp;", 5) || !strncmp(amp, "&quot;", 6) ||
				    !strncmp(amp, "&#39;", 5));
		if (text[1] == '/') {
			assert_true(depth > 0);
			depth--;
			assert_int_equal(end - text - 2, length[depth]);
			assert_memory_equal(text + 2, open[depth], length[depth]);
		} else if (text[1] != '?' && end[-1] != '/') {
			assert_true(depth < 64);
			open[depth] = text + 1;
			length[depth++] = strcspn(text + 1, " >");
		}
		text = end;
	}
	assert_int_equal(depth, 0);
}

/* A parser's word, where there is one. */
static void assert_parsed(const char *path)
{
	char command[256];

	if (access("/usr/bin/xmllint", X_OK))
		return;
	snprintf(command, sizeof(command), "/usr/bin/xmllint --nonet --noout %s", path);
	assert_int_equal(system(command), 0);
}

static char *draw(const char *path, const struct export_run *before, const struct export_run *after,
		  unsigned int chains)
{
	struct export *export;

	assert_int_equal(export_open(&export_svg, path, 0, &export, NULL), 0);
	data_export(export, before, chains, 0);
	if (after)
		data_export(export, after, chains, DELAY);
	assert_int_equal(export_close(export), 0);
	assert_parsed(path);
	return data_read_file(path);
}

static void two_runs_are_two_lines_and_one_of_them_has_a_shaded_part(void **state)
{
	struct fixture *fixture = *state;
	_cleanup_(freep) char *text = draw(fixture->path, &data_baseline, &data_injected, 100);

	assert_well_formed(text);
	assert_int_equal(count(text, "class=\"median\""), 2);
	assert_int_equal(count(text, "class=\"band\""), 2);
	assert_int_equal(count(text, "class=\"injected\""), 1);
	assert_int_equal(count(text, ">client</text>"), 2);
	assert_int_equal(count(text, ">e</text>"), 1);
	assert_non_null(strstr(text, "20.0 ms of 20."));
	assert_non_null(strstr(text, "baseline: median of 100 chains"));
	assert_null(strstr(text, "<script"));
	assert_null(strstr(text, "nan"));
	assert_null(strstr(text, "inf"));
	data_assert_golden(fixture->path, "cumulative.svg");
}

static void one_run_is_one_line(void **state)
{
	struct fixture *fixture = *state;
	_cleanup_(freep) char *text = draw(fixture->path, &data_baseline, NULL, 1);

	assert_well_formed(text);
	assert_int_equal(count(text, "class=\"median\""), 1);
	assert_int_equal(count(text, "class=\"injected\""), 0);
}

static void no_chain_is_said(void **state)
{
	struct fixture *fixture = *state;
	_cleanup_(freep) char *text = draw(fixture->path, &data_baseline, NULL, 0);

	assert_well_formed(text);
	assert_non_null(strstr(text, "No chain was seen."));
}

static const char *hostile_name(void *ctx, uint32_t id)
{
	(void)ctx;
	return id % 2 ? "<b>&\"" : "a\x1b\xff-name-that-is-far-too-long-for-the-axis";
}

static void hostile_names_are_text(void **state)
{
	struct fixture *fixture = *state;
	struct export_run run = data_baseline;
	_cleanup_(freep) char *text = NULL;

	run.run_id = "</text><script>alert(1)</script>";
	run.endpoint_name = hostile_name;
	text = draw(fixture->path, &run, NULL, 3);
	assert_well_formed(text);
	assert_null(strstr(text, "<script>"));
	assert_non_null(strstr(text, ">&lt;b&gt;&amp;&quot;</text>"));
	assert_null(strchr(text, '\x1b'));
	assert_null(strchr(text, '\xff'));
}

static void calls_without_times_are_no_trouble(void **state)
{
	struct fixture *fixture = *state;
	struct call call = data_unknown_call();
	struct chain chain = { .calls = 1, .call = &call };
	_cleanup_(freep) char *text = NULL;
	struct export *export;

	assert_int_equal(export_open(&export_svg, fixture->path, 0, &export, NULL), 0);
	assert_int_equal(export_begin_run(export, &data_baseline), 0);
	assert_int_equal(export_chain(export, &chain), 0);
	call.start_mono_ns = 5;
	call.total_ns = 0;
	assert_int_equal(export_chain(export, &chain), 0);
	assert_int_equal(export_end_run(export), 0);
	assert_int_equal(export_close(export), 0);
	text = data_read_file(fixture->path);
	assert_well_formed(text);
	assert_null(strstr(text, "nan"));
	assert_non_null(strstr(text, "1 chains that took another way"));
}

static void a_third_run_is_refused(void **state)
{
	struct fixture *fixture = *state;
	_cleanup_(export_freep) struct export *export = NULL;

	assert_int_equal(export_open(&export_svg, fixture->path, 0, &export, NULL), 0);
	data_export(export, &data_baseline, 1, 0);
	data_export(export, &data_injected, 1, DELAY);
	assert_int_equal(export_begin_run(export, &data_baseline), -E2BIG);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			two_runs_are_two_lines_and_one_of_them_has_a_shaded_part, setup, teardown),
		cmocka_unit_test_setup_teardown(one_run_is_one_line, setup, teardown),
		cmocka_unit_test_setup_teardown(no_chain_is_said, setup, teardown),
		cmocka_unit_test_setup_teardown(hostile_names_are_text, setup, teardown),
		cmocka_unit_test_setup_teardown(calls_without_times_are_no_trouble, setup,
						teardown),
		cmocka_unit_test_setup_teardown(a_third_run_is_refused, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
