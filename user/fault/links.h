/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * links.h - a growing list of directed links, for all that has to say "between whom".
 */
#ifndef HOPFAULT_FAULT_LINKS_H
#define HOPFAULT_FAULT_LINKS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "abi.h"

/* Start with `struct links links = {};`, end with links_done() (or _cleanup_(links_done)). */
struct links {
	struct hf_link_key *link;
	size_t count;
	size_t room;
};

void links_done(struct links *links); /* leaves it empty */

/* -EINVAL: a link from an endpoint to itself, or from or to HF_ENDPOINT_NONE. -ENOMEM. */
int links_add(struct links *links, uint32_t src, uint32_t dst);

/*
 * Every src to every dst, and every dst to every src with `both`. -EINVAL, with the endpoint in *ret_self (may be
 * NULL), when one stands on both sides: a fault from an endpoint to itself. -ENOMEM. On failure nothing was added.
 */
int links_add_between(struct links *links, const uint32_t *src, size_t srcs, const uint32_t *dst,
		      size_t dsts, bool both, uint32_t *ret_self);

/* By src, then dst; each once. */
void links_sort_unique(struct links *links);

/* Order of links: negative, 0 or positive, as memcmp. */
int link_key_compare(const struct hf_link_key *a, const struct hf_link_key *b);

/* Where it stands among these, which must be sorted; NULL: it does not. */
const struct hf_link_key *links_find(const struct hf_link_key *sorted, size_t count,
				     const struct hf_link_key *key);

#endif
