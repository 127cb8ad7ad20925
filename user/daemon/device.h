/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * device.h - one host-side veth of an endpoint: our programs on both of its hooks, its row in the map of devices, and
 * the delay engine at its egress.
 *
 * A device inside an endpoint (a macvlan or ipvlan) has no delay engine, and its namespace is not kept: a descriptor would
 * keep the container's network alive when the container has ended. Where it must be entered again, it is opened anew.
 */
#ifndef HF_DAEMON_DEVICE_H
#define HF_DAEMON_DEVICE_H

#include <net/if.h>
#include <stdbool.h>
#include <stdint.h>

#include "daemon/guard.h"
#include "daemon/host.h"
#include "endpoint/endpoint.h"
#include "link/programs.h"

struct device {
	struct netns netns; /* owned copy; inside: the id alone */
	bool is_inside;
	struct netns below; /* owned copy; inside: where the device is that it is on */
	char netns_name[NETNS_NAME_MAX +
			1]; /* inside: how to open the namespace again; "": by pid */
	pid_t pid;
	uint64_t start_time;
	uint32_t ifindex;
	uint32_t master; /* its bridge; 0: none */
	char ifname[IFNAMSIZ];
	enum hf_engine engine; /* of its egress */
	struct attachment hook[CLSACT_HOOKS];
	uint32_t fq_handle; /* 0: no fq of ours */
	uint64_t fq_delay_ns; /* what it is sized for */
	uint16_t network; /* its number, see networks.h; 0: none */
	uint64_t appeared_ns; /* when it was taken into quarantine; 0: it was not */
	uint64_t guarded_ns; /* since when that is complete: row and program, or by the owner */
};

/* What devices are worked on with. */
struct device_tools {
	struct programs *programs;
	struct hosts *hosts;
	struct guard *guard;
	enum hf_engine engine; /* what delays are to be done by */
};

/* Who is behind it. */
struct device_owner {
	uint32_t endpoint;
	bool traced;
	bool outward;
};

/* All or nothing; what the guard has of it already is taken over, without a gap. -EBUSY, -EADDRINUSE (another owner), -ENODEV, or what the kernel says. */
int device_attach(const struct device_tools *tools, const struct device_owner *owner,
		  const struct endpoint *endpoint, const struct endpoint_host_side *side,
		  uint16_t network, struct device *ret_device);
/* Takes programs, qdisc and row away; a device that has gone is no error. */
void device_detach(const struct device_tools *tools, struct device *device);

/* Its row in the map, anew: whose it is, what delays there. First the program at what leaves, when it is needed now. */
int device_tell(const struct device_tools *tools, struct device *device,
		const struct device_owner *owner);

/* Delays of up to delay_ns are to be made at its egress; tell it afterwards. ret_notice: see managed_ready_to_delay(). */
int device_ready_to_delay(const struct device_tools *tools, struct device *device,
			  uint64_t delay_ns, char *ret_notice);

/* Delays are to be made of what leaves by it: the hold engine alone can. -ENXIO: there is no TUN for it. */
int device_ready_to_delay_outward(const struct device_tools *tools, struct device *device);

/* The namespace of the host to which it belongs; fd -1: not known. */
const struct netns *device_host(const struct device *device);
/* Of one inside: nobody tells us when it goes. */
bool device_is_there(const struct device *device);

bool device_is(const struct device *device, struct netns_id netns, uint32_t ifindex);

#endif
