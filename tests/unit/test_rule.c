/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test_rule.c - facts about the text of rules: what is read, what is refused with which word, and that what was
 * read and written reads the same again.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/cleanup.h"
#include "dice.h"
#include "fault/preset.h"
#include "fault/rule.h"

#define MS 1000000ULL
#define S  (1000 * MS)

#define WORDS_MAX 32

/* A command line cut at its spaces. The request points into it. */
struct line {
	char text[512];
	char *word[WORDS_MAX + 1];
	int words;
};

static void line_cut(struct line *line, const char *text)
{
	char *rest, *word;

	assert_true(strlen(text) < sizeof(line->text));
	strcpy(line->text, text);
	line->words = 0;
	for (word = strtok_r(line->text, " ", &rest); word; word = strtok_r(NULL, " ", &rest)) {
		assert_true(line->words < WORDS_MAX);
		line->word[line->words++] = word;
	}
	line->word[line->words] = NULL;
}

static struct rule_request parsed(struct line *line, const char *text)
{
	struct rule_request request;
	struct rule_error error;
	char message[RULE_ERROR_TEXT_MAX];

	line_cut(line, text);
	if (rule_parse(line->words, line->word, &request, &error) < 0)
		fail_msg("'%s' was refused: %s", text,
			 rule_error_text(&error, message, sizeof(message)));
	return request;
}

static void assert_reads_as(const char *text, const char *expected)
{
	struct line line;
	struct rule_request request = parsed(&line, text);
	char written[512];

	assert_true(rule_format(&request, written, sizeof(written)) < sizeof(written));
	assert_string_equal(written, expected);
}

static void assert_refused(const char *text, const char *expected)
{
	struct rule_request request, untouched;
	struct rule_error error;
	char message[RULE_ERROR_TEXT_MAX];
	struct line line;

	memset(&request, 0x5a, sizeof(request));
	untouched = request;
	line_cut(&line, text);
	assert_int_equal(rule_parse(line.words, line.word, &request, &error), -EINVAL);
	assert_string_equal(rule_error_text(&error, message, sizeof(message)), expected);
	assert_memory_equal(&request, &untouched, sizeof(request));
	if (line.words)
		assert_true(error.index < (unsigned int)line.words);
}

/* ---- what is read ---- */

static void delay_with_all_its_words(void **state)
{
	struct line line;
	struct rule_request request =
		parsed(&line, "a,b c delay 5ms 1ms distribution uniform both for 30s seed 7");

	assert_string_equal(request.src, "a,b");
	assert_string_equal(request.dst, "c");
	assert_int_equal(request.rule.flags, HF_RULE_DELAY);
	assert_int_equal(request.rule.delay_ns, 5 * MS);
	assert_int_equal(request.rule.jitter_ns, 1 * MS);
	assert_int_equal(request.rule.seed, 7);
	assert_int_equal(request.rule.id, 0);
	assert_int_equal(request.rule.deadline_ns, 0);
	assert_int_equal(request.ttl_ns, 30 * S);
	assert_true(request.both);
	assert_true(request.has_seed);
}

static void a_rule_may_wait_for_its_names(void **state)
{
	struct line line;
	struct rule_request request = parsed(&line, "a b drop for 30s when up");
	struct line other;

	assert_true(request.when_up);
	assert_false(parsed(&other, "a b drop").when_up);
	assert_reads_as("a b drop for 30s when up", "a b drop for 30s when up");
	assert_refused("a b drop when down",
		       "when: 'down' (word 5): what can be waited for is up: when up");
}

static void what_is_not_said_has_its_default(void **state)
{
	struct line line;
	struct rule_request request = parsed(&line, "a b drop");

	assert_int_equal(request.rule.flags, HF_RULE_DROP);
	assert_int_equal(request.rule.proto, HF_PROTO_ANY);
	assert_int_equal(request.ttl_ns, 600 * S);
	assert_false(request.both);
	assert_false(request.force);
	assert_false(request.has_seed);
	assert_int_equal(request.rule.seed, 0);
}

static void effects_can_be_together_in_one_rule(void **state)
{
	struct line line;
	struct rule_request request = parsed(&line, "a b loss 50% delay 5ms");

	assert_int_equal(request.rule.flags, HF_RULE_DELAY | HF_RULE_LOSS);
	assert_int_equal(request.rule.loss_odds, 1U << 31);
	assert_int_equal(request.rule.delay_ns, 5 * MS);
}

