/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * probe.c - see probe.h. The trials that need a device run in a child with a network namespace of its own, so
 * that whatever happens there goes with it.
 */
#include "link/probe.h"

#include <bpf/bpf.h>
#include <bpf/btf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/bpf.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "link/grace.h"
#include "link/netlink.h"
#include "link/qdisc.h"

#define TCX_EGRESS 47 /* enum bpf_attach_type, Linux 6.6; newer than our libbpf */

DEFINE_CLEANUP(struct btf *, btf__free)

/* "return 0", as a program of the given type. -errno when the kernel refuses. */
static int load_nothing(enum bpf_prog_type type, enum bpf_attach_type attach, int btf_id)
{
	const struct bpf_insn nothing[] = {
		{ .code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_0, .imm = 0 },
		{ .code = BPF_JMP | BPF_EXIT },
	};
	LIBBPF_OPTS(bpf_prog_load_opts, opts, .expected_attach_type = attach,
		    .attach_btf_id = (__u32)btf_id);

	return bpf_prog_load(type, "hf_probe", "GPL", nothing, ARRAY_SIZE(nothing), &opts);
}

static bool can_ringbuf(void)
{
	_cleanup_(closep) int fd = bpf_map_create(BPF_MAP_TYPE_RINGBUF, "hf_probe", 0, 0,
						  (uint32_t)sysconf(_SC_PAGESIZE), NULL);

	return fd >= 0;
}

static bool can_trace_by(struct btf *btf, const char *symbol, uint32_t kind,
			 enum bpf_attach_type attach)
{
	_cleanup_(closep) int prog = -1;
	_cleanup_(closep) int link = -1;
	int id = btf__find_by_name_kind(btf, symbol, kind);

	if (id < 0)
		return false;
	prog = load_nothing(BPF_PROG_TYPE_TRACING, attach, id);
	if (prog < 0)
		return false;
	link = bpf_raw_tracepoint_open(NULL, prog);
	return link >= 0;
}

static bool has_tracepoint(struct btf *btf, const char *name)
{
	return can_trace_by(btf, name, BTF_KIND_TYPEDEF, BPF_TRACE_RAW_TP);
}

static uint32_t function_args(struct btf *btf, const char *name, uint32_t otherwise)
{
	int id = btf__find_by_name_kind(btf, name, BTF_KIND_FUNC);
	const struct btf_type *type = id < 0 ? NULL : btf__type_by_id(btf, (uint32_t)id);

	type = type ? btf__type_by_id(btf, type->type) : NULL;
	return type ? btf_vlen(type) : otherwise;
}

static void probe_tracing(struct probe *probe)
{
	_cleanup_(btf__freep) struct btf *btf = btf__load_vmlinux_btf();

	if (libbpf_get_error(btf)) {
		btf = NULL;
		return;
	}
	probe->btf = true;
	probe->tracepoints = has_tracepoint(btf, "btf_trace_inet_sock_set_state");
	probe->send_tracepoint = has_tracepoint(btf, "btf_trace_tcp_sendmsg_locked");
	probe->receive_tracepoint = has_tracepoint(btf, "btf_trace_sock_recv_length");
	probe->fentry = can_trace_by(btf, "tcp_sendmsg", BTF_KIND_FUNC, BPF_TRACE_FENTRY);
	probe->tcp_recvmsg_args = function_args(btf, "tcp_recvmsg", 5);
}

static bool can_tun(void)
{
	struct ifreq request = { .ifr_flags = IFF_TAP | IFF_NO_PI | IFF_VNET_HDR };
	_cleanup_(closep) int fd = open("/dev/net/tun", O_RDWR | O_CLOEXEC);

	return fd >= 0 && ioctl(fd, TUNSETIFF, &request) == 0;
}

static bool can_clsact(uint32_t ifindex)
{
	LIBBPF_OPTS(bpf_tc_hook, hook, .ifindex = (int)ifindex, .attach_point = BPF_TC_EGRESS);
	LIBBPF_OPTS(bpf_tc_opts, filter);
	_cleanup_(closep) int prog = load_nothing(BPF_PROG_TYPE_SCHED_CLS, 0, 0);

	filter.prog_fd = prog;
	return prog >= 0 && bpf_tc_hook_create(&hook) == 0 && bpf_tc_attach(&hook, &filter) == 0;
}

static bool can_tcx(uint32_t ifindex)
{
	_cleanup_(closep) int prog = load_nothing(BPF_PROG_TYPE_SCHED_CLS, 0, 0);
	_cleanup_(closep) int link = -1;

	if (prog >= 0)
		link = bpf_link_create(prog, (int)ifindex, TCX_EGRESS, NULL);
	return link >= 0;
}

static bool can_fq(struct netlink *nl, uint32_t ifindex)
{
	const struct qdisc_fq_need need = { .delay_ns = 1000000 };
	uint32_t handle;

	return qdisc_install_fq(nl, ifindex, &need, NULL, &handle) == 0;
}

/* In the child, in a namespace of its own. */
static void probe_devices(struct probe *probe)
{
	_cleanup_(netlink_closep) struct netlink *nl = NULL;
	_cleanup_(closep) int here = open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC);
	struct netlink_link veth;

	probe->tun = can_tun();
	if (netlink_open(-1, &nl) < 0 || netlink_add_veth(nl, "hfprobe0", here, "hfprobe1") < 0 ||
	    netlink_link_by_name(nl, "hfprobe0", &veth) < 0)
		return;
	probe->veth = true;
	probe->tcx = can_tcx(veth.ifindex);
	probe->fq = can_fq(nl, veth.ifindex);
	probe->clsact = can_clsact(veth.ifindex);
}

