/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * follow.c - see follow.h.
 */
#include "daemon/follow.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/log.h"
#include "daemon/seeker.h"

#define HOSTS_MAX  64
#define PLACES_MAX 64 /* of one endpoint */
#define SETTLES_NS 2000000000ULL /* an interface has got its addresses by then */

/* A namespace that the guard watches, which is kept for it. */
struct kept_host {
	struct netns netns; /* owned copy; fd -1: a free place */
	uint32_t tap;
};

/* What the guard was told of an endpoint. */
struct told {
	bool is_guarded;
	uint64_t signature; /* of what it was told */
};

struct follow {
	struct follow_options with;
	struct managed *managed;
	const struct faults *faults;
	struct guard *guard;
	struct seeker *seeker;
	int found_fd; /* the seeker has found something */
	struct kept_host host[HOSTS_MAX];
	struct told *told; /* by the place in managed */
	size_t tolds;
	char complaint[ENDPOINT_ERROR_MAX]; /* the last, so that it is not repeated */
};

/* What is in force for an endpoint. */
struct stake {
	bool in_fault;
	bool in_cut;
};

/* ---- who is in what ---- */

static struct stake *stake_of(const struct follow *follow, struct stake *stakes, uint32_t id)
{
	size_t count = managed_count(follow->managed), guess = id - HF_ENDPOINT_FIRST;

	if (guess < count && managed_at(follow->managed, guess)->id == id)
		return &stakes[guess]; /* ids are given one after the other */
	for (size_t i = 0; i < count; i++)
		if (managed_at(follow->managed, i)->id == id)
			return &stakes[i];
	return NULL;
}

static void note_stake(const struct follow *follow, struct stake *stakes, uint32_t id, bool is_cut)
{
	struct stake *stake = stake_of(follow, stakes, id);

	if (!stake)
		return;
	stake->in_fault = true;
	stake->in_cut |= is_cut;
}

static struct stake *collect_stakes(const struct follow *follow)
{
	struct stake *stakes = calloc(managed_count(follow->managed) + 1, sizeof(*stakes));
	const struct faultset *live = faults_live(follow->faults);

	for (size_t i = 0; stakes && i < faultset_count(live); i++) {
		const struct fault *fault = faultset_at(live, i);
		bool is_cut = fault->rule.flags & HF_RULE_DROP;

		for (size_t k = 0; k < fault->links; k++) {
			note_stake(follow, stakes, fault->link[k].src, is_cut);
			note_stake(follow, stakes, fault->link[k].dst, is_cut);
		}
	}
	return stakes;
}

/* ---- the namespaces that are watched for it ---- */

static struct kept_host *find_host(struct follow *follow, struct netns_id id)
{
	for (size_t i = 0; i < HOSTS_MAX; i++)
		if (follow->host[i].netns.fd >= 0 && netns_id_equal(follow->host[i].netns.id, id))
			return &follow->host[i];
	return NULL;
}

static int keep_host(struct follow *follow, const struct netns *netns)
{
	struct hosts *hosts = managed_hosts(follow->managed);
	struct kept_host *host = NULL;
	int r;

	for (size_t i = 0; i < HOSTS_MAX && !host; i++)
		if (follow->host[i].netns.fd < 0)
			host = &follow->host[i];
	if (!host)
		return -E2BIG;
	r = hosts_take(hosts, netns);
	if (r < 0)
		return r;
	r = netns_dup(netns, &host->netns);
	if (r < 0)
		hosts_leave(hosts, netns->id);
	host->tap = 0;
	return r;
}

static int tell_host(struct follow *follow, const struct kept_host *host)
{
	struct program_hand hand[CLSACT_HOOKS] = { { .prog_fd = -1 }, { .prog_fd = -1 } };
	int r = 0;

	for (enum clsact_hook at = 0; at < CLSACT_HOOKS && r >= 0; at++)
		r = programs_hand(follow->with.programs, &host->netns, at, &hand[at]);
	if (r >= 0)
		r = guard_watch(follow->guard, &host->netns, hand, host->tap);
	for (int at = 0; at < CLSACT_HOOKS; at++)
		program_hand_close(&hand[at]);
	return r;
}

static void leave_host(struct follow *follow, struct kept_host *host)
{
	hosts_leave(managed_hosts(follow->managed), host->netns.id);
	netns_close(&host->netns);
}

static int watch_host(struct follow *follow, const struct netns *netns)
{
	uint32_t tap = hosts_tap(managed_hosts(follow->managed), netns->id);
	struct kept_host *host = find_host(follow, netns->id);
	int r;

	if (host && host->tap == tap)
		return 0;
	if (!host) {
		r = keep_host(follow, netns);
		if (r < 0)
			return r;
		host = find_host(follow, netns->id);
	}
	host->tap = tap;
	r = tell_host(follow, host);
	if (r < 0)
		leave_host(follow, host);
	return r;
}

