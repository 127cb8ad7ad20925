/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * clsact.c - see clsact.h. Attaching goes through libbpf; what stands there is asked of netlink.
 */
#include "link/clsact.h"

#include <bpf/libbpf.h>
#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/pkt_cls.h>
#include <linux/pkt_sched.h>
#include <linux/rtnetlink.h>
#include <string.h>

#include "link/netlink_talk.h"
#include "link/qdisc.h"

static enum bpf_tc_attach_point hook_point(enum clsact_hook hook)
{
	return hook == CLSACT_INGRESS ? BPF_TC_INGRESS : BPF_TC_EGRESS;
}

static uint32_t hook_parent(enum clsact_hook hook)
{
	return TC_H_MAKE(TC_H_CLSACT, hook == CLSACT_INGRESS ? TC_H_MIN_INGRESS : TC_H_MIN_EGRESS);
}

/* Priority 0 lets the kernel take one before all that stand there. */
int clsact_attach(struct netlink *nl, uint32_t ifindex, enum clsact_hook hook, int prog_fd,
		  bool *ret_made_qdisc, uint32_t *ret_priority)
{
	DECLARE_LIBBPF_OPTS(bpf_tc_hook, where, .ifindex = (int)ifindex,
			    .attach_point = hook_point(hook));
	DECLARE_LIBBPF_OPTS(bpf_tc_opts, filter, .handle = CLSACT_HANDLE, .prog_fd = prog_fd);
	struct qdisc_root before;
	bool made = false;
	int r;

	r = qdisc_read_root(nl, ifindex, &before);
	if (r < 0)
		return r;
	if (before.has_ingress_only)
		return -EBUSY; /* an ingress qdisc has clsact's place and no egress */
	if (!before.has_clsact) {
		r = bpf_tc_hook_create(&where);
		if (r < 0 && r != -EEXIST)
			return r;
		made = r == 0;
	}
	r = bpf_tc_attach(&where, &filter);
	if (r < 0) {
		if (made)
			clsact_remove_if_empty(nl, ifindex);
		return r;
	}
	*ret_made_qdisc = made;
	*ret_priority = filter.priority;
	return 0;
}

int clsact_detach(uint32_t ifindex, enum clsact_hook hook, uint32_t priority)
{
	DECLARE_LIBBPF_OPTS(bpf_tc_hook, where, .ifindex = (int)ifindex,
			    .attach_point = hook_point(hook));
	DECLARE_LIBBPF_OPTS(bpf_tc_opts, filter, .handle = CLSACT_HANDLE, .priority = priority);

	return bpf_tc_detach(&where, &filter);
}

struct counting {
	struct clsact_census census;
	enum clsact_hook hook;
};

static uint32_t filter_prog_id(const struct nlattr *options)
{
	const struct nlattr *attr;

	mnl_attr_for_each_nested(attr, options) if (mnl_attr_get_type(attr) ==
						    TCA_BPF_ID) return mnl_attr_get_u32(attr);
	return 0;
}

static bool filter_is_ours(const struct tcmsg *tc, const char *kind, const struct nlattr *options)
{
	const struct nlattr *attr;
	char name[64] = "";

	if (strcmp(kind, "bpf") != 0 || tc->tcm_handle != CLSACT_HANDLE || !options)
		return false;
	mnl_attr_for_each_nested(attr, options) if (mnl_attr_get_type(attr) == TCA_BPF_NAME)
		netlink_copy_text(attr, name, sizeof(name));
	return strncmp(name, "link_enter", 10) == 0 || strncmp(name, "link_leave", 10) == 0;
}

static int count_filter(const struct nlmsghdr *message, void *user)
{
	const struct tcmsg *tc = mnl_nlmsg_get_payload(message);
	struct counting *counting = user;
	struct clsact_census *census = &counting->census;
	const struct nlattr *attr, *options = NULL;
	char kind[32] = "";

	mnl_attr_for_each(attr, message, sizeof(*tc))
	{
		if (mnl_attr_get_type(attr) == TCA_KIND)
			netlink_copy_text(attr, kind, sizeof(kind));
		else if (mnl_attr_get_type(attr) == TCA_OPTIONS)
			options = attr;
	}
	if (tc->tcm_handle == 0)
		return 0; /* the head of a chain, not a filter */
	if (!filter_is_ours(tc, kind, options)) {
		census->foreign++;
		return 0;
	}
	if (census->ours < sizeof(census->mine) / sizeof(census->mine[0]))
		census->mine[census->ours] = (struct clsact_filter){
			.hook = counting->hook,
			.priority = TC_H_MAJ(tc->tcm_info) >> 16,
			.prog_id = filter_prog_id(options),
		};
	census->ours++;
	return 0;
}

int clsact_count(struct netlink *nl, uint32_t ifindex, struct clsact_census *ret_census)
{
	char buffer[NETLINK_REQUEST_SIZE];
	struct counting counting = {};
	struct nlmsghdr *request;
	struct tcmsg *tc;
	int r;

	for (counting.hook = 0; counting.hook < CLSACT_HOOKS; counting.hook++) {
		request = netlink_begin(buffer, RTM_GETTFILTER, NLM_F_DUMP);
		tc = mnl_nlmsg_put_extra_header(request, sizeof(*tc));
		tc->tcm_family = AF_UNSPEC;
		tc->tcm_ifindex = (int)ifindex;
		tc->tcm_parent = hook_parent(counting.hook);
		r = netlink_talk(nl, request, count_filter, &counting);
		if (r < 0 && r != -ENODEV && r != -EINVAL && r != -ENOENT)
			return r;
	}
	*ret_census = counting.census;
	return 0;
}

int clsact_remove_if_empty(struct netlink *nl, uint32_t ifindex)
{
	DECLARE_LIBBPF_OPTS(bpf_tc_hook, where, .ifindex = (int)ifindex,
			    .attach_point = BPF_TC_INGRESS | BPF_TC_EGRESS);
	struct clsact_census census;
	int r;

	r = clsact_count(nl, ifindex, &census);
	if (r < 0)
		return r;
	if (census.foreign || census.ours)
		return 0;
	return bpf_tc_hook_destroy(&where);
}
