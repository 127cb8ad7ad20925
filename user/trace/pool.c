/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * pool.c - equal pieces of memory in blocks, kept in a free list. Never gives a block back before the end.
 */
#include <stdlib.h>
#include <string.h>

#include "trace/pool.h"

#define BLOCK_PIECES 32

/* A free piece, after the piece's own id (see pool.h): its first word is not touched. */
struct link {
	uint64_t id;
	struct link *next;
};

struct block {
	struct block *next;
	_Alignas(POOL_ALIGN) char piece[];
};

bool budget_take(struct budget *budget, size_t bytes)
{
	if (bytes > budget->max - budget->used)
		return false;
	budget->used += bytes;
	if (budget->used > budget->most)
		budget->most = budget->used;
	return true;
}

void budget_give(struct budget *budget, size_t bytes)
{
	budget->used -= bytes;
}

void pool_init(struct pool *pool, struct budget *budget, size_t piece, size_t cleared,
	       unsigned int max)
{
	*pool = (struct pool){ .budget = budget, .cleared = cleared, .max = max };
	pool->piece = (piece + POOL_ALIGN - 1) / POOL_ALIGN * POOL_ALIGN;
}

static size_t block_size(const struct pool *pool)
{
	return sizeof(struct block) + BLOCK_PIECES * pool->piece;
}

static void push(struct pool *pool, void *piece)
{
	struct link *link = piece;

	link->id = 0;
	link->next = pool->free;
	pool->free = link;
}

static bool grow(struct pool *pool)
{
	struct block *block;

	if (!budget_take(pool->budget, block_size(pool)))
		return false;
	block = aligned_alloc(POOL_ALIGN, block_size(pool));
	if (!block) {
		budget_give(pool->budget, block_size(pool));
		return false;
	}
	block->next = pool->blocks;
	pool->blocks = block;
	for (int i = BLOCK_PIECES - 1; i >= 0; i--)
		push(pool, block->piece + (size_t)i * pool->piece);
	return true;
}

void *pool_get(struct pool *pool)
{
	struct link *link;

	if (pool->used >= pool->max)
		return NULL;
	if (!pool->free && !grow(pool))
		return NULL;
	link = pool->free;
	pool->free = link->next;
	pool->used++;
	return memset(link, 0, pool->cleared);
}

void pool_put(struct pool *pool, void *piece)
{
	if (!piece)
		return;
	push(pool, piece);
	pool->used--;
}

void pool_empty(struct pool *pool)
{
	struct block *block = pool->blocks;

	while (block) {
		struct block *next = block->next;

		budget_give(pool->budget, block_size(pool));
		free(block);
		block = next;
	}
	pool->blocks = NULL;
	pool->free = NULL;
	pool->used = 0;
}
