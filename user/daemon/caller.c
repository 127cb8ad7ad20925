/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * caller.c - see caller.h.
 */
#include "daemon/caller.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "daemon/outside.h"
#include "fault/session.h"

/* ---- what the command said ---- */

static int read_address(const json_t *value, struct hf_addr *ret_addr)
{
	const char *text = json_string_value(value);

	if (!text || inet_pton(AF_INET6, text, ret_addr->byte) != 1)
		return -EINVAL;
	return 0;
}

static int read_port(const json_t *value, __u16 *ret_port)
{
	json_int_t port = json_integer_value(value);

	if (port <= 0 || port > UINT16_MAX)
		return -EINVAL;
	*ret_port = (__u16)port;
	return 0;
}

static int read_session(const json_t *value, struct caller_session *ret_session)
{
	struct caller_session session = {
		.netns = { .dev = (uint64_t)json_integer_value(json_object_get(value, "netns_dev")),
			   .ino = (uint64_t)json_integer_value(
				   json_object_get(value, "netns_ino")) },
		.is_before = json_is_true(json_object_get(value, "before")),
	};
	int r;

	r = read_address(json_object_get(value, "local"), &session.flow.src);
	if (r >= 0)
		r = read_address(json_object_get(value, "remote"), &session.flow.dst);
	if (r >= 0)
		r = read_port(json_object_get(value, "local_port"), &session.flow.sport);
	if (r >= 0)
		r = read_port(json_object_get(value, "remote_port"), &session.flow.dport);
	if (r >= 0)
		*ret_session = session;
	return r;
}

int caller_read(const json_t *request, struct caller *ret_caller)
{
	const json_t *list = json_object_get(request, "sessions");
	struct caller caller = {};
	json_t *value;
	size_t i;
	int r = 0;

	if (json_array_size(list) > CALLER_SESSIONS_MAX || (list && !json_is_array(list)))
		return -EINVAL;
	json_array_foreach(list, i, value)
	{
		r = read_session(value, &caller.session[caller.sessions++]);
		if (r < 0)
			return r;
	}
	*ret_caller = caller;
	return 0;
}

/* ---- where its packets go ---- */

static struct netns_id own_namespace(const struct managed_endpoint *endpoint)
{
	return endpoint->found ? endpoint->found->netns.id : endpoint->netns;
}

static size_t sides(const struct managed_endpoint *endpoint)
{
	return endpoint->found ? endpoint->found->interfaces : endpoint->devices;
}

/* The namespace in which the host's side of its i-th interface is. */
static const struct netns *side(const struct managed_endpoint *endpoint, size_t i)
{
	const struct endpoint_host_side *found;

	if (!endpoint->found)
		return device_host(&endpoint->device[i]);
	found = &endpoint->found->interface[i].host;
	return found->is_inside ? &found->below : &found->netns;
}

static bool is_behind(const struct managed_endpoint *endpoint, struct netns_id netns)
{
	for (size_t i = 0; i < sides(endpoint); i++)
		if (netns_id_equal(side(endpoint, i)->id, netns))
			return true;
	return false;
}

static bool have_one_host(const struct managed_endpoint *one, const struct managed_endpoint *other)
{
	for (size_t i = 0; i < sides(one); i++)
		if (is_behind(other, side(one, i)->id))
			return true;
	return false;
}

static bool has_address(struct managed *managed, const struct managed_endpoint *endpoint,
			const struct hf_addr *addr)
{
	return managed_address_network(managed, endpoint->id, addr, NULL);
}

/* Who has this address, as seen from an endpoint: the host, the world, or another of no interest. */
static int whose_outside(const struct managed_endpoint *endpoint, const struct hf_addr *addr,
			 uint32_t *ret_who)
{
	_cleanup_(outside_done) struct outside outside = {};
	int r = outside_add_common(&outside);

	/* all of them together: in whichever its packets come out, there it is the host's */
	for (size_t i = 0; i < sides(endpoint) && r >= 0; i++)
		if (side(endpoint, i)->fd >= 0)
			r = outside_add_host(&outside, side(endpoint, i)->fd);
	if (r >= 0)
		*ret_who = outside_find(&outside, addr);
	return r;
}

