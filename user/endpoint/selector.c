/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * selector.c - see selector.h.
 */
#include "endpoint/selector.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"

#define LABEL_PREFIX "label:"

static bool is_plain_text(const char *text)
{
	for (; *text; text++)
		if (*text <= ' ' || *text > '~' || *text == ',')
			return false;
	return true;
}

static int parse_pattern(const char *pattern, struct selector *selector, const char **ret_reason)
{
	char anchored[ENDPOINT_NAME_MAX + 8];

	if (pattern[0] == '\0' || strchr(pattern, '{') || strpbrk(pattern, "\\") != NULL) {
		*ret_reason = "behind ~ stands a POSIX extended regular expression for the whole "
			      "name, without { } and \\";
		return -EINVAL;
	}
	snprintf(anchored, sizeof(anchored), "^(%s)$", pattern);
	if (regcomp(&selector->regex, anchored, REG_EXTENDED | REG_NOSUB) != 0) {
		*ret_reason = "behind ~ stands a POSIX extended regular expression, and this is "
			      "none";
		return -EINVAL;
	}
	selector->has_regex = true;
	selector->kind = SELECT_PATTERN;
	strcpy(selector->text, pattern);
	return 0;
}

static int parse_label(const char *label, struct selector *selector, const char **ret_reason)
{
	size_t key_len = strcspn(label, "=");

	if (key_len == 0) {
		*ret_reason = "a label is written label:KEY=VALUE or label:KEY";
		return -EINVAL;
	}
	selector->kind = SELECT_LABEL;
	memcpy(selector->text, label, key_len);
	selector->any_value = label[key_len] == '\0';
	if (!selector->any_value)
		strcpy(selector->value, label + key_len + 1);
	return 0;
}

static int parse_name(const char *name, struct selector *selector, const char **ret_reason)
{
	const char *slash = strchr(name, '/');

	if (!endpoint_name_is_valid(name)) {
		*ret_reason = "a name has the characters A-Z a-z 0-9 _ . : / @ -";
		return -EINVAL;
	}
	selector->kind = SELECT_NAME;
	strcpy(selector->text, name);
	if (!slash || slash == name || !slash[1] || strchr(slash + 1, '/'))
		return 0; /* with more slashes it is nobody's name, but a word as good as any */
	selector->kind = SELECT_SERVICE;
	selector->text[slash - name] = '\0';
	strcpy(selector->value, slash + 1);
	return 0;
}

int selector_parse(const char *text, struct selector *ret_selector, const char **ret_reason)
{
	struct selector selector = { 0 };
	size_t len = strlen(text);
	int r;

	*ret_reason = "a name has 1 to 127 printable characters and no comma";
	if (len == 0 || len > ENDPOINT_NAME_MAX || !is_plain_text(text))
		return -EINVAL;
	if (text[0] == '~')
		r = parse_pattern(text + 1, &selector, ret_reason);
	else if (strncmp(text, LABEL_PREFIX, strlen(LABEL_PREFIX)) == 0)
		r = parse_label(text + strlen(LABEL_PREFIX), &selector, ret_reason);
	else
		r = parse_name(text, &selector, ret_reason);
	if (r == 0)
		*ret_selector = selector;
	return r;
}

void selector_done(struct selector *selector)
{
	if (selector->has_regex)
		regfree(&selector->regex);
	*selector = (struct selector){ 0 };
}

bool selector_matches_name(const struct selector *selector, const char *name)
{
	switch (selector->kind) {
	case SELECT_NAME:
		return strcmp(selector->text, name) == 0;
	case SELECT_PATTERN:
		return regexec(&selector->regex, name, 0, NULL, 0) == 0;
	case SELECT_ALL:
		return true;
	case SELECT_SERVICE:
	case SELECT_LABEL:
		break;
	}
	return false;
}

bool selector_may_mean_many(const struct selector *selector)
{
	return selector->kind != SELECT_NAME;
}
