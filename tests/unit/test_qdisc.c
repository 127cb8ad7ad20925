/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test_qdisc.c - how large an fq must be, and the bytes that ask for it, for kernels that have none to ask.
 */
#include <linux/pkt_sched.h>
#include <linux/rtnetlink.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "link/netlink_talk.h"
#include "link/qdisc_fq.h"

#define MS 1000000ULL
#define S  1000000000ULL

static void a_queue_holds_twice_what_flows_in_during_the_delay(void **state)
{
	struct qdisc_fq_need need = { .delay_ns = 100 * MS, .packets_per_sec = 100000 };
	struct qdisc_fq_size size = qdisc_fq_size_for(&need);

	assert_int_equal(size.limit, 2 * 10000 + 10000);
	assert_int_equal(size.flow_limit, size.limit);
	assert_int_equal(size.horizon_us, 1200000);
}

static void no_queue_is_smaller_than_the_default_or_without_bound(void **state)
{
	struct qdisc_fq_need small = { .delay_ns = 0, .packets_per_sec = 1 };
	struct qdisc_fq_need large = { .delay_ns = UINT64_MAX, .packets_per_sec = UINT64_MAX };

	assert_int_equal(qdisc_fq_size_for(&small).limit, 10000);
	assert_int_equal(qdisc_fq_size_for(&large).limit, 2000000);
}

static void the_horizon_is_beyond_every_delay_that_is_taken(void **state)
{
	const uint64_t delays_ns[] = { 1, MS, 15 * S, 600 * S, QDISC_FQ_DELAY_MAX_NS };

	for (size_t i = 0; i < sizeof(delays_ns) / sizeof(delays_ns[0]); i++) {
		struct qdisc_fq_need need = { .delay_ns = delays_ns[i] };

		assert_true(qdisc_fq_size_for(&need).horizon_us * 1000ULL > delays_ns[i]);
	}
}

/* type, size in bytes, value: as net/sched/sch_fq.c's fq_policy and iproute2's q_fq.c have them */
static void the_request_says_what_tc_would_say(void **state)
{
	static const struct {
		uint16_t type, len;
		uint32_t value;
	} expected[] = {
		{ TCA_FQ_PLIMIT, 4, 30000 },	{ TCA_FQ_FLOW_PLIMIT, 4, 20000 },
		{ TCA_FQ_RATE_ENABLE, 4, 0 },	{ TCA_FQ_TIMER_SLACK, 4, 1000 },
		{ TCA_FQ_HORIZON, 4, 1200000 }, { TCA_FQ_HORIZON_DROP, 1, 1 },
	};
	const struct qdisc_fq_size size = { 30000, 20000, 1200000 };
	char buffer[NETLINK_REQUEST_SIZE] __attribute__((aligned(8)));
	struct nlmsghdr *request = qdisc_fq_request(buffer, 7, 0x12340000, true, &size);
	const struct tcmsg *tc = mnl_nlmsg_get_payload(request);
	const struct nlattr *kind = mnl_nlmsg_get_payload_offset(request, sizeof(*tc));
	const struct nlattr *options = mnl_attr_next(kind), *attr;
	size_t i = 0;

	assert_int_equal(request->nlmsg_type, RTM_NEWQDISC);
	assert_int_equal(request->nlmsg_flags, NLM_F_REQUEST | NLM_F_CREATE | NLM_F_EXCL);
	assert_int_equal(tc->tcm_ifindex, 7);
	assert_int_equal(tc->tcm_parent, TC_H_ROOT);
	assert_int_equal(tc->tcm_handle, 0x12340000);
	assert_int_equal(mnl_attr_get_type(kind), TCA_KIND);
	assert_string_equal(mnl_attr_get_str(kind), "fq");
	assert_int_equal(mnl_attr_get_type(options), TCA_OPTIONS);
	mnl_attr_for_each_nested(attr, options)
	{
		uint32_t value = 0;

		assert_true(i < sizeof(expected) / sizeof(expected[0]));
		assert_int_equal(mnl_attr_get_type(attr), expected[i].type);
		assert_int_equal(mnl_attr_get_payload_len(attr), expected[i].len);
		memcpy(&value, mnl_attr_get_payload(attr), expected[i].len);
		assert_int_equal(value, expected[i].value);
		i++;
	}
	assert_int_equal(i, sizeof(expected) / sizeof(expected[0]));
	assert_int_equal((char *)mnl_attr_next(options) - buffer, request->nlmsg_len);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_queue_holds_twice_what_flows_in_during_the_delay),
		cmocka_unit_test(no_queue_is_smaller_than_the_default_or_without_bound),
		cmocka_unit_test(the_horizon_is_beyond_every_delay_that_is_taken),
		cmocka_unit_test(the_request_says_what_tc_would_say),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
