/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * owner.bpf.h - the owner's word to all programs, and whether the owner lives.
 */
#ifndef HOPFAULT_OWNER_BPF_H
#define HOPFAULT_OWNER_BPF_H

#include <stdbool.h>

#include "maps.bpf.h"

static __always_inline struct hf_board *board_here(void)
{
	__u32 zero = 0;

	return bpf_map_lookup_elem(&config, &zero);
}

static __always_inline const struct hf_config *owner_word(void)
{
	const struct hf_board *board = board_here();

	return board ? &board->config : NULL;
}

/* Nothing is done for an owner that has not been heard of for so long. */
static __always_inline bool lease_is_stale(const struct hf_config *owner, __u64 now_ns)
{
	return now_ns >= owner->lease_ns;
}

#endif
