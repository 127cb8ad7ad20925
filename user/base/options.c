/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * options.c - words in, typed values out; one table drives parsing, messages and help.
 */
#include "base/options.h"

#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/suggest.h"
#include "base/text.h"
#include "base/units.h"

#define HELP_WIDTH  80
#define HELP_INDENT 26 /* where the sentences begin */

/* One walk along argv. */
struct walk {
	const struct option_row *rows;
	int argc;
	char **argv;
	int at; /* the word in hand */
	void *values;
	bool *given; /* for each row */
	char *error;
};

static int refuse(struct walk *walk, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(walk->error, OPTIONS_ERROR_MAX, format, arguments);
	va_end(arguments);
	return -EINVAL;
}

static size_t count_rows(const struct option_row *rows)
{
	size_t count = 0;

	while (rows[count].name)
		count++;
	return count;
}

static const struct option_row *find_long(const struct option_row *row, const char *name,
					  size_t len)
{
	for (; row->name; row++)
		if (strlen(row->name) == len && !memcmp(row->name, name, len))
			return row;
	return NULL;
}

static const struct option_row *find_letter(const struct option_row *row, char letter)
{
	for (; row->name; row++)
		if (row->letter == letter)
			return row;
	return NULL;
}

static int unknown_option(struct walk *walk, const char *word)
{
	size_t count = count_rows(walk->rows), i;
	_cleanup_(freep) const char **names = calloc(count + 1, sizeof(*names));
	char phrase[128], bare[64];

	if (!names)
		return -ENOMEM;
	for (i = 0; i < count; i++)
		names[i] = walk->rows[i].name;
	snprintf(bare, sizeof(bare), "%.*s", (int)strcspn(word, "="), word);
	suggest_phrase(phrase, sizeof(phrase), bare + strspn(bare, "-"), names, count);
	return refuse(walk, "%s: unknown option '%s' (word %d)%s", walk->argv[0], bare, walk->at,
		      phrase);
}

static int parse_choice(const struct option_row *row, const char *text, int *field,
			const char **ret_reason)
{
	int i;

	for (i = 0; row->choices[i]; i++) {
		if (!strcmp(row->choices[i], text)) {
			*field = i;
			return 0;
		}
	}
	*ret_reason = "not one of the words that can stand here";
	return -EINVAL;
}

static int parse_text(const char *text, const char **field, const char **ret_reason)
{
	if (text[0] == '\0') {
		*ret_reason = "empty";
		return -EINVAL;
	}
	*field = text;
	return 0;
}

static int parse_value(const struct option_row *row, const char *text, void *field,
		       const char **ret_reason)
{
	uint64_t max = row->max ? row->max : UINT64_MAX;

	switch (row->kind) {
	case OPTION_FLAG:
		*(bool *)field = true;
		return 0;
	case OPTION_TEXT:
		return parse_text(text, field, ret_reason);
	case OPTION_TIME:
		return units_parse_time(text, field, ret_reason);
	case OPTION_SIZE:
		return units_parse_size(text, field, ret_reason);
	case OPTION_PERCENT:
		return units_parse_percent(text, field, ret_reason);
	case OPTION_COUNT:
		return units_parse_count(text, row->min, max, field, ret_reason);
	case OPTION_PORT:
		return units_parse_port(text, field, ret_reason);
	case OPTION_CHOICE:
		return parse_choice(row, text, field, ret_reason);
	case OPTION_OTHER:
		return row->parse(text, field, ret_reason);
	}
	return -EINVAL;
}

/* " (between 1 and 100)", " (one of: threads, epoll)", or nothing. */
static void describe_limits(const struct option_row *row, char *text, size_t size)
{
	size_t len = 0;
	int i;

	text[0] = '\0';
	if (row->kind == OPTION_COUNT && row->max)
		snprintf(text, size, " (%llu to %llu)", (unsigned long long)row->min,
			 (unsigned long long)row->max);
	else if (row->kind == OPTION_COUNT && row->min)
		snprintf(text, size, " (at least %llu)", (unsigned long long)row->min);
	for (i = 0; row->kind == OPTION_CHOICE && row->choices[i] && len < size; i++)
		len += (size_t)snprintf(text + len, size - len, "%s%s%s",
					i ? ", " : " (one of: ", row->choices[i],
					row->choices[i + 1] ? "" : ")");
}

static int take_value(struct walk *walk, const struct option_row *row, const char *text)
{
	const char *reason = "not understood";
	char limits[160];
	int r;

	if (walk->given[row - walk->rows] && !row->repeats)
		return refuse(walk, "%s: --%s is given twice (word %d)", walk->argv[0], row->name,
			      walk->at);
	walk->given[row - walk->rows] = true;
	r = parse_value(row, text, (char *)walk->values + row->offset, &reason);
	if (r == -ENOMEM)
		return r;
	if (r == 0)
		return 0;
	describe_limits(row, limits, sizeof(limits));
	return refuse(walk, "%s: --%s '%s' (word %d): %s%s", walk->argv[0], row->name, text,
		      walk->at, reason, limits);
}

static bool takes_value(const struct option_row *row)
{
	return row->kind != OPTION_FLAG;
}

