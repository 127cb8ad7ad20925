/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test_guards.c - hopchain with its guards, one at a time and in both modes, under a real load on loopback: what the
 * client gets, by status and shape, and what each service has counted.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "chain/counts.h"
#include "chain/load.h"
#include "running.h"

#define MS   UINT64_C(1000000)
#define HALF (UINT32_C(1) << 31)
#define IN_BOTH(fact)                        \
	static void threads_##fact(void **s) \
	{                                    \
		fact(SERVICE_THREADS);       \
	}                                    \
	static void epoll_##fact(void **s)   \
	{                                    \
		fact(SERVICE_EPOLL);         \
	}
#define BOTH(fact) cmocka_unit_test(threads_##fact), cmocka_unit_test(epoll_##fact)

static uint64_t now_received(const struct running *running, struct counts *ret_counts)
{
	assert_int_equal(counts_ask(running->target, 1000 * MS, ret_counts), 0);
	assert_string_equal(ret_counts->service, running->service.name);
	return ret_counts->received;
}

/* How many had this status, shape and error. */
static uint32_t count(const struct load_result *result, unsigned int status, enum load_shape shape,
		      enum load_error error)
{
	uint32_t found = 0;

	for (size_t i = 0; i < result->records; i++)
		found += result->record[i].status == status && result->record[i].shape == shape &&
			 result->record[i].error == error;
	return found;
}

static struct load_result load(const struct running *running, uint32_t requests,
			       uint32_t connections)
{
	struct load_options options = { .target = running->target,
					.requests = requests,
					.connections = connections };
	struct load_result result;

	assert_int_equal(load_run(&options, &result), 0);
	assert_int_equal(result.records, requests);
	return result;
}

static void the_same_requests_fail_in_every_run(enum service_mode mode)
{
	uint16_t status[2][200];

	for (int run = 0; run < 2; run++) {
		struct running *a = start("a", mode, 0);
		_cleanup_(load_result_done) struct load_result result = { 0 };
		uint32_t failed;

		a->service.fail_odds = HALF;
		a->service.fail_seed = 7;
		result = load(a, 200, 1);
		failed = count(&result, 500, LOAD_SHAPE_ERROR, LOAD_FAILED);
		assert_true(failed > 60 && failed < 140);
		assert_int_equal(failed + count(&result, 200, LOAD_SHAPE_FULL, LOAD_OK), 200);
		for (int i = 0; i < 200; i++)
			status[run][i] = result.record[i].status;
		assert_string_equal(result.hop.name[0], "a");
		stop(a);
	}
	assert_memory_equal(status[0], status[1], sizeof(status[0]));
}

/* Every request fails at b: a asks 1 + 2 times for each of its own. */
static void retries_multiply_what_the_next_one_gets(enum service_mode mode)
{
	const struct outcall_policy policy = { .retry = { .retries = 2, .base_ns = MS } };
	struct running *b = start("b", mode, 0), *a = start("a", mode, port_of(b->listen_fd));
	_cleanup_(load_result_done) struct load_result result = { 0 };
	struct counts counts;

	outcall_init(&a->service.outcall, &policy);
	b->service.fail_odds = UINT32_MAX;
	result = load(a, 20, 4);
	assert_int_equal(count(&result, 500, LOAD_SHAPE_ERROR, LOAD_FAILED), 20);
	assert_int_equal(now_received(b, &counts), 60);
	assert_int_equal(counts.failed, 60);
	assert_int_equal(now_received(a, &counts), 20);
	assert_int_equal(counts.calls, 60);
	assert_int_equal(counts.retries, 40);
	assert_int_equal(counts.calls_failed, 60);
	stop(a);
	stop(b);
}

