/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * restart.c - a veth that is deleted and made anew again and again, and a sender behind it that never stops trying: what
 * gets through?
 *
 *     restart SWITCH FROM TO ADDRESS PEER [-n TIMES] [-k KEEP_MS] [-g GAP_MS] [-w GATEWAY] [-m MAC] [-u MS] [-r]
 *
 *     FROM (ADDRESS) ==== veth "again" [bridge br0 in SWITCH] ---- TO (PEER)
 *
 * In FROM a thread sends UDP to PEER without a rest, from before there is an interface; in TO all is counted. Each time the
 * veth is made, given its bridge and its address (-w: and a default route), kept KEEP_MS (100), and deleted; the next is
 * made GAP_MS (0) later. -m: the hardware address of PEER, or of GATEWAY, is known in FROM beforehand: nothing is asked
 * before the first packet is sent. -u: so long it takes from the veth's birth until it is set up inside (0; Docker takes
 * 290). -r: the other direction, TO sends and FROM counts. TO may be SWITCH itself. Printed, one
 * line:
 *
 *     restarts N sent N received N first_us N
 *
 * sent: how many the kernel took; first_us: the shortest time from when the veth was made until it took one.
 */
#include <arpa/inet.h>
#include <err.h>
#include <errno.h>
#include <getopt.h>
#include <libmnl/libmnl.h>
#include <linux/neighbour.h>
#include <linux/rtnetlink.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "link/netlink.h"
#include "link/netlink_talk.h"
#include "link/netns.h"

#define NAME "again"
#define PORT 4711

struct run {
	struct netns hub, from, to;
	struct sockaddr_in target;
	struct hf_addr address, peer, gateway;
	bool has_gateway, has_next_mac;
	uint8_t next_mac[6];
	unsigned int times, keep_ms, gap_ms, up_ms;
	bool is_reverse;
	int tx, rx;
	uint64_t made_ns; /* the veth; 0: there is none; atomic */
	uint64_t sent, received, first_ns;
	bool is_over;
};

static void open_namespace(const char *name, struct netns *ret_netns)
{
	int r = netns_open_name(name, ret_netns);

	if (r < 0)
		errx(2, "%s: %s", name, strerror(-r));
}

static int udp_within(const struct netns *netns)
{
	int previous, fd;

	if (netns_enter(netns->fd, &previous) < 0)
		errx(1, "cannot enter");
	fd = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	netns_leave(&previous);
	if (fd < 0)
		err(1, "socket");
	return fd;
}

static void *send_all(void *argument)
{
	struct run *run = argument;
	char bytes[64] = "";

	while (!__atomic_load_n(&run->is_over, __ATOMIC_RELAXED)) {
		uint64_t made_ns = __atomic_load_n(&run->made_ns, __ATOMIC_RELAXED);

		if (sendto(run->tx, bytes, sizeof(bytes), 0, (void *)&run->target,
			   sizeof(run->target)) < 0) {
			usleep(10);
			continue;
		}
		run->sent++;
		if (made_ns && clock_now_ns() - made_ns < run->first_ns)
			run->first_ns = clock_now_ns() - made_ns;
		__atomic_store_n(&run->made_ns, 0, __ATOMIC_RELAXED);
		usleep(10);
	}
	return NULL;
}

static void *count_all(void *argument)
{
	struct run *run = argument;
	char bytes[64];

	while (!__atomic_load_n(&run->is_over, __ATOMIC_RELAXED))
		if (recv(run->rx, bytes, sizeof(bytes), 0) > 0)
			run->received++;
		else
			usleep(100);
	return NULL;
}

static void must(int r, const char *what)
{
	if (r < 0)
		errx(1, "%s: %s", what, strerror(-r));
}

static int add_neighbour(struct netlink *nl, uint32_t ifindex, const struct hf_addr *addr,
			 const uint8_t mac[6])
{
	char buffer[NETLINK_REQUEST_SIZE] __attribute__((aligned(8)));
	struct nlmsghdr *request;
	struct ndmsg *info;

	request = netlink_begin(buffer, RTM_NEWNEIGH, NLM_F_CREATE | NLM_F_REPLACE);
	info = mnl_nlmsg_put_extra_header(request, sizeof(*info));
	info->ndm_family = AF_INET;
	info->ndm_ifindex = (int)ifindex;
	info->ndm_state = NUD_PERMANENT;
	mnl_attr_put(request, NDA_DST, 4, addr->byte + 12);
	mnl_attr_put(request, NDA_LLADDR, 6, mac);
	return netlink_talk(nl, request, NULL, NULL);
}