/* The value that stands in the next word. */
static int take_next(struct walk *walk, const struct option_row *row)
{
	if (walk->at + 1 >= walk->argc || !strcmp(walk->argv[walk->at + 1], "--"))
		return refuse(walk, "%s: --%s (word %d) needs a value: --%s %s", walk->argv[0],
			      row->name, walk->at, row->name, row->value);
	walk->at++;
	return take_value(walk, row, walk->argv[walk->at]);
}

static int take_long(struct walk *walk)
{
	const char *word = walk->argv[walk->at];
	size_t len = strcspn(word + 2, "=");
	const char *equals = word[2 + len] ? word + 2 + len : NULL;
	const struct option_row *row = find_long(walk->rows, word + 2, len);

	if (!row)
		return unknown_option(walk, word);
	if (!takes_value(row) && equals)
		return refuse(walk, "%s: --%s (word %d) takes no value", walk->argv[0], row->name,
			      walk->at);
	if (!takes_value(row))
		return take_value(walk, row, "");
	return equals ? take_value(walk, row, equals + 1) : take_next(walk, row);
}

static int take_letter(struct walk *walk)
{
	const char *word = walk->argv[walk->at];
	const struct option_row *row = word[2] ? NULL : find_letter(walk->rows, word[1]);

	if (!row && word[2] && find_letter(walk->rows, word[1]))
		return refuse(walk, "%s: '%s' (word %d): write -%c and what follows as two words",
			      walk->argv[0], word, walk->at, word[1]);
	if (!row)
		return unknown_option(walk, word);
	return takes_value(row) ? take_next(walk, row) : take_value(walk, row, "");
}

static bool is_option(const char *word)
{
	return word[0] == '-' && word[1] != '\0' && !(word[1] >= '0' && word[1] <= '9') &&
	       word[1] != '.';
}

static void add_word(struct options_words *words, char *word, int position)
{
	words->word[words->count] = word;
	words->position[words->count++] = (unsigned int)position;
}

static int walk_along(struct walk *walk, unsigned int flags, struct options_words *words)
{
	int r;

	for (walk->at = 1; walk->at < walk->argc; walk->at++) {
		char *word = walk->argv[walk->at];

		if (!strcmp(word, "--")) {
			words->command = walk->argv + walk->at + 1;
			break;
		}
		if (!is_option(word)) {
			if (flags & OPTIONS_STOP_AT_WORD)
				break;
			add_word(words, word, walk->at);
			continue;
		}
		r = word[1] == '-' ? take_long(walk) : take_letter(walk);
		if (r < 0)
			return r;
	}
	words->taken = walk->at;
	return 0;
}

void options_words_done(struct options_words *words)
{
	free(words->word);
	free(words->position);
	*words = (struct options_words){};
}

int options_parse(const struct option_row *rows, unsigned int flags, int argc, char **argv,
		  void *values, struct options_words *ret_words, char error[OPTIONS_ERROR_MAX])
{
	_cleanup_(options_words_done) struct options_words words = {};
	_cleanup_(freep) bool *given = calloc(count_rows(rows) + 1, sizeof(*given));
	struct walk walk = {
		.rows = rows,
		.argc = argc,
		.argv = argv,
		.values = values,
		.given = given,
		.error = error,
	};
	int r = -ENOMEM;

	words.word = calloc((size_t)argc + 1, sizeof(*words.word));
	words.position = calloc((size_t)argc + 1, sizeof(*words.position));
	if (given && words.word && words.position)
		r = walk_along(&walk, flags, &words);
	if (r == -ENOMEM)
		snprintf(error, OPTIONS_ERROR_MAX, "%s: no memory", argv[0]);
	if (r < 0)
		return r;
	*ret_words = words;
	words = (struct options_words){};
	return 0;
}

/* ---- help ---- */

/* Prints words until the line is full; `column` is where the line stands. */
static void print_wrapped_at(const char *text, unsigned int indent, unsigned int column, FILE *out)
{
	while (*text) {
		size_t len = strcspn(text, " ");

		if (column > indent && column + 1 + len > HELP_WIDTH) {
			fprintf(out, "\n%*s", (int)indent, "");
			column = indent;
		} else if (column > indent) {
			fputc(' ', out);
			column++;
		}
		fwrite(text, 1, len, out);
		column += (unsigned int)text_width(text) - (unsigned int)text_width(text + len);
		text += len;
		text += strspn(text, " ");
	}
	fputc('\n', out);
}

void options_print_wrapped(const char *text, unsigned int indent, FILE *out)
{
	fprintf(out, "%*s", (int)indent, "");
	print_wrapped_at(text, indent, indent, out);
}

static void print_row_help(const struct option_row *row, FILE *out)
{
	char left[64], letter[8] = "";
	size_t width;

	if (row->letter)
		snprintf(letter, sizeof(letter), "-%c, ", row->letter);
	snprintf(left, sizeof(left), "  %s--%s%s%s", letter, row->name, row->value ? " " : "",
		 row->value ? row->value : "");
	width = text_width(left);
	fputs(left, out);
	if (width + 2 > HELP_INDENT) {
		fputc('\n', out);
		width = 0;
	}
	fprintf(out, "%*s", (int)(HELP_INDENT - width), "");
	print_wrapped_at(row->help, HELP_INDENT, HELP_INDENT, out);
}

void options_print_help(const struct option_row *rows, FILE *out)
{
	for (; rows->name; rows++)
		print_row_help(rows, out);
}
