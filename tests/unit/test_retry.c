/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test_retry.c - how often and when a call is made again, with given dice.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "chain/retry.h"

#define MS UINT64_C(1000000)

static void as_many_tries_as_retries_and_one(void **state)
{
	const struct retry_policy none = { 0 }, two = { .retries = 2 };

	assert_false(retry_is_due(&none, 1));
	assert_true(retry_is_due(&two, 1));
	assert_true(retry_is_due(&two, 2));
	assert_false(retry_is_due(&two, 3));
}

static void without_a_base_the_next_try_follows_at_once(void **state)
{
	const struct retry_policy policy = { .retries = 3, .cap_ns = 1000 * MS };

	for (unsigned int tries = 1; tries <= 3; tries++)
		assert_int_equal(retry_wait_ns(&policy, tries, UINT32_MAX), 0);
}

static void without_jitter_the_wait_doubles_up_to_the_cap(void **state)
{
	const struct retry_policy policy = { .base_ns = 10 * MS,
					     .cap_ns = 65 * MS,
					     .has_no_jitter = true };
	static const uint64_t wanted_ms[] = { 10, 20, 40, 65, 65, 65 };

	for (unsigned int i = 0; i < sizeof(wanted_ms) / sizeof(wanted_ms[0]); i++)
		assert_int_equal(retry_wait_ns(&policy, i + 1, 12345), wanted_ms[i] * MS);
}

/* Full jitter: the roll is the part of the bound that is waited. */
static void with_jitter_the_roll_says_how_much_of_the_bound(void **state)
{
	const struct retry_policy policy = { .base_ns = 10 * MS, .cap_ns = 1000 * MS };

	assert_int_equal(retry_wait_ns(&policy, 1, 0), 0);
	assert_int_equal(retry_wait_ns(&policy, 1, UINT32_C(1) << 31), 5 * MS);
	assert_int_equal(retry_wait_ns(&policy, 2, UINT32_C(1) << 31), 10 * MS);
	assert_int_equal(retry_wait_ns(&policy, 3, UINT32_C(1) << 30), 10 * MS);
	assert_true(retry_wait_ns(&policy, 1, UINT32_MAX) < 10 * MS);
}

static void no_number_of_tries_overflows(void **state)
{
	const struct retry_policy policy = { .base_ns = UINT64_MAX / 3, .has_no_jitter = true };

	assert_int_equal(retry_wait_ns(&policy, 200, 0), UINT64_MAX);
	assert_true(retry_wait_ns(&(struct retry_policy){ .base_ns = UINT64_MAX / 3 }, 200,
				  UINT32_MAX) > UINT64_MAX / 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(as_many_tries_as_retries_and_one),
		cmocka_unit_test(without_a_base_the_next_try_follows_at_once),
		cmocka_unit_test(without_jitter_the_wait_doubles_up_to_the_cap),
		cmocka_unit_test(with_jitter_the_roll_says_how_much_of_the_bound),
		cmocka_unit_test(no_number_of_tries_overflows),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
