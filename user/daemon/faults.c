/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * faults.c - see faults.h. A set of faults comes into force, and goes.
 */
#include "daemon/faults_parts.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "fault/quarantine.h"

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
			if (faults_is_outside(faultset_at(set, i)->link[k].src) ||
			    faults_is_outside(faultset_at(set, i)->link[k].dst))
				return true;
	return false;
}

/* Is it judged where it leaves its sender? An endpoint that is not there may come with an interface of any kind. */
static bool is_outward(const struct faults *faults, uint32_t dst)
{
	const struct managed *managed = faults->with.managed;

	return faults_is_outside(dst) || managed_has(managed, dst, true) ||
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

		if (is_outward(faults, link->dst) && !faults_is_outside(link->src))
			r = managed_ready_to_delay_outward(faults->with.managed, link->src,
							   ret_notice);
		if (r >= 0 && !faults_is_outside(link->dst))
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
static void detach_new(struct faults *faults, const struct faults_ids *attached)
{
	for (size_t i = 0; i < attached->count; i++)
		managed_detach(faults->with.managed, attached->id[i]);
}

static int attach_one(struct faults *faults, uint32_t id, struct faults_ids *attached,
		      char *ret_error)
{
	bool is_new;
	int r = managed_attach(faults->with.managed, id, &is_new, ret_error);

	return r >= 0 && is_new ? faults_ids_add(attached, id) : r;
}

/* Both ends: the receiver's egress judges, and the sender is known by its device. */
static int attach_ends(struct faults *faults, const struct fault_wish *wish,
		       struct faults_ids *attached, char *ret_error)
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

int faults_add_wish(struct faults *faults, const struct fault_wish *wish, bool force, bool dry_run,
		    struct faults_result *ret_result, char *ret_error)
{
	_cleanup_(faultset_freep) struct faultset *candidate = NULL;
	_cleanup_(faults_ids_done) struct faults_ids attached = {};
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