static void leave_unused_hosts(struct follow *follow)
{
	guard_unwatch_unused(follow->guard);
	for (size_t i = 0; i < HOSTS_MAX; i++)
		if (follow->host[i].netns.fd >= 0 &&
		    !guard_watches(follow->guard, follow->host[i].netns.id))
			leave_host(follow, &follow->host[i]);
}

/* ---- places ---- */

struct list {
	struct place place[PLACES_MAX];
	size_t count;
};

static void add_place(struct follow *follow, struct list *list,
		      const struct managed_endpoint *endpoint, const struct device *device,
		      bool is_there)
{
	struct place place;

	if (device->is_inside)
		return; /* what comes there is no veth */
	memset(&place, 0, sizeof(place)); /* they are compared as bytes */
	place.endpoint = endpoint->id;
	place.netns = device->netns.id;
	place.ifindex = is_there ? device->ifindex : 0;
	place.master = device->master;
	place.network = device->network;
	place.is_outward = endpoint->outward;
	place.is_vacant = !is_there;
	for (size_t i = 0; i < list->count; i++)
		if (memcmp(&list->place[i], &place, sizeof(place)) == 0)
			return;
	if (list->count < PLACES_MAX && watch_host(follow, &device->netns) >= 0)
		list->place[list->count++] = place;
}

static void add_peer(struct follow *follow, struct list *list,
		     const struct managed_endpoint *endpoint, uint32_t peer)
{
	const struct managed_endpoint *other = managed_find(follow->managed, peer);

	for (size_t i = 0; other && i < other->devices; i++)
		add_place(follow, list, endpoint, &other->device[i], false);
}

/* Of one that nobody has seen yet: where those are whom it is to be cut from. */
static void expect_beside_peers(struct follow *follow, struct list *list,
				const struct managed_endpoint *endpoint)
{
	const struct faultset *live = faults_live(follow->faults);

	for (size_t i = 0; i < faultset_count(live); i++) {
		const struct fault *fault = faultset_at(live, i);

		for (size_t k = 0; (fault->rule.flags & HF_RULE_DROP) && k < fault->links; k++)
			if (fault->link[k].src == endpoint->id)
				add_peer(follow, list, endpoint, fault->link[k].dst);
			else if (fault->link[k].dst == endpoint->id)
				add_peer(follow, list, endpoint, fault->link[k].src);
	}
}

/* FNV-1a: whether it is what was told last. */
static uint64_t signature_of(const struct list *list, uint64_t changed_ns)
{
	const uint8_t *byte = (const uint8_t *)list->place;
	uint64_t hash = 14695981039346656037ULL ^ changed_ns;

	for (size_t i = 0; i < list->count * sizeof(list->place[0]); i++)
		hash = (hash ^ byte[i]) * 1099511628211ULL;
	return hash;
}

static void tell_guard(struct follow *follow, const struct managed_endpoint *endpoint,
		       struct told *told)
{
	bool is_whole = endpoint->devices && endpoint->devices == endpoint->width;
	struct list list = {};
	uint64_t signature;

	for (size_t i = 0; i < endpoint->devices; i++)
		add_place(follow, &list, endpoint, &endpoint->device[i], true);
	if (endpoint->width == 0 || (endpoint->devices == 0 && !told->is_guarded))
		expect_beside_peers(follow, &list, endpoint);
	signature = signature_of(&list, endpoint->changed_ns);
	if (told->is_guarded && told->signature == signature)
		return;
	if (guard_set(follow->guard, endpoint->id, list.place, list.count,
		      is_whole || endpoint->width == 0) >= 0)
		*told = (struct told){ .is_guarded = true, .signature = signature };
}

static void forget(struct follow *follow, uint32_t id, struct told *told)
{
	if (told->is_guarded)
		guard_forget(follow->guard, id);
	*told = (struct told){};
}

/* ---- wishes ---- */

/*
 * One that has lost a part of its devices for long will not get it back in this moment: the guard sees it come. One that a
 * command has just attached is whole, but it may have been born a moment before the command.
 */
static enum seeker_need need_of(const struct managed_endpoint *endpoint, uint64_t now_ns)
{
	if (endpoint->devices == 0 || managed_is_unclear(endpoint))
		return SEEKER_MISSES;
	if (now_ns >= endpoint->changed_ns + SETTLES_NS)
		return SEEKER_HAS;
	return endpoint->has_moved ? SEEKER_MISSES : SEEKER_CHECKS;
}

static void add_wish(struct seeker_wish *wish, const struct managed_endpoint *endpoint,
		     uint64_t now_ns)
{
	memset(wish, 0, sizeof(*wish)); /* they are compared as bytes */
	wish->endpoint = endpoint->id;
	wish->need = need_of(endpoint, now_ns);
	if (endpoint->devices == 0)
		wish->down_ns = endpoint->changed_ns;
	strcpy(wish->word, endpoint->word);
	strcpy(wish->container, endpoint->container);
	wish->sockets = endpoint->sockets;
}

