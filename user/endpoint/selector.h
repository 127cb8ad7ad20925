/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * selector.h - what a word may mean, before anybody is asked. Pure.
 *
 *     web              a name, an id or its beginning, a compose service
 *     shop/web         a compose service of a project
 *     label:app=web    all containers with this label; label:app: with any value
 *     ~web-.*          all whose whole name matches: a POSIX extended regular expression, as if between ^( and )$
 *
 * In an expression `{` and back-references are refused: a short text of them can keep the matcher busy for hours.
 */
#ifndef HF_ENDPOINT_SELECTOR_H
#define HF_ENDPOINT_SELECTOR_H

#include <regex.h>
#include <stdbool.h>

#include "endpoint/endpoint.h"

enum selector_kind {
	SELECT_NAME = 1,
	SELECT_SERVICE,
	SELECT_LABEL,
	SELECT_PATTERN,
	SELECT_ALL, /* not from a word: all that there are */
};

struct selector {
	enum selector_kind kind;
	char text[ENDPOINT_NAME_MAX +
		  1]; /* the name; the project; the label's key; the expression */
	char value[ENDPOINT_NAME_MAX + 1]; /* the service; the label's value */
	bool any_value; /* of the label */
	bool has_regex;
	regex_t regex;
};

/* -EINVAL: *ret_reason is a constant sentence about what such a word looks like. */
int selector_parse(const char *text, struct selector *ret_selector, const char **ret_reason);
void selector_done(struct selector *selector); /* for _cleanup_ */

bool selector_matches_name(const struct selector *selector,
			   const char *name); /* NAME, PATTERN, ALL */
/* Labels and expressions, and services, may mean many; a name that is nothing else means one. */
bool selector_may_mean_many(const struct selector *selector);

#endif
