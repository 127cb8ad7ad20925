/* SPDX-License-Identifier: GPL-2.0-or-later */
/* csv_line.c - see csv_line.h. */
#include "export/csv_line.h"

#include <errno.h>
#include <stddef.h>
#include <string.h>

/* Takes the quotes off in place and returns what follows the field: a comma, or the end. NULL: broken. */
static char *end_of_field(char *at, char **ret_text)
{
	char *to = at;

	*ret_text = at;
	if (*at != '"') {
		at += strcspn(at, ",\"");
		return *at == '"' ? NULL : at;
	}
	for (at++; *at; at++) {
		if (*at == '"' && at[1] == '"')
			at++;
		else if (*at == '"')
			break;
		*to++ = *at;
	}
	if (*at != '"' || (at[1] != ',' && at[1] != '\0'))
		return NULL;
	at++;
	if (*at == '\0')
		*to = '\0';
	else
		memset(to, '\0', (size_t)(at - to));
	return at;
}

int csv_line_split(char *line, char **field, unsigned int max)
{
	unsigned int count = 0;
	char *at = line;

	for (;;) {
		if (count == max)
			return -EBADMSG;
		at = end_of_field(at, &field[count++]);
		if (!at)
			return -EBADMSG;
		if (*at == '\0')
			return (int)count;
		*at++ = '\0';
	}
}
