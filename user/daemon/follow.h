/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * follow.h - endpoints that go and come again keep their id and their rules.
 *
 *     what is in force, who is where --update--> guard: whom to take new veths for (guard.h)
 *                                   \----------> seeker: whom to look for (seeker.h)
 *     found --> managed_found(): its programs on its new devices, the same id
 *
 * Followed is whoever is in a fault or in a trace. Of these, only who is cut from somebody is guarded.
 */
#ifndef HF_DAEMON_FOLLOW_H
#define HF_DAEMON_FOLLOW_H

#include "daemon/faults.h"
#include "daemon/guard.h"
#include "daemon/loop.h"
#include "daemon/managed.h"
#include "link/programs.h"

struct follow;

struct follow_options {
	struct programs *programs;
	struct loop *loop;
};

/* Starts the guard's and the seeker's threads, which have nothing to do yet. */
int follow_new(const struct follow_options *options, struct follow **ret_follow);
/* Lets go what is in quarantine; before managed_free(). NULL is fine. */
void follow_free(struct follow *follow);

struct guard *follow_guard(struct follow *follow);

/* Both are made after it, and must outlive it. */
int follow_begin(struct follow *follow, struct managed *managed, const struct faults *faults);

/* Faults, traces or endpoints may have changed. Cheap when they have not. */
void follow_update(struct follow *follow);

#endif
