/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * programs.h - the BPF objects in this process: load once, share the maps, attach to devices.
 *
 *   socket object   loaded once; owns the maps; its programs are attached while somebody traces
 *   link object     loaded once for each network namespace that has managed devices, on the same maps; the first of
 *                   them ahead, by a thread, so that the first attach waits for no verifier
 *
 * Attached by TCX where the kernel has it: the kernel detaches when this process dies. By clsact filter else, and
 * at an egress with an fq; then lease and deadlines keep a killed owner's filters inert until `clean`.
 */
#ifndef HF_LINK_PROGRAMS_H
#define HF_LINK_PROGRAMS_H

#include <stdbool.h>
#include <stdint.h>

#include "abi.h"
#include "link/clsact.h"
#include "link/devices.h"
#include "link/lanes.h"
#include "link/netns.h"
#include "link/probe.h"

struct programs;

/* The maps that the rest of the owner writes and reads. */
enum programs_map {
	PROGRAMS_NEWCOMERS,
	PROGRAMS_ADDRESSES,
	PROGRAMS_FAULTSET,
	PROGRAMS_DICE,
	PROGRAMS_COUNTS,
	PROGRAMS_NAMESPACES,
	PROGRAMS_EVENTS,
	PROGRAMS_LOST,
	PROGRAMS_MAPS
};

/* Loads the socket object and maps hf_board, with a stale lease and no tracing. -errno from libbpf. */
int programs_load(const struct probe *probe, struct programs **ret_programs);
void programs_free(struct programs *programs); /* detaches nothing by clsact: do that before */

int programs_map_fd(const struct programs *programs, enum programs_map map);
volatile struct hf_config *programs_config(const struct programs *programs);
/* Who is behind which interface, to be written by any thread. */
struct devices *programs_devices(const struct programs *programs);
/*
 * After each change of what is traced in programs_devices() or PROGRAMS_NAMESPACES: what processors have noted of them is
 * forgotten. The guard's rows are of nothing that is traced.
 */
void programs_told(const struct programs *programs);

/* HF_RETURN_SLOTS of them, mapped: for the hold engine. */
struct hf_return *programs_returns(const struct programs *programs);

/* The processors' lanes, mapped: for events_open(). */
struct lanes_shared programs_lanes(const struct programs *programs);

/* The namespace's number as maps know it: its inode. */
uint32_t programs_netns_number(const struct netns *netns);

/* One hook of one device. */
struct attachment {
	int link_fd; /* TCX; -1: clsact */
	bool made_clsact;
	uint32_t priority;
	bool is_attached;
};

/*
 * Attaches link_leave (ingress) or link_enter (egress). by_clsact: even where TCX is to be had. -EBUSY: an ingress
 * qdisc stands where clsact must. -EADDRINUSE: another owner that lives is at work there.
 */
int programs_attach(struct programs *programs, const struct netns *netns, uint32_t ifindex,
		    enum clsact_hook hook, bool by_clsact, struct attachment *ret_attachment);
/* The same inside an endpoint, where the directions are the other way round: link_enter (ingress), link_leave (egress). */
int programs_attach_inside(struct programs *programs, const struct netns *netns, uint32_t ifindex,
			   enum clsact_hook hook, struct attachment *ret_attachment);
/* Is the interface that it is attached to still there? By TCX alone. */
bool programs_is_attached(const struct attachment *attachment);
/* Attaches link_return at the ingress of a TAP of ours, which takes it along when it goes. */
int programs_attach_return(struct programs *programs, const struct netns *netns,
			   uint32_t tap_ifindex, struct attachment *ret_attachment);
/* Leaves *attachment detached; a device that has gone is no error. */
int programs_detach(const struct netns *netns, uint32_t ifindex, enum clsact_hook hook,
		    struct attachment *attachment);
/*
 * A program that is loaded for a namespace, for a thread that may not touch struct programs and is to attach at once:
 * nothing is looked up, no rival is looked for.
 */
struct program_hand {
	int prog_fd; /* owned copy; -1: none */
	bool has_tcx;
};
int programs_hand(struct programs *programs, const struct netns *netns, enum clsact_hook hook,
		  struct program_hand *ret_hand);
void program_hand_close(struct program_hand *hand);
int program_hand_attach(const struct program_hand *hand, int netns_fd, uint32_t ifindex,
			enum clsact_hook hook, struct attachment *ret_attachment);

/* No device is left there: the object is unloaded when another namespace's is loaded or forgotten. */
void programs_forget_netns(struct programs *programs, const struct netns *netns);

/* Attaches the programs that watch sockets; tells nothing until hf_config.tracing is set. */
int programs_watch_sockets(struct programs *programs);
void programs_unwatch_sockets(struct programs *programs);
/* Attaches what sees packets leave an fq. */
int programs_watch_fq(struct programs *programs);

#endif
