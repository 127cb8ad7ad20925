/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * faults.c - see faults.h.
 */
#include "daemon/faults.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "fault/quarantine.h"

struct faults {
	struct faults_options with;
	struct fault_ids ids;
	struct faultset *live;
};

static uint64_t random_seed(void)
{
	uint32_t seed = 0;

	if (getrandom(&seed, sizeof(seed), 0) != sizeof(seed))
		seed = (uint32_t)clock_now_ns();
	return seed; /* short enough to be typed again */
}

/* ---- names ---- */

struct ids {
	uint32_t *id;
	size_t count;
};

static void ids_done(struct ids *ids)
{
	free(ids->id);
	*ids = (struct ids){};
}

static int ids_add(struct ids *ids, uint32_t id)
{
	uint32_t *more = realloc(ids->id, (ids->count + 1) * sizeof(*more));

	if (!more)
		return -ENOMEM;
	ids->id = more;
	ids->id[ids->count++] = id;
	return 0;
}

/* Nobody is called so now, as far as anybody knows. */
static bool may_come(int r)
{
	return r == -ENOENT || r == -EHOSTDOWN || r == -ESRCH || r == -ENXIO || r == -ECONNREFUSED;
}

static int resolve_one(struct faults *faults, const char *word, bool when_up, uint32_t *ret_id,
		       char *ret_error)
{
	const struct managed_endpoint *endpoint;
	int r;

	r = managed_take(faults->with.managed, word, &endpoint, ret_error);
	if (when_up && may_come(r)) {
		ret_error[0] = '\0';
		r = managed_await(faults->with.managed, word, &endpoint, ret_error);
	}
	if (r < 0)
		return r;
	*ret_id = endpoint->id;
	return 0;
}

/* A comma list; the parser has seen to it that no name in it is empty. */
static int resolve_list(struct faults *faults, const char *list, bool when_up, struct ids *ret_ids,
			char *ret_error)
{
	_cleanup_(freep) char *copy = strdup(list);
	char *at = NULL;
	uint32_t id;
	int r = copy ? 0 : -ENOMEM;

	for (char *word = copy ? strtok_r(copy, ",", &at) : NULL; word && r >= 0;
	     word = strtok_r(NULL, ",", &at)) {
		r = resolve_one(faults, word, when_up, &id, ret_error);
		if (r >= 0)
			r = ids_add(ret_ids, id);
	}
	return r;
}

/* ---- putting a set in force ---- */

/* May be called from the engine's thread: the set does not change while hold_flush() waits. */
static bool rule_is_alive(void *ctx, uint32_t rule_id)
{
	return faultset_find(ctx, rule_id) != NULL;
}

static int make_live(struct faults *faults, struct faultset **candidate)
{
	_cleanup_(freep) struct compiled_rule *rules = NULL;
	size_t count;
	int r;

	r = faultset_compile(*candidate, &rules, &count);
	if (r >= 0)
		r = quarantine_compile(*candidate, &rules, &count);
	if (r >= 0)
		r = generation_flip(&faults->with.maps, rules, count);
	if (r >= 0)
		faultset_replace(&faults->live, candidate);
	return r;
}

/* Counters of what is no longer in force, and packets that were held for it, are let go. */
static void after_heal(struct faults *faults, const struct faultset *before)
{
	if (faults->with.hold)
		hold_flush(faults->with.hold, rule_is_alive, faults->live);
	for (size_t i = 0; i < faultset_count(before); i++) {
		uint32_t id = faultset_at(before, i)->id;

		if (!faultset_find(faults->live, id))
			generation_dismiss(&faults->with.maps, id);
	}
}

static int ready_receivers(struct faults *faults, const struct fault *fault, uint64_t delay_ns,
			   char *ret_notice)
{
	int r = 0;

	for (size_t i = 0; i < fault->links && r >= 0; i++)
		r = managed_ready_to_delay(faults->with.managed, fault->link[i].dst, delay_ns,
					   ret_notice);
	return r;
}

/*
 * The engines of all receivers must be able to hold as long as all delays together. Of all, not of the new fault's alone:
 * an endpoint that went and came again has devices that know no engine yet.
 */
static int ready_engines(struct faults *faults, const struct faultset *candidate, char *ret_notice)
{
	const struct fault *fault;
	uint64_t delay_ns = 0;
	int r = 0;

	for (size_t i = 0; i < faultset_count(candidate); i++) {
		fault = faultset_at(candidate, i);
		delay_ns += fault->rule.delay_ns + fault->rule.jitter_ns;
	}
	for (size_t i = 0; i < faultset_count(candidate) && r >= 0; i++) {
		fault = faultset_at(candidate, i);
		if (fault->rule.flags & HF_RULE_DELAY)
			r = ready_receivers(faults, fault, delay_ns, ret_notice);
	}
	return r;
}

/* Endpoints that were attached for a request that may still fail. */
static void detach_new(struct faults *faults, const struct ids *attached)
{
	for (size_t i = 0; i < attached->count; i++)
		managed_detach(faults->with.managed, attached->id[i]);
}

