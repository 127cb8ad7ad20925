/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * cause.c - the inbound calls that are open now, by endpoint, by process and by thread.
 *
 * "No other was opened in the meantime" is one comparison: every opening takes the next number, and a group
 * remembers the last number that it saw.
 */
#include <errno.h>
#include <stdlib.h>

#include "trace/cause.h"

#define BUCKETS 4096 /* a power of two */

/* The open inbound calls of one process, or (pid 0) of one endpoint. Lives while one is open. */
struct cause_group {
	struct cause_group *next; /* in its bucket */
	uint32_t endpoint;
	uint32_t pid;
	uint32_t open;
	uint64_t opened; /* number of the last opening */
	struct inbound *first;
};

struct causes {
	struct pool groups;
	uint64_t openings;
	struct cause_group *group[BUCKETS];
	struct inbound *thread[BUCKETS];
};

static uint32_t bucket_of(uint32_t a, uint32_t b)
{
	uint64_t hash = ((uint64_t)a << 32 | b) * 0x9e3779b97f4a7c15ULL;

	return (uint32_t)(hash >> 40) & (BUCKETS - 1);
}

static struct cause_group *find_group(const struct causes *causes, uint32_t endpoint, uint32_t pid)
{
	struct cause_group *group = causes->group[bucket_of(endpoint, pid)];

	while (group && (group->endpoint != endpoint || group->pid != pid))
		group = group->next;
	return group;
}

static struct cause_group *need_group(struct causes *causes, uint32_t endpoint, uint32_t pid)
{
	struct cause_group **bucket = &causes->group[bucket_of(endpoint, pid)];
	struct cause_group *group = find_group(causes, endpoint, pid);

	if (group)
		return group;
	group = pool_get(&causes->groups);
	if (!group)
		return NULL;
	group->endpoint = endpoint;
	group->pid = pid;
	group->next = *bucket;
	*bucket = group;
	return group;
}

static void drop_group(struct causes *causes, struct cause_group *group)
{
	struct cause_group **at = &causes->group[bucket_of(group->endpoint, group->pid)];

	while (*at != group)
		at = &(*at)->next;
	*at = group->next;
	pool_put(&causes->groups, group);
}

static void join_group(struct causes *causes, struct inbound *inbound, int which, uint32_t endpoint,
		       uint32_t pid)
{
	struct cause_group *group = need_group(causes, endpoint, pid);

	inbound->group[which] = group;
	if (!group)
		return;
	inbound->prev_of_group[which] = NULL;
	inbound->next_of_group[which] = group->first;
	if (group->first)
		group->first->prev_of_group[which] = inbound;
	group->first = inbound;
	group->open++;
	group->opened = causes->openings;
}

static void leave_group(struct causes *causes, struct inbound *inbound, int which)
{
	struct cause_group *group = inbound->group[which];
	struct inbound *next = inbound->next_of_group[which];
	struct inbound *prev = inbound->prev_of_group[which];

	if (!group)
		return;
	if (next)
		next->prev_of_group[which] = prev;
	if (prev)
		prev->next_of_group[which] = next;
	else
		group->first = next;
	inbound->group[which] = NULL;
	if (--group->open == 0)
		drop_group(causes, group);
}

static void join_thread(struct causes *causes, struct inbound *inbound, uint32_t tid)
{
	struct inbound **bucket = &causes->thread[bucket_of(tid, 0)];

	inbound->tid = tid;
	inbound->prev_of_thread = NULL;
	inbound->next_of_thread = *bucket;
	if (*bucket)
		(*bucket)->prev_of_thread = inbound;
	*bucket = inbound;
}

static void leave_thread(struct causes *causes, struct inbound *inbound)
{
	struct inbound *next = inbound->next_of_thread;
	struct inbound *prev = inbound->prev_of_thread;

	if (next)
		next->prev_of_thread = prev;
	if (prev)
		prev->next_of_thread = next;
	else
		causes->thread[bucket_of(inbound->tid, 0)] = next;
}

void causes_open(struct causes *causes, struct inbound *inbound, uint32_t endpoint, uint32_t pid,
		 uint32_t tid)
{
	if (inbound->is_open) {
		leave_thread(causes, inbound);
		join_thread(causes, inbound, tid);
		return;
	}
	causes->openings++;
	join_group(causes, inbound, 0, endpoint, 0);
	inbound->group[1] = NULL;
	if (pid)
		join_group(causes, inbound, 1, endpoint, pid);
	join_thread(causes, inbound, tid);
	inbound->is_open = true;
}

void causes_close(struct causes *causes, struct inbound *inbound)
{
	if (!inbound->is_open)
		return;
	leave_group(causes, inbound, 0);
	leave_group(causes, inbound, 1);
	leave_thread(causes, inbound);
	inbound->is_open = false;
}

/*
 * The call last read by this thread and not yet answered, when it is the only such call. A thread that has
 * several in hand is an event loop, of which this rule knows nothing.
 */
static struct inbound *only_of_thread(const struct causes *causes, uint32_t tid)
{
	struct inbound *only = NULL;

	if (!tid)
		return NULL;
	for (struct inbound *i = causes->thread[bucket_of(tid, 0)]; i; i = i->next_of_thread) {
		if (i->tid != tid)
			continue;
		if (only)
			return NULL;
		only = i;
	}
	return only;
}

static struct suspect suspect_of(struct inbound *inbound)
{
	return (struct suspect){ inbound, inbound ? inbound->id : 0 };
}

void causes_look(const struct causes *causes, uint32_t endpoint, uint32_t pid, uint32_t tid,
		 struct cause *ret_cause)
{
	const struct cause_group *all = find_group(causes, endpoint, 0);
	const struct cause_group *group = pid ? find_group(causes, endpoint, pid) : all;

	*ret_cause = (struct cause){ .any = all != NULL };
	ret_cause->thread = suspect_of(only_of_thread(causes, tid));
	if (!group || group->open != 1)
		return;
	ret_cause->only = suspect_of(group->first);
	ret_cause->opened = group->opened;
	ret_cause->of_process = pid != 0;
}

bool suspect_is_alive(const struct suspect *suspect)
{
	return suspect->inbound && suspect->id && suspect->inbound->id == suspect->id;
}

bool cause_is_still_only(const struct cause *cause)
{
	const struct inbound *inbound = cause->only.inbound;
	const struct cause_group *group;

	if (!suspect_is_alive(&cause->only) || !inbound->is_open)
		return false;
	group = inbound->group[cause->of_process];
	return group && group->opened == cause->opened;
}

int causes_new(unsigned int max, struct budget *budget, struct causes **ret_causes)
{
	struct causes *causes;

	if (!budget_take(budget, sizeof(*causes)))
		return -ENOMEM;
	causes = calloc(1, sizeof(*causes));
	if (!causes)
		return -ENOMEM;
	pool_init(&causes->groups, budget, sizeof(struct cause_group), sizeof(struct cause_group),
		  max);
	*ret_causes = causes;
	return 0;
}

void causes_free(struct causes *causes)
{
	if (!causes)
		return;
	pool_empty(&causes->groups);
	free(causes);
}
