/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * judge.bpf.h - walk the rules of one link, in the live generation, and come to one judgement.
 *
 * A packet is judged when it is about to enter the receiver, and a packet that was held is judged again when it is
 * released: a partition that fell meanwhile is not crossed. The second judgement knows drop rules only, so no
 * packet rolls its dice twice.
 */
#ifndef HOPFAULT_JUDGE_BPF_H
#define HOPFAULT_JUDGE_BPF_H

#include "desk.bpf.h"
#include "error.h"
#include "fault.h"
#include "hash.h"
#include "maps.bpf.h"
#include "owner.bpf.h"

static __always_inline void add(__u64 *counter, __u64 amount)
{
	__sync_fetch_and_add(counter, amount); /* result unused: XADD, which 5.10 takes */
}

/*
 * The rules in force, NULL if there are none. To be fetched once for each packet: what is in the slot is replaced in one
 * store.
 */
static __always_inline void *live_generation(void)
{
	__u32 zero = 0;

	return bpf_map_lookup_elem(&faultset, &zero);
}

/* The walk over one link's rules, all of one generation. */
struct walk {
	void *generation; /* a map of rows */
	const struct hf_rule_row *here; /* NULL: no more */
};

static __always_inline const struct hf_rule_row *row_at(void *generation, __u32 number)
{
	return bpf_map_lookup_elem(generation, &number);
}

/* The first of a link's rules; NULL: it has none. */
static __always_inline const struct hf_rule_row *first_rule(void *generation,
							    const struct hf_link_key *link)
{
	const struct hf_rule_row *row = row_at(generation, 0);

	if (row)
		row = row_at(generation, 1 + hash_link(link, row->homes_mask));
	for (int i = 0; i < HF_HOME_LINKS_MAX && row; i++) {
		if (row->link.dst == link->dst && row->link.src == link->src)
			return row;
		row = row->other ? row_at(generation, row->other) : NULL;
	}
	return NULL;
}

static __always_inline struct walk walk_rules(const struct parties *who)
{
	struct walk walk = { .generation = live_generation() };

	if (walk.generation)
		walk.here =
			first_rule(walk.generation, &(struct hf_link_key){ who->src, who->dst });
	return walk;
}

/* To be called while there is a rule here. */
static __always_inline void walk_on(struct walk *walk)
{
	walk->here = walk->here->further ? row_at(walk->generation, walk->here->further) : NULL;
}

/* Counts the packets that matched a rule which rolls, from 0. */
static __always_inline __u64 next_roll(const struct hf_rule *rule)
{
	struct rule_dice *die;
	__u64 nth;

	if (!fault_rule_rolls(rule))
		return 0;
	die = bpf_map_lookup_elem(&dice, &rule->id);
	if (!die)
		return 0;
	bpf_spin_lock(&die->lock);
	nth = die->nth++;
	bpf_spin_unlock(&die->lock);
	return nth;
}

/* A rule has matched a packet: it drops it, or delays it by so much, or neither. By itself, as late_bucket() is. */
__noinline int count_decided(__u32 id, __u32 dropped, __u64 delay_ns, __u32 segments, __u64 now_ns)
{
	struct hf_rule_counts *count = bpf_map_lookup_elem(&counts, &id);

	if (!count)
		return 0;
	add(&count->matched, segments);
	if (!count->first_ns)
		count->first_ns = now_ns;
	if (dropped) {
		add(&count->dropped, segments);
		add(&count->skbs_dropped, 1);
	} else if (delay_ns) {
		add(&count->delayed, segments);
		add(&count->asked_ns, delay_ns);
	}
	return 0;
}

static __always_inline void name_rule(struct judgement *judgement, __u32 id)
{
	if (!judgement->rule_id[0])
		judgement->rule_id[0] = id;
	else if (!judgement->rule_id[1])
		judgement->rule_id[1] = id;
	else if (!judgement->rule_id[2])
		judgement->rule_id[2] = id;
	else if (!judgement->rule_id[3])
		judgement->rule_id[3] = id;
}

/*
 * What befalls the packet on the desk, which is about to go from one of its parties to the other: all rules that match
 * act, in their order; the first drop ends it; delays add up. The result is an enum hf_verdict. A rule that matches asks
 * for the time, and whether the owner lives: most packets meet none. By itself, see desk.bpf.h: inlined, it made the
 * verifier's work more than four times as long.
 */
