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

			cut[at++] = (struct cut){ { self, link->dst }, &fault->rule };
			cut[at++] = (struct cut){ { link->src, self }, &fault->rule };
			cut[at++] = (struct cut){ { self, self }, &fault->rule };
		}
	}
	qsort(cut, at, sizeof(*cut), compare_cuts);
	return at;
}

static bool is_repeated(const struct cut *cut, size_t i)
{
	return i > 0 && compare_cuts(&cut[i - 1], &cut[i]) == 0;
}

static bool begins_link(const struct cut *cut, size_t i)
{
	return i == 0 || link_key_compare(&cut[i - 1].key, &cut[i].key) != 0;
}

/* More rules than a link takes: what is left of them is that nothing passes. */
static void cut_all(struct hf_link *link, const struct hf_rule *rule)
{
	uint64_t deadline_ns = rule->deadline_ns;

	for (uint32_t i = 0; i < link->rules; i++)
		if (link->rule[i].deadline_ns > deadline_ns)
			deadline_ns = link->rule[i].deadline_ns;
	link->rule[0] = (struct hf_rule){
		.id = link->rule[0].id,
		.flags = HF_RULE_DROP,
		.deadline_ns = deadline_ns,
	};
	link->rules = 1;
}

static void add_rule(struct hf_link *link, const struct hf_rule *rule)
{
	if (link->rules == HF_LINK_RULES_MAX)
		cut_all(link, rule);
	else
		link->rule[link->rules++] = *rule;
}

static size_t count_cuts(const struct faultset *set)
{
	size_t count = 0;

	for (size_t i = 0; i < faultset_count(set); i++)
		if (is_cut(faultset_at(set, i)))
			count += 3 * faultset_at(set, i)->links;
	return count;
}

int quarantine_compile(const struct faultset *set, struct compiled_link **links, size_t *count)
{
	_cleanup_(freep) struct cut *cut = calloc(count_cuts(set) + 1, sizeof(*cut));
	struct compiled_link *longer, *at;
	size_t cuts, more = 0;

	if (!cut)
		return -ENOMEM;
	cuts = place_cuts(set, cut);
	for (size_t i = 0; i < cuts; i++)
		more += begins_link(cut, i);
	if (more == 0)
		return 0;
	if (*count + more > FAULTSET_LINKS_MAX)
		return -E2BIG;
	longer = reallocarray(*links, *count + more, sizeof(*longer));
	if (!longer)
		return -ENOMEM;
	*links = longer;
	at = longer + *count - 1;
	memset(longer + *count, 0, more * sizeof(*longer));
	for (size_t i = 0; i < cuts; i++) {
		if (begins_link(cut, i))
			(++at)->key = cut[i].key;
		if (!is_repeated(cut, i))
			add_rule(&at->link, cut[i].rule);
	}
	*count += more;
	return 0;
}
