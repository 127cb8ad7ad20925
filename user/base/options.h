/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * options.h - a command's options as a table of typed data; help is printed from the same table.
 *
 *     struct load_options { uint64_t requests; uint64_t duration_ns; bool json; const char *csv; };
 *
 *     static const struct option_row rows[] = {
 *             { "requests", 'n', "N", "how many requests", OPTION_COUNT, OPTION_INTO(struct load_options, requests) },
 *             { "for", 0, "TIME", "stop after this time", OPTION_TIME, OPTION_INTO(struct load_options, duration_ns) },
 *             { "json", 0, NULL, "print JSON", OPTION_FLAG, OPTION_INTO(struct load_options, json) },
 *             {}
 *     };
 *
 * Taken: --name VALUE, --name=VALUE, -n VALUE, --flag, -f. Names are exact, never a prefix. Options may stand
 * between words; "--" ends them. A word that starts with "-" and a digit is a word, so that a negative number
 * is told as one, and so is "-" alone. An option given twice is refused. Values are left as the caller set them
 * (the defaults) unless given.
 */
#ifndef HOPFAULT_BASE_OPTIONS_H
#define HOPFAULT_BASE_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

enum option_kind {
	OPTION_FLAG, /* bool */
	OPTION_TEXT, /* const char *, pointing into argv; never empty */
	OPTION_TIME, /* uint64_t, ns */
	OPTION_SIZE, /* uint64_t, bytes */
	OPTION_PERCENT, /* uint32_t, odds of 2^32 */
	OPTION_COUNT, /* uint64_t, between min and max (max 0: no limit) */
	OPTION_PORT, /* uint16_t */
	OPTION_CHOICE, /* int: the index of the word in choices */
	OPTION_OTHER, /* what parse() makes of it */
};

struct option_row {
	const char *name; /* without dashes; NULL ends the table */
	char letter; /* 0: none */
	const char *value; /* the value's word in the help: "FILE"; NULL for a flag */
	const char *help; /* one sentence, begins small, no full stop; wrapped when printed */
	enum option_kind kind;
	size_t offset; /* of the field, see OPTION_INTO */
	uint64_t min, max; /* OPTION_COUNT */
	const char *const *choices; /* OPTION_CHOICE: ends with NULL */
	/* OPTION_OTHER: 0, or -errno and a constant sentence; may be called more than once for a list. */
	int (*parse)(const char *text, void *field, const char **ret_reason);
	bool repeats; /* OPTION_OTHER: may be given more than once */
};

/* Named, so that a row may leave out what follows without a warning. */
#define OPTION_INTO(type, field) .offset = offsetof(type, field)

#define OPTIONS_ERROR_MAX 512

/* What is left when the options are taken out. */
struct options_words {
	unsigned int count;
	char **word; /* pointers into argv, in order, NULL behind the last */
	unsigned int *position; /* of each word: its index in argv, as messages say it */
	char **command; /* what follows "--", NULL-terminated, or NULL when there is no "--" */
	int taken; /* OPTIONS_STOP_AT_WORD: index in argv of the first word, or argc */
};

void options_words_done(struct options_words *words); /* for _cleanup_ */

enum {
	OPTIONS_STOP_AT_WORD =
		1U << 0, /* for `hopfault [OPTION...] COMMAND ...`: what follows is not ours */
};

/*
 * argv[0] is the command's own name and is said in messages. `values` is where the offsets lead. 0, or -EINVAL
 * (misused) or -ENOMEM with a sentence in `error` (unescaped: log_err escapes): what is wrong, the word,
 * its position, the nearest option.
 */
int options_parse(const struct option_row *rows, unsigned int flags, int argc, char **argv,
		  void *values, struct options_words *ret_words, char error[OPTIONS_ERROR_MAX]);

/* The options' part of the help, 80 columns wide. */
void options_print_help(const struct option_row *rows, FILE *out);

/* A paragraph broken at 80 columns, each line indented by `indent`. */
void options_print_wrapped(const char *text, unsigned int indent, FILE *out);

#endif
