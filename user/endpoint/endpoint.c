/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * endpoint.c - endpoints and lists of them, and the list of all.
 */
#include "endpoint/endpoint.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "endpoint/ask.h"
#include "endpoint/engine.h"

struct endpoint *endpoint_free(struct endpoint *endpoint)
{
	if (!endpoint)
		return NULL;
	for (size_t i = 0; i < endpoint->interfaces; i++) {
		netns_close(&endpoint->interface[i].host.netns);
		netns_close(&endpoint->interface[i].host.below);
	}
	free(endpoint->interface);
	netns_close(&endpoint->netns);
	free(endpoint);
	return NULL;
}

void endpoint_freep(struct endpoint **endpoint)
{
	*endpoint = endpoint_free(*endpoint);
}

int endpoint_list_add(struct endpoint_list *list, struct endpoint *endpoint)
{
	struct endpoint **grown;

	grown = reallocarray(list->endpoint, list->count + 1, sizeof(struct endpoint *));
	if (!grown)
		return -ENOMEM;
	list->endpoint = grown;
	grown[list->count++] = endpoint;
	return 0;
}

void endpoint_list_free(struct endpoint_list *list)
{
	for (size_t i = 0; i < list->count; i++)
		endpoint_free(list->endpoint[i]);
	free(list->endpoint);
	*list = (struct endpoint_list){ 0 };
}

/* A namespace that cannot be worked on is no endpoint, a container is one: somebody will look for it. */
static bool is_shown(const struct endpoint *endpoint)
{
	return endpoint->interfaces > 0 || endpoint->kind == ENDPOINT_DOCKER ||
	       endpoint->kind == ENDPOINT_PODMAN;
}

/* What has gone since it was asked for is left out. */
static int list_target(struct endpoint_list *list, struct endpoint_target *target,
		       struct candidates *candidates)
{
	_cleanup_(endpoint_freep) struct endpoint *endpoint = NULL;
	int r;

	r = endpoint_inspect(target, candidates, &endpoint);
	if (r == -ENOMEM)
		return r;
	if (!endpoint || !is_shown(endpoint))
		return 0;
	r = endpoint_list_add(list, endpoint);
	if (r == 0)
		endpoint = NULL;
	return r;
}

/* Has an engine before this one shown it? Containers that share a namespace are shown each. */
static bool is_known(const struct found *found, size_t i)
{
	for (size_t before = 0; before < i; before++)
		if (endpoint_targets_are_one(&found->target[before], &found->target[i]) &&
		    (found->target[before].kind != found->target[i].kind ||
		     found->target[i].kind == ENDPOINT_CONTAINERD))
			return true;
	return false;
}

int endpoint_list(struct endpoint_list *ret_list, char *ret_trouble)
{
	struct endpoint_sockets sockets;

	endpoint_sockets_choose(NULL, NULL, &sockets);
	return endpoint_list_at(&sockets, ret_list, ret_trouble);
}

int endpoint_list_at(const struct endpoint_sockets *sockets, struct endpoint_list *ret_list,
		     char *ret_trouble)
{
	_cleanup_(candidates_free) struct candidates candidates = { 0 };
	_cleanup_(endpoint_list_free) struct endpoint_list list = { 0 };
	_cleanup_(found_free) struct found found = { .sockets = *sockets };
	struct selector all = { .kind = SELECT_ALL };
	char trouble[ENDPOINT_ERROR_MAX];
	int r;

	r = endpoint_ask(NULL, &all, &found, trouble);
	if (r == -ENOMEM)
		return r;
	r = candidates_collect(&candidates);
	/* A namespace's descriptor moves into its endpoint: whether it is known is asked from the end on. */
	for (size_t i = found.targets; i > 0; i--)
		if (is_known(&found, i - 1))
			found.target[i - 1].match = ENDPOINT_MATCH_NOT;
	for (size_t i = 0; i < found.targets && r == 0; i++)
		if (found.target[i].match != ENDPOINT_MATCH_NOT)
			r = list_target(&list, &found.target[i], &candidates);
	if (r < 0)
		return r;
	if (ret_trouble)
		strcpy(ret_trouble, trouble);
	*ret_list = list;
	list = (struct endpoint_list){ 0 };
	return 0;
}