static void ports_and_share_are_matched(void **state)
{
	struct line line;
	struct rule_request request = parsed(
		&line, "a b delay 1us port 80,8000-8080 sport 1000:2000 share 100% proto tcp");

	assert_int_equal(request.rule.dport_ranges, 2);
	assert_int_equal(request.rule.dport[1].first, 8000);
	assert_int_equal(request.rule.dport[1].last, 8080);
	assert_int_equal(request.rule.sport_ranges, 1);
	assert_int_equal(request.rule.sport[0].last, 2000);
	assert_int_equal(request.rule.share_odds, HF_ODDS_ALWAYS);
	assert_int_equal(request.rule.proto, 6);
}

static void protocols_that_keep_the_link_alive_must_be_named(void **state)
{
	static const struct {
		const char *text;
		uint8_t proto;
		uint32_t flags;
	} cases[] = {
		{ "a b drop proto tcp", 6, HF_RULE_DROP },
		{ "a b drop proto udp", 17, HF_RULE_DROP },
		{ "a b drop proto icmp", HF_PROTO_ICMP, HF_RULE_DROP },
		{ "a b drop proto arp", HF_PROTO_ARP, HF_RULE_DROP | HF_RULE_UPKEEP },
		{ "a b drop proto nd", HF_PROTO_ICMPV6, HF_RULE_DROP | HF_RULE_UPKEEP },
	};
	struct line line;

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct rule_request request = parsed(&line, cases[i].text);

		assert_int_equal(request.rule.proto, cases[i].proto);
		assert_int_equal(request.rule.flags, cases[i].flags);
	}
}

static void limits_are_included(void **state)
{
	struct line line;

	assert_int_equal(parsed(&line, "a b delay 30m").rule.delay_ns, RULE_DELAY_MAX_NS);
	assert_int_equal(parsed(&line, "a b delay 5ms 5ms").rule.jitter_ns, 5 * MS);
	assert_int_equal(parsed(&line, "a b drop for 8784h").ttl_ns, RULE_TTL_MAX_NS);
	assert_int_equal(parsed(&line, "a b drop for 1ns").ttl_ns, 1);
	assert_true(parsed(&line, "a b drop seed 18446744073709551615").rule.seed == UINT64_MAX);
	assert_int_equal(parsed(&line, "a b drop port 1-65535,2,3,4").rule.dport_ranges, 4);
	assert_int_equal(parsed(&line, "a b delay 0ms loss 0%").rule.loss_odds, 0);
}

static void names_may_have_prefixes_and_be_addresses(void **state)
{
	struct line line;

	assert_string_equal(parsed(&line, "docker:web_1,netns:x 10.0.0.0/8 drop").dst,
			    "10.0.0.0/8");
	assert_string_equal(parsed(&line, "any fd00::/64 drop").dst, "fd00::/64");
}

/* ---- what is refused ---- */

static void numbers_that_are_not(void **state)
{
	assert_refused("a b delay 5",
		       "delay: '5' (word 4): a unit is missing: write 5ms, 5us or 5s for example");
	assert_refused("a b delay -5ms", "delay: '-5ms' (word 4): negative: it must be 0 or more");
	assert_refused("a b delay 99999999999999999999s",
		       "delay: '99999999999999999999s' (word 4): too large, or too many digits");
	assert_refused("a b delay soon", "delay: 'soon' (word 4): not a number");
	assert_refused("a b delay 5ms 1",
		       "delay: '1' (word 5): a unit is missing: write 5ms, 5us or 5s for example");
	assert_refused("a b loss 101%", "loss: '101%' (word 4): more than 100%");
	assert_refused("a b loss 1", "loss: '1' (word 4): a unit is missing: write 1% for example");
	assert_refused("a b drop port 0", "port: '0' (word 5): ports go from 1 to 65535");
	assert_refused("a b drop port 1,2,3,4,5",
		       "port: '1,2,3,4,5' (word 5): too many port ranges in one rule");
	assert_refused("a b drop seed x", "seed: 'x' (word 5): not a number");
	assert_refused("a b drop seed -1", "seed: '-1' (word 5): negative: it must be 0 or more");
}

static void amounts_out_of_reason(void **state)
{
	assert_refused("a b delay 31m", "delay: '31m' (word 4): more than half an hour");
	assert_refused("a b delay 20m 11m", "delay: '11m' (word 5): delay and jitter together are "
					    "more than half an hour");
	assert_refused("a b delay 5ms 6ms",
		       "delay: '6ms' (word 5): the jitter is larger than the delay");
	assert_refused("a b drop for 0s",
		       "for: '0s' (word 5): no time at all: it would end as it begins");
	assert_refused("a b drop for 8785h", "for: '8785h' (word 5): longer than a year (8784h)");
	assert_refused("a b drop share 0%",
		       "share: '0%' (word 5): a share of nothing: the rule would never act");
}

