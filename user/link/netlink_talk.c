/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * netlink_talk.c - the socket: open it inside a namespace, send one request, read its answer to the end.
 *
 * An answer is read whole even after it has failed, so that the next request does not meet its leftovers; and if it
 * should, messages with another sequence number are passed over. Nothing waits for ever: the kernel answers within
 * NETLINK_TIMEOUT_S or the call fails.
 */
#include "link/netlink_talk.h"

#include <errno.h>
#include <linux/netlink.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>

#include "base/cleanup.h"
#include "link/netlink_socket.h"
#include "link/netns.h"

#define NETLINK_TIMEOUT_S 5
#define NETLINK_BUFFER	  65536
#define NETLINK_WORDS	  256

struct netlink {
	struct mnl_socket *socket;
	uint32_t seq;
	char words[NETLINK_WORDS]; /* of the kernel, about the last request */
	char buffer[NETLINK_BUFFER] __attribute__((aligned(8)));
};

static int socket_open_here(int flags, struct mnl_socket **ret_socket)
{
	struct mnl_socket *socket = mnl_socket_open2(NETLINK_ROUTE, SOCK_CLOEXEC | flags);

	if (!socket)
		return -errno;
	*ret_socket = socket;
	return 0;
}

int netlink_socket_open(int netns_fd, int flags, struct mnl_socket **ret_socket)
{
	struct mnl_socket *socket = NULL;
	int previous = -1, r, left;

	if (netns_fd < 0)
		return socket_open_here(flags, ret_socket);
	r = netns_enter(netns_fd, &previous);
	if (r < 0)
		return r;
	r = socket_open_here(flags, &socket);
	left = netns_leave(&previous);
	if (left < 0)
		abort(); /* in the wrong namespace, every next step would harm someone */
	if (r < 0)
		return r;
	*ret_socket = socket;
	return 0;
}

static void socket_wants_words(struct mnl_socket *socket)
{
	const struct timeval timeout = { .tv_sec = NETLINK_TIMEOUT_S };
	int yes = 1;

	/* All of these may be unknown to an old kernel: then there are no words. */
	mnl_socket_setsockopt(socket, NETLINK_EXT_ACK, &yes, sizeof(yes));
	mnl_socket_setsockopt(socket, NETLINK_CAP_ACK, &yes, sizeof(yes));
	setsockopt(mnl_socket_get_fd(socket), SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof(timeout));
}

int netlink_open(int netns_fd, struct netlink **ret_nl)
{
	_cleanup_(netlink_closep) struct netlink *nl = calloc(1, sizeof(*nl));
	int r;

	if (!nl)
		return -ENOMEM;
	r = netlink_socket_open(netns_fd, 0, &nl->socket);
	if (r < 0)
		return r;
	if (mnl_socket_bind(nl->socket, 0, MNL_SOCKET_AUTOPID) < 0)
		return -errno;
	socket_wants_words(nl->socket);
	*ret_nl = TAKE_PTR(nl);
	return 0;
}

void netlink_close(struct netlink *nl)
{
	if (!nl)
		return;
	if (nl->socket)
		mnl_socket_close(nl->socket);
	free(nl);
}

void netlink_closep(struct netlink **nl)
{
	netlink_close(*nl);
}

const char *netlink_error(const struct netlink *nl)
{
	return nl->words;
}

struct nlmsghdr *netlink_begin(void *buffer, uint16_t type, uint16_t flags)
{
	struct nlmsghdr *request;

	memset(buffer, 0, NETLINK_REQUEST_SIZE);
	request = mnl_nlmsg_put_header(buffer);
	request->nlmsg_type = type;
	request->nlmsg_flags = NLM_F_REQUEST | flags;
	return request;
}

void netlink_copy_text(const struct nlattr *attr, char *text, size_t size)
{
	size_t len;

	if (mnl_attr_validate(attr, MNL_TYPE_STRING) < 0)
		return;
	len = strnlen(mnl_attr_get_payload(attr), mnl_attr_get_payload_len(attr));
	if (len > size - 1)
		len = size - 1;
	memcpy(text, mnl_attr_get_payload(attr), len);
	text[len] = '\0';
}

