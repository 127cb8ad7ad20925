/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * seeker.c - see seeker.h.
 */
#include "daemon/seeker.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "endpoint/whose.h"

#define ANSWERS_MAX   256
#define QUESTIONS_MAX 64

enum { HERE, ENGINES, WAYS };

/* How often each looks, see seeker.h. With veths in quarantine no rest is longer than urgent_ns. */
static const struct pace {
	uint64_t first_ns, urgent_ns, last_ns, check_ns;
} paces[WAYS] = {
	[HERE] = { 4000000, 20000000, 250000000, 500000000 },
	[ENGINES] = { 50000000, 250000000, 1000000000, 1000000000 },
};

struct answer {
	uint32_t endpoint;
	struct endpoint *found; /* owned */
};

struct way {
	struct seeker *seeker;
	int kind;
	pthread_t thread;
	pthread_cond_t changed;
	uint64_t rest_ns; /* until the next look */
	bool is_hurried;
};

struct seeker {
	struct seeker_options with;
	pthread_mutex_t lock;
	struct seeker_wish *wish; /* owned; under the lock, as all below */
	size_t wishes;
	struct answer answer[ANSWERS_MAX];
	size_t answers;
	bool is_ending;
	struct way way[WAYS];
	int ways; /* how many run */
};

static bool begins_with(const char *word, const char *prefix)
{
	return strncmp(word, prefix, strlen(prefix)) == 0;
}

static bool is_by_engine(const struct seeker_wish *wish)
{
	return begins_with(wish->word, "docker:") || begins_with(wish->word, "podman:") ||
	       !strchr(wish->word, ':');
}

/* ---- one endpoint ---- */

/* What it can be found by, this way; false: it can't. */
static bool word_for(const struct seeker_wish *wish, int way, char *ret_word, size_t size)
{
	if (way == HERE && wish->container[0])
		snprintf(ret_word, size, "containerd:%s", wish->container);
	else if (way == (is_by_engine(wish) ? ENGINES : HERE))
		snprintf(ret_word, size, "%s", wish->word);
	else
		return false;
	return true;
}

/* Its veths are settled here and now: the owner may be busy. */
static void settle(const struct seeker *seeker, uint32_t id, const struct endpoint *found)
{
	for (size_t i = 0; i < found->interfaces; i++)
		guard_settle(seeker->with.guard, found->interface[i].host.netns.id,
			     found->interface[i].host.ifindex, id);
}

static void put_answer(struct seeker *seeker, uint32_t id, struct endpoint *found)
{
	bool is_full;

	pthread_mutex_lock(&seeker->lock);
	is_full = seeker->answers == ANSWERS_MAX;
	if (!is_full)
		seeker->answer[seeker->answers++] = (struct answer){ id, found };
	pthread_mutex_unlock(&seeker->lock);
	if (is_full)
		endpoint_free(found);
	seeker->with.found(seeker->with.ctx);
}

static void look_for(struct seeker *seeker, const struct seeker_wish *wish, int way)
{
	char word[ENDPOINT_NAME_MAX + 1];
	struct endpoint *found = NULL;

	if (!word_for(wish, way, word, sizeof(word)) ||
	    endpoint_resolve_at(&wish->sockets, word, &found, NULL) < 0)
		return;
	settle(seeker, wish->endpoint, found);
	put_answer(seeker, wish->endpoint, found);
}

/* ---- one veth ---- */

struct wishes {
	struct seeker_wish *wish;
	size_t count;
};

static void wishes_done(struct wishes *wishes)
{
	free(wishes->wish);
}

/* 1: somebody's who is missing, and *ret_endpoint says whose; 0: nobody's; below 0: not known. */
static int ask_engines(const struct wishes *wishes, const char *container, uint32_t *ret_endpoint)
{
	int r = 0;

	for (size_t i = 0; i < wishes->count && r == 0; i++) {
		if (!is_by_engine(&wishes->wish[i]))
			continue;
		r = endpoint_means_container(&wishes->wish[i].sockets, wishes->wish[i].word,
					     container);
		if (r == 1)
			*ret_endpoint = wishes->wish[i].endpoint;
	}
	return r;
}

static int judge_container(const struct wishes *wishes, const char *container, int way,
			   uint32_t *ret_endpoint)
{
	bool is_for_engine = false;

	for (size_t i = 0; i < wishes->count; i++) {
		if (strcmp(wishes->wish[i].container, container) == 0) {
			*ret_endpoint = wishes->wish[i].endpoint;
			return 1;
		}
		is_for_engine |= is_by_engine(&wishes->wish[i]);
	}
	if (!is_for_engine)
		return 0;
	return way == ENGINES ? ask_engines(wishes, container, ret_endpoint) : -EAGAIN;
}

/*
 * No container is known. A namespace with a name may be what a container engine made and is about to use (Podman and
 * Kubernetes name theirs), or one that is waited for by name, which is found by that in a moment.
 */
