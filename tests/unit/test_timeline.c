/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test_timeline.c - a run cut in slices: which request is in which, under which name, and with which latency.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "chain/load.h"

#define MS UINT64_C(1000000)

static struct load_record record(uint64_t start_ms, uint64_t latency_ms, uint64_t intended_ms,
				 uint16_t status, enum load_error error, enum load_shape shape)
{
	return (struct load_record){
		.start_ns = start_ms * MS,
		.latency_ns = latency_ms * MS,
		.intended_latency_ns = intended_ms * MS,
		.status = status,
		.error = (uint8_t)error,
		.hop = LOAD_NO_NAME,
		.shape = (uint8_t)shape,
	};
}

/* The whole file that was written; freed with free(). */
static char *timeline(struct load_record *records, size_t count, uint64_t end_ms, uint64_t every_ms)
{
	const struct load_result result = {
		.begin_ns = 1000 * MS, .end_ns = end_ms * MS, .record = records, .records = count
	};
	char path[] = "/tmp/test_timeline.XXXXXX", *text = calloc(1, 8192);
	int fd = mkstemp(path);

	assert_non_null(text);
	assert_true(fd >= 0);
	assert_int_equal(load_write_timeline_csv(&result, every_ms * MS, path), 0);
	assert_true(read(fd, text, 8191) > 0);
	close(fd);
	unlink(path);
	return text;
}

static void each_request_is_in_the_slice_of_its_outcome(void **state)
{
	struct load_record records[] = {
		record(1010, 5, 5, 200, LOAD_OK, LOAD_SHAPE_FULL),
		record(1090, 20, 30, 200, LOAD_OK, LOAD_SHAPE_FULL), /* known at 1110 */
		record(1120, 1, 1, 200, LOAD_OK, LOAD_SHAPE_CACHED),
		record(1310, 3, 40, 504, LOAD_TIMEOUT, LOAD_SHAPE_ERROR),
		record(1320, 2, 2, 0, LOAD_REFUSED, LOAD_SHAPE_NONE),
	};
	char *text = timeline(records, 5, 1330, 100);

	assert_string_equal(text,
			    "schema_version,since_ns,start_mono_ns,requests,p50_ns,p99_ns,max_ns,"
			    "200_full,200_cached,504_timeout,none_refused\n"
			    "1,0,1000000000,1,5000000,5000000,5000000,1,0,0,0\n"
			    "1,100000000,1100000000,2,1000000,30000000,30000000,1,1,0,0\n"
			    "1,200000000,1200000000,0,,,,0,0,0,0\n"
			    "1,300000000,1300000000,2,2000000,40000000,40000000,0,0,1,1\n");
	free(text);
}

/* A status of 400 and more is named by what the answer says of its cause, and by "status" when it says nothing. */
static void columns_stand_in_one_order_whatever_came_first(void **state)
{
	struct load_record one[] = {
		record(1000, 1, 1, 0, LOAD_TIMEOUT, LOAD_SHAPE_NONE),
		record(1001, 1, 1, 503, LOAD_BREAKER_OPEN, LOAD_SHAPE_ERROR),
		record(1002, 1, 1, 404, LOAD_STATUS, LOAD_SHAPE_ERROR),
		record(1003, 1, 1, 200, LOAD_OK, LOAD_SHAPE_PARTIAL),
		record(1004, 1, 1, 200, LOAD_OK, LOAD_SHAPE_FULL),
	};
	static const char wanted[] =
		",200_full,200_partial,404_status,503_breaker_open,none_timeout\n";
	char *text = timeline(one, 5, 1010, 100);

	assert_non_null(strstr(text, wanted));
	free(text);
}

static void a_late_start_is_counted_and_told(void **state)
{
	struct load_record records[] = {
		record(1000, 5, 5, 200, LOAD_OK, LOAD_SHAPE_FULL),
		record(1000, 5, 14, 200, LOAD_OK, LOAD_SHAPE_FULL), /* 9 ms late: not yet */
		record(1000, 5, 15, 200, LOAD_OK, LOAD_SHAPE_FULL),
		record(1000, 5, 705, 0, LOAD_TIMEOUT, LOAD_SHAPE_NONE),
	};
	const struct load_result result = { .record = records, .records = 4 };
	uint64_t latest_ns;

	assert_int_equal(load_late_starts(&result, &latest_ns), 2);
	assert_int_equal(latest_ns, 700 * MS);
}

static void what_can_not_be_sliced_is_refused(void **state)
{
	struct load_record one = record(1000, 5, 5, 200, LOAD_OK, LOAD_SHAPE_FULL);
	const struct load_result result = {
		.begin_ns = 0, .end_ns = 3600000 * MS, .record = &one, .records = 1
	};

	assert_int_equal(load_write_timeline_csv(&result, 0, "/dev/null"), -EINVAL);
	assert_int_equal(load_write_timeline_csv(&result, 1, "/dev/null"), -E2BIG);
	assert_int_equal(load_write_timeline_csv(&result, MS * 1000, "/nowhere/file"), -ENOENT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_request_is_in_the_slice_of_its_outcome),
		cmocka_unit_test(columns_stand_in_one_order_whatever_came_first),
		cmocka_unit_test(a_late_start_is_counted_and_told),
		cmocka_unit_test(what_can_not_be_sliced_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
