/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test_priority.c - what the kernel says of the thread's scheduling after each word.
 */
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/priority.h"

static void giving_way_is_a_batch_at_the_usual_weight(void **state)
{
	(void)state;
	priority_give_way();
	assert_int_equal(sched_getscheduler(0), SCHED_BATCH);
	assert_int_equal(getpriority(PRIO_PROCESS, 0), 0);
}

static void the_usual_comes_back(void **state)
{
	(void)state;
	priority_give_way();
	priority_usual();
	assert_int_equal(sched_getscheduler(0), SCHED_OTHER);
	assert_int_equal(getpriority(PRIO_PROCESS, 0), 0);
}

static void a_hurry_goes_before_others(void **state)
{
	(void)state;
	if (geteuid() != 0)
		skip();
	priority_give_way();
	priority_hurry();
	assert_int_equal(sched_getscheduler(0), SCHED_OTHER);
	assert_int_equal(getpriority(PRIO_PROCESS, 0), -15);
	priority_usual();
}

static void the_first_is_before_all_ordinary_work(void **state)
{
	(void)state;
	if (geteuid() != 0)
		skip();
	priority_first();
	assert_int_equal(sched_getscheduler(0), SCHED_FIFO);
	priority_usual();
	assert_int_equal(sched_getscheduler(0), SCHED_OTHER);
}

/* In a process of its own, which does not get its rights back. */
static void without_the_right_a_hurry_changes_nothing(void **state)
{
	pid_t pid = fork();
	int status;

	(void)state;
	assert_true(pid >= 0);
	if (pid == 0) {
		if (geteuid() == 0 && setresuid(65534, 65534, 65534) < 0)
			_exit(2);
		priority_give_way();
		priority_hurry();
		_exit(sched_getscheduler(0) != SCHED_BATCH || getpriority(PRIO_PROCESS, 0) != 0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(giving_way_is_a_batch_at_the_usual_weight),
		cmocka_unit_test(the_usual_comes_back),
		cmocka_unit_test(a_hurry_goes_before_others),
		cmocka_unit_test(the_first_is_before_all_ordinary_work),
		cmocka_unit_test(without_the_right_a_hurry_changes_nothing),
	};

	return cmocka_run_group_tests_name("priority", tests, NULL, NULL);
}
