/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * words.c - names first, then keywords from a table, each at most once and followed by its values.
 *
 * Knows no keyword by name: the tables are in rule.c and partition.c. Every refusal goes through fail(), so each has
 * its word, its position and a reason.
 */
#include "fault/words.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/suggest.h"
#include "base/units.h"
#include "fault/rule.h"

static int fail(struct words *words, int index, const char *keyword, const char *word,
		const char *reason)
{
	struct rule_error *error = words->error;

	memset(error, 0, sizeof(*error));
	error->index = index > 0 ? (unsigned int)index : 0;
	error->position = error->index + 1;
	snprintf(error->keyword, sizeof(error->keyword), "%s", keyword);
	snprintf(error->word, sizeof(error->word), "%s", word);
	snprintf(error->reason, sizeof(error->reason), "%s", reason);
	return -EINVAL;
}

void words_begin(struct words *words, int argc, char **argv, const struct keyword *table,
		 size_t keywords, struct rule_error *error)
{
	assert(keywords <= WORDS_KEYWORDS_MAX);
	*words = (struct words){
		.argc = argc,
		.argv = argv,
		.table = table,
		.keywords = keywords,
		.hint = "",
		.error = error,
	};
	for (size_t i = 0; i < keywords; i++)
		words->seen[i] = -1;
}

const char *words_peek(const struct words *words)
{
	return words->at < words->argc ? words->argv[words->at] : NULL;
}

const struct keyword *words_find_keyword(const struct words *words, const char *name)
{
	for (size_t i = 0; i < words->keywords; i++)
		if (!strcmp(words->table[i].name, name))
			return &words->table[i];
	return NULL;
}

static int *place_of(struct words *words, const struct keyword *keyword)
{
	return &words->seen[keyword - words->table];
}

bool words_were_said(const struct words *words, const char *keyword)
{
	const struct keyword *found = words_find_keyword(words, keyword);

	return found && words->seen[found - words->table] >= 0;
}

int words_lack(struct words *words, const char *reason)
{
	return fail(words, words->argc - 1, "", "", reason);
}

int words_value_is_wrong(struct words *words, const char *reason)
{
	int index = words->at - 1;

	return fail(words, index, words->keyword->name, words->argv[index], reason);
}

int words_keyword_is_wrong(struct words *words, const char *keyword, const char *reason)
{
	int index = *place_of(words, words_find_keyword(words, keyword));

	return fail(words, index, "", words->argv[index], reason);
}

int words_contradict(struct words *words, const char *one, const char *other, const char *reason)
{
	int one_at = *place_of(words, words_find_keyword(words, one));
	int other_at = *place_of(words, words_find_keyword(words, other));
	const char *earlier = one_at < other_at ? one : other;
	const char *later = one_at < other_at ? other : one;
	char text[RULE_ERROR_REASON_MAX];

	snprintf(text, sizeof(text), "it contradicts '%s': %s", earlier, reason);
	return words_keyword_is_wrong(words, later, text);
}

/* ---- names ---- */

static bool is_name_character(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
	       (c != '\0' && strchr("_.:/@-", c));
}

/* `~EXPRESSION` and `label:KEY=VALUE`, alone or behind an engine's name and a colon. */
static bool means_by_likeness(const char *name)
{
	const char *end = name + strcspn(name, ",");
	const char *behind = memchr(name, ':', (size_t)(end - name));

	if (*name == '~' || strncmp(name, "label:", strlen("label:")) == 0)
		return true;
	return behind && (behind[1] == '~' || strncmp(behind + 1, "label:", strlen("label:")) == 0);
}

/* One name, up to its comma or the end of the word. What an expression may be is the endpoints' business. */
static const char *name_fault(const char *name, size_t len)
{
	bool is_free = means_by_likeness(name);

	if (len == 0)
		return "an empty name in the list";
	for (size_t i = 0; i < len; i++)
		if (!is_name_character(name[i]) && (!is_free || name[i] <= ' ' || name[i] > '~'))
			return is_free ? "not a name: it has printable characters alone, and no "
					 "space or comma"
				       : "not a name: names have letters, digits and _ . : / @ -, "
					 "and commas between them";
	return NULL;
}

/* What keeps a word from being names joined by commas; NULL: nothing. */
static const char *names_fault(const char *names)
{
	const char *fault;
	size_t len;

	if (strstr(names, "->") && !strchr(names, '~'))
		return "an arrow is no part of it: a link from a to b is written a b";
	for (;; names += len + 1) {
		len = strcspn(names, ",");
		fault = len == 0 && names[len] == '\0' ? "an empty name" : name_fault(names, len);
		if (fault || names[len] == '\0')
			return fault;
	}
}