__noinline int judge(void)
{
	const struct hf_config *owner = owner_word();
	struct desk *desk = desk_here();
	struct walk walk;

	if (!owner || !desk)
		return HF_VERDICT_PASS;
	walk = walk_rules(&desk->who);
	for (__u32 i = 0; i < HF_LINK_RULES_MAX && walk.here; i++, walk_on(&walk)) {
		const struct hf_rule *rule = &walk.here->rule;
		struct fault_outcome outcome;

		if (!fault_rule_matches(rule, &desk->packet))
			continue;
		if (!desk->decided_ns)
			desk->decided_ns = bpf_ktime_get_ns();
		if (lease_is_stale(owner, desk->decided_ns))
			break;
		if (!fault_rule_is_alive(rule, desk->decided_ns))
			continue;
		outcome = fault_decide(rule, next_roll(rule));
		count_decided(rule->id, outcome.dropped, outcome.delay_ns, desk->packet.segments,
			      desk->decided_ns);
		if (!outcome.dropped && !outcome.delay_ns)
			continue;
		name_rule(&desk->judgement, rule->id);
		if (outcome.dropped) {
			desk->judgement.delay_ns = 0;
			desk->judgement.verdict = HF_VERDICT_DROP;
			break;
		}
		desk->judgement.delay_ns += outcome.delay_ns;
		desk->judgement.verdict = HF_VERDICT_DELAY;
	}
	return desk->judgement.verdict;
}

#define HF_NEVER_DUE (~0ULL) /* of a packet that nobody has held */

static __always_inline void add_released(struct hf_rule_counts *count, __u64 error_ns, __u32 bucket)
{
	add(&count->released, 1);
	add(&count->error_sum_ns, error_ns);
	if (error_ns > count->error_max_ns)
		count->error_max_ns = error_ns;
	barrier_var(
		bucket); /* the check is the verifier's, so clang must not know that it was made before */
	if (bucket < HF_ERROR_BUCKETS)
		__sync_fetch_and_add(&count->error[bucket], 1);
}

static __always_inline void count_released(__u32 id, __u64 error_ns, __u32 bucket)
{
	struct hf_rule_counts *count = bpf_map_lookup_elem(&counts, &id);

	if (count)
		add_released(count, error_ns, bucket);
}

/*
 * Did this rule hold the packet, or was it added while others did? A rule that held it had matched by the time at
 * which it was decided; and that was no later than its due time less the least that the rule, and the older ones before
 * it in the walk, ask for. Without jitter that is exact.
 */
static __always_inline bool rule_has_held(const struct hf_rule_counts *count, __u64 least_ns,
					  __u64 due_ns)
{
	return count->first_ns && count->first_ns + least_ns <= due_ns;
}

/*
 * The bucket of its lateness; HF_ERROR_BUCKETS: let go before it was due, by a heal, which is no error of the engine's. A
 * function by itself, as the walk would be checked again for each bucket.
 */
__noinline __u32 late_bucket(__u64 due_ns, __u64 now_ns)
{
	return now_ns >= due_ns ? error_bucket(now_ns - due_ns) : HF_ERROR_BUCKETS;
}

/*
 * The packet on the desk was held until now: has it been cut off meanwhile? And how late is it? Rules that delay only
 * count, so the result, an enum hf_verdict, is pass or drop.
 */
__noinline int judge_again(__u64 due_ns, __u64 now_ns)
{
	struct desk *desk = desk_here();
	__u32 bucket = late_bucket(due_ns, now_ns);
	__u64 least_ns = 0;
	struct walk walk;

	if (!desk)
		return HF_VERDICT_PASS;
	walk = walk_rules(&desk->who);
	for (__u32 i = 0; i < HF_LINK_RULES_MAX && walk.here; i++, walk_on(&walk)) {
		const struct hf_rule *rule = &walk.here->rule;
		struct hf_rule_counts *count;

		if (!(rule->flags & (HF_RULE_DROP | HF_RULE_DELAY)) ||
		    !fault_rule_is_alive(rule, now_ns) || !fault_rule_matches(rule, &desk->packet))
			continue;
		if (rule->flags & HF_RULE_DROP) {
			count_decided(rule->id, 1, 0, desk->packet.segments, now_ns);
			name_rule(&desk->judgement, rule->id);
			desk->judgement.verdict = HF_VERDICT_DROP;
			break;
		}
		least_ns += rule->delay_ns - rule->jitter_ns;
		if (bucket >= HF_ERROR_BUCKETS)
			continue;
		count = bpf_map_lookup_elem(&counts, &rule->id);
		if (count && rule_has_held(count, least_ns, due_ns))
			add_released(count, now_ns - due_ns, bucket);
	}
	return desk->judgement.verdict;
}

/* The delay that was asked could not be given: said, never hidden. */
static __always_inline void count_undelayed(const struct judgement *judgement, __u32 segments)
{
	struct hf_rule_counts *count = bpf_map_lookup_elem(&counts, &judgement->rule_id[0]);
	struct hf_lost *here = lost_here();

	if (count)
		add(&count->undelayed, segments);
	if (here)
		here->held++;
}

#endif
