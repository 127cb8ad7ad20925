/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * guard.c - see guard.h: the two threads, and what others may ask of them.
 */
#include "daemon/guard.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/lock.h"
#include "base/log.h"
#include "base/priority.h"
#include "daemon/guard_held.h"

struct guard {
	struct guard_options with;
	struct guard_table table; /* under the lock, as all below */
	struct guard_host host[GUARD_HOSTS_MAX];
	bool is_ending;
	bool has_news; /* for guard_options.news */
	pthread_mutex_t lock;
	pthread_cond_t work; /* for the hands */
	pthread_t eyes, hands;
	int wake_fd; /* for the eyes: hosts or deadlines have changed */
};

static const struct guard_host no_host = {
	.netns = NETNS_NONE,
	.hand = { { .prog_fd = -1 }, { .prog_fd = -1 } },
};

static void wake_eyes(struct guard *guard)
{
	const uint64_t one = 1;

	if (write(guard->wake_fd, &one, sizeof(one)) < 0)
		log_debug("the guard is awake already");
}

static struct guard_host *find_host(struct guard *guard, struct netns_id id)
{
	for (size_t i = 0; i < GUARD_HOSTS_MAX; i++)
		if (guard->host[i].netns.fd >= 0 && netns_id_equal(guard->host[i].netns.id, id))
			return &guard->host[i];
	return NULL;
}

/* ---- what is there ---- */

static bool has_link(const struct guard_host *host, uint32_t ifindex)
{
	for (size_t i = 0; i < host->links; i++)
		if (host->link[i] == ifindex)
			return true;
	return false;
}

static void add_link(struct guard_host *host, uint32_t ifindex)
{
	uint32_t *more;

	if (host->links == host->room) {
		more = reallocarray(host->link, host->room + 64, sizeof(*more));
		if (!more)
			return;
		host->link = more;
		host->room += 64;
	}
	host->link[host->links++] = ifindex;
	if (ifindex > host->newest)
		host->newest = ifindex;
}

static void remove_link(struct guard_host *host, uint32_t ifindex)
{
	for (size_t i = 0; i < host->links; i++)
		if (host->link[i] == ifindex)
			host->link[i--] = host->link[--host->links];
}

/* ---- news ---- */

static void link_came(struct guard_host *host, const struct netlink_link *link)
{
	struct guard *guard = host->guard;
	struct held *held = held_find(&guard->table, host->netns.id, link->ifindex);

	if (!has_link(host, link->ifindex)) {
		held_consider(&guard->table, host, link); /* before it is no newcomer any more */
		add_link(host, link->ifindex);
		held_tell_newest(&guard->table, host);
	} else if (held) {
		held_reconsider(&guard->table, held, link);
	} else {
		places_moved(&guard->table.places, host->netns.id, link->ifindex, link->master);
		return;
	}
	guard->has_news = true;
}

/* The other end of a pair has gone to another namespace: this one is the host's end. */
static void peer_went(struct guard_host *host, uint32_t ifindex)
{
	struct guard_table *table = &host->guard->table;

	for (size_t i = 0; i < GUARD_HELD_MAX; i++) {
		struct held *held = &table->held[i];

		if (held->state == HELD_FREE || held->host != host ||
		    held->peer_ifindex != ifindex || held->peer_is_elsewhere)
			continue;
		held->peer_is_elsewhere = true;
		held_reconsider(table, held, NULL);
	}
}

static void link_went(struct guard_host *host, uint32_t ifindex)
{
	struct guard *guard = host->guard;
	struct held *held = held_find(&guard->table, host->netns.id, ifindex);

	remove_link(host, ifindex);
	if (held)
		held_forget(&guard->table, held);
	peer_went(host, ifindex);
	if (places_gone(&guard->table.places, host->netns.id, ifindex))
		held_reconsider_all(&guard->table);
	guard->has_news = true;
}

static bool is_listed(const struct netlink_link *link, size_t links, uint32_t ifindex)
{
	for (size_t i = 0; i < links; i++)
		if (link[i].ifindex == ifindex)
			return true;
	return false;
}

