/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test_log.c - facts about messages: one escaped line, the level kept, errno untouched. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"

/* stderr goes into a file while `say` runs; what it wrote is put into `text`. */
static void capture(void (*say)(void), char *text, size_t size)
{
	FILE *file = tmpfile();
	int stderr_copy = dup(STDERR_FILENO);
	size_t len;

	assert_non_null(file);
	fflush(stderr);
	assert_true(dup2(fileno(file), STDERR_FILENO) >= 0);
	say();
	fflush(stderr);
	assert_true(dup2(stderr_copy, STDERR_FILENO) >= 0);
	close(stderr_copy);
	rewind(file);
	len = fread(text, 1, size - 1, file);
	text[len] = '\0';
	fclose(file);
}

static void say_error(void)
{
	errno = ENOENT;
	assert_int_equal(log_err(-EPERM, "cannot attach to %s", "\x1b[2Jevil\n"), -EPERM);
	assert_int_equal(errno, ENOENT);
}

static void say_all(void)
{
	log_warn("w");
	log_info("i");
	log_debug("d");
}

static void an_error_is_one_escaped_line_and_returns_its_number(void **state)
{
	char text[256];

	(void)state;
	capture(say_error, text, sizeof(text));
	assert_string_equal(text, "test_log: cannot attach to \\x1b[2Jevil\\x0a\n");
}

static void the_level_says_what_is_printed(void **state)
{
	char text[256];

	(void)state;
	capture(say_all, text, sizeof(text));
	assert_string_equal(text, "test_log: warning: w\ntest_log: i\n");
	log_set_level(LOG_LEVEL_DEBUG);
	capture(say_all, text, sizeof(text));
	assert_string_equal(text, "test_log: warning: w\ntest_log: i\ntest_log: debug: d\n");
	log_set_level(LOG_LEVEL_ERROR);
	capture(say_all, text, sizeof(text));
	assert_string_equal(text, "");
	log_set_level(LOG_LEVEL_INFO);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_error_is_one_escaped_line_and_returns_its_number),
		cmocka_unit_test(the_level_says_what_is_printed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
