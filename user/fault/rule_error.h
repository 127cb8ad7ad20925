/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * rule_error.h - what is wrong with a rule or a partition, said in the words and places of who typed it.
 */
#ifndef HOPFAULT_FAULT_RULE_ERROR_H
#define HOPFAULT_FAULT_RULE_ERROR_H

#include <stddef.h>

#define RULE_ERROR_WORD_MAX   64
#define RULE_ERROR_REASON_MAX 256
#define RULE_ERROR_TEXT_MAX   512

struct rule_error {
	unsigned int index; /* of the word in the argv that was given; 0 when there was none */
	unsigned int position; /* as it is said: index + 1 */
	char keyword[RULE_ERROR_WORD_MAX]; /* whose value it is: "delay"; empty: none's */
	char word
		[RULE_ERROR_WORD_MAX]; /* the word itself, cut when it is long; empty: it is missing */
	char reason[RULE_ERROR_REASON_MAX];
};

/*
 * "delay: '5' (word 4): a unit is missing: write 5ms, 5us or 5s for example". The word is as it was typed: escape
 * before a terminal sees it (log_err does). Where options stood between the words, put the position that the
 * user counts (options_words.position[error->index]) into error->position first. Returns `text`.
 */
char *rule_error_text(const struct rule_error *error, char *text, size_t size);

#endif