static void retries_hide_failures_that_are_not_all(enum service_mode mode)
{
	const struct outcall_policy policy = { .retry = { .retries = RETRY_MAX } };
	struct running *b = start("b", mode, 0), *a = start("a", mode, port_of(b->listen_fd));
	_cleanup_(load_result_done) struct load_result result = { 0 };
	struct counts counts;

	outcall_init(&a->service.outcall, &policy);
	b->service.fail_odds = HALF / 2;
	b->service.fail_seed = 3;
	result = load(a, 100, 1);
	assert_int_equal(count(&result, 200, LOAD_SHAPE_FULL, LOAD_OK), 100);
	assert_true(now_received(b, &counts) > 110);
	stop(a);
	stop(b);
}

static void an_open_breaker_spares_the_next_one(enum service_mode mode)
{
	const struct outcall_policy policy = {
		.breaker = { .share_odds = HALF,
			     .calls = 5,
			     .open_ns = 3600 * UINT64_C(1000000000),
			     .probes = 1 },
	};
	struct running *b = start("b", mode, 0), *a = start("a", mode, port_of(b->listen_fd));
	_cleanup_(load_result_done) struct load_result result = { 0 };
	struct counts counts;

	outcall_init(&a->service.outcall, &policy);
	b->service.fail_odds = UINT32_MAX;
	result = load(a, 50, 1);
	assert_int_equal(count(&result, 500, LOAD_SHAPE_ERROR, LOAD_FAILED), 5);
	assert_int_equal(count(&result, 503, LOAD_SHAPE_ERROR, LOAD_BREAKER_OPEN), 45);
	assert_int_equal(now_received(b, &counts), 5);
	assert_int_equal(now_received(a, &counts), 50);
	assert_string_equal(counts.breaker, "open");
	assert_int_equal(counts.breaker_opened, 1);
	assert_int_equal(counts.calls_refused, 45);
	stop(a);
	stop(b);
}

static void a_breaker_closes_again_when_the_next_one_is_well(enum service_mode mode)
{
	const struct outcall_policy policy = {
		.breaker = { .share_odds = HALF, .calls = 4, .open_ns = 1, .probes = 1 },
	};
	struct running *b = start("b", mode, 0), *a = start("a", mode, port_of(b->listen_fd));
	_cleanup_(load_result_done) struct load_result bad = { 0 }, good = { 0 };
	struct counts counts;

	outcall_init(&a->service.outcall, &policy);
	b->service.fail_odds = UINT32_MAX;
	bad = load(a, 8, 1);
	assert_int_equal(count(&bad, 200, LOAD_SHAPE_FULL, LOAD_OK), 0);
	b->service.fail_odds = 0; /* nothing is on its way now */
	good = load(a, 8, 1);
	assert_int_equal(count(&good, 200, LOAD_SHAPE_FULL, LOAD_OK), 8);
	now_received(a, &counts);
	assert_string_equal(counts.breaker, "closed");
	stop(a);
	stop(b);
}

/* b waits long; only two of a's callers may wait for it, the others are told at once. */
static void a_bulkhead_lets_only_so_many_hang(enum service_mode mode)
{
	const struct outcall_policy policy = { .calls_max = 2 };
	struct running *b = start("b", mode, 0), *a = start("a", mode, port_of(b->listen_fd));
	_cleanup_(load_result_done) struct load_result result = { 0 };
	struct counts counts;

	outcall_init(&a->service.outcall, &policy);
	a->service.timeout_ns = 10000 * MS;
	b->service.wait_ns = 200 * MS;
	result = load(a, 8, 8);
	assert_int_equal(count(&result, 200, LOAD_SHAPE_FULL, LOAD_OK), 2);
	assert_int_equal(count(&result, 503, LOAD_SHAPE_ERROR, LOAD_BULKHEAD_FULL), 6);
	assert_int_equal(now_received(b, &counts), 2);
	stop(a);
	stop(b);
}

