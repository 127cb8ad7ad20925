/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * partition.c - the text of a partition, and which links it cuts.
 */
#include "fault/partition.h"

#include <errno.h>

#include "base/cleanup.h"
#include "fault/rule.h"
#include "fault/words.h"

/* ---- words ---- */

static int take_oneway(struct words *words, void *into)
{
	((struct partition_request *)into)->oneway = true;
	return 0;
}

static int take_net(struct words *words, void *into)
{
	return words_take_network(words, &((struct partition_request *)into)->network);
}

static int take_for(struct words *words, void *into)
{
	return words_take_ttl(words, &((struct partition_request *)into)->ttl_ns);
}

static int take_seed(struct words *words, void *into)
{
	struct partition_request *request = into;
	int r;

	r = words_take_seed(words, &request->seed);
	if (r < 0)
		return r;
	request->has_seed = true;
	return 0;
}

static int take_when(struct words *words, void *into)
{
	return words_take_when(words, &((struct partition_request *)into)->when_up);
}

static int take_force(struct words *words, void *into)
{
	((struct partition_request *)into)->force = true;
	return 0;
}

static const struct keyword keywords[] = {
	{ .name = "oneway", .take = take_oneway },
	{ .name = "net", .value = "a network's name", .take = take_net },
	{ .name = "for", .value = "a time", .take = take_for },
	{ .name = "seed", .value = "a number", .take = take_seed },
	{ .name = "when", .value = "up", .take = take_when },
	{ .name = "force", .take = take_force },
};

/* All words up to the first keyword are groups, so they can be pointed at in argv. */
static int take_groups(struct words *words, bool with_grudge, struct partition_request *request)
{
	const char *names;
	int r;

	request->group = words->argv;
	while (words_peek(words) && !words_find_keyword(words, words_peek(words))) {
		r = words_take_names(words, "a group", &names);
		if (r < 0)
			return r;
		request->groups++;
	}
	if (with_grudge && request->groups < 1)
		return words_lack(words, "no endpoint is named: NAME NAME... is missing");
	if (!with_grudge && request->groups < 2)
		return words_lack(words, request->groups
						 ? "a second group is missing: a,b c,d for example"
						 : "the groups are missing: a,b c,d for example");
	return 0;
}

static int take_all(struct words *words, bool with_grudge, struct partition_request *request)
{
	int r;

	r = take_groups(words, with_grudge, request);
	if (r < 0)
		return r;
	r = words_take_keywords(words, request);
	if (r < 0)
		return r;
	if (with_grudge && request->oneway)
		return words_keyword_is_wrong(words, "oneway", "a grudge always cuts both ways");
	return 0;
}

int partition_parse(int argc, char **argv, bool with_grudge, struct partition_request *ret_request,
		    struct rule_error *ret_error)
{
	struct partition_request request = { .ttl_ns = RULE_TTL_DEFAULT_NS };
	struct words words;
	int r;

	words_begin(&words, argc, argv, keywords, ARRAY_SIZE(keywords), ret_error);
	words.hint =
		": groups come first, then oneway, net NAME, for TIME, seed N, when up and force";
	r = take_all(&words, with_grudge, &request);
	if (r < 0)
		return r;
	*ret_request = request;
	return 0;
}

/* ---- links ---- */

static int refuse(struct partition_error *ret_error, const char *reason, size_t group,
		  uint32_t endpoint)
{
	*ret_error = (struct partition_error){ reason, group, endpoint };
	return -EINVAL;
}

static bool group_has(const struct partition_group *group, size_t first, uint32_t endpoint)
{
	for (size_t i = 0; i < first; i++)
		if (group->endpoint[i] == endpoint)
			return true;
	return false;
}

static int check_member(const struct partition_group *group, size_t g, size_t i,
			struct partition_error *ret_error)
{
	uint32_t endpoint = group[g].endpoint[i];

	if (endpoint == HF_ENDPOINT_NONE)
		return refuse(ret_error, "nobody is meant", g, endpoint);
	if (group_has(&group[g], i, endpoint))
		return refuse(ret_error, "the same endpoint twice in one group", g, endpoint);
	for (size_t earlier = 0; earlier < g; earlier++)
		if (group_has(&group[earlier], group[earlier].count, endpoint))
			return refuse(ret_error, "the same endpoint in two groups", g, endpoint);
	return 0;
}

static int check_groups(const struct partition_group *group, size_t groups,
			struct partition_error *ret_error)
{
	int r;

	if (groups < 2)
		return refuse(ret_error, "a partition needs two groups at least", 0,
			      HF_ENDPOINT_NONE);
	for (size_t g = 0; g < groups; g++) {
		if (group[g].count == 0)
			return refuse(ret_error, "an empty group", g, HF_ENDPOINT_NONE);
		for (size_t i = 0; i < group[g].count; i++) {
			r = check_member(group, g, i, ret_error);
			if (r < 0)
				return r;
		}
	}
	return 0;
}

/* The groups have nobody in common, so this fails for want of memory alone. */
static int cut_groups(const struct partition_group *group, size_t groups, bool oneway,
		      struct links *links)
{
	size_t cutting = oneway ? 1 : groups;
	int r;

	for (size_t g = 0; g < cutting; g++)
		for (size_t h = g + 1; h < groups; h++) {
			r = links_add_between(links, group[g].endpoint, group[g].count,
					      group[h].endpoint, group[h].count, !oneway, NULL);
			if (r < 0)
				return r;
		}
	links_sort_unique(links);
	return 0;
}

int partition_links(const struct partition_group *group, size_t groups, bool oneway,
		    struct links *ret_links, struct partition_error *ret_error)
{
	_cleanup_(links_done) struct links links = {};
	int r;

	r = check_groups(group, groups, ret_error);
	if (r < 0)
		return r;
	r = cut_groups(group, groups, oneway, &links);
	if (r < 0) {
		*ret_error = (struct partition_error){};
		return r;
	}
	*ret_links = links;
	links = (struct links){};
	return 0;
}

struct hf_rule partition_rule(void)
{
	return (struct hf_rule){ .flags = HF_RULE_DROP, .proto = HF_PROTO_ANY };
}
