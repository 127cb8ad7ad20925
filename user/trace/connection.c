/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * connection.c - the table of connections. The hash is seeded: other people choose the ports.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "trace/connection.h"

static enum end end_of(const struct hf_flow *flow)
{
	int order = memcmp(&flow->src, &flow->dst, sizeof(flow->src));

	if (order == 0)
		order = (int)flow->sport - (int)flow->dport;
	return order <= 0 ? END_A : END_B;
}

static void fill_key(const struct hf_flow *flow, struct connection_key *key)
{
	enum end end = end_of(flow);

	key->addr[end] = flow->src;
	key->addr[!end] = flow->dst;
	key->port[end] = flow->sport;
	key->port[!end] = flow->dport;
	key->proto = flow->proto;
}

static uint64_t mix(uint64_t a, uint64_t b)
{
	__uint128_t product = (__uint128_t)a * b;

	return (uint64_t)product ^ (uint64_t)(product >> 64);
}

static uint64_t hash_of(uint64_t seed, const struct hf_addr *addr, uint16_t port)
{
	uint64_t word[2];

	memcpy(word, addr, sizeof(word));
	return mix(mix(word[0] ^ seed, word[1] ^ (seed << 32 | seed >> 32)) ^ port, seed | 1);
}

/* The same whichever end sends. */
static struct connection **bucket_of(const struct connections *connections,
				     const struct hf_addr *addr, uint16_t port,
				     const struct hf_addr *other_addr, uint16_t other_port)
{
	uint64_t hash = hash_of(connections->seed, addr, port) +
			hash_of(connections->seed, other_addr, other_port);

	return &connections->bucket[hash & (connections->buckets - 1)];
}

static struct connection **bucket_of_key(const struct connections *connections,
					 const struct connection_key *key)
{
	return bucket_of(connections, &key->addr[0], key->port[0], &key->addr[1], key->port[1]);
}

static bool is_same(const struct hf_addr *a, const struct hf_addr *b)
{
	return memcmp(a, b, sizeof(*a)) == 0;
}

static inline bool is_sent_by(const struct connection_key *key, const struct hf_flow *flow,
			      enum end end)
{
	return key->port[end] == flow->sport && key->port[!end] == flow->dport &&
	       is_same(&key->addr[end], &flow->src) && is_same(&key->addr[!end], &flow->dst);
}

static inline bool is_of(const struct connection *connection, const struct hf_flow *flow,
			 enum end *ret_end)
{
	const struct connection_key *key = &connection->key;

	if (key->proto != flow->proto)
		return false;
	if (is_sent_by(key, flow, END_A))
		*ret_end = END_A;
	else if (is_sent_by(key, flow, END_B))
		*ret_end = END_B;
	else
		return false;
	return true;
}

/* Apart from what asks for it, which then is no more than a comparison, most often. */
__attribute__((noinline)) static struct connection *find_in_table(
	const struct connections *connections, const struct hf_flow *flow, enum end *ret_end)
{
	struct connection *connection =
		*bucket_of(connections, &flow->src, flow->sport, &flow->dst, flow->dport);

	while (connection && !is_of(connection, flow, ret_end))
		connection = connection->next;
	if (!connection)
		*ret_end = end_of(flow);
	return connection;
}

/* The same whichever end sends. */
static struct connection **recent_of(struct connections *connections, uint16_t port,
				     uint16_t other_port)
{
	uint32_t hash = (uint32_t)(port ^ other_port) * 0x9e3779b1U;

	return &connections->recent[hash >> (32 - RECENT_BITS)];
}

struct connection *connection_find(struct connections *connections, const struct hf_flow *flow,
				   enum end *ret_end)
{
	struct connection **recent = recent_of(connections, flow->sport, flow->dport);

	if (!*recent || !is_of(*recent, flow, ret_end))
		*recent = find_in_table(connections, flow, ret_end);
	return *recent;
}

static void leave_list(struct connections *connections, struct connection *connection)
{
	struct connection_list *list =
		connection->is_busy ? &connections->busy : &connections->idle;

	if (connection->older)
		connection->older->newer = connection->newer;
	else
		list->oldest = connection->newer;
	if (connection->newer)
		connection->newer->older = connection->older;
	else
		list->newest = connection->older;
}

static void join_list(struct connections *connections, struct connection *connection, bool is_busy)
{
	struct connection_list *list = is_busy ? &connections->busy : &connections->idle;

	connection->is_busy = is_busy;
	connection->newer = NULL;
	connection->older = list->newest;
	if (list->newest)
		list->newest->newer = connection;
	else
		list->oldest = connection;
	list->newest = connection;
}

void connection_touch(struct connections *connections, struct connection *connection, bool is_busy)
{
	leave_list(connections, connection);
	join_list(connections, connection, is_busy);
}

struct connection *connection_add(struct connections *connections, const struct hf_flow *flow)
{
	struct connection *connection = pool_get(&connections->pool);
	struct connection **bucket;

	if (!connection)
		return NULL;
	fill_key(flow, &connection->key);
	bucket = bucket_of_key(connections, &connection->key);
	connection->next = *bucket;
	*bucket = connection;
	connection->client = NO_END;
	connection->handshake.connect_ns = TIME_UNKNOWN;
	connection->handshake.established_ns = TIME_UNKNOWN;
	connection->attempt_ns = TIME_UNKNOWN;
	connection->syn_dropped_ns[0] = connection->syn_dropped_ns[1] = TIME_UNKNOWN;
	join_list(connections, connection, false);
	return connection;
}

void connection_drop(struct connections *connections, struct connection *connection)
{
	const struct connection_key *key = &connection->key;
	struct connection **at = bucket_of_key(connections, key);
	struct connection **recent = recent_of(connections, key->port[0], key->port[1]);

	while (*at != connection)
		at = &(*at)->next;
	*at = connection->next;
	if (*recent == connection)
		*recent = NULL;
	leave_list(connections, connection);
	stream_free(&connection->stream[0], connections->budget);
	stream_free(&connection->stream[1], connections->budget);
	pool_put(&connections->pool, connection);
}

int connections_init(struct connections *connections, struct budget *budget, unsigned int max,
		     uint64_t seed)
{
	uint32_t buckets = 64;

	while (buckets < max && buckets < (1U << 20))
		buckets *= 2;
	*connections = (struct connections){ .budget = budget, .buckets = buckets, .seed = seed };
	pool_init(&connections->pool, budget, sizeof(struct connection), sizeof(struct connection),
		  max);
	if (!budget_take(budget, buckets * sizeof(*connections->bucket)))
		return -ENOMEM;
	connections->bucket = calloc(buckets, sizeof(*connections->bucket));
	return connections->bucket ? 0 : -ENOMEM;
}

void connections_free(struct connections *connections)
{
	while (connections->busy.oldest)
		connection_drop(connections, connections->busy.oldest);
	while (connections->idle.oldest)
		connection_drop(connections, connections->idle.oldest);
	pool_empty(&connections->pool);
	free(connections->bucket);
}