static void degrades(enum service_mode mode, enum fallback fallback, bool has_been_well,
		     enum load_shape wanted)
{
	const struct outcall_policy policy = { .fallback = fallback };
	struct running *b = start("b", mode, 0), *a = start("a", mode, port_of(b->listen_fd));
	_cleanup_(load_result_done) struct load_result well = { 0 }, ill = { 0 };
	struct counts counts;

	outcall_init(&a->service.outcall, &policy);
	if (has_been_well) {
		well = load(a, 3, 1);
		assert_int_equal(count(&well, 200, LOAD_SHAPE_FULL, LOAD_OK), 3);
	}
	stop(b);
	ill = load(a, 10, 2);
	assert_int_equal(count(&ill, 200, wanted, LOAD_OK), 10);
	now_received(a, &counts);
	assert_int_equal(counts.degraded, 10);
	assert_int_equal(counts.failed, 0);
	stop(a);
}

static void the_last_good_answer_stands_in(enum service_mode mode)
{
	degrades(mode, FALLBACK_CACHED, true, LOAD_SHAPE_CACHED);
}

static void without_one_the_answer_is_partial(enum service_mode mode)
{
	degrades(mode, FALLBACK_CACHED, false, LOAD_SHAPE_PARTIAL);
	degrades(mode, FALLBACK_PARTIAL, true, LOAD_SHAPE_PARTIAL);
}

/* c is gone, b degrades, a passes it on: the client is told, though a itself is well. */
static void what_is_degraded_further_down_shows(enum service_mode mode)
{
	const struct outcall_policy policy = { .fallback = FALLBACK_PARTIAL };
	struct running *c = start("c", mode, 0), *b = start("b", mode, port_of(c->listen_fd));
	struct running *a = start("a", mode, port_of(b->listen_fd));
	_cleanup_(load_result_done) struct load_result result = { 0 };

	outcall_init(&b->service.outcall, &policy);
	stop(c);
	result = load(a, 5, 1);
	assert_int_equal(count(&result, 200, LOAD_SHAPE_PARTIAL, LOAD_OK), 5);
	stop(a);
	stop(b);
}

/* New connections go to both, one after the other. */
static void replicas_are_called_in_turn(enum service_mode mode)
{
	struct running *b = start("b", mode, 0), *b2 = start("b2", mode, 0);
	struct running *a = start("a", mode, port_of(b->listen_fd));
	_cleanup_(load_result_done) struct load_result result = { 0 };
	struct counts counts;

	a->service.next[a->service.nexts++] = loopback(port_of(b2->listen_fd));
	a->service.keep_alive = false;
	result = load(a, 20, 1);
	assert_int_equal(count(&result, 200, LOAD_SHAPE_FULL, LOAD_OK), 20);
	assert_int_equal(now_received(b, &counts), 10);
	assert_int_equal(now_received(b2, &counts), 10);
	stop(a);
	stop(b);
	stop(b2);
}

static void the_load_goes_to_all_its_targets(void **state)
{
	struct running *a = start("a", SERVICE_EPOLL, 0), *b = start("b", SERVICE_EPOLL, 0);
	char both[80];
	struct load_options options = { .target = both, .requests = 40, .connections = 4 };
	_cleanup_(load_result_done) struct load_result result = { 0 };
	struct counts counts;

	snprintf(both, sizeof(both), "%s,%s", a->target, b->target);
	assert_int_equal(load_run(&options, &result), 0);
	assert_int_equal(count(&result, 200, LOAD_SHAPE_FULL, LOAD_OK), 40);
	assert_true(now_received(a, &counts) >= 2); /* two connections to each */
	assert_true(now_received(b, &counts) >= 2);
	stop(a);
	stop(b);
}

