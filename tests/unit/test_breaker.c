/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test_breaker.c - closed, open, half-open: each way from one to the other, with a given clock.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "chain/breaker.h"

#define MS UINT64_C(1000000)

static const struct breaker_policy half = {
	.share_odds = UINT32_C(1) << 31, .calls = 4, .open_ns = 100 * MS, .probes = 2
};

static bool call(struct breaker *breaker, bool has_failed, uint64_t now_ns)
{
	uint64_t ticket;

	if (!breaker_admit(breaker, &half, now_ns, &ticket))
		return false;
	breaker_report(breaker, &half, ticket, has_failed, now_ns);
	return true;
}

static struct breaker opened_at(uint64_t now_ns)
{
	struct breaker breaker = { 0 };

	for (int i = 0; i < 4; i++)
		assert_true(call(&breaker, true, now_ns));
	assert_int_equal(breaker.state, BREAKER_OPEN);
	return breaker;
}

static void it_is_not_judged_before_its_window_is_full(void **state)
{
	struct breaker breaker = { 0 };

	for (int i = 0; i < 3; i++)
		assert_true(call(&breaker, true, 1));
	assert_int_equal(breaker.state, BREAKER_CLOSED);
	assert_true(call(&breaker, false, 1));
	assert_int_equal(breaker.state, BREAKER_OPEN); /* three of four */
	assert_int_equal(breaker.times_opened, 1);
}

static void a_share_below_the_threshold_never_opens_it(void **state)
{
	struct breaker breaker = { 0 };

	for (int i = 0; i < 1000; i++)
		assert_true(call(&breaker, i % 4 == 0, 1));
	assert_int_equal(breaker.state, BREAKER_CLOSED);
	assert_int_equal(breaker.failed, 1);
}

static void the_window_forgets_what_is_old(void **state)
{
	struct breaker breaker = { 0 };

	call(&breaker, true, 1);
	for (int i = 0; i < 4; i++)
		call(&breaker, false, 1);
	assert_int_equal(breaker.failed, 0);
	call(&breaker, true, 1);
	assert_int_equal(breaker.state, BREAKER_CLOSED);
}

static void open_it_lets_nothing_through_until_its_time_is_over(void **state)
{
	struct breaker breaker = opened_at(5 * MS);

	assert_false(call(&breaker, false, 5 * MS));
	assert_false(call(&breaker, false, 105 * MS - 1));
	assert_true(call(&breaker, false, 105 * MS));
	assert_int_equal(breaker.state, BREAKER_HALF_OPEN);
}

static void half_open_it_lets_only_its_probes_through(void **state)
{
	struct breaker breaker = opened_at(0);
	uint64_t first, second, third;

	assert_true(breaker_admit(&breaker, &half, 100 * MS, &first));
	assert_true(breaker_admit(&breaker, &half, 100 * MS, &second));
	assert_false(breaker_admit(&breaker, &half, 100 * MS, &third));
	breaker_report(&breaker, &half, first, false, 101 * MS);
	assert_int_equal(breaker.state, BREAKER_HALF_OPEN);
	breaker_report(&breaker, &half, second, false, 101 * MS);
	assert_int_equal(breaker.state, BREAKER_CLOSED);
	assert_int_equal(breaker.recorded, 0);
}

static void a_probe_that_fails_opens_it_for_another_while(void **state)
{
	struct breaker breaker = opened_at(0);

	assert_true(call(&breaker, false, 100 * MS));
	assert_true(call(&breaker, true, 150 * MS));
	assert_int_equal(breaker.state, BREAKER_OPEN);
	assert_int_equal(breaker.times_opened, 2);
	assert_false(call(&breaker, false, 249 * MS));
	assert_true(call(&breaker, false, 250 * MS));
}

static void a_probe_that_was_given_up_makes_room_for_another(void **state)
{
	struct breaker breaker = opened_at(0);
	uint64_t first, second, third;

	assert_true(breaker_admit(&breaker, &half, 100 * MS, &first));
	assert_true(breaker_admit(&breaker, &half, 100 * MS, &second));
	breaker_cancel(&breaker, first);
	assert_true(breaker_admit(&breaker, &half, 100 * MS, &third));
}

/* A call that began before it opened ends while it is half-open: it says nothing about now. */
static void what_began_before_a_change_is_not_counted_after(void **state)
{
	struct breaker breaker = { 0 };
	uint64_t early, probe;

	assert_true(breaker_admit(&breaker, &half, 0, &early));
	for (int i = 0; i < 4; i++)
		call(&breaker, true, 0);
	assert_true(breaker_admit(&breaker, &half, 100 * MS, &probe));
	breaker_report(&breaker, &half, early, true, 101 * MS);
	assert_int_equal(breaker.state, BREAKER_HALF_OPEN);
	breaker_cancel(&breaker, early);
	assert_int_equal(breaker.probing, 1);
}

static void a_hundred_per_cent_means_all_of_them(void **state)
{
	const struct breaker_policy all = { UINT32_MAX, 4, 100 * MS, 1 };
	struct breaker breaker = { 0 };
	uint64_t ticket;

	for (int i = 0; i < 7; i++) {
		assert_int_equal(breaker.state, BREAKER_CLOSED);
		assert_true(breaker_admit(&breaker, &all, 0, &ticket));
		breaker_report(&breaker, &all, ticket, i != 2, 0);
	}
	assert_int_equal(breaker.state, BREAKER_OPEN);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(it_is_not_judged_before_its_window_is_full),
		cmocka_unit_test(a_share_below_the_threshold_never_opens_it),
		cmocka_unit_test(the_window_forgets_what_is_old),
		cmocka_unit_test(open_it_lets_nothing_through_until_its_time_is_over),
		cmocka_unit_test(half_open_it_lets_only_its_probes_through),
		cmocka_unit_test(a_probe_that_fails_opens_it_for_another_while),
		cmocka_unit_test(a_probe_that_was_given_up_makes_room_for_another),
		cmocka_unit_test(what_began_before_a_change_is_not_counted_after),
		cmocka_unit_test(a_hundred_per_cent_means_all_of_them),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
