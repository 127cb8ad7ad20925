/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * qdisc.c - what queues at a device, and an `fq` that holds packets until their departure time.
 *
 *     read the root --> is it the kernel's default? --no--> -EBUSY, and which one it is
 *                            | yes
 *                       fq with a handle of ours --> remove: only while that handle is still at the root
 *
 * Facts that this relies on (net/sched/sch_fq.c, sch_api.c; iproute2 tc/q_fq.c for the attributes' sizes):
 *   - a qdisc that nobody chose has handle 0 (noqueue on a veth, whatever net.core.default_qdisc is elsewhere);
 *   - fq drops beyond `limit`, beyond `flow_limit` of one flow, and beyond `horizon`, each without a word but for a
 *     counter. Its horizon can also shorten a delay instead (horizon_cap): never wanted, a lie;
 *   - a departure time is honoured also with pacing off, so `nopacing` leaves the sender's own pacing out of it;
 *   - RTM_NEWQDISC with CREATE | EXCL on the root replaces a default one, and is refused with EEXIST where another
 *     has got there first, so reading and installing need no lock.
 */
#include "link/qdisc.h"

#include <errno.h>
#include <linux/gen_stats.h>
#include <linux/pkt_sched.h>
#include <linux/rtnetlink.h>
#include <string.h>

#include "link/netlink_talk.h"
#include "link/qdisc_fq.h"

#define NSEC_PER_USEC 1000ULL
#define NSEC_PER_SEC  1000000000ULL

#define FQ_TIMER_SLACK_NS 1000 /* fq's own default, 10 us, is its whole disadvantage to netem */
#define FQ_LIMIT_MIN	  10000 /* fq's own default */
#define FQ_LIMIT_MAX	  2000000 /* packets of up to 64 KB: more is not a queue but a memory leak */
#define FQ_RATE_MAX	  10000000ULL

struct qdisc_seen {
	uint32_t ifindex;
	bool root_was_seen;
	struct qdisc_root root;
	struct qdisc_fq_counts counts;
};

/*
 * Packets held = rate * delay; twice that, and FQ_LIMIT_MIN more, so that a burst finds room:
 *
 *     limit   = min(2 * packets_per_sec * delay_s + 10000, 2000000)
 *     horizon = 2 * delay + 1 s
 *
 * flow_limit is the limit: one flow may be all there is. Where the cap bites (200000 packets/s and 5 s), drops
 * are counted by qdisc_read_fq().
 */
struct qdisc_fq_size qdisc_fq_size_for(const struct qdisc_fq_need *need)
{
	uint64_t rate = need->packets_per_sec ? need->packets_per_sec : QDISC_FQ_RATE_DEFAULT;
	uint64_t delay_us = need->delay_ns / NSEC_PER_USEC;
	uint64_t limit;

	if (rate > FQ_RATE_MAX)
		rate = FQ_RATE_MAX;
	if (delay_us > QDISC_FQ_DELAY_MAX_NS / NSEC_PER_USEC)
		delay_us = QDISC_FQ_DELAY_MAX_NS / NSEC_PER_USEC;
	limit = 2 * rate * delay_us / 1000000 + FQ_LIMIT_MIN;
	if (limit > FQ_LIMIT_MAX)
		limit = FQ_LIMIT_MAX;
	return (struct qdisc_fq_size){
		.limit = (uint32_t)limit,
		.flow_limit = (uint32_t)limit,
		.horizon_us = (uint32_t)(2 * delay_us + 1000000),
	};
}

static struct nlmsghdr *begin_qdisc(void *buffer, uint16_t type, uint16_t flags, uint32_t ifindex,
				    uint32_t parent, uint32_t handle)
{
	struct nlmsghdr *request = netlink_begin(buffer, type, flags);
	struct tcmsg *tc = mnl_nlmsg_put_extra_header(request, sizeof(*tc));

	tc->tcm_ifindex = (int)ifindex;
	tc->tcm_parent = parent;
	tc->tcm_handle = handle;
	return request;
}

struct nlmsghdr *qdisc_fq_request(void *buffer, uint32_t ifindex, uint32_t handle, bool is_new,
				  const struct qdisc_fq_size *size)
{
	uint16_t flags = is_new ? NLM_F_CREATE | NLM_F_EXCL : 0;
	struct nlmsghdr *request;
	struct nlattr *options;

	request = begin_qdisc(buffer, RTM_NEWQDISC, flags, ifindex, TC_H_ROOT, handle);
	mnl_attr_put_strz(request, TCA_KIND, "fq");
	options = mnl_attr_nest_start(request, TCA_OPTIONS);
	mnl_attr_put_u32(request, TCA_FQ_PLIMIT, size->limit);
	mnl_attr_put_u32(request, TCA_FQ_FLOW_PLIMIT, size->flow_limit);
	mnl_attr_put_u32(request, TCA_FQ_RATE_ENABLE, 0);
	mnl_attr_put_u32(request, TCA_FQ_TIMER_SLACK, FQ_TIMER_SLACK_NS);
	mnl_attr_put_u32(request, TCA_FQ_HORIZON, size->horizon_us);
	mnl_attr_put_u8(request, TCA_FQ_HORIZON_DROP, 1);
	mnl_attr_nest_end(request, options);
	return request;
}

/* TCA_STATS2: the basic counters, the queue's, and fq's own in TCA_STATS_APP. Each may be longer than we know. */
static void parse_counts(const struct nlattr *stats, struct qdisc_fq_counts *counts)
{
	const struct nlattr *attr;
	struct gnet_stats_basic basic = { 0 };
	struct gnet_stats_queue queue = { 0 };
	struct tc_fq_qd_stats fq = { 0 };

	mnl_attr_for_each_nested(attr, stats)
	{
		const void *bytes = mnl_attr_get_payload(attr);
		size_t len = mnl_attr_get_payload_len(attr);

		if (mnl_attr_get_type(attr) == TCA_STATS_BASIC)
			memcpy(&basic, bytes, len < sizeof(basic) ? len : sizeof(basic));
		else if (mnl_attr_get_type(attr) == TCA_STATS_QUEUE)
			memcpy(&queue, bytes, len < sizeof(queue) ? len : sizeof(queue));
		else if (mnl_attr_get_type(attr) == TCA_STATS_APP)
			memcpy(&fq, bytes, len < sizeof(fq) ? len : sizeof(fq));
	}
	*counts = (struct qdisc_fq_counts){
		.packets = basic.packets,
		.drops = queue.drops,
		.horizon_drops = fq.horizon_drops,
		.flow_limit_drops = fq.flows_plimit,
		.queued = queue.qlen,
	};
}

static void see_root(const struct nlmsghdr *message, const struct tcmsg *tc, const char *kind,
		     struct qdisc_seen *seen)
{
	const struct nlattr *attr;

	seen->root_was_seen = true;
	seen->root.handle = tc->tcm_handle;
	strcpy(seen->root.kind, kind);
	if (strcmp(kind, "fq") != 0)
		return;
	mnl_attr_for_each(attr, message, sizeof(*tc))
	{
		if (mnl_attr_get_type(attr) == TCA_STATS2)
			parse_counts(attr, &seen->counts);
	}
}

static int take_qdisc(const struct nlmsghdr *message, void *user)
{
	const struct tcmsg *tc = mnl_nlmsg_get_payload(message);
	char kind[sizeof(((struct qdisc_root *)0)->kind)] = "";
	struct qdisc_seen *seen = user;
	const struct nlattr *attr;

	if (message->nlmsg_type != RTM_NEWQDISC || mnl_nlmsg_get_payload_len(message) < sizeof(*tc))
		return -EBADMSG;
	if ((uint32_t)tc->tcm_ifindex != seen->ifindex)
		return 0; /* a kernel before 5.x may list all devices */
	mnl_attr_for_each(attr, message, sizeof(*tc))
	{
		if (mnl_attr_get_type(attr) == TCA_KIND)
			netlink_copy_text(attr, kind, sizeof(kind));
	}
	if (tc->tcm_parent == TC_H_ROOT)
		see_root(message, tc, kind, seen);
	else if (tc->tcm_parent == TC_H_INGRESS && strcmp(kind, "clsact") == 0)
		seen->root.has_clsact = true;
	else if (tc->tcm_parent == TC_H_INGRESS)
		seen->root.has_ingress_only = true;
	return 0;
}

/* A dump filtered by device, by the kernel's tc_dump_qdisc() where it can, and by take_qdisc(). */
static int see(struct netlink *nl, uint32_t ifindex, struct qdisc_seen *ret_seen)
{
	char buffer[NETLINK_REQUEST_SIZE] __attribute__((aligned(8)));
	struct netlink_link link;
	int r;

	r = netlink_link_by_index(nl, ifindex, &link);
	if (r < 0)
		return r;
	for (int i = 0; i < 16; i++) {
		*ret_seen = (struct qdisc_seen){ .ifindex = ifindex };
		r = netlink_talk(nl, begin_qdisc(buffer, RTM_GETQDISC, NLM_F_DUMP, ifindex, 0, 0),
				 take_qdisc, ret_seen);
		if (r != -EINTR)
			break;
	}
	if (r < 0)
		return r;
	/* noqueue may be left out of the list: then the link itself says it. */
	if (!ret_seen->root_was_seen)
		strcpy(ret_seen->root.kind, link.qdisc);
	return 0;
}

int qdisc_read_root(struct netlink *nl, uint32_t ifindex, struct qdisc_root *ret_root)
{
	struct qdisc_seen seen;
	int r;

	r = see(nl, ifindex, &seen);
	if (r < 0)
		return r;
	*ret_root = seen.root;
	return 0;
}

/* ENOENT is what the kernel says to a kind of qdisc that it does not know. */
static int install_error(int r)
{
	return r == -ENOENT ? -EOPNOTSUPP : r;
}

static int install(struct netlink *nl, uint32_t ifindex, const struct qdisc_fq_need *need)
{
	char buffer[NETLINK_REQUEST_SIZE] __attribute__((aligned(8)));
	struct qdisc_fq_size size = qdisc_fq_size_for(need);
	int r;

	r = netlink_talk(nl, qdisc_fq_request(buffer, ifindex, QDISC_FQ_HANDLE, true, &size), NULL,
			 NULL);
	return r == -EEXIST ? -EBUSY : install_error(r);
}

int qdisc_install_fq(struct netlink *nl, uint32_t ifindex, const struct qdisc_fq_need *need,
		     struct qdisc_root *ret_found, uint32_t *ret_handle)
{
	struct qdisc_root found;
	int r;

	if (need->delay_ns > QDISC_FQ_DELAY_MAX_NS)
		return -EINVAL;
	r = qdisc_read_root(nl, ifindex, &found);
	if (r < 0)
		return r;
	if (ret_found)
		*ret_found = found;
	if (found.handle != 0)
		return -EBUSY;
	r = install(nl, ifindex, need);
	if (r < 0)
		return r;
	*ret_handle = QDISC_FQ_HANDLE;
	return 0;
}

static bool root_is_ours(const struct qdisc_root *root, uint32_t handle)
{
	return handle != 0 && root->handle == handle && strcmp(root->kind, "fq") == 0;
}

int qdisc_resize_fq(struct netlink *nl, uint32_t ifindex, uint32_t handle,
		    const struct qdisc_fq_need *need)
{
	char buffer[NETLINK_REQUEST_SIZE] __attribute__((aligned(8)));
	struct qdisc_fq_size size = qdisc_fq_size_for(need);
	struct qdisc_root root;
	int r;

	if (need->delay_ns > QDISC_FQ_DELAY_MAX_NS)
		return -EINVAL;
	r = qdisc_read_root(nl, ifindex, &root);
	if (r < 0)
		return r;
	if (!root_is_ours(&root, handle))
		return -ESTALE;
	return netlink_talk(nl, qdisc_fq_request(buffer, ifindex, handle, false, &size), NULL,
			    NULL);
}

int qdisc_remove_fq(struct netlink *nl, uint32_t ifindex, uint32_t handle)
{
	char buffer[NETLINK_REQUEST_SIZE] __attribute__((aligned(8)));
	struct nlmsghdr *request;
	struct qdisc_root root;
	int r;

	r = qdisc_read_root(nl, ifindex, &root);
	if (r == -ENODEV)
		return 0;
	if (r < 0)
		return r;
	if (!root_is_ours(&root, handle))
		return -ESTALE;
	/* With parent, handle and kind the kernel checks all three again. */
	request = begin_qdisc(buffer, RTM_DELQDISC, 0, ifindex, TC_H_ROOT, handle);
	mnl_attr_put_strz(request, TCA_KIND, "fq");
	r = netlink_talk(nl, request, NULL, NULL);
	return r == -ENODEV ? 0 : r;
}

int qdisc_read_fq(struct netlink *nl, uint32_t ifindex, uint32_t handle,
		  struct qdisc_fq_counts *ret_counts)
{
	struct qdisc_seen seen;
	int r;

	r = see(nl, ifindex, &seen);
	if (r < 0)
		return r;
	if (!root_is_ours(&seen.root, handle))
		return -ENOENT;
	*ret_counts = seen.counts;
	return 0;
}