/* The extended acknowledgement stands behind the error, and behind the request when that is quoted in full. */
static void keep_words(struct netlink *nl, const struct nlmsghdr *message)
{
	const struct nlmsgerr *err = mnl_nlmsg_get_payload(message);
	size_t offset = sizeof(*err);
	const struct nlattr *attr;

	if (!(message->nlmsg_flags & NLM_F_ACK_TLVS))
		return;
	if (!(message->nlmsg_flags & NLM_F_CAPPED)) {
		if (err->msg.nlmsg_len < NLMSG_HDRLEN)
			return;
		offset += err->msg.nlmsg_len - NLMSG_HDRLEN;
	}
	if (mnl_nlmsg_get_payload_len(message) < offset)
		return;
	mnl_attr_for_each(attr, message, offset)
	{
		if (mnl_attr_get_type(attr) == NLMSGERR_ATTR_MSG)
			netlink_copy_text(attr, nl->words, sizeof(nl->words));
	}
}

struct answer {
	netlink_answer_fn take;
	void *user;
	bool is_over;
	bool was_interrupted;
	int error; /* the first one */
};

static void answer_ends(struct answer *answer, int error)
{
	answer->is_over = true;
	if (answer->error == 0)
		answer->error = error;
}

static int error_of(const struct nlmsghdr *message)
{
	const struct nlmsgerr *err = mnl_nlmsg_get_payload(message);

	if (mnl_nlmsg_get_payload_len(message) < sizeof(*err))
		return -EBADMSG;
	return err->error > 0 ? -err->error : err->error;
}

/* NLMSG_DONE carries the dump's error, if it had one. */
static int error_of_done(const struct nlmsghdr *message)
{
	int error = 0;

	if (mnl_nlmsg_get_payload_len(message) >= sizeof(error))
		memcpy(&error, mnl_nlmsg_get_payload(message), sizeof(error));
	return error < 0 ? error : 0;
}

static void answer_take(struct netlink *nl, struct answer *answer, const struct nlmsghdr *message)
{
	int r;

	if (message->nlmsg_flags & NLM_F_DUMP_INTR)
		answer->was_interrupted = true;
	switch (message->nlmsg_type) {
	case NLMSG_ERROR:
		r = error_of(message);
		if (r != -EBADMSG)
			keep_words(nl, message);
		answer_ends(answer, r);
		return;
	case NLMSG_DONE:
		answer_ends(answer, error_of_done(message));
		return;
	case NLMSG_NOOP:
		return;
	default:
		break;
	}
	if (!answer->take || answer->error < 0)
		return;
	r = answer->take(message, answer->user);
	if (r < 0)
		answer->error = r;
}

/* One datagram of answers; its length or -errno. */
static ssize_t receive(struct netlink *nl)
{
	int fd = mnl_socket_get_fd(nl->socket);
	ssize_t len;

	do {
		len = recv(fd, nl->buffer, sizeof(nl->buffer), MSG_TRUNC);
	} while (len < 0 && errno == EINTR);
	if (len < 0)
		return errno == EAGAIN ? -ETIMEDOUT : -errno;
	if ((size_t)len > sizeof(nl->buffer))
		return -EMSGSIZE;
	return len;
}

int netlink_talk(struct netlink *nl, struct nlmsghdr *request, netlink_answer_fn take, void *user)
{
	struct answer answer = { .take = take, .user = user };
	unsigned int portid = mnl_socket_get_portid(nl->socket);

	nl->words[0] = '\0';
	request->nlmsg_seq = ++nl->seq;
	if ((request->nlmsg_flags & NLM_F_DUMP) != NLM_F_DUMP)
		request->nlmsg_flags |= NLM_F_ACK;
	if (mnl_socket_sendto(nl->socket, request, request->nlmsg_len) < 0)
		return -errno;
	while (!answer.is_over) {
		const struct nlmsghdr *message = (const void *)nl->buffer;
		ssize_t received = receive(nl);
		int len = (int)received;

		if (received < 0)
			return (int)received;
		for (; mnl_nlmsg_ok(message, len) && !answer.is_over;
		     message = mnl_nlmsg_next(message, &len)) {
			if (mnl_nlmsg_seq_ok(message, nl->seq) &&
			    mnl_nlmsg_portid_ok(message, portid))
				answer_take(nl, &answer, message);
		}
	}
	if (answer.error < 0)
		return answer.error;
	return answer.was_interrupted ? -EINTR : 0;
}
