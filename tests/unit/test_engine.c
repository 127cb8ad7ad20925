/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test_engine.c - container engines that answer well, badly, too much, or not at all: one clear line comes of it, in
 * bounded time, and other engines still answer.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "endpoint/cgroup.h"
#include "endpoint/endpoint.h"
#include "endpoint/sockets.h"
#include "fake_engine.h"

#define ID(digits) "c68743936494b9e0b34e1bd00908db7a95e60e0f66d48a8c55174c681244" digits
/* No test of this file may take longer than all engines together may, and some for a busy machine. */
#define LONGEST_NS (ENDPOINT_ENGINES_WAIT_NS + 2 * CLOCK_SECOND_NS)

#define ENTRY(digits, name, state, project, service)                                             \
	"{\"Id\":\"" ID(                                                                         \
		digits) "\",\"Names\":[\"/" name "\"],\"State\":\"" state                        \
			"\",\"Labels\":{\"app\":\"x\",\"com.docker.compose.project\":\"" project \
			"\",\"com.docker.compose.service\":\"" service "\"}}"

static const char list[] = "[" ENTRY("0001", "hf-test-one", "running", "hf-p1", "hf-svc") "," ENTRY(
	"0002", "hf-test-two", "exited", "hf-p2",
	"hf-svc") "," ENTRY("0003", "hf-svc-named", "running", "hf-p1",
			    "hf-test-one") "," ENTRY("0004", "hf-lone", "running", "hf-p1",
						     "hf-lone-svc") "]";
static const char no_process[] = "{\"State\":{\"Status\":\"restarting\",\"Pid\":0}}";

static int ask_nobody(void **state)
{
	setenv("HOPFAULT_RUN_DIR", "/nonexistent", 1);
	setenv("HOPFAULT_PODMAN_SOCKET", "/nonexistent/podman.sock", 1);
	unsetenv("HOPFAULT_DOCKER_SOCKET");
	unsetenv("DOCKER_HOST");
	unsetenv("CONTAINER_HOST");
	return 0;
}

static int select_word(const char *word, char *error)
{
	_cleanup_(endpoint_list_free) struct endpoint_list found = { 0 };
	uint64_t began_ns = clock_now_ns();
	int r;

	strcpy(error, "");
	r = endpoint_select(word, &found, error);
	assert_true(clock_now_ns() - began_ns < LONGEST_NS);
	assert_true(strlen(error) < ENDPOINT_ERROR_MAX);
	for (const char *at = error; *at; at++)
		assert_true(*at >= ' ' && *at <= '~');
	return r;
}

static void assert_says(const char *error, const char *words)
{
	if (!strstr(error, words))
		fail_msg("'%s' does not say '%s'", error, words);
}

static void with_engine(struct fake_engine *fake, enum fake_manner manner, const char *body)
{
	fake_engine_start(fake, manner, body, no_process);
	setenv("HOPFAULT_DOCKER_SOCKET", fake->socket_path, 1);
}

/* docker:NAME of an engine of this manner. */
static void assert_trouble(enum fake_manner manner, int expected, const char *words)
{
	_cleanup_(fake_engine_stop) struct fake_engine fake = { 0 };
	char error[ENDPOINT_ERROR_MAX];

	with_engine(&fake, manner, list);
	assert_int_equal(select_word("docker:hf-test-one", error), expected);
	assert_says(error, words);
	/* A bare word is unknown, and the trouble is told with it. */
	assert_int_equal(select_word("hf-test-one", error), -ENOENT);
	assert_says(error, words);
}

static void an_engine_that_hangs_is_waited_for_two_seconds(void **state)
{
	assert_trouble(FAKE_HANGS, -ETIMEDOUT, "did not answer within");
	assert_trouble(FAKE_NOT_TAKEN, -ETIMEDOUT, "did not answer within");
}

static void an_engine_that_trickles_is_not_waited_for_any_longer(void **state)
{
	assert_trouble(FAKE_SLOW, -ETIMEDOUT, "did not answer within 2.0 s");
	assert_trouble(FAKE_HEADERS, -ETIMEDOUT, "did not answer within");
}

static void an_answer_without_end_is_cut_at_sixteen_megabytes(void **state)
{
	assert_trouble(FAKE_HUGE, -EFBIG, "too large");
}

static void an_answer_that_is_too_deep_is_refused(void **state)
{
	assert_trouble(FAKE_DEEP, -E2BIG, "too large");
}

