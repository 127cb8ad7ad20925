/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * rule_error.c - one sentence for the user: whose value, which word, where it stands, what is wrong with it.
 */
#include "fault/rule_error.h"

#include <stdio.h>

char *rule_error_text(const struct rule_error *error, char *text, size_t size)
{
	if (error->keyword[0] && error->word[0])
		snprintf(text, size, "%s: '%s' (word %u): %s", error->keyword, error->word,
			 error->position, error->reason);
	else if (error->keyword[0])
		snprintf(text, size, "%s (word %u): %s", error->keyword, error->position,
			 error->reason);
	else if (error->word[0])
		snprintf(text, size, "'%s' (word %u): %s", error->word, error->position,
			 error->reason);
	else
		snprintf(text, size, "%s", error->reason);
	return text;
}
