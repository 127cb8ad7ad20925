/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * words.h - what the texts of rules and of partitions have in common: names first, then keywords from a table,
 * each at most once and followed by its values.
 *
 *     add  a,b  c  delay 5ms  port 80  for 1m
 *          ^names  ^keyword ^value ...
 *
 * For rule.c and partition.c alone. Every function that fails fills words->error and returns -EINVAL.
 */
#ifndef HOPFAULT_FAULT_WORDS_H
#define HOPFAULT_FAULT_WORDS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "fault/rule_error.h"

#define WORDS_KEYWORDS_MAX 32

struct words;

struct keyword {
	const char *name;
	const char *value; /* what must follow: "a time"; NULL: nothing need */
	/* Takes the values behind the keyword, if any. NULL: the keyword itself is all there is to say. */
	int (*take)(struct words *words, void *into);
	const char *refusal; /* a word that is known and can't be taken: why */
};

struct words {
	int argc;
	char **argv;
	int at; /* the next word; argc at the end */
	const struct keyword *table;
	size_t keywords;
	const char *hint; /* said when no keyword is near: "effects are ..." */
	const struct keyword *keyword; /* whose values are being taken */
	int seen[WORDS_KEYWORDS_MAX]; /* index in argv of each keyword of the table, -1: not said */
	struct rule_error *error;
};

void words_begin(struct words *words, int argc, char **argv, const struct keyword *table,
		 size_t keywords, struct rule_error *error);

const char *words_peek(const struct words *words); /* NULL at the end */
const struct keyword *words_find_keyword(const struct words *words, const char *name);
bool words_were_said(const struct words *words, const char *keyword);

/* Names joined by commas. `what` is missing if there is no word: "a source". */
int words_take_names(struct words *words, const char *what, const char **ret_names);

/* All that is left: keywords with their values, handed to take(words, into). */
int words_take_keywords(struct words *words, void *into);

/* Within take(): the next word, which must be there and be no keyword. */
int words_take_value(struct words *words, const char **ret_value);

/* The next word begins like a number, so it is a value. */
bool words_next_is_number(const struct words *words);

/* Of the value that was taken last. */
int words_value_is_wrong(struct words *words, const char *reason);

/* Of a keyword that was said, after all were taken. */
int words_keyword_is_wrong(struct words *words, const char *keyword, const char *reason);

/* Two keywords that were said don't go together: the later one is named as wrong, and the earlier in the reason. */
int words_contradict(struct words *words, const char *one, const char *other, const char *reason);

/* Of the whole: something that should be there is not. */
int words_lack(struct words *words, const char *reason);

/* Values that rules and partitions share: `net NAME`, `for TIME`, `seed N` and `when up`. */
int words_take_network(struct words *words, const char **ret_name);
int words_take_ttl(struct words *words, uint64_t *ret_ttl_ns);
int words_take_seed(struct words *words, uint64_t *ret_seed);
int words_take_when(struct words *words, bool *ret_when_up); /* `when up` is all there is */

#endif
