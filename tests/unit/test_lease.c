/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test_lease.c - the lease is renewed while the loop is heard of, and no longer; a loop that comes back has it at once.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

#include <cmocka.h>

#include "base/clock.h"
#include "daemon/lease.h"

#define MS	    1000000ULL
#define PATIENCE_NS (100 * MS)
#define TURN_NS	    (300 * MS) /* more than it is between two renewals */

static void wait_ns(uint64_t ns)
{
	const struct timespec time = { .tv_nsec = (long)ns };

	nanosleep(&time, NULL);
}

static void it_is_good_for_a_second_from_the_start(void **state)
{
	volatile struct hf_config config = {};
	uint64_t before_ns = clock_now_ns();
	struct lease *lease;

	assert_int_equal(lease_start(&config, NULL, LEASE_PATIENCE_NS, &lease), 0);
	assert_in_range(config.lease_ns, before_ns + LEASE_NS, clock_now_ns() + LEASE_NS);
	lease_end(lease);
	assert_int_equal(config.lease_ns, 0);
}

static void it_is_renewed_by_itself(void **state)
{
	volatile struct hf_config config = {};
	struct lease *lease;
	uint64_t first_ns;

	assert_int_equal(lease_start(&config, NULL, LEASE_PATIENCE_NS, &lease), 0);
	first_ns = config.lease_ns;
	wait_ns(TURN_NS);
	assert_true(config.lease_ns > first_ns);
	lease_end(lease);
}

static void a_silent_loops_is_not_renewed_and_one_that_comes_back_has_it_at_once(void **state)
{
	volatile struct hf_config config = {};
	struct lease *lease;

	assert_int_equal(lease_start(&config, NULL, PATIENCE_NS, &lease), 0);
	wait_ns(TURN_NS);
	config.lease_ns = 0; /* as if it had run out */
	wait_ns(TURN_NS);
	assert_int_equal(config.lease_ns, 0);
	lease_heard(lease);
	assert_true(config.lease_ns > clock_now_ns());
	lease_end(lease);
	assert_int_equal(config.lease_ns, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(it_is_good_for_a_second_from_the_start),
		cmocka_unit_test(it_is_renewed_by_itself),
		cmocka_unit_test(
			a_silent_loops_is_not_renewed_and_one_that_comes_back_has_it_at_once),
	};

	return cmocka_run_group_tests_name("lease", tests, NULL, NULL);
}