/* News were lost: what is there now is compared with what we know. */
static void look_again(struct guard_host *host)
{
	_cleanup_(netlink_closep) struct netlink *nl = NULL;
	_cleanup_(freep) struct netlink_link *link = NULL;
	size_t links = 0;

	if (netlink_open(host->netns.fd, &nl) < 0 || netlink_list_links(nl, &link, &links) < 0)
		return;
	for (size_t i = host->links; i > 0; i--)
		if (!is_listed(link, links, host->link[i - 1]))
			link_went(host, host->link[i - 1]);
	for (size_t i = 0; i < links; i++)
		link_came(host, &link[i]);
}

static void take_news(enum netlink_news news, const struct netlink_link *link, void *user)
{
	struct guard_host *host = user;

	if (news == NETLINK_NEWS_LOST)
		look_again(host);
	else if (news == NETLINK_LINK_NEW)
		link_came(host, link);
	else
		link_went(host, link->ifindex);
}

/* ---- the eyes ---- */

static size_t collect_fds(struct guard *guard, struct pollfd *fd)
{
	size_t count = 0;

	fd[count++] = (struct pollfd){ .fd = guard->wake_fd, .events = POLLIN };
	for (size_t i = 0; i < GUARD_HOSTS_MAX; i++)
		if (guard->host[i].netns.fd >= 0)
			fd[count++] = (struct pollfd){ .fd = netlink_watch_fd(guard->host[i].watch),
						       .events = POLLIN };
	return count;
}

static int wait_ms(uint64_t next_ns)
{
	uint64_t now_ns = clock_now_ns();

	if (next_ns == UINT64_MAX)
		return -1;
	return next_ns <= now_ns ? 0 : (int)((next_ns - now_ns) / 1000000 + 1);
}

/* One look at everything; returns when the next is due at the latest. */
static uint64_t look(struct guard *guard)
{
	uint64_t next_ns, times;
	bool has_news;

	pthread_mutex_lock(&guard->lock);
	if (read(guard->wake_fd, &times, sizeof(times)) < 0 && errno != EAGAIN)
		log_debug("the guard's eventfd: %s", strerror(errno));
	for (size_t i = 0; i < GUARD_HOSTS_MAX; i++)
		if (guard->host[i].netns.fd >= 0)
			netlink_watch_read(guard->host[i].watch);
	next_ns = held_expire(&guard->table, clock_now_ns());
	pthread_cond_signal(&guard->work);
	has_news = guard->has_news;
	guard->has_news = false;
	pthread_mutex_unlock(&guard->lock);
	if (has_news)
		guard->with.news(guard->with.ctx);
	return next_ns;
}

static bool must_end(struct guard *guard)
{
	bool is_ending;

	pthread_mutex_lock(&guard->lock);
	is_ending = guard->is_ending;
	pthread_mutex_unlock(&guard->lock);
	return is_ending;
}

static void *watch(void *argument)
{
	struct pollfd fd[GUARD_HOSTS_MAX + 1];
	struct guard *guard = argument;
	uint64_t next_ns = UINT64_MAX;
	size_t fds;

	priority_first();
	while (!must_end(guard)) {
		pthread_mutex_lock(&guard->lock);
		fds = collect_fds(guard, fd);
		pthread_mutex_unlock(&guard->lock);
		poll(fd, fds, wait_ms(next_ns));
		next_ns = look(guard);
	}
	return NULL;
}

/* ---- the hands ---- */

/* A program that is to be attached somewhere. */
static struct held *next_job(struct guard *guard, enum clsact_hook at)
{
	for (size_t i = 0; i < GUARD_HELD_MAX; i++)
		if (guard->table.held[i].state != HELD_FREE &&
		    guard->table.held[i].program[at] == PROGRAM_WANTED)
			return &guard->table.held[i];
	return NULL;
}