static void what_is_missing(void **state)
{
	assert_refused("", "a source is missing");
	assert_refused("a", "a destination is missing");
	assert_refused("a b",
		       "no effect: delay TIME, loss PERCENT, drop or preset NAME is missing");
	assert_refused("a b proto tcp for 5m",
		       "no effect: delay TIME, loss PERCENT, drop or preset NAME is missing");
	assert_refused("a delay 5ms", "'delay' (word 2): a destination is missing before it (an "
				      "endpoint that is called so is netns:delay)");
	assert_refused("a b delay", "delay (word 3): a time is missing");
	assert_refused("a b delay loss 1%", "delay (word 3): a time is missing");
	assert_refused("a b delay 5ms loss", "loss (word 5): a percentage is missing");
	assert_refused("a b drop for", "for (word 4): a time is missing");
	assert_refused("a b drop proto port 80", "proto (word 4): a protocol is missing");
	assert_refused("a b drop port both", "port (word 4): a port is missing");
}

static void words_that_nobody_knows(void **state)
{
	assert_refused("a b dealy 5ms", "'dealy' (word 3): unknown word; did you mean 'delay'?");
	assert_refused("a b xyzzyx",
		       "'xyzzyx' (word 3): unknown word: effects are delay, loss, drop and preset");
	assert_refused("a b 5ms", "'5ms' (word 3): a value, and no word before it takes it");
	assert_refused("a b drop 5%", "'5%' (word 4): a value, and no word before it takes it");
	assert_refused("a b drop proto tpc",
		       "proto: 'tpc' (word 5): unknown protocol; did you mean 'tcp'?");
	assert_refused(
		"a b drop proto 6",
		"proto: '6' (word 5): unknown protocol: tcp, udp, icmp, arp and nd are known");
	assert_refused("a b drop booth", "'booth' (word 4): unknown word; did you mean 'both'?");
}

static void words_that_contradict(void **state)
{
	assert_refused("a b drop delay 5ms", "'delay' (word 4): it contradicts 'drop': what is "
					     "dropped can't be delayed");
	assert_refused("a b delay 5ms drop", "'drop' (word 5): it contradicts 'delay': what is "
					     "dropped can't be delayed");
	assert_refused("a b loss 1% drop", "'drop' (word 5): it contradicts 'loss': what is "
					   "dropped can't be lost again");
	assert_refused("a b drop proto icmp port 80",
		       "'port' (word 6): only tcp and udp have ports");
	assert_refused("a b drop sport 80 proto arp",
		       "'sport' (word 4): only tcp and udp have ports");
	assert_refused("a b drop share 5% proto nd",
		       "'share' (word 4): a share is of connections, and arp and nd have none");
	assert_refused("a b delay 5ms delay 6ms", "'delay' (word 5): said twice");
	assert_refused("a b drop both both", "'both' (word 5): said twice");
}

static void words_of_netem_that_come_later(void **state)
{
	assert_refused("a b delay 5ms 1ms 25%",
		       "delay: '25%' (word 6): correlation is not supported yet");
	assert_refused("a b loss 1% 25%", "loss: '25%' (word 5): correlation is not supported yet");
	assert_refused("a b loss gemodel 1%",
		       "'gemodel' (word 4): this model of loss is not supported yet");
	assert_refused("a b loss state 1%",
		       "'state' (word 4): this model of loss is not supported yet");
	assert_refused("a b delay 5ms 1ms distribution pareto",
		       "delay: 'pareto' (word 7): this distribution is not supported yet");
	assert_refused("a b delay 5ms 1ms distribution my.dist",
		       "delay: 'my.dist' (word 7): uniform is the distribution to name here; a "
		       "table is not supported yet");
	assert_refused("a b drop new", "'new' (word 4): this match is not supported yet");
}

static void effects_that_come_later(void **state)
{
	static const char *const later[] = { "duplicate", "corrupt", "reorder",
					     "rate",	  "reject",  "reset" };
	char text[64], expected[128];

	for (size_t i = 0; i < ARRAY_SIZE(later); i++) {
		snprintf(text, sizeof(text), "a b %s 1%%", later[i]);
		snprintf(expected, sizeof(expected),
			 "'%s' (word 3): this effect is not supported yet", later[i]);
		assert_refused(text, expected);
	}
}