static int judge_namespace(const struct wishes *wishes, const struct whose *whose)
{
	char name[NETNS_NAME_MAX + sizeof("netns:")];

	snprintf(name, sizeof(name), "netns:%s", whose->name);
	for (size_t i = 0; i < wishes->count; i++) {
		const char *word = wishes->wish[i].word;

		if (begins_with(word, "docker:") && (whose->has_process || whose->name[0]))
			continue; /* its processes carry its id from the first moment on */
		if (begins_with(word, "netns:") && whose->name[0] && strcmp(word, name) != 0)
			continue;
		if (begins_with(word, "pid:"))
			continue; /* gone is gone */
		return -EAGAIN;
	}
	return 0;
}

static void identify(struct seeker *seeker, const struct wishes *wishes,
		     const struct guard_question *question, int way)
{
	uint32_t endpoint = HF_ENDPOINT_NONE;
	struct whose whose;
	int r;

	r = endpoint_whose(&question->netns, question->ifindex, &whose);
	if (r < 0)
		return;
	r = whose.container[0] ? judge_container(wishes, whose.container, way, &endpoint)
			       : judge_namespace(wishes, &whose);
	if (r == 1)
		guard_settle(seeker->with.guard, question->netns.id, question->ifindex, endpoint);
	else if (r == 0)
		guard_release(seeker->with.guard, question->netns.id, question->ifindex);
}

/* ---- the threads ---- */

/* Those that something is needed of. */
static int copy_wishes(struct seeker *seeker, struct wishes *ret_wishes)
{
	struct seeker_wish *wish;
	size_t count = 0;

	pthread_mutex_lock(&seeker->lock);
	wish = calloc(seeker->wishes + 1, sizeof(*wish));
	for (size_t i = 0; wish && i < seeker->wishes; i++)
		wish[count++] = seeker->wish[i];
	pthread_mutex_unlock(&seeker->lock);
	if (!wish)
		return -ENOMEM;
	*ret_wishes = (struct wishes){ .wish = wish };
	for (size_t i = 0; i < count; i++) {
		if (guard_misses(seeker->with.guard, wish[i].endpoint))
			wish[i].need = SEEKER_MISSES;
		if (wish[i].need != SEEKER_HAS)
			wish[ret_wishes->count++] = wish[i];
	}
	return 0;
}

static bool is_ending(struct seeker *seeker)
{
	return __atomic_load_n(&seeker->is_ending, __ATOMIC_RELAXED);
}

enum outcome { NOBODY_MISSING, CHECKING, MISSING, URGENT /* there are veths that nobody knows */ };

static enum outcome outcome_of(const struct wishes *wishes)
{
	for (size_t i = 0; i < wishes->count; i++)
		if (wishes->wish[i].need == SEEKER_MISSES)
			return MISSING;
	return wishes->count ? CHECKING : NOBODY_MISSING;
}

static void drop_questions(struct guard_question *question, size_t questions)
{
	for (size_t i = 0; i < questions; i++)
		netns_close(&question[i].netns);
}

/* One look at all. */
static enum outcome look(struct seeker *seeker, int way)
{
	struct guard_question question[QUESTIONS_MAX];
	_cleanup_(wishes_done) struct wishes wishes = {};
	size_t questions;

	/* the veths first: whoever they were taken for is among the missing then, and they are not taken for strangers */
	questions = guard_questions(seeker->with.guard, question, QUESTIONS_MAX);
	if (copy_wishes(seeker, &wishes) < 0) {
		drop_questions(question, questions);
		return MISSING;
	}
	for (size_t i = 0; i < wishes.count && !is_ending(seeker); i++)
		look_for(seeker, &wishes.wish[i], way);
	for (size_t i = 0; i < questions && !is_ending(seeker); i++)
		identify(seeker, &wishes, &question[i], way);
	drop_questions(question, questions);
	return questions ? URGENT : outcome_of(&wishes);
}

/* Under the lock. */
static void rest(struct way *way, enum outcome outcome)
{
	const struct pace *pace = &paces[way->kind];
	uint64_t longest_ns = outcome == URGENT ? pace->urgent_ns : pace->last_ns, until_ns;
	struct timespec until;

	if (outcome == CHECKING)
		way->rest_ns = pace->check_ns;
	else if (way->rest_ns > longest_ns)
		way->rest_ns = longest_ns;
	until_ns = clock_now_ns() + way->rest_ns;
	until = (struct timespec){ .tv_sec = (time_t)(until_ns / CLOCK_SECOND_NS),
				   .tv_nsec = (long)(until_ns % CLOCK_SECOND_NS) };
	while (!way->is_hurried && !way->seeker->is_ending)
		if (outcome == NOBODY_MISSING)
			pthread_cond_wait(&way->changed, &way->seeker->lock);
		else if (pthread_cond_timedwait(&way->changed, &way->seeker->lock, &until) != 0)
			break;
	way->rest_ns = way->is_hurried ? pace->first_ns : way->rest_ns * 3 / 2;
	way->is_hurried = false;
}

