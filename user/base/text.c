/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * text.c - other people's bytes, made harmless.
 *
 * Every escape is the same loop over pieces: a piece is one valid, printable character, or one byte that is not
 * part of one. Only what becomes of a piece differs, and where it is put.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE /* fwrite_unlocked */
#endif

#include "base/text.h"

#include <string.h>

#define PIECE_MAX 20 /* the longest a piece can become: four bytes as \\xHH in JSON */

struct piece {
	const char *at;
	unsigned int len;
	uint32_t code_point;
	bool printable;
};

/* RFC 3629: no overlong forms, no surrogates, nothing above U+10FFFF. */
unsigned int text_utf8_next(const char *text, size_t len, uint32_t *ret_code_point)
{
	static const uint32_t smallest[] = { 0, 0, 0x80, 0x800, 0x10000 };
	const unsigned char *byte = (const unsigned char *)text;
	unsigned int size, i;
	uint32_t code_point;

	if (len == 0)
		return 0;
	if (byte[0] < 0x80) {
		*ret_code_point = byte[0];
		return 1;
	}
	if (byte[0] < 0xc2 || byte[0] > 0xf4)
		return 0;
	size = byte[0] < 0xe0 ? 2 : byte[0] < 0xf0 ? 3 : 4;
	if (size > len)
		return 0;
	code_point = byte[0] & (0x7fU >> size);
	for (i = 1; i < size; i++) {
		if ((byte[i] & 0xc0) != 0x80)
			return 0;
		code_point = code_point << 6 | (byte[i] & 0x3f);
	}
	if (code_point < smallest[size] || code_point > 0x10ffff)
		return 0;
	if (code_point >= 0xd800 && code_point <= 0xdfff)
		return 0;
	*ret_code_point = code_point;
	return size;
}

/*
 * Characters that move or hide their neighbours: marks of direction, zero-width, line separators (Unicode
 * UAX 9).
 */
static bool is_treacherous(uint32_t code_point)
{
	return (code_point >= 0x200b && code_point <= 0x200f) ||
	       (code_point >= 0x2028 && code_point <= 0x202e) ||
	       (code_point >= 0x2060 && code_point <= 0x206f) || code_point == 0x061c ||
	       code_point == 0xfeff || (code_point & 0xfffe) == 0xfffe;
}

bool text_is_printable(uint32_t code_point)
{
	if (code_point < 0x20 || (code_point >= 0x7f && code_point < 0xa0))
		return false;
	return !is_treacherous(code_point);
}

static struct piece next_piece(const char *text, size_t len)
{
	struct piece piece = { .at = text };

	piece.len = text_utf8_next(text, len, &piece.code_point);
	piece.printable = piece.len && text_is_printable(piece.code_point);
	if (!piece.len)
		piece.len = 1;
	return piece;
}

size_t text_width(const char *text)
{
	size_t len = strlen(text), columns = 0;

	while (len) {
		struct piece piece = next_piece(text, len);

		columns++;
		text += piece.len;
		len -= piece.len;
	}
	return columns;
}

static unsigned int put_hex(char *to, struct piece piece)
{
	static const char digit[] = "0123456789abcdef";
	unsigned int i;

	for (i = 0; i < piece.len; i++) {
		unsigned char byte = (unsigned char)piece.at[i];

		*to++ = '\\';
		*to++ = 'x';
		*to++ = digit[byte >> 4];
		*to++ = digit[byte & 15];
	}
	return 4 * piece.len;
}

typedef unsigned int (*put_fn)(char to[PIECE_MAX], struct piece piece);

static unsigned int put_terminal(char to[PIECE_MAX], struct piece piece)
{
	if (!piece.printable)
		return put_hex(to, piece);
	memcpy(to, piece.at, piece.len);
	return piece.len;
}

static const char *xml_entity(uint32_t code_point)
{
	switch (code_point) {
	case '&':
		return "&amp;";
	case '<':
		return "&lt;";
	case '>':
		return "&gt;";
	case '"':
		return "&quot;";
	case '\'':
		return "&#39;";
	default:
		return NULL;
	}
}

static unsigned int put_xml(char to[PIECE_MAX], struct piece piece)
{
	const char *entity = piece.printable ? xml_entity(piece.code_point) : NULL;

	if (!entity)
		return put_terminal(to, piece);
	memcpy(to, entity, strlen(entity));
	return strlen(entity);
}

static unsigned int put_csv(char to[PIECE_MAX], struct piece piece)
{
	if (piece.printable && piece.code_point == '"') {
		memcpy(to, "\"\"", 2);
		return 2;
	}
	return put_terminal(to, piece);
}

/* What is not printable becomes a visible \xHH here too, and its backslash must then be doubled. */
static unsigned int put_json(char to[PIECE_MAX], struct piece piece)
{
	unsigned int len = 0, i;

	if (!piece.printable) {
		for (i = 0; i < piece.len; i++) {
			struct piece byte = { .at = piece.at + i, .len = 1 };

			to[len++] = '\\';
			len += put_hex(to + len, byte);
		}
		return len;
	}
	if (piece.code_point == '"' || piece.code_point == '\\')
		to[len++] = '\\';
	memcpy(to + len, piece.at, piece.len);
	return len + piece.len;
}

static size_t escape(char *to, size_t size, const char *text, put_fn put)
{
	size_t left = strlen(text), needed = 0, written = 0;
	char put_text[PIECE_MAX];

	while (left) {
		struct piece piece = next_piece(text, left);
		unsigned int len = put(put_text, piece);

		if (written == needed && needed + len < size) {
			memcpy(to + written, put_text, len);
			written += len;
		}
		needed += len;
		text += piece.len;
		left -= piece.len;
	}
	if (size)
		to[written] = '\0';
	return needed;
}

static void write_escaped(FILE *out, const char *text, put_fn put)
{
	size_t left = strlen(text);
	char put_text[PIECE_MAX];

	while (left) {
		struct piece piece = next_piece(text, left);

		fwrite_unlocked(put_text, 1, put(put_text, piece), out);
		text += piece.len;
		left -= piece.len;
	}
}

size_t text_escape_terminal(char *to, size_t size, const char *text)
{
	return escape(to, size, text, put_terminal);
}

size_t text_escape_xml(char *to, size_t size, const char *text)
{
	return escape(to, size, text, put_xml);
}

void text_write_terminal(FILE *out, const char *text)
{
	write_escaped(out, text, put_terminal);
}

void text_write_xml(FILE *out, const char *text)
{
	write_escaped(out, text, put_xml);
}

/* RFC 4180, 2.6: a comma, a quote or a line break; also blanks at the ends, which some readers trim. */
static bool csv_needs_quotes(const char *text)
{
	size_t len = strlen(text);

	return strpbrk(text, ",\"\r\n") || (len && (text[0] == ' ' || text[len - 1] == ' '));
}

void text_write_csv(FILE *out, const char *text)
{
	bool quoted = csv_needs_quotes(text);

	if (quoted)
		putc_unlocked('"', out);
	write_escaped(out, text, put_csv);
	if (quoted)
		putc_unlocked('"', out);
}

void text_write_json(FILE *out, const char *text)
{
	putc_unlocked('"', out);
	write_escaped(out, text, put_json);
	putc_unlocked('"', out);
}