/* One is worked on, one waits, six find no place. Nobody looks at a clock: the one inside stays until all have arrived. */
static void what_finds_the_queue_full_is_refused(void **state)
{
	struct running *a = start("a", SERVICE_THREADS, 0);
	_cleanup_(load_result_done) struct load_result result = { 0 };
	struct counts counts;

	gate_init(&a->service.gate, 1, 1);
	a->service.wait_ns = 300 * MS;
	result = load(a, 8, 8);
	assert_int_equal(count(&result, 200, LOAD_SHAPE_FULL, LOAD_OK), 2);
	assert_int_equal(count(&result, 503, LOAD_SHAPE_ERROR, LOAD_OVERLOADED), 6);
	now_received(a, &counts);
	assert_int_equal(counts.received, 8);
	assert_int_equal(counts.overloaded, 6);
	stop(a);
}

static void in_a_queue_that_is_long_enough_nobody_is_refused(void **state)
{
	struct running *a = start("a", SERVICE_THREADS, 0);
	_cleanup_(load_result_done) struct load_result result = { 0 };

	gate_init(&a->service.gate, 2, BULKHEAD_MAX);
	a->service.wait_ns = MS;
	result = load(a, 60, 20);
	assert_int_equal(count(&result, 200, LOAD_SHAPE_FULL, LOAD_OK), 60);
	stop(a);
}

static void who_is_no_hopchain_has_no_counts(void **state)
{
	struct service silent = { .listen = loopback(0) };
	struct counts counts = { .received = 5 };
	_cleanup_(closep) int fd = -1;
	char target[32];

	assert_int_equal(service_listen(&silent, &fd), 0);
	snprintf(target, sizeof(target), "127.0.0.1:%u", port_of(fd));
	assert_int_equal(counts_ask(target, 20 * MS, &counts), -ETIMEDOUT);
	assert_int_equal(counts_ask("127.0.0.1", 20 * MS, &counts), -EINVAL);
	assert_int_equal(counts.received, 5);
}

static void counts_of_another_process_are_not_subtracted(void **state)
{
	const struct counts before = { .started_ns = 1, .received = 100 };
	const struct counts same = { .started_ns = 1, .received = 130 };
	const struct counts other = { .started_ns = 2, .received = 30 };

	assert_int_equal(counts_between(&before, &same).received, 30);
	assert_int_equal(counts_between(&before, &same).started_ns, 1);
	assert_int_equal(counts_between(&before, &other).received, 30);
}

IN_BOTH(the_same_requests_fail_in_every_run)
IN_BOTH(retries_multiply_what_the_next_one_gets)
IN_BOTH(retries_hide_failures_that_are_not_all)
IN_BOTH(an_open_breaker_spares_the_next_one)
IN_BOTH(a_breaker_closes_again_when_the_next_one_is_well)
IN_BOTH(a_bulkhead_lets_only_so_many_hang)
IN_BOTH(the_last_good_answer_stands_in)
IN_BOTH(without_one_the_answer_is_partial)
IN_BOTH(what_is_degraded_further_down_shows)
IN_BOTH(replicas_are_called_in_turn)

int main(void)
{
	const struct CMUnitTest tests[] = {
		BOTH(the_same_requests_fail_in_every_run),
		BOTH(retries_multiply_what_the_next_one_gets),
		BOTH(retries_hide_failures_that_are_not_all),
		BOTH(an_open_breaker_spares_the_next_one),
		BOTH(a_breaker_closes_again_when_the_next_one_is_well),
		BOTH(a_bulkhead_lets_only_so_many_hang),
		BOTH(the_last_good_answer_stands_in),
		BOTH(without_one_the_answer_is_partial),
		BOTH(what_is_degraded_further_down_shows),
		BOTH(replicas_are_called_in_turn),
		cmocka_unit_test(the_load_goes_to_all_its_targets),
		cmocka_unit_test(what_finds_the_queue_full_is_refused),
		cmocka_unit_test(in_a_queue_that_is_long_enough_nobody_is_refused),
		cmocka_unit_test(who_is_no_hopchain_has_no_counts),
		cmocka_unit_test(counts_of_another_process_are_not_subtracted),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