/* The lock is let go while the kernel works. The veth may be gone, or somebody else's, when it is done. */
static void attach(struct guard *guard, struct held *held, enum clsact_hook at)
{
	_cleanup_(netns_close) struct netns netns = NETNS_NONE;
	struct program_hand hand = held->host->hand[at];
	struct attachment hook = { .link_fd = -1 };
	uint32_t ifindex = held->ifindex;
	int r;

	held->program[at] = PROGRAM_IN_WORK;
	r = netns_dup(&held->host->netns, &netns);
	hand.prog_fd = fcntl(hand.prog_fd, F_DUPFD_CLOEXEC, 3);
	pthread_mutex_unlock(&guard->lock);
	if (r >= 0)
		r = hand.prog_fd < 0 ? -EMFILE
				     : program_hand_attach(&hand, netns.fd, ifindex, at, &hook);
	program_hand_close(&hand);
	pthread_mutex_lock(&guard->lock);
	held = r == -ENODEV ? NULL : held_find(&guard->table, netns.id, ifindex);
	if (held && held->program[at] == PROGRAM_IN_WORK)
		held_attached(&guard->table, held, at, r, &hook);
	else
		held_throw_away(&guard->table, &netns, ifindex, at, &hook);
	guard->has_news = true;
	wake_eyes(guard);
}

static void detach_one(struct guard *guard)
{
	struct guard_garbage garbage = guard->table.garbage[--guard->table.garbages];

	pthread_mutex_unlock(&guard->lock);
	programs_detach(&garbage.netns, garbage.ifindex, garbage.at, &garbage.hook);
	netns_close(&garbage.netns);
	pthread_mutex_lock(&guard->lock);
}

static void *work(void *argument)
{
	struct guard *guard = argument;
	struct held *enter, *leave;

	priority_first();
	pthread_mutex_lock(&guard->lock);
	while (!guard->is_ending) {
		enter = next_job(guard, CLSACT_EGRESS);
		leave = next_job(guard, CLSACT_INGRESS);
		if (enter)
			attach(guard, enter, CLSACT_EGRESS);
		else if (leave)
			attach(guard, leave, CLSACT_INGRESS);
		else if (guard->table.garbages)
			detach_one(guard);
		else
			pthread_cond_wait(&guard->work, &guard->lock);
	}
	pthread_mutex_unlock(&guard->lock);
	return NULL;
}

/* ---- asked by others ---- */

static void list_links(struct guard_host *host)
{
	_cleanup_(netlink_closep) struct netlink *nl = NULL;
	_cleanup_(freep) struct netlink_link *link = NULL;
	size_t links = 0;

	if (netlink_open(host->netns.fd, &nl) < 0 || netlink_list_links(nl, &link, &links) < 0)
		return;
	for (size_t i = 0; i < links; i++)
		add_link(host, link[i].ifindex);
}

static void close_host(struct guard *guard, struct guard_host *host)
{
	for (size_t i = 0; i < GUARD_HELD_MAX; i++)
		if (guard->table.held[i].state != HELD_FREE && guard->table.held[i].host == host)
			held_forget(&guard->table, &guard->table.held[i]);
	netlink_watch_close(host->watch);
	for (int at = 0; at < CLSACT_HOOKS; at++)
		program_hand_close(&host->hand[at]);
	netns_close(&host->netns);
	free(host->link);
	*host = no_host;
}

static int open_host(struct guard *guard, const struct netns *netns,
		     const struct program_hand *hand)
{
	struct guard_host *host = NULL;
	int r;

	for (size_t i = 0; i < GUARD_HOSTS_MAX && !host; i++)
		if (guard->host[i].netns.fd < 0)
			host = &guard->host[i];
	if (!host)
		return -E2BIG;
	r = netns_dup(netns, &host->netns);
	if (r < 0)
		return r;
	host->guard = guard;
	for (int at = 0; at < CLSACT_HOOKS && r >= 0; at++) {
		host->hand[at] = hand[at];
		host->hand[at].prog_fd = fcntl(hand[at].prog_fd, F_DUPFD_CLOEXEC, 3);
		r = host->hand[at].prog_fd < 0 ? -errno : 0;
	}
	if (r >= 0) /* the news first: what comes between the two is known then, and no news */
		r = netlink_watch_open(netns->fd, false, take_news, host, &host->watch);
	if (r >= 0)
		list_links(host);
	else
		close_host(guard, host);
	return r;
}

