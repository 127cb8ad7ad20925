/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test_load.c - facts about a chain of two services and the load that is put on it, in both modes: times are in
 * order, failures name their hop, a schedule is kept, a stop is heeded. All of it on loopback, in this process.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "chain/load.h"
#include "running.h"

static void assert_in_order(const struct load_record *record, const struct load_times *a,
			    const struct load_times *b)
{
	assert_true(record->start_ns <= a->recv_ns && a->recv_ns <= a->call_ns);
	assert_true(a->call_ns <= b->recv_ns && b->recv_ns <= b->send_ns);
	assert_true(b->send_ns <= a->reply_ns && a->reply_ns <= a->send_ns);
	assert_true(a->send_ns <= record->start_ns + record->latency_ns);
	assert_int_equal(b->call_ns, 0);
	assert_int_equal(b->reply_ns, 0);
}

static void times_of_a_chain_are_in_order(enum service_mode mode)
{
	struct running *b = start("b", mode, 0);
	struct running *a = start("a", mode, port_of(b->listen_fd));
	struct load_options options = {
		.target = a->target,
		.requests = 400,
		.warmup_requests = 20,
		.connections = 16,
		.keep_times = true,
	};
	_cleanup_(load_result_done) struct load_result result = { 0 };

	assert_int_equal(load_run(&options, &result), 0);
	assert_int_equal(result.records, 400);
	assert_int_equal(result.times_count, 800);
	assert_int_equal(result.times_lost, 0);
	for (size_t i = 0; i < 800; i += 2) {
		const struct load_times *times = &result.times[i];
		const struct load_record *record = &result.record[times->request];

		assert_int_equal(record->status, 200);
		assert_int_equal(record->error, LOAD_OK);
		assert_string_equal(result.service.name[times[0].service], "a");
		assert_string_equal(result.service.name[times[1].service], "b");
		assert_in_order(record, &times[0], &times[1]);
	}
	stop(a);
	stop(b);
}

static void failure_names_its_hop(enum service_mode mode, uint16_t next_port, unsigned int status,
				  enum load_error error)
{
	struct running *b = start("b", mode, next_port);
	struct running *a = start("a", mode, port_of(b->listen_fd));
	struct load_options options = { .target = a->target, .requests = 8, .connections = 4 };
	_cleanup_(load_result_done) struct load_result result = { 0 };

	a->service.timeout_ns =
		10000000000; /* before its first request: the one behind gives up first */
	assert_int_equal(load_run(&options, &result), 0);
	assert_int_equal(result.records, 8);
	for (size_t i = 0; i < result.records; i++) {
		assert_int_equal(result.record[i].status, status);
		assert_int_equal(result.record[i].error, error);
		assert_string_equal(result.hop.name[result.record[i].hop], "b->next");
	}
	stop(a);
	stop(b);
}

/* A listener that nobody accepts from: connecting works, answers never come. */
static void with_a_silent_next(enum service_mode mode)
{
	struct service silent = { .listen = loopback(0) };
	_cleanup_(closep) int fd = -1;

	assert_int_equal(service_listen(&silent, &fd), 0);
	failure_names_its_hop(mode, port_of(fd), 504, LOAD_TIMEOUT);
}

static void with_a_dead_next(enum service_mode mode)
{
	struct service dead = { .listen = loopback(0) };
	uint16_t port;
	int fd;

	assert_int_equal(service_listen(&dead, &fd), 0);
	port = port_of(fd);
	close(fd);
	failure_names_its_hop(mode, port, 502, LOAD_REFUSED);
}

static void threads_times_of_a_chain_are_in_order(void **state)
{
	(void)state;
	times_of_a_chain_are_in_order(SERVICE_THREADS);
}

static void epoll_times_of_a_chain_are_in_order(void **state)
{
	(void)state;
	times_of_a_chain_are_in_order(SERVICE_EPOLL);
}

static void threads_failures_name_their_hop(void **state)
{
	(void)state;
	with_a_silent_next(SERVICE_THREADS);
	with_a_dead_next(SERVICE_THREADS);
}

