/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * suggest.h - "unknown name 'clinet'; did you mean 'client'?"
 *
 * Near means few edits (optimal string alignment distance: insert, delete, replace, swap neighbours), without
 * regard to the case of ASCII letters: at most one edit in a word of up to 3 bytes, two up to 7, three above.
 */
#ifndef HOPFAULT_BASE_SUGGEST_H
#define HOPFAULT_BASE_SUGGEST_H

#include <stddef.h>

#define SUGGEST_MAX 3

/* Edits between two words; longer than 64 bytes compares the first 64. */
unsigned int suggest_distance(const char *a, const char *b);

/* Puts the nearest of `names` (at most SUGGEST_MAX, nearest first) into ret_near and returns how many. */
unsigned int suggest_near(const char *word, const char *const *names, size_t count,
			  const char *ret_near[SUGGEST_MAX]);

/* "; did you mean 'a' or 'b'?" for the end of a message; empty when nothing is near. Returns `text`. */
char *suggest_phrase(char *text, size_t size, const char *word, const char *const *names,
		     size_t count);

#endif
