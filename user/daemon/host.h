/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * host.h - the network namespaces in which managed devices lie: each is watched for news of its links, and has a TAP of
 * the hold engine when delays are made there.
 *
 *     first device there --take--> open, watched      last one gone --leave--> TAP removed, programs unloaded, let go
 *
 * An open descriptor keeps a namespace alive: so it is let go as soon as nothing of ours is in it.
 */
#ifndef HF_DAEMON_HOST_H
#define HF_DAEMON_HOST_H

#include <stdint.h>

#include "daemon/loop.h"
#include "hold/hold.h"
#include "link/netlink.h"
#include "link/netns.h"
#include "link/programs.h"

struct hosts;
struct host;

struct hosts_options {
	struct programs *programs;
	struct hold *hold; /* NULL: no TUN here */
	struct loop *loop;
	/* A link that is none of ours, as netlink_watch tells it; NETLINK_NEWS_LOST: look again; ADDRS_CHANGED: some. May take and leave hosts. */
	void (*news)(void *ctx, const struct host *host, enum netlink_news news,
		     const struct netlink_link *link);
	/* The TAP is another one now, or none: tell the devices there. */
	void (*tap_changed)(void *ctx, const struct host *host);
	void *ctx;
};

int hosts_new(const struct hosts_options *options, struct hosts **ret_hosts);
void hosts_free(struct hosts *hosts); /* all must have been left */

/* One more device there. -E2BIG: too many namespaces, or what opening says. */
int hosts_take(struct hosts *hosts, const struct netns *netns);
/* One less. */
void hosts_leave(struct hosts *hosts, struct netns_id id);

struct netns_id host_id(const struct host *host);
int host_netns_fd(const struct host *host);

/* The ifindex of the TAP there; 0: the hold engine does not serve it. */
uint32_t hosts_tap(const struct hosts *hosts, struct netns_id id);
/* Makes the TAP, if there is none yet. -EOPNOTSUPP: no TUN. */
int hosts_ready_tap(struct hosts *hosts, struct netns_id id);
/* The same; and what had left a device there can be given back to it. */
int hosts_ready_return(struct hosts *hosts, struct netns_id id);

#endif
