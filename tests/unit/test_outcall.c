/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test_outcall.c - the guards together: each alone does its part, and none forgets what it let through.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "chain/outcall.h"

#define MS UINT64_C(1000000)

static const char good[] = "{\"service\":\"b\",\"status\":200}";
static const char degraded[] =
	"{\"service\":\"b\",\"status\":200,\"degraded\":true,\"shape\":\"partial\"}";

static void zeroed_it_guards_nothing(void **state)
{
	struct outcall outcall = { 0 };
	struct buffer spare = BUFFER_INIT(4096);
	uint64_t wait_ns = 7, age_ns = 7;

	for (int i = 0; i < 100; i++) {
		struct outcall_try attempt = { 0 };

		assert_int_equal(outcall_begin(&outcall, &attempt, 1), OUTCALL_GO);
		assert_false(outcall_end(&outcall, &attempt, true, 2, &wait_ns));
	}
	outcall_keep(&outcall, good, strlen(good), 3);
	assert_int_equal(outcall_fall_back(&outcall, 4, &spare, &age_ns), SHAPE_FULL);
	assert_int_equal(wait_ns + age_ns, 14);
}

static void retries_alone_end_with_their_number(void **state)
{
	const struct outcall_policy policy = { .retry = { .retries = 2, .base_ns = 10 * MS } };
	struct outcall_try attempt = { 0 };
	struct outcall outcall;
	uint64_t wait_ns = 0;

	outcall_init(&outcall, &policy);
	for (unsigned int tries = 1; tries <= 2; tries++) {
		assert_int_equal(outcall_begin(&outcall, &attempt, 0), OUTCALL_GO);
		assert_true(outcall_end(&outcall, &attempt, true, 0, &wait_ns));
		assert_true(wait_ns < tries * 10 * MS);
	}
	assert_int_equal(outcall_begin(&outcall, &attempt, 0), OUTCALL_GO);
	assert_false(outcall_end(&outcall, &attempt, true, 0, &wait_ns));
	assert_int_equal(attempt.tries, 3);
}

static void a_success_is_not_tried_again(void **state)
{
	const struct outcall_policy policy = { .retry = { .retries = 2 } };
	struct outcall_try attempt = { 0 };
	struct outcall outcall;
	uint64_t wait_ns;

	outcall_init(&outcall, &policy);
	assert_int_equal(outcall_begin(&outcall, &attempt, 0), OUTCALL_GO);
	assert_false(outcall_end(&outcall, &attempt, false, 0, &wait_ns));
}

static void the_same_seed_waits_as_long(void **state)
{
	const struct outcall_policy policy = { .retry = { .retries = 1, .base_ns = 1000 * MS },
					       .seed = 42 };
	uint64_t wait_ns[2][8];

	for (int run = 0; run < 2; run++) {
		struct outcall outcall;

		outcall_init(&outcall, &policy);
		for (int i = 0; i < 8; i++) {
			struct outcall_try attempt = { 0 };

			outcall_begin(&outcall, &attempt, 0);
			assert_true(outcall_end(&outcall, &attempt, true, 0, &wait_ns[run][i]));
		}
	}
	assert_memory_equal(wait_ns[0], wait_ns[1], sizeof(wait_ns[0]));
	assert_int_not_equal(wait_ns[0][0], wait_ns[0][1]);
}

static void a_full_bulkhead_refuses_until_one_leaves(void **state)
{
	const struct outcall_policy policy = { .calls_max = 2 };
	struct outcall_try attempt[3] = { 0 };
	struct outcall outcall;
	uint64_t wait_ns;

	outcall_init(&outcall, &policy);
	assert_int_equal(outcall_begin(&outcall, &attempt[0], 0), OUTCALL_GO);
	assert_int_equal(outcall_begin(&outcall, &attempt[1], 0), OUTCALL_GO);
	assert_int_equal(outcall_begin(&outcall, &attempt[2], 0), OUTCALL_BULKHEAD_FULL);
	outcall_abandon(&outcall, &attempt[2]); /* was not inside: changes nothing */
	assert_int_equal(outcall_begin(&outcall, &attempt[2], 0), OUTCALL_BULKHEAD_FULL);
	outcall_abandon(&outcall, &attempt[0]);
	outcall_abandon(&outcall, &attempt[0]);
	assert_int_equal(outcall_begin(&outcall, &attempt[2], 0), OUTCALL_GO);
	outcall_end(&outcall, &attempt[1], false, 0, &wait_ns);
	outcall_end(&outcall, &attempt[2], false, 0, &wait_ns);
	assert_int_equal(outcall.bulkhead.inside, 0);
}

