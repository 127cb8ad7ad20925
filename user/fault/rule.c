/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * rule.c - the text of a rule, and what it asks for.
 *
 *     a,b c delay 5ms 1ms port 80 for 1m  --rule_parse-->  struct rule_request  --rule_format-->  the same text
 *
 * The grammar is the table `keywords`. What netem knows and we don't yet stands there too, with a refusal, so that it
 * is never taken for something else.
 */
#include "fault/rule.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/suggest.h"
#include "base/units.h"
#include "fault/preset.h"
#include "fault/words.h"

/* ---- effects ---- */

static int take_time(struct words *words, __u64 *ret_ns)
{
	const char *text, *reason;
	uint64_t ns;
	int r;

	r = words_take_value(words, &text);
	if (r < 0)
		return r;
	if (units_parse_time(text, &ns, &reason) < 0)
		return words_value_is_wrong(words, reason);
	if (ns > RULE_DELAY_MAX_NS)
		return words_value_is_wrong(words, "more than half an hour");
	*ret_ns = ns;
	return 0;
}

static int take_odds(struct words *words, uint32_t *ret_odds)
{
	const char *text, *reason;
	int r;

	r = words_take_value(words, &text);
	if (r < 0)
		return r;
	if (units_parse_percent(text, ret_odds, &reason) < 0)
		return words_value_is_wrong(words, reason);
	return 0;
}

/* netem's third number of a delay and second of a loss. */
static int refuse_correlation(struct words *words)
{
	if (!words_next_is_number(words))
		return 0;
	words->at++;
	return words_value_is_wrong(words, "correlation is not supported yet");
}

static int take_jitter(struct words *words, struct hf_rule *rule)
{
	int r;

	if (!words_next_is_number(words))
		return 0;
	r = take_time(words, &rule->jitter_ns);
	if (r < 0)
		return r;
	if (rule->jitter_ns > rule->delay_ns)
		return words_value_is_wrong(words, "the jitter is larger than the delay");
	if (rule->delay_ns + rule->jitter_ns > RULE_DELAY_MAX_NS)
		return words_value_is_wrong(words,
					    "delay and jitter together are more than half an hour");
	return refuse_correlation(words);
}

static int check_distribution(struct words *words, const char *name)
{
	static const char *const later[] = { "normal", "pareto", "paretonormal" };

	if (!strcmp(name, "uniform"))
		return 0;
	for (size_t i = 0; i < ARRAY_SIZE(later); i++)
		if (!strcmp(name, later[i]))
			return words_value_is_wrong(words,
						    "this distribution is not supported yet");
	return words_value_is_wrong(
		words, "uniform is the distribution to name here; a table is not supported yet");
}

static int take_distribution(struct words *words, bool has_jitter)
{
	const char *word = words_peek(words);

	if (!word || strcmp(word, "distribution"))
		return 0;
	words->at++;
	if (!has_jitter)
		return words_value_is_wrong(
			words, "nothing to distribute: it needs a jitter (delay TIME JITTER)");
	word = words_peek(words);
	if (!word || words_find_keyword(words, word))
		return words_value_is_wrong(words, "its name is missing: uniform");
	words->at++;
	return check_distribution(words, word);
}

static int take_delay(struct words *words, void *into)
{
	struct hf_rule *rule = &((struct rule_request *)into)->rule;
	bool has_jitter;
	int r;

	rule->flags |= HF_RULE_DELAY;
	r = take_time(words, &rule->delay_ns);
	if (r < 0)
		return r;
	has_jitter = words_next_is_number(words);
	r = take_jitter(words, rule);
	if (r < 0)
		return r;
	return take_distribution(words, has_jitter);
}

static int take_loss(struct words *words, void *into)
{
	struct hf_rule *rule = &((struct rule_request *)into)->rule;
	int r;

	rule->flags |= HF_RULE_LOSS;
	r = take_odds(words, &rule->loss_odds);
	if (r < 0)
		return r;
	return refuse_correlation(words);
}

static int take_drop(struct words *words, void *into)
{
	struct rule_request *request = into;

	request->rule.flags |= HF_RULE_DROP;
	return 0;
}

