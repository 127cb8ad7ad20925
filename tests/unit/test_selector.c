/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test_selector.c - what a word may mean before anybody is asked.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/cleanup.h"
#include "endpoint/selector.h"

static struct selector parsed(const char *text)
{
	struct selector selector = { 0 };
	const char *reason = NULL;

	assert_int_equal(selector_parse(text, &selector, &reason), 0);
	return selector;
}

static void assert_refused(const char *text)
{
	struct selector selector;
	const char *reason = NULL;

	assert_int_equal(selector_parse(text, &selector, &reason), -EINVAL);
	assert_non_null(reason);
}

static void a_plain_word_is_a_name(void **state)
{
	struct selector selector = parsed("web-1");

	assert_int_equal(selector.kind, SELECT_NAME);
	assert_true(selector_matches_name(&selector, "web-1"));
	assert_false(selector_matches_name(&selector, "web-10"));
	assert_false(selector_may_mean_many(&selector));
}

static void one_slash_makes_a_service(void **state)
{
	struct selector selector = parsed("shop/web");

	assert_int_equal(selector.kind, SELECT_SERVICE);
	assert_string_equal(selector.text, "shop");
	assert_string_equal(selector.value, "web");
	assert_int_equal(parsed("../../x").kind, SELECT_NAME); /* nobody has it */
}

static void a_label_has_a_key_and_perhaps_a_value(void **state)
{
	struct selector selector = parsed("label:app=a=b");

	assert_int_equal(selector.kind, SELECT_LABEL);
	assert_string_equal(selector.text, "app");
	assert_string_equal(selector.value, "a=b");
	assert_true(parsed("label:app").any_value);
	assert_false(parsed("label:app=").any_value);
	assert_refused("label:");
	assert_refused("label:=x");
}

static void an_expression_is_for_the_whole_name(void **state)
{
	_cleanup_(selector_done) struct selector selector = parsed("~web-.*|db");

	assert_true(selector_matches_name(&selector, "web-1"));
	assert_true(selector_matches_name(&selector, "db"));
	assert_false(selector_matches_name(&selector, "my-web-1"));
	assert_false(selector_matches_name(&selector, "db2"));
	assert_true(selector_may_mean_many(&selector));
}

static void an_expression_can_not_keep_the_matcher_busy(void **state)
{
	assert_refused("~");
	assert_refused("~(");
	assert_refused("~((a{1000}){1000}){1000}");
	assert_refused("~(a*)\\1");
}

static void what_is_not_printable_is_no_word(void **state)
{
	char long_word[ENDPOINT_NAME_MAX + 2];

	memset(long_word, 'x', sizeof(long_word));
	long_word[ENDPOINT_NAME_MAX + 1] = '\0';
	assert_refused("");
	assert_refused("a b");
	assert_refused("a,b");
	assert_refused("~\033[31m");
	assert_refused("label:a=\n");
	assert_refused("caf\xc3\xa9");
	assert_refused(long_word);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_plain_word_is_a_name),
		cmocka_unit_test(one_slash_makes_a_service),
		cmocka_unit_test(a_label_has_a_key_and_perhaps_a_value),
		cmocka_unit_test(an_expression_is_for_the_whole_name),
		cmocka_unit_test(an_expression_can_not_keep_the_matcher_busy),
		cmocka_unit_test(what_is_not_printable_is_no_word),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
