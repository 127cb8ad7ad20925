/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * programs.c - see programs.h. Nothing here is pinned: what this process loaded goes with it.
 */
#include "link/programs.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "link/grace.h"
#include "link/link_object.h"
#include "link/netlink.h"
#include "link/rival.h"
#include "link/shared_map.h"
#include "socket.skel.h"

#define NETNS_MAX	 64
#define TCX_INGRESS	 46 /* enum bpf_attach_type, Linux 6.6; newer than our libbpf */
#define TCX_EGRESS	 47
#define SOCKET_LINKS_MAX 8

/* A link object and the namespace that it is for. */
struct loaded_link {
	struct netns_id netns;
	struct link_bpf *object;
	bool is_idle; /* no device is left there: kept, as one may come again in a moment */
	/*
	 * It has served interfaces inside endpoints alone, and by TCX: so where it is idle no processor runs it any more, and
	 * nobody else can attach it. Then it may serve another namespace.
	 */
	bool is_inside;
};

struct programs {
	struct socket_bpf *socket;
	struct hf_board *board; /* mapped */
	struct hf_return *returns; /* mapped */
	struct devices *devices;
	struct hf_lane_slots *slots; /* mapped */
	struct link_object_ahead *ahead; /* for the first namespace; NULL: it has been taken */
	struct loaded_link link[NETNS_MAX];
	unsigned int links;
	struct bpf_link *watch[SOCKET_LINKS_MAX];
	unsigned int watches;
	struct bpf_link *fq_watch;
	bool has_tcx;
	uint32_t config_map_id;
};

/* libbpf's own messages would tell each failure a second time. */
static int be_silent(enum libbpf_print_level level, const char *format, va_list args)
{
	if (getenv("HOPFAULT_LIBBPF_DEBUG"))
		return vfprintf(stderr, format, args);
	return 0;
}

static void choose_socket_programs(struct socket_bpf *socket, const struct probe *probe)
{
	struct bpf_program *program;
	bool traces = probe_can_trace(probe);

	bpf_object__for_each_program(program, socket->obj)
		bpf_program__set_autoload(program, false);
	if (probe->tracepoints) {
		bpf_program__set_autoload(socket->progs.state_changes, traces);
		bpf_program__set_autoload(socket->progs.sent_again, traces);
		bpf_program__set_autoload(socket->progs.left_fq, true);
	}
	if (probe->send_tracepoint)
		bpf_program__set_autoload(socket->progs.send_by_tracepoint, traces);
	else if (probe->fentry)
		bpf_program__set_autoload(socket->progs.send_by_fentry, traces);
	if (probe->receive_tracepoint)
		bpf_program__set_autoload(socket->progs.receive_by_tracepoint, traces);
	else if (probe->fentry)
		bpf_program__set_autoload(socket->progs.receive_by_fexit, traces);
	socket->rodata->tcp_recvmsg_args = probe->tcp_recvmsg_args;
}

static uint32_t map_id(const struct bpf_map *map)
{
	struct bpf_map_info info = {};
	__u32 size = sizeof(info);

	return bpf_obj_get_info_by_fd(bpf_map__fd(map), &info, &size) == 0 ? info.id : 0;
}

#define RETURNS_BYTES (HF_RETURN_SLOTS * sizeof(struct hf_return))

/* A lane for each processor that there may be, as far as lanes go. */
static void choose_lanes(struct socket_bpf *socket)
{
	int cpus = libbpf_num_possible_cpus();

	if (cpus > 0 && cpus < HF_LANES_MAX)
		bpf_map__set_max_entries(socket->maps.lanes, (__u32)cpus);
}

static size_t slots_bytes(const struct programs *programs)
{
	return bpf_map__max_entries(programs->socket->maps.lanes) * sizeof(struct hf_lane_slots);
}

