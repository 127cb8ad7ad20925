/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * tree.h - questions about a chain as a tree: who is whose parent, and how much of a call was injected
 * further down.
 */
#ifndef HOPFAULT_EXPORT_TREE_H
#define HOPFAULT_EXPORT_TREE_H

#include "trace/call.h"

#define TREE_NO_PARENT UINT32_MAX

/* The index of the call's parent, or TREE_NO_PARENT. */
unsigned int tree_parent(const struct chain *chain, unsigned int call);

/* 0 for a time that is not known: for sums. */
uint64_t tree_known(uint64_t ns);

/*
 * ret_below_ns[i]: of call i's time, what was injected into the calls that its service made meanwhile.
 * Calls side by side
 * count both, but never more than the time that the service waited for its own calls.
 */
void tree_injected_below(const struct chain *chain, uint64_t *ret_below_ns);

#endif
