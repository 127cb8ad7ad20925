/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test_sockets.c - facts about where container engines are asked, and where not. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/cleanup.h"
#include "endpoint/sockets.h"
#include "fake_engine.h"

static int say_nothing(void **state)
{
	static const char *const variables[] = {
		"HOPFAULT_DOCKER_SOCKET", "HOPFAULT_PODMAN_SOCKET", "DOCKER_HOST",
		"CONTAINER_HOST",	  "XDG_RUNTIME_DIR",	    "SUDO_UID"
	};

	for (size_t i = 0; i < ARRAY_SIZE(variables); i++)
		unsetenv(variables[i]);
	return 0;
}

static void the_nearest_word_about_a_socket_wins(void **state)
{
	struct endpoint_sockets sockets;

	setenv("DOCKER_HOST", "unix:///c.sock", 1);
	endpoint_sockets_choose(NULL, NULL, &sockets);
	assert_string_equal(sockets.docker, "unix:///c.sock");
	assert_string_equal(endpoint_socket_path(sockets.docker), "/c.sock");
	setenv("HOPFAULT_DOCKER_SOCKET", "/b.sock", 1);
	endpoint_sockets_choose(NULL, NULL, &sockets);
	assert_string_equal(sockets.docker, "/b.sock");
	endpoint_sockets_choose("/a.sock", "/p.sock", &sockets);
	assert_string_equal(sockets.docker, "/a.sock");
	assert_string_equal(sockets.podman, "/p.sock");
}

static void two_words_for_one_socket_mean_one_engine(void **state)
{
	struct endpoint_sockets a = { .docker = "/tmp" }, b = { .docker = "unix:///tmp" };

	assert_true(endpoint_sockets_meet(&a, &b, ENDPOINT_DOCKER));
	strcpy(b.docker, "/tmp/../tmp");
	assert_true(endpoint_sockets_meet(&a, &b, ENDPOINT_DOCKER));
	strcpy(b.docker, "/");
	assert_false(endpoint_sockets_meet(&a, &b, ENDPOINT_DOCKER));
	assert_false(endpoint_sockets_meet(&a, &b, 0));
	assert_true(endpoint_sockets_meet(&a, &b, ENDPOINT_PODMAN));
	assert_true(endpoint_sockets_meet(&a, &b, ENDPOINT_NETNS));
}

static void an_engine_where_it_is_by_default_can_be_named_too(void **state)
{
	struct endpoint_sockets a = {}, b = { .docker = "/var/run/docker.sock" };

	assert_true(endpoint_sockets_meet(&a, &b, ENDPOINT_DOCKER));
	assert_string_equal(endpoint_sockets_path(&a, ENDPOINT_PODMAN), "/run/podman/podman.sock");
	assert_null(endpoint_sockets_path(&a, ENDPOINT_LAB));
}

static void a_rootless_engine_is_found_in_its_users_run_folder(void **state)
{
	_cleanup_(fake_engine_stop) struct fake_engine fake = { 0 };
	struct endpoint_sockets sockets;
	char path[128];

	if (access("/var/run/docker.sock", F_OK) == 0)
		skip(); /* that one comes first */
	fake_engine_start(&fake, FAKE_ANSWERS, "[]", "{}");
	snprintf(path, sizeof(path), "%s/docker.sock", fake.dir);
	setenv("XDG_RUNTIME_DIR", fake.dir, 1);
	endpoint_sockets_choose(NULL, NULL, &sockets);
	assert_string_equal(sockets.docker, "");
	assert_int_equal(symlink(fake.socket_path, path), 0);
	endpoint_sockets_choose(NULL, NULL, &sockets);
	assert_string_equal(sockets.docker, path);
	setenv("XDG_RUNTIME_DIR", "relative", 1);
	setenv("SUDO_UID", "../../tmp", 1);
	endpoint_sockets_choose(NULL, NULL, &sockets);
	assert_string_equal(sockets.docker, "");
	unlink(path);
}

static void an_address_is_a_path_on_this_machine(void **state)
{
	char long_path[200] = "/";
	const char *reason;

	memset(long_path + 1, 'a', 150);
	assert_true(endpoint_socket_is_valid("/run/docker.sock", &reason));
	assert_true(endpoint_socket_is_valid("unix:///run/docker.sock", &reason));
	assert_false(endpoint_socket_is_valid("docker.sock", &reason));
	assert_non_null(strstr(reason, "begin with /"));
	assert_false(endpoint_socket_is_valid("", &reason));
	assert_false(endpoint_socket_is_valid("tcp://192.0.2.1:2375", &reason));
	assert_non_null(strstr(reason, "on this machine"));
	assert_null(endpoint_socket_path("ssh://host"));
	assert_false(endpoint_socket_is_valid(long_path, &reason));
}

static void a_socket_of_another_user_is_not_asked(void **state)
{
	_cleanup_(fake_engine_stop) struct fake_engine fake = { 0 };
	unsigned int uid = 4711;

	if (geteuid() != 0)
		skip(); /* who is not root can't give a socket away */
	fake_engine_start(&fake, FAKE_ANSWERS, "[]", "{}");
	assert_int_equal(endpoint_socket_check(fake.socket_path, &uid), 0);
	assert_int_equal(chown(fake.socket_path, 65534, 65534), 0);
	assert_int_equal(endpoint_socket_check(fake.socket_path, &uid), -EPERM);
	assert_int_equal(uid, 65534);
}

static void what_is_no_socket_is_not_asked(void **state)
{
	unsigned int uid;

	assert_int_equal(endpoint_socket_check("/", &uid), -ENOTSOCK);
	assert_int_equal(endpoint_socket_check("/dev/null", &uid), -ENOTSOCK);
	assert_int_equal(endpoint_socket_check("/nonexistent/sock", &uid), -ENOENT);
	assert_int_equal(endpoint_socket_check("/dev/null/sock", &uid), -ENOENT);
	assert_int_equal(endpoint_socket_check("sock", &uid), -EINVAL);
}

#define TEST(fn) cmocka_unit_test_setup(fn, say_nothing)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(the_nearest_word_about_a_socket_wins),
		TEST(two_words_for_one_socket_mean_one_engine),
		TEST(an_engine_where_it_is_by_default_can_be_named_too),
		TEST(a_rootless_engine_is_found_in_its_users_run_folder),
		TEST(an_address_is_a_path_on_this_machine),
		TEST(a_socket_of_another_user_is_not_asked),
		TEST(what_is_no_socket_is_not_asked),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