int programs_load(const struct probe *probe, struct programs **ret_programs)
{
	struct programs *programs = calloc(1, sizeof(*programs));
	int r;

	if (!programs)
		return -ENOMEM;
	libbpf_set_print(be_silent);
	libbpf_set_strict_mode(LIBBPF_STRICT_ALL);
	programs->has_tcx = probe->tcx;
	programs->socket = socket_bpf__open();
	if (!programs->socket) {
		r = -errno;
		goto fail;
	}
	choose_socket_programs(programs->socket, probe);
	choose_lanes(programs->socket);
	r = socket_bpf__load(programs->socket);
	if (r < 0)
		goto fail;
	r = shared_map(programs->socket->maps.config, sizeof(struct hf_board),
		       (void **)&programs->board);
	if (r >= 0)
		r = shared_map(programs->socket->maps.returns, RETURNS_BYTES,
			       (void **)&programs->returns);
	if (r >= 0)
		r = devices_open(programs->socket->maps.devices,
				 programs->socket->maps.device_slots, &programs->devices);
	if (r >= 0)
		r = shared_map(programs->socket->maps.lanes, slots_bytes(programs),
			       (void **)&programs->slots);
	if (r < 0)
		goto fail;
	programs->config_map_id = map_id(programs->socket->maps.config);
	r = link_object_ahead_start(programs->socket, &programs->ahead);
	if (r < 0)
		goto fail;
	*ret_programs = programs;
	return 0;
fail:
	programs_free(programs);
	return r;
}

void programs_free(struct programs *programs)
{
	if (!programs)
		return;
	link_object_ahead_end(&programs->ahead);
	programs_unwatch_sockets(programs);
	bpf_link__destroy(programs->fq_watch);
	for (unsigned int i = 0; i < programs->links; i++)
		link_bpf__destroy(programs->link[i].object);
	if (programs->board)
		munmap(programs->board, sizeof(struct hf_board));
	devices_close(programs->devices);
	if (programs->returns)
		munmap(programs->returns, RETURNS_BYTES);
	if (programs->slots)
		munmap(programs->slots, slots_bytes(programs));
	socket_bpf__destroy(programs->socket);
	free(programs);
}

int programs_map_fd(const struct programs *programs, enum programs_map map)
{
	const struct bpf_map *const maps[] = {
		[PROGRAMS_NEWCOMERS] = programs->socket->maps.newcomers,
		[PROGRAMS_ADDRESSES] = programs->socket->maps.addresses,
		[PROGRAMS_FAULTSET] = programs->socket->maps.faultset,
		[PROGRAMS_DICE] = programs->socket->maps.dice,
		[PROGRAMS_COUNTS] = programs->socket->maps.counts,
		[PROGRAMS_NAMESPACES] = programs->socket->maps.namespaces,
		[PROGRAMS_EVENTS] = programs->socket->maps.events,
		[PROGRAMS_LOST] = programs->socket->maps.lost,
	};

	return bpf_map__fd(maps[map]);
}

volatile struct hf_config *programs_config(const struct programs *programs)
{
	return &programs->board->config;
}

struct devices *programs_devices(const struct programs *programs)
{
	return programs->devices;
}

void programs_told(const struct programs *programs)
{
	__atomic_add_fetch(&programs->board->config.edition, 1, __ATOMIC_RELEASE);
}

struct hf_return *programs_returns(const struct programs *programs)
{
	return programs->returns;
}

struct lanes_shared programs_lanes(const struct programs *programs)
{
	return (struct lanes_shared){ .lane = programs->board->lane,
				      .slots = programs->slots,
				      .count = bpf_map__max_entries(programs->socket->maps.lanes) };
}

uint32_t programs_netns_number(const struct netns *netns)
{
	return (uint32_t)netns->id.ino;
}

static struct loaded_link *find_link(struct programs *programs, struct netns_id id)
{
	for (unsigned int i = 0; i < programs->links; i++)
		if (netns_id_equal(programs->link[i].netns, id))
			return &programs->link[i];
	return NULL;
}

static void unload_idle(struct programs *programs)
{
	for (unsigned int i = programs->links; i-- > 0;) {
		if (!programs->link[i].is_idle)
			continue;
		link_bpf__destroy(programs->link[i].object);
		programs->link[i] = programs->link[--programs->links];
	}
}

static struct loaded_link *find_idle_inside(struct programs *programs)
{
	for (unsigned int i = 0; i < programs->links; i++)
		if (programs->link[i].is_idle && programs->link[i].is_inside)
			return &programs->link[i];
	return NULL;
}

static void give_to(struct loaded_link *link, const struct netns *netns, bool inside)
{
	link->netns = netns->id;
	link->object->bss->netns_id = programs_netns_number(netns);
	link->is_idle = false;
	link->is_inside &= inside;
}

/*
 * What is there already for this namespace; else, inside, what is idle: a container that is restarted has a new namespace,
 * and the verifier's tens of milliseconds are long for one that is cut. NULL: neither.
 */
static struct loaded_link *find_loaded(struct programs *programs, const struct netns *netns,
				       bool inside)
{
	struct loaded_link *have = find_link(programs, netns->id);

	return have || !inside ? have : find_idle_inside(programs);
}