int guard_watch(struct guard *guard, const struct netns *netns, const struct program_hand *hand,
		uint32_t tap)
{
	struct guard_host *host;
	int r = 0;

	pthread_mutex_lock(&guard->lock);
	if (!find_host(guard, netns->id))
		r = open_host(guard, netns, hand);
	host = find_host(guard, netns->id);
	if (host)
		host->tap = tap;
	wake_eyes(guard);
	pthread_mutex_unlock(&guard->lock);
	return r;
}

void guard_unwatch_unused(struct guard *guard)
{
	bool any_went = false;

	pthread_mutex_lock(&guard->lock);
	for (size_t i = 0; i < GUARD_HOSTS_MAX; i++)
		if (guard->host[i].netns.fd >= 0 &&
		    !places_have_netns(&guard->table.places, guard->host[i].netns.id)) {
			close_host(guard, &guard->host[i]);
			any_went = true;
		}
	if (any_went)
		wake_eyes(guard);
	pthread_mutex_unlock(&guard->lock);
}

static void tell_newest_everywhere(struct guard *guard)
{
	for (size_t i = 0; i < GUARD_HOSTS_MAX; i++)
		if (guard->host[i].netns.fd >= 0)
			held_tell_newest(&guard->table, &guard->host[i]);
}

bool guard_watches(struct guard *guard, struct netns_id netns)
{
	bool watches;

	pthread_mutex_lock(&guard->lock);
	watches = find_host(guard, netns) != NULL;
	pthread_mutex_unlock(&guard->lock);
	return watches;
}

/* It may have gone before we were told that it was there. */
static void mark_vacant(struct guard *guard, uint32_t endpoint)
{
	struct places *places = &guard->table.places;

	for (size_t i = 0; i < places->count; i++) {
		struct place *place = &places->place[i];
		const struct guard_host *host = find_host(guard, place->netns);

		if (place->endpoint == endpoint && host && !has_link(host, place->ifindex))
			place->is_vacant = true;
	}
}

int guard_set(struct guard *guard, uint32_t endpoint, const struct place *now, size_t count,
	      bool is_whole)
{
	int r;

	pthread_mutex_lock(&guard->lock);
	r = places_set(&guard->table.places, endpoint, now, count, is_whole);
	mark_vacant(guard, endpoint);
	tell_newest_everywhere(guard);
	held_reconsider_all(&guard->table);
	wake_eyes(guard);
	pthread_mutex_unlock(&guard->lock);
	return r;
}

void guard_forget(struct guard *guard, uint32_t endpoint)
{
	pthread_mutex_lock(&guard->lock);
	places_forget(&guard->table.places, endpoint);
	tell_newest_everywhere(guard);
	held_reconsider_all(&guard->table);
	wake_eyes(guard);
	pthread_mutex_unlock(&guard->lock);
}

bool guard_misses(struct guard *guard, uint32_t endpoint)
{
	bool misses = false;

	pthread_mutex_lock(&guard->lock);
	for (size_t i = 0; i < guard->table.places.count; i++)
		misses |= guard->table.places.place[i].endpoint == endpoint &&
			  guard->table.places.place[i].is_vacant;
	pthread_mutex_unlock(&guard->lock);
	return misses;
}

size_t guard_questions(struct guard *guard, struct guard_question *ret_question, size_t max)
{
	size_t count = 0;

	pthread_mutex_lock(&guard->lock);
	for (size_t i = 0; i < GUARD_HELD_MAX && count < max; i++) {
		const struct held *held = &guard->table.held[i];

		if ((held->state != HELD_UNKNOWN && held->state != HELD_EXPIRED) ||
		    !held->peer_is_elsewhere ||
		    netns_dup(&held->host->netns, &ret_question[count].netns) < 0)
			continue;
		ret_question[count++].ifindex = held->ifindex;
	}
	pthread_mutex_unlock(&guard->lock);
	return count;
}