static void epoll_failures_name_their_hop(void **state)
{
	(void)state;
	with_a_silent_next(SERVICE_EPOLL);
	with_a_dead_next(SERVICE_EPOLL);
}

static void a_silent_service_times_out_for_the_load(void **state)
{
	struct service silent = { .listen = loopback(0) };
	struct load_options options = { .requests = 3, .timeout_ns = 30000000 };
	_cleanup_(load_result_done) struct load_result result = { 0 };
	_cleanup_(closep) int fd = -1;
	char target[32];

	(void)state;
	assert_int_equal(service_listen(&silent, &fd), 0);
	snprintf(target, sizeof(target), "127.0.0.1:%u", port_of(fd));
	options.target = target;
	assert_int_equal(load_run(&options, &result), 0);
	assert_int_equal(result.records, 3);
	for (size_t i = 0; i < 3; i++) {
		assert_int_equal(result.record[i].status, 0);
		assert_int_equal(result.record[i].error, LOAD_TIMEOUT);
		assert_true(result.record[i].intended_latency_ns >= options.timeout_ns);
	}
}

/* 2 ms of work and a request due each millisecond: the queue shows from the due time, not from the start. */
static void a_slow_service_can_not_hide_from_a_schedule(void **state)
{
	struct running *a = start("a", SERVICE_EPOLL, 0);
	struct load_options options = {
		.target = a->target, .requests = 50, .connections = 1, .rate = 1000
	};
	_cleanup_(load_result_done) struct load_result result = { 0 };
	const struct load_record *last;

	(void)state;
	a->service.work_ns = 2000000;
	assert_int_equal(load_run(&options, &result), 0);
	assert_int_equal(result.records, 50);
	last = &result.record[49];
	assert_true(last->latency_ns >= 2000000);
	assert_true(last->intended_latency_ns >= 50 * UINT64_C(1000000));
	assert_true(last->intended_latency_ns > 2 * UINT64_C(1000000));
	stop(a);
}

static bool go_on_for_ten(void *userdata, uint32_t done)
{
	*(uint32_t *)userdata = done;
	return done < 10;
}

static void a_stop_keeps_what_was_measured(void **state)
{
	struct running *a = start("a", SERVICE_EPOLL, 0);
	uint32_t done = 0;
	struct load_options options = { .target = a->target,
					.requests = 100000,
					.connections = 2,
					.rate = 200,
					.keep_going = go_on_for_ten,
					.userdata = &done };
	_cleanup_(load_result_done) struct load_result result = { 0 };

	(void)state;
	assert_int_equal(load_run(&options, &result), 0);
	assert_true(result.was_stopped);
	assert_true(result.records >= 10 && result.records < 100000);
	assert_int_equal(result.records, done);
	stop(a);
}

static void nonsense_is_refused_before_anything_is_sent(void **state)
{
	static const struct load_options options[] = {
		{ .target = NULL, .requests = 1 },
		{ .target = "127.0.0.1:1", .requests = 0 },
		{ .target = "127.0.0.1", .requests = 1 },
		{ .target = "127.0.0.1:1", .requests = 1, .path = "/a b" },
		{ .target = "127.0.0.1:1", .requests = 1, .connections = LOAD_CONNECTIONS_MAX + 1 },
	};
	struct load_result result = { .requests = 7 };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(options); i++)
		assert_int_equal(load_run(&options[i], &result), -EINVAL);
	assert_int_equal(result.requests, 7);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(threads_times_of_a_chain_are_in_order),
		cmocka_unit_test(epoll_times_of_a_chain_are_in_order),
		cmocka_unit_test(threads_failures_name_their_hop),
		cmocka_unit_test(epoll_failures_name_their_hop),
		cmocka_unit_test(a_silent_service_times_out_for_the_load),
		cmocka_unit_test(a_slow_service_can_not_hide_from_a_schedule),
		cmocka_unit_test(a_stop_keeps_what_was_measured),
		cmocka_unit_test(nonsense_is_refused_before_anything_is_sent),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
