/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * suggest.c - the names that someone may have meant.
 *
 * Optimal string alignment: the Damerau-Levenshtein distance in which no piece is edited twice. Three rows
 * of the
 * usual matrix are enough.
 */
#include "base/suggest.h"

#include <stdio.h>
#include <string.h>

#define WORD_MAX 64

static unsigned int smaller(unsigned int a, unsigned int b)
{
	return a < b ? a : b;
}

static char lower(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

static unsigned int edit_cost(const char *a, const char *b, size_t i, size_t j,
			      unsigned int (*row)[WORD_MAX + 1])
{
	unsigned int differs = lower(a[i - 1]) != lower(b[j - 1]);
	unsigned int cost = row[1][j - 1] + differs;

	cost = smaller(cost, row[1][j] + 1);
	cost = smaller(cost, row[2][j - 1] + 1);
	if (i > 1 && j > 1 && lower(a[i - 1]) == lower(b[j - 2]) &&
	    lower(a[i - 2]) == lower(b[j - 1]))
		cost = smaller(cost, row[0][j - 2] + 1);
	return cost;
}

unsigned int suggest_distance(const char *a, const char *b)
{
	unsigned int row[3][WORD_MAX + 1]; /* two above, one above, this one */
	size_t a_len = strnlen(a, WORD_MAX), b_len = strnlen(b, WORD_MAX);
	size_t i, j;

	memset(row, 0, sizeof(row));
	for (j = 0; j <= b_len; j++)
		row[2][j] = (unsigned int)j;
	for (i = 1; i <= a_len; i++) {
		memcpy(row[0], row[1], sizeof(row[0]));
		memcpy(row[1], row[2], sizeof(row[1]));
		row[2][0] = (unsigned int)i;
		for (j = 1; j <= b_len; j++)
			row[2][j] = edit_cost(a, b, i, j, row);
	}
	return row[2][b_len];
}

static unsigned int cutoff(const char *word)
{
	size_t len = strlen(word);

	return len <= 3 ? 1 : len <= 7 ? 2 : 3;
}

/* Two one-letter names are always one edit apart: that is no likeness. */
static int is_near(const char *word, const char *name, unsigned int distance)
{
	size_t longest = strlen(word) > strlen(name) ? strlen(word) : strlen(name);

	return distance <= cutoff(word) && distance < longest;
}

/* The same name twice, as of a scaled service, is said once. */
static int is_said(const char *name, const char *const *near, unsigned int found)
{
	for (unsigned int i = 0; i < found; i++)
		if (strcmp(near[i], name) == 0)
			return 1;
	return 0;
}

unsigned int suggest_near(const char *word, const char *const *names, size_t count,
			  const char *ret_near[SUGGEST_MAX])
{
	unsigned int distances[SUGGEST_MAX];
	unsigned int found = 0, place;
	size_t i;

	for (i = 0; i < count; i++) {
		unsigned int distance = suggest_distance(word, names[i]);

		if (!is_near(word, names[i], distance) || is_said(names[i], ret_near, found))
			continue;
		for (place = found; place > 0 && distances[place - 1] > distance; place--) {
			if (place == SUGGEST_MAX)
				continue;
			distances[place] = distances[place - 1];
			ret_near[place] = ret_near[place - 1];
		}
		if (place == SUGGEST_MAX)
			continue;
		distances[place] = distance;
		ret_near[place] = names[i];
		if (found < SUGGEST_MAX)
			found++;
	}
	return found;
}

char *suggest_phrase(char *text, size_t size, const char *word, const char *const *names,
		     size_t count)
{
	const char *near[SUGGEST_MAX];
	unsigned int found = suggest_near(word, names, count, near);

	if (size == 0)
		return text;
	text[0] = '\0';
	if (found == 1)
		snprintf(text, size, "; did you mean '%s'?", near[0]);
	else if (found == 2)
		snprintf(text, size, "; did you mean '%s' or '%s'?", near[0], near[1]);
	else if (found == 3)
		snprintf(text, size, "; did you mean '%s', '%s' or '%s'?", near[0], near[1],
			 near[2]);
	return text;
}
