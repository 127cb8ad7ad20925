/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * faultset.c - all faults that are in force together.
 *
 * A set is a list of pointers to faults that are counted by their holders: a clone is the list again and one more
 * holder for each fault. What a fault is never changes, so no set can see another's work.
 */
#include "fault/faultset.h"

#include <assert.h>
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "fault/links.h"

struct held_fault {
	struct fault fault;
	unsigned int holders;
	struct links links; /* fault.link */
	char text[]; /* fault.text, then fault.meant */
};

struct faultset {
	struct fault_ids *ids;
	struct held_fault **fault; /* by rising id */
	size_t count;
	size_t room;
};

/* ---- one fault ---- */

static void held_fault_put(struct held_fault *held)
{
	if (--held->holders > 0)
		return;
	links_done(&held->links);
	free(held);
}
DEFINE_CLEANUP(struct held_fault *, held_fault_put)

static int copy_links(const struct fault_wish *wish, struct links *links)
{
	int r;

	for (size_t i = 0; i < wish->links; i++) {
		r = links_add(links, wish->link[i].src, wish->link[i].dst);
		if (r < 0)
			return r;
	}
	links_sort_unique(links);
	return links->count > FAULTSET_LINKS_MAX ? -E2BIG : 0;
}

static int wish_check(const struct fault_wish *wish)
{
	if (wish->links == 0 || wish->ttl_ns == 0 || wish->ttl_ns > UINT64_MAX - wish->now_ns)
		return -EINVAL;
	return 0;
}

/* All of the fault but its id. */
static int held_fault_new(const struct fault_wish *wish, struct held_fault **ret_held)
{
	_cleanup_(held_fault_putp) struct held_fault *held = NULL;
	size_t text_size = strlen(wish->text) + 1;
	const char *meant = wish->meant ? wish->meant : "";
	int r;

	held = calloc(1, sizeof(*held) + text_size + strlen(meant) + 1);
	if (!held)
		return -ENOMEM;
	held->holders = 1;
	memcpy(held->text, wish->text, text_size);
	strcpy(held->text + text_size, meant);
	r = copy_links(wish, &held->links);
	if (r < 0)
		return r;
	held->fault = (struct fault){
		.kind = wish->kind,
		.text = held->text,
		.meant = held->text + text_size,
		.rule = wish->rule,
		.link = held->links.link,
		.links = held->links.count,
		.created_ns = wish->now_ns,
		.deadline_ns = wish->now_ns + wish->ttl_ns,
		.owner = wish->owner,
	};
	held->fault.rule.deadline_ns = held->fault.deadline_ns;
	*ret_held = TAKE_PTR(held);
	return 0;
}

/* ---- the set's life ---- */

struct faultset *faultset_new(struct fault_ids *ids)
{
	struct faultset *set = calloc(1, sizeof(*set));

	if (set)
		set->ids = ids;
	return set;
}

void faultset_free(struct faultset *set)
{
	if (!set)
		return;
	faultset_remove_all(set);
	free(set->fault);
	free(set);
}

static int make_room(struct faultset *set, size_t count)
{
	size_t room = set->room ? set->room : 16;
	struct held_fault **fault;

	while (room < count)
		room *= 2;
	if (room == set->room)
		return 0;
	fault = reallocarray(set->fault, room, sizeof(struct held_fault *));
	if (!fault)
		return -ENOMEM;
	set->fault = fault;
	set->room = room;
	return 0;
}

struct faultset *faultset_clone(const struct faultset *set)
{
	_cleanup_(faultset_freep) struct faultset *clone = faultset_new(set->ids);

	if (!clone || make_room(clone, set->count) < 0)
		return NULL;
	for (size_t i = 0; i < set->count; i++) {
		clone->fault[i] = set->fault[i];
		clone->fault[i]->holders++;
	}
	clone->count = set->count;
	return TAKE_PTR(clone);
}

void faultset_replace(struct faultset **live, struct faultset **candidate)
{
	faultset_free(*live);
	*live = TAKE_PTR(*candidate);
}

/* ---- adding ---- */

