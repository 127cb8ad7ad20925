/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * text.h - other people's bytes, made harmless for where they go: terminal, CSV, XML.
 *
 * Names, labels and HTTP paths come from outside and may hold anything. What is not a printable character of
 * valid UTF-8 (C0 and C1 controls, DEL, line separators, bidirectional overrides, broken sequences) is
 * written as \xHH for each of its bytes,
 * in all three, so one row stays one line everywhere. For a reader who is a program, the backslash itself is
 * not doubled: the escape is made to be seen, not to be undone.
 *
 * The text_escape_*() work as snprintf does: they write at most size - 1 bytes and a NUL, never cut an
 * escape or a
 * character in two, and return the length that all of it needs.
 */
#ifndef HOPFAULT_BASE_TEXT_H
#define HOPFAULT_BASE_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

/* Length in bytes of the valid UTF-8 character at the front of text[0..len), or 0 when there is none. */
unsigned int text_utf8_next(const char *text, size_t len, uint32_t *ret_code_point);

/* True when the character may be shown as it is. */
bool text_is_printable(uint32_t code_point);

/* Columns on a terminal, counted as one for each character (after escaping, when the text is foreign). */
size_t text_width(const char *text);

size_t text_escape_terminal(char *to, size_t size, const char *text);
size_t text_escape_xml(char *to, size_t size,
		       const char *text); /* & < > " ' as well: element or attribute */

/* The same straight into a stream. An error stays in the stream (ferror). */
void text_write_terminal(FILE *out, const char *text);
void text_write_xml(FILE *out, const char *text);
void text_write_csv(FILE *out,
		    const char *text); /* one field, quoted as RFC 4180 wants when it must be */
void text_write_json(FILE *out, const char *text); /* one string, with its quotes (RFC 8259) */

#endif
