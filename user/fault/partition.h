/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * partition.h - the text of a partition, and which links it cuts.
 *
 *     GROUP GROUP... [oneway] [net NAME] [for TIME] [seed N] [when up] [force]
 *     NAME...                 [net NAME] [for TIME] [seed N] [when up] [force]     with --grudge, see grudge.h
 *
 *   a,b c,d         a <-/-> c, a <-/-> d, b <-/-> c, b <-/-> d    (a and b still talk, c and d too)
 *   a,b c,d oneway  what a and b send to c and d is dropped; the way back stays open
 *
 * With more than two groups all pairs of groups are cut; oneway cuts only from the first group to the later ones,
 * which still talk among themselves.
 */
#ifndef HOPFAULT_FAULT_PARTITION_H
#define HOPFAULT_FAULT_PARTITION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "abi.h"
#include "fault/links.h"
#include "fault/rule_error.h"

struct partition_request {
	char **group; /* the first words of argv: names joined by commas, none of them empty */
	size_t groups; /* at least 1; partition_links() wants 2, a grudge joins them all */
	const char *network; /* on the veths of this network alone; NULL: of all */
	bool oneway;
	bool when_up; /* names that nobody has yet are waited for */
	bool force; /* also when it ends a connection that the caller works over */
	bool has_seed;
	uint64_t seed; /* for grudges; 0 without has_seed */
	uint64_t ttl_ns; /* 10 minutes unless said */
};

/*
 * argv: the words behind `partition`. With a grudge one group is enough and oneway is refused. 0, or -EINVAL with
 * *ret_error filled and *ret_request untouched.
 */
int partition_parse(int argc, char **argv, bool with_grudge, struct partition_request *ret_request,
		    struct rule_error *ret_error);

/* A group whose names have been resolved. */
struct partition_group {
	const uint32_t *endpoint; /* ids */
	size_t count;
};

/* Why it can't be done. The caller, who knows names, says it: "<reason> (<name of endpoint>, group <n>)". */
struct partition_error {
	const char *reason; /* a constant sentence */
	size_t group; /* from 0; the later of the two when two are concerned */
	uint32_t endpoint; /* HF_ENDPOINT_NONE when no single one is meant */
};

/*
 * The links between the groups. -EINVAL with *ret_error filled: fewer than two groups, an empty group, an endpoint
 * twice in a group or in two groups. -ENOMEM (ret_error->reason NULL).
 */
int partition_links(const struct partition_group *group, size_t groups, bool oneway,
		    struct links *ret_links, struct partition_error *ret_error);

/* What happens on each link of a partition: all is dropped (but ARP and neighbour discovery, see abi.h). */
struct hf_rule partition_rule(void);

#endif
