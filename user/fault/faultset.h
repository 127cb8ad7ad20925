/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * faultset.h - all faults that are in force together.
 *
 *     live set --clone--> candidate --add, remove--> compile --> maps filled, slot replaced --> faultset_replace()
 *                             \--- anything fails: faultset_free(candidate), and nothing has changed
 *
 * A fault is made once and never changes, so a clone shares the faults and copies only the list. Ids come from a
 * source outside the set and are not used again, even those of a candidate that was thrown away.
 * Knows no maps and no names; not for use by several threads at once.
 */
#ifndef HOPFAULT_FAULT_FAULTSET_H
#define HOPFAULT_FAULT_FAULTSET_H

#include <stddef.h>
#include <stdint.h>

#include "abi.h"
#include "base/cleanup.h"

#define FAULTSET_FAULTS_MAX 16384 /* maps.bpf.h: MAX_RULES */
#define FAULTSET_LINKS_MAX  16384

/* Where ids come from: one for the life of the daemon, starting as {}. The first id is 1. */
struct fault_ids {
	uint32_t last;
};

enum fault_kind { FAULT_RULE = 1, FAULT_PARTITION };

#define FAULT_OWNER_NONE 0 /* lives until it is healed or its time is over */

/* A fault that stands. Read only. */
struct fault {
	uint32_t id; /* from 1; also rule.id */
	enum fault_kind kind;
	const char *text; /* as it was asked for */
	const char *
		meant; /* what its words stood for, when that was several: "web is ..."; never NULL */
	struct hf_rule rule; /* with id and deadline_ns */
	const struct hf_link_key *link; /* sorted, each once */
	size_t links;
	uint64_t created_ns; /* CLOCK_MONOTONIC */
	uint64_t deadline_ns;
	uint64_t owner; /* a client's token, or FAULT_OWNER_NONE */
};

/* A fault that is wished for; everything in it is copied. */
struct fault_wish {
	enum fault_kind kind;
	const char *text;
	const char *meant; /* NULL: nothing to say */
	struct hf_rule rule; /* id and deadline_ns are filled in */
	const struct hf_link_key *link; /* in any order, doubles are merged */
	size_t links;
	uint64_t now_ns;
	uint64_t ttl_ns;
	uint64_t owner;
};

struct faultset;

/* NULL: no memory. `ids` must live as long as the set and its clones. */
struct faultset *faultset_new(struct fault_ids *ids);
struct faultset *faultset_clone(const struct faultset *set);
void faultset_free(struct faultset *set);
DEFINE_CLEANUP(struct faultset *, faultset_free)

/* The candidate becomes *live, which is freed; *candidate becomes NULL. */
void faultset_replace(struct faultset **live, struct faultset **candidate);

/*
 * 0 with the new id, or, with the set as it was:
 *   -ENOSPC  a link has HF_LINK_RULES_MAX rules already: *ret_full (may be NULL) says which
 *   -E2BIG   FAULTSET_FAULTS_MAX faults, or more than FAULTSET_LINKS_MAX links in this one
 *   -EINVAL  no link, a link to itself, no ttl, or now + ttl does not fit
 *   -EOVERFLOW  all ids are used up
 *   -ENOMEM
 */
int faultset_add(struct faultset *set, const struct fault_wish *wish, uint32_t *ret_id,
		 struct hf_link_key *ret_full);

int faultset_remove(struct faultset *set, uint32_t id); /* -ENOENT */
size_t faultset_remove_expired(struct faultset *set, uint64_t now_ns); /* returns how many went */
size_t faultset_remove_owner(struct faultset *set, uint64_t owner); /* FAULT_OWNER_NONE: nothing */
size_t faultset_remove_all(struct faultset *set);

/* In the order in which they were added, which is that of their ids. */
size_t faultset_count(const struct faultset *set);
const struct fault *faultset_at(const struct faultset *set, size_t i);
const struct fault *faultset_find(const struct faultset *set, uint32_t id); /* NULL: not there */

/* When the next fault expires; UINT64_MAX with an empty set. */
uint64_t faultset_next_deadline(const struct faultset *set);

/* A rule of one link, for the programs. Those of a link stand together. */
struct compiled_rule {
	struct hf_link_key link;
	struct hf_rule rule;
};

/*
 * One entry for each rule of each link, sorted by link; on each link drop stands before loss before delay, and
 * the older before the newer. free() the result (NULL for an empty set). -ENOMEM; -E2BIG: more than
 * FAULTSET_LINKS_MAX links in all.
 */
int faultset_compile(const struct faultset *set, struct compiled_rule **ret_rules,
		     size_t *ret_count);

#endif
