/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * residue.h - what would outlive a killed owner: clsact filters and fq qdiscs. Written down before anything else is
 * done with a device, so that `clean` and the next owner can take away exactly that, and nothing else.
 *
 * TCX links, TAPs, maps and programs die with the process and need no note. What grace.h changes has one of its own.
 */
#ifndef HF_DAEMON_RESIDUE_H
#define HF_DAEMON_RESIDUE_H

#include <stdbool.h>
#include <stdint.h>

#include "link/programs.h"

/* What is now on the device, hook[CLSACT_HOOKS]; replaces an earlier note about it. Nothing is noted that dies with us. */
int residue_record(const struct netns *netns, uint32_t ifindex, const struct attachment *hook,
		   uint32_t fq_handle);
void residue_forget(const struct netns *netns, uint32_t ifindex);

struct residue_result {
	unsigned int filters; /* taken away */
	unsigned int clsacts;
	unsigned int fqs;
	unsigned int devices_gone; /* noted, and not there any more */
	bool knob; /* rcu_expedited was set by us */
};

/*
 * Takes away what the note says, and any filter with our handle and name whose owner is dead. Call it only while no owner
 * with this run directory lives; owners with others keep what is theirs.
 */
int residue_clean(struct residue_result *ret_result);

#endif