static int make_room(struct follow *follow, size_t endpoints)
{
	struct told *more;

	if (endpoints <= follow->tolds)
		return 0;
	more = reallocarray(follow->told, endpoints, sizeof(*more));
	if (!more)
		return -ENOMEM;
	memset(more + follow->tolds, 0, (endpoints - follow->tolds) * sizeof(*more));
	follow->told = more;
	follow->tolds = endpoints;
	return 0;
}

void follow_update(struct follow *follow)
{
	_cleanup_(freep) struct stake *stake = collect_stakes(follow);
	size_t endpoints = managed_count(follow->managed), wishes = 0;
	_cleanup_(freep) struct seeker_wish *wish = calloc(endpoints + 1, sizeof(*wish));
	uint64_t now_ns = clock_now_ns();

	if (!stake || !wish || make_room(follow, endpoints) < 0)
		return;
	for (size_t i = 0; i < endpoints; i++)
		if (stake[i].in_fault || managed_at(follow->managed, i)->traced)
			add_wish(&wish[wishes++], managed_at(follow->managed, i), now_ns);
	seeker_ask(follow->seeker, wish, wishes); /* first: who is guarded is looked for */
	for (size_t i = 0; i < endpoints; i++)
		if (stake[i].in_cut)
			tell_guard(follow, managed_at(follow->managed, i), &follow->told[i]);
		else
			forget(follow, managed_at(follow->managed, i)->id, &follow->told[i]);
	leave_unused_hosts(follow);
}

/* ---- found ---- */

static void complain(struct follow *follow, const char *text)
{
	if (strcmp(follow->complaint, text) == 0)
		return;
	snprintf(follow->complaint, sizeof(follow->complaint), "%s", text);
	log_warn("%s", text);
}

static void take_found(struct follow *follow, uint32_t id, struct endpoint **found)
{
	char error[ENDPOINT_ERROR_MAX] = "it could not be attached";

	if (managed_found(follow->managed, id, found, error) < 0)
		complain(follow, error);
}

static void on_found(void *ctx, uint32_t events)
{
	struct follow *follow = ctx;
	uint64_t times;
	uint32_t id;

	if (read(follow->found_fd, &times, sizeof(times)) < 0 && errno != EAGAIN)
		log_warn("the seeker's eventfd: %s", strerror(errno));
	for (;;) {
		_cleanup_(endpoint_freep) struct endpoint *found = NULL;

		if (!seeker_take(follow->seeker, &id, &found))
			break;
		take_found(follow, id, &found);
	}
	follow_update(follow);
}

static void tell_found(void *ctx)
{
	struct follow *follow = ctx;
	const uint64_t one = 1;

	if (write(follow->found_fd, &one, sizeof(one)) < 0)
		log_debug("the loop knows already");
}

static void guard_has_news(void *ctx)
{
	struct follow *follow = ctx;

	seeker_hurry(follow->seeker);
}

/* ---- life ---- */

struct guard *follow_guard(struct follow *follow)
{
	return follow->guard;
}

int follow_new(const struct follow_options *options, struct follow **ret_follow)
{
	struct follow *follow = calloc(1, sizeof(*follow));
	int r;

	if (!follow)
		return -ENOMEM;
	follow->with = *options;
	for (size_t i = 0; i < HOSTS_MAX; i++)
		follow->host[i].netns = NETNS_NONE;
	follow->found_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	r = follow->found_fd < 0 ? -errno : 0;
	if (r >= 0)
		r = guard_start(
			&(struct guard_options){
				.devices = programs_devices(options->programs),
				.newcomers_fd =
					programs_map_fd(options->programs, PROGRAMS_NEWCOMERS),
				.news = guard_has_news,
				.ctx = follow,
			},
			&follow->guard);
	if (r >= 0) /* no news before somebody is guarded */
		r = seeker_start(&(struct seeker_options){ .guard = follow->guard,
							   .found = tell_found,
							   .ctx = follow },
				 &follow->seeker);
	if (r < 0) {
		follow_free(follow);
		return r;
	}
	*ret_follow = follow;
	return 0;
}

int follow_begin(struct follow *follow, struct managed *managed, const struct faults *faults)
{
	follow->managed = managed;
	follow->faults = faults;
	return loop_watch(follow->with.loop, follow->found_fd, EPOLLIN, on_found, follow);
}

/* The guard's news go to the seeker: it must be there until the guard has ended, which the seeker asks. */
void follow_free(struct follow *follow)
{
	if (!follow)
		return;
	loop_unwatch(follow->with.loop, follow->found_fd);
	if (follow->seeker)
		seeker_rest(follow->seeker);
	guard_end(follow->guard);
	seeker_end(follow->seeker);
	for (size_t i = 0; i < HOSTS_MAX; i++)
		if (follow->host[i].netns.fd >= 0)
			leave_host(follow, &follow->host[i]);
	closep(&follow->found_fd);
	free(follow->told);
	free(follow);
}
