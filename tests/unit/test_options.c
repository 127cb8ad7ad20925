/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test_options.c - facts about a command's options: exact names, typed values, messages that help. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/options.h"
#include "base/text.h"

struct values {
	bool json;
	const char *csv;
	uint64_t requests;
	uint64_t duration_ns;
	uint32_t odds;
	int mode;
	unsigned int names;
};

static int count_name(const char *text, void *field, const char **ret_reason)
{
	if (!strcmp(text, "bad")) {
		*ret_reason = "a bad name";
		return -EINVAL;
	}
	(*(unsigned int *)field)++;
	return 0;
}

static const char *const modes[] = { "threads", "epoll", NULL };

static const struct option_row rows[] = {
	{ "json", 'j', NULL, "print JSON", OPTION_FLAG, OPTION_INTO(struct values, json) },
	{ "csv", 0, "FILE",
	  "write a row for each request into this file, which must not exist yet, "
	  "with the columns that the manual describes",
	  OPTION_TEXT, OPTION_INTO(struct values, csv) },
	{ "requests", 'n', "N", "how many requests", OPTION_COUNT,
	  OPTION_INTO(struct values, requests), .min = 1, .max = 1000 },
	{ "for", 0, "TIME", "stop after this time", OPTION_TIME,
	  OPTION_INTO(struct values, duration_ns) },
	{ "share", 0, "PERCENT", "share of connections", OPTION_PERCENT,
	  OPTION_INTO(struct values, odds) },
	{ "mode", 0, "MODE", "threads or epoll", OPTION_CHOICE, OPTION_INTO(struct values, mode),
	  .choices = modes },
	{ "name", 0, "NAME", "a name", OPTION_OTHER, OPTION_INTO(struct values, names),
	  .parse = count_name, .repeats = true },
	{},
};

#define ARGV(...) ((char *[]){ "load", __VA_ARGS__, NULL })

static int parse_flags(unsigned int flags, char **argv, struct values *values,
		       struct options_words *words, char *error)
{
	int argc = 0;

	while (argv[argc])
		argc++;
	return options_parse(rows, flags, argc, argv, values, words, error);
}

static void assert_refused(char **argv, const char *said)
{
	_cleanup_(options_words_done) struct options_words words = {};
	char error[OPTIONS_ERROR_MAX] = "";
	struct values values = {};

	assert_int_equal(parse_flags(0, argv, &values, &words, error), -EINVAL);
	assert_string_equal(error, said);
	assert_null(words.word);
}

static void values_come_typed_and_words_in_order(void **state)
{
	_cleanup_(options_words_done) struct options_words words = {};
	char error[OPTIONS_ERROR_MAX];
	struct values values = { .odds = 7 };
	char **argv = ARGV("a", "--json", "b", "-n", "12", "--for=1.5s", "--csv", "x.csv", "-5ms",
			   "--mode", "epoll", "--name", "x", "--name=y", "-");

	(void)state;
	assert_int_equal(parse_flags(0, argv, &values, &words, error), 0);
	assert_true(values.json);
	assert_string_equal(values.csv, "x.csv");
	assert_int_equal(values.requests, 12);
	assert_int_equal(values.duration_ns, 1500000000);
	assert_int_equal(values.odds, 7); /* the default stays */
	assert_int_equal(values.mode, 1);
	assert_int_equal(values.names, 2);
	assert_int_equal(words.count, 4);
	assert_string_equal(words.word[0], "a");
	assert_int_equal(words.position[0], 1);
	assert_string_equal(words.word[1], "b");
	assert_int_equal(words.position[1], 3);
	assert_string_equal(words.word[2], "-5ms");
	assert_string_equal(words.word[3], "-");
	assert_null(words.word[4]);
	assert_null(words.command);
}

