/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * change.h - every single change that could be made to a system, and what the whole would be after it.
 */
#ifndef HOPFAULT_AVAILABILITY_CHANGE_H
#define HOPFAULT_AVAILABILITY_CHANGE_H

#include "availability/system.h"

enum change_kind {
	CHANGE_REPLICA, /* one more replica of a service, or one more member of a group; as many needed as before */
	CHANGE_NINE, /* a tenth of the downtime, of each replica of a service or of a way */
	CHANGE_OPTIONAL, /* the caller answers without it */
	CHANGE_DROP, /* the caller does not call it at all */
};

struct change {
	enum change_kind kind;
	bool is_edge; /* of a call, else of a part */
	unsigned int index;
	bool is_known; /* else it would take more nodes than are allowed */
	struct chance whole; /* after it */
	double gain; /* of the whole's downtime, as a share of all time; 0 or more */
	uint64_t floor_ns; /* after it */
};

struct changes {
	unsigned int count;
	struct change *
		change; /* the largest gain first; of equals, what costs the user least, then by the file's order */
};

/* Changes that change nothing (gain 0, floor as before) are left out. 0 or -ENOMEM. */
int changes_find(const struct model *model, struct system *system, struct changes *ret_changes);
void changes_done(struct changes *changes);

/* "replica", "nine", "optional", "drop": for files. */
const char *change_word(enum change_kind kind);
/* "one more replica of auth (1 of 3)": for people. */
#define CHANGE_TEXT_MAX (MODEL_EDGE_TEXT_MAX + 2 * MODEL_NAME_MAX)
char *change_text(const struct model *model, const struct change *change,
		  char text[CHANGE_TEXT_MAX]);

/*
 * More replicas of services, each time the one that gains most, until the goal is met: for people who may not leave
 * anything out. Returns how many steps stand in ret_step (up to `max`), or -ENOMEM; *ret_reached is the whole after them.
 */
struct step {
	unsigned int part;
	unsigned int replicas; /* after it */
};
int changes_plan(const struct model *model, const struct system *system, struct step *ret_step,
		 unsigned int max, struct chance *ret_reached);

#endif