static void distribution_belongs_behind_a_jitter(void **state)
{
	assert_refused("a b delay 5ms distribution uniform",
		       "delay: 'distribution' (word 5): nothing to distribute: it needs a jitter "
		       "(delay TIME JITTER)");
	assert_refused("a b delay 5ms 1ms distribution",
		       "delay: 'distribution' (word 6): its name is missing: uniform");
	assert_refused("a b drop distribution uniform",
		       "'distribution' (word 4): it belongs right behind the times of a delay");
}

static void names_may_be_labels_and_expressions(void **state)
{
	struct line line;
	struct rule_request request;

	request = parsed(&line, "label:app=web,db docker:~web-(a|b)+ drop");
	assert_string_equal(request.src, "label:app=web,db");
	assert_string_equal(request.dst, "docker:~web-(a|b)+");
	request = parsed(&line, "~.* docker:label:k=$x;y drop");
	assert_string_equal(request.src, "~.*");
	assert_string_equal(request.dst, "docker:label:k=$x;y");
	assert_reads_as("shop/web ~[ab]? delay 5ms both", "shop/web ~[ab]? delay 5ms both");
	assert_reads_as("a b force drop for 1m", "a b drop for 1m force");
	/* only there: elsewhere the same characters are a slip of the hand */
	assert_refused("a=b c drop",
		       "'a=b' (word 1): not a name: names have letters, digits and _ . : / @ "
		       "-, and commas between them");
	assert_refused(
		"a->b drop",
		"'a->b' (word 1): an arrow is no part of it: a link from a to b is written a b");
	assert_refused("a~b c drop",
		       "'a~b' (word 1): not a name: names have letters, digits and _ . : / @ "
		       "-, and commas between them");
	assert_refused("a,,~b c drop", "'a,,~b' (word 1): an empty name in the list");
	assert_refused("~a\tb c drop",
		       "'~a\tb' (word 1): not a name: it has printable characters alone, "
		       "and no space or comma");
}

static void a_rule_may_be_of_one_network(void **state)
{
	struct line line;
	struct rule_request request;

	request = parsed(&line, "a b drop net back");
	assert_string_equal(request.network, "back");
	assert_int_equal(request.rule.network, 0); /* who resolves names fills it in */
	assert_null(parsed(&line, "a b drop").network);
	assert_reads_as("a b net br-1f02 both delay 5ms", "a b delay 5ms net br-1f02 both");
	assert_refused("a b drop net", "net (word 4): a network's name is missing");
	assert_refused("a b drop net both", "net (word 4): a network's name is missing");
	assert_refused("a b drop net x;y",
		       "net: 'x;y' (word 5): not a network's name: one, as `hopfault ps` "
		       "shows it");
	assert_refused("a b drop net x net y", "'net' (word 6): said twice");
}

static void names_that_are_none(void **state)
{
	assert_refused("a,,b c drop", "'a,,b' (word 1): an empty name in the list");
	assert_refused(",a c drop", "',a' (word 1): an empty name in the list");
	assert_refused("a c, drop", "'c,' (word 2): an empty name");
	assert_refused("a c;d drop", "'c;d' (word 2): not a name: names have letters, digits and "
				     "_ . : / @ -, and commas between them");
}

static void empty_words_are_told(void **state)
{
	char *argv[] = { "", "b", "drop", NULL };
	struct rule_request request;
	struct rule_error error;

	assert_int_equal(rule_parse(3, argv, &request, &error), -EINVAL);
	assert_string_equal(error.reason, "an empty name");
	assert_int_equal(error.position, 1);
	argv[0] = "a";
	argv[2] = "";
	assert_int_equal(rule_parse(3, argv, &request, &error), -EINVAL);
	assert_int_equal(error.position, 3);
}

static void long_words_are_cut_in_errors(void **state)
{
	char word[5000];
	char *argv[] = { "a", "b", word, NULL };
	struct rule_request request;
	struct rule_error error;
	char message[RULE_ERROR_TEXT_MAX];

	memset(word, 'x', sizeof(word) - 1);
	word[sizeof(word) - 1] = '\0';
	assert_int_equal(rule_parse(3, argv, &request, &error), -EINVAL);
	assert_int_equal(strlen(error.word), RULE_ERROR_WORD_MAX - 1);
	assert_true(strlen(rule_error_text(&error, message, sizeof(message))) < 256);
}

