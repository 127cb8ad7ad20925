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

#define MEANT_NAMES 3 /* of what one word meant, at least, are said by name */

struct faults {
	struct faults_options with;
	struct fault_ids ids;
	struct faultset *live;
	struct caller caller;
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
	bool has_many; /* one of the words meant several: then somebody may be in twice, and is no mistake */
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

static bool ids_have(const struct ids *ids, uint32_t id)
{
	for (size_t i = 0; i < ids->count; i++)
		if (ids->id[i] == id)
			return true;
	return false;
}

static void ids_make_unique(struct ids *ids)
{
	struct ids kept = { .id = ids->id };

	for (size_t i = 0; i < ids->count; i++)
		if (!ids_have(&kept, ids->id[i]))
			kept.id[kept.count++] = ids->id[i];
	ids->count = kept.count;
}

/* "web: 5 endpoints (web-1, web-2, web-3 and 2 more)" is added to what was said of other words. */
static void note_meaning(const struct faults *faults, const char *word, const uint32_t *id,
			 size_t count, char *meant)
{
	size_t shown = count > MEANT_NAMES + 1 ? MEANT_NAMES : count, used = strlen(meant);
	char one[FAULTS_MEANT_MAX], *at = one, *end = one + sizeof(one);

	at += snprintf(at, (size_t)(end - at), "%s%.127s: %zu endpoints (", used ? "; " : "", word,
		       count);
	for (size_t i = 0; i < shown; i++)
		at += snprintf(at, (size_t)(end - at), "%s%.80s", i ? ", " : "",
			       managed_name(faults->with.managed, id[i]));
	if (shown < count)
		at += snprintf(at, (size_t)(end - at), " and %zu more", count - shown);
	snprintf(at, (size_t)(end - at), ")");
	if (used + strlen(one) < FAULTS_MEANT_MAX && !strstr(meant, one))
		strcpy(meant + used, one);
}

/* Nobody is called so now, as far as anybody knows. */
static bool may_come(int r)
{
	return r == -ENOENT || r == -EHOSTDOWN || r == -ESRCH || r == -ENXIO || r == -ECONNREFUSED;
}

static int await(struct faults *faults, const char *word, uint32_t *ret_id, char *ret_error)
{
	const struct managed_endpoint *endpoint;
	int r;

	ret_error[0] = '\0';
	r = managed_await(faults->with.managed, word, &endpoint, ret_error);
	if (r < 0)
		return r;
	*ret_id = endpoint->id;
	return 0;
}

static int resolve_one(struct faults *faults, const char *word, bool when_up, uint32_t *ret_id,
		       char *ret_error)
{
	const struct managed_endpoint *endpoint;
	int r;

	r = managed_take(faults->with.managed, word, &endpoint, ret_error);
	if (when_up && may_come(r))
		return await(faults, word, ret_id, ret_error);
	if (r < 0)
		return r;
	*ret_id = endpoint->id;
	return 0;
}

/* `host` and `world` stand for no endpoint that has a device; 0: it is neither. */
static uint32_t reserved_id(const char *word)
{
	static const uint32_t reserved[] = { HF_ENDPOINT_HOST, HF_ENDPOINT_WORLD };

	for (size_t i = 0; i < ARRAY_SIZE(reserved); i++)
		if (strcmp(word, endpoint_reserved_name(reserved[i])) == 0)
			return reserved[i];
	return HF_ENDPOINT_NONE;
}

static bool is_outside(uint32_t id)
{
	return id == HF_ENDPOINT_HOST || id == HF_ENDPOINT_WORLD;
}

/* What it means now; when it means nobody and is to be waited for, whoever it will mean. */
static int resolve_word(struct faults *faults, const char *word, bool when_up, struct ids *ids,
			char *meant, char *ret_error)
{
	_cleanup_(freep) uint32_t *id = NULL;
	uint32_t awaited;
	size_t count = 0;
	int r;

	if (reserved_id(word))
		return ids_add(ids, reserved_id(word));
	r = managed_take_all(faults->with.managed, word, &id, &count, ret_error);
	if (when_up && may_come(r)) {
		r = await(faults, word, &awaited, ret_error);
		return r < 0 ? r : ids_add(ids, awaited);
	}
	for (size_t i = 0; i < count && r >= 0; i++)
		r = ids_add(ids, id[i]);
	if (r < 0 || count < 2)
		return r;
	ids->has_many = true;
	note_meaning(faults, word, id, count, meant);
	return 0;
}

/* A comma list; the parser has seen to it that no name in it is empty. What words meant is added to meant. */
static int resolve_list(struct faults *faults, const char *list, bool when_up, struct ids *ret_ids,
			char *meant, char *ret_error)
{
	_cleanup_(freep) char *copy = strdup(list);
	char *at = NULL;
	int r = copy ? 0 : -ENOMEM;

	for (char *word = copy ? strtok_r(copy, ",", &at) : NULL; word && r >= 0;
	     word = strtok_r(NULL, ",", &at))
		r = resolve_word(faults, word, when_up, ret_ids, meant, ret_error);
	if (r >= 0 && ret_ids->has_many)
		ids_make_unique(ret_ids);
	return r;
}

/* ---- putting a set in force ---- */

/* May be called from the engine's thread: the set does not change while hold_flush() waits. */
static bool rule_is_alive(void *ctx, uint32_t rule_id)
{
	return faultset_find(ctx, rule_id) != NULL;
}

static bool names_outside(const struct faultset *set)
{
	for (size_t i = 0; i < faultset_count(set); i++)
		for (size_t k = 0; k < faultset_at(set, i)->links; k++)
			if (is_outside(faultset_at(set, i)->link[k].src) ||
			    is_outside(faultset_at(set, i)->link[k].dst))
				return true;
	return false;
}

/* Is it judged where it leaves its sender? An endpoint that is not there may come with an interface of any kind. */
static bool is_outward(const struct faults *faults, uint32_t dst)
{
	const struct managed *managed = faults->with.managed;

	return is_outside(dst) || managed_has(managed, dst, true) ||
	       !managed_has(managed, dst, false);
}

/* By the place in managed: is there a link from it that is judged where it leaves? NULL: no memory. */
static bool *collect_outward(const struct faults *faults, const struct faultset *set)
{
	size_t count = managed_count(faults->with.managed);
	bool *outward = calloc(count + 1, sizeof(*outward));

	for (size_t i = 0; outward && i < faultset_count(set); i++)
		for (size_t k = 0; k < faultset_at(set, i)->links; k++) {
			const struct hf_link_key *link = &faultset_at(set, i)->link[k];
			size_t at = managed_place(faults->with.managed, link->src);

			if (at < count && !outward[at])
				outward[at] = is_outward(faults, link->dst);
		}
	return outward;
}

/* What leaves an endpoint is looked at while there are rules for it: begin before they are live, end after they have gone. */
static int look_outward(struct faults *faults, const struct faultset *set, bool begin)
{
	_cleanup_(freep) bool *outward = collect_outward(faults, set);
	struct managed *managed = faults->with.managed;
	bool names = names_outside(set);
	int r = names || !begin ? managed_know_outside(managed, names) : 0;

	if (!outward)
		return -ENOMEM;
	for (size_t i = 0; i < managed_count(managed) && r >= 0; i++)
		if (managed_at(managed, i)->outward != outward[i] && outward[i] == begin)
			r = managed_set_outward(managed, managed_at(managed, i)->id, begin);
	return r;
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
		r = look_outward(faults, *candidate, true);
	if (r >= 0)
		r = generation_flip(&faults->with.maps, rules, count);
	if (r >= 0)
		faultset_replace(&faults->live, candidate);
	look_outward(faults, faults->live, false); /* also back to what it was, when it failed */
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

/*
 * Held where it enters its receiver; where there is no device for that (the host, the world, inside an endpoint), where it
 * leaves its sender.
 */
static int ready_links(struct faults *faults, const struct fault *fault, uint64_t delay_ns,
		       char *ret_notice)
{
	int r = 0;

	for (size_t i = 0; i < fault->links && r >= 0; i++) {
		const struct hf_link_key *link = &fault->link[i];

		if (is_outward(faults, link->dst) && !is_outside(link->src))
			r = managed_ready_to_delay_outward(faults->with.managed, link->src,
							   ret_notice);
		if (r >= 0 && !is_outside(link->dst))
			r = managed_ready_to_delay(faults->with.managed, link->dst, delay_ns,
						   ret_notice);
	}
	return r;
}

/*
 * The engines of all links must be able to hold as long as all delays together. Of all, not of the new fault's alone:
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
			r = ready_links(faults, fault, delay_ns, ret_notice);
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
	if (r == -ENXIO)
		return "towards the host and the world the hold engine alone can delay, and this "
		       "kernel has no TUN/TAP for it: loss, drop and partition work";
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

/* Where a fault can't act is said, not passed over. */
static void note_left_out(struct faults *faults, const struct fault_wish *wish,
			  struct faults_result *result)
{
	const struct managed_endpoint *endpoint;

	for (size_t i = 0; i < 2 * wish->links && !result->notice[0]; i++) {
		endpoint = managed_find(faults->with.managed,
					i % 2 ? wish->link[i / 2].dst : wish->link[i / 2].src);
		if (endpoint && endpoint->left_out[0] && !wish->rule.network)
			snprintf(result->notice, sizeof(result->notice),
				 "of %.80s, %s: the fault does not act there", endpoint->name,
				 endpoint->left_out);
	}
}

static int check_caller(struct faults *faults, const struct fault_wish *wish, char *ret_error)
{
	return caller_check(&faults->caller, faults->with.managed, faults->live, wish, ret_error,
			    FAULTS_ERROR_MAX);
}

static int add_wish(struct faults *faults, const struct fault_wish *wish, bool force, bool dry_run,
		    struct faults_result *ret_result, char *ret_error)
{
	_cleanup_(faultset_freep) struct faultset *candidate = NULL;
	_cleanup_(ids_done) struct ids attached = {};
	struct faults_result result = { .links = wish->links, .seed = wish->rule.seed };
	struct hf_link_key full;
	int r;

	r = force ? 0 : check_caller(faults, wish, ret_error);
	if (r < 0)
		return r;
	r = faults_heal_expired(faults); /* they would take a living rule's place on the link */
	if (r >= 0)
		candidate = faultset_clone(faults->live);
	if (!candidate)
		return -ENOMEM;
	r = faultset_add(candidate, wish, &result.id, &full);
	if (r == -ENOSPC)
		return tell_full(faults, &full, ret_error);
	snprintf(result.meant, sizeof(result.meant), "%s", wish->meant);
	note_left_out(faults, wish, &result);
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

	if (!is_outside(link->dst))
		return 0;
	if (is_outside(link->src))
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

		if (is_outside(id) || managed_is_absent(faults->with.managed, id))
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
	_cleanup_(ids_done) struct ids src = {}, dst = {};
	struct rule_request asked = *request;
	char text[512], meant[FAULTS_MEANT_MAX] = "";
	uint32_t self;
	int r;

	r = resolve_list(faults, request->src, request->when_up, &src, meant, ret_error);
	if (r >= 0)
		r = resolve_list(faults, request->dst, request->when_up, &dst, meant, ret_error);
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
	return add_wish(faults,
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
	char text[512], meant[FAULTS_MEANT_MAX] = "";
	int r = ids ? 0 : -ENOMEM;

	rule.seed = request->has_seed ? request->seed : random_seed();
	seeded.seed = rule.seed;
	for (size_t i = 0; i < request->groups && r >= 0; i++)
		r = resolve_list(faults, request->group[i], request->when_up, &ids[i], meant,
				 ret_error);
	if (r >= 0)
		r = partition_wish(faults, request, grudge ? &seeded : NULL, isolated_word, ids,
				   &links, ret_error);
	if (r >= 0)
		r = check_links(faults, &rule, &links, ret_error);
	if (r >= 0)
		r = find_network(faults, request->network, &links, &rule.network, ret_error);
	for (size_t i = 0; ids && i < request->groups; i++)
		ids_done(&ids[i]);
	if (r < 0)
		return r;
	partition_text(request, grudge, text, sizeof(text));
	return add_wish(faults,
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

void faults_use_caller(struct faults *faults, const struct caller *caller)
{
	faults->caller = *caller;
}

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
