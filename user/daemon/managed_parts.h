/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * managed_parts.h - what the files of managed share, and nobody else needs.
 *
 *     managed.c           names, and the endpoints that they mean
 *     managed_attach.c    our programs on their devices
 *     managed_tell.c      what the programs are told of them
 *     managed_news.c      what the kernel tells of their devices
 *     managed_ask.c       questions
 */
#ifndef HF_DAEMON_MANAGED_PARTS_H
#define HF_DAEMON_MANAGED_PARTS_H

#include "daemon/managed.h"
#include "daemon/networks.h"
#include "daemon/outside.h"

struct managed {
	struct managed_options with;
	struct hosts *hosts;
	struct device_tools tools;
	struct networks networks;
	struct outside outside; /* what is told of it */
	bool knows_outside;
	struct endpoint_sockets sockets; /* of the request that is being answered */
	struct managed_endpoint **endpoint;
	size_t endpoints;
	uint32_t next_id;
};

/* managed.c */
struct managed_endpoint *managed_find_attached(struct managed *managed, struct netns_id netns);
void managed_name_waiting(const struct managed *managed, struct managed_endpoint *endpoint,
			  enum endpoint_kind kind, const char *name);
void managed_note_found(struct managed *managed, struct managed_endpoint *endpoint,
			const struct endpoint *now);

/* managed_attach.c */
void managed_drop_endpoint_devices(struct managed *managed, struct managed_endpoint *endpoint);
uint16_t managed_network_of(struct managed *managed, const struct managed_endpoint *endpoint,
			    const struct endpoint_interface *interface);
void managed_copy_addresses(const struct endpoint *from, struct managed_endpoint *to);
void managed_note_networks(struct managed *managed, const struct endpoint *from,
			   struct managed_endpoint *to);
bool managed_is_current(struct managed *managed, const struct managed_endpoint *endpoint,
			const struct endpoint *now);
void managed_tell_progress(const struct managed *managed);

/* managed_tell.c */
struct device_owner managed_owner_of(const struct managed_endpoint *endpoint);
int managed_tell_addresses(struct managed *managed, struct managed_endpoint *endpoint);
int managed_tell_namespace(struct managed *managed, const struct managed_endpoint *endpoint);
void managed_untell(struct managed *managed, const struct managed_endpoint *endpoint);
int managed_tell_outside(struct managed *managed);

/* managed_news.c */
void managed_tap_changed(void *ctx, const struct host *host);
bool managed_move_device(struct managed *managed, struct managed_endpoint *endpoint,
			 struct device *device, uint32_t master);
void managed_link_news(void *ctx, const struct host *host, enum netlink_news news,
		       const struct netlink_link *link);

/* managed_ask.c */
struct managed_endpoint *managed_find_mutable(const struct managed *managed, uint32_t id);

#endif
