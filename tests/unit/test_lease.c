/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test_lease.c - the lease is renewed while the loop is heard of, and no longer; a loop that comes back has it at once.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

#include <cmocka.h>

#include "base/clock.h"
#include "daemon/lease.h"

#define MS	    1000000ULL
#define PATIENCE_NS (100 * MS)
#define TURN_NS	    (300 * MS) /* more than it is between two renewals */
#define LIMIT_NS    (10000 * MS) /* for what is sure to come */

static void wait_ns(uint64_t ns)
{
	const struct timespec time = { .tv_nsec = (long)ns };

	nanosleep(&time, NULL);
}

/* The owner's word is shared with programs, here with the lease's thread. */
static bool is_renewed(volatile struct hf_config *config)
{
	for (uint64_t end_ns = clock_now_ns() + LIMIT_NS; clock_now_ns() < end_ns; wait_ns(MS))
		if (config->lease_ns)
			return true;
	return false;
}

static void it_is_good_for_a_second_from_the_start(void **state)
{
	volatile struct hf_config config = {};
	uint64_t before_ns = clock_now_ns(), lease_ns;
	struct lease *lease;

	assert_int_equal(lease_start(&config, NULL, LEASE_PATIENCE_NS, &lease), 0);
	lease_ns = config.lease_ns;
	assert_in_range(lease_ns, before_ns + LEASE_NS, clock_now_ns() + LEASE_NS);
	lease_end(lease);
	assert_int_equal(config.lease_ns, 0);
}

static void it_is_renewed_by_itself(void **state)
{
	volatile struct hf_config config = {};
	struct lease *lease;

	assert_int_equal(lease_start(&config, NULL, LEASE_PATIENCE_NS, &lease), 0);
	for (int i = 0; i < 2; i++) { /* the first time may be its beginning */
		config.lease_ns = 0;
		assert_true(is_renewed(&config));
	}
	lease_end(lease);
}

static void a_loop_that_is_silent_loses_it_and_has_it_again_when_it_is_heard(void **state)
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
		cmocka_unit_test(a_loop_that_is_silent_loses_it_and_has_it_again_when_it_is_heard),
	};

	return cmocka_run_group_tests_name("lease", tests, NULL, NULL);
}