static void what_is_no_engine_is_said_to_be_none(void **state)
{
	assert_trouble(FAKE_GARBAGE, -EBADMSG, "does not speak as docker does");
	assert_trouble(FAKE_NOT_JSON, -EBADMSG, "does not speak as docker does");
}

static void an_engine_that_hangs_up_is_told(void **state)
{
	assert_trouble(FAKE_HANGS_UP, -ECONNRESET, "hung up");
}

static void an_engines_refusal_is_told_in_its_own_words_made_harmless(void **state)
{
	_cleanup_(fake_engine_stop) struct fake_engine fake = { 0 };
	char error[ENDPOINT_ERROR_MAX];

	with_engine(&fake, FAKE_REFUSES, "{\"message\":\"out of \\u001b[31morder\"}");
	assert_int_equal(select_word("docker:x", error), -EPROTO);
	assert_says(error, "500");
	assert_says(error, "out of \\x1b[31morder");
}

static void an_absent_engine_is_told_when_it_was_asked_for(void **state)
{
	char error[ENDPOINT_ERROR_MAX];

	setenv("HOPFAULT_DOCKER_SOCKET", "/nonexistent/docker.sock", 1);
	assert_int_equal(select_word("docker:web", error), -ENXIO);
	assert_says(error, "no docker engine: there is no socket /nonexistent/docker.sock");
	assert_int_equal(select_word("hf-no-such", error), -ENOENT);
	assert_says(error, "there is no socket");
	setenv("HOPFAULT_DOCKER_SOCKET", "docker.sock", 1);
	assert_int_equal(select_word("docker:web", error), -EINVAL);
	assert_says(error, "must begin with /");
}

static void an_engine_elsewhere_can_not_be_worked_with(void **state)
{
	char error[ENDPOINT_ERROR_MAX];

	setenv("DOCKER_HOST", "tcp://192.0.2.1:2375", 1);
	assert_int_equal(select_word("docker:web", error), -EPROTONOSUPPORT);
	assert_says(error, "DOCKER_HOST is tcp://192.0.2.1:2375");
}

static void docker_host_names_a_socket_and_is_overruled_by_our_own_variable(void **state)
{
	_cleanup_(fake_engine_stop) struct fake_engine fake = { 0 };
	char error[ENDPOINT_ERROR_MAX], host[128];

	with_engine(&fake, FAKE_ANSWERS, list);
	setenv("DOCKER_HOST", "unix:///nonexistent/docker.sock", 1);
	assert_int_equal(select_word("docker:hf-test-two", error), -EHOSTDOWN);
	unsetenv("HOPFAULT_DOCKER_SOCKET");
	assert_int_equal(select_word("docker:hf-test-two", error), -ENXIO);
	snprintf(host, sizeof(host), "unix://%s", fake.socket_path);
	setenv("DOCKER_HOST", host, 1);
	assert_int_equal(select_word("docker:hf-test-two", error), -EHOSTDOWN);
}

