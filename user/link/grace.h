/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * grace.h - the kernel's grace periods, ended at once while a program is attached or a fault set is exchanged.
 *
 * Who attaches or detaches by TCX, or exchanges a map within a map, waits for an RCU grace period: three ticks of the
 * kernel's, 12 ms at 250 Hz, and the rtnl lock is held meanwhile. An expedited one interrupts the processors instead and takes
 * tens of microseconds: 100 devices in 5 ms and not in 1.2 s. /sys/kernel/rcu_expedited asks for it (kernel/ksysfs.c, and
 * rcupdate.rcu_expedited in Documentation/admin-guide/kernel-parameters.txt), for the whole machine, so it is set for one
 * such call at a time. The call may be longer, as it waits for the rtnl lock first.
 * Nothing is done where it is set already, where rcu_normal says that this machine must not be interrupted so, or where
 * /sys may not be written.
 *
 *   grace_hurry()  note: ours; knob: 1        killed in between: the watcher, a process that waits for our end
 *   the call                                  and nothing else, writes 0. Killed as well: the note stays, and the
 *   grace_ease()   knob: 0; note: done        next owner or `clean` does.
 */
#ifndef HF_LINK_GRACE_H
#define HF_LINK_GRACE_H

#include <stdbool.h>

/* Files, absolute. NULL: the kernel's own. */
struct grace_files {
	const char *note; /* one byte, ours to make */
	const char *knob;
	const char *normal;
};

/* By the kernel's own files. */
bool grace_can_hurry(void);

/*
 * Begins to watch. Once in a process, before it has threads; no child of it may outlive it with grace_hurry() in hand.
 * 0 also where there is nothing to hurry with; -errno: no note or no watcher could be made.
 */
int grace_start(const struct grace_files *files);
void grace_stop(void); /* with the note and the watcher */

/* In pairs, from any thread, nested or beside each other. Nothing before grace_start(). */
void grace_hurry(void);
void grace_ease(void);

/* Undoes what a killed process with this note has left, and takes the note away. 1: there was something. -errno. */
int grace_restore(const struct grace_files *files);

#endif