/* A half-open breaker whose only probe finds the bulkhead full must not wait for it for ever. */
static void a_probe_that_the_bulkhead_refused_is_given_back(void **state)
{
	const struct outcall_policy policy = {
		.breaker = { .share_odds = 1, .calls = 1, .open_ns = 10 * MS, .probes = 1 },
		.calls_max = 1,
	};
	struct outcall_try attempt[4] = { 0 };
	struct outcall outcall;
	uint64_t wait_ns, times_opened;

	outcall_init(&outcall, &policy);
	assert_int_equal(outcall_begin(&outcall, &attempt[0], 0), OUTCALL_GO);
	outcall_end(&outcall, &attempt[0], true, 0, &wait_ns);
	assert_int_equal(outcall_begin(&outcall, &attempt[1], 1), OUTCALL_BREAKER_OPEN);
	outcall.bulkhead.inside = 1; /* a call of before that still hangs */
	assert_int_equal(outcall_begin(&outcall, &attempt[2], 10 * MS), OUTCALL_BULKHEAD_FULL);
	bulkhead_leave(&outcall.bulkhead);
	assert_int_equal(outcall_begin(&outcall, &attempt[3], 10 * MS), OUTCALL_GO);
	outcall_end(&outcall, &attempt[3], false, 10 * MS, &wait_ns);
	assert_int_equal(outcall_breaker_state(&outcall, &times_opened), BREAKER_CLOSED);
	assert_int_equal(times_opened, 1);
}

static void what_is_kept_is_the_last_good_answer(void **state)
{
	const struct outcall_policy policy = { .fallback = FALLBACK_CACHED };
	struct buffer spare = BUFFER_INIT(4096);
	struct outcall outcall;
	uint64_t age_ns = 0;

	outcall_init(&outcall, &policy);
	assert_int_equal(outcall_fall_back(&outcall, 5, &spare, &age_ns), SHAPE_PARTIAL);
	outcall_keep(&outcall, good, strlen(good), 10);
	outcall_keep(&outcall, degraded, strlen(degraded), 20);
	assert_int_equal(outcall_fall_back(&outcall, 50, &spare, &age_ns), SHAPE_CACHED);
	assert_int_equal(age_ns, 40);
	assert_int_equal(spare.len, strlen(good));
	assert_memory_equal(spare.bytes, good, spare.len);
	buffer_done(&spare);
	outcall_done(&outcall);
}

static void what_is_too_large_is_not_kept(void **state)
{
	const struct outcall_policy policy = { .fallback = FALLBACK_CACHED };
	static char large[FALLBACK_CACHE_MAX_BYTES + 1];
	struct buffer spare = BUFFER_INIT(4096);
	struct outcall outcall;
	uint64_t age_ns;

	outcall_init(&outcall, &policy);
	outcall_keep(&outcall, large, sizeof(large), 10);
	assert_int_equal(outcall_fall_back(&outcall, 50, &spare, &age_ns), SHAPE_PARTIAL);
	outcall_done(&outcall);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(zeroed_it_guards_nothing),
		cmocka_unit_test(retries_alone_end_with_their_number),
		cmocka_unit_test(a_success_is_not_tried_again),
		cmocka_unit_test(the_same_seed_waits_as_long),
		cmocka_unit_test(a_full_bulkhead_refuses_until_one_leaves),
		cmocka_unit_test(a_probe_that_the_bulkhead_refused_is_given_back),
		cmocka_unit_test(what_is_kept_is_the_last_good_answer),
		cmocka_unit_test(what_is_too_large_is_not_kept),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
