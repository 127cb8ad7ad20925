/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * engine_netns.c - `netns:NAME`: what `ip netns` shows.
 */
#include <errno.h>

#include "endpoint/engine.h"

static int netns_list(struct endpoint_names *names)
{
	char **found = NULL;
	size_t count = 0;
	int r;

	r = netns_list_names(&found, &count);
	if (r < 0)
		return r;
	for (size_t i = 0; i < count && r == 0; i++) {
		if (endpoint_name_is_valid(found[i]))
			r = endpoint_names_add(names, found[i]);
	}
	netns_free_names(found, count);
	return r;
}

static int netns_find(const char *name, struct endpoint_target *ret_target)
{
	struct netns ns;
	int r;

	if (!netns_name_is_valid(name))
		return -ENOENT;
	r = netns_open_name(name, &ns);
	if (r < 0)
		return r;
	*ret_target = (struct endpoint_target){ .netns = ns };
	return 0;
}

const struct endpoint_engine endpoint_engine_netns = {
	.kind = ENDPOINT_NETNS,
	.prefix = "netns",
	.what = "network namespace",
	.bare = true,
	.list = netns_list,
	.find = netns_find,
};
