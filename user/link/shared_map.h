/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * shared_map.h - an array of the programs (BPF_F_MMAPABLE) in this process's memory, to read and to write.
 */
#ifndef HF_LINK_SHARED_MAP_H
#define HF_LINK_SHARED_MAP_H

#include <bpf/libbpf.h>
#include <errno.h>
#include <stddef.h>
#include <sys/mman.h>

/* The first `bytes` of it; munmap() ends it. -errno. */
static inline int shared_map(const struct bpf_map *map, size_t bytes, void **ret_at)
{
	void *at = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, bpf_map__fd(map), 0);

	if (at == MAP_FAILED)
		return -errno;
	*ret_at = at;
	return 0;
}

#endif
