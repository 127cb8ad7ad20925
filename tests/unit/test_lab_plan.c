/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test_lab_plan.c - which services a lab has, and with which words each is started.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "lab/lab_parts.h"

#define MS UINT64_C(1000000)

static int setup(void **state)
{
	*state = calloc(1, sizeof(struct lab_state));
	return *state ? 0 : -1;
}

static int teardown(void **state)
{
	free(*state);
	return 0;
}

static void assert_node(const struct lab_state *state, size_t i, const char *name,
			unsigned int tier, const char *command)
{
	assert_true(i < state->nodes);
	assert_string_equal(state->node[i].name, name);
	assert_int_equal(state->node[i].tier, tier);
	assert_string_equal(state->node[i].command, command);
}

static void assert_refused(const struct lab_options *options, int r, const char *words)
{
	_cleanup_(freep) struct lab_state *state = calloc(1, sizeof(*state));
	char error[LAB_ERROR_MAX] = "";

	assert_non_null(state);
	assert_int_equal(lab_plan(options, state, error), r);
	if (!strstr(error, words))
		fail_msg("it said: %s", error);
}

static void a_chain_calls_from_left_to_right(void **state)
{
	const struct lab_options options = { .services = 2, .timeout_ns = 100 * MS };

	assert_int_equal(lab_plan(&options, *state, NULL), 0);
	assert_node(*state, 0, "client", 0, "");
	assert_node(*state, 1, "a", 1,
		    "--name a --listen 8080 --next 10.83.0.3:8080 --next-name b "
		    "--timeout 100000000ns");
	assert_node(*state, 2, "b", 2, "--name b --listen 8080 --timeout 50000000ns");
}

static void replicas_share_a_tier_and_are_called_together(void **state)
{
	const struct lab_setting settings[] = {
		{ .name = "b", .replicas = 2 },
		{ .name = "b", .words = "--fail 1%" },
		{ .name = "b2", .words = "--wait 2ms" },
	};
	const struct lab_options options = { .services = 3, .setting = settings, .settings = 3 };

	assert_int_equal(lab_plan(&options, *state, NULL), 0);
	assert_node(*state, 1, "a", 1,
		    "--name a --listen 8080 --next 10.83.0.3:8080,10.83.0.4:8080 --next-name b");
	assert_node(*state, 2, "b1", 2,
		    "--name b1 --listen 8080 --next 10.83.0.5:8080 --next-name c --fail 1%");
	assert_node(*state, 3, "b2", 2,
		    "--name b2 --listen 8080 --next 10.83.0.5:8080 --next-name c --fail 1% "
		    "--wait 2ms");
	assert_node(*state, 4, "c", 3, "--name c --listen 8080");
}

static void what_is_said_of_one_service_wins(void **state)
{
	static const char *const common[] = { "--mode", "epoll", "--work", "1ms", NULL };
	const struct lab_setting settings[] = {
		{ .name = "a", .words = "--work=2ms  --timeout 7ms --worker-like no" },
	};
	const struct lab_options options = {
		.services = 2,
		.service_arg = common,
		.timeout_ns = 100 * MS,
		.setting = settings,
		.settings = 1,
	};

	assert_int_equal(lab_plan(&options, *state, NULL), 0);
	assert_node(*state, 1, "a", 1,
		    "--name a --listen 8080 --next 10.83.0.3:8080 --next-name b --mode epoll "
		    "--work=2ms --timeout 7ms --worker-like no");
	assert_node(*state, 2, "b", 2,
		    "--name b --listen 8080 --timeout 50000000ns --mode epoll --work 1ms");
}

static void a_monolith_is_one_service(void **state)
{
	const struct lab_options options = { .services = 5, .monolith = 5 };

	assert_int_equal(lab_plan(&options, *state, NULL), 0);
	assert_int_equal(((struct lab_state *)*state)->nodes, 2);
	assert_node(*state, 1, "a", 1, "--name a --listen 8080 --monolith 5");
}

static void what_can_not_be_is_refused_with_the_reason(void **state)
{
	const struct lab_setting unknown = { .name = "x", .words = "--fail 1%" };
	const struct lab_setting many = { .name = "a", .replicas = 16 };
	const struct lab_setting quoted = { .name = "a", .words = "--name \"x\"" };
	const struct lab_setting too_many[] = { many,
						{ .name = "b", .replicas = 16 },
						{ .name = "c", .replicas = 16 } };
	char words[2 * LAB_COMMAND_SIZE];
	const struct lab_setting long_words = { .name = "a", .words = words };

	memset(words, 'x', sizeof(words) - 1);
	words[sizeof(words) - 1] = '\0';
	assert_refused(&(struct lab_options){ .setting = &unknown, .settings = 1 }, -EINVAL,
		       "no service 'x': it has a to e");
	assert_refused(&(struct lab_options){ .setting = &quoted, .settings = 1 }, -EINVAL,
		       "no quotes");
	assert_refused(&(struct lab_options){ .setting = too_many, .settings = 3 }, -E2BIG,
		       "at most 32 services");
	assert_refused(&(struct lab_options){ .setting = &long_words, .settings = 1 }, -E2BIG,
		       "too long");
	assert_refused(&(struct lab_options){ .services = 33 }, -E2BIG, "at most 32");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(a_chain_calls_from_left_to_right, setup, teardown),
		cmocka_unit_test_setup_teardown(replicas_share_a_tier_and_are_called_together,
						setup, teardown),
		cmocka_unit_test_setup_teardown(what_is_said_of_one_service_wins, setup, teardown),
		cmocka_unit_test_setup_teardown(a_monolith_is_one_service, setup, teardown),
		cmocka_unit_test(what_can_not_be_is_refused_with_the_reason),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
