/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * port.c - system calls of the delay engine: TAP, packet socket, and the little rtnetlink they need.
 */
#include "hold/port.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/if_ether.h>
#include <linux/if_link.h>
#include <linux/if_tun.h>
#include <linux/net_tstamp.h>
#include <linux/pkt_sched.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <time.h>

#include "base/cleanup.h"
#include "hold/frame.h"
#include "link/netns.h"

#ifndef TUN_F_USO4 /* Linux 6.2 */
#define TUN_F_USO4 0x20
#define TUN_F_USO6 0x40
#endif

#define TAP_NAME      "hfhold%d"
#define TAP_RING      8192 /* frames: 50 ms of 160000 packets/s */
#define TAP_MTU	      65521 /* the largest that a TAP takes: a frame and our header always fit */
#define SEND_BUFFER   (32 << 20) /* frames of ours that wait in the receiver's backlog */
#define OFFLOADS_BASE (TUN_F_CSUM | TUN_F_TSO4 | TUN_F_TSO6 | TUN_F_TSO_ECN)
#define OFFLOADS_UDP  (TUN_F_USO4 | TUN_F_USO6)

DEFINE_CLEANUP(struct port *, port_close)

void port_close(struct port *port)
{
	if (!port)
		return;
	closep(&port->tap_fd);
	closep(&port->packet_fd);
	closep(&port->netlink_fd);
	free(port);
}

/* ---- rtnetlink: one request, one answer ---- */

struct netlink_message {
	struct nlmsghdr header;
	union {
		struct tcmsg tc;
		struct if_stats_msg stats;
		struct nlmsgerr error;
	};
	uint8_t attributes[1024];
};

/* The answer replaces the request. */
static int netlink_ask(int fd, struct netlink_message *message)
{
	ssize_t n;

	if (send(fd, message, message->header.nlmsg_len, 0) < 0)
		return -errno;
	n = recv(fd, message, sizeof(*message), 0);
	if (n < 0)
		return -errno;
	if (!NLMSG_OK(&message->header, (size_t)n))
		return -EBADMSG;
	return message->header.nlmsg_type == NLMSG_ERROR ? message->error.error : 0;
}

/* Without a queue discipline of its own a frame reaches the ring at once, and every drop is one of the ring's. */
static int tap_set_noqueue(int netlink_fd, uint32_t ifindex)
{
	static const char kind[] = "noqueue";
	struct netlink_message message = {
		.header = {
			.nlmsg_type = RTM_NEWQDISC,
			.nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK | NLM_F_CREATE | NLM_F_REPLACE,
		},
		.tc = { .tcm_ifindex = (int)ifindex, .tcm_parent = TC_H_ROOT },
	};
	struct rtattr *attribute =
		(struct rtattr *)((uint8_t *)&message + NLMSG_LENGTH(sizeof(message.tc)));

	attribute->rta_type = TCA_KIND;
	attribute->rta_len = RTA_LENGTH(sizeof(kind));
	memcpy(RTA_DATA(attribute), kind, sizeof(kind));
	message.header.nlmsg_len = NLMSG_LENGTH(sizeof(message.tc)) + RTA_ALIGN(attribute->rta_len);
	return netlink_ask(netlink_fd, &message);
}

int port_ring_drops(const struct port *port, uint64_t *ret_drops)
{
	struct netlink_message message = {
		.header = {
			.nlmsg_type = RTM_GETSTATS,
			.nlmsg_flags = NLM_F_REQUEST,
			.nlmsg_len = NLMSG_LENGTH(sizeof(message.stats)),
		},
		.stats = {
			.ifindex = port->tap_ifindex,
			.filter_mask = IFLA_STATS_FILTER_BIT(IFLA_STATS_LINK_64),
		},
	};
	struct rtattr *attribute =
		(struct rtattr *)((uint8_t *)&message + NLMSG_LENGTH(sizeof(message.stats)));
	struct rtnl_link_stats64 stats;
	int r = netlink_ask(port->netlink_fd, &message);

	if (r < 0)
		return r;
	if (message.header.nlmsg_len < NLMSG_LENGTH(sizeof(message.stats)) + sizeof(*attribute) ||
	    attribute->rta_type != IFLA_STATS_LINK_64 ||
	    attribute->rta_len < RTA_LENGTH(offsetof(struct rtnl_link_stats64, multicast)))
		return -EBADMSG;
	memcpy(&stats, RTA_DATA(attribute), offsetof(struct rtnl_link_stats64, multicast));
	*ret_drops = stats.tx_dropped;
	return 0;
}

/* ---- making a port; the calling thread is in the namespace ---- */

static int tap_set_offloads(int tap_fd)
{
	if (ioctl(tap_fd, TUNSETOFFLOAD, OFFLOADS_BASE | OFFLOADS_UDP) == 0)
		return 0;
	/* An older kernel: it cuts UDP super-packets itself before they reach the TAP. */
	return ioctl(tap_fd, TUNSETOFFLOAD, OFFLOADS_BASE) < 0 ? -errno : 0;
}

