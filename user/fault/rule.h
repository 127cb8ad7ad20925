/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * rule.h - the text of a rule, and what it asks for.
 *
 *     SRC DST EFFECT... [MATCH] [net NAME] [both] [for TIME] [seed N] [when up] [force]
 *
 *     EFFECT   delay TIME [JITTER] [distribution uniform] | loss PERCENT | drop | preset NAME
 *     MATCH    proto tcp|udp|icmp|arp|nd   port LIST   sport LIST   share PERCENT
 *
 * SRC and DST come first, the rest in any order, each at most once. The words are netem's, and so is their order
 * in effect: loss is decided first, what is left is delayed. Names are not resolved here.
 *
 * Without `distribution` the jitter is uniform in [TIME - JITTER, TIME + JITTER], as in the kernel's netem when it
 * is given no table; netem's manual page and tc's users expect a normal one there, so ours is said in the help.
 */
#ifndef HOPFAULT_FAULT_RULE_H
#define HOPFAULT_FAULT_RULE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "abi.h"
#include "fault/rule_error.h"

#define RULE_TTL_DEFAULT_NS (600ULL * 1000 * 1000 * 1000) /* 10 minutes */
#define RULE_TTL_MAX_NS	    (366ULL * 86400 * 1000 * 1000 * 1000) /* a year: now + ttl can't overflow */
#define RULE_DELAY_MAX_NS   (1800ULL * 1000 * 1000 * 1000) /* half an hour, jitter included */

struct rule_request {
	const char
		*src; /* as given, pointing into argv: names joined by commas, none of them empty */
	const char *dst;
	struct hf_rule rule; /* effect, match, seed; id and deadline_ns are 0 */
	const char
		*network; /* on the veths of this network alone; NULL: of all. rule.network is 0 */
	uint64_t ttl_ns;
	bool both; /* dst -> src as well */
	bool when_up; /* names that nobody has yet are waited for */
	bool force; /* also when it ends a connection that the caller works over */
	bool has_seed; /* rule.seed was asked for; else it is 0 and the caller's to choose */
};

/*
 * argv: the words behind `add`. 0, or -EINVAL with *ret_error filled and *ret_request untouched. Accepted names are
 * made of letters, digits and _ . : / @ - alone, or are `~EXPRESSION` or `label:KEY=VALUE`, which have printable characters
 * without a comma; a keyword is not a name (`netns:delay` is).
 */
int rule_parse(int argc, char **argv, struct rule_request *ret_request,
	       struct rule_error *ret_error);

/*
 * The shortest text that rule_parse() reads as the same request. Works as snprintf does: writes at most size - 1
 * bytes and a NUL, and returns the length that all of it needs.
 */
size_t rule_format(const struct rule_request *request, char *text, size_t size);

#endif