/* ---- and back ---- */

static void a_preset_is_shown_as_what_it_stands_for(void **state)
{
	assert_reads_as("a b preset same-dc", "a b delay 250us");
	assert_reads_as("a b preset same-region both", "a b delay 1500us 1ms both");
	assert_reads_as("a b loss 1% proto tcp preset 3g for 1m",
			"a b delay 150ms loss 1% proto tcp for 1m");
}

static void every_preset_is_a_rule(void **state)
{
	char text[128], written[512];
	struct line line;

	for (size_t i = 0; i < presets_count; i++) {
		struct rule_request request;

		assert_ptr_equal(preset_find(presets[i].name), &presets[i]); /* no name twice */
		snprintf(text, sizeof(text), "a b preset %s", presets[i].name);
		request = parsed(&line, text);
		assert_true(request.rule.delay_ns > 0);
		assert_true(request.rule.jitter_ns <= request.rule.delay_ns);
		rule_format(&request, written, sizeof(written));
		assert_reads_as(written, written);
	}
}

static void presets_that_are_none(void **state)
{
	assert_refused("a b preset", "preset (word 3): a preset's name is missing");
	assert_refused("a b preset 3gg",
		       "preset: '3gg' (word 4): unknown preset; did you mean '3g'?");
	assert_refused("a b preset moon", "preset: 'moon' (word 4): unknown preset: `hopfault "
					  "help add` lists them");
	assert_refused(
		"a b delay 5ms preset 3g",
		"'preset' (word 5): it contradicts 'delay': a preset says what the delay is");
}

static void rules_are_written_in_one_way(void **state)
{
	assert_reads_as("a b both seed 3 for 90s proto udp loss 0.10% delay 0.005s 1000us",
			"a b delay 5ms 1ms loss 0.1% proto udp both for 90s seed 3");
	assert_reads_as("a b sport 7 share 12.5% port 80,90:99 drop",
			"a b drop port 80,90-99 sport 7 share 12.5%");
	assert_reads_as("a b drop for 600s", "a b drop");
	assert_reads_as("a b delay 0ms", "a b delay 0ms");
	assert_reads_as("a b delay 5ms 0ms", "a b delay 5ms");
	assert_reads_as("a b drop proto nd", "a b drop proto nd");
}

static void format_says_how_much_room_it_needs(void **state)
{
	struct line line;
	struct rule_request request = parsed(&line, "alpha beta drop");
	char small[8], whole[32];

	assert_int_equal(rule_format(&request, whole, sizeof(whole)), strlen("alpha beta drop"));
	assert_int_equal(rule_format(&request, small, sizeof(small)), strlen("alpha beta drop"));
	assert_string_equal(small, "alpha b");
	assert_int_equal(rule_format(&request, NULL, 0), strlen("alpha beta drop"));
}

/* A source of random requests: every one could have come from a text. */
struct chance {
	uint64_t seed, nth;
};

static uint64_t chance_below(struct chance *chance, uint64_t below)
{
	uint64_t high = dice_roll(chance->seed, chance->nth, DICE_LOSS);
	uint64_t low = dice_roll(chance->seed, chance->nth++, DICE_JITTER);

	return (high << 32 | low) % below;
}

static uint32_t random_odds(struct chance *chance)
{
	static const uint32_t special[] = { 1, 2, 42949673, HF_ODDS_ALWAYS - 1, HF_ODDS_ALWAYS };

	if (chance_below(chance, 4) == 0)
		return special[chance_below(chance, ARRAY_SIZE(special))];
	return 1 + (uint32_t)chance_below(chance, UINT32_MAX - 1);
}

/* Whole units as people write them, or any nanosecond. */
static uint64_t random_time(struct chance *chance, uint64_t max_ns)
{
	static const uint64_t units[] = { 1, 1000, MS, S, 60 * S };
	uint64_t unit = units[chance_below(chance, ARRAY_SIZE(units))];

	return max_ns < unit ? max_ns : chance_below(chance, max_ns / unit + 1) * unit;
}

static uint8_t random_ranges(struct chance *chance, struct hf_port_range *range)
{
	uint8_t count = (uint8_t)chance_below(chance, HF_PORT_RANGES_MAX + 1);

	for (uint8_t i = 0; i < count; i++) {
		range[i].first = (uint16_t)(1 + chance_below(chance, 65535));
		range[i].last =
			(uint16_t)(range[i].first + chance_below(chance, 65536 - range[i].first));
	}
	return count;
}