static void a_socket_that_may_not_be_used_is_told(void **state)
{
	_cleanup_(fake_engine_stop) struct fake_engine fake = { 0 };
	char error[ENDPOINT_ERROR_MAX];
	int status = 0;
	pid_t pid;

	if (geteuid() != 0)
		skip(); /* who is not root has no other user to be */
	with_engine(&fake, FAKE_ANSWERS, list);
	assert_int_equal(chmod(fake.dir, 0755), 0);
	assert_int_equal(chmod(fake.socket_path, 0600), 0);
	pid = fork();
	if (pid == 0) {
		if (setgid(65534) < 0 || setuid(65534) < 0)
			_exit(9);
		if (endpoint_select("docker:x", &(struct endpoint_list){ 0 }, error) != -EACCES)
			_exit(1);
		_exit(strstr(error, "no permission to ask docker at") ? 0 : 2);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
}

static void a_socket_that_somebody_else_made_is_not_asked(void **state)
{
	_cleanup_(fake_engine_stop) struct fake_engine fake = { 0 };
	char error[ENDPOINT_ERROR_MAX];

	setenv("HOPFAULT_DOCKER_SOCKET", "/dev/null", 1);
	assert_int_equal(select_word("docker:x", error), -ENOTSOCK);
	assert_says(error, "/dev/null is no socket");
	if (geteuid() != 0)
		skip(); /* who is not root can't give a socket away */
	with_engine(&fake, FAKE_ANSWERS, list);
	assert_int_equal(chown(fake.socket_path, 65534, 65534), 0);
	assert_int_equal(select_word("docker:hf-test-two", error), -EPERM);
	assert_says(error, "is user 65534's: docker is asked at a socket of root's or one's own");
}

static void engines_are_not_waited_for_beyond_the_whole_requests_time(void **state)
{
	_cleanup_(endpoint_list_free) struct endpoint_list found = { 0 };
	_cleanup_(fake_engine_stop) struct fake_engine fake = { 0 };
	struct endpoint_sockets sockets = { 0 };
	uint64_t began_ns = clock_now_ns();
	char error[ENDPOINT_ERROR_MAX];

	fake_engine_start(&fake, FAKE_HANGS, list, no_process);
	strcpy(sockets.docker, fake.socket_path);
	sockets.deadline_ns = began_ns + CLOCK_SECOND_NS / 4;
	for (int i = 0; i < 5; i++)
		assert_int_equal(endpoint_select_at(&sockets, "docker:x", &found, error),
				 -ETIMEDOUT);
	assert_true(clock_now_ns() - began_ns < CLOCK_SECOND_NS * 3 / 2);
}

static void what_does_not_run_is_known_all_the_same(void **state)
{
	_cleanup_(fake_engine_stop) struct fake_engine fake = { 0 };
	char error[ENDPOINT_ERROR_MAX];

	with_engine(&fake, FAKE_ANSWERS, list);
	assert_int_equal(select_word("hf-test-two", error), -EHOSTDOWN);
	assert_string_equal(error, "docker:hf-test-two does not run now (exited)");
	assert_int_equal(select_word("hf-lone", error), -EHOSTDOWN);
	assert_string_equal(error, "docker:hf-lone does not run now (restarting)");
}

static void what_went_between_two_questions_does_not_run(void **state)
{
	_cleanup_(fake_engine_stop) struct fake_engine fake = { 0 };
	char error[ENDPOINT_ERROR_MAX];

	with_engine(&fake, FAKE_FORGETS, list);
	assert_int_equal(select_word("hf-lone", error), -EHOSTDOWN);
	assert_string_equal(error, "docker:hf-lone does not run now (exited)");
}

static void a_name_does_not_win_over_anothers_service(void **state)
{
	_cleanup_(fake_engine_stop) struct fake_engine fake = { 0 };
	char error[ENDPOINT_ERROR_MAX];

	with_engine(&fake, FAKE_ANSWERS, list);
	assert_int_equal(select_word("hf-test-one", error), -ENOTUNIQ);
	assert_says(error, "docker:hf-test-one");
	assert_says(error, "docker:hf-p1/hf-test-one");
	assert_int_equal(select_word("docker:hf-test-one", error), -EHOSTDOWN);
	assert_says(error, "docker:hf-test-one does");
	assert_int_equal(select_word("docker:hf-p1/hf-test-one", error), -EHOSTDOWN);
	assert_says(error, "docker:hf-svc-named does");
}

/* A process that claims to be of another container is not looked into; one that may be its own is, and is the host's. */
static void a_container_in_the_hosts_network_is_refused_with_the_reason(void **state)
{
	char own[CGROUP_TEXT_MAX], id[CONTAINER_ID_LEN + 1] = ID("0001");
	_cleanup_(fake_engine_stop) struct fake_engine fake = { 0 };
	_cleanup_(freep) char *entry = NULL, *detail = NULL;
	char error[ENDPOINT_ERROR_MAX];

	assert_int_equal(cgroup_read("/proc", getpid(), own), 0);
	cgroup_container(own, NULL, id);
	assert_true(asprintf(&entry,
			     "[{\"Id\":\"%s\",\"Names\":[\"/hf-host\"],\"State\":\"running\"}]",
			     id) > 0);
	assert_true(asprintf(&detail, "{\"State\":{\"Status\":\"running\",\"Pid\":%d}}", getpid()) >
		    0);
	fake_engine_start(&fake, FAKE_ANSWERS, entry, detail);
	setenv("HOPFAULT_DOCKER_SOCKET", fake.socket_path, 1);
	assert_int_equal(select_word("hf-host", error), -EMEDIUMTYPE);
	assert_says(error, "docker:hf-host can't be worked on: it is in the host's own network");
}

static void a_process_that_is_not_here_is_not_believed(void **state)
{
	static const char *const details[] = {
		"{\"State\":{\"Status\":\"running\",\"Pid\":2147483647}}",
		"{\"State\":{\"Status\":\"running\",\"Pid\":-5}}",
	};
	static const int expected[] = { -EHOSTDOWN, -EBADMSG };

	for (size_t i = 0; i < ARRAY_SIZE(details); i++) {
		_cleanup_(fake_engine_stop) struct fake_engine fake = { 0 };
		char error[ENDPOINT_ERROR_MAX];

		fake_engine_start(&fake, FAKE_ANSWERS, list, details[i]);
		setenv("HOPFAULT_DOCKER_SOCKET", fake.socket_path, 1);
		assert_int_equal(select_word("docker:hf-lone", error), expected[i]);
	}
}

static void near_names_are_told_from_all_that_are_known(void **state)
{
	_cleanup_(fake_engine_stop) struct fake_engine fake = { 0 };
	char error[ENDPOINT_ERROR_MAX];

	with_engine(&fake, FAKE_ANSWERS, list);
	assert_int_equal(select_word("hf-tset-two", error), -ENOENT);
	assert_says(error, "'hf-test-two'");
	assert_int_equal(select_word("docker:hf-p1/hf-lone-scv", error), -ENOENT);
	assert_says(error, "'hf-p1/hf-lone-svc'");
	assert_int_equal(select_word("label:app=y", error), -ENOENT);
	assert_says(error, "no container has 'label:app=y'");
}

static void an_engine_that_hangs_does_not_hide_another(void **state)
{
	_cleanup_(fake_engine_stop) struct fake_engine hangs = { 0 }, answers = { 0 };
	char error[ENDPOINT_ERROR_MAX];

	with_engine(&hangs, FAKE_HANGS, list);
	fake_engine_start(&answers, FAKE_ANSWERS, list, no_process);
	setenv("HOPFAULT_PODMAN_SOCKET", answers.socket_path, 1);
	assert_int_equal(select_word("hf-test-two", error), -EHOSTDOWN);
	assert_says(error, "podman:hf-test-two");
	ask_nobody(NULL);
}

static void the_list_of_all_says_who_could_not_be_asked(void **state)
{
	_cleanup_(endpoint_list_free) struct endpoint_list found = { 0 };
	_cleanup_(fake_engine_stop) struct fake_engine fake = { 0 };
	char trouble[ENDPOINT_ERROR_MAX];

	with_engine(&fake, FAKE_GARBAGE, list);
	assert_int_equal(endpoint_list(&found, trouble), 0);
	assert_says(trouble, "does not speak as docker does");
}

static void words_that_mean_something_else_are_no_containers(void **state)
{
	_cleanup_(fake_engine_stop) struct fake_engine fake = { 0 };
	char error[ENDPOINT_ERROR_MAX];

	with_engine(&fake, FAKE_ANSWERS,
		    "[" ENTRY("0001", "any", "exited", "p",
			      "s") "," ENTRY("0002", "10.0.0.1", "exited", "p", "world") "]");
	assert_int_equal(select_word("any", error), -EINVAL);
	assert_int_equal(select_word("10.0.0.1", error), -EINVAL);
	assert_int_equal(select_word("world", error), -EINVAL);
	assert_int_equal(select_word("docker:any", error), -EHOSTDOWN);
	assert_int_equal(select_word("docker:10.0.0.1", error), -EHOSTDOWN);
}

#define TEST(fn) cmocka_unit_test_setup(fn, ask_nobody)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(an_engine_that_hangs_is_waited_for_two_seconds),
		TEST(an_engine_that_trickles_is_not_waited_for_any_longer),
		TEST(an_answer_without_end_is_cut_at_sixteen_megabytes),
		TEST(an_answer_that_is_too_deep_is_refused),
		TEST(what_is_no_engine_is_said_to_be_none),
		TEST(an_engine_that_hangs_up_is_told),
		TEST(an_engines_refusal_is_told_in_its_own_words_made_harmless),
		TEST(an_absent_engine_is_told_when_it_was_asked_for),
		TEST(an_engine_elsewhere_can_not_be_worked_with),
		TEST(docker_host_names_a_socket_and_is_overruled_by_our_own_variable),
		TEST(a_socket_that_may_not_be_used_is_told),
		TEST(a_socket_that_somebody_else_made_is_not_asked),
		TEST(engines_are_not_waited_for_beyond_the_whole_requests_time),
		TEST(what_does_not_run_is_known_all_the_same),
		TEST(what_went_between_two_questions_does_not_run),
		TEST(a_name_does_not_win_over_anothers_service),
		TEST(a_container_in_the_hosts_network_is_refused_with_the_reason),
		TEST(a_process_that_is_not_here_is_not_believed),
		TEST(near_names_are_told_from_all_that_are_known),
		TEST(an_engine_that_hangs_does_not_hide_another),
		TEST(the_list_of_all_says_who_could_not_be_asked),
		TEST(words_that_mean_something_else_are_no_containers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