static int load_link(struct programs *programs, const struct netns *netns, bool inside,
		     struct link_bpf **ret_object)
{
	struct loaded_link *have = find_loaded(programs, netns, inside);
	struct link_bpf *object;
	int r;

	if (have) {
		give_to(have, netns, inside);
		*ret_object = have->object;
		return 0;
	}
	unload_idle(programs);
	if (programs->links == NETNS_MAX)
		return -E2BIG;
	if (programs->ahead)
		r = link_object_ahead_take(&programs->ahead, &object);
	else
		r = link_object_load(programs->socket, &object);
	if (r < 0)
		return r;
	have = &programs->link[programs->links++];
	*have = (struct loaded_link){ .object = object, .is_inside = programs->has_tcx };
	give_to(have, netns, inside);
	*ret_object = object;
	return 0;
}

void programs_forget_netns(struct programs *programs, const struct netns *netns)
{
	struct loaded_link *have = find_link(programs, netns->id);

	if (!have)
		return;
	unload_idle(programs);
	have = find_link(programs, netns->id); /* the table has moved */
	have->is_idle = true;
}

/* In the device's namespace. -EADDRINUSE: another owner is at work there. */
static int refuse_rival(const struct programs *programs, uint32_t ifindex)
{
	_cleanup_(netlink_closep) struct netlink *nl = NULL;
	int r;

	r = netlink_open(-1, &nl);
	if (r < 0)
		return r;
	return rival_is_on_device(nl, ifindex, programs->config_map_id) ? -EADDRINUSE : 0;
}

static int attach_clsact(uint32_t ifindex, enum clsact_hook hook, int prog_fd,
			 struct attachment *attachment)
{
	_cleanup_(netlink_closep) struct netlink *nl = NULL;
	int r;

	r = netlink_open(-1, &nl);
	if (r < 0)
		return r;
	return clsact_attach(nl, ifindex, hook, prog_fd, &attachment->made_clsact,
			     &attachment->priority);
}

static int program_fd(const struct link_bpf *object, enum clsact_hook hook)
{
	return bpf_program__fd(hook == CLSACT_INGRESS ? object->progs.link_leave
						      : object->progs.link_enter);
}

/* An ifindex is looked up in the namespace that the thread is in. */
static int attach_here(int prog_fd, uint32_t ifindex, enum clsact_hook hook, bool by_tcx,
		       struct attachment *ret_attachment)
{
	struct attachment attachment = { .link_fd = -1, .is_attached = true };
	int r;

	if (by_tcx) {
		grace_hurry();
		r = bpf_link_create(prog_fd, (int)ifindex,
				    hook == CLSACT_INGRESS ? TCX_INGRESS : TCX_EGRESS, NULL);
		grace_ease();
		attachment.link_fd = r;
	} else {
		r = attach_clsact(ifindex, hook, prog_fd, &attachment);
	}
	if (r >= 0)
		*ret_attachment = attachment;
	return r < 0 ? r : 0;
}

/* A program of an object that is loaded for this namespace. */
static int attach(const struct programs *programs, const struct netns *netns, uint32_t ifindex,
		  enum clsact_hook hook, bool by_tcx, int prog_fd,
		  struct attachment *ret_attachment)
{
	struct attachment attachment = { .link_fd = -1 };
	int previous, r, left;

	r = netns_enter(netns->fd, &previous);
	if (r < 0)
		return r;
	r = refuse_rival(programs, ifindex);
	if (r >= 0)
		r = attach_here(prog_fd, ifindex, hook, by_tcx, &attachment);
	left = netns_leave(&previous);
	if (r < 0)
		return r;
	*ret_attachment = attachment;
	return left;
}

int programs_attach(struct programs *programs, const struct netns *netns, uint32_t ifindex,
		    enum clsact_hook hook, bool by_clsact, struct attachment *ret_attachment)
{
	struct link_bpf *object = NULL;
	int r = load_link(programs, netns, false, &object);

	return r < 0 ? r
		     : attach(programs, netns, ifindex, hook, programs->has_tcx && !by_clsact,
			      program_fd(object, hook), ret_attachment);
}

int programs_attach_inside(struct programs *programs, const struct netns *netns, uint32_t ifindex,
			   enum clsact_hook hook, struct attachment *ret_attachment)
{
	enum clsact_hook mirrored = hook == CLSACT_INGRESS ? CLSACT_EGRESS : CLSACT_INGRESS;
	struct link_bpf *object = NULL;
	int r = load_link(programs, netns, true, &object);

