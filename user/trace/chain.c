/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * chain.c - trees of calls.
 *
 *     client -> a          root: nobody's work
 *        a -> b            caused by what a had in hand when it began to send
 *           b -> c  b -> d
 *
 * A call is tied when it is over, because `exclusive` speaks of the whole of it. Until then the inbound calls that may
 * be its parent are kept: a tree is handed out when none of its calls is open and none of them is
 * suspected by an open one. `pending` counts both, and children whose own subtree is not over.
 */
#include <errno.h>
#include <stdlib.h>

#include "trace/chain.h"

#define SUSPECTS 2

struct node {
	struct inbound inbound; /* first: its id tells a node from what was there before */
	struct node *parent;
	struct node *first_child, *last_child, *next_sibling; /* by start */
	struct cause cause;
	uint32_t pending;
	bool was_judged;
	bool was_only; /* its suspect was the only open inbound call all the time */
	uint64_t app_from_ns, app_to_ns;
	struct call row;
};

struct chains {
	struct chain_sink sink;
	struct budget *budget;
	struct tracer_stats *stats;
	struct causes *causes;
	struct pool nodes;
	uint64_t random;
	struct call *row; /* of the tree that is handed out */
	uint32_t rows, room;
};

/* ---- ids: splitmix64 (Steele, Lea, Flood 2014) ---- */

static uint64_t next_random(struct chains *chains)
{
	uint64_t z = chains->random += 0x9e3779b97f4a7c15ULL;

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ULL;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebULL;
	return z ^ (z >> 31);
}

static uint64_t next_id(struct chains *chains)
{
	uint64_t id;

	do
		id = next_random(chains);
	while (!id);
	return id;
}

/* ---- who caused it: tried in this order, the first that knows wins ---- */

static struct node *node_of(const struct suspect *suspect)
{
	return suspect_is_alive(suspect) ? (struct node *)suspect->inbound : NULL;
}

/* One inbound call was open while the whole of this call went on (unrelated work of that moment looks the same). */
static struct node *exclusive_parent(const struct node *child)
{
	return child->was_only ? node_of(&child->cause.only) : NULL;
}

/* The sending thread had read one inbound call and not answered it yet. */
static struct node *thread_parent(const struct node *child)
{
	return node_of(&child->cause.thread);
}

static const struct link_rule {
	enum link_method method;
	double confidence;
	struct node *(*parent)(const struct node *child);
} link_rules[] = {
	/* LINK_HEADER comes first */
	{ LINK_EXCLUSIVE, 0.95, exclusive_parent },
	{ LINK_THREAD, 0.99, thread_parent },
	/* LINK_LOOP, LINK_AFFINITY, LINK_WAKE, LINK_LIKELY follow */
};

static struct node *find_parent(struct node *child)
{
	for (size_t i = 0; i < sizeof(link_rules) / sizeof(link_rules[0]); i++) {
		struct node *parent = link_rules[i].parent(child);

		if (!parent)
			continue;
		child->row.link_method = (uint8_t)link_rules[i].method;
		child->row.link_confidence = link_rules[i].confidence;
		return parent;
	}
	child->row.link_method = LINK_NONE;
	child->row.link_confidence = 0;
	return NULL;
}

/* ---- trees ---- */

static void insert_child(struct node *parent, struct node *child)
{
	uint64_t start_ns = child->row.start_mono_ns;
	struct node **at = &parent->first_child;

	if (parent->last_child && parent->last_child->row.start_mono_ns <= start_ns)
		at = &parent->last_child->next_sibling;
	while (*at && (*at)->row.start_mono_ns <= start_ns)
		at = &(*at)->next_sibling;
	child->next_sibling = *at;
	*at = child;
	if (!child->next_sibling)
		parent->last_child = child;
}

/* The children come by start, so one pass sees each instant once. */
static uint64_t waited_ns(const struct node *node)
{
	uint64_t seen_ns = node->app_from_ns;
	uint64_t sum_ns = 0;

	for (const struct node *child = node->first_child; child; child = child->next_sibling) {
		uint64_t from_ns = child->row.start_mono_ns;
		uint64_t to_ns = from_ns + child->row.total_ns;

		if (from_ns < seen_ns)
			from_ns = seen_ns;
		if (to_ns > node->app_to_ns)
			to_ns = node->app_to_ns;
		if (from_ns >= to_ns)
			continue;
		sum_ns += to_ns - from_ns;
		seen_ns = to_ns;
	}
	return sum_ns;
}

static void fill_self(struct node *node)
{
	struct call *row = &node->row;
	uint64_t app_ns = row->stage_ns[STAGE_SRV_APP];

	row->srv_self_ns = app_ns == TIME_UNKNOWN ? TIME_UNKNOWN : app_ns - waited_ns(node);
}

static bool rows_make_room(struct chains *chains)
{
	uint32_t room = chains->room ? chains->room * 2 : 16;
	size_t more = (room - chains->room) * sizeof(*chains->row);
	struct call *row;

	if (chains->rows < chains->room)
		return true;
	if (!budget_take(chains->budget, more))
		return false;
	row = realloc(chains->row, room * sizeof(*row));
	if (!row) {
		budget_give(chains->budget, more);
		return false;
	}
	chains->row = row;
	chains->room = room;
	return true;
}

static void count_row(struct tracer_stats *stats, const struct node *node)
{
	if (node->row.complete)
		stats->calls_complete++;
	else
		stats->calls_incomplete++;
	stats->linked[node->row.link_method]++;
	if (!node->parent && node->cause.any)
		stats->orphans++;
}

