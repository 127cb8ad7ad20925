/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * privileges.h - the owner gives up what it does not need, for good.
 */
#ifndef HF_DAEMON_PRIVILEGES_H
#define HF_DAEMON_PRIVILEGES_H

/*
 * From now on this process, and every thread that it starts, has only the capabilities that are named in privileges.c (of
 * these, those that it had), in every set, and no program that it may execute can have more. To be called before the first
 * thread. -EPERM: the kernel does not allow it; then nothing may be relied on.
 */
int privileges_drop(void);

#endif