	return r < 0 ? r
		     : attach(programs, netns, ifindex, hook, programs->has_tcx,
			      program_fd(object, mirrored), ret_attachment);
}

int programs_attach_return(struct programs *programs, const struct netns *netns,
			   uint32_t tap_ifindex, struct attachment *ret_attachment)
{
	struct link_bpf *object = NULL;
	int r = load_link(programs, netns, false, &object);

	return r < 0 ? r
		     : attach(programs, netns, tap_ifindex, CLSACT_INGRESS, programs->has_tcx,
			      bpf_program__fd(object->progs.link_return), ret_attachment);
}

/* Of a TCX link it is the first number, as of an XDP link: a struct of Linux 6.6 that these headers don't know. */
bool programs_is_attached(const struct attachment *attachment)
{
	struct bpf_link_info info = {};
	__u32 size = sizeof(info);

	return bpf_obj_get_info_by_fd(attachment->link_fd, &info, &size) == 0 &&
	       info.xdp.ifindex != 0;
}

int programs_hand(struct programs *programs, const struct netns *netns, enum clsact_hook hook,
		  struct program_hand *ret_hand)
{
	struct link_bpf *object = NULL;
	int fd, r;

	r = load_link(programs, netns, false, &object);
	if (r < 0)
		return r;
	fd = fcntl(program_fd(object, hook), F_DUPFD_CLOEXEC, 3);
	if (fd < 0)
		return -errno;
	*ret_hand = (struct program_hand){ .prog_fd = fd, .has_tcx = programs->has_tcx };
	return 0;
}

void program_hand_close(struct program_hand *hand)
{
	closep(&hand->prog_fd);
	hand->prog_fd = -1;
}

int program_hand_attach(const struct program_hand *hand, int netns_fd, uint32_t ifindex,
			enum clsact_hook hook, struct attachment *ret_attachment)
{
	int previous, r, left;

	r = netns_enter(netns_fd, &previous);
	if (r < 0)
		return r;
	r = attach_here(hand->prog_fd, ifindex, hook, hand->has_tcx, ret_attachment);
	left = netns_leave(&previous);
	return r < 0 ? r : left;
}

static int detach_clsact(uint32_t ifindex, enum clsact_hook hook,
			 const struct attachment *attachment)
{
	_cleanup_(netlink_closep) struct netlink *nl = NULL;
	int r;

	r = clsact_detach(ifindex, hook, attachment->priority);
	if (r < 0 && r != -ENODEV && r != -ENOENT && r != -EINVAL)
		return r;
	if (!attachment->made_clsact)
		return 0;
	r = netlink_open(-1, &nl);
	return r < 0 ? r : clsact_remove_if_empty(nl, ifindex);
}

int programs_detach(const struct netns *netns, uint32_t ifindex, enum clsact_hook hook,
		    struct attachment *attachment)
{
	int previous, left, r = 0;

	if (!attachment->is_attached)
		return 0;
	attachment->is_attached = false;
	if (attachment->link_fd >= 0) {
		grace_hurry();
		close(attachment->link_fd);
		grace_ease();
		attachment->link_fd = -1;
		return 0;
	}
	r = netns_enter(netns->fd, &previous);
	if (r < 0)
		return r;
	r = detach_clsact(ifindex, hook, attachment);
	left = netns_leave(&previous);
	return r < 0 ? r : left;
}

int programs_watch_sockets(struct programs *programs)
{
	const struct socket_bpf *socket = programs->socket;
	struct bpf_program *const wanted[] = {
		socket->progs.send_by_tracepoint,    socket->progs.send_by_fentry,
		socket->progs.receive_by_tracepoint, socket->progs.receive_by_fexit,
		socket->progs.state_changes,	     socket->progs.sent_again,
	};

	for (size_t i = 0; i < ARRAY_SIZE(wanted); i++) {
		struct bpf_link *link;

		if (!bpf_program__autoload(wanted[i]))
			continue;
		link = bpf_program__attach(wanted[i]);
		if (!link) {
			int r = -errno;

			programs_unwatch_sockets(programs);
			return r;
		}
		programs->watch[programs->watches++] = link;
	}
	return 0;
}

void programs_unwatch_sockets(struct programs *programs)
{
	while (programs->watches)
		bpf_link__destroy(programs->watch[--programs->watches]);
}

int programs_watch_fq(struct programs *programs)
{
	if (programs->fq_watch)
		return 0;
	programs->fq_watch = bpf_program__attach(programs->socket->progs.left_fq);
	return programs->fq_watch ? 0 : -errno;
}
