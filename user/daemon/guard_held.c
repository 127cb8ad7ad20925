/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * guard_held.c - see guard_held.h.
 *
 *     consider --> unknown --settle--> settled --adopted, gone, 10 s--> free
 *                     |  '--release, gone--> free           ^
 *                     '--2 s after it could carry packets--> expired --gone, 15 s--> free
 */
#include "daemon/guard_held.h"

#include <bpf/bpf.h>
#include <string.h>

#include "base/clock.h"

#define SETTLED_NS 10000000000ULL /* for the owner to take it over */
#define EXPIRED_NS 15000000000ULL /* for somebody to be in it after all */

struct held *held_find(struct guard_table *table, struct netns_id netns, uint32_t ifindex)
{
	for (size_t i = 0; i < GUARD_HELD_MAX; i++) {
		struct held *held = &table->held[i];

		if (held->state != HELD_FREE && held->ifindex == ifindex &&
		    netns_id_equal(held->host->netns.id, netns))
			return held;
	}
	return NULL;
}

static struct hf_device_key row_key(const struct held *held)
{
	return (struct hf_device_key){
		.netns = programs_netns_number(&held->host->netns),
		.ifindex = held->ifindex,
	};
}

static void write_row(struct guard_table *table, struct held *held)
{
	const struct hf_device_key key = row_key(held);
	const struct hf_device value = {
		.endpoint = held->as.endpoint,
		.engine = held->host->tap ? HF_ENGINE_HOLD : HF_ENGINE_NONE,
		.hold_ifindex = held->host->tap,
		.outward = held->as.is_outward,
		.network = held->as.network,
	};

	if (devices_put(table->devices, &key, &value) < 0)
		table->stats.missed++;
	if (!held->row_ns) {
		held->row_ns = clock_now_ns();
		table->stats.row_last_ns = held->row_ns - held->seen_ns;
		if (table->stats.row_last_ns > table->stats.row_max_ns)
			table->stats.row_max_ns = table->stats.row_last_ns;
	}
}

static void delete_row(struct guard_table *table, const struct held *held)
{
	const struct hf_device_key key = row_key(held);

	devices_remove(table->devices, &key);
}

void held_throw_away(struct guard_table *table, const struct netns *netns, uint32_t ifindex,
		     enum clsact_hook at, struct attachment *hook)
{
	struct guard_garbage *garbage = &table->garbage[table->garbages];

	if (hook->is_attached && table->garbages < GUARD_GARBAGE_MAX &&
	    netns_dup(netns, &garbage->netns) >= 0) {
		garbage->ifindex = ifindex;
		garbage->at = at;
		garbage->hook = *hook;
		table->garbages++;
	} else if (hook->is_attached) {
		programs_detach(netns, ifindex, at, hook);
	}
	*hook = (struct attachment){ .link_fd = -1 };
}

void held_tell_newest(struct guard_table *table, const struct guard_host *host)
{
	const uint32_t netns = programs_netns_number(&host->netns);
	const struct hf_newcomers newcomers = {
		.newest = host->newest,
		.endpoint = places_all(&table->places, host->netns.id),
	};

	if (newcomers.endpoint == HF_ENDPOINT_NONE)
		bpf_map_delete_elem(table->newcomers_fd, &netns);
	else if (bpf_map_update_elem(table->newcomers_fd, &netns, &newcomers, BPF_ANY) < 0)
		table->stats.missed++;
}

/*
 * An end that has its other end here is not the host's end of anything yet. What leaves is judged at the peers, unless it goes to
 * the host or the world.
 */
static void want_programs(struct held *held)
{
	if (!held->peer_is_elsewhere && !held->master)
		return;
	if (held->program[CLSACT_EGRESS] == PROGRAM_NONE)
		held->program[CLSACT_EGRESS] = PROGRAM_WANTED;
	if (held->program[CLSACT_INGRESS] == PROGRAM_NONE && held->as.is_outward)
		held->program[CLSACT_INGRESS] = PROGRAM_WANTED;
}

static bool wants_any(const struct held *held)
{
	return held->program[CLSACT_EGRESS] != PROGRAM_NONE;
}

/* What became of a pair's inner end, which has a row for a moment, is not counted. */
static void count_once(struct guard_table *table, struct held *held)
{
	if (held->is_counted || !wants_any(held))
		return;
	held->is_counted = true;
	table->stats.quarantined++;
}

static void note_link(struct held *held, const struct netlink_link *link)
{
	held->master = link->master;
	held->peer_ifindex = link->peer_ifindex;
	if (link->peer_nsid != NETLINK_NSID_UNKNOWN)
		held->peer_is_elsewhere = true;
	if (held->state == HELD_UNKNOWN && !held->until_ns && (link->flags & IFF_UP) &&
	    (link->flags & IFF_RUNNING))
		held->until_ns = clock_now_ns() + GUARD_QUARANTINE_NS;
}

static bool link_is_there(const void *ctx, uint32_t ifindex)
{
	const struct guard_host *host = ctx;

	for (size_t i = 0; i < host->links; i++)
		if (host->link[i] == ifindex)
			return true;
	return false;
}

