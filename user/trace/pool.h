/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * pool.h - equal pieces of memory, a bounded number of them, from a bounded budget.
 *
 * A piece that was given back stays mapped until pool_empty(), so a stale pointer may be read (and must then be
 * checked, by an id that never comes back) but not believed.
 */
#ifndef HOPFAULT_TRACE_POOL_H
#define HOPFAULT_TRACE_POOL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Bytes, shared by all that the tracer allocates. */
struct budget {
	size_t max;
	size_t used;
	size_t most;
};

/* true: the bytes are taken; false: they would be too many. */
bool budget_take(struct budget *budget, size_t bytes);
void budget_give(struct budget *budget, size_t bytes);

#define POOL_ALIGN 64 /* a line of memory: what is used together is to lie in few of them */

struct pool {
	struct budget *budget;
	size_t piece; /* bytes */
	size_t cleared;
	unsigned int max;
	unsigned int used;
	void *free; /* first of a list */
	void *blocks; /* what to free in the end */
};

/* A new piece has `cleared` bytes, from its beginning, that are 0. */
void pool_init(struct pool *pool, struct budget *budget, size_t piece, size_t cleared,
	       unsigned int max);
/* NULL: too many, over the budget, or no memory. */
void *pool_get(struct pool *pool);
void pool_put(struct pool *pool, void *piece);
/* Frees all pieces, those in use too. */
void pool_empty(struct pool *pool);

#endif
