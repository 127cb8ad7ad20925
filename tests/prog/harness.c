/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * harness.c - see harness.h. The devices are veths that stay down: a test run needs an ifindex that exists,
 * and sends nothing.
 */
#include <errno.h>
#include <net/if.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "base/cleanup.h"
#include "fault/generation.h"
#include "harness.h"
#include "hash.h"
#include "link.skel.h"
#include "link/devices.h"
#include "link/events.h"
#include "link/netlink.h"
#include "link/netns.h"
#include "link/shared_map.h"
#include "trace/passage.h"

#define HOUR_NS		   (3600 * 1000000000LL)
#define DEVICE_SLOTS_BYTES (HF_DEVICE_SLOTS * sizeof(struct hf_device_slot))

static const char *const device_names[DEVICE_COUNT] = { "a", "b", "hold" };
static const char *const peer_names[DEVICE_COUNT] = { "a-peer", "b-peer", "hold-peer" };

struct harness {
	struct link_bpf *programs;
	struct hf_board *board; /* mapped */
	struct hf_lane_slots *slots; /* mapped */
	struct devices *devices;
	struct hf_device_slot *device_slots; /* mapped */
	struct events *events;
};

__u64 harness_now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000000000ULL + now.tv_nsec;
}

__u32 harness_ifindex(enum harness_device device)
{
	return if_nametoindex(device_names[device]);
}

int harness_set_up(enum harness_device device, bool up)
{
	_cleanup_(netlink_closep) struct netlink *nl = NULL;
	int r = netlink_open(-1, &nl);

	if (r == 0)
		r = netlink_set_up(nl, if_nametoindex(peer_names[device]), up);
	return r < 0 ? r : netlink_set_up(nl, harness_ifindex(device), up);
}

int harness_enter_world(void)
{
	_cleanup_(netlink_closep) struct netlink *nl = NULL;
	_cleanup_(netns_close) struct netns here = NETNS_NONE;
	int r;

	if (unshare(CLONE_NEWNET) < 0)
		return -errno;
	r = netns_open_self(&here);
	if (r == 0)
		r = netlink_open(here.fd, &nl);
	for (int i = 0; r == 0 && i < DEVICE_COUNT; i++)
		r = netlink_add_veth(nl, device_names[i], here.fd, peer_names[i]);
	return r;
}

static int silent(enum libbpf_print_level level, const char *format, va_list args)
{
	return 0;
}

static void keep_event(struct harness_events *to, const struct hf_event *event)
{
	if (event->time_ns < to->newest_ns)
		to->out_of_order++;
	else
		to->newest_ns = event->time_ns;
	if (to->count < HARNESS_EVENTS)
		memcpy(&to->told[to->count].event, event, event->size);
	to->count++;
}

static void keep(struct harness_events *to, const struct hf_event *event)
{
	struct {
		struct hf_packet_event event;
		unsigned char head[HF_HEAD_MAX];
	} part;
	struct hf_passage passage;

	to->records++;
	if (event->kind != HF_EVENT_PASSAGE) {
		keep_event(to, event);
		return;
	}
	passage = *(const struct hf_passage *)event;
	while (passage_parts(&passage)) {
		passage_take(&passage, passage_next_ns(&passage), &part.event.event);
		keep_event(to, &part.event.event);
	}
}

static int name_everyone(struct harness *harness)
{
	static const __u32 hosts[] = { HOST_A, HOST_B, HOST_ELSEWHERE };
	int r = 0;

	for (size_t i = 0; r == 0 && i < ARRAY_SIZE(hosts); i++)
		for (int ipv6 = 0; r == 0 && ipv6 < 2; ipv6++) {
			struct hf_addr addr = frame_address(ipv6, hosts[i]);

			r = harness_set_address(harness, &addr, hosts[i]);
		}
	if (r == 0)
		r = harness_set_engine(harness, DEVICE_A, HF_ENGINE_NONE);
	if (r == 0)
		r = harness_set_engine(harness, DEVICE_B, HF_ENGINE_NONE);
	return r;
}

static unsigned int lane_count(const struct harness *harness)
{
	return bpf_map__max_entries(harness->programs->maps.lanes);
}

static size_t slots_bytes(const struct harness *harness)
{
	return lane_count(harness) * sizeof(struct hf_lane_slots);
}

static int map_lanes(struct harness *harness)
{
	int r = shared_map(harness->programs->maps.config, sizeof(*harness->board),
			   (void **)&harness->board);

	return r < 0 ? r
		     : shared_map(harness->programs->maps.lanes, slots_bytes(harness),
				  (void **)&harness->slots);
}

static int open_events(struct harness *harness)
{
	const struct lanes_shared lanes = { .lane = harness->board->lane,
					    .slots = harness->slots,
					    .count = lane_count(harness) };

	return events_open(&lanes, harness_ring(harness), &harness->events);
}