static struct guise whose(const struct guard_table *table, const struct guard_host *host,
			  uint32_t master)
{
	return places_whose(&table->places, host->netns.id, master, link_is_there, host);
}

void held_make_free(struct held *held)
{
	*held = (struct held){ .hook = { { .link_fd = -1 }, { .link_fd = -1 } } };
}

static bool guises_are_equal(const struct guise *a, const struct guise *b)
{
	return a->endpoint == b->endpoint && a->network == b->network &&
	       a->is_outward == b->is_outward;
}

void held_consider(struct guard_table *table, struct guard_host *host,
		   const struct netlink_link *link)
{
	struct guise as = whose(table, host, link->master);
	struct held *held = NULL;

	if (as.endpoint == HF_ENDPOINT_NONE || strcmp(link->kind, "veth") != 0)
		return;
	for (size_t i = 0; i < GUARD_HELD_MAX && !held; i++)
		if (table->held[i].state == HELD_FREE)
			held = &table->held[i];
	if (!held) {
		table->stats.missed++;
		return;
	}
	held_make_free(held);
	held->state = HELD_UNKNOWN;
	held->host = host;
	held->ifindex = link->ifindex;
	held->as = as;
	held->seen_ns = clock_now_ns();
	write_row(table, held); /* before all else */
	note_link(held, link);
	want_programs(held);
	count_once(table, held);
}

void held_reconsider(struct guard_table *table, struct held *held, const struct netlink_link *link)
{
	struct guise as;

	if (link)
		note_link(held, link);
	if (held->state != HELD_UNKNOWN)
		return;
	as = whose(table, held->host, held->master);
	if (as.endpoint == HF_ENDPOINT_NONE) {
		held_release(table, held);
		return;
	}
	if (!guises_are_equal(&as, &held->as)) {
		held->as = as;
		write_row(table, held);
	}
	want_programs(held);
	count_once(table, held);
}

void held_reconsider_all(struct guard_table *table)
{
	for (size_t i = 0; i < GUARD_HELD_MAX; i++)
		if (table->held[i].state == HELD_UNKNOWN)
			held_reconsider(table, &table->held[i], NULL);
}

void held_settle(struct guard_table *table, struct held *held, uint32_t endpoint)
{
	if (held->state == HELD_SETTLED && held->as.endpoint == endpoint)
		return;
	if (held->state != HELD_SETTLED)
		table->stats.identified++;
	held->state = HELD_SETTLED;
	held->until_ns = clock_now_ns() + SETTLED_NS;
	held->as = places_as(&table->places, held->host->netns.id, held->master, endpoint);
	write_row(table, held);
	want_programs(held);
	count_once(table, held);
}

static void let_go(struct guard_table *table, struct held *held)
{
	delete_row(table, held);
	for (int at = CLSACT_HOOKS - 1; at >= 0; at--)
		held_throw_away(table, &held->host->netns, held->ifindex, (enum clsact_hook)at,
				&held->hook[at]);
}

void held_release(struct guard_table *table, struct held *held)
{
	if (held->state != HELD_EXPIRED)
		let_go(table, held);
	if (held->state == HELD_UNKNOWN && held->is_counted)
		table->stats.foreign++;
	held_make_free(held);
}

void held_forget(struct guard_table *table, struct held *held)
{
	if (held->state != HELD_EXPIRED)
		let_go(table, held);
	held_make_free(held);
}

static bool has_all_programs(const struct held *held)
{
	for (int at = 0; at < CLSACT_HOOKS; at++)
		if (held->program[at] == PROGRAM_WANTED || held->program[at] == PROGRAM_IN_WORK)
			return false;
	return true;
}

void held_attached(struct guard_table *table, struct held *held, enum clsact_hook at, int r,
		   const struct attachment *hook)
{
	if (r < 0) {
		held->program[at] = PROGRAM_NONE;
		table->stats.missed++;
		return;
	}
	held->program[at] = PROGRAM_ATTACHED;
	held->hook[at] = *hook;
	if (!has_all_programs(held))
		return;
	held->program_ns = clock_now_ns();
	table->stats.program_last_ns = held->program_ns - held->seen_ns;
	if (table->stats.program_last_ns > table->stats.program_max_ns)
		table->stats.program_max_ns = table->stats.program_last_ns;
}

static void expire(struct guard_table *table, struct held *held, uint64_t now_ns)
{
	if (held->state != HELD_UNKNOWN) {
		held_forget(table, held);
		return;
	}
	let_go(table, held);
	held->state = HELD_EXPIRED;
	for (int at = 0; at < CLSACT_HOOKS; at++)
		held->program[at] = PROGRAM_NONE;
	held->until_ns = now_ns + EXPIRED_NS;
	if (held->is_counted)
		table->stats.expired++;
}

uint64_t held_expire(struct guard_table *table, uint64_t now_ns)
{
	uint64_t next_ns = UINT64_MAX;

	for (size_t i = 0; i < GUARD_HELD_MAX; i++) {
		struct held *held = &table->held[i];

		if (held->state == HELD_FREE || !held->until_ns)
			continue;
		if (held->until_ns <= now_ns)
			expire(table, held, now_ns);
		if (held->state != HELD_FREE && held->until_ns < next_ns)
			next_ns = held->until_ns;
	}
	return next_ns;
}
