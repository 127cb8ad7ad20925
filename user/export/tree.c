/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * tree.c - questions about a chain as a tree. A parent stands before its children, so one walk backwards
 * sums up.
 */
#include "export/tree.h"

unsigned int tree_parent(const struct chain *chain, unsigned int call)
{
	unsigned int i;

	for (i = call; i-- > 0;)
		if (chain->call[i].span_id == chain->call[call].parent_span_id)
			return i;
	return TREE_NO_PARENT;
}

uint64_t tree_known(uint64_t ns)
{
	return ns == TIME_UNKNOWN ? 0 : ns;
}

/* How long the service waited for its own calls: the most that can have been injected below. */
static uint64_t waited_below(const struct call *call)
{
	uint64_t app_ns = call->stage_ns[STAGE_SRV_APP];

	if (app_ns == TIME_UNKNOWN)
		return tree_known(call->total_ns);
	return app_ns -
	       (tree_known(call->srv_self_ns) < app_ns ? tree_known(call->srv_self_ns) : app_ns);
}

void tree_injected_below(const struct chain *chain, uint64_t *ret_below_ns)
{
	unsigned int i, parent;

	for (i = 0; i < chain->calls; i++)
		ret_below_ns[i] = 0;
	for (i = chain->calls; i-- > 0;) {
		const struct call *call = &chain->call[i];
		uint64_t most_ns = waited_below(call);

		if (ret_below_ns[i] > most_ns)
			ret_below_ns[i] = most_ns;
		parent = tree_parent(chain, i);
		if (parent != TREE_NO_PARENT)
			ret_below_ns[parent] += tree_known(call->injected_ns) +
						tree_known(call->inj_connect_ns) + ret_below_ns[i];
	}
}
