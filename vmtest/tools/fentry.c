/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * fentry.c - can a program really be attached to the entry of a kernel function?
 *
 *   vmtest-fentry FUNCTION
 *
 * A kernel may know the program type, list the function in its BTF and yet refuse the attachment, so the
 * only honest probe is to do it: load the smallest fentry program, attach it, let go.
 * Ends with 0 when it attached, 1 when the kernel refused (the reason is printed), 2 when misused.
 */
#include <bpf/bpf.h>
#include <bpf/btf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <error.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static int load_empty_fentry(int btf_id)
{
	const struct bpf_insn return_0[] = {
		{ .code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_0, .imm = 0 },
		{ .code = BPF_JMP | BPF_EXIT },
	};
	LIBBPF_OPTS(bpf_prog_load_opts, opts, .expected_attach_type = BPF_TRACE_FENTRY,
		    .attach_btf_id = (__u32)btf_id);

	return bpf_prog_load(BPF_PROG_TYPE_TRACING, "fentry_probe", "GPL", return_0, 2, &opts);
}

int main(int argc, char **argv)
{
	int btf_id, prog_fd, link_fd;

	if (argc != 2)
		error(2, 0, "usage: vmtest-fentry FUNCTION");
	btf_id = libbpf_find_vmlinux_btf_id(argv[1], BPF_TRACE_FENTRY);
	if (btf_id < 0)
		error(1, -btf_id, "%s is not in the kernel's BTF", argv[1]);
	prog_fd = load_empty_fentry(btf_id);
	if (prog_fd < 0)
		error(1, -prog_fd, "the kernel refuses the program");
	link_fd = bpf_raw_tracepoint_open(NULL, prog_fd);
	if (link_fd < 0)
		error(1, -link_fd, "the kernel refuses to attach it to %s", argv[1]);
	printf("attached to %s\n", argv[1]);
	close(link_fd);
	close(prog_fd);
	return EXIT_SUCCESS;
}
