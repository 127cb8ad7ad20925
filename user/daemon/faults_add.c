/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * faults_add.c - a rule or a partition, from its words to a wish: checked, before anything is touched.
 */
#include "daemon/faults_parts.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "base/cleanup.h"
#include "base/clock.h"

static uint64_t random_seed(void)
{
	uint32_t seed = 0;

	if (getrandom(&seed, sizeof(seed), 0) != sizeof(seed))
		seed = (uint32_t)clock_now_ns();
	return seed; /* short enough to be typed again */
}

/* Neither end has a veth, by which alone it could be held. */
static bool is_past_all_veths(const struct faults *faults, const struct hf_link_key *link)
{
	const struct managed *managed = faults->with.managed;
	bool any_inside =
		managed_has(managed, link->src, true) || managed_has(managed, link->dst, true);

	return any_inside && !managed_has(managed, link->src, false) &&
	       !managed_has(managed, link->dst, false);
}

/* What can't be done where no veth is. Says why. */
static int check_inside(struct faults *faults, const struct hf_rule *rule,
			const struct hf_link_key *link, char *ret_error)
{
	const struct managed *managed = faults->with.managed;
	const char *src = managed_name(managed, link->src), *dst = managed_name(managed, link->dst);
	const char *inside = managed_has(managed, link->dst, true) ? dst : src;

	if ((rule->flags & HF_RULE_DELAY) && is_past_all_veths(faults, link))
		snprintf(ret_error, FAULTS_ERROR_MAX,
			 "%s -> %s: %s is on a macvlan or ipvlan, and a packet can be held at a "
			 "veth alone: loss, drop and partition work",
			 src, dst, inside);
	else if ((rule->flags & HF_RULE_UPKEEP) && is_past_all_veths(faults, link))
		snprintf(ret_error, FAULTS_ERROR_MAX,
			 "%s -> %s: %s is on a macvlan or ipvlan, where arp and nd are not told "
			 "apart by who sent them",
			 src, dst, inside);
	else
		return 0;
	return -EINVAL;
}

/* What can't be done towards the host and the world, or between them. Says why. */
static int check_outward(struct faults *faults, const struct hf_rule *rule,
			 const struct hf_link_key *link, char *ret_error)
{
	const char *src = managed_name(faults->with.managed, link->src);
	const char *dst = managed_name(faults->with.managed, link->dst);

	if (!faults_is_outside(link->dst))
		return 0;
	if (faults_is_outside(link->src))
		snprintf(ret_error, FAULTS_ERROR_MAX,
			 "%s -> %s: neither is a container, and work is done at containers' veths",
			 src, dst);
	else if (rule->flags & HF_RULE_UPKEEP)
		snprintf(ret_error, FAULTS_ERROR_MAX,
			 "%s -> %s: arp and nd are not told apart by whom they are for", src, dst);
	else
		return 0;
	return -EINVAL;
}

static int check_links(struct faults *faults, const struct hf_rule *rule, const struct links *links,
		       char *ret_error)
{
	int r = 0;

	for (size_t i = 0; i < links->count && r >= 0; i++) {
		r = check_outward(faults, rule, &links->link[i], ret_error);
		if (r >= 0)
			r = check_inside(faults, rule, &links->link[i], ret_error);
	}
	return r;
}

static int tell_not_on(struct faults *faults, uint32_t id, const char *name, char *ret_error)
{
	char networks[256];

	managed_networks_text(faults->with.managed, id, networks, sizeof(networks));
	snprintf(ret_error, FAULTS_ERROR_MAX, "%s is on no network '%s'; it is on: %s",
		 managed_name(faults->with.managed, id), name, networks);
	return -EINVAL;
}

