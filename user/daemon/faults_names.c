/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * faults_names.c - the words of a request, and whom each means.
 */
#include "daemon/faults_parts.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"

#define MEANT_NAMES 3 /* of what one word meant, at least, are said by name */

void faults_ids_done(struct faults_ids *ids)
{
	free(ids->id);
	*ids = (struct faults_ids){};
}

int faults_ids_add(struct faults_ids *ids, uint32_t id)
{
	uint32_t *more = realloc(ids->id, (ids->count + 1) * sizeof(*more));

	if (!more)
		return -ENOMEM;
	ids->id = more;
	ids->id[ids->count++] = id;
	return 0;
}

static bool ids_have(const struct faults_ids *ids, uint32_t id)
{
	for (size_t i = 0; i < ids->count; i++)
		if (ids->id[i] == id)
			return true;
	return false;
}

static void ids_make_unique(struct faults_ids *ids)
{
	struct faults_ids kept = { .id = ids->id };

	for (size_t i = 0; i < ids->count; i++)
		if (!ids_have(&kept, ids->id[i]))
			kept.id[kept.count++] = ids->id[i];
	ids->count = kept.count;
}

/* "web: 5 endpoints (web-1, web-2, web-3 and 2 more)" is added to what was said of other words. */
static void note_meaning(const struct faults *faults, const char *word, const uint32_t *id,
			 size_t count, char *meant)
{
	size_t shown = count > MEANT_NAMES + 1 ? MEANT_NAMES : count, used = strlen(meant);
	char one[FAULTS_MEANT_MAX], *at = one, *end = one + sizeof(one);

	at += snprintf(at, (size_t)(end - at), "%s%.127s: %zu endpoints (", used ? "; " : "", word,
		       count);
	for (size_t i = 0; i < shown; i++)
		at += snprintf(at, (size_t)(end - at), "%s%.80s", i ? ", " : "",
			       managed_name(faults->with.managed, id[i]));
	if (shown < count)
		at += snprintf(at, (size_t)(end - at), " and %zu more", count - shown);
	snprintf(at, (size_t)(end - at), ")");
	if (used + strlen(one) < FAULTS_MEANT_MAX && !strstr(meant, one))
		strcpy(meant + used, one);
}

/* Nobody is called so now, as far as anybody knows. */
static bool may_come(int r)
{
	return r == -ENOENT || r == -EHOSTDOWN || r == -ESRCH || r == -ENXIO || r == -ECONNREFUSED;
}

static int await(struct faults *faults, const char *word, uint32_t *ret_id, char *ret_error)
{
	const struct managed_endpoint *endpoint;
	int r;

	ret_error[0] = '\0';
	r = managed_await(faults->with.managed, word, &endpoint, ret_error);
	if (r < 0)
		return r;
	*ret_id = endpoint->id;
	return 0;
}

int faults_resolve_one(struct faults *faults, const char *word, bool when_up, uint32_t *ret_id,
		       char *ret_error)
{
	const struct managed_endpoint *endpoint;
	int r;

	r = managed_take(faults->with.managed, word, &endpoint, ret_error);
	if (when_up && may_come(r))
		return await(faults, word, ret_id, ret_error);
	if (r < 0)
		return r;
	*ret_id = endpoint->id;
	return 0;
}

/* `host` and `world` stand for no endpoint that has a device; 0: it is neither. */
static uint32_t reserved_id(const char *word)
{
	static const uint32_t reserved[] = { HF_ENDPOINT_HOST, HF_ENDPOINT_WORLD };

	for (size_t i = 0; i < ARRAY_SIZE(reserved); i++)
		if (strcmp(word, endpoint_reserved_name(reserved[i])) == 0)
			return reserved[i];
	return HF_ENDPOINT_NONE;
}

bool faults_is_outside(uint32_t id)
{
	return id == HF_ENDPOINT_HOST || id == HF_ENDPOINT_WORLD;
}

/* What it means now; when it means nobody and is to be waited for, whoever it will mean. */
static int resolve_word(struct faults *faults, const char *word, bool when_up,
			struct faults_ids *ids, char *meant, char *ret_error)
{
	_cleanup_(freep) uint32_t *id = NULL;
	uint32_t awaited;
	size_t count = 0;
	int r;

	if (reserved_id(word))
		return faults_ids_add(ids, reserved_id(word));
	r = managed_take_all(faults->with.managed, word, &id, &count, ret_error);
	if (when_up && may_come(r)) {
		r = await(faults, word, &awaited, ret_error);
		return r < 0 ? r : faults_ids_add(ids, awaited);
	}
	for (size_t i = 0; i < count && r >= 0; i++)
		r = faults_ids_add(ids, id[i]);
	if (r < 0 || count < 2)
		return r;
	ids->has_many = true;
	note_meaning(faults, word, id, count, meant);
	return 0;
}

int faults_resolve_list(struct faults *faults, const char *list, bool when_up,
			struct faults_ids *ret_ids, char *meant, char *ret_error)
{
	_cleanup_(freep) char *copy = strdup(list);
	char *at = NULL;
	int r = copy ? 0 : -ENOMEM;

	for (char *word = copy ? strtok_r(copy, ",", &at) : NULL; word && r >= 0;
	     word = strtok_r(NULL, ",", &at))
		r = resolve_word(faults, word, when_up, ret_ids, meant, ret_error);
	if (r >= 0 && ret_ids->has_many)
		ids_make_unique(ret_ids);
	return r;
}
