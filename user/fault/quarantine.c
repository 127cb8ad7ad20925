/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * quarantine.c - see quarantine.h.
 */
#include "fault/quarantine.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "fault/links.h"

struct cut {
	struct hf_link_key key;
	const struct hf_rule *rule;
};

static bool is_cut(const struct fault *fault)
{
	return fault->rule.flags & HF_RULE_DROP;
}

/* The host and the world have no veth that could be a new one. */
static bool can_be_missing(uint32_t endpoint)
{
	return endpoint >= HF_ENDPOINT_FIRST;
}

static int compare_cuts(const void *a, const void *b)
{
	const struct cut *one = a, *other = b;
	int order = link_key_compare(&one->key, &other->key);

	if (order == 0)
		order = one->rule->id < other->rule->id ? -1 : one->rule->id > other->rule->id;
	return order;
}

static size_t place_cuts(const struct faultset *set, struct cut *cut)
{
	const uint32_t self = HF_ENDPOINT_QUARANTINE;
	size_t at = 0;

	for (size_t i = 0; i < faultset_count(set); i++) {
		const struct fault *fault = faultset_at(set, i);

		for (size_t k = 0; is_cut(fault) && k < fault->links; k++) {
			const struct hf_link_key *link = &fault->link[k];

			if (can_be_missing(link->src))
				cut[at++] = (struct cut){ { self, link->dst }, &fault->rule };
			if (can_be_missing(link->dst))
				cut[at++] = (struct cut){ { link->src, self }, &fault->rule };
			if (can_be_missing(link->src) && can_be_missing(link->dst))
				cut[at++] = (struct cut){ { self, self }, &fault->rule };
		}
	}
	qsort(cut, at, sizeof(*cut), compare_cuts);
	return at;
}

static bool begins_link(const struct cut *cut, size_t i)
{
	return i == 0 || link_key_compare(&cut[i - 1].key, &cut[i].key) != 0;
}

/* More rules than a link takes: what is left of them is that nothing passes, as long as one of them lasts. */
static void cut_all(struct compiled_rule *first, uint32_t rules, uint64_t deadline_ns)
{
	for (uint32_t i = 0; i < rules; i++)
		if (first[i].rule.deadline_ns > deadline_ns)
			deadline_ns = first[i].rule.deadline_ns;
	first->rule = (struct hf_rule){
		.id = first->rule.id,
		.flags = HF_RULE_DROP,
		.deadline_ns = deadline_ns,
	};
}

/* The rules of one link, which is cut[0, cuts), at *at; returns how many they are. */
static uint32_t gather_link(const struct cut *cut, size_t cuts, struct compiled_rule *at)
{
	uint32_t rules = 0;

	for (size_t i = 0; i < cuts; i++) {
		if (i > 0 && compare_cuts(&cut[i - 1], &cut[i]) == 0)
			continue;
		if (rules == HF_LINK_RULES_MAX) {
			cut_all(at, rules, cut[i].rule->deadline_ns);
			rules = 1;
			continue;
		}
		at[rules++] = (struct compiled_rule){ cut[0].key, *cut[i].rule };
	}
	return rules;
}

static size_t count_cuts(const struct faultset *set)
{
	size_t count = 0;

	for (size_t i = 0; i < faultset_count(set); i++)
		if (is_cut(faultset_at(set, i)))
			count += 3 * faultset_at(set, i)->links;
	return count;
}

static size_t count_links(const struct cut *cut, size_t cuts)
{
	size_t links = 0;

	for (size_t i = 0; i < cuts; i++)
		links += begins_link(cut, i);
	return links;
}

static size_t gather(const struct cut *cut, size_t cuts, struct compiled_rule *rules)
{
	size_t first = 0, at = 0;

	for (size_t i = 1; i <= cuts; i++) {
		if (i < cuts && !begins_link(cut, i))
			continue;
		at += gather_link(cut + first, i - first, rules + at);
		first = i;
	}
	return at;
}

int quarantine_compile(const struct faultset *set, struct compiled_rule **rules, size_t *count)
{
	_cleanup_(freep) struct cut *cut = calloc(count_cuts(set) + 1, sizeof(*cut));
	struct compiled_rule *longer;
	size_t cuts;

	if (!cut)
		return -ENOMEM;
	cuts = place_cuts(set, cut);
	if (cuts == 0)
		return 0;
	if (count_links(cut, cuts) > FAULTSET_LINKS_MAX)
		return -E2BIG;
	longer = reallocarray(*rules, *count + cuts, sizeof(*longer));
	if (!longer)
		return -ENOMEM;
	*rules = longer;
	memset(longer + *count, 0, cuts * sizeof(*longer));
	*count += gather(cut, cuts, longer + *count);
	return 0;
}