/* Both ends of every link must be on it, as far as they are there: a fault that could match nothing is not what was meant. */
static int find_network(struct faults *faults, const char *name, const struct links *links,
			uint16_t *ret_network, char *ret_error)
{
	uint16_t network = 0, of_end;

	for (size_t i = 0; name && i < 2 * links->count; i++) {
		uint32_t id = i % 2 ? links->link[i / 2].dst : links->link[i / 2].src;

		if (faults_is_outside(id) || managed_is_absent(faults->with.managed, id))
			continue;
		of_end = managed_network(faults->with.managed, id, name);
		if (of_end == 0)
			return tell_not_on(faults, id, name, ret_error);
		if (network && of_end != network) {
			snprintf(ret_error, FAULTS_ERROR_MAX,
				 "several networks are called '%s', and %s is on another than %s",
				 name, managed_name(faults->with.managed, id),
				 managed_name(faults->with.managed, links->link[0].src));
			return -EINVAL;
		}
		network = of_end;
	}
	if (name && network == 0) {
		snprintf(ret_error, FAULTS_ERROR_MAX,
			 "which network '%s' is can't be known while nobody is there who is on it",
			 name);
		return -EINVAL;
	}
	*ret_network = network;
	return 0;
}

int faults_add_rule(struct faults *faults, const struct rule_request *request, uint64_t owner,
		    bool dry_run, struct faults_result *ret_result, char *ret_error)
{
	_cleanup_(links_done) struct links links = {};
	_cleanup_(faults_ids_done) struct faults_ids src = {}, dst = {};
	struct rule_request asked = *request;
	char text[512], meant[FAULTS_MEANT_MAX] = "";
	uint32_t self;
	int r;

	r = faults_resolve_list(faults, request->src, request->when_up, &src, meant, ret_error);
	if (r >= 0)
		r = faults_resolve_list(faults, request->dst, request->when_up, &dst, meant,
					ret_error);
	if (r < 0)
		return r;
	r = links_add_between(&links, src.id, src.count, dst.id, dst.count, request->both, &self);
	if (r == -EINVAL)
		snprintf(ret_error, FAULTS_ERROR_MAX,
			 "%s is on both sides: a rule from a service to itself touches no link",
			 managed_name(faults->with.managed, self));
	if (r < 0)
		return r;
	r = check_links(faults, &asked.rule, &links, ret_error);
	if (r >= 0)
		r = find_network(faults, request->network, &links, &asked.rule.network, ret_error);
	if (r < 0)
		return r;
	links_sort_unique(&links);
	if (!asked.has_seed)
		asked.rule.seed = random_seed();
	rule_format(&asked, text, sizeof(text));
	return faults_add_wish(faults,
			       &(struct fault_wish){
				       .kind = FAULT_RULE,
				       .text = text,
				       .meant = meant,
				       .rule = asked.rule,
				       .link = links.link,
				       .links = links.count,
				       .now_ns = clock_now_ns(),
				       .ttl_ns = request->ttl_ns,
				       .owner = owner,
			       },
			       request->force, dry_run, ret_result, ret_error);
}

static int groups_links(struct faults *faults, const struct partition_request *request,
			const struct faults_ids *ids, struct links *ret_links, char *ret_error)
{
	_cleanup_(freep) struct partition_group *group = calloc(request->groups, sizeof(*group));
	struct partition_error error = {};
	int r;

	if (!group)
		return -ENOMEM;
	for (size_t i = 0; i < request->groups; i++)
		group[i] = (struct partition_group){ .endpoint = ids[i].id, .count = ids[i].count };
	r = partition_links(group, request->groups, request->oneway, ret_links, &error);
	if (r == -EINVAL && error.endpoint)
		snprintf(ret_error, FAULTS_ERROR_MAX, "%s (%s, group %zu)", error.reason,
			 managed_name(faults->with.managed, error.endpoint), error.group + 1);
	else if (r == -EINVAL)
		snprintf(ret_error, FAULTS_ERROR_MAX, "%s (group %zu)", error.reason,
			 error.group + 1);
	return r;
}