static void add_row(struct chains *chains, struct node *node, const uint64_t trace_id[2])
{
	struct call *row = &node->row;

	if (!rows_make_room(chains)) {
		chains->stats->refused_calls++;
		return;
	}
	__builtin_memcpy(row->trace_id, trace_id, sizeof(row->trace_id));
	row->span_id = node->inbound.id;
	row->parent_span_id = node->parent ? node->parent->inbound.id : 0;
	row->depth = node->parent ? node->parent->row.depth + 1 : 0;
	fill_self(node);
	count_row(chains->stats, node);
	chains->row[chains->rows++] = *row;
}

/* Parent before child, siblings by start; without a stack, because depth is other people's choice. */
static struct node *next_in_tree(struct node *node)
{
	if (node->first_child)
		return node->first_child;
	while (node && !node->next_sibling)
		node = node->parent;
	return node ? node->next_sibling : NULL;
}

/* Children before parents, each once; the links of a node are not used after it is gone. */
static void drop_tree(struct chains *chains, struct node *node)
{
	while (node) {
		struct node *gone = node;

		if (node->first_child) {
			node = node->first_child;
			continue;
		}
		node = gone->parent;
		if (node)
			node->first_child = gone->next_sibling;
		pool_put(&chains->nodes, gone);
	}
}

static void hand_out(struct chains *chains, struct node *root)
{
	uint64_t trace_id[2] = { next_random(chains), next_id(chains) };
	struct chain chain;

	chains->rows = 0;
	for (struct node *node = root; node; node = next_in_tree(node))
		add_row(chains, node, trace_id);
	drop_tree(chains, root);
	chain = (struct chain){ .calls = chains->rows, .call = chains->row };
	chains->stats->chains++;
	if (chain.calls)
		chains->sink.on_chain(chains->sink.ctx, &chain);
}

/* One thing less to wait for. */
static void lessen(struct chains *chains, struct node *node)
{
	while (--node->pending == 0) {
		if (!node->parent) {
			hand_out(chains, node);
			return;
		}
		node = node->parent;
	}
}

/* One thing more. A call that is over, and waits only for its tree, is waited for again by its parent. */
static void add_one(struct node *node)
{
	while (node->pending++ == 0 && node->parent)
		node = node->parent;
}

/* ---- a call's life ---- */

static void suspect_each(struct node *node, struct suspect *ret_suspect[SUSPECTS])
{
	ret_suspect[0] = &node->cause.only;
	ret_suspect[1] = &node->cause.thread;
}

void chain_look(struct chains *chains, uint32_t endpoint, uint32_t pid, uint32_t tid,
		struct cause *ret_cause)
{
	causes_look(chains->causes, endpoint, pid, tid, ret_cause);
}

struct node *chain_begin(struct chains *chains, const struct cause *cause)
{
	struct node *node = pool_get(&chains->nodes);
	struct suspect *suspect[SUSPECTS];

	if (!node) {
		chains->stats->refused_calls++;
		return NULL;
	}
	node->cause = *cause;
	node->pending = 1;
	suspect_each(node, suspect);
	for (int i = 0; i < SUSPECTS; i++) {
		struct node *parent = node_of(suspect[i]);

		if (parent)
			add_one(parent);
		else
			*suspect[i] = (struct suspect){ 0 };
	}
	node->inbound.id = next_id(chains);
	return node;
}

void chain_request_read(struct chains *chains, struct node *node, uint32_t endpoint, uint32_t pid,
			uint32_t tid)
{
	causes_open(chains->causes, &node->inbound, endpoint, pid, tid);
}

void chain_answered(struct chains *chains, struct node *node)
{
	causes_close(chains->causes, &node->inbound);
}

void chain_client_done(struct node *node)
{
	node->was_only = cause_is_still_only(&node->cause);
	node->was_judged = true;
}

struct call *chain_row(struct node *node)
{
	return &node->row;
}

void chain_end(struct chains *chains, struct node *node, uint64_t app_from_ns, uint64_t app_to_ns)
{
	struct suspect *suspect[SUSPECTS];

	if (!node->was_judged)
		chain_client_done(node);
	causes_close(chains->causes, &node->inbound);
	node->app_from_ns = app_from_ns;
	node->app_to_ns = app_to_ns;
	node->parent = find_parent(node);
	if (node->parent) {
		node->parent->pending++;
		insert_child(node->parent, node);
	}
	suspect_each(node, suspect);
	for (int i = 0; i < SUSPECTS; i++)
		if (suspect[i]->inbound)
			lessen(chains, (struct node *)suspect[i]->inbound);
	lessen(chains, node);
}

unsigned int chains_open(const struct chains *chains)
{
	return chains->nodes.used;
}

int chains_new(const struct chain_sink *sink, unsigned int max, uint64_t seed,
	       struct budget *budget, struct tracer_stats *stats, struct chains **ret_chains)
{
	struct chains *chains = calloc(1, sizeof(*chains));
	int r;

	if (!chains)
		return -ENOMEM;
	chains->sink = *sink;
	chains->budget = budget;
	chains->stats = stats;
	chains->random = seed;
	pool_init(&chains->nodes, budget, sizeof(struct node), sizeof(struct node), max);
	r = causes_new(2 * max, budget, &chains->causes);
	if (r < 0) {
		chains_free(chains);
		return r;
	}
	*ret_chains = chains;
	return 0;
}

void chains_free(struct chains *chains)
{
	if (!chains)
		return;
	causes_free(chains->causes);
	pool_empty(&chains->nodes);
	free(chains->row);
	free(chains);
}
