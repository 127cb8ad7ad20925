/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * managed.c - see managed.h.
 */
#include "daemon/managed_parts.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/log.h"

/* By the engine that is asked now: another may have a container of the same name. */
static bool is_of_engine(const struct managed *managed, const struct managed_endpoint *endpoint)
{
	return endpoint_sockets_meet(&endpoint->sockets, &managed->sockets, endpoint->kind);
}

#define WORD_NAME_MAX \
	110 /* characters of a name in a word; no prefix is so long that the rest has no room */

static void word_of(enum endpoint_kind kind, const char *name, char ret_word[ENDPOINT_NAME_MAX + 1])
{
	snprintf(ret_word, ENDPOINT_NAME_MAX + 1, "%s:%.*s", endpoint_kind_word(kind),
		 WORD_NAME_MAX, name);
}

/* By its word, as it may be shown by another name; where that has not room for all of the name, by both. */
static bool is_named(const struct managed_endpoint *endpoint, const char *word, const char *name)
{
	return strcmp(endpoint->word, word) == 0 &&
	       (strlen(name) <= WORD_NAME_MAX || strcmp(endpoint->name, name) == 0);
}

static struct managed_endpoint *find_named(struct managed *managed, enum endpoint_kind kind,
					   const char *name)
{
	char word[ENDPOINT_NAME_MAX + 1];

	word_of(kind, name, word);
	for (size_t i = 0; i < managed->endpoints; i++)
		if (managed->endpoint[i]->kind == kind &&
		    is_named(managed->endpoint[i], word, name) &&
		    is_of_engine(managed, managed->endpoint[i]))
			return managed->endpoint[i];
	return NULL;
}

/* Somebody of this kind who is worked on, or is to be again. */
static bool is_called(const struct managed *managed, enum endpoint_kind kind, const char *name)
{
	for (size_t i = 0; i < managed->endpoints; i++) {
		const struct managed_endpoint *endpoint = managed->endpoint[i];

		if (endpoint->kind == kind && (endpoint->devices || endpoint->has_lost) &&
		    strcmp(endpoint->name, name) == 0)
			return true;
	}
	return false;
}

/* As it is shown: web, and web@2 of a second engine that has a `web` as well. */
static void give_name(const struct managed *managed, struct managed_endpoint *endpoint,
		      const char *name)
{
	char shown[ENDPOINT_NAME_MAX + 1];

	snprintf(shown, sizeof(shown), "%s", name);
	for (int nth = 2; is_called(managed, endpoint->kind, shown); nth++)
		snprintf(shown, sizeof(shown), "%.*s@%d", WORD_NAME_MAX, name, nth);
	memcpy(endpoint->name, shown, sizeof(shown));
}

/* A namespace has one endpoint, by whatever names it is called: a device can't be two. */
struct managed_endpoint *managed_find_attached(struct managed *managed, struct netns_id netns)
{
	for (size_t i = 0; i < managed->endpoints; i++)
		if (managed->endpoint[i]->devices &&
		    netns_id_equal(managed->endpoint[i]->netns, netns))
			return managed->endpoint[i];
	return NULL;
}

static int add_named(struct managed *managed, enum endpoint_kind kind, const char *name,
		     struct managed_endpoint **ret_endpoint)
{
	struct managed_endpoint **more, *endpoint;

	more = realloc(managed->endpoint, (managed->endpoints + 1) * sizeof(*more));
	if (!more)
		return -ENOMEM;
	managed->endpoint = more;
	endpoint = calloc(1, sizeof(*endpoint));
	if (!endpoint)
		return -ENOMEM;
	endpoint->id = managed->next_id++;
	endpoint->kind = kind;
	give_name(managed, endpoint, name);
	if (kind)
		word_of(kind, name, endpoint->word);
	managed->endpoint[managed->endpoints++] = endpoint;
	*ret_endpoint = endpoint;
	return 0;
}

/* It has come: from now on it is called what it is. */
void managed_name_waiting(const struct managed *managed, struct managed_endpoint *endpoint,
			  enum endpoint_kind kind, const char *name)
{
	if (endpoint->kind)
		return;
	endpoint->kind = kind;
	give_name(managed, endpoint, name);
	word_of(kind, name, endpoint->word);
}

/* Somebody waits for it by this word, or by its name. */
static struct managed_endpoint *find_waiting(struct managed *managed, const char *word,
					     const struct endpoint *now)
{
	char full[ENDPOINT_NAME_MAX + 16];

	if (endpoint_full_name(now, full, sizeof(full)) < 0)
		full[0] = '\0';
	for (size_t i = 0; i < managed->endpoints; i++) {
		struct managed_endpoint *endpoint = managed->endpoint[i];

		if (endpoint->kind || !is_of_engine(managed, endpoint) ||
		    (strcmp(endpoint->word, word) != 0 && strcmp(endpoint->word, full) != 0 &&
		     strcmp(endpoint->word, now->name) != 0))
			continue;
		managed_name_waiting(managed, endpoint, now->kind, now->name);
		return endpoint;
	}
	return NULL;
}

/* It is asked for again where it was asked for now, whenever that will be. */
static void use_sockets(const struct managed *managed, struct managed_endpoint *endpoint)
{
	endpoint->sockets = managed->sockets;
	endpoint->sockets.deadline_ns = 0;
}