static void make(struct run *run, struct netlink *hub, struct netlink *from)
{
	static const uint8_t mac[6] = { 2, 0, 0x68, 0x66, 0, 1 };
	struct netlink_link bridge, outer, inner;

	must(netlink_link_by_name(hub, "br0", &bridge), "br0");
	must(netlink_add_veth(hub, NAME, run->from.fd, "eth0"), "veth");
	__atomic_store_n(&run->made_ns, clock_now_ns(), __ATOMIC_RELAXED);
	must(netlink_link_by_name(hub, NAME, &outer), NAME);
	must(netlink_link_by_name(from, "eth0", &inner), "eth0");
	must(netlink_set_mac(from, inner.ifindex, mac),
	     "mac"); /* as before: TO need not ask for it */
	must(netlink_set_master(hub, outer.ifindex, bridge.ifindex), "master");
	must(netlink_set_up(hub, outer.ifindex, true), "up");
	usleep(run->up_ms * 1000);
	must(netlink_set_up(from, inner.ifindex, true), "up inside");
	if (run->has_next_mac)
		must(add_neighbour(from, inner.ifindex,
				   run->has_gateway ? &run->gateway : &run->peer, run->next_mac),
		     "neighbour");
	must(netlink_add_addr(from, inner.ifindex, &run->address, 120), "address");
	if (run->has_gateway)
		must(netlink_add_route(from, NULL, 0, &run->gateway, inner.ifindex), "route");
}

static void delete (struct netlink *hub)
{
	struct netlink_link link;

	if (netlink_link_by_name(hub, NAME, &link) == 0)
		must(netlink_delete_link(hub, link.ifindex), "delete");
}

static void restart_all(struct run *run)
{
	struct netlink *hub, *from;

	must(netlink_open(run->hub.fd, &hub), "netlink");
	must(netlink_open(run->from.fd, &from), "netlink");
	for (unsigned int i = 0; i < run->times; i++) {
		delete (hub);
		usleep(run->gap_ms * 1000);
		make(run, hub, from);
		usleep(run->keep_ms * 1000);
	}
	netlink_close(hub);
	netlink_close(from);
}

static struct hf_addr read_address(const char *text)
{
	struct hf_addr address = { .byte = { [10] = 0xff, [11] = 0xff } };

	if (inet_pton(AF_INET, text, address.byte + 12) != 1)
		errx(2, "no address: %s", text);
	return address;
}

static void read_mac(const char *text, uint8_t *ret_mac)
{
	if (sscanf(text, "%hhx:%hhx:%hhx:%hhx:%hhx:%hhx", &ret_mac[0], &ret_mac[1], &ret_mac[2],
		   &ret_mac[3], &ret_mac[4], &ret_mac[5]) != 6)
		errx(2, "no hardware address: %s", text);
}

static void read_addresses(struct run *run, const char *own, const char *peer)
{
	const struct hf_addr target = read_address(run->is_reverse ? own : peer);

	run->address = read_address(own);
	run->peer = read_address(peer);
	run->target = (struct sockaddr_in){ .sin_family = AF_INET, .sin_port = htons(PORT) };
	memcpy(&run->target.sin_addr, target.byte + 12, 4);
}

static void open_sockets(struct run *run)
{
	struct sockaddr_in any = { .sin_family = AF_INET, .sin_port = htons(PORT) };

	run->tx = udp_within(run->is_reverse ? &run->to : &run->from);
	run->rx = udp_within(run->is_reverse ? &run->from : &run->to);
	if (bind(run->rx, (void *)&any, sizeof(any)) < 0)
		err(1, "bind");
}

int main(int argc, char **argv)
{
	struct run run = { .times = 1, .keep_ms = 100, .first_ns = UINT64_MAX };
	pthread_t sender, counter;
	int option;

	while ((option = getopt(argc, argv, "n:k:g:u:w:m:r")) != -1)
		if (option == 'n')
			run.times = (unsigned int)atoi(optarg);
		else if (option == 'k')
			run.keep_ms = (unsigned int)atoi(optarg);
		else if (option == 'g')
			run.gap_ms = (unsigned int)atoi(optarg);
		else if (option == 'u')
			run.up_ms = (unsigned int)atoi(optarg);
		else if (option == 'r')
			run.is_reverse = true;
		else if (option == 'w') {
			run.gateway = read_address(optarg);
			run.has_gateway = true;
		} else if (option == 'm') {
			read_mac(optarg, run.next_mac);
			run.has_next_mac = true;
		} else
			return 2;
	if (argc - optind != 5)
		errx(2, "usage: restart SWITCH FROM TO ADDRESS PEER [-n TIMES] [-k MS] [-g MS] "
			"[-w GATEWAY] [-m MAC] [-u MS] [-r]");
	open_namespace(argv[optind], &run.hub);
	open_namespace(argv[optind + 1], &run.from);
	open_namespace(argv[optind + 2], &run.to);
	read_addresses(&run, argv[optind + 3], argv[optind + 4]);
	open_sockets(&run);
	pthread_create(&sender, NULL, send_all, &run);
	pthread_create(&counter, NULL, count_all, &run);
	restart_all(&run);
	usleep(100000);
	__atomic_store_n(&run.is_over, true, __ATOMIC_RELAXED);
	pthread_join(sender, NULL);
	pthread_join(counter, NULL);
	printf("restarts %u sent %llu received %llu first_us %lld\n", run.times,
	       (unsigned long long)run.sent, (unsigned long long)run.received,
	       run.first_ns == UINT64_MAX ? -1LL : (long long)(run.first_ns / 1000));
	return 0;
}
