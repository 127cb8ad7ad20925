/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * fuzz_rule.c - any bytes as the words of a rule: nothing crashes, an error always has a reason and a word that is
 * there, and what is taken is written as a text that reads as the same rule and is written the same again.
 *
 * A newline ends a word; the first byte chooses between a rule and a partition.
 *
 *     build/fuzz_rule -max_total_time=30
 *
 * uses: user/fault/rule.c user/fault/preset.c user/fault/rule_error.c user/fault/words.c user/fault/partition.c user/fault/links.c user/base/units.c user/base/suggest.c
 */
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fault/partition.h"
#include "fault/rule.h"

#define WORDS_MAX 64
#define TEXT_MAX  65536
#include "promise.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct line {
	char *text;
	char *word[WORDS_MAX];
	int words;
};

static void line_cut(struct line *line, const char *data, size_t size, const char *ends)
{
	char *rest, *word;

	*line = (struct line){ .text = strndup(data, size) };
	must(line->text != NULL, "memory");
	for (word = strtok_r(line->text, ends, &rest); word && line->words < WORDS_MAX;
	     word = strtok_r(NULL, ends, &rest))
		line->word[line->words++] = word;
}

static void check_error(const struct rule_error *error, const struct line *line)
{
	char text[RULE_ERROR_TEXT_MAX];

	must(error->reason[0] != '\0', "an error has a reason");
	must(error->index == 0 || error->index < (unsigned int)line->words,
	     "an error's word is there");
	must(error->position == error->index + 1, "positions are said from 1");
	must(rule_error_text(error, text, sizeof(text))[0] != '\0', "an error has a text");
}

static void check_rule(const struct hf_rule *rule)
{
	must(rule->jitter_ns <= rule->delay_ns, "jitter is at most the delay");
	must(rule->delay_ns + rule->jitter_ns <= RULE_DELAY_MAX_NS, "delays are bounded");
	must(rule->dport_ranges <= HF_PORT_RANGES_MAX && rule->sport_ranges <= HF_PORT_RANGES_MAX,
	     "port ranges fit");
	must(rule->flags & (HF_RULE_DELAY | HF_RULE_LOSS | HF_RULE_DROP), "a rule has an effect");
	must(rule->id == 0 && rule->deadline_ns == 0, "id and deadline are not the parser's");
}

static void check_same(const struct rule_request *one, const struct rule_request *other)
{
	must(!strcmp(one->src, other->src) && !strcmp(one->dst, other->dst), "the same names");
	must(!memcmp(&one->rule, &other->rule, sizeof(one->rule)), "the same rule");
	must(one->ttl_ns == other->ttl_ns, "the same time to live");
	must(one->both == other->both && one->has_seed == other->has_seed &&
		     one->force == other->force,
	     "the same words");
}

static void check_reads_back(const struct rule_request *request)
{
	static char text[TEXT_MAX], again_text[TEXT_MAX];
	struct rule_request again;
	struct rule_error error;
	struct line line;

	if (rule_format(request, text, sizeof(text)) >= sizeof(text))
		return;
	line_cut(&line, text, sizeof(text), " ");
	must(rule_parse(line.words, line.word, &again, &error) == 0, "what is written is read");
	check_same(request, &again);
	rule_format(&again, again_text, sizeof(again_text));
	must(!strcmp(text, again_text), "what is read is written the same");
	free(line.text);
}

static void try_rule(struct line *line)
{
	struct rule_request request;
	struct rule_error error;

	if (rule_parse(line->words, line->word, &request, &error) < 0) {
		check_error(&error, line);
		return;
	}
	check_rule(&request.rule);
	check_reads_back(&request);
}

static void try_partition(struct line *line, bool with_grudge)
{
	struct partition_request request;
	struct rule_error error;

	if (partition_parse(line->words, line->word, with_grudge, &request, &error) < 0) {
		check_error(&error, line);
		return;
	}
	must(request.groups >= (with_grudge ? 1 : 2), "there are groups enough");
	must(request.groups <= (size_t)line->words, "every group is a word");
	must(request.ttl_ns > 0 && request.ttl_ns <= RULE_TTL_MAX_NS, "time to live is bounded");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct line line;

	if (size <
	    2) /* nothing to read: strndup() of nothing is still looked at by the sanitizer */
		return 0;
	line_cut(&line, (const char *)data + 1, size - 1, "\n");
	if (data[0] == 'p' || data[0] == 'g')
		try_partition(&line, data[0] == 'g');
	else
		try_rule(&line);
	free(line.text);
	return 0;
}