/* A word for effects: nothing else of it is kept, so it is shown as what it stands for. */
static int take_preset(struct words *words, void *into)
{
	struct hf_rule *rule = &((struct rule_request *)into)->rule;
	char phrase[128], reason[RULE_ERROR_REASON_MAX];
	const struct preset *preset;
	const char *name;
	int r;

	r = words_take_value(words, &name);
	if (r < 0)
		return r;
	preset = preset_find(name);
	if (!preset) {
		snprintf(reason, sizeof(reason), "unknown preset%s",
			 preset_phrase(phrase, sizeof(phrase), name));
		return words_value_is_wrong(words, reason);
	}
	rule->flags |= HF_RULE_DELAY;
	rule->delay_ns = preset->delay_ns;
	rule->jitter_ns = preset->jitter_ns;
	return 0;
}

/* ---- match ---- */

struct proto {
	const char *name;
	uint8_t proto;
	uint32_t flags;
	bool has_ports;
};

static const struct proto protos[] = {
	{ "tcp", IPPROTO_TCP, 0, true },
	{ "udp", IPPROTO_UDP, 0, true },
	{ "icmp", HF_PROTO_ICMP, 0, false }, /* ICMPv6 as well */
	{ "arp", HF_PROTO_ARP, HF_RULE_UPKEEP, false },
	{ "nd", HF_PROTO_ICMPV6, HF_RULE_UPKEEP, false },
};

static const struct proto *proto_of(const struct hf_rule *rule)
{
	for (size_t i = 0; i < ARRAY_SIZE(protos); i++)
		if (protos[i].proto == rule->proto)
			return &protos[i];
	return NULL;
}

static const struct proto *proto_find(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(protos); i++)
		if (!strcmp(protos[i].name, name))
			return &protos[i];
	return NULL;
}

static int proto_is_unknown(struct words *words, const char *word)
{
	const char *names[ARRAY_SIZE(protos)];
	char near[128], reason[RULE_ERROR_REASON_MAX];

	for (size_t i = 0; i < ARRAY_SIZE(protos); i++)
		names[i] = protos[i].name;
	suggest_phrase(near, sizeof(near), word, names, ARRAY_SIZE(protos));
	snprintf(reason, sizeof(reason), "unknown protocol%s",
		 near[0] ? near : ": tcp, udp, icmp, arp and nd are known");
	return words_value_is_wrong(words, reason);
}

static int take_proto(struct words *words, void *into)
{
	struct rule_request *request = into;
	const struct proto *proto;
	const char *name;
	int r;

	r = words_take_value(words, &name);
	if (r < 0)
		return r;
	proto = proto_find(name);
	if (!proto)
		return proto_is_unknown(words, name);
	request->rule.proto = proto->proto;
	request->rule.flags |= proto->flags;
	return 0;
}

static int take_ranges(struct words *words, struct hf_port_range *to, uint8_t *ret_count)
{
	struct units_range range[HF_PORT_RANGES_MAX];
	const char *text, *reason;
	int r;

	r = words_take_value(words, &text);
	if (r < 0)
		return r;
	r = units_parse_ports(text, range, HF_PORT_RANGES_MAX, &reason);
	if (r < 0)
		return words_value_is_wrong(words, reason);
	for (int i = 0; i < r; i++)
		to[i] = (struct hf_port_range){ range[i].first, range[i].last };
	*ret_count = (uint8_t)r;
	return 0;
}

static int take_port(struct words *words, void *into)
{
	struct hf_rule *rule = &((struct rule_request *)into)->rule;

	return take_ranges(words, rule->dport, &rule->dport_ranges);
}

static int take_sport(struct words *words, void *into)
{
	struct hf_rule *rule = &((struct rule_request *)into)->rule;

	return take_ranges(words, rule->sport, &rule->sport_ranges);
}

static int take_share(struct words *words, void *into)
{
	struct hf_rule *rule = &((struct rule_request *)into)->rule;
	int r;

	rule->flags |= HF_RULE_SHARE;
	r = take_odds(words, &rule->share_odds);
	if (r < 0)
		return r;
	if (rule->share_odds == 0)
		return words_value_is_wrong(words, "a share of nothing: the rule would never act");
	return 0;
}

