/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * rival.c - see rival.h.
 */
#include "link/rival.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <stdlib.h>
#include <string.h>

#include "abi.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "link/clsact.h"

#define MAPS_MAX    64
#define PROGS_MAX   64
#define TCX_INGRESS 46 /* enum bpf_attach_type, Linux 6.6; newer than our libbpf */
#define TCX_EGRESS  47

#define CONFIG_MAX (1U << 20) /* bytes, of any version's */

/* The map is some owner's `config`, and its lease runs: in every version the lease comes first. */
static bool lease_runs(uint32_t map_id)
{
	_cleanup_(closep) int fd = bpf_map_get_fd_by_id(map_id);
	struct bpf_map_info info = {};
	__u32 size = sizeof(info);
	_cleanup_(freep) struct hf_config *config = NULL;
	const __u32 zero = 0;

	if (fd < 0 || bpf_obj_get_info_by_fd(fd, &info, &size) < 0 ||
	    strcmp(info.name, "config") != 0 || info.value_size < sizeof(config->lease_ns) ||
	    info.value_size > CONFIG_MAX)
		return false;
	config = malloc(info.value_size);
	return config && bpf_map_lookup_elem(fd, &zero, config) == 0 &&
	       clock_now_ns() < config->lease_ns;
}

static bool is_link_program(const char *name)
{
	return strcmp(name, "link_enter") == 0 || strcmp(name, "link_leave") == 0;
}

bool rival_owns_program(uint32_t prog_id, uint32_t own_config_map_id)
{
	_cleanup_(closep) int fd = bpf_prog_get_fd_by_id(prog_id);
	__u32 map[MAPS_MAX];
	struct bpf_prog_info info = { .nr_map_ids = MAPS_MAX, .map_ids = (uintptr_t)map };
	__u32 size = sizeof(info);

	if (fd < 0 || bpf_obj_get_info_by_fd(fd, &info, &size) < 0 || !is_link_program(info.name))
		return false;
	for (__u32 i = 0; i < info.nr_map_ids && i < MAPS_MAX; i++)
		if (map[i] == own_config_map_id)
			return false;
	for (__u32 i = 0; i < info.nr_map_ids && i < MAPS_MAX; i++)
		if (lease_runs(map[i]))
			return true;
	return false;
}

static bool is_in_tcx(uint32_t ifindex, int attach_type, uint32_t own_config_map_id)
{
	__u32 prog[PROGS_MAX], count = PROGS_MAX;

	if (bpf_prog_query((int)ifindex, (enum bpf_attach_type)attach_type, 0, NULL, prog, &count) <
	    0)
		return false; /* no TCX here */
	for (__u32 i = 0; i < count; i++)
		if (rival_owns_program(prog[i], own_config_map_id))
			return true;
	return false;
}

static bool is_in_clsact(struct netlink *nl, uint32_t ifindex, uint32_t own_config_map_id)
{
	struct clsact_census census;

	if (clsact_count(nl, ifindex, &census) < 0)
		return false;
	for (unsigned int i = 0; i < census.ours && i < ARRAY_SIZE(census.mine); i++)
		if (rival_owns_program(census.mine[i].prog_id, own_config_map_id))
			return true;
	return false;
}

bool rival_is_on_device(struct netlink *nl, uint32_t ifindex, uint32_t own_config_map_id)
{
	return is_in_tcx(ifindex, TCX_INGRESS, own_config_map_id) ||
	       is_in_tcx(ifindex, TCX_EGRESS, own_config_map_id) ||
	       is_in_clsact(nl, ifindex, own_config_map_id);
}