static void *seek(void *argument)
{
	struct way *way = argument;
	struct seeker *seeker = way->seeker;
	enum outcome outcome = NOBODY_MISSING;

	pthread_mutex_lock(&seeker->lock);
	while (!seeker->is_ending) {
		rest(way, outcome);
		pthread_mutex_unlock(&seeker->lock);
		outcome = look(seeker, way->kind);
		pthread_mutex_lock(&seeker->lock);
	}
	pthread_mutex_unlock(&seeker->lock);
	return NULL;
}

/* ---- asked by others ---- */

/* Under the lock. */
static void hurry(struct seeker *seeker)
{
	for (int i = 0; i < WAYS; i++) {
		seeker->way[i].is_hurried = true;
		pthread_cond_signal(&seeker->way[i].changed);
	}
}

/* One that went again while it was still missed is news; that it is back is none. */
static bool is_asked(const struct seeker *seeker, const struct seeker_wish *wish)
{
	for (size_t i = 0; i < seeker->wishes; i++) {
		struct seeker_wish asked = seeker->wish[i];

		if (!wish->down_ns)
			asked.down_ns = 0;
		if (memcmp(&asked, wish, sizeof(asked)) == 0)
			return true;
	}
	return false;
}

int seeker_ask(struct seeker *seeker, const struct seeker_wish *wish, size_t count)
{
	struct seeker_wish *copy = calloc(count + 1, sizeof(*copy));
	bool any_new = false;

	if (!copy)
		return -ENOMEM;
	if (count)
		memcpy(copy, wish, count * sizeof(*copy));
	pthread_mutex_lock(&seeker->lock);
	for (size_t i = 0; i < count; i++)
		any_new |= copy[i].need != SEEKER_HAS && !is_asked(seeker, &copy[i]);
	free(seeker->wish);
	seeker->wish = copy;
	seeker->wishes = count;
	if (any_new)
		hurry(seeker);
	pthread_mutex_unlock(&seeker->lock);
	return 0;
}

void seeker_hurry(struct seeker *seeker)
{
	pthread_mutex_lock(&seeker->lock);
	hurry(seeker);
	pthread_mutex_unlock(&seeker->lock);
}

bool seeker_take(struct seeker *seeker, uint32_t *ret_id, struct endpoint **ret_endpoint)
{
	bool any;

	pthread_mutex_lock(&seeker->lock);
	any = seeker->answers > 0;
	if (any) {
		*ret_id = seeker->answer[0].endpoint;
		*ret_endpoint = seeker->answer[0].found;
		memmove(seeker->answer, seeker->answer + 1,
			--seeker->answers * sizeof(*seeker->answer));
	}
	pthread_mutex_unlock(&seeker->lock);
	return any;
}

/* ---- life ---- */

static int start_way(struct seeker *seeker, int kind)
{
	struct way *way = &seeker->way[kind];
	int r = pthread_create(&way->thread, NULL, seek, way);

	if (r == 0)
		seeker->ways++;
	return -r;
}

void seeker_rest(struct seeker *seeker)
{
	pthread_mutex_lock(&seeker->lock);
	__atomic_store_n(&seeker->is_ending, true, __ATOMIC_RELAXED);
	hurry(seeker);
	pthread_mutex_unlock(&seeker->lock);
	for (int i = 0; i < seeker->ways; i++)
		pthread_join(seeker->way[i].thread, NULL);
	seeker->ways = 0;
}

void seeker_end(struct seeker *seeker)
{
	if (!seeker)
		return;
	seeker_rest(seeker);
	for (size_t i = 0; i < seeker->answers; i++)
		endpoint_free(seeker->answer[i].found);
	for (int i = 0; i < WAYS; i++)
		pthread_cond_destroy(&seeker->way[i].changed);
	pthread_mutex_destroy(&seeker->lock);
	free(seeker->wish);
	free(seeker);
}

int seeker_start(const struct seeker_options *options, struct seeker **ret_seeker)
{
	struct seeker *seeker = calloc(1, sizeof(*seeker));
	pthread_condattr_t monotonic;
	int r = 0;

	if (!seeker)
		return -ENOMEM;
	seeker->with = *options;
	pthread_mutex_init(&seeker->lock, NULL);
	pthread_condattr_init(&monotonic);
	pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
	for (int i = 0; i < WAYS; i++) {
		seeker->way[i] = (struct way){
			.seeker = seeker,
			.kind = i,
			.rest_ns = paces[i].first_ns,
		};
		pthread_cond_init(&seeker->way[i].changed, &monotonic);
	}
	pthread_condattr_destroy(&monotonic);
	for (int i = 0; i < WAYS && r == 0; i++)
		r = start_way(seeker, i);
	if (r < 0) {
		seeker_end(seeker);
		return r;
	}
	*ret_seeker = seeker;
	return 0;
}
