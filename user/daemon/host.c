/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * host.c - see host.h.
 */
#include "daemon/host.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/epoll.h>

#include "base/cleanup.h"
#include "base/log.h"

#define HOSTS_MAX 64

struct host {
	struct netns netns; /* fd -1: free place */
	uint32_t tap; /* ifindex; 0: the hold engine does not serve it */
	struct attachment back; /* at the TAP's ingress, for what goes back where it had left */
	bool goes_back; /* it is wanted */
	size_t devices;
	struct netlink_watch *watch;
	bool is_reading; /* the watch is in use: it can't be closed now */
	bool has_other_addrs; /* they have changed, and nobody was told */
	struct hosts *hosts;
};

struct hosts {
	struct hosts_options with;
	struct host host[HOSTS_MAX];
};

static struct host *find_host(const struct hosts *hosts, struct netns_id id)
{
	for (size_t i = 0; i < HOSTS_MAX; i++)
		if (hosts->host[i].netns.fd >= 0 && netns_id_equal(hosts->host[i].netns.id, id))
			return (struct host *)&hosts->host[i];
	return NULL;
}

/* ---- the TAP ---- */

/* What it holds is let go on the way, so its program goes after it. */
static void remove_tap(struct hosts *hosts, struct host *host, uint32_t tap)
{
	hold_remove_netns(hosts->with.hold, host->netns.fd);
	programs_detach(&host->netns, tap, CLSACT_INGRESS, &host->back);
}

static int ready_tap(struct hosts *hosts, struct host *host)
{
	uint32_t tap = host->tap;
	int r = tap ? 0 : hold_add_netns(hosts->with.hold, host->netns.fd, &tap);

	if (r < 0)
		return r;
	host->tap = tap;
	if (host->goes_back && !host->back.is_attached)
		r = programs_attach_return(hosts->with.programs, &host->netns, tap, &host->back);
	return r;
}

/* Somebody deleted our TAP. Until there is another, packets pass undelayed rather than get lost. */
static void tap_gone(struct hosts *hosts, struct host *host)
{
	uint32_t tap = host->tap;

	log_warn("the hold engine's TAP was deleted; making another");
	host->tap = 0;
	hosts->with.tap_changed(hosts->with.ctx, host);
	remove_tap(hosts, host, tap);
	if (ready_tap(hosts, host) < 0)
		log_warn("it could not be made: delays are off in that namespace");
	hosts->with.tap_changed(hosts->with.ctx, host);
}

/* Somebody set it down: what is redirected to it would be lost. */
static void tap_changed(struct host *host, const struct netlink_link *link)
{
	_cleanup_(netlink_closep) struct netlink *nl = NULL;

	if (link->flags & IFF_UP)
		return;
	log_warn("the hold engine's TAP was set down; setting it up again");
	if (netlink_open(host->netns.fd, &nl) < 0 || netlink_set_up(nl, host->tap, true) < 0)
		log_warn("it could not be set up");
}

static void look_for_tap(struct hosts *hosts, struct host *host)
{
	_cleanup_(netlink_closep) struct netlink *nl = NULL;
	struct netlink_link link;

	if (host->tap && netlink_open(host->netns.fd, &nl) >= 0 &&
	    netlink_link_by_index(nl, host->tap, &link) == -ENODEV)
		tap_gone(hosts, host);
}

/* ---- news ---- */

static bool is_about_tap(const struct host *host, const struct netlink_link *link)
{
	return link && host->tap && host->tap == link->ifindex;
}

static void take_news(enum netlink_news news, const struct netlink_link *link, void *user)
{
	struct host *host = user;
	struct hosts *hosts = host->hosts;

	if (news == NETLINK_ADDRS_CHANGED)
		host->has_other_addrs = true; /* several of them are one piece of news */
	else if (news == NETLINK_LINK_NEW && is_about_tap(host, link))
		tap_changed(host, link);
	else if (news == NETLINK_LINK_REMOVED && is_about_tap(host, link))
		tap_gone(hosts, host);
	else
		hosts->with.news(hosts->with.ctx, host, news, link);
	if (news == NETLINK_NEWS_LOST)
		look_for_tap(hosts, host);
}

