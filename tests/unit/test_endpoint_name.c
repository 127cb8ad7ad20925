/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test_endpoint_name.c - what names may look like, and how addresses are written. No network is touched.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "endpoint/endpoint.h"
#include "endpoint/lab_state.h"

static void a_name_is_letters_digits_and_a_few_signs(void **state)
{
	assert_true(endpoint_name_is_valid("a"));
	assert_true(endpoint_name_is_valid("docker:web_1.front-end/x@y"));
	assert_false(endpoint_name_is_valid(""));
	assert_false(endpoint_name_is_valid("."));
	assert_false(endpoint_name_is_valid(".."));
	assert_false(endpoint_name_is_valid("-a"));
	assert_false(endpoint_name_is_valid("a b"));
	assert_false(endpoint_name_is_valid("a\n"));
	assert_false(endpoint_name_is_valid("\033[31m"));
	assert_false(endpoint_name_is_valid("@SUM(A1)"));
	assert_false(endpoint_name_is_valid("@a"));
	assert_true(endpoint_name_is_valid("a@b.service"));
	assert_false(endpoint_name_is_valid("caf\xc3\xa9"));
	assert_false(endpoint_name_is_valid("a;b"));
}

static void a_name_is_bounded(void **state)
{
	char name[ENDPOINT_NAME_MAX + 2];

	memset(name, 'x', sizeof(name));
	name[ENDPOINT_NAME_MAX + 1] = '\0';
	assert_false(endpoint_name_is_valid(name));
	name[ENDPOINT_NAME_MAX] = '\0';
	assert_true(endpoint_name_is_valid(name));
}

static void a_full_name_that_does_not_fit_is_refused(void **state)
{
	struct endpoint endpoint = { .name = "abc", .kind = ENDPOINT_NETNS };
	char name[16];

	assert_int_equal(endpoint_full_name(&endpoint, name, 10), 0);
	assert_string_equal(name, "netns:abc");
	assert_int_equal(endpoint_full_name(&endpoint, name, 9), -ENAMETOOLONG);
}

static void a_mapped_address_is_written_as_ipv4(void **state)
{
	struct hf_addr ipv4 = { { [10] = 0xff, 0xff, 10, 83, 0, 2 } };
	struct hf_addr ipv6 = { { 0xfd, 0x83, [15] = 2 } };
	char text[INET6_ADDRSTRLEN];

	assert_string_equal(endpoint_addr_text(&ipv4, text), "10.83.0.2");
	assert_string_equal(endpoint_addr_text(&ipv6, text), "fd83::2");
}

static void a_name_in_run_netns_can_not_leave_it(void **state)
{
	assert_true(netns_name_is_valid("hf-a"));
	assert_false(netns_name_is_valid(""));
	assert_false(netns_name_is_valid("."));
	assert_false(netns_name_is_valid(".."));
	assert_false(netns_name_is_valid("../x"));
	assert_false(netns_name_is_valid("a/b"));
	assert_false(netns_name_is_valid("a\tb"));
}

static void a_lab_name_fits_a_veths_name(void **state)
{
	assert_true(lab_name_is_valid("a"));
	assert_true(lab_name_is_valid("abcdefghij"));
	assert_false(lab_name_is_valid("abcdefghijk"));
	assert_false(lab_name_is_valid("lab")); /* the switch */
	assert_false(lab_name_is_valid("A"));
	assert_false(lab_name_is_valid("-a"));
	assert_false(lab_name_is_valid("a/b"));
	assert_false(lab_name_is_valid(""));
}

static void words_that_are_no_names_are_refused_in_safe_words(void **state)
{
	struct endpoint *endpoint = NULL;
	char error[ENDPOINT_ERROR_MAX];

	assert_int_equal(endpoint_resolve("\033]0;x\a", &endpoint, error), -EINVAL);
	assert_null(endpoint);
	assert_null(strchr(error, '\033'));
	assert_int_equal(endpoint_resolve("pid:0", &endpoint, error), -EINVAL);
	assert_int_equal(endpoint_resolve("pid:99999999999999999999", &endpoint, error), -EINVAL);
	assert_int_equal(endpoint_resolve("pid:", &endpoint, error), -EINVAL);
	assert_int_equal(endpoint_resolve("netns:../../proc/self/ns/net", &endpoint, error),
			 -ENOENT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_name_is_letters_digits_and_a_few_signs),
		cmocka_unit_test(a_name_is_bounded),
		cmocka_unit_test(a_full_name_that_does_not_fit_is_refused),
		cmocka_unit_test(a_mapped_address_is_written_as_ipv4),
		cmocka_unit_test(a_name_in_run_netns_can_not_leave_it),
		cmocka_unit_test(a_lab_name_fits_a_veths_name),
		cmocka_unit_test(words_that_are_no_names_are_refused_in_safe_words),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
