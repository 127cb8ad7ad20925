/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * behind.c - somebody else's tc program, behind whatever is attached already: it counts what comes by.
 *
 *     behind NETNS DEVICE tcx|clsact LENGTH
 *
 * Counts the frames of exactly LENGTH bytes, at egress and at ingress, and lets everything pass. Says "ready" when it is
 * attached; at the end of its standard input it prints "egress N ingress N", detaches and ends.
 */
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <linux/bpf.h>
#include <net/if.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "within.h"

#define TCX_INGRESS 46 /* enum bpf_attach_type, Linux 6.6; newer than libbpf 1.1 */
#define TCX_EGRESS  47
#define PRIORITY    60000 /* behind every filter that chose no place */

enum hook { EGRESS, INGRESS, HOOKS };

static int make_program(int map_fd, int length)
{
	const struct bpf_insn code[] = {
		/* r2 = skb->len; if it is another, out */
		{ .code = BPF_LDX | BPF_W | BPF_MEM,
		  .dst_reg = 2,
		  .src_reg = 1,
		  .off = offsetof(struct __sk_buff, len) },
		{ .code = BPF_JMP | BPF_JNE | BPF_K, .dst_reg = 2, .off = 9, .imm = length },
		/* r0 = the only element of the map */
		{ .code = BPF_ST | BPF_W | BPF_MEM, .dst_reg = 10, .off = -4 },
		{ .code = BPF_ALU64 | BPF_MOV | BPF_X, .dst_reg = 2, .src_reg = 10 },
		{ .code = BPF_ALU64 | BPF_ADD | BPF_K, .dst_reg = 2, .imm = -4 },
		{ .code = BPF_LD | BPF_DW | BPF_IMM,
		  .dst_reg = 1,
		  .src_reg = BPF_PSEUDO_MAP_FD,
		  .imm = map_fd },
		{},
		{ .code = BPF_JMP | BPF_CALL, .imm = BPF_FUNC_map_lookup_elem },
		{ .code = BPF_JMP | BPF_JEQ | BPF_K, .off = 2 },
		/* *r0 += 1 */
		{ .code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = 1, .imm = 1 },
		{ .code = BPF_STX | BPF_DW | BPF_ATOMIC, .src_reg = 1, .imm = BPF_ADD },
		/* out: TC_ACT_UNSPEC */
		{ .code = BPF_ALU64 | BPF_MOV | BPF_K, .imm = -1 },
		{ .code = BPF_JMP | BPF_EXIT },
	};
	int fd = bpf_prog_load(BPF_PROG_TYPE_SCHED_CLS, "behind", "GPL", code, ARRAY_SIZE(code),
			       NULL);

	if (fd < 0)
		err(2, "cannot load");
	return fd;
}

/* A link without a place goes to the end of the row; it is detached with this process. */
static void attach_tcx(int ifindex, enum hook hook, int prog_fd)
{
	int fd = bpf_link_create(prog_fd, ifindex, hook == EGRESS ? TCX_EGRESS : TCX_INGRESS, NULL);

	if (fd < 0)
		err(errno == EINVAL ? 77 : 2, "cannot attach by TCX");
}

static struct bpf_tc_hook tc_hook(int ifindex, enum hook hook)
{
	return (struct bpf_tc_hook){ .sz = sizeof(struct bpf_tc_hook),
				     .ifindex = ifindex,
				     .attach_point =
					     hook == EGRESS ? BPF_TC_EGRESS : BPF_TC_INGRESS };
}

static void attach_clsact(int ifindex, enum hook hook, int prog_fd)
{
	struct bpf_tc_hook where = tc_hook(ifindex, hook);
	LIBBPF_OPTS(bpf_tc_opts, filter, .prog_fd = prog_fd, .handle = 1, .priority = PRIORITY);
	int r = bpf_tc_hook_create(&where);

	if (r == 0 || r == -EEXIST)
		r = bpf_tc_attach(&where, &filter);
	if (r < 0)
		errx(2, "cannot attach by clsact: %s", strerror(-r));
}

static void detach_clsact(int ifindex, enum hook hook)
{
	struct bpf_tc_hook where = tc_hook(ifindex, hook);
	LIBBPF_OPTS(bpf_tc_opts, filter, .handle = 1, .priority = PRIORITY);

	bpf_tc_detach(&where, &filter);
}

static unsigned long long count_of(int map_fd)
{
	unsigned long long count = 0;
	unsigned int zero = 0;

	bpf_map_lookup_elem(map_fd, &zero, &count);
	return count;
}

int main(int argc, char **argv)
{
	int map_fd[HOOKS], ifindex;
	bool by_tcx;

	if (argc != 5)
		errx(2, "usage: behind NETNS DEVICE tcx|clsact LENGTH");
	go_within(argv[1]);
	ifindex = (int)if_nametoindex(argv[2]);
	if (!ifindex)
		err(2, "%s", argv[2]);
	by_tcx = strcmp(argv[3], "tcx") == 0;
	for (enum hook hook = 0; hook < HOOKS; hook++) {
		int prog_fd;

		map_fd[hook] = bpf_map_create(BPF_MAP_TYPE_ARRAY, "behind", 4, 8, 1, NULL);
		prog_fd = make_program(map_fd[hook], atoi(argv[4]));
		if (by_tcx)
			attach_tcx(ifindex, hook, prog_fd);
		else
			attach_clsact(ifindex, hook, prog_fd);
	}
	printf("ready\n");
	fflush(stdout);
	while (getchar() != EOF)
		;
	printf("egress %llu ingress %llu\n", count_of(map_fd[EGRESS]), count_of(map_fd[INGRESS]));
	for (enum hook hook = 0; !by_tcx && hook < HOOKS; hook++)
		detach_clsact(ifindex, hook);
	return 0;
}