/* ---- open and close ---- */

static void close_host(struct hosts *hosts, struct host *host)
{
	if (host->tap)
		remove_tap(hosts, host, host->tap);
	programs_forget_netns(hosts->with.programs, &host->netns);
	loop_unwatch(hosts->with.loop, netlink_watch_fd(host->watch));
	netlink_watch_close(host->watch);
	netns_close(&host->netns);
	*host = (struct host){ .netns = NETNS_NONE };
}

static void read_news(void *ctx, uint32_t events)
{
	struct host *host = ctx;

	host->is_reading = true;
	netlink_watch_read(host->watch);
	if (host->has_other_addrs)
		host->hosts->with.news(host->hosts->with.ctx, host, NETLINK_ADDRS_CHANGED, NULL);
	host->has_other_addrs = false;
	host->is_reading = false;
	if (host->devices == 0)
		close_host(host->hosts, host);
}

static int open_host(struct hosts *hosts, struct host *host, const struct netns *netns)
{
	int r;

	r = netns_dup(netns, &host->netns);
	if (r < 0)
		return r;
	host->hosts = hosts;
	host->back.link_fd = -1;
	r = netlink_watch_open(netns->fd, true, take_news, host, &host->watch);
	if (r >= 0)
		r = loop_watch(hosts->with.loop, netlink_watch_fd(host->watch), EPOLLIN, read_news,
			       host);
	if (r >= 0)
		return 0;
	netlink_watch_closep(&host->watch);
	netns_close(&host->netns);
	return r;
}

int hosts_take(struct hosts *hosts, const struct netns *netns)
{
	struct host *host = find_host(hosts, netns->id);
	int r;

	for (size_t i = 0; !host && i < HOSTS_MAX; i++) {
		if (hosts->host[i].netns.fd >= 0)
			continue;
		r = open_host(hosts, &hosts->host[i], netns);
		if (r < 0)
			return r;
		host = &hosts->host[i];
	}
	if (!host)
		return -E2BIG;
	host->devices++;
	return 0;
}

void hosts_leave(struct hosts *hosts, struct netns_id id)
{
	struct host *host = find_host(hosts, id);

	if (host && --host->devices == 0 && !host->is_reading)
		close_host(hosts, host);
}

/* ---- asked ---- */

struct netns_id host_id(const struct host *host)
{
	return host->netns.id;
}

int host_netns_fd(const struct host *host)
{
	return host->netns.fd;
}

uint32_t hosts_tap(const struct hosts *hosts, struct netns_id id)
{
	const struct host *host = find_host(hosts, id);

	return host ? host->tap : 0;
}

int hosts_ready_tap(struct hosts *hosts, struct netns_id id)
{
	struct host *host = find_host(hosts, id);

	if (!hosts->with.hold)
		return -EOPNOTSUPP;
	return host ? ready_tap(hosts, host) : 0;
}

int hosts_ready_return(struct hosts *hosts, struct netns_id id)
{
	struct host *host = find_host(hosts, id);

	if (host)
		host->goes_back = true;
	return hosts_ready_tap(hosts, id);
}

int hosts_new(const struct hosts_options *options, struct hosts **ret_hosts)
{
	struct hosts *hosts = calloc(1, sizeof(*hosts));

	if (!hosts)
		return -ENOMEM;
	hosts->with = *options;
	for (size_t i = 0; i < HOSTS_MAX; i++)
		hosts->host[i].netns = NETNS_NONE;
	*ret_hosts = hosts;
	return 0;
}

void hosts_free(struct hosts *hosts)
{
	free(hosts);
}
