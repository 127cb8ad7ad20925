/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * order.c - depth-first search with a stack of its own (Cormen et al., Introduction to Algorithms, 3rd edition, 22.3 and
 * 22.4): a part is done when all that it needs is done; an edge back to one that is still on the stack closes a cycle.
 */
#include "availability/order.h"

#include <errno.h>
#include <stdlib.h>

enum { NEW, OPEN, DONE };

struct search {
	const struct model *model;
	unsigned char *state; /* of each part */
	unsigned int *stack, *next; /* open parts, and which of their needs comes next */
	unsigned int depth;
	unsigned int *order, ordered;
};

static unsigned int needs(const struct part *part)
{
	return part->is_group ? part->members : part->edges;
}

static unsigned int need_at(const struct model *model, const struct part *part, unsigned int i)
{
	return part->is_group ? part->member[i] : model->edge[part->edge + i].to;
}

static void push(struct search *search, unsigned int part)
{
	search->state[part] = OPEN;
	search->stack[search->depth] = part;
	search->next[search->depth++] = 0;
}

static void take_cycle(const struct search *search, unsigned int again, unsigned int *ret_cycle,
		       unsigned int *ret_length)
{
	unsigned int from = search->depth, length = 0;

	while (search->stack[from - 1] != again)
		from--;
	for (unsigned int i = from - 1; i < search->depth; i++)
		ret_cycle[length++] = search->stack[i];
	ret_cycle[length++] = again;
	*ret_length = length;
}

static int visit(struct search *search, unsigned int first, unsigned int *ret_cycle,
		 unsigned int *ret_length)
{
	push(search, first);
	while (search->depth) {
		unsigned int at = search->stack[search->depth - 1], to;
		const struct part *part = &search->model->part[at];

		if (search->next[search->depth - 1] == needs(part)) {
			search->state[at] = DONE;
			search->order[search->ordered++] = at;
			search->depth--;
			continue;
		}
		to = need_at(search->model, part, search->next[search->depth - 1]++);
		if (search->state[to] == OPEN) {
			take_cycle(search, to, ret_cycle, ret_length);
			return -ELOOP;
		}
		if (search->state[to] == NEW)
			push(search, to);
	}
	return 0;
}

int order_parts(struct model *model, unsigned int *ret_cycle, unsigned int *ret_length)
{
	_cleanup_(freep) unsigned char *state = calloc(model->parts + 1, 1);
	_cleanup_(freep) unsigned int *stack = calloc(model->parts + 1, sizeof(*stack));
	_cleanup_(freep) unsigned int *next = calloc(model->parts + 1, sizeof(*next));
	_cleanup_(freep) unsigned int *order = calloc(model->parts + 1, sizeof(*order));
	struct search search = { model, state, stack, next, 0, order, 0 };
	int r = 0;

	if (!state || !stack || !next || !order)
		return -ENOMEM;
	for (unsigned int i = 0; r == 0 && i < model->parts; i++)
		if (state[i] == NEW)
			r = visit(&search, i, ret_cycle, ret_length);
	if (r < 0)
		return r;
	free(model->order);
	model->order = TAKE_PTR(order);
	return 0;
}