static void what_follows_two_dashes_is_a_command(void **state)
{
	_cleanup_(options_words_done) struct options_words words = {};
	char error[OPTIONS_ERROR_MAX];
	struct values values = {};

	(void)state;
	assert_int_equal(parse_flags(0, ARGV("a", "--", "curl", "--json"), &values, &words, error),
			 0);
	assert_false(values.json);
	assert_int_equal(words.count, 1);
	assert_string_equal(words.command[0], "curl");
	assert_string_equal(words.command[1], "--json");
	assert_null(words.command[2]);
}

static void the_first_word_can_end_the_options(void **state)
{
	_cleanup_(options_words_done) struct options_words words = {};
	char error[OPTIONS_ERROR_MAX];
	struct values values = {};

	(void)state;
	assert_int_equal(parse_flags(OPTIONS_STOP_AT_WORD, ARGV("-j", "status", "--whatever"),
				     &values, &words, error),
			 0);
	assert_true(values.json);
	assert_int_equal(words.taken, 2);
}

static void an_unknown_option_is_named_with_its_place_and_the_nearest(void **state)
{
	(void)state;
	assert_refused(ARGV("a", "--jsn"),
		       "load: unknown option '--jsn' (word 2); did you mean 'json'?");
	assert_refused(ARGV("--request=5"),
		       "load: unknown option '--request' (word 1); did you mean 'requests'?");
	assert_refused(ARGV("-x"), "load: unknown option '-x' (word 1)");
	assert_refused(ARGV("-n5"), "load: '-n5' (word 1): write -n and what follows as two words");
}

static void a_bad_value_is_named_with_its_reason(void **state)
{
	(void)state;
	assert_refused(ARGV("--for", "5"), "load: --for '5' (word 2): a unit is missing: write "
					   "5ms, 5us or 5s for example");
	assert_refused(
		ARGV("-n", "-5"),
		"load: --requests '-5' (word 2): negative: it must be 0 or more (1 to 1000)");
	assert_refused(ARGV("-n", "1001"),
		       "load: --requests '1001' (word 2): too large (1 to 1000)");
	assert_refused(ARGV("--mode=fork"), "load: --mode 'fork' (word 1): not one of the words "
					    "that can stand here (one of: threads, epoll)");
	assert_refused(ARGV("--csv="), "load: --csv '' (word 1): empty");
	assert_refused(ARGV("--name", "bad"), "load: --name 'bad' (word 2): a bad name");
}

static void a_missing_or_needless_or_second_value_is_refused(void **state)
{
	(void)state;
	assert_refused(ARGV("--csv"), "load: --csv (word 1) needs a value: --csv FILE");
	assert_refused(ARGV("--csv", "--", "x"), "load: --csv (word 1) needs a value: --csv FILE");
	assert_refused(ARGV("--json=yes"), "load: --json (word 1) takes no value");
	assert_refused(ARGV("-n", "1", "--requests", "2"),
		       "load: --requests is given twice (word 4)");
}

static void help_is_at_most_80_columns_and_names_every_option(void **state)
{
	_cleanup_(freep) char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);
	const struct option_row *row;
	char *line, *rest;

	(void)state;
	options_print_help(rows, out);
	assert_int_equal(fclose(out), 0);
	for (row = rows; row->name; row++)
		assert_non_null(strstr(text, row->name));
	assert_non_null(strstr(text, "  -n, --requests N        how many requests\n"));
	for (line = strtok_r(text, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest))
		assert_true(text_width(line) <= 80);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(values_come_typed_and_words_in_order),
		cmocka_unit_test(what_follows_two_dashes_is_a_command),
		cmocka_unit_test(the_first_word_can_end_the_options),
		cmocka_unit_test(an_unknown_option_is_named_with_its_place_and_the_nearest),
		cmocka_unit_test(a_bad_value_is_named_with_its_reason),
		cmocka_unit_test(a_missing_or_needless_or_second_value_is_refused),
		cmocka_unit_test(help_is_at_most_80_columns_and_names_every_option),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
