/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test_bulkhead.c - how many are inside, how many wait, and in which order threads pass the gate.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <pthread.h>
#include <sched.h>

#include "chain/gate.h"

static void without_a_limit_everybody_enters(void **state)
{
	struct bulkhead bulkhead = { 0 };

	for (int i = 0; i < 5000; i++)
		assert_int_equal(bulkhead_arrive(&bulkhead), BULKHEAD_ENTER);
	assert_false(bulkhead_leave(&bulkhead));
	assert_int_equal(bulkhead.inside, 0);
}

static void beyond_the_limit_some_wait_and_the_rest_are_refused(void **state)
{
	struct bulkhead bulkhead = { .max = 2, .queue_max = 1 };

	assert_int_equal(bulkhead_arrive(&bulkhead), BULKHEAD_ENTER);
	assert_int_equal(bulkhead_arrive(&bulkhead), BULKHEAD_ENTER);
	assert_int_equal(bulkhead_arrive(&bulkhead), BULKHEAD_WAIT);
	assert_int_equal(bulkhead_arrive(&bulkhead), BULKHEAD_REFUSE);
	assert_true(bulkhead_leave(&bulkhead)); /* the one who waited has the place */
	assert_int_equal(bulkhead.inside, 2);
	assert_int_equal(bulkhead_arrive(&bulkhead), BULKHEAD_WAIT);
	bulkhead_give_up(&bulkhead);
	assert_false(bulkhead_leave(&bulkhead));
	assert_false(bulkhead_leave(&bulkhead));
	assert_int_equal(bulkhead.inside + bulkhead.waiting, 0);
}

#define THREADS 8

struct crowd {
	struct gate gate;
	pthread_mutex_t lock;
	unsigned int inside, most, passed, refused;
	unsigned int order[THREADS];
};

struct member {
	struct crowd *crowd;
	unsigned int number;
};

static unsigned int waiting(struct gate *gate)
{
	unsigned int count;

	pthread_mutex_lock(&gate->lock);
	count = gate->bulkhead.waiting;
	pthread_mutex_unlock(&gate->lock);
	return count;
}

static void *pass(void *arg)
{
	struct member *member = arg;
	struct crowd *crowd = member->crowd;
	int r = gate_enter(&crowd->gate);

	pthread_mutex_lock(&crowd->lock);
	if (r) {
		crowd->refused++;
	} else {
		crowd->inside++;
		if (crowd->inside > crowd->most)
			crowd->most = crowd->inside;
		crowd->order[crowd->passed++] = member->number;
	}
	pthread_mutex_unlock(&crowd->lock);
	if (r)
		return NULL;
	sched_yield();
	pthread_mutex_lock(&crowd->lock);
	crowd->inside--;
	pthread_mutex_unlock(&crowd->lock);
	gate_leave(&crowd->gate);
	return NULL;
}

/* All of them arrive, one behind the other, while the gate is occupied by the test. */
static void gather(struct crowd *crowd, struct member *member, pthread_t *thread)
{
	*crowd = (struct crowd){ .lock = PTHREAD_MUTEX_INITIALIZER };
	gate_init(&crowd->gate, 1, THREADS);
	assert_int_equal(gate_enter(&crowd->gate), 0);
	for (unsigned int i = 0; i < THREADS; i++) {
		member[i] = (struct member){ crowd, i };
		assert_int_equal(pthread_create(&thread[i], NULL, pass, &member[i]), 0);
		while (waiting(&crowd->gate) != i + 1)
			sched_yield();
	}
}

static void join(pthread_t *thread)
{
	for (unsigned int i = 0; i < THREADS; i++)
		assert_int_equal(pthread_join(thread[i], NULL), 0);
}

static void who_came_first_passes_first_and_alone(void **state)
{
	struct member member[THREADS];
	pthread_t thread[THREADS];
	struct crowd crowd;

	gather(&crowd, member, thread);
	assert_int_equal(gate_enter(&crowd.gate), -EBUSY);
	gate_leave(&crowd.gate);
	join(thread);
	assert_int_equal(crowd.passed, THREADS);
	assert_int_equal(crowd.most, 1);
	for (unsigned int i = 0; i < THREADS; i++)
		assert_int_equal(crowd.order[i], i);
	assert_int_equal(crowd.gate.bulkhead.inside, 0);
}

static void a_closed_gate_keeps_nobody_waiting(void **state)
{
	struct member member[THREADS];
	pthread_t thread[THREADS];
	struct crowd crowd;

	gather(&crowd, member, thread);
	gate_close(&crowd.gate);
	join(thread);
	assert_int_equal(crowd.refused, THREADS);
	assert_int_equal(crowd.gate.bulkhead.waiting, 0);
	assert_int_equal(gate_enter(&crowd.gate), -ECANCELED);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(without_a_limit_everybody_enters),
		cmocka_unit_test(beyond_the_limit_some_wait_and_the_rest_are_refused),
		cmocka_unit_test(who_came_first_passes_first_and_alone),
		cmocka_unit_test(a_closed_gate_keeps_nobody_waiting),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