static int tap_create(struct port *port, struct ifreq *ret_ifr)
{
	struct ifreq ifr = { .ifr_flags = IFF_TAP | IFF_NO_PI | IFF_VNET_HDR };

	port->tap_fd = open("/dev/net/tun", O_RDWR | O_NONBLOCK | O_CLOEXEC);
	if (port->tap_fd < 0)
		return -errno;
	strcpy(ifr.ifr_name, TAP_NAME);
	if (ioctl(port->tap_fd, TUNSETIFF, &ifr) < 0)
		return -errno;
	*ret_ifr = ifr;
	return tap_set_offloads(port->tap_fd);
}

/* A TAP that spoke of itself would be read as a malformed frame. Where /proc is read-only, so be it: counted. */
static void tap_silence_ipv6(const char *ifname)
{
	char path[64 + IFNAMSIZ];
	_cleanup_(closep) int fd = -1;
	ssize_t written;

	snprintf(path, sizeof(path), "/proc/sys/net/ipv6/conf/%s/disable_ipv6", ifname);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		return;
	written = write(fd, "1", 1);
	(void)written;
}

static int tap_set(int socket_fd, struct ifreq *ifr, unsigned long request, int value)
{
	ifr->ifr_ifru.ifru_ivalue = value; /* ifr_qlen and ifr_mtu are the same place */
	return ioctl(socket_fd, request, ifr) < 0 ? -errno : 0;
}

static int tap_bring_up(int socket_fd, struct ifreq *ifr)
{
	ifr->ifr_flags = IFF_UP | IFF_NOARP;
	return ioctl(socket_fd, SIOCSIFFLAGS, ifr) < 0 ? -errno : 0;
}

static int tap_open(struct port *port)
{
	_cleanup_(closep) int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	struct ifreq ifr;
	int r;

	if (fd < 0)
		return -errno;
	r = tap_create(port, &ifr);
	if (r < 0)
		return r;
	if (ioctl(fd, SIOCGIFINDEX, &ifr) < 0)
		return -errno;
	port->tap_ifindex = (uint32_t)ifr.ifr_ifindex;
	tap_silence_ipv6(ifr.ifr_name);
	r = tap_set(fd, &ifr, SIOCSIFTXQLEN, TAP_RING);
	if (r < 0)
		return r;
	r = tap_set(fd, &ifr, SIOCSIFMTU, TAP_MTU);
	if (r < 0)
		return r;
	r = tap_bring_up(fd, &ifr);
	if (r < 0)
		return r;
	return tap_set_noqueue(port->netlink_fd, port->tap_ifindex);
}

static int set_option(int fd, int level, int option, const void *value, socklen_t size)
{
	return setsockopt(fd, level, option, value, size) < 0 ? -errno : 0;
}

/* Protocol 0: it sends and hears nothing. */
static int packet_open(struct port *port)
{
	const struct sock_txtime txtime = { .clockid = CLOCK_MONOTONIC };
	const int on = 1, buffer = SEND_BUFFER;
	int r;

	port->packet_fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (port->packet_fd < 0)
		return -errno;
	r = set_option(port->packet_fd, SOL_PACKET, PACKET_VNET_HDR, &on, sizeof(on));
	if (r < 0)
		return r;
	r = set_option(port->packet_fd, SOL_SOCKET, SO_TXTIME, &txtime, sizeof(txtime));
	if (r < 0)
		return r;
	return set_option(port->packet_fd, SOL_SOCKET, SO_SNDBUFFORCE, &buffer, sizeof(buffer));
}

static int port_open_here(struct port *port)
{
	int r;

	port->netlink_fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
	if (port->netlink_fd < 0)
		return -errno;
	r = tap_open(port);
	if (r < 0)
		return r;
	return packet_open(port);
}

int port_open(int netns_fd, struct port **ret_port)
{
	_cleanup_(port_closep) struct port *port = calloc(1, sizeof(*port));
	struct stat st;
	int previous, left, r;

	if (!port)
		return -ENOMEM;
	port->tap_fd = port->packet_fd = port->netlink_fd = -1;
	if (fstat(netns_fd, &st) < 0)
		return -errno;
	port->netns_dev = st.st_dev;
	port->netns_ino = st.st_ino;
	r = netns_enter(netns_fd, &previous);
	if (r < 0)
		return r;
	r = port_open_here(port);
	left = netns_leave(&previous);
	if (r < 0 || left < 0)
		return r < 0 ? r : left;
	*ret_port = TAKE_PTR(port);
	return 0;
}

/* ---- in ---- */

static ssize_t tap_result(ssize_t n)
{
	if (n >= 0)
		return n;
	return errno == EINTR ? -EAGAIN : -errno;
}