/* ---- the rest ---- */

static int take_both(struct words *words, void *into)
{
	((struct rule_request *)into)->both = true;
	return 0;
}

static int take_net(struct words *words, void *into)
{
	return words_take_network(words, &((struct rule_request *)into)->network);
}

static int take_for(struct words *words, void *into)
{
	return words_take_ttl(words, &((struct rule_request *)into)->ttl_ns);
}

static int take_seed(struct words *words, void *into)
{
	struct rule_request *request = into;
	uint64_t seed;
	int r;

	r = words_take_seed(words, &seed);
	if (r < 0)
		return r;
	request->rule.seed = seed;
	request->has_seed = true;
	return 0;
}

static int take_when(struct words *words, void *into)
{
	return words_take_when(words, &((struct rule_request *)into)->when_up);
}

static int take_force(struct words *words, void *into)
{
	((struct rule_request *)into)->force = true;
	return 0;
}

#define NOT_YET(word, what)                                           \
	{                                                             \
		.name = word, .refusal = what " is not supported yet" \
	}

static const struct keyword keywords[] = {
	{ .name = "delay", .value = "a time", .take = take_delay },
	{ .name = "loss", .value = "a percentage", .take = take_loss },
	{ .name = "drop", .take = take_drop },
	{ .name = "preset", .value = "a preset's name", .take = take_preset },
	{ .name = "proto", .value = "a protocol", .take = take_proto },
	{ .name = "port", .value = "a port", .take = take_port },
	{ .name = "sport", .value = "a port", .take = take_sport },
	{ .name = "share", .value = "a percentage", .take = take_share },
	{ .name = "net", .value = "a network's name", .take = take_net },
	{ .name = "both", .take = take_both },
	{ .name = "for", .value = "a time", .take = take_for },
	{ .name = "seed", .value = "a number", .take = take_seed },
	{ .name = "when", .value = "up", .take = take_when },
	{ .name = "force", .take = take_force },
	{ .name = "distribution", .refusal = "it belongs right behind the times of a delay" },
	NOT_YET("duplicate", "this effect"),
	NOT_YET("corrupt", "this effect"),
	NOT_YET("reorder", "this effect"),
	NOT_YET("rate", "this effect"),
	NOT_YET("reject", "this effect"),
	NOT_YET("reset", "this effect"),
	NOT_YET("gap", "this part of reorder"),
	NOT_YET("gemodel", "this model of loss"),
	NOT_YET("state", "this model of loss"),
	NOT_YET("new", "this match"),
};
_Static_assert(ARRAY_SIZE(keywords) <= WORDS_KEYWORDS_MAX, "struct words has a place for each");

/* ---- what does not go together ---- */

static const struct {
	const char *one, *other, *reason;
} contradictions[] = {
	{ "drop", "delay", "what is dropped can't be delayed" },
	{ "drop", "loss", "what is dropped can't be lost again" },
	{ "preset", "delay", "a preset says what the delay is" },
	{ "preset", "drop", "what is dropped can't be delayed" },
};

static int check_contradictions(struct words *words)
{
	for (size_t i = 0; i < ARRAY_SIZE(contradictions); i++)
		if (words_were_said(words, contradictions[i].one) &&
		    words_were_said(words, contradictions[i].other))
			return words_contradict(words, contradictions[i].one,
						contradictions[i].other, contradictions[i].reason);
	return 0;
}

/* Ports are TCP's and UDP's, connections are what has addresses. */
static int check_match(struct words *words, const struct hf_rule *rule)
{
	const struct proto *proto = proto_of(rule);

	if (!proto || proto->has_ports)
		return 0;
	if (rule->dport_ranges)
		return words_keyword_is_wrong(words, "port", "only tcp and udp have ports");
	if (rule->sport_ranges)
		return words_keyword_is_wrong(words, "sport", "only tcp and udp have ports");
	if ((rule->flags & HF_RULE_SHARE) && (rule->flags & HF_RULE_UPKEEP))
		return words_keyword_is_wrong(
			words, "share", "a share is of connections, and arp and nd have none");
	return 0;
}