/*
 * Is the shell's side of the session at `near`, and its other side at `far`? 1, 0 or -errno.
 */
static int is_between(struct managed *managed, const struct caller_session *session, uint32_t near,
		      uint32_t far)
{
	const struct managed_endpoint *here = managed_find(managed, near);
	const struct managed_endpoint *there = managed_find(managed, far);
	uint32_t who;
	int r;

	if (near == HF_ENDPOINT_HOST)
		return there && is_behind(there, session->netns) &&
		       has_address(managed, there, &session->flow.dst);
	if (!here || !netns_id_equal(own_namespace(here), session->netns))
		return 0;
	if (there)
		return have_one_host(here, there) &&
		       has_address(managed, there, &session->flow.dst);
	r = whose_outside(here, &session->flow.dst, &who);
	return r < 0 ? r : who == far;
}

/* On which network a packet is judged: where it enters an endpoint, else where it leaves one. */
static uint16_t network_of(struct managed *managed, const struct hf_link_key *link,
			   const struct hf_flow *flow)
{
	uint16_t network = 0;

	if (!managed_address_network(managed, link->dst, &flow->dst, &network))
		managed_address_network(managed, link->src, &flow->src, &network);
	return network;
}

static struct hf_flow reversed(const struct hf_flow *flow)
{
	return (struct hf_flow){
		.src = flow->dst, .dst = flow->src, .sport = flow->dport, .dport = flow->sport
	};
}

/* ---- what becomes of it ---- */

static void address_text(char *text, size_t size, const struct hf_addr *addr, uint16_t port)
{
	char number[INET6_ADDRSTRLEN];

	endpoint_addr_text(addr, number);
	snprintf(text, size, strchr(number, ':') ? "[%s]:%u" : "%s:%u", number, port);
}

static int tell(struct managed *managed, const struct caller_session *session,
		const struct hf_link_key *link, enum session_fate fate, char *ret_error,
		size_t error_size)
{
	static const char *const deed[] = {
		[SESSION_CUT] = "cut",
		[SESSION_LOST] = "lose half or more of",
		[SESSION_SLOW] = "delay by 5s or more",
	};
	char remote[INET6_ADDRSTRLEN + 16], local[INET6_ADDRSTRLEN + 16];

	address_text(remote, sizeof(remote), &session->flow.dst, session->flow.dport);
	address_text(local, sizeof(local), &session->flow.src, session->flow.sport);
	snprintf(ret_error, error_size,
		 "%.80s -> %.80s: this would %s %s (%s -> %s); nothing was done. "
		 "Say force to do it all the same",
		 managed_name(managed, link->src), managed_name(managed, link->dst), deed[fate],
		 session->is_before ? "the SSH connection that your own runs through"
				    : "your own SSH connection",
		 remote, local);
	return -EPERM;
}

/* One link of the wish: does the session send on it, or get? */
static int check_link(struct managed *managed, const struct caller_session *session,
		      const struct faultset *live, const struct fault_wish *wish,
		      const struct hf_link_key *link, enum session_fate *ret_fate)
{
	struct hf_flow flow = session->flow;
	struct session_way way;
	int r;

	r = is_between(managed, session, link->src, link->dst);
	if (r == 0) {
		r = is_between(managed, session, link->dst, link->src);
		flow = reversed(&session->flow);
	}
	if (r <= 0)
		return r;
	way = session_way(*link, &flow, network_of(managed, link, &flow));
	*ret_fate = session_fate(live, wish, &way);
	return 0;
}

int caller_check(const struct caller *caller, struct managed *managed, const struct faultset *live,
		 const struct fault_wish *wish, char *ret_error, size_t error_size)
{
	enum session_fate fate = SESSION_LIVES;
	int r = 0;

	for (size_t s = 0; s < caller->sessions; s++)
		for (size_t i = 0; i < wish->links && r >= 0; i++) {
			r = check_link(managed, &caller->session[s], live, wish, &wish->link[i],
				       &fate);
			if (r >= 0 && fate != SESSION_LIVES)
				return tell(managed, &caller->session[s], &wish->link[i], fate,
					    ret_error, error_size);
		}
	return r;
}
