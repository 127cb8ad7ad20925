/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * connection.c - the table of connections. The hash is seeded: other people choose the ports.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "trace/connection.h"

static void key_of(const struct hf_flow *flow, struct connection_key *key, enum end *ret_end)
{
	int order = memcmp(&flow->src, &flow->dst, sizeof(flow->src));
	enum end end;

	if (order == 0)
		order = (int)flow->sport - (int)flow->dport;
	end = order <= 0 ? END_A : END_B;
	key->addr[end] = flow->src;
	key->addr[!end] = flow->dst;
	key->port[end] = flow->sport;
	key->port[!end] = flow->dport;
	key->proto = flow->proto;
	memset(key->zero, 0, sizeof(key->zero));
	*ret_end = end;
}

static struct connection **bucket_of(const struct connections *connections,
				     const struct connection_key *key)
{
	uint64_t hash = connections->seed;
	uint64_t word[sizeof(*key) / sizeof(uint64_t)];

	memcpy(word, key, sizeof(word));
	for (size_t i = 0; i < sizeof(word) / sizeof(word[0]); i++) {
		__uint128_t product =
			(__uint128_t)(hash ^ word[i]) * (connections->seed | 0x9e3779b97f4a7c15ULL);

		hash = (uint64_t)product ^ (uint64_t)(product >> 64) ^ (i << 56);
	}
	return &connections->bucket[hash & (connections->buckets - 1)];
}

static bool has_key(const struct connection *connection, const struct connection_key *key)
{
	return memcmp(&connection->key, key, sizeof(*key)) == 0;
}

struct connection *connection_find(struct connections *connections, const struct hf_flow *flow,
				   enum end *ret_end)
{
	struct connection_key key;
	struct connection *connection;

	key_of(flow, &key, ret_end);
	if (connections->last && has_key(connections->last, &key))
		return connections->last;
	connection = *bucket_of(connections, &key);
	while (connection && !has_key(connection, &key))
		connection = connection->next;
	connections->last = connection;
	return connection;
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
	enum end end;

	if (!connection)
		return NULL;
	key_of(flow, &connection->key, &end);
	bucket = bucket_of(connections, &connection->key);
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
	struct connection **at = bucket_of(connections, &connection->key);

	while (*at != connection)
		at = &(*at)->next;
	*at = connection->next;
	if (connections->last == connection)
		connections->last = NULL;
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
	pool_init(&connections->pool, budget, sizeof(struct connection), max);
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
