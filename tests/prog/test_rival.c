/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test_rival.c - which programs are another owner's at work: of this version, and of one whose `config` has another size.
 */
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <linux/bpf.h>
#include <unistd.h>

#include "base/clock.h"
#include "fixture.h"
#include "link/rival.h"

#define SECOND_NS 1000000000ULL

/* What another version has loaded: a program, and the map that it names. */
struct stranger {
	int map_fd, prog_fd;
	uint32_t map_id, prog_id;
};

static uint32_t id_of_map(int fd)
{
	struct bpf_map_info info = {};
	__u32 size = sizeof(info);

	assert_int_equal(bpf_obj_get_info_by_fd(fd, &info, &size), 0);
	return info.id;
}

static uint32_t id_of_prog(int fd)
{
	struct bpf_prog_info info = {};
	__u32 size = sizeof(info);

	assert_int_equal(bpf_obj_get_info_by_fd(fd, &info, &size), 0);
	return info.id;
}

static struct stranger load_stranger(const char *prog_name, const char *map_name,
				     uint32_t value_size, uint64_t lease_ns)
{
	struct stranger stranger = { .map_fd = bpf_map_create(BPF_MAP_TYPE_ARRAY, map_name, 4,
							      value_size, 1, NULL) };
	/* r1 = the map; return TC_ACT_OK */
	const struct bpf_insn code[] = {
		{ .code = BPF_LD | BPF_DW | BPF_IMM,
		  .dst_reg = 1,
		  .src_reg = BPF_PSEUDO_MAP_FD,
		  .imm = stranger.map_fd },
		{},
		{ .code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = 0 },
		{ .code = BPF_JMP | BPF_EXIT },
	};
	const uint32_t zero = 0;
	uint64_t *value = calloc(1, value_size);

	assert_true(stranger.map_fd >= 0);
	value[0] = lease_ns;
	assert_int_equal(bpf_map_update_elem(stranger.map_fd, &zero, value, BPF_ANY), 0);
	free(value);
	stranger.prog_fd = bpf_prog_load(BPF_PROG_TYPE_SCHED_CLS, prog_name, "GPL", code,
					 ARRAY_SIZE(code), NULL);
	assert_true(stranger.prog_fd >= 0);
	stranger.map_id = id_of_map(stranger.map_fd);
	stranger.prog_id = id_of_prog(stranger.prog_fd);
	return stranger;
}

static void unload(const struct stranger *stranger)
{
	close(stranger->prog_fd);
	close(stranger->map_fd);
}

/* Whether a program with such a map is taken for another owner's. */
static bool is_rival(const char *prog_name, const char *map_name, uint32_t value_size,
		     uint64_t lease_ns)
{
	struct stranger stranger = load_stranger(prog_name, map_name, value_size, lease_ns);
	bool is = rival_owns_program(stranger.prog_id, 0);

	assert_false(rival_owns_program(stranger.prog_id, stranger.map_id));
	unload(&stranger);
	return is;
}

static void an_owner_of_any_version_is_seen_by_its_lease(void **state)
{
	uint64_t soon_ns = clock_now_ns() + 60 * SECOND_NS;

	(void)state;
	assert_true(is_rival("link_enter", "config", sizeof(struct hf_board), soon_ns));
	assert_true(is_rival("link_leave", "config", sizeof(uint64_t), soon_ns));
	assert_true(is_rival("link_enter", "config", 65536, soon_ns));
}

static void whose_lease_is_over_is_no_rival(void **state)
{
	(void)state;
	assert_false(is_rival("link_enter", "config", sizeof(struct hf_board), 0));
	assert_false(is_rival("link_enter", "config", 64, clock_now_ns()));
}

static void others_programs_and_maps_are_no_rivals(void **state)
{
	uint64_t soon_ns = clock_now_ns() + 60 * SECOND_NS;

	(void)state;
	assert_false(is_rival("ingress", "config", 64, soon_ns));
	assert_false(is_rival("link_enter", "settings", 64, soon_ns));
	assert_false(is_rival("link_enter", "config", 2U << 20, soon_ns));
	assert_false(rival_owns_program(UINT32_MAX, 0));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_owner_of_any_version_is_seen_by_its_lease),
		cmocka_unit_test(whose_lease_is_over_is_no_rival),
		cmocka_unit_test(others_programs_and_maps_are_no_rivals),
	};

	return cmocka_run_group_tests_name("rival", tests, NULL, NULL);
}