/* For each link of `fault` that `other` has too, one more in rules[]. Walks the shorter, searches the longer. */
static void count_shared(const struct fault *fault, const struct fault *other, uint16_t *rules)
{
	const struct hf_link_key *found;

	if (other->links < fault->links) {
		for (size_t i = 0; i < other->links; i++) {
			found = links_find(fault->link, fault->links, &other->link[i]);
			if (found)
				rules[found - fault->link]++;
		}
		return;
	}
	for (size_t i = 0; i < fault->links; i++)
		rules[i] += links_find(other->link, other->links, &fault->link[i]) != NULL;
}

static int check_room_on_links(const struct faultset *set, const struct fault *fault,
			       struct hf_link_key *ret_full)
{
	_cleanup_(freep) uint16_t *rules = NULL;

	if (set->count < HF_LINK_RULES_MAX)
		return 0; /* not even all of them together fill a link */
	rules = calloc(fault->links, sizeof(*rules));
	if (!rules)
		return -ENOMEM;
	for (size_t i = 0; i < set->count; i++)
		count_shared(fault, &set->fault[i]->fault, rules);
	for (size_t i = 0; i < fault->links; i++) {
		if (rules[i] < HF_LINK_RULES_MAX)
			continue;
		if (ret_full)
			*ret_full = fault->link[i];
		return -ENOSPC;
	}
	return 0;
}

/* Ids are spent, never given back: what failed later is not found under another fault's number. */
static int next_id(struct fault_ids *ids, uint32_t *ret_id)
{
	if (ids->last == UINT32_MAX)
		return -EOVERFLOW;
	*ret_id = ++ids->last;
	return 0;
}

int faultset_add(struct faultset *set, const struct fault_wish *wish, uint32_t *ret_id,
		 struct hf_link_key *ret_full)
{
	_cleanup_(held_fault_putp) struct held_fault *held = NULL;
	uint32_t id;
	int r;

	r = wish_check(wish);
	if (r < 0)
		return r;
	if (set->count >= FAULTSET_FAULTS_MAX)
		return -E2BIG;
	r = held_fault_new(wish, &held);
	if (r < 0)
		return r;
	r = check_room_on_links(set, &held->fault, ret_full);
	if (r < 0)
		return r;
	r = make_room(set, set->count + 1);
	if (r < 0)
		return r;
	r = next_id(set->ids, &id);
	if (r < 0)
		return r;
	held->fault.id = id;
	held->fault.rule.id = id;
	set->fault[set->count++] = TAKE_PTR(held);
	*ret_id = id;
	return 0;
}

/* ---- removing ---- */

typedef bool fault_is(const struct fault *fault, uint64_t what);

static bool has_id(const struct fault *fault, uint64_t id)
{
	return fault->id == id;
}

static bool has_expired(const struct fault *fault, uint64_t now_ns)
{
	return now_ns >= fault->deadline_ns;
}

static bool has_owner(const struct fault *fault, uint64_t owner)
{
	return fault->owner == owner;
}

static bool is_any(const struct fault *fault, uint64_t what)
{
	return true;
}

static size_t remove_if(struct faultset *set, fault_is *is, uint64_t what)
{
	size_t kept = 0, removed;

	for (size_t i = 0; i < set->count; i++) {
		if (is(&set->fault[i]->fault, what))
			held_fault_put(set->fault[i]);
		else
			set->fault[kept++] = set->fault[i];
	}
	removed = set->count - kept;
	set->count = kept;
	return removed;
}

int faultset_remove(struct faultset *set, uint32_t id)
{
	return remove_if(set, has_id, id) ? 0 : -ENOENT;
}

size_t faultset_remove_expired(struct faultset *set, uint64_t now_ns)
{
	return remove_if(set, has_expired, now_ns);
}

size_t faultset_remove_owner(struct faultset *set, uint64_t owner)
{
	return owner == FAULT_OWNER_NONE ? 0 : remove_if(set, has_owner, owner);
}

size_t faultset_remove_all(struct faultset *set)
{
	return remove_if(set, is_any, 0);
}

