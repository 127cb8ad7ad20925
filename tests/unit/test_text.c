/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test_text.c - facts about escaping: hostile bytes come out harmless, honest ones unchanged.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/text.h"

#define HOSTILE "a\x1b[31m\x07\r\nb\x7f\xff\xc3(\xe2\x80\xae"

typedef void (*write_fn)(FILE *out, const char *text);

static void assert_written(write_fn write, const char *text, const char *expected)
{
	char *got = NULL;
	size_t size;
	FILE *out = open_memstream(&got, &size);

	assert_non_null(out);
	write(out, text);
	assert_int_equal(fclose(out), 0);
	assert_string_equal(got, expected);
	free(got);
}

static void a_terminal_gets_no_control_bytes(void **state)
{
	(void)state;
	assert_written(text_write_terminal, HOSTILE,
		       "a\\x1b[31m\\x07\\x0d\\x0ab\\x7f\\xff\\xc3(\\xe2\\x80\\xae");
	assert_written(text_write_terminal,
		       "\xc2\x9b"
		       "31m",
		       "\\xc2\\x9b31m"); /* C1: CSI */
}

static void honest_text_is_unchanged(void **state)
{
	(void)state;
	assert_written(text_write_terminal, "Zürich → 東京 😀", "Zürich → 東京 😀");
	assert_written(text_write_xml, "Zürich → 東京 😀", "Zürich → 東京 😀");
	assert_written(text_write_csv, "Zürich → 東京 😀", "Zürich → 東京 😀");
}

static void broken_utf8_is_shown_byte_by_byte(void **state)
{
	static const char *const broken[][2] = {
		{ "\xc0\xaf", "\\xc0\\xaf" }, /* overlong slash */
		{ "\xe0\x80\xaf", "\\xe0\\x80\\xaf" }, /* the same in three bytes */
		{ "\xed\xa0\x80", "\\xed\\xa0\\x80" }, /* a surrogate */
		{ "\xf4\x90\x80\x80", "\\xf4\\x90\\x80\\x80" },
		{ "\xe2\x82", "\\xe2\\x82" }, /* cut off */
	};
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(broken); i++)
		assert_written(text_write_terminal, broken[i][0], broken[i][1]);
}

static void xml_markup_is_data(void **state)
{
	(void)state;
	assert_written(text_write_xml, "<script>&\"'", "&lt;script&gt;&amp;&quot;&#39;");
	assert_written(text_write_xml, "\x01\x1b", "\\x01\\x1b"); /* not even allowed as entities */
	assert_written(text_write_xml, "\xef\xbf\xbf",
		       "\\xef\\xbf\\xbf"); /* U+FFFF is no XML character */
}

static void csv_fields_are_quoted_as_rfc_4180_wants(void **state)
{
	(void)state;
	assert_written(text_write_csv, "plain", "plain");
	assert_written(text_write_csv, "", "");
	assert_written(text_write_csv, "a,b", "\"a,b\"");
	assert_written(text_write_csv, "say \"hi\"", "\"say \"\"hi\"\"\"");
	assert_written(text_write_csv, " blank", "\" blank\"");
}

static void a_csv_row_stays_one_line(void **state)
{
	(void)state;
	assert_written(text_write_csv, "a\r\nb", "\"a\\x0d\\x0ab\"");
}

static void json_strings_are_quoted(void **state)
{
	(void)state;
	assert_written(text_write_json, "a\"b\\c", "\"a\\\"b\\\\c\"");
	assert_written(text_write_json, "\x1b\xff", "\"\\\\x1b\\\\xff\"");
}

static void a_small_buffer_cuts_between_pieces(void **state)
{
	char to[6];

	(void)state;
	assert_int_equal(text_escape_terminal(to, sizeof(to),
					      "ab\x1b"
					      "c"),
			 7);
	assert_string_equal(to, "ab");
	assert_int_equal(text_escape_xml(to, sizeof(to), "a&b"), 7);
	assert_string_equal(to, "a");
	assert_int_equal(text_escape_terminal(to, sizeof(to), "1234é"), 6);
	assert_string_equal(to, "1234");
	assert_int_equal(text_escape_terminal(NULL, 0, "12345"), 5);
}

static void width_counts_characters(void **state)
{
	(void)state;
	assert_int_equal(text_width(""), 0);
	assert_int_equal(text_width("Zürich"), 6);
	assert_int_equal(text_width("→"), 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_terminal_gets_no_control_bytes),
		cmocka_unit_test(honest_text_is_unchanged),
		cmocka_unit_test(broken_utf8_is_shown_byte_by_byte),
		cmocka_unit_test(xml_markup_is_data),
		cmocka_unit_test(csv_fields_are_quoted_as_rfc_4180_wants),
		cmocka_unit_test(a_csv_row_stays_one_line),
		cmocka_unit_test(json_strings_are_quoted),
		cmocka_unit_test(a_small_buffer_cuts_between_pieces),
		cmocka_unit_test(width_counts_characters),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