static int pattern_links(struct faults *faults, const struct partition_request *request,
			 struct grudge grudge, const char *isolated_word,
			 const struct faults_ids *ids, struct links *ret_links, char *ret_error)
{
	_cleanup_(faults_ids_done) struct faults_ids all = {};
	const char *reason = NULL;
	int r = 0;

	for (size_t i = 0; i < request->groups; i++)
		for (size_t k = 0; k < ids[i].count && r >= 0; k++)
			r = faults_ids_add(&all, ids[i].id[k]);
	if (r >= 0 && isolated_word)
		r = faults_resolve_one(faults, isolated_word, request->when_up, &grudge.isolated,
				       ret_error);
	if (r < 0)
		return r;
	r = grudge_links(&grudge, all.id, all.count, ret_links, &reason);
	if (r == -EINVAL)
		snprintf(ret_error, FAULTS_ERROR_MAX, "%s", reason);
	return r;
}

static void partition_text(const struct partition_request *request, const struct grudge *grudge,
			   char *text, size_t size)
{
	size_t used = 0;

	if (grudge)
		used = (size_t)snprintf(text, size, "--grudge %s %s", grudge_words[grudge->kind],
					grudge->in_order ? "--in-order " : "");
	for (size_t i = 0; i < request->groups && used < size; i++)
		used += (size_t)snprintf(text + used, size - used, "%s%s", i ? " " : "",
					 request->group[i]);
	if (request->oneway && used < size)
		used += (size_t)snprintf(text + used, size - used, " oneway");
	if (request->network && used < size)
		used += (size_t)snprintf(text + used, size - used, " net %s", request->network);
	if (request->when_up && used < size)
		used += (size_t)snprintf(text + used, size - used, " when up");
	if (request->force && used < size)
		snprintf(text + used, size - used, " force");
}

static int partition_wish(struct faults *faults, const struct partition_request *request,
			  const struct grudge *grudge, const char *isolated_word,
			  const struct faults_ids *ids, struct links *ret_links, char *ret_error)
{
	int r;

	if (grudge)
		r = pattern_links(faults, request, *grudge, isolated_word, ids, ret_links,
				  ret_error);
	else
		r = groups_links(faults, request, ids, ret_links, ret_error);
	if (r >= 0)
		links_sort_unique(ret_links);
	return r;
}

int faults_add_partition(struct faults *faults, const struct partition_request *request,
			 const struct grudge *grudge, const char *isolated_word, uint64_t owner,
			 bool dry_run, struct faults_result *ret_result, char *ret_error)
{
	_cleanup_(freep) struct faults_ids *ids = calloc(request->groups, sizeof(*ids));
	_cleanup_(links_done) struct links links = {};
	struct grudge seeded = grudge ? *grudge : (struct grudge){};
	struct hf_rule rule = partition_rule();
	char text[512], meant[FAULTS_MEANT_MAX] = "";
	int r = ids ? 0 : -ENOMEM;

	rule.seed = request->has_seed ? request->seed : random_seed();
	seeded.seed = rule.seed;
	for (size_t i = 0; i < request->groups && r >= 0; i++)
		r = faults_resolve_list(faults, request->group[i], request->when_up, &ids[i], meant,
					ret_error);
	if (r >= 0)
		r = partition_wish(faults, request, grudge ? &seeded : NULL, isolated_word, ids,
				   &links, ret_error);
	if (r >= 0)
		r = check_links(faults, &rule, &links, ret_error);
	if (r >= 0)
		r = find_network(faults, request->network, &links, &rule.network, ret_error);
	for (size_t i = 0; ids && i < request->groups; i++)
		faults_ids_done(&ids[i]);
	if (r < 0)
		return r;
	partition_text(request, grudge, text, sizeof(text));
	return faults_add_wish(faults,
			       &(struct fault_wish){
				       .kind = FAULT_PARTITION,
				       .text = text,
				       .meant = meant,
				       .rule = rule,
				       .link = links.link,
				       .links = links.count,
				       .now_ns = clock_now_ns(),
				       .ttl_ns = request->ttl_ns,
				       .owner = owner,
			       },
			       request->force, dry_run, ret_result, ret_error);
}
