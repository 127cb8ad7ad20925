/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * session.c - see session.h.
 */
#include "fault/session.h"

#include <netinet/in.h>
#include <stdbool.h>

#include "fault.h"
#include "fault/links.h"

struct toll {
	double through; /* of all packets */
	uint64_t delay_ns;
};

struct session_way session_way(struct hf_link_key link, const struct hf_flow *flow,
			       uint16_t network)
{
	struct session_way way = { .link = link };

	way.packet.flow = *flow;
	way.packet.flow.proto = IPPROTO_TCP;
	way.packet.flags = PACKET_HAS_PORTS;
	way.packet.segments = 1;
	way.packet.network = network;
	return way;
}

static bool is_among(const struct hf_link_key *link, size_t links, const struct hf_link_key *key)
{
	for (size_t i = 0; i < links; i++)
		if (link_key_compare(&link[i], key) == 0)
			return true;
	return false;
}

static void pay(struct toll *toll, const struct hf_rule *rule)
{
	if (rule->flags & HF_RULE_DROP)
		toll->through = 0;
	if (rule->flags & HF_RULE_LOSS)
		toll->through *= 1 - (double)rule->loss_odds / HF_ODDS_ALWAYS;
	if (rule->flags & HF_RULE_DELAY)
		toll->delay_ns += rule->delay_ns;
}

static enum session_fate fate_of(const struct toll *toll)
{
	if (toll->through <= 0)
		return SESSION_CUT;
	if (1 - toll->through >= SESSION_LOST_MAX)
		return SESSION_LOST;
	return toll->delay_ns >= SESSION_DELAY_MAX_NS ? SESSION_SLOW : SESSION_LIVES;
}

/* What is in force already takes of it. */
static struct toll toll_of(const struct faultset *live, uint64_t now_ns,
			   const struct session_way *way)
{
	struct toll toll = { .through = 1 };

	for (size_t i = 0; i < faultset_count(live); i++) {
		const struct fault *fault = faultset_at(live, i);

		if (fault_rule_is_alive(&fault->rule, now_ns) &&
		    is_among(fault->link, fault->links, &way->link) &&
		    fault_rule_matches(&fault->rule, &way->packet))
			pay(&toll, &fault->rule);
	}
	return toll;
}

enum session_fate session_fate(const struct faultset *live, const struct fault_wish *wish,
			       const struct session_way *way)
{
	struct toll alone = { .through = 1 }, both;

	if (!is_among(wish->link, wish->links, &way->link) ||
	    !fault_rule_matches(&wish->rule, &way->packet))
		return SESSION_LIVES;
	pay(&alone, &wish->rule);
	both = toll_of(live, wish->now_ns, way);
	if (fate_of(&both) != SESSION_LIVES)
		return fate_of(&alone);
	pay(&both, &wish->rule);
	return fate_of(&both);
}
