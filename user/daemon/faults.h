/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * faults.h - what is asked of the network, put in force: all of a request or nothing of it.
 *
 *   names -> endpoints -> links -> candidate set -> attached -> engines ready -> counters -> flip -> live
 *
 * When something fails on the way, the live set and the live generation are what they were.
 */
#ifndef HF_DAEMON_FAULTS_H
#define HF_DAEMON_FAULTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "daemon/caller.h"
#include "daemon/managed.h"
#include "fault/faultset.h"
#include "fault/generation.h"
#include "fault/grudge.h"
#include "fault/partition.h"
#include "fault/rule.h"

#define FAULTS_ERROR_MAX 768
#define FAULTS_MEANT_MAX 512

struct faults;

struct faults_options {
	struct managed *managed;
	struct hold *hold; /* or NULL */
	struct generation_maps maps;
};

/* How a request came out. */
struct faults_result {
	uint32_t id; /* 0: a dry run */
	size_t links;
	uint64_t seed;
	char meant[FAULTS_MEANT_MAX]; /* what words stood for, when that was several; or "" */
	char notice[256]; /* a sentence that the user should read, or "" */
};

int faults_new(const struct faults_options *options, struct faults **ret_faults);
/* Heals everything first. */
void faults_free(struct faults *faults);

/* Whose requests come now: what would end a session of his is refused with -EPERM, unless it says force. */
void faults_use_caller(struct faults *faults, const struct caller *caller);

/*
 * 0 or -errno with a sentence in ret_error (FAULTS_ERROR_MAX, "" before): -EINVAL, -ENOENT, -ENOTUNIQ, -ESRCH, -EMEDIUMTYPE are
 * the user's mistake, anything else is ours or the kernel's. With dry_run nothing is attached or changed.
 */
int faults_add_rule(struct faults *faults, const struct rule_request *request, uint64_t owner,
		    bool dry_run, struct faults_result *ret_result, char *ret_error);
/* grudge NULL: between the groups. Else among all names; its isolated is taken from isolated_word. */
int faults_add_partition(struct faults *faults, const struct partition_request *request,
			 const struct grudge *grudge, const char *isolated_word, uint64_t owner,
			 bool dry_run, struct faults_result *ret_result, char *ret_error);

/* -ENOENT: no such fault. */
int faults_heal(struct faults *faults, uint32_t id);
int faults_heal_all(struct faults *faults);
int faults_heal_owner(struct faults *faults, uint64_t owner);
/* Removes what is past its deadline (and inert already). */
int faults_heal_expired(struct faults *faults);

const struct faultset *faults_live(const struct faults *faults);
int faults_counts(const struct faults *faults, uint32_t id, struct hf_rule_counts *ret_counts);

#endif
