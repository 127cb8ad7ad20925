/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * endpoint_select.c - from a word to the endpoints that it means, or to the sentence why to none.
 *
 *     word --> prefix, selector --> engines --> targets --> each thing once --> one meaning? --> inspected
 *
 *     a meaning:  one name | one service of one project | one id | everything by a label or an expression
 */
#include <arpa/inet.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/suggest.h"
#include "base/text.h"
#include "endpoint/ask.h"
#include "endpoint/engine.h"

/* One wish, while it is being looked up. */
struct wish {
	const char *word; /* as it was said */
	const char *text; /* behind the prefix */
	char shown[2 * ENDPOINT_NAME_MAX]; /* the word, safe to print */
	const struct endpoint_engine *by_prefix; /* NULL: a bare word */
	struct selector selector;
	struct found found;
	char trouble[ENDPOINT_ERROR_MAX];
	char *ret_error; /* may be NULL */
};

static void wish_done(struct wish *wish)
{
	selector_done(&wish->selector);
	found_free(&wish->found);
}

static int tell(const struct wish *wish, int r, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

static int tell(const struct wish *wish, int r, const char *format, ...)
{
	va_list arguments;

	if (wish->ret_error) {
		va_start(arguments, format);
		vsnprintf(wish->ret_error, ENDPOINT_ERROR_MAX, format, arguments);
		va_end(arguments);
	}
	return r;
}

/* The engine of a prefix, and where the name behind it begins; NULL: the word is a bare name. */
static const struct endpoint_engine *engine_of_word(const char *word, const char **ret_text)
{
	for (const struct endpoint_engine *const *at = endpoint_engines; *at; at++) {
		size_t len = strlen((*at)->prefix);

		if (strncmp(word, (*at)->prefix, len) == 0 && word[len] == ':') {
			*ret_text = word + len + 1;
			return *at;
		}
	}
	*ret_text = word;
	return NULL;
}

static int tell_none(const struct wish *wish)
{
	const char *what = wish->selector.kind == SELECT_LABEL ? "no container has" : "no name is";

	return tell(wish, -ENOENT, "%s '%s'%s%s%s", what, wish->shown, wish->trouble[0] ? " (" : "",
		    wish->trouble, wish->trouble[0] ? ")" : "");
}

static int tell_unknown(const struct wish *wish)
{
	const struct endpoint_names *names = &wish->found.names;
	_cleanup_(freep) const char **all = calloc(names->count + 1, sizeof(*all));
	char near[ENDPOINT_ERROR_MAX / 2] = "";

	if (wish->selector.kind == SELECT_LABEL || wish->selector.kind == SELECT_PATTERN)
		return tell_none(wish);
	if (!all)
		return -ENOMEM;
	for (size_t i = 0; i < names->count; i++)
		all[i] = names->name[i];
	suggest_phrase(near, sizeof(near), wish->text, all, names->count);
	if (!near[0])
		snprintf(near, sizeof(near), ", and nothing is called alike; see: hopfault ps");
	return tell(wish, -ENOENT, "unknown endpoint '%s'%s%s%s%s", wish->shown, near,
		    wish->trouble[0] ? " (" : "", wish->trouble, wish->trouble[0] ? ")" : "");
}

/* Nobody has it, and an engine that might have could not be asked. */
static int tell_engine_error(const struct wish *wish, int r)
{
	if (wish->trouble[0] && wish->by_prefix)
		return tell(wish, r, "'%s': %s", wish->shown, wish->trouble);
	if (wish->trouble[0])
		return tell_unknown(wish);
	if (r == -ESRCH)
		return tell(wish, r, "'%s': no such process", wish->shown);
	if (r == -EINVAL && wish->by_prefix)
		return tell(wish, r, "'%s': '%s' is not a %s", wish->shown, wish->text,
			    wish->by_prefix->what);
	return tell(wish, r, "can't look up '%s': %s", wish->shown, strerror(-r));
}

static bool does_run(const struct endpoint_target *target)
{
	return target->netns.fd >= 0 || (target->refusal[0] && !target->is_gone);
}

static void drop_target(struct found *found, size_t i)
{
	endpoint_target_done(&found->target[i]);
	memmove(&found->target[i], &found->target[i + 1],
		(found->targets - i - 1) * sizeof(*found->target));
	found->targets--;
}

static void drop_targets(struct found *found, bool (*is_superfluous)(const struct found *, size_t))
{
	for (size_t i = found->targets; i > 0; i--)
		if (is_superfluous(found, i - 1))
			drop_target(found, i - 1);
}

/* Two names for one thing are no contradiction: the first engine has it. */
static bool is_repeated(const struct found *found, size_t i)
{
	for (size_t before = 0; before < i; before++)
		if (endpoint_targets_are_one(&found->target[before], &found->target[i]))
			return true;
	return false;
}

/* With a prefix the strongest meaning is meant. */
static bool is_weaker(const struct found *found, size_t i)
{
	for (size_t other = 0; other < found->targets; other++)
		if (found->target[other].match < found->target[i].match)
			return true;
	return false;
}

static bool stands_idle(const struct found *found, size_t i)
{
	if (does_run(&found->target[i]))
		return false;
	for (size_t other = 0; other < found->targets; other++)
		if (does_run(&found->target[other]))
			return true;
	return false;
}

static bool have_one_meaning(const struct endpoint_target *a, const struct endpoint_target *b)
{
	if (a->match == ENDPOINT_MATCH_MANY && b->match == ENDPOINT_MATCH_MANY)
		return true;
	return a->match == ENDPOINT_MATCH_SERVICE && b->match == ENDPOINT_MATCH_SERVICE &&
	       a->kind == b->kind && strcmp(a->container->project, b->container->project) == 0;
}

/* What to say instead of the word, to mean this one. */
static void say_target(const struct endpoint_target *target, char *text, size_t size)
{
	if (target->match == ENDPOINT_MATCH_SERVICE)
		snprintf(text, size, "%s:%s/%s", endpoint_kind_word(target->kind),
			 target->container->project, target->container->service);
	else
		snprintf(text, size, "%s:%s", endpoint_kind_word(target->kind), target->name);
}

/* Of targets that have one meaning only the first is said. */
static bool is_said_already(const struct found *found, size_t i)
{
	for (size_t before = 0; before < i; before++)
		if (have_one_meaning(&found->target[before], &found->target[i]))
			return true;
	return false;
}

static int tell_ambiguous(const struct wish *wish)
{
	char list[ENDPOINT_ERROR_MAX - ENDPOINT_NAME_MAX] = "", one[3 * ENDPOINT_NAME_MAX];
	size_t len = 0;

	for (size_t i = 0; i < wish->found.targets && len < sizeof(list); i++) {
		if (is_said_already(&wish->found, i))
			continue;
		say_target(&wish->found.target[i], one, sizeof(one));
		len += (size_t)snprintf(list + len, sizeof(list) - len, "%s%s", len ? ", " : "",
					one);
	}
	return tell(wish, -ENOTUNIQ, "'%s' is ambiguous: say which of %s", wish->shown, list);
}

static bool has_one_meaning(const struct found *found)
{
	for (size_t i = 1; i < found->targets; i++)
		if (!have_one_meaning(&found->target[0], &found->target[i]))
			return false;
	return true;
}

static int tell_not_running(const struct wish *wish)
{
	const struct endpoint_target *target = &wish->found.target[0];

	return tell(wish, -EHOSTDOWN, "%s:%s does not run now (%s)",
		    endpoint_kind_word(target->kind), target->name,
		    target->is_gone ? target->refusal
				    : endpoint_state_word(target->container->state));
}

/* A switch in /run/netns is no endpoint: when many are meant it is not one of them. */
static bool may_be_passed_over(const struct endpoint_target *target)
{
	return target->match == ENDPOINT_MATCH_MANY && !target->container;
}

static int look_into(const struct wish *wish, struct endpoint_target *target,
		     struct candidates *candidates, struct endpoint_list *list)
{
	_cleanup_(endpoint_freep) struct endpoint *endpoint = NULL;
	int r;

	r = endpoint_inspect(target, candidates, &endpoint);
	if (r == -EMEDIUMTYPE && may_be_passed_over(target))
		return 0;
	if (r == -EMEDIUMTYPE)
		return tell(wish, r, "%s:%s can't be worked on: %s",
			    endpoint_kind_word(endpoint->kind), endpoint->name, endpoint->refusal);
	if (r < 0)
		return tell(wish, r, "can't look into '%s': %s", wish->shown, strerror(-r));
	r = endpoint_list_add(list, endpoint);
	if (r == 0)
		endpoint = NULL;
	return r;
}

static int look_into_all(struct wish *wish, struct endpoint_list *ret_list)
{
	_cleanup_(candidates_free) struct candidates candidates = { 0 };
	_cleanup_(endpoint_list_free) struct endpoint_list list = { 0 };
	int r;

	r = candidates_collect(&candidates);
	if (r < 0)
		return tell(wish, r, "can't list network namespaces: %s", strerror(-r));
	for (size_t i = 0; i < wish->found.targets && r == 0; i++)
		r = look_into(wish, &wish->found.target[i], &candidates, &list);
	if (r < 0)
		return r;
	if (list.count == 0)
		return tell_unknown(wish);
	*ret_list = list;
	list = (struct endpoint_list){ 0 };
	return 0;
}

static int select_valid(struct wish *wish, struct endpoint_list *ret_list)
{
	struct found *found = &wish->found;
	int r;

	r = endpoint_ask(wish->by_prefix, &wish->selector, found, wish->trouble);
	if (r == -ENOMEM)
		return tell(wish, r, "out of memory");
	if (found->targets == 0)
		return r < 0 ? tell_engine_error(wish, r) : tell_unknown(wish);
	if (wish->by_prefix)
		drop_targets(found, is_weaker);
	drop_targets(found, is_repeated);
	drop_targets(found, stands_idle);
	if (!has_one_meaning(found))
		return tell_ambiguous(wish);
	if (!does_run(&found->target[0]))
		return tell_not_running(wish);
	return look_into_all(wish, ret_list);
}

/*
 * What means something else wherever endpoints are named. A container may be called so (Docker takes "10.0.0.1" for a
 * name): then it is reached by its prefix, and by nothing that somebody meant otherwise.
 */
static bool is_reserved(const char *word)
{
	static const char *const words[] = { "any", "all", "host", "world" };
	struct in6_addr address;

	for (size_t i = 0; i < ARRAY_SIZE(words); i++)
		if (strcmp(word, words[i]) == 0)
			return true;
	return inet_pton(AF_INET, word, &address) == 1 || inet_pton(AF_INET6, word, &address) == 1;
}

int endpoint_select_at(const struct endpoint_sockets *sockets, const char *word,
		       struct endpoint_list *ret_list, char *ret_error)
{
	_cleanup_(wish_done) struct wish wish = {
		.word = word,
		.ret_error = ret_error,
		.found = { .sockets = *sockets },
	};
	const char *reason;
	int r;

	text_escape_terminal(wish.shown, sizeof(wish.shown), word);
	wish.by_prefix = engine_of_word(word, &wish.text);
	if (wish.by_prefix == &endpoint_engine_pid && !wish.text[0])
		return tell(&wish, -EINVAL, "'pid:' is not a name: a process id is missing");
	if (!wish.by_prefix && is_reserved(word))
		return tell(&wish, -EINVAL,
			    "'%s' is no endpoint's name here; a container of that name is written "
			    "docker:%s",
			    wish.shown, wish.shown);
	r = selector_parse(wish.text, &wish.selector, &reason);
	if (r < 0)
		return tell(&wish, r, "'%s' is not a name: %s", wish.shown, reason);
	return select_valid(&wish, ret_list);
}

int endpoint_select(const char *word, struct endpoint_list *ret_list, char *ret_error)
{
	struct endpoint_sockets sockets;

	endpoint_sockets_choose(NULL, NULL, &sockets);
	return endpoint_select_at(&sockets, word, ret_list, ret_error);
}

static int tell_many(const char *word, const struct endpoint_list *list, char *ret_error)
{
	char names[ENDPOINT_ERROR_MAX / 2] = "";
	size_t len = 0;

	for (size_t i = 0; i < list->count && len < sizeof(names); i++)
		len += (size_t)snprintf(names + len, sizeof(names) - len, "%s%s", i ? ", " : "",
					list->endpoint[i]->name);
	if (ret_error)
		snprintf(ret_error, ENDPOINT_ERROR_MAX, "'%s' means %zu endpoints (%s): name one",
			 word, list->count, names);
	return -ENOTUNIQ;
}

int endpoint_resolve(const char *word, struct endpoint **ret_endpoint, char *ret_error)
{
	struct endpoint_sockets sockets;

	endpoint_sockets_choose(NULL, NULL, &sockets);
	return endpoint_resolve_at(&sockets, word, ret_endpoint, ret_error);
}

int endpoint_resolve_at(const struct endpoint_sockets *sockets, const char *word,
			struct endpoint **ret_endpoint, char *ret_error)
{
	_cleanup_(endpoint_list_free) struct endpoint_list list = { 0 };
	int r;

	r = endpoint_select_at(sockets, word, &list, ret_error);
	if (r < 0)
		return r;
	if (list.count > 1)
		return tell_many(word, &list, ret_error);
	*ret_endpoint = TAKE_PTR(list.endpoint[0]);
	list.count = 0;
	return 0;
}
