/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * json_check.c - one pass over the bytes, no memory, recursion bounded by JSON_DEPTH_MAX.
 */
#include "json_check.h"

#include <string.h>

struct scan {
	const char *at;
	const char *end;
	int depth;
};

static bool scan_value(struct scan *scan);

static char peek(const struct scan *scan)
{
	return scan->at < scan->end ? *scan->at : '\0';
}

static bool take(struct scan *scan, char c)
{
	if (scan->at == scan->end || *scan->at != c)
		return false;
	scan->at++;
	return true;
}

static void skip_space(struct scan *scan)
{
	while (scan->at < scan->end &&
	       (*scan->at == ' ' || *scan->at == '\t' || *scan->at == '\n' || *scan->at == '\r'))
		scan->at++;
}

static bool scan_word(struct scan *scan, const char *word)
{
	size_t len = strlen(word);

	if ((size_t)(scan->end - scan->at) < len || memcmp(scan->at, word, len))
		return false;
	scan->at += len;
	return true;
}

static bool is_hex(char c)
{
	return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

static bool scan_escape(struct scan *scan)
{
	char c = peek(scan);

	if (!c || !strchr("\"\\/bfnrtu", c))
		return false;
	scan->at++;
	for (int i = 0; c == 'u' && i < 4; i++) {
		if (!is_hex(peek(scan)))
			return false;
		scan->at++;
	}
	return true;
}

static bool scan_string(struct scan *scan)
{
	if (!take(scan, '"'))
		return false;
	while (scan->at < scan->end) {
		char c = *scan->at++;

		if (c == '"')
			return true;
		if ((unsigned char)c < 0x20)
			return false;
		if (c == '\\' && !scan_escape(scan))
			return false;
	}
	return false;
}

static bool scan_digits(struct scan *scan)
{
	const char *first = scan->at;

	while (peek(scan) >= '0' && peek(scan) <= '9')
		scan->at++;
	return scan->at > first;
}

static bool scan_number(struct scan *scan)
{
	take(scan, '-');
	if (!take(scan, '0') && !scan_digits(scan))
		return false;
	if (take(scan, '.') && !scan_digits(scan))
		return false;
	if (!take(scan, 'e') && !take(scan, 'E'))
		return true;
	if (!take(scan, '+'))
		take(scan, '-');
	return scan_digits(scan);
}

static bool scan_member(struct scan *scan)
{
	skip_space(scan);
	if (!scan_string(scan))
		return false;
	skip_space(scan);
	return take(scan, ':') && scan_value(scan);
}

/* Behind the opening bracket: items and commas until `close`. */
static bool scan_items(struct scan *scan, char close, bool (*scan_item)(struct scan *))
{
	bool ok;

	if (scan->depth == JSON_DEPTH_MAX)
		return false;
	scan->depth++;
	skip_space(scan);
	ok = take(scan, close);
	if (!ok) {
		do
			ok = scan_item(scan);
		while (ok && take(scan, ','));
		ok = ok && take(scan, close);
	}
	scan->depth--;
	return ok;
}

/* A value with the space around it. */
static bool scan_value(struct scan *scan)
{
	bool ok;

	skip_space(scan);
	if (take(scan, '{'))
		ok = scan_items(scan, '}', scan_member);
	else if (take(scan, '['))
		ok = scan_items(scan, ']', scan_value);
	else if (peek(scan) == '"')
		ok = scan_string(scan);
	else
		ok = scan_word(scan, "null") || scan_word(scan, "true") ||
		     scan_word(scan, "false") || scan_number(scan);
	skip_space(scan);
	return ok;
}

bool json_is_one_value(const char *bytes, size_t len)
{
	struct scan scan = { bytes, bytes + len, 0 };

	return len && scan_value(&scan) && scan.at == scan.end;
}