ssize_t port_read(struct port *port, struct packet *landing, uint8_t *const *chunks)
{
	struct iovec piece[3 + FRAME_CHUNKS_MAX] = {
		{ &landing->vnet, sizeof(landing->vnet) },
		{ &landing->header, sizeof(landing->header) },
		{ landing->head, sizeof(landing->head) },
	};

	for (unsigned i = 0; i < FRAME_CHUNKS_MAX; i++)
		piece[3 + i] = (struct iovec){ chunks[i], CHUNK_SIZE };
	return tap_result(readv(port->tap_fd, piece, 3 + FRAME_CHUNKS_MAX));
}

ssize_t port_discard(struct port *port)
{
	uint8_t some[FRAME_PREFIX]; /* the TAP cuts the rest off */
	ssize_t n = tap_result(read(port->tap_fd, some, sizeof(some)));

	return n < 0 ? n : 0;
}

/* ---- out ---- */

struct port_frame {
	struct sockaddr_ll to;
	struct iovec piece[2 + FRAME_CHUNKS_MAX];
	union {
		struct cmsghdr align;
		uint8_t bytes[CMSG_SPACE(sizeof(uint64_t)) + CMSG_SPACE(sizeof(uint32_t))];
	} control;
	void *due; /* where in control the due time and the mark stand */
	void *mark;
};

struct port_batch {
	struct mmsghdr message[PORT_BATCH];
	struct port_frame frame[PORT_BATCH];
};

/* Returns where the value goes. */
static void *control_begin(struct cmsghdr *control, int type, size_t size)
{
	control->cmsg_level = SOL_SOCKET;
	control->cmsg_type = type;
	control->cmsg_len = CMSG_LEN(size);
	return CMSG_DATA(control);
}

int port_batch_new(struct port_batch **ret_batch)
{
	struct port_batch *batch = calloc(1, sizeof(*batch));

	if (!batch)
		return -ENOMEM;
	for (unsigned i = 0; i < PORT_BATCH; i++) {
		struct port_frame *frame = &batch->frame[i];
		struct msghdr *header = &batch->message[i].msg_hdr;
		struct cmsghdr *control = &frame->control.align;

		frame->to.sll_family = AF_PACKET;
		frame->due = control_begin(control, SCM_TXTIME, sizeof(uint64_t));
		control = (struct cmsghdr *)(frame->control.bytes + CMSG_SPACE(sizeof(uint64_t)));
		frame->mark = control_begin(control, SO_MARK, sizeof(uint32_t));
		header->msg_name = &frame->to;
		header->msg_namelen = sizeof(frame->to);
		header->msg_iov = frame->piece;
		header->msg_control = frame->control.bytes;
		header->msg_controllen = sizeof(frame->control.bytes);
	}
	*ret_batch = batch;
	return 0;
}

void port_batch_free(struct port_batch *batch)
{
	free(batch);
}

/* The vnet header and the frame, where they lie. Returns in how many pieces. */
static unsigned list_pieces(struct iovec *piece, const struct queue *queue, struct packet *packet)
{
	size_t left = packet->len_bytes;
	uint32_t chunk = packet->chunk;
	unsigned pieces = 2;

	piece[0] = (struct iovec){ &packet->vnet, sizeof(packet->vnet) };
	piece[1] = (struct iovec){ packet->head, left < FRAME_INLINE ? left : FRAME_INLINE };
	left -= piece[1].iov_len;
	while (left > 0) {
		size_t bytes = left < CHUNK_SIZE ? left : CHUNK_SIZE;
		uint8_t *data = queue_chunk(queue, chunk, &chunk);

		piece[pieces++] = (struct iovec){ data, bytes };
		left -= bytes;
	}
	return pieces;
}

void port_batch_set(struct port_batch *batch, unsigned i, const struct queue *queue,
		    struct packet *packet, uint32_t mark)
{
	struct port_frame *frame = &batch->frame[i];

	frame->to.sll_ifindex = (int)packet->header.ifindex;
	frame->to.sll_protocol = frame_ethertype(packet);
	mark |= packet->header.src_endpoint & HF_MARK_SENDER;
	memcpy(frame->due, &packet->header.due_ns, sizeof(uint64_t));
	memcpy(frame->mark, &mark, sizeof(mark));
	batch->message[i].msg_hdr.msg_iovlen = list_pieces(frame->piece, queue, packet);
}

int port_send(struct port *port, struct port_batch *batch, unsigned first, unsigned count)
{
	int n = sendmmsg(port->packet_fd, &batch->message[first], count - first, MSG_DONTWAIT);

	return n < 0 ? -errno : n;
}

int port_return(struct port *port, const struct queue *queue, struct packet *packet)
{
	struct iovec piece[2 + FRAME_CHUNKS_MAX];
	unsigned pieces = list_pieces(piece, queue, packet);

	return writev(port->tap_fd, piece, (int)pieces) < 0 ? -errno : 0;
}