/* What is known of it beside what is attached. */
void managed_note_found(struct managed *managed, struct managed_endpoint *endpoint,
			const struct endpoint *now)
{
	/* also of what is attached: by another name it may have told less of its networks */
	for (size_t i = 0; i < now->interfaces; i++)
		networks_number(&managed->networks, &now->interface[i]);
	memcpy(endpoint->left_out, now->left_out, sizeof(endpoint->left_out));
}

/* Takes *now over, where it is not what is attached already. */
static int take_found(struct managed *managed, const char *word, struct endpoint **now,
		      const struct managed_endpoint **ret_endpoint)
{
	struct managed_endpoint *endpoint;
	int r;

	endpoint = managed_find_attached(managed, (*now)->netns.id);
	if (!endpoint)
		endpoint = find_named(managed, (*now)->kind, (*now)->name);
	if (!endpoint)
		endpoint = find_waiting(managed, word, *now);
	if (!endpoint) {
		r = add_named(managed, (*now)->kind, (*now)->name, &endpoint);
		if (r < 0)
			return r;
	}
	if (endpoint->kind == (*now)->kind) /* by another kind of name no engine was asked for it */
		use_sockets(managed, endpoint);
	managed_note_found(managed, endpoint, *now);
	endpoint->found = endpoint_free(endpoint->found);
	if (!managed_is_current(managed, endpoint, *now))
		endpoint->found = TAKE_PTR(*now);
	*ret_endpoint = endpoint;
	return 0;
}

void managed_use_sockets(struct managed *managed, const struct endpoint_sockets *sockets)
{
	managed->sockets = *sockets;
}

int managed_take(struct managed *managed, const char *word,
		 const struct managed_endpoint **ret_endpoint, char *ret_error)
{
	_cleanup_(endpoint_freep) struct endpoint *now = NULL;
	int r;

	r = endpoint_resolve_at(&managed->sockets, word, &now, ret_error);
	managed_tell_progress(managed);
	return r < 0 ? r : take_found(managed, word, &now, ret_endpoint);
}

int managed_take_all(struct managed *managed, const char *word, uint32_t **ret_id,
		     size_t *ret_count, char *ret_error)
{
	_cleanup_(endpoint_list_free) struct endpoint_list now = { 0 };
	const struct managed_endpoint *endpoint;
	_cleanup_(freep) uint32_t *id = NULL;
	int r;

	r = endpoint_select_at(&managed->sockets, word, &now, ret_error);
	managed_tell_progress(managed);
	if (r < 0)
		return r;
	id = calloc(now.count, sizeof(*id));
	if (!id)
		return -ENOMEM;
	for (size_t i = 0; i < now.count; i++) {
		r = take_found(managed, word, &now.endpoint[i], &endpoint);
		if (r < 0)
			return r;
		id[i] = endpoint->id;
	}
	*ret_id = TAKE_PTR(id);
	*ret_count = now.count;
	return 0;
}

/* One that is down, by the name that it had, or one that waits already. */
static struct managed_endpoint *find_absent(struct managed *managed, const char *word)
{
	for (size_t i = 0; i < managed->endpoints; i++) {
		struct managed_endpoint *endpoint = managed->endpoint[i];

		if (endpoint->devices == 0 && is_of_engine(managed, endpoint) &&
		    (strcmp(endpoint->word, word) == 0 || strcmp(endpoint->name, word) == 0))
			return endpoint;
	}
	return NULL;
}

int managed_await(struct managed *managed, const char *word,
		  const struct managed_endpoint **ret_endpoint, char *ret_error)
{
	struct managed_endpoint *endpoint = find_absent(managed, word);
	int r;

	if (!endpoint && !endpoint_name_is_valid(word)) {
		snprintf(ret_error, ENDPOINT_ERROR_MAX, "not a name that can be waited for");
		return -EINVAL;
	}
	if (!endpoint) {
		r = add_named(managed, 0, word, &endpoint);
		if (r < 0)
			return r;
		snprintf(endpoint->word, sizeof(endpoint->word), "%s", word);
		endpoint->is_waiting = true;
	}
	use_sockets(managed, endpoint);
	*ret_endpoint = endpoint;
	return 0;
}

void managed_let_go(struct managed *managed)
{
	for (size_t i = 0; i < managed->endpoints; i++)
		managed->endpoint[i]->found = endpoint_free(managed->endpoint[i]->found);
}

int managed_new(const struct managed_options *options, struct managed **ret_managed)
{
	struct managed *managed = calloc(1, sizeof(*managed));
	int r;

	if (!managed)
		return -ENOMEM;
	managed->with = *options;
	managed->next_id = HF_ENDPOINT_FIRST;
	r = hosts_new(
		&(struct hosts_options){
			.programs = options->programs,
			.hold = options->hold,
			.loop = options->loop,
			.news = managed_link_news,
			.tap_changed = managed_tap_changed,
			.ctx = managed,
		},
		&managed->hosts);
	if (r < 0) {
		free(managed);
		return r;
	}
	managed->tools = (struct device_tools){
		.programs = options->programs,
		.hosts = managed->hosts,
		.guard = options->guard,
		.engine = options->engine,
	};
	*ret_managed = managed;
	return 0;
}

void managed_free(struct managed *managed)
{
	if (!managed)
		return;
	for (size_t i = 0; i < managed->endpoints; i++) {
		managed_drop_endpoint_devices(managed, managed->endpoint[i]);
		endpoint_free(managed->endpoint[i]->found);
		free(managed->endpoint[i]);
	}
	free(managed->endpoint);
	networks_done(&managed->networks);
	outside_done(&managed->outside);
	hosts_free(managed->hosts);
	free(managed);
}