static void random_effect(struct chance *chance, struct hf_rule *rule)
{
	uint64_t kind = chance_below(chance, 4); /* drop, delay, loss, delay and loss */

	if (kind == 0)
		rule->flags |= HF_RULE_DROP;
	if (kind & 1) {
		rule->flags |= HF_RULE_DELAY;
		rule->delay_ns = random_time(chance, RULE_DELAY_MAX_NS / 2);
		rule->jitter_ns = random_time(chance, rule->delay_ns);
	}
	if (kind & 2) {
		rule->flags |= HF_RULE_LOSS;
		rule->loss_odds = random_odds(chance);
	}
}

static void random_match(struct chance *chance, struct hf_rule *rule)
{
	static const uint8_t protos[] = { HF_PROTO_ANY, 6, 17, HF_PROTO_ICMP, HF_PROTO_ARP };

	rule->proto = protos[chance_below(chance, ARRAY_SIZE(protos))];
	if (rule->proto == HF_PROTO_ARP)
		rule->flags |= HF_RULE_UPKEEP;
	else if (rule->proto != HF_PROTO_ICMP) {
		rule->dport_ranges = random_ranges(chance, rule->dport);
		rule->sport_ranges = random_ranges(chance, rule->sport);
	}
	if (rule->proto != HF_PROTO_ARP && chance_below(chance, 2)) {
		rule->flags |= HF_RULE_SHARE;
		rule->share_odds = random_odds(chance);
	}
}

static struct rule_request random_request(struct chance *chance)
{
	struct rule_request request;

	memset(&request, 0, sizeof(request)); /* padding too: compared as memory */
	request.src = "a,b";
	request.dst = "netns:c";
	random_effect(chance, &request.rule);
	random_match(chance, &request.rule);
	request.ttl_ns = 1 + random_time(chance, RULE_TTL_MAX_NS - 1);
	request.both = chance_below(chance, 2);
	request.has_seed = chance_below(chance, 2);
	if (request.has_seed)
		request.rule.seed = chance_below(chance, UINT64_MAX);
	return request;
}

static void every_rule_reads_as_it_was_written(void **state)
{
	struct chance chance = { .seed = 20240 };
	struct line line;
	char text[512];

	for (int i = 0; i < 20000; i++) {
		struct rule_request request = random_request(&chance), again;

		rule_format(&request, text, sizeof(text));
		again = parsed(&line, text);
		assert_string_equal(again.src, request.src);
		assert_string_equal(again.dst, request.dst);
		assert_memory_equal(&again.rule, &request.rule, sizeof(request.rule));
		assert_true(again.ttl_ns == request.ttl_ns);
		assert_int_equal(again.both, request.both);
		assert_int_equal(again.has_seed, request.has_seed);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(delay_with_all_its_words),
		cmocka_unit_test(a_rule_may_wait_for_its_names),
		cmocka_unit_test(what_is_not_said_has_its_default),
		cmocka_unit_test(effects_can_be_together_in_one_rule),
		cmocka_unit_test(ports_and_share_are_matched),
		cmocka_unit_test(protocols_that_keep_the_link_alive_must_be_named),
		cmocka_unit_test(limits_are_included),
		cmocka_unit_test(names_may_have_prefixes_and_be_addresses),
		cmocka_unit_test(numbers_that_are_not),
		cmocka_unit_test(amounts_out_of_reason),
		cmocka_unit_test(what_is_missing),
		cmocka_unit_test(words_that_nobody_knows),
		cmocka_unit_test(words_that_contradict),
		cmocka_unit_test(words_of_netem_that_come_later),
		cmocka_unit_test(effects_that_come_later),
		cmocka_unit_test(distribution_belongs_behind_a_jitter),
		cmocka_unit_test(names_may_be_labels_and_expressions),
		cmocka_unit_test(a_rule_may_be_of_one_network),
		cmocka_unit_test(names_that_are_none),
		cmocka_unit_test(empty_words_are_told),
		cmocka_unit_test(long_words_are_cut_in_errors),
		cmocka_unit_test(a_preset_is_shown_as_what_it_stands_for),
		cmocka_unit_test(every_preset_is_a_rule),
		cmocka_unit_test(presets_that_are_none),
		cmocka_unit_test(rules_are_written_in_one_way),
		cmocka_unit_test(format_says_how_much_room_it_needs),
		cmocka_unit_test(every_rule_reads_as_it_was_written),
	};

	return cmocka_run_group_tests_name("rule", tests, NULL, NULL);
}
