/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test_cgroup.c - whose process is it? What stands in /proc/PID/cgroup under the engines of today, and what a
 * container could write there to be taken for another.
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
#include <unistd.h>

#include <cmocka.h>

#include "endpoint/cgroup.h"

#define ID_A "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa0001"
#define ID_B "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb0002"

static void assert_container(const char *text, const char *expected)
{
	char id[CONTAINER_ID_LEN + 1] = "";

	assert_int_equal(cgroup_container(text, NULL, id), expected != NULL);
	assert_string_equal(id, expected ? expected : "");
}

static void engines_write_the_id_in_their_own_ways(void **state)
{
	assert_container("0::/docker/" ID_A "\n", ID_A);
	assert_container("0::/system.slice/docker-" ID_A ".scope\n", ID_A);
	assert_container("0::/machine.slice/libpod-" ID_A ".scope/container\n", ID_A);
	assert_container("8:pids:/libpod_parent/libpod-" ID_A "\n", ID_A);
	assert_container("8:pids:/libpod_parent/" ID_B "/libpod-" ID_A "\n", ID_A); /* in a pod */
	assert_container("0::/kubepods.slice/kubepods-besteffort.slice/"
			 "kubepods-besteffort-pod12_34.slice/cri-containerd-" ID_A ".scope\n",
			 ID_A);
	assert_container("12:pids:/kubepods/burstable/pod1-2/" ID_A "\n1:name=systemd:/\n", ID_A);
	assert_container("12:pids:/\n11:cpu,cpuacct:/docker/" ID_A "\n", ID_A);
}

static void what_is_no_container_has_no_id(void **state)
{
	assert_container("", NULL);
	assert_container("0::/\n", NULL);
	assert_container("0::/init.scope\n", NULL);
	assert_container("no colon at all " ID_A "\n", NULL);
	assert_container("0::/docker/" ID_A "0\n", NULL); /* 65 digits */
	assert_container("0::/x" ID_A "\n", NULL);
	assert_container("0::/machine.slice/libpod-conmon-" ID_A ".scope\n", NULL);
	assert_container("8:pids:/libpod_parent/" ID_B "/libpod-conmon-" ID_A "\n", NULL);
}

static void a_group_made_inside_a_container_does_not_count(void **state)
{
	assert_container("0::/docker/" ID_A "/" ID_B "\n", ID_A);
	assert_container("0::/docker/" ID_A "/docker-" ID_B ".scope\n", ID_A);
}

static void the_container_that_we_are_in_is_passed_over(void **state)
{
	char id[CONTAINER_ID_LEN + 1];

	assert_true(cgroup_container("0::/docker/" ID_A "/docker/" ID_B "\n", ID_A, id));
	assert_string_equal(id, ID_B);
	assert_false(cgroup_container("0::/docker/" ID_A "\n", ID_A, id));
}

static void a_process_id_that_was_given_to_another_container_is_noticed(void **state)
{
	assert_true(cgroup_is_another_container("0::/docker/" ID_B "\n", ID_A));
	assert_false(cgroup_is_another_container("0::/docker/" ID_A "\n", ID_A));
	assert_false(cgroup_is_another_container("0::/\n", ID_A)); /* an engine without groups */
}

static void assert_unit(const char *text, const char *expected)
{
	char unit[ENDPOINT_NAME_MAX + 1] = "";

	assert_int_equal(cgroup_unit(text, unit), expected != NULL);
	assert_string_equal(unit, expected ? expected : "");
}

static void a_unit_stands_below_slices_alone(void **state)
{
	assert_unit("0::/system.slice/nginx.service\n", "nginx.service");
	assert_unit("0::/system.slice/system-pg.slice/pg@14.service/x\n", "pg@14.service");
	assert_unit("1:name=systemd:/system.slice/nginx.service\n0::/\n", "nginx.service");
	assert_unit("0::/docker/" ID_A "/nginx.service\n", NULL);
	assert_unit("0::/user.slice/user-1.slice/user@1.service/nginx.service\n", "user@1.service");
	assert_unit("0::/\n", NULL);
	assert_unit("0::/.service\n", NULL);
}

struct seen {
	int count;
	pid_t pid;
	char text[128];
};

static int take(pid_t pid, const char *text, void *user)
{
	struct seen *seen = user;

	seen->count++;
	seen->pid = pid;
	snprintf(seen->text, sizeof(seen->text), "%.127s", text);
	return 0;
}

/* A /proc of one process, and things that are none. */
static void processes_are_found_among_other_files(void **state)
{
	char dir[] = "/tmp/test_cgroup.XXXXXX", path[128];
	struct seen seen = { 0 };
	FILE *file;

	assert_non_null(mkdtemp(dir));
	snprintf(path, sizeof(path), "%s/77", dir);
	assert_int_equal(mkdir(path, 0700), 0);
	snprintf(path, sizeof(path), "%s/78", dir); /* has ended: no file in it */
	assert_int_equal(mkdir(path, 0700), 0);
	snprintf(path, sizeof(path), "%s/sys", dir);
	assert_int_equal(mkdir(path, 0700), 0);
	snprintf(path, sizeof(path), "%s/77/cgroup", dir);
	file = fopen(path, "w");
	assert_non_null(file);
	fputs("0::/system.slice/x.service\n", file);
	fclose(file);
	assert_int_equal(cgroup_scan(dir, take, &seen), 0);
	assert_int_equal(seen.count, 1);
	assert_int_equal(seen.pid, 77);
	assert_string_equal(seen.text, "0::/system.slice/x.service\n");
	unlink(path);
	for (int i = 0; i < 3; i++) {
		snprintf(path, sizeof(path), "%s/%s", dir,
			 (const char *[]){ "77", "78", "sys" }[i]);
		rmdir(path);
	}
	assert_int_equal(rmdir(dir), 0);
	assert_int_equal(cgroup_scan(dir, take, &seen), -ENOENT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(engines_write_the_id_in_their_own_ways),
		cmocka_unit_test(what_is_no_container_has_no_id),
		cmocka_unit_test(a_group_made_inside_a_container_does_not_count),
		cmocka_unit_test(the_container_that_we_are_in_is_passed_over),
		cmocka_unit_test(a_process_id_that_was_given_to_another_container_is_noticed),
		cmocka_unit_test(a_unit_stands_below_slices_alone),
		cmocka_unit_test(processes_are_found_among_other_files),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