int harness_open(struct harness **ret_harness)
{
	_cleanup_(harness_closep) struct harness *harness = calloc(1, sizeof(*harness));
	int r;

	if (!harness)
		return -ENOMEM;
	libbpf_set_print(silent);
	harness->programs = link_bpf__open();
	if (!harness->programs)
		return -errno;
	harness->programs->bss->netns_id = HARNESS_NETNS;
	r = link_bpf__load(harness->programs);
	if (r < 0)
		return r;
	r = map_lanes(harness);
	if (r == 0)
		r = devices_open(harness->programs->maps.devices,
				 harness->programs->maps.device_slots, &harness->devices);
	if (r == 0)
		r = shared_map(harness->programs->maps.device_slots, DEVICE_SLOTS_BYTES,
			       (void **)&harness->device_slots);
	if (r == 0)
		r = open_events(harness);
	if (r == 0)
		r = name_everyone(harness);
	if (r < 0)
		return r;
	harness_set_lease(harness, HOUR_NS);
	*ret_harness = TAKE_PTR(harness);
	return 0;
}

void harness_close(struct harness *harness)
{
	if (!harness)
		return;
	events_close(harness->events);
	devices_close(harness->devices);
	if (harness->device_slots)
		munmap(harness->device_slots, DEVICE_SLOTS_BYTES);
	if (harness->board)
		munmap(harness->board, sizeof(*harness->board));
	if (harness->slots)
		munmap(harness->slots, slots_bytes(harness));
	link_bpf__destroy(harness->programs);
	free(harness);
}

void harness_closep(struct harness **harness)
{
	harness_close(*harness);
}

int harness_program(const struct harness *harness, const char *name)
{
	const struct bpf_program *program =
		bpf_object__find_program_by_name(harness->programs->obj, name);

	return program ? bpf_program__fd(program) : -ENOENT;
}

static int put(const struct bpf_map *map, const void *key, const void *value)
{
	return bpf_map_update_elem(bpf_map__fd(map), key, value, BPF_ANY) < 0 ? -errno : 0;
}

static int get(const struct bpf_map *map, const void *key, void *ret_value)
{
	return bpf_map_lookup_elem(bpf_map__fd(map), key, ret_value) < 0 ? -errno : 0;
}

void harness_set_lease(struct harness *harness, __s64 from_now_ns)
{
	harness->board->config.lease_ns = harness_now_ns() + from_now_ns;
	harness->board->config.release_mark = HARNESS_MARK;
}

void harness_set_tracing(struct harness *harness, bool on)
{
	harness->board->config.tracing = on;
}

void harness_set_outward(struct harness *harness, bool on)
{
	harness->board->config.outward = on;
}

int harness_put_device(struct harness *harness, __u32 ifindex, const struct hf_device *device)
{
	struct hf_device_key key = { .netns = HARNESS_NETNS, .ifindex = ifindex };

	return devices_put(harness->devices, &key, device);
}

struct devices *harness_devices(struct harness *harness)
{
	return harness->devices;
}

struct hf_device_slot *harness_device_slot(struct harness *harness, __u32 ifindex)
{
	const struct hf_device_key key = { .netns = HARNESS_NETNS, .ifindex = ifindex };

	return &harness->device_slots[hash_device(&key)];
}

int harness_set_device(struct harness *harness, __u32 ifindex, const struct hf_device *device)
{
	int r = harness_put_device(harness, ifindex, device);

	harness->board->config.edition++;
	return r;
}

int harness_set_engine(struct harness *harness, enum harness_device device, enum hf_engine engine)
{
	return harness_set_device(harness, harness_ifindex(device),
				  &(struct hf_device){
					  .endpoint = device == DEVICE_A ? HOST_A : HOST_B,
					  .engine = engine,
					  .hold_ifindex = harness_ifindex(DEVICE_HOLD),
					  .traced = 1,
				  });
}

int harness_set_return(struct harness *harness, __u32 slot, const struct hf_return *value)
{
	return put(harness->programs->maps.returns, &slot, value);
}

int harness_set_address(struct harness *harness, const struct hf_addr *addr, __u32 endpoint)
{
	struct hf_prefix_key key = { .prefix_len = HF_PREFIX_WHOLE,
				     .netns = HARNESS_NETNS,
				     .addr = *addr };

	return put(harness->programs->maps.addresses, &key, &endpoint);
}

static int make_counters(struct harness *harness, __u32 id)
{
	_cleanup_(freep) struct hf_rule_counts *none = calloc(1, sizeof(*none));
	int r;

	if (!none)
		return -ENOMEM;
	if (get(harness->programs->maps.counts, &id, none) == 0)
		return 0;
	memset(none, 0, sizeof(*none));
	r = put(harness->programs->maps.counts, &id, none);
	return r < 0 ? r : harness_reset_dice(harness, id);
}

