/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test_csv.c - facts about hops.csv: its columns, its quoting, going on with a file that is there, and reading it again. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "export/columns.h"
#include "export/csv_read.h"
#include "export/measure.h"
#include "export_data.h"

/* The format's contract, written out once more on purpose. */
static const char header[] =
	"schema_version,run_id,trace_id,span_id,parent_span_id,depth,src,dst,src_addr,src_port,"
	"dst_addr,dst_port,proto,method,path,status,req_bytes,resp_bytes,start_time,start_mono_ns,"
	"connect_ns,total_ns,cli_send_ns,req_stream_ns,net_req_ns,hold_req_ns,srv_queue_ns,srv_app_"
	"ns,"
	"srv_send_ns,resp_stream_ns,net_resp_ns,hold_resp_ns,cli_queue_ns,unattributed_ns,srv_self_"
	"ns,"
	"inj_connect_ns,inj_req_ns,inj_resp_ns,inj_stream_ns,inj_loss_ns,injected_ns,real_loss_ns,"
	"retransmits,drops_injected,drops_real,rule_ids,link_method,link_confidence,shape,"
	"complete\n";

struct fixture {
	char folder[64];
	char path[128];
};

static int setup(void **state)
{
	struct fixture *fixture = calloc(1, sizeof(*fixture));

	data_make_folder(fixture->folder, sizeof(fixture->folder));
	snprintf(fixture->path, sizeof(fixture->path), "%s/hops.csv", fixture->folder);
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

static void write_run(const char *path, const struct export_run *run, unsigned int flags,
		      unsigned int chains, uint64_t delay_ns)
{
	struct export *export;

	assert_int_equal(export_open(&export_csv, path, flags, &export, NULL), 0);
	data_export(export, run, chains, delay_ns);
	assert_int_equal(export_close(export), 0);
}

static void write_text(const char *path, const char *text)
{
	FILE *file = fopen(path, "we");

	assert_non_null(file);
	fputs(text, file);
	assert_int_equal(fclose(file), 0);
}

static char *write_one(const char *path, const struct export_run *run, const struct call *call)
{
	struct chain chain = { .calls = 1, .call = call };
	struct export *export;

	assert_int_equal(export_open(&export_csv, path, 0, &export, NULL), 0);
	assert_int_equal(export_begin_run(export, run), 0);
	assert_int_equal(export_chain(export, &chain), 0);
	assert_int_equal(export_end_run(export), 0);
	assert_int_equal(export_close(export), 0);
	return data_read_file(path);
}

static void the_columns_are_the_contract(void **state)
{
	struct fixture *fixture = *state;
	_cleanup_(freep) char *text = NULL;

	write_run(fixture->path, &data_baseline, 0, 0, 0);
	text = data_read_file(fixture->path);
	assert_string_equal(text, header);
}

static void a_measure_stands_in_the_column_of_its_name(void **state)
{
	struct call call = data_unknown_call();
	unsigned int column = 0;
	char name[64];
	int measure;

	(void)state;
	for (measure = 0; measure < MEASURE_COUNT; measure++) {
		struct field field;

		measure_set(&call, (enum measure)measure, 1000 + (uint64_t)measure);
		snprintf(name, sizeof(name), "%s_ns", measure_name((enum measure)measure));
		for (column = 0; column < hop_columns_count; column++)
			if (!strcmp(hop_columns[column].name, name))
				break;
		assert_true(column < hop_columns_count);
		column_value(&hop_columns[column], &data_baseline, &call, &field);
		assert_int_equal(atoi(field.text), 1000 + measure);
	}
}

static void two_runs_are_as_the_golden_file(void **state)
{
	struct fixture *fixture = *state;

	write_run(fixture->path, &data_baseline, 0, 2, 0);
	write_run(fixture->path, &data_injected, EXPORT_APPEND, 2, 5000000);
	data_assert_golden(fixture->path, "hops.csv");
}

static void what_is_unknown_is_empty(void **state)
{
	struct fixture *fixture = *state;
	struct call call = data_unknown_call();
	_cleanup_(freep) char *text = write_one(fixture->path, &data_baseline, &call);

	assert_string_equal(
		strchr(text, '\n') + 1,
		"1,baseline,00000000000000000000000000000000,0000000000000001,,0,client,a"
		",,,,,,,,,0,0,,,,,,,,,,,,,,,,,,,,,,,,,0,0,0,,none,0,turns,0\n");
}

static const char *hostile_name(void *ctx, uint32_t id)
{
	(void)ctx;
	return id == HF_ENDPOINT_FIRST ? "evil\",\n\x1b[31m" : "";
}

static void hostile_names_stay_in_their_field_and_line(void **state)
{
	const struct export_run run = { .run_id = "a,b", .endpoint_name = hostile_name };
	struct fixture *fixture = *state;
	struct call call = data_unknown_call();
	_cleanup_(freep) char *text = NULL;

	strcpy(call.path, "/=1,\"\r\xff");
	text = write_one(fixture->path, &run, &call);
	assert_non_null(strstr(text, "\n1,\"a,b\",000"));
	assert_non_null(strstr(text, ",\"evil\"\",\\x0a\\x1b[31m\",#17,"));
	assert_non_null(strstr(text, ",\"/=1,\"\"\\x0d\\xff\","));
	assert_string_equal(strchr(strchr(text, '\n') + 1, '\n'), "\n"); /* one line */
}

static void a_file_of_another_kind_is_not_appended_to(void **state)
{
	struct fixture *fixture = *state;
	_cleanup_(freep) char *text = NULL;
	char error[EXPORT_ERROR_MAX] = "";
	struct export *export = NULL;

	write_text(fixture->path, "schema_version,run_id\n1,x\n");
	assert_int_equal(export_open(&export_csv, fixture->path, EXPORT_APPEND, &export, error),
			 -EMEDIUMTYPE);
	assert_non_null(strstr(error, "another header"));
	assert_null(export);
	text = data_read_file(fixture->path);
	assert_string_equal(text, "schema_version,run_id\n1,x\n");
}

static void a_file_whose_last_line_is_cut_off_is_not_appended_to(void **state)
{
	struct fixture *fixture = *state;
	struct export *export = NULL;
	char text[2048];

	snprintf(text, sizeof(text), "%s1,basel", header);
	write_text(fixture->path, text);
	assert_int_equal(export_open(&export_csv, fixture->path, EXPORT_APPEND, &export, NULL),
			 -EBADMSG);
}

static void appending_to_nothing_makes_a_file(void **state)
{
	struct fixture *fixture = *state;
	_cleanup_(freep) char *text = NULL;

	write_run(fixture->path, &data_baseline, EXPORT_APPEND, 0, 0);
	text = data_read_file(fixture->path);
	assert_string_equal(text, header);
}

static void what_was_written_can_be_read_and_written_again(void **state)
{
	struct fixture *fixture = *state;
	char again[160], error[EXPORT_ERROR_MAX] = "";
	_cleanup_(freep) char *first = NULL;
	_cleanup_(freep) char *second = NULL;
	struct export_run baseline = data_baseline, injected = data_injected;
	struct export *export;

	baseline.realtime_offset_ns = injected.realtime_offset_ns = 0; /* is not in the file */
	write_run(fixture->path, &baseline, 0, 20, 0);
	write_run(fixture->path, &injected, EXPORT_APPEND, 20, 5000000);
	snprintf(again, sizeof(again), "%s/other", fixture->folder);
	assert_int_equal(export_open(&export_csv, again, 0, &export, NULL), 0);
	assert_int_equal(csv_read_into(fixture->path, export, error), 0);
	assert_int_equal(export_close(export), 0);
	first = data_read_file(fixture->path);
	second = data_read_file(again);
	assert_string_equal(first, second);
}

static void a_broken_row_is_named_by_its_line(void **state)
{
	static const char *const rows[] = {
		"1,baseline\n",
		"\n",
		"\"1,baseline",
		"1,b\"c,d\n",
		"\"\"\"\"\"\",,,\n",
		",,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,\n",
		",,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,\n",
	};
	struct fixture *fixture = *state;
	char text[2048], error[EXPORT_ERROR_MAX], other[160];
	size_t i;

	snprintf(other, sizeof(other), "%s/other", fixture->folder);
	for (i = 0; i < ARRAY_SIZE(rows); i++) {
		struct export *export;

		snprintf(text, sizeof(text), "%s%s", header, rows[i]);
		write_text(fixture->path, text);
		assert_int_equal(export_open(&export_csv, other, 0, &export, NULL), 0);
		assert_int_equal(csv_read_into(fixture->path, export, error), -EBADMSG);
		assert_non_null(strstr(error, "line 2: not a row of hops.csv"));
		export_free(export);
	}
}

static void a_full_disk_is_told(void **state)
{
	struct export *export;
	int r;

	(void)state;
	if (access("/dev/full", W_OK))
		skip();
	assert_int_equal(export_open(&export_csv, "/dev/full", 0, &export, NULL), 0);
	assert_int_equal(export_begin_run(export, &data_baseline), 0);
	r = export_end_run(export);
	assert_int_equal(r, -ENOSPC);
	assert_true(export_close(export) < 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(the_columns_are_the_contract, setup, teardown),
		cmocka_unit_test(a_measure_stands_in_the_column_of_its_name),
		cmocka_unit_test_setup_teardown(two_runs_are_as_the_golden_file, setup, teardown),
		cmocka_unit_test_setup_teardown(what_is_unknown_is_empty, setup, teardown),
		cmocka_unit_test_setup_teardown(hostile_names_stay_in_their_field_and_line, setup,
						teardown),
		cmocka_unit_test_setup_teardown(a_file_of_another_kind_is_not_appended_to, setup,
						teardown),
		cmocka_unit_test_setup_teardown(
			a_file_whose_last_line_is_cut_off_is_not_appended_to, setup, teardown),
		cmocka_unit_test_setup_teardown(appending_to_nothing_makes_a_file, setup, teardown),
		cmocka_unit_test_setup_teardown(what_was_written_can_be_read_and_written_again,
						setup, teardown),
		cmocka_unit_test_setup_teardown(a_broken_row_is_named_by_its_line, setup, teardown),
		cmocka_unit_test(a_full_disk_is_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