static void probe_devices_apart(struct probe *probe)
{
	struct probe *shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE,
				    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	pid_t child;

	if (shared == MAP_FAILED)
		return;
	*shared = *probe;
	child = fork();
	if (child == 0) {
		if (unshare(CLONE_NEWNET) == 0)
			probe_devices(shared);
		_exit(0);
	}
	while (child > 0 && waitpid(child, NULL, 0) < 0 && errno == EINTR)
		;
	*probe = *shared;
	munmap(shared, sizeof(*shared));
}

static int be_silent(enum libbpf_print_level level, const char *format, va_list args)
{
	return 0;
}

static void do_without(struct probe *probe)
{
	const char *without = getenv("HOPFAULT_WITHOUT");
	_cleanup_(freep) char *copy = without ? strdup(without) : NULL;
	const struct {
		const char *word;
		bool *feature;
	} features[] = {
		{ "ringbuf", &probe->ringbuf },
		{ "btf", &probe->btf },
		{ "tcx", &probe->tcx },
		{ "clsact", &probe->clsact },
		{ "tun", &probe->tun },
		{ "fq", &probe->fq },
		{ "tracepoints", &probe->tracepoints },
		{ "fentry", &probe->fentry },
		{ "expedite", &probe->expedite },
	};
	char *at = NULL;

	for (char *word = copy ? strtok_r(copy, ",", &at) : NULL; word;
	     word = strtok_r(NULL, ",", &at))
		for (size_t i = 0; i < ARRAY_SIZE(features); i++)
			if (strcmp(word, features[i].word) == 0)
				*features[i].feature = false;
	if (!probe->btf)
		probe->tracepoints = probe->fentry = false;
	if (!probe->tracepoints)
		probe->send_tracepoint = probe->receive_tracepoint = false;
}

void probe_kernel(struct probe *ret_probe)
{
	struct probe probe = { .tcp_recvmsg_args = 5, .is_root = geteuid() == 0 };
	libbpf_print_fn_t said_by = libbpf_set_print(be_silent);
	struct utsname name;

	if (uname(&name) == 0)
		memcpy(probe.release, name.release, sizeof(probe.release) - 1);
	if (probe.is_root) {
		probe.expedite = grace_can_hurry();
		probe.ringbuf = can_ringbuf();
		probe_tracing(&probe);
		probe_devices_apart(&probe);
	}
	libbpf_set_print(said_by);
	do_without(&probe);
	*ret_probe = probe;
}

bool probe_can_trace(const struct probe *probe)
{
	return probe->ringbuf && probe->tracepoints &&
	       (probe->fentry || (probe->send_tracepoint && probe->receive_tracepoint));
}

bool probe_can_attach(const struct probe *probe)
{
	return probe->ringbuf && (probe->tcx || probe->clsact);
}

bool probe_has_engine(const struct probe *probe, enum hf_engine engine)
{
	if (engine == HF_ENGINE_FQ)
		return probe->fq && probe->clsact && probe->tracepoints;
	return engine == HF_ENGINE_HOLD ? probe->tun : false;
}

enum hf_engine probe_best_engine(const struct probe *probe)
{
	if (probe_has_engine(probe, HF_ENGINE_HOLD))
		return HF_ENGINE_HOLD;
	return probe_has_engine(probe, HF_ENGINE_FQ) ? HF_ENGINE_FQ : HF_ENGINE_NONE;
}

const char *hf_engine_name(enum hf_engine engine)
{
	return engine == HF_ENGINE_FQ ? "fq" : engine == HF_ENGINE_HOLD ? "hold" : "none";
}

unsigned int probe_features(const struct probe *probe, struct probe_feature row[PROBE_FEATURES_MAX])
{
	const struct probe_feature all[] = {
		{ "BPF ring buffer", probe->ringbuf, "events, and all programs",
		  "nothing works: Linux 5.8 or newer is needed" },
		{ "kernel BTF", probe->btf, "programs that fit this kernel",
		  "no tracing, no fq engine" },
		{ "TCX", probe->tcx, "attach; the kernel detaches when we die",
		  "clsact filters are used; lease and deadline disarm them" },
		{ "clsact", probe->clsact, "attach without TCX; needed by the fq engine",
		  probe->tcx ? "no fq engine" : "no faults at all" },
		{ "TUN/TAP", probe->tun, "the hold delay engine", "no hold engine" },
		{ "sch_fq", probe->fq, "the fq delay engine, when it is asked for",
		  "the hold engine delays" },
		{ "BTF tracepoints", probe->tracepoints, "connects, retransmits",
		  "no tracing, no fq engine" },
		{ "tcp_sendmsg_locked", probe->send_tracepoint, "when a send begins",
		  probe->fentry ? "fentry is used" : "no tracing" },
		{ "sock_recv_length", probe->receive_tracepoint, "when a receive ends",
		  probe->fentry ? "fexit is used" : "no tracing" },
		{ "fentry", probe->fentry, "the same, on kernels without those",
		  probe_can_trace(probe) ? "tracepoints are used" : "no tracing" },
		{ "rcu_expedited", probe->expedite, "attach without waiting for the kernel",
		  "some 12 ms more for each device, where TCX is used" },
	};

	memcpy(row, all, sizeof(all));
	return ARRAY_SIZE(all);
}

char *probe_missing(const struct probe *probe, char text[PROBE_MISSING_MAX])
{
	struct probe_feature row[PROBE_FEATURES_MAX];
	unsigned int rows = probe_features(probe, row);
	size_t used = 0;

	text[0] = 0;
	for (unsigned int i = 0; i < rows && used < PROBE_MISSING_MAX; i++)
		if (!row[i].is_there)
			used += (size_t)snprintf(text + used, PROBE_MISSING_MAX - used, "%s%s",
						 used ? ", " : "", row[i].name);
	return text;
}
