/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * endpoint.c - which engine knows the name? The table of engines is here, and the order in it is the order of `ps`.
 *
 *     lab:a     -> the engine of that prefix, or an error
 *     a         -> all engines that take bare names; one namespace must come out of it
 */
#include "endpoint/endpoint.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/suggest.h"
#include "base/text.h"
#include "endpoint/engine.h"

static const struct endpoint_engine *const engines[] = {
	&endpoint_engine_lab,
	&endpoint_engine_netns,
	&endpoint_engine_pid,
};

struct endpoint *endpoint_free(struct endpoint *endpoint)
{
	if (!endpoint)
		return NULL;
	for (size_t i = 0; i < endpoint->interfaces; i++)
		netns_close(&endpoint->interface[i].host.netns);
	free(endpoint->interface);
	netns_close(&endpoint->netns);
	free(endpoint);
	return NULL;
}

void endpoint_freep(struct endpoint **endpoint)
{
	*endpoint = endpoint_free(*endpoint);
}

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

static int tell(char *ret_error, int r, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

static int tell(char *ret_error, int r, const char *format, ...)
{
	va_list arguments;

	if (ret_error) {
		va_start(arguments, format);
		vsnprintf(ret_error, ENDPOINT_ERROR_MAX, format, arguments);
		va_end(arguments);
	}
	return r;
}

/* The engine of a prefix, and where the name behind it begins; NULL: the word is a bare name. */
static const struct endpoint_engine *engine_of_word(const char *word, const char **ret_name)
{
	for (size_t i = 0; i < ARRAY_SIZE(engines); i++) {
		size_t len = strlen(engines[i]->prefix);

		if (strncmp(word, engines[i]->prefix, len) == 0 && word[len] == ':') {
			*ret_name = word + len + 1;
			return engines[i];
		}
	}
	*ret_name = word;
	return NULL;
}

static bool engine_is_meant(const struct endpoint_engine *engine,
			    const struct endpoint_engine *by_prefix)
{
	return by_prefix ? engine == by_prefix : engine->bare;
}

/* All names that could have been meant, to find near ones. An engine that fails has none. */
static void collect_names(const struct endpoint_engine *by_prefix, struct endpoint_names *names)
{
	for (size_t i = 0; i < ARRAY_SIZE(engines); i++) {
		if (engine_is_meant(engines[i], by_prefix) && engines[i]->list)
			engines[i]->list(names);
	}
}

static int tell_unknown(const char *word, const char *name, const struct endpoint_engine *by_prefix,
			char *ret_error)
{
	_cleanup_(endpoint_names_free) struct endpoint_names names = { 0 };
	_cleanup_(freep) const char **all = NULL;
	char near[ENDPOINT_ERROR_MAX / 2] = "";

	if (!ret_error)
		return -ENOENT;
	collect_names(by_prefix, &names);
	all = calloc(names.count + 1, sizeof(*all));
	if (!all)
		return -ENOMEM;
	for (size_t i = 0; i < names.count; i++)
		all[i] = names.name[i];
	suggest_phrase(near, sizeof(near), name, all, names.count);
	return tell(ret_error, -ENOENT, "unknown endpoint '%s'%s", word,
		    near[0] ? near : "; `hopfault ps` lists what can be named");
}

/* What engines answered to one name. */
struct answers {
	size_t count;
	const struct endpoint_engine *engine[ARRAY_SIZE(engines)];
	struct endpoint_target target[ARRAY_SIZE(engines)];
};

static void answers_free(struct answers *answers)
{
	for (size_t i = 0; i < answers->count; i++)
		netns_close(&answers->target[i].netns);
	answers->count = 0;
}

/* Two names for one namespace are no contradiction: the first engine has it. */
static bool answers_have(const struct answers *answers, const struct endpoint_target *target)
{
	for (size_t i = 0; i < answers->count; i++) {
		if (netns_id_equal(answers->target[i].netns.id, target->netns.id))
			return true;
	}
	return false;
}

static int ask(const struct endpoint_engine *engine, const char *name, struct answers *answers)
{
	struct endpoint_target target;
	int r;

	r = engine->find(name, &target);
	if (r < 0)
		return r;
	if (answers_have(answers, &target)) {
		netns_close(&target.netns);
		return 0;
	}
	answers->engine[answers->count] = engine;
	answers->target[answers->count++] = target;
	return 0;
}

/* 0, or the first error that is not "no such name". */
static int ask_all(const struct endpoint_engine *by_prefix, const char *name,
		   struct answers *answers)
{
	int r, first = 0;

	for (size_t i = 0; i < ARRAY_SIZE(engines); i++) {
		if (!engine_is_meant(engines[i], by_prefix))
			continue;
		r = ask(engines[i], name, answers);
		if (r < 0 && r != -ENOENT && first == 0)
			first = r;
	}
	return answers->count > 0 ? 0 : first;
}

static int tell_ambiguous(const char *name, const struct answers *answers, char *ret_error)
{
	char list[ENDPOINT_ERROR_MAX / 2] = "";
	size_t len = 0;

	for (size_t i = 0; i < answers->count && len < sizeof(list); i++)
		len += (size_t)snprintf(list + len, sizeof(list) - len, "%s%s:%s", i ? ", " : "",
					answers->engine[i]->prefix, name);
	return tell(ret_error, -ENOTUNIQ, "'%s' is ambiguous: say which of %s", name, list);
}

static int tell_find_error(int r, const char *word, const char *name,
			   const struct endpoint_engine *by_prefix, char *ret_error)
{
	if (r == -ESRCH)
		return tell(ret_error, r, "'%s': no such process", word);
	if (r == -EINVAL)
		return tell(ret_error, r, "'%s': '%s' is not a %s", word, name,
			    by_prefix == &endpoint_engine_pid ? "process id" : "network namespace");
	return tell(ret_error, r, "can't look up '%s': %s", word, strerror(-r));
}

static int resolve(const char *word, struct endpoint **ret_endpoint, char *ret_error)
{
	_cleanup_(candidates_free) struct candidates candidates = { 0 };
	_cleanup_(answers_free) struct answers answers = { 0 };
	const struct endpoint_engine *by_prefix;
	const char *name;
	int r;

	by_prefix = engine_of_word(word, &name);
	r = ask_all(by_prefix, name, &answers);
	if (r < 0)
		return tell_find_error(r, word, name, by_prefix, ret_error);
	if (answers.count == 0)
		return tell_unknown(word, name, by_prefix, ret_error);
	if (answers.count > 1)
		return tell_ambiguous(name, &answers, ret_error);
	r = candidates_collect(&candidates);
	if (r < 0)
		return tell(ret_error, r, "can't list network namespaces: %s", strerror(-r));
	tell(ret_error, 0, "%s", "");
	r = endpoint_inspect(name, answers.engine[0]->kind, &answers.target[0], &candidates,
			     ret_endpoint, ret_error);
	if (r < 0 && r != -EMEDIUMTYPE)
		return tell(ret_error, r, "can't look into '%s': %s", word, strerror(-r));
	return r;
}

int endpoint_resolve(const char *word, struct endpoint **ret_endpoint, char *ret_error)
{
	char shown[64];

	if (endpoint_name_is_valid(word))
		return resolve(word, ret_endpoint, ret_error);
	text_escape_terminal(shown, sizeof(shown), word);
	return tell(ret_error, -EINVAL,
		    "'%s' is not a name: 1 to %d characters of A-Z a-z 0-9 _ . : / @ -", shown,
		    ENDPOINT_NAME_MAX);
}

static int compare_names(const void *a, const void *b)
{
	return strcmp(a, b);
}

static bool list_has(const struct endpoint_list *list, struct netns_id id)
{
	for (size_t i = 0; i < list->count; i++) {
		if (netns_id_equal(list->endpoint[i]->netns.id, id))
			return true;
	}
	return false;
}

static int list_append(struct endpoint_list *list, struct endpoint *endpoint)
{
	struct endpoint **grown;

	grown = reallocarray(list->endpoint, list->count + 1, sizeof(struct endpoint *));
	if (!grown)
		return -ENOMEM;
	list->endpoint = grown;
	grown[list->count++] = endpoint;
	return 0;
}

/* What has gone since it was listed, and what can't be worked on, is left out. */
static int list_add(struct endpoint_list *list, const struct endpoint_engine *engine,
		    const char *name, const struct candidates *candidates)
{
	_cleanup_(endpoint_freep) struct endpoint *endpoint = NULL;
	struct endpoint_target target;
	int r;

	r = engine->find(name, &target);
	if (r < 0)
		return 0;
	if (list_has(list, target.netns.id)) {
		netns_close(&target.netns);
		return 0;
	}
	r = endpoint_inspect(name, engine->kind, &target, candidates, &endpoint, NULL);
	if (r < 0)
		return r == -ENOMEM ? r : 0;
	r = list_append(list, endpoint);
	if (r == 0)
		endpoint = NULL;
	return r;
}

static int list_engine(struct endpoint_list *list, const struct endpoint_engine *engine,
		       const struct candidates *candidates)
{
	_cleanup_(endpoint_names_free) struct endpoint_names names = { 0 };
	int r;

	r = engine->list(&names);
	if (r < 0)
		return r;
	if (names.count > 1)
		qsort(names.name, names.count, sizeof(*names.name), compare_names);
	for (size_t i = 0; i < names.count && r == 0; i++)
		r = list_add(list, engine, names.name[i], candidates);
	return r;
}

int endpoint_list(struct endpoint_list *ret_list)
{
	_cleanup_(candidates_free) struct candidates candidates = { 0 };
	_cleanup_(endpoint_list_free) struct endpoint_list list = { 0 };
	int r;

	r = candidates_collect(&candidates);
	for (size_t i = 0; i < ARRAY_SIZE(engines) && r == 0; i++) {
		if (engines[i]->list)
			r = list_engine(&list, engines[i], &candidates);
	}
	if (r < 0)
		return r;
	*ret_list = list;
	list = (struct endpoint_list){ 0 };
	return 0;
}

void endpoint_list_free(struct endpoint_list *list)
{
	for (size_t i = 0; i < list->count; i++)
		endpoint_free(list->endpoint[i]);
	free(list->endpoint);
	*list = (struct endpoint_list){ 0 };
}
