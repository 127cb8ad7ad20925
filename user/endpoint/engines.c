/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * engines.c - the table of engines, and how one of them is asked.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "endpoint/engine.h"

/*
 * Podman and Kubernetes give the namespaces of their containers names in /run/netns too (netns-<uuid>): so the
 * containers' own names come first.
 */
const struct endpoint_engine *const endpoint_engines[] = {
	&endpoint_engine_lab,	 &endpoint_engine_docker,
	&endpoint_engine_podman, &endpoint_engine_containerd,
	&endpoint_engine_netns,	 &endpoint_engine_unit,
	&endpoint_engine_pid,	 NULL,
};

int endpoint_names_add(struct endpoint_names *names, const char *name)
{
	char(*grown)[ENDPOINT_NAME_MAX + 1];

	if (names->count >= ENDPOINTS_MAX)
		return -E2BIG;
	grown = reallocarray(names->name, names->count + 1, sizeof(*grown));
	if (!grown)
		return -ENOMEM;
	names->name = grown;
	snprintf(grown[names->count++], sizeof(*grown), "%s", name);
	return 0;
}

void endpoint_names_free(struct endpoint_names *names)
{
	free(names->name);
	*names = (struct endpoint_names){ 0 };
}

void endpoint_target_done(struct endpoint_target *target)
{
	netns_close(&target->netns);
	free(target->container);
	target->container = NULL;
}

int found_add(struct found *found, struct endpoint_target *target)
{
	struct endpoint_target *grown = NULL;

	if (found->targets < ENDPOINTS_MAX)
		grown = reallocarray(found->target, found->targets + 1, sizeof(*grown));
	if (!grown) {
		endpoint_target_done(target);
		return found->targets < ENDPOINTS_MAX ? -ENOMEM : -E2BIG;
	}
	found->target = grown;
	grown[found->targets++] = *target;
	return 0;
}

static void found_cut(struct found *found, size_t targets)
{
	while (found->targets > targets)
		endpoint_target_done(&found->target[--found->targets]);
}

void found_free(struct found *found)
{
	found_cut(found, 0);
	free(found->target);
	endpoint_names_free(&found->names);
	*found = (struct found){ 0 };
}

/* One name of an engine that has a plain list of them. */
static int add_named(const struct endpoint_engine *engine, const char *name,
		     enum endpoint_match match, struct found *found)
{
	struct endpoint_target target = { .netns = NETNS_NONE };
	int r;

	r = engine->find(name, &target);
	if (r < 0)
		return r;
	target.kind = engine->kind;
	target.match = match;
	snprintf(target.name, sizeof(target.name), "%s", name);
	return found_add(found, &target);
}

static int compare_names(const void *a, const void *b)
{
	return strcmp(a, b);
}

static bool is_meant(const struct endpoint_engine *engine, const struct selector *selector,
		     const char *name)
{
	if (selector->kind == SELECT_NAME)
		return engine->is_one_of && engine->is_one_of(name, selector->text);
	return selector_matches_name(selector, name);
}

/* What has gone since it was listed is left out. */
static int add_listed(const struct endpoint_engine *engine, const struct selector *selector,
		      struct found *found)
{
	_cleanup_(endpoint_names_free) struct endpoint_names names = { 0 };
	int r;

	r = engine->list ? engine->list(&names) : 0;
	if (r < 0)
		return r;
	if (names.count > 1)
		qsort(names.name, names.count, sizeof(*names.name), compare_names);
	for (size_t i = 0; i < names.count && r >= 0; i++) {
		if (is_meant(engine, selector, names.name[i]))
			r = add_named(engine, names.name[i], ENDPOINT_MATCH_MANY, found);
		if (r != -ENOMEM && r != -E2BIG)
			r = 0;
	}
	return r;
}

static int ask_plain(const struct endpoint_engine *engine, const struct selector *selector,
		     struct found *found)
{
	int r;

	if (selector->kind != SELECT_NAME)
		return add_listed(engine, selector, found);
	r = add_named(engine, selector->text, ENDPOINT_MATCH_NAME, found);
	if (r == -ENOENT && engine->list)
		engine->list(&found->names); /* an engine that can't say has none that are near */
	if (r == -ENOENT && engine->is_one_of)
		return add_listed(engine, selector, found);
	return r == -ENOENT ? 0 : r;
}

static int compare_targets(const void *a, const void *b)
{
	const struct endpoint_target *one = a, *other = b;

	return strcmp(one->name, other->name);
}

int endpoint_engine_ask(const struct endpoint_engine *engine, const struct selector *selector,
			struct found *found)
{
	size_t before = found->targets;
	int r;

	found->trouble[0] = '\0';
	found->absent = false;
	if (!engine->select)
		return ask_plain(engine, selector, found);
	r = engine->select(selector, found);
	if (engine->waits && engine->waits(&found->sockets) && found->slow_engines > 0)
		found->slow_engines--;
	if (r < 0)
		found_cut(found, before);
	else if (found->targets - before > 1)
		qsort(found->target + before, found->targets - before, sizeof(*found->target),
		      compare_targets);
	return r;
}
