/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * rival.h - is a link_enter or link_leave that stands on a device the work of an owner that lives?
 *
 * Asked before a filter is taken away as a dead owner's, and before programs are attached: two owners that delay
 * on one device would take each other's released packets for new ones, for ever.
 */
#ifndef HF_LINK_RIVAL_H
#define HF_LINK_RIVAL_H

#include <stdbool.h>
#include <stdint.h>

#include "link/netlink.h"

/* The program's owner has a lease that runs: read from the `config` map that the program uses. */
bool rival_owns_program(uint32_t prog_id, uint32_t own_config_map_id);

/*
 * One of the programs on the device, by TCX or clsact, is a living owner's, and not ours. The calling thread is in the
 * device's namespace, and nl is of the same.
 */
bool rival_is_on_device(struct netlink *nl, uint32_t ifindex, uint32_t own_config_map_id);

#endif