void guard_settle(struct guard *guard, struct netns_id netns, uint32_t ifindex, uint32_t endpoint)
{
	struct held *held;

	pthread_mutex_lock(&guard->lock);
	held = held_find(&guard->table, netns, ifindex);
	if (held) {
		held_settle(&guard->table, held, endpoint);
		wake_eyes(guard);
	}
	pthread_mutex_unlock(&guard->lock);
}

void guard_release(struct guard *guard, struct netns_id netns, uint32_t ifindex)
{
	struct held *held;

	pthread_mutex_lock(&guard->lock);
	held = held_find(&guard->table, netns, ifindex);
	if (held && held->state != HELD_SETTLED)
		held_release(&guard->table, held);
	pthread_mutex_unlock(&guard->lock);
}

bool guard_adopt(struct guard *guard, struct netns_id netns, uint32_t ifindex,
		 struct guard_adoption *ret_adoption)
{
	struct held *held;

	pthread_mutex_lock(&guard->lock);
	held = held_find(&guard->table, netns, ifindex);
	if (held) {
		if (held->state == HELD_UNKNOWN && held->is_counted)
			guard->table.stats.identified++;
		*ret_adoption = (struct guard_adoption){
			.hook = { held->hook[0], held->hook[1] },
			.seen_ns = held->seen_ns,
			.row_ns = held->row_ns,
			.program_ns = held->program_ns,
		};
		held_make_free(held);
	}
	pthread_mutex_unlock(&guard->lock);
	return held != NULL;
}

void guard_stats(struct guard *guard, struct guard_stats *ret_stats)
{
	pthread_mutex_lock(&guard->lock);
	*ret_stats = guard->table.stats;
	ret_stats->held = 0;
	for (size_t i = 0; i < GUARD_HELD_MAX; i++)
		ret_stats->held += guard->table.held[i].state == HELD_UNKNOWN &&
				   guard->table.held[i].is_counted;
	pthread_mutex_unlock(&guard->lock);
}

/* ---- life ---- */

static void free_guard(struct guard *guard)
{
	closep(&guard->wake_fd);
	pthread_cond_destroy(&guard->work);
	pthread_mutex_destroy(&guard->lock);
	free(guard);
}

static int start_threads(struct guard *guard)
{
	int r = pthread_create(&guard->eyes, NULL, watch, guard);

	if (r != 0)
		return -r;
	r = pthread_create(&guard->hands, NULL, work, guard);
	if (r == 0)
		return 0;
	pthread_mutex_lock(&guard->lock);
	guard->is_ending = true;
	wake_eyes(guard);
	pthread_mutex_unlock(&guard->lock);
	pthread_join(guard->eyes, NULL);
	return -r;
}

void guard_end(struct guard *guard)
{
	if (!guard)
		return;
	pthread_mutex_lock(&guard->lock);
	guard->is_ending = true;
	wake_eyes(guard);
	pthread_cond_signal(&guard->work);
	pthread_mutex_unlock(&guard->lock);
	pthread_join(guard->eyes, NULL);
	pthread_join(guard->hands, NULL);
	pthread_mutex_lock(&guard->lock);
	for (size_t i = 0; i < GUARD_HOSTS_MAX; i++)
		if (guard->host[i].netns.fd >= 0)
			close_host(guard, &guard->host[i]);
	while (guard->table.garbages)
		detach_one(guard);
	pthread_mutex_unlock(&guard->lock);
	places_done(&guard->table.places);
	free_guard(guard);
}

int guard_start(const struct guard_options *options, struct guard **ret_guard)
{
	struct guard *guard = calloc(1, sizeof(*guard));
	int r;

	if (!guard)
		return -ENOMEM;
	guard->with = *options;
	guard->table.devices = options->devices;
	guard->table.newcomers_fd = options->newcomers_fd;
	for (size_t i = 0; i < GUARD_HOSTS_MAX; i++)
		guard->host[i] = no_host;
	lock_init(&guard->lock);
	pthread_cond_init(&guard->work, NULL);
	guard->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	r = guard->wake_fd < 0 ? -errno : start_threads(guard);
	if (r < 0) {
		free_guard(guard);
		return r;
	}
	*ret_guard = guard;
	return 0;
}
