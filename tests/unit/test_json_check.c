/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test_json_check.c - facts about the look that is taken at an answer before it is nested into another: it agrees
 * with jansson on what one JSON value is.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "chain/json_check.h"

#define FUZZ_ROUNDS 100000

static const char *const good[] = {
	"{}",
	"[]",
	"null",
	" true ",
	"-0.5e+3",
	"\"a\\u00e9\\n\"",
	"{\"a\":[1,2,{\"b\":\"\"}],\"c\":     12}",
};

static const char *const bad[] = {
	"",   " ",  "{",   "}",	 "{]",	    "[1,]",	   "{\"a\"}",  "{\"a\":1,}", "{a:1}", "01",
	"1.", "+1", "nul", "\"", "\"\\x\"", "\"\\u12g4\"", "\"a\nb\"", "{} {}",	     "1 2",
};

static void good_values_pass(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(good); i++)
		assert_true(json_is_one_value(good[i], strlen(good[i])));
}

static void all_else_does_not(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		assert_false(json_is_one_value(bad[i], strlen(bad[i])));
	assert_false(json_is_one_value("\"\0\"", 3));
}

static void nesting_has_an_end(void **state)
{
	char text[2 * (JSON_DEPTH_MAX + 1)];

	(void)state;
	memset(text, '[', JSON_DEPTH_MAX);
	memset(text + JSON_DEPTH_MAX, ']', JSON_DEPTH_MAX);
	assert_true(json_is_one_value(text, 2 * JSON_DEPTH_MAX));
	memset(text, '[', JSON_DEPTH_MAX + 1);
	memset(text + JSON_DEPTH_MAX + 1, ']', JSON_DEPTH_MAX + 1);
	assert_false(json_is_one_value(text, sizeof(text)));
}

/* Of ASCII, since UTF-8 is not verified; numbers that jansson can't hold are left out by being short. */
static void jansson_agrees_on_broken_values(void **state)
{
	static const char telling[] = "{}[]:,\"\\u0e-+.1 nulltruefalse\n";
	unsigned int dice = 1;
	char text[64];

	(void)state;
	for (int round = 0; round < FUZZ_ROUNDS; round++) {
		const char *seed = good[(size_t)round % ARRAY_SIZE(good)];
		size_t len = strlen(seed);
		_cleanup_(freep) char *bytes = NULL;
		json_t *json;

		memcpy(text, seed, len);
		for (int i = rand_r(&dice) % 4; i > 0; i--)
			text[(size_t)rand_r(&dice) % len] =
				telling[(size_t)rand_r(&dice) % (sizeof(telling) - 1)];
		bytes = malloc(len);
		assert_non_null(bytes);
		memcpy(bytes, text, len);
		json = json_loadb(bytes, len, JSON_DECODE_ANY | JSON_ALLOW_NUL, NULL);
		if (json)
			assert_true(json_is_one_value(bytes, len));
		json_decref(json);
		if (!json &&
		    json_is_one_value(
			    bytes, len)) /* jansson: also no lone surrogates, no huge exponents */
			assert_true(memchr(bytes, '\\', len) || memchr(bytes, 'e', len));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(good_values_pass),
		cmocka_unit_test(all_else_does_not),
		cmocka_unit_test(nesting_has_an_end),
		cmocka_unit_test(jansson_agrees_on_broken_values),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