/* ---- looking ---- */

size_t faultset_count(const struct faultset *set)
{
	return set->count;
}

const struct fault *faultset_at(const struct faultset *set, size_t i)
{
	assert(i < set->count);
	return &set->fault[i]->fault;
}

const struct fault *faultset_find(const struct faultset *set, uint32_t id)
{
	for (size_t i = 0; i < set->count; i++)
		if (set->fault[i]->fault.id == id)
			return &set->fault[i]->fault;
	return NULL;
}

uint64_t faultset_next_deadline(const struct faultset *set)
{
	uint64_t next_ns = UINT64_MAX;

	for (size_t i = 0; i < set->count; i++)
		if (set->fault[i]->fault.deadline_ns < next_ns)
			next_ns = set->fault[i]->fault.deadline_ns;
	return next_ns;
}

/* ---- compiling ---- */

/* One rule on one link: what is sorted, before it is gathered into links. */
struct placed_rule {
	struct hf_link_key key;
	const struct hf_rule *rule;
};

/* A drop makes the others needless, and what is lost need not be delayed. */
static int rule_rank(const struct hf_rule *rule)
{
	if (rule->flags & HF_RULE_DROP)
		return 0;
	return rule->flags & HF_RULE_LOSS ? 1 : 2;
}

static int placed_rule_compare(const void *a, const void *b)
{
	const struct placed_rule *one = a, *other = b;
	int order = link_key_compare(&one->key, &other->key);

	if (order == 0)
		order = rule_rank(one->rule) - rule_rank(other->rule);
	if (order == 0)
		order = one->rule->id < other->rule->id ? -1 : one->rule->id > other->rule->id;
	return order;
}

static size_t count_placed(const struct faultset *set)
{
	size_t count = 0;

	for (size_t i = 0; i < set->count; i++)
		count += set->fault[i]->fault.links;
	return count;
}

static struct placed_rule *place_rules(const struct faultset *set, size_t count)
{
	struct placed_rule *placed = calloc(count, sizeof(*placed));
	size_t at = 0;

	if (!placed)
		return NULL;
	for (size_t i = 0; i < set->count; i++) {
		const struct fault *fault = &set->fault[i]->fault;

		for (size_t j = 0; j < fault->links; j++)
			placed[at++] = (struct placed_rule){ fault->link[j], &fault->rule };
	}
	qsort(placed, count, sizeof(*placed), placed_rule_compare);
	return placed;
}

static bool begins_link(const struct placed_rule *placed, size_t i)
{
	return i == 0 || link_key_compare(&placed[i - 1].key, &placed[i].key);
}

static size_t count_links(const struct placed_rule *placed, size_t count)
{
	size_t links = 0;

	for (size_t i = 0; i < count; i++)
		links += begins_link(placed, i);
	return links;
}

/* faultset_add() has seen to it that no link has more rules than it can. */
static void gather(const struct placed_rule *placed, size_t count, struct compiled_rule *rules)
{
	size_t first = 0; /* of its link */

	for (size_t i = 0; i < count; i++) {
		if (begins_link(placed, i))
			first = i;
		assert(i - first < HF_LINK_RULES_MAX);
		rules[i] = (struct compiled_rule){ placed[i].key, *placed[i].rule };
	}
}

int faultset_compile(const struct faultset *set, struct compiled_rule **ret_rules,
		     size_t *ret_count)
{
	_cleanup_(freep) struct compiled_rule *rules = NULL;
	_cleanup_(freep) struct placed_rule *placed = NULL;
	size_t count = count_placed(set);

	if (count == 0) {
		*ret_rules = NULL;
		*ret_count = 0;
		return 0;
	}
	placed = place_rules(set, count);
	if (!placed)
		return -ENOMEM;
	if (count_links(placed, count) > FAULTSET_LINKS_MAX)
		return -E2BIG;
	rules = calloc(count, sizeof(*rules));
	if (!rules)
		return -ENOMEM;
	gather(placed, count, rules);
	*ret_rules = TAKE_PTR(rules);
	*ret_count = count;
	return 0;
}