static int attach_one(struct faults *faults, uint32_t id, struct ids *attached, char *ret_error)
{
	bool is_new;
	int r = managed_attach(faults->with.managed, id, &is_new, ret_error);

	return r >= 0 && is_new ? ids_add(attached, id) : r;
}

/* Both ends: the receiver's egress judges, and the sender is known by its device. */
static int attach_ends(struct faults *faults, const struct fault_wish *wish, struct ids *attached,
		       char *ret_error)
{
	int r = 0;

	for (size_t i = 0; i < wish->links && r >= 0; i++) {
		r = attach_one(faults, wish->link[i].src, attached, ret_error);
		if (r >= 0)
			r = attach_one(faults, wish->link[i].dst, attached, ret_error);
	}
	return r;
}

static const char *wish_hint(int r)
{
	if (r == -EOPNOTSUPP)
		return "this kernel has neither sch_fq nor TUN/TAP, so nothing can hold a packet: "
		       "loss, drop and partition work (see: hopfault check)";
	if (r == -E2BIG)
		return "too many links";
	return strerror(-r);
}

static int tell_full(struct faults *faults, const struct hf_link_key *full, char *ret_error)
{
	snprintf(ret_error, FAULTS_ERROR_MAX,
		 "%s -> %s has %d rules already, and no link takes more",
		 managed_name(faults->with.managed, full->src),
		 managed_name(faults->with.managed, full->dst), HF_LINK_RULES_MAX);
	return -ENOSPC;
}

/* The candidate becomes what is in force. */
static int impose(struct faults *faults, struct faultset **candidate, struct faults_result *result)
{
	int r;

	r = ready_engines(faults, *candidate, result->notice);
	if (r >= 0)
		r = generation_admit(&faults->with.maps, result->id);
	if (r < 0)
		return r;
	r = make_live(faults, candidate);
	if (r < 0)
		generation_dismiss(&faults->with.maps, result->id);
	return r;
}

static int add_wish(struct faults *faults, const struct fault_wish *wish, bool dry_run,
		    struct faults_result *ret_result, char *ret_error)
{
	_cleanup_(faultset_freep) struct faultset *candidate = NULL;
	_cleanup_(ids_done) struct ids attached = {};
	struct faults_result result = { .links = wish->links, .seed = wish->rule.seed };
	struct hf_link_key full;
	int r;

	r = faults_heal_expired(faults); /* they would take a living rule's place on the link */
	if (r >= 0)
		candidate = faultset_clone(faults->live);
	if (!candidate)
		return -ENOMEM;
	r = faultset_add(candidate, wish, &result.id, &full);
	if (r == -ENOSPC)
		return tell_full(faults, &full, ret_error);
	if (r >= 0 && dry_run) {
		result.id = 0;
		*ret_result = result;
		return 0;
	}
	if (r >= 0)
		r = attach_ends(faults, wish, &attached, ret_error);
	if (r >= 0)
		r = impose(faults, &candidate, &result);
	if (r < 0) {
		detach_new(faults, &attached);
		if (!ret_error[0])
			snprintf(ret_error, FAULTS_ERROR_MAX, "the fault was not applied: %s",
				 wish_hint(r));
		return r;
	}
	*ret_result = result;
	return 0;
}

/* ---- requests ---- */

int faults_add_rule(struct faults *faults, const struct rule_request *request, uint64_t owner,
		    bool dry_run, struct faults_result *ret_result, char *ret_error)
{
	_cleanup_(links_done) struct links links = {};
	_cleanup_(ids_done) struct ids src = {}, dst = {};
	struct rule_request asked = *request;
	char text[512];
	uint32_t self;
	int r;

	r = resolve_list(faults, request->src, request->when_up, &src, ret_error);
	if (r >= 0)
		r = resolve_list(faults, request->dst, request->when_up, &dst, ret_error);
	if (r < 0)
		return r;
	r = links_add_between(&links, src.id, src.count, dst.id, dst.count, request->both, &self);
	if (r == -EINVAL)
		snprintf(ret_error, FAULTS_ERROR_MAX,
			 "%s is on both sides: a rule from a service to itself touches no link",
			 managed_name(faults->with.managed, self));
	if (r < 0)
		return r;
	links_sort_unique(&links);
	if (!asked.has_seed)
		asked.rule.seed = random_seed();
	rule_format(&asked, text, sizeof(text));
	return add_wish(faults,
			&(struct fault_wish){
				.kind = FAULT_RULE,
				.text = text,
				.rule = asked.rule,
				.link = links.link,
				.links = links.count,
				.now_ns = clock_now_ns(),
				.ttl_ns = request->ttl_ns,
				.owner = owner,
			},
			dry_run, ret_result, ret_error);
}

static int groups_links(struct faults *faults, const struct partition_request *request,
			const struct ids *ids, struct links *ret_links, char *ret_error)
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
			 struct grudge grudge, const char *isolated_word, const struct ids *ids,
			 struct links *ret_links, char *ret_error)
{
	_cleanup_(ids_done) struct ids all = {};
	const char *reason = NULL;
	int r = 0;

