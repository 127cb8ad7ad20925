/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * generation.c - see generation.h.
 */
#include "fault/generation.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "base/cleanup.h"
#include "error.h"
#include "fault/rows.h"
#include "link/grace.h"

/* As maps.bpf.h has it: a lock that user space leaves alone, and the number of the next roll. */
struct dice_value {
	uint32_t lock;
	uint32_t unused;
	uint64_t nth;
};

int generation_admit(const struct generation_maps *maps, uint32_t rule_id)
{
	const struct hf_rule_counts counts = {};
	const struct dice_value dice = {};

	if (bpf_map_update_elem(maps->counts_fd, &rule_id, &counts, BPF_ANY) < 0)
		return -errno;
	if (bpf_map_update_elem(maps->dice_fd, &rule_id, &dice, BPF_ANY) < 0) {
		int r = -errno;

		bpf_map_delete_elem(maps->counts_fd, &rule_id);
		return r;
	}
	return 0;
}

void generation_dismiss(const struct generation_maps *maps, uint32_t rule_id)
{
	bpf_map_delete_elem(maps->counts_fd, &rule_id);
	bpf_map_delete_elem(maps->dice_fd, &rule_id);
}

/* What is in the slot; -1: nothing. */
static int open_live(int faultset_fd)
{
	const uint32_t slot = 0;
	uint32_t id;

	return bpf_map_lookup_elem(faultset_fd, &slot, &id) < 0 ? -1 : bpf_map_get_fd_by_id(id);
}

/*
 * The kernel returns when no program works with the old one any more. It must live until then: before Linux 6.8 one that is
 * nobody's is freed under them (CVE-2023-52447). fd -1: the slot is emptied.
 */
static int put_in_slot(int faultset_fd, int fd)
{
	_cleanup_(closep) int old = open_live(faultset_fd);
	const uint32_t slot = 0;
	int r;

	grace_hurry();
	if (fd >= 0)
		r = bpf_map_update_elem(faultset_fd, &slot, &fd, BPF_ANY);
	else
		r = bpf_map_delete_elem(faultset_fd, &slot);
	if (r < 0)
		r = -errno;
	grace_ease();
	return r;
}

/* Nobody sees it before it is in the slot. */
static int write_rows(int fd, const struct rows *rows)
{
	size_t bytes = rows->count * sizeof(*rows->row);
	void *at = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);

	if (at == MAP_FAILED)
		return -errno;
	memcpy(at, rows->row, bytes);
	munmap(at, bytes);
	return 0;
}

int generation_make(const struct compiled_rule *rule, size_t rules, int *ret_fd)
{
	LIBBPF_OPTS(bpf_map_create_opts, opts, .map_flags = BPF_F_INNER_MAP | BPF_F_MMAPABLE);
	_cleanup_(rows_done) struct rows rows = {};
	_cleanup_(closep) int fd = -1;
	int r = rows_make(rule, rules, &rows);

	if (r < 0)
		return r;
	fd = bpf_map_create(BPF_MAP_TYPE_ARRAY, "generation", sizeof(uint32_t), sizeof(*rows.row),
			    (uint32_t)rows.count, &opts);
	if (fd < 0)
		return -errno;
	r = write_rows(fd, &rows);
	if (r < 0)
		return r;
	*ret_fd = TAKE_FD(fd);
	return 0;
}

int generation_flip(const struct generation_maps *maps, const struct compiled_rule *rule,
		    size_t rules)
{
	_cleanup_(closep) int inner = -1;
	int r;

	if (rules == 0) { /* an empty slot costs the programs least */
		r = put_in_slot(maps->faultset_fd, -1);
		return r == -ENOENT ? 0 : r;
	}
	r = generation_make(rule, rules, &inner);
	return r < 0 ? r : put_in_slot(maps->faultset_fd, inner);
}

int generation_counts(const struct generation_maps *maps, uint32_t rule_id,
		      struct hf_rule_counts *ret_counts)
{
	return bpf_map_lookup_elem(maps->counts_fd, &rule_id, ret_counts) < 0 ? -errno : 0;
}

uint64_t generation_error_percentile(const struct hf_rule_counts *counts, double share)
{
	uint64_t seen = 0, total = 0, wanted;

	for (unsigned int i = 0; i < HF_ERROR_BUCKETS; i++)
		total += counts->error[i];
	if (total == 0)
		return 0;
	wanted = (uint64_t)(share * (double)total);
	for (unsigned int i = 0; i < HF_ERROR_BUCKETS; i++) {
		seen += counts->error[i];
		if (seen > wanted || seen == total) {
			uint64_t middle = (error_bucket_floor(i) + error_bucket_floor(i + 1)) / 2;

			return middle < counts->error_max_ns ? middle : counts->error_max_ns;
		}
	}
	return counts->error_max_ns;
}