int words_take_names(struct words *words, const char *what, const char **ret_names)
{
	const char *word = words_peek(words);
	char reason[RULE_ERROR_REASON_MAX];
	const char *fault;

	if (!word) {
		snprintf(reason, sizeof(reason), "%s is missing", what);
		return words_lack(words, reason);
	}
	if (words_find_keyword(words, word)) {
		snprintf(reason, sizeof(reason),
			 "%s is missing before it (an endpoint that is called so is netns:%s)",
			 what, word);
		return fail(words, words->at, "", word, reason);
	}
	fault = names_fault(word);
	if (fault)
		return fail(words, words->at, "", word, fault);
	words->at++;
	*ret_names = word;
	return 0;
}

/* ---- keywords ---- */

static int keyword_is_unknown(struct words *words, const char *word)
{
	const char *names[WORDS_KEYWORDS_MAX];
	char near[128], reason[RULE_ERROR_REASON_MAX];

	if (words_next_is_number(words))
		return fail(words, words->at, "", word, "a value, and no word before it takes it");
	for (size_t i = 0; i < words->keywords; i++)
		names[i] = words->table[i].name;
	suggest_phrase(near, sizeof(near), word, names, words->keywords);
	snprintf(reason, sizeof(reason), "unknown word%s%s", near, near[0] ? "" : words->hint);
	return fail(words, words->at, "", word, reason);
}

static int take_keyword(struct words *words, void *into)
{
	const char *word = words_peek(words);
	const struct keyword *keyword = words_find_keyword(words, word);
	int *place;

	if (!keyword)
		return keyword_is_unknown(words, word);
	if (keyword->refusal)
		return fail(words, words->at, "", word, keyword->refusal);
	place = place_of(words, keyword);
	if (*place >= 0)
		return fail(words, words->at, "", word, "said twice");
	*place = words->at++;
	words->keyword = keyword;
	return keyword->take ? keyword->take(words, into) : 0;
}

int words_take_keywords(struct words *words, void *into)
{
	int r;

	while (words_peek(words)) {
		r = take_keyword(words, into);
		if (r < 0)
			return r;
	}
	return 0;
}

int words_take_value(struct words *words, const char **ret_value)
{
	const char *word = words_peek(words);
	const struct keyword *keyword = word ? words_find_keyword(words, word) : NULL;
	char reason[RULE_ERROR_REASON_MAX];

	if (keyword && keyword->refusal)
		return fail(words, words->at, "", word, keyword->refusal);
	if (!word || keyword) {
		snprintf(reason, sizeof(reason), "%s is missing", words->keyword->value);
		return fail(words, *place_of(words, words->keyword), words->keyword->name, "",
			    reason);
	}
	words->at++;
	*ret_value = word;
	return 0;
}

bool words_next_is_number(const struct words *words)
{
	const char *word = words_peek(words);

	if (!word)
		return false;
	word += *word == '-' || *word == '+';
	word += *word == '.';
	return *word >= '0' && *word <= '9';
}

/* ---- values of both ---- */

int words_take_network(struct words *words, const char **ret_name)
{
	const char *name;
	int r;

	r = words_take_value(words, &name);
	if (r < 0)
		return r;
	for (const char *at = name; *at; at++)
		if (!is_name_character(*at))
			return words_value_is_wrong(words,
						    "not a network's name: one, as `hopfault "
						    "ps` shows it");
	if (!name[0])
		return words_value_is_wrong(words, "an empty name");
	*ret_name = name;
	return 0;
}

int words_take_ttl(struct words *words, uint64_t *ret_ttl_ns)
{
	const char *text, *reason;
	uint64_t ttl_ns;
	int r;

	r = words_take_value(words, &text);
	if (r < 0)
		return r;
	if (units_parse_time(text, &ttl_ns, &reason) < 0)
		return words_value_is_wrong(words, reason);
	if (ttl_ns == 0)
		return words_value_is_wrong(words, "no time at all: it would end as it begins");
	if (ttl_ns > RULE_TTL_MAX_NS)
		return words_value_is_wrong(words, "longer than a year (8784h)");
	*ret_ttl_ns = ttl_ns;
	return 0;
}

int words_take_seed(struct words *words, uint64_t *ret_seed)
{
	const char *text, *reason;
	int r;

	r = words_take_value(words, &text);
	if (r < 0)
		return r;
	if (units_parse_count(text, 0, UINT64_MAX, ret_seed, &reason) < 0)
		return words_value_is_wrong(words, reason);
	return 0;
}

int words_take_when(struct words *words, bool *ret_when_up)
{
	const char *text;
	int r;

	r = words_take_value(words, &text);
	if (r < 0)
		return r;
	if (strcmp(text, "up") != 0)
		return words_value_is_wrong(words, "what can be waited for is up: when up");
	*ret_when_up = true;
	return 0;
}