static int check_whole(struct words *words, const struct rule_request *request)
{
	int r;

	if (!(request->rule.flags & (HF_RULE_DELAY | HF_RULE_LOSS | HF_RULE_DROP)))
		return words_lack(
			words,
			"no effect: delay TIME, loss PERCENT, drop or preset NAME is missing");
	r = check_contradictions(words);
	if (r < 0)
		return r;
	return check_match(words, &request->rule);
}

static int take_all(struct words *words, struct rule_request *request)
{
	int r;

	r = words_take_names(words, "a source", &request->src);
	if (r < 0)
		return r;
	r = words_take_names(words, "a destination", &request->dst);
	if (r < 0)
		return r;
	r = words_take_keywords(words, request);
	if (r < 0)
		return r;
	return check_whole(words, request);
}

int rule_parse(int argc, char **argv, struct rule_request *ret_request,
	       struct rule_error *ret_error)
{
	struct rule_request request = { .ttl_ns = RULE_TTL_DEFAULT_NS };
	struct words words;
	int r;

	words_begin(&words, argc, argv, keywords, ARRAY_SIZE(keywords), ret_error);
	words.hint = ": effects are delay, loss, drop and preset";
	r = take_all(&words, &request);
	if (r < 0)
		return r;
	*ret_request = request;
	return 0;
}

/* ---- and back ---- */

struct text {
	char *to;
	size_t size;
	size_t len; /* of all that was added, whether it fitted or not */
};

static void __attribute__((format(printf, 2, 3))) add(struct text *text, const char *format, ...)
{
	size_t room = text->len < text->size ? text->size - text->len : 0;
	va_list args;
	int len;

	va_start(args, format);
	len = vsnprintf(room ? text->to + text->len : NULL, room, format, args);
	va_end(args);
	text->len += len > 0 ? (size_t)len : 0;
}

static void add_effects(struct text *text, const struct hf_rule *rule)
{
	char number[UNITS_TEXT_MAX];

	if (rule->flags & HF_RULE_DELAY)
		add(text, " delay %s", units_format_time(number, rule->delay_ns));
	if (rule->jitter_ns)
		add(text, " %s", units_format_time(number, rule->jitter_ns));
	if (rule->flags & HF_RULE_LOSS)
		add(text, " loss %s", units_format_percent(number, rule->loss_odds));
	if (rule->flags & HF_RULE_DROP)
		add(text, " drop");
}

static void add_ranges(struct text *text, const char *keyword, const struct hf_port_range *range,
		       unsigned int count)
{
	for (unsigned int i = 0; i < count; i++) {
		if (i == 0)
			add(text, " %s ", keyword);
		add(text, "%s%u", i ? "," : "", range[i].first);
		if (range[i].last != range[i].first)
			add(text, "-%u", range[i].last);
	}
}

static void add_match(struct text *text, const struct hf_rule *rule)
{
	const struct proto *proto = proto_of(rule);
	char number[UNITS_TEXT_MAX];

	if (proto)
		add(text, " proto %s", proto->name);
	add_ranges(text, "port", rule->dport, rule->dport_ranges);
	add_ranges(text, "sport", rule->sport, rule->sport_ranges);
	if (rule->flags & HF_RULE_SHARE)
		add(text, " share %s", units_format_percent(number, rule->share_odds));
}

size_t rule_format(const struct rule_request *request, char *text, size_t size)
{
	struct text out = { .to = text, .size = size };
	char number[UNITS_TEXT_MAX];

	add(&out, "%s %s", request->src, request->dst);
	add_effects(&out, &request->rule);
	add_match(&out, &request->rule);
	if (request->network)
		add(&out, " net %s", request->network);
	if (request->both)
		add(&out, " both");
	if (request->ttl_ns != RULE_TTL_DEFAULT_NS)
		add(&out, " for %s", units_format_time(number, request->ttl_ns));
	if (request->has_seed)
		add(&out, " seed %llu", (unsigned long long)request->rule.seed);
	if (request->when_up)
		add(&out, " when up");
	if (request->force)
		add(&out, " force");
	return out.len;
}