int harness_reset_dice(struct harness *harness, __u32 rule_id)
{
	__u64 fresh[2] = {}; /* struct rule_dice of maps.bpf.h: lock, nth */

	return put(harness->programs->maps.dice, &rule_id, fresh);
}

int harness_forget_counters(struct harness *harness, __u32 rule_id)
{
	int counts_fd = bpf_map__fd(harness->programs->maps.counts);

	return bpf_map_delete_elem(counts_fd, &rule_id) < 0 ? -errno : 0;
}

static int compile(struct harness *harness, const struct harness_link *link,
		   struct compiled_rule *ret_rules)
{
	int r = 0;

	for (__u32 i = 0; r == 0 && i < link->rules; i++) {
		ret_rules[i] = (struct compiled_rule){ link->key, link->rule[i] };
		r = make_counters(harness, link->rule[i].id);
	}
	return r;
}

int harness_flip(struct harness *harness, const struct harness_link *links, size_t count)
{
	_cleanup_(freep) struct compiled_rule *rule =
		calloc(count * HF_LINK_RULES_MAX + 1, sizeof(*rule));
	_cleanup_(closep) int generation = -1;
	size_t rules = 0;
	int r = rule ? 0 : -ENOMEM;

	for (size_t i = 0; r == 0 && i < count; i++) {
		r = compile(harness, &links[i], &rule[rules]);
		rules += links[i].rules;
	}
	if (r == 0)
		r = generation_make(rule, rules, &generation);
	return r < 0 ? r : put(harness->programs->maps.faultset, &(__u32){ 0 }, &generation);
}

int harness_no_generation(struct harness *harness)
{
	int map_fd = bpf_map__fd(harness->programs->maps.faultset);

	return bpf_map_delete_elem(map_fd, &(__u32){ 0 }) < 0 && errno != ENOENT ? -errno : 0;
}

int harness_counts(struct harness *harness, __u32 rule_id, struct hf_rule_counts *ret_counts)
{
	return get(harness->programs->maps.counts, &rule_id, ret_counts);
}

int harness_set_counts(struct harness *harness, __u32 rule_id, const struct hf_rule_counts *counts)
{
	return put(harness->programs->maps.counts, &rule_id, counts);
}

int harness_lost(struct harness *harness, struct hf_lost *ret_sum)
{
	int cpus = libbpf_num_possible_cpus();
	_cleanup_(freep) struct hf_lost *each = calloc(cpus > 0 ? cpus : 1, sizeof(*each));
	int r;

	if (cpus < 0)
		return cpus;
	if (!each)
		return -ENOMEM;
	r = get(harness->programs->maps.lost, &(__u32){ 0 }, each);
	if (r < 0)
		return r;
	*ret_sum = (struct hf_lost){};
	for (int i = 0; i < cpus; i++) {
		ret_sum->packet_events += each[i].packet_events;
		ret_sum->socket_events += each[i].socket_events;
		ret_sum->held += each[i].held;
	}
	return 0;
}

struct hf_lane *harness_lane(struct harness *harness)
{
	return &harness->board->lane[sched_getcpu()];
}

struct hf_lane_slot *harness_slot(struct harness *harness, __u64 number)
{
	return &harness->slots[sched_getcpu()].slot[number % HF_LANE_SLOTS];
}

int harness_clone_mark(const struct harness *harness, __u32 *ret_mark)
{
	return bpf_map_get_next_key(bpf_map__fd(harness->programs->maps.flight), NULL, ret_mark) < 0
		       ? -errno
		       : 0;
}

int harness_ring(const struct harness *harness)
{
	return bpf_map__fd(harness->programs->maps.events);
}

void harness_drain(struct harness *harness, struct harness_events *ret_events)
{
	const void *event;
	size_t size;

	memset(ret_events, 0, sizeof(*ret_events));
	events_begin(harness->events);
	while ((event = events_next(harness->events, UINT64_MAX, &size))) {
		keep(ret_events, event);
		ret_events->in_ring += size != sizeof(struct hf_lane_slot);
	}
}

int harness_run(int program_fd, const struct frame *frame, __u32 repeat, struct harness_run *run)
{
	LIBBPF_OPTS(bpf_test_run_opts, opts);

	opts.data_in = frame->byte;
	opts.data_size_in = frame->len;
	opts.data_out = run->frame_after.byte;
	opts.data_size_out = sizeof(run->frame_after.byte);
	opts.ctx_in = &run->ctx;
	opts.ctx_size_in = sizeof(run->ctx);
	opts.ctx_out = &run->ctx;
	opts.ctx_size_out = sizeof(run->ctx);
	opts.repeat = repeat;
	if (bpf_prog_test_run_opts(program_fd, &opts) < 0)
		return -errno;
	run->frame_after.len = opts.data_size_out;
	run->verdict = opts.retval;
	run->mean_ns = opts.duration;
	return 0;
}
