/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test_lab_state.c - state.json comes back as it was written, and is not believed when it was not written by us: its
 * names decide which files are removed.
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

#include "endpoint/lab_state.h"

static int make_run_dir(void **state)
{
	char *dir = strdup("/tmp/test_lab_state.XXXXXX"), path[128];

	if (!dir || !mkdtemp(dir))
		return -1;
	snprintf(path, sizeof(path), "%s/lab", dir);
	*state = dir;
	return mkdir(path, 0700) < 0 ? -1 : setenv("HOPFAULT_RUN_DIR", dir, 1);
}

static int remove_run_dir(void **state)
{
	char *dir = *state, path[128];

	lab_state_remove();
	snprintf(path, sizeof(path), "%s/lab", dir);
	rmdir(path);
	rmdir(dir);
	free(dir);
	return 0;
}

static void what_was_written_comes_back(void **state)
{
	struct lab_state written, *found = NULL;

	memset(&written, 0, sizeof(written));
	strcpy(written.prefix, "hf-");
	written.is_finished = true;
	written.port = 8080;
	written.hub = (struct lab_netns){ { 4, 4026532200 }, 77, { 25, 1234567890123 } };
	written.nodes = 2;
	strcpy(written.node[0].name, "client");
	strcpy(written.node[1].name, "a");
	for (int i = 0; i < 2; i++) {
		written.node[i].ipv4 = (struct hf_addr){ { [10] = 0xff, 0xff, 10, 83, 0, i + 1 } };
		written.node[i].ipv6 = (struct hf_addr){ { 0xfd, 0x83, [15] = i + 1 } };
	}
	written.node[1].pid = 4194303;
	written.node[1].start_time = 99999999999;
	assert_int_equal(lab_state_write(&written), 0);
	assert_int_equal(lab_state_read(&found), 0);
	assert_memory_equal(&written, found, sizeof(written));
	free(found);
}

static void no_file_is_no_lab(void **state)
{
	struct lab_state *found = NULL;

	lab_state_remove();
	assert_int_equal(lab_state_read(&found), -ENOENT);
	assert_null(found);
}

static int read_text(const char *text)
{
	struct lab_state *found = NULL;
	char path[LAB_PATH_MAX];
	FILE *file;
	int r;

	assert_int_equal(lab_path("state.json", path), 0);
	file = fopen(path, "w");
	assert_non_null(file);
	fputs(text, file);
	fclose(file);
	r = lab_state_read(&found);
	free(found);
	return r;
}

#define NETNS "{\"dev\":4,\"ino\":5,\"cookie\":6,\"file_dev\":7,\"file_ino\":8}"
#define STATE(prefix, nodes)                                                                   \
	"{\"version\":1,\"prefix\":\"" prefix "\",\"finished\":true,\"made_names_dir\":false," \
	"\"port\":8080,\"switch\":" NETNS ",\"nodes\":[" nodes "]}"
#define NODE(name, pid)                                                                   \
	"{\"name\":\"" name "\",\"pid\":" pid ",\"start_time\":1,\"ipv4\":\"10.83.0.1\"," \
	"\"ipv6\":\"fd83::1\",\"netns\":" NETNS "}"

static void a_strangers_state_is_refused(void **state)
{
	assert_int_equal(read_text(STATE("hf-", NODE("a", "1"))), 0);
	assert_int_equal(read_text(""), -EBADMSG);
	assert_int_equal(read_text("[]"), -EBADMSG);
	assert_int_equal(read_text("{}"), -EBADMSG);
	assert_int_equal(read_text(STATE("../", NODE("a", "1"))), -EBADMSG);
	assert_int_equal(read_text(STATE("hf-", NODE("../x", "1"))), -EBADMSG);
	assert_int_equal(read_text(STATE("hf-", NODE("abcdefghijklmnop", "1"))), -EBADMSG);
	assert_int_equal(read_text(STATE("hf-", NODE("a", "-1"))), -EBADMSG);
	assert_int_equal(read_text(STATE("hf-", "3")), -EBADMSG);
}

static void a_relative_run_dir_is_refused(void **state)
{
	char path[LAB_PATH_MAX];

	setenv("HOPFAULT_RUN_DIR", "run", 1);
	assert_int_equal(lab_path("x", path), -EINVAL);
	setenv("HOPFAULT_RUN_DIR", *state, 1);
	assert_int_equal(lab_path("x", path), 0);
}

static void a_prefix_with_a_slash_is_refused(void **state)
{
	const char *prefix;

	setenv("HOPFAULT_LAB_PREFIX", "../", 1);
	assert_int_equal(lab_prefix(&prefix), -EINVAL);
	unsetenv("HOPFAULT_LAB_PREFIX");
	assert_int_equal(lab_prefix(&prefix), 0);
	assert_string_equal(prefix, "hf-");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_was_written_comes_back),
		cmocka_unit_test(no_file_is_no_lab),
		cmocka_unit_test(a_strangers_state_is_refused),
		cmocka_unit_test(a_relative_run_dir_is_refused),
		cmocka_unit_test(a_prefix_with_a_slash_is_refused),
	};

	return cmocka_run_group_tests(tests, make_run_dir, remove_run_dir);
}
