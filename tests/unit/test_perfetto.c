/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test_perfetto.c - facts about the JSON formats: they parse, and say what the chains say. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "export_data.h"

static const char *hostile_name(void *ctx, uint32_t id)
{
	(void)ctx;
	(void)id;
	return "a\"\\\x1b\xff\n";
}

static void write_file(const struct export_format *format, const char *path,
		       const struct export_run *run)
{
	struct export *export;

	assert_int_equal(export_open(format, path, 0, &export, NULL), 0);
	data_export(export, run, 3, 5000000);
	assert_int_equal(export_close(export), 0);
}

static size_t count_phase(const json_t *events, const char *phase)
{
	size_t found = 0, i;
	json_t *event;

	json_array_foreach(events, i, event) found +=
		!strcmp(json_string_value(json_object_get(event, "ph")), phase);
	return found;
}

static void trace_events_are_json_with_an_arrow_for_each_call(void **state)
{
	struct export_run run = data_injected;
	char folder[64], path[128];
	json_t *root, *events;

	(void)state;
	run.endpoint_name = hostile_name;
	data_make_folder(folder, sizeof(folder));
	snprintf(path, sizeof(path), "%s/trace.json", folder);
	write_file(&export_perfetto, path, &run);
	root = json_load_file(path, 0, NULL);
	assert_non_null(root);
	events = json_object_get(root, "traceEvents");
	assert_int_equal(count_phase(events, "M"), 6); /* endpoints */
	assert_int_equal(count_phase(events, "s"), 15);
	assert_int_equal(count_phase(events, "f"), 15);
	json_decref(root);
	data_remove_folder(folder);
}

static void every_json_line_is_an_object_with_all_columns(void **state)
{
	_cleanup_(freep) char *text = NULL;
	char folder[64], path[128], *line, *rest;
	struct export_run run = data_injected;
	unsigned int lines = 0;
	json_t *object;

	(void)state;
	run.run_id = "say \"hi\"\n";
	data_make_folder(folder, sizeof(folder));
	snprintf(path, sizeof(path), "%s/hops.jsonl", folder);
	write_file(&export_jsonl, path, &run);
	text = data_read_file(path);
	for (line = strtok_r(text, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest)) {
		object = json_loads(line, JSON_REJECT_DUPLICATES, NULL);
		assert_non_null(object);
		assert_int_equal(json_object_size(object), 50);
		assert_true(json_is_null(json_object_get(object, "connect_ns")));
		assert_true(json_is_integer(json_object_get(object, "total_ns")));
		assert_string_equal(json_string_value(json_object_get(object, "run_id")),
				    "say \"hi\"\\x0a");
		json_decref(object);
		lines++;
	}
	assert_int_equal(lines, 15);
	data_remove_folder(folder);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(trace_events_are_json_with_an_arrow_for_each_call),
		cmocka_unit_test(every_json_line_is_an_object_with_all_columns),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
