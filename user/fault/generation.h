/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * generation.h - from a compiled fault set to the maps that the programs read.
 *
 *     compiled rules --> a new inner map, filled --> one store into the slot: live on all links at once
 *
 * What a rule counts and rolls stands beside the rules under its id, and survives the flip.
 */
#ifndef HOPFAULT_FAULT_GENERATION_H
#define HOPFAULT_FAULT_GENERATION_H

#include <stddef.h>
#include <stdint.h>

#include "abi.h"
#include "fault/faultset.h"

struct generation_maps {
	int faultset_fd; /* owned by who loaded the programs */
	int counts_fd;
	int dice_fd;
};

/* Room for the rule's counters and dice; do it before the rule becomes live. */
int generation_admit(const struct generation_maps *maps, uint32_t rule_id);
void generation_dismiss(const struct generation_maps *maps, uint32_t rule_id);

/* A map of these rules, which can be put into the slot. *ret_fd is the caller's. -errno. */
int generation_make(const struct compiled_rule *rule, size_t rules, int *ret_fd);
/* Makes these rules, and no others, live. On failure what was live stays. */
int generation_flip(const struct generation_maps *maps, const struct compiled_rule *rule,
		    size_t rules);

/* -ENOENT: no such rule. */
int generation_counts(const struct generation_maps *maps, uint32_t rule_id,
		      struct hf_rule_counts *ret_counts);

/* The error's percentile, 0 < share <= 1, to 3 %; 0 when nothing was released. */
uint64_t generation_error_percentile(const struct hf_rule_counts *counts, double share);

#endif