	for (size_t i = 0; i < request->groups; i++)
		for (size_t k = 0; k < ids[i].count && r >= 0; k++)
			r = ids_add(&all, ids[i].id[k]);
	if (r >= 0 && isolated_word)
		r = resolve_one(faults, isolated_word, request->when_up, &grudge.isolated,
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
		used = (size_t)snprintf(text, size, "--grudge %s ", grudge_words[grudge->kind]);
	for (size_t i = 0; i < request->groups && used < size; i++)
		used += (size_t)snprintf(text + used, size - used, "%s%s", i ? " " : "",
					 request->group[i]);
	if (request->oneway && used < size)
		used += (size_t)snprintf(text + used, size - used, " oneway");
	if (request->when_up && used < size)
		snprintf(text + used, size - used, " when up");
}

static int partition_wish(struct faults *faults, const struct partition_request *request,
			  const struct grudge *grudge, const char *isolated_word,
			  const struct ids *ids, struct links *ret_links, char *ret_error)
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
	_cleanup_(freep) struct ids *ids = calloc(request->groups, sizeof(*ids));
	_cleanup_(links_done) struct links links = {};
	struct grudge seeded = grudge ? *grudge : (struct grudge){};
	struct hf_rule rule = partition_rule();
	char text[512];
	int r = ids ? 0 : -ENOMEM;

	rule.seed = request->has_seed ? request->seed : random_seed();
	seeded.seed = rule.seed;
	for (size_t i = 0; i < request->groups && r >= 0; i++)
		r = resolve_list(faults, request->group[i], request->when_up, &ids[i], ret_error);
	if (r >= 0)
		r = partition_wish(faults, request, grudge ? &seeded : NULL, isolated_word, ids,
				   &links, ret_error);
	for (size_t i = 0; ids && i < request->groups; i++)
		ids_done(&ids[i]);
	if (r < 0)
		return r;
	partition_text(request, grudge, text, sizeof(text));
	return add_wish(faults,
			&(struct fault_wish){
				.kind = FAULT_PARTITION,
				.text = text,
				.rule = rule,
				.link = links.link,
				.links = links.count,
				.now_ns = clock_now_ns(),
				.ttl_ns = request->ttl_ns,
				.owner = owner,
			},
			dry_run, ret_result, ret_error);
}

/* ---- healing ---- */

/* The candidate is the live set with something removed. */
static int heal_to(struct faults *faults, struct faultset **candidate)
{
	_cleanup_(faultset_freep) struct faultset *before = faultset_clone(faults->live);
	int r;

	if (!before)
		return -ENOMEM;
	r = make_live(faults, candidate);
	if (r >= 0)
		after_heal(faults, before);
	return r;
}

int faults_heal(struct faults *faults, uint32_t id)
{
	_cleanup_(faultset_freep) struct faultset *candidate = faultset_clone(faults->live);
	int r;

	if (!candidate)
		return -ENOMEM;
	r = faultset_remove(candidate, id);
	return r < 0 ? r : heal_to(faults, &candidate);
}

int faults_heal_all(struct faults *faults)
{
	_cleanup_(faultset_freep) struct faultset *candidate = faultset_clone(faults->live);

	if (!candidate)
		return -ENOMEM;
	return faultset_remove_all(candidate) ? heal_to(faults, &candidate) : 0;
}

int faults_heal_owner(struct faults *faults, uint64_t owner)
{
	_cleanup_(faultset_freep) struct faultset *candidate = faultset_clone(faults->live);

	if (!candidate)
		return -ENOMEM;
	return faultset_remove_owner(candidate, owner) ? heal_to(faults, &candidate) : 0;
}

int faults_heal_expired(struct faults *faults)
{
	_cleanup_(faultset_freep) struct faultset *candidate = NULL;

	if (faultset_next_deadline(faults->live) > clock_now_ns())
		return 0;
	candidate = faultset_clone(faults->live);
	if (!candidate)
		return -ENOMEM;
	faultset_remove_expired(candidate, clock_now_ns());
	return heal_to(faults, &candidate);
}

/* ---- life ---- */

const struct faultset *faults_live(const struct faults *faults)
{
	return faults->live;
}

int faults_counts(const struct faults *faults, uint32_t id, struct hf_rule_counts *ret_counts)
{
	return generation_counts(&faults->with.maps, id, ret_counts);
}

int faults_new(const struct faults_options *options, struct faults **ret_faults)
{
	struct faults *faults = calloc(1, sizeof(*faults));

	if (!faults)
		return -ENOMEM;
	faults->with = *options;
	faults->live = faultset_new(&faults->ids);
	if (!faults->live) {
		free(faults);
		return -ENOMEM;
	}
	*ret_faults = faults;
	return 0;
}

void faults_free(struct faults *faults)
{
	if (!faults)
		return;
	faults_heal_all(faults);
	faultset_free(faults->live);
	free(faults);
}
