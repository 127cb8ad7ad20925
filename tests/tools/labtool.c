/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * labtool.c - lab/, endpoint/ and link/qdisc from a shell, for tests/net/lab.sh. No daemon, no BPF.
 *
 *     labtool up [--replace] [-s SERVICES] [-m STEPS] [-p PROGRAM] [-- SERVICE-OPTION...]
 *     labtool down | status | ps
 *     labtool resolve WORD | select WORD	one endpoint | all that are meant
 *     labtool client COMMAND...		in the client's network namespace
 *     labtool fq NETNS DEVICE DELAY-MS		install, read, remove
 */
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "endpoint/endpoint.h"
#include "lab/lab.h"
#include "link/qdisc.h"

static int told(int r, const char *error)
{
	if (r < 0)
		fprintf(stderr, "labtool: %s (%s)\n", error, strerror(-r));
	return r < 0 ? 1 : 0;
}

static int up(int argc, char **argv)
{
	static const struct option rows[] = { { "replace", 0, NULL, 'r' }, {} };
	struct lab_options options = { 0 };
	struct lab_result result;
	char error[LAB_ERROR_MAX];
	int c, r;

	while ((c = getopt_long(argc, argv, "s:m:p:", rows, NULL)) != -1) {
		if (c == 'r')
			options.replace = true;
		else if (c == 's')
			options.services = (size_t)atoi(optarg);
		else if (c == 'm')
			options.monolith = (uint32_t)atoi(optarg);
		else if (c == 'p')
			options.program = optarg;
		else
			return 2;
	}
	options.service_arg = (const char *const *)argv + optind;
	r = lab_up(&options, &result, error);
	if (r < 0)
		return told(r, error);
	printf("up: %zu nodes in %.0f ms, of which %.0f ms until they listened\n", result.nodes,
	       (double)result.took_ns / 1e6, (double)result.ready_ns / 1e6);
	return 0;
}

static int down(void)
{
	struct lab_result result;
	char error[LAB_ERROR_MAX];
	int r = lab_down(&result, error);

	if (r < 0)
		return told(r, error);
	printf("down: %zu nodes in %.0f ms\n", result.nodes, (double)result.took_ns / 1e6);
	return 0;
}

static int status(void)
{
	_cleanup_(lab_status_free) struct lab_status status = { 0 };
	char error[LAB_ERROR_MAX], ipv4[INET6_ADDRSTRLEN], ipv6[INET6_ADDRSTRLEN];
	int r = lab_status(&status, error);

	if (r < 0)
		return told(r, error);
	for (size_t i = 0; i < status.nodes; i++) {
		const struct lab_node_status *node = &status.node[i];

		printf("%s %s %s %s %s pid=%d netns=%d alive=%d listening=%d\n", node->name,
		       node->netns, node->veth, endpoint_addr_text(&node->ipv4, ipv4),
		       endpoint_addr_text(&node->ipv6, ipv6), (int)node->pid, node->netns_is_there,
		       node->is_alive, node->is_listening);
	}
	printf("whole=%d\n", status.is_whole);
	return status.is_whole ? 0 : 1;
}

static void show(const struct endpoint *endpoint)
{
	char name[ENDPOINT_NAME_MAX + 8] = "", text[INET6_ADDRSTRLEN];

	endpoint_full_name(endpoint, name, sizeof(name));
	printf("%s pid=%d", name, (int)endpoint->pid);
	for (size_t i = 0; i < endpoint->interfaces; i++) {
		const struct endpoint_interface *interface = &endpoint->interface[i];

		printf(" %s<->%s", interface->name, interface->host.ifname);
		if (interface->network[0])
			printf(" net=%s", interface->network);
		for (size_t k = 0; k < interface->addrs; k++)
			printf(" %s/%u", endpoint_addr_text(&interface->addr[k].addr, text),
			       interface->addr[k].prefix_len);
	}
	printf("\n");
}

static int ps(void)
{
	_cleanup_(endpoint_list_free) struct endpoint_list list = { 0 };
	int r = endpoint_list(&list, NULL);

	if (r < 0)
		return told(r, "can't list endpoints");
	for (size_t i = 0; i < list.count; i++)
		show(list.endpoint[i]);
	return 0;
}

static int resolve(const char *word)
{
	_cleanup_(endpoint_freep) struct endpoint *endpoint = NULL;
	char error[ENDPOINT_ERROR_MAX];
	int r = endpoint_resolve(word, &endpoint, error);

	if (r < 0)
		return told(r, error);
	show(endpoint);
	return 0;
}

static int select_word(const char *word)
{
	_cleanup_(endpoint_list_free) struct endpoint_list list = { 0 };
	char error[ENDPOINT_ERROR_MAX];
	int r = endpoint_select(word, &list, error);

	if (r < 0)
		return told(r, error);
	for (size_t i = 0; i < list.count; i++)
		show(list.endpoint[i]);
	return 0;
}

static int client(char **command)
{
	char error[LAB_ERROR_MAX];
	int r = lab_enter_client(error);

	if (r < 0)
		return told(r, error);
	execvp(command[0], command);
	return told(-errno, command[0]);
}

static int fq(const char *netns_name, const char *device, const char *delay_ms)
{
	struct qdisc_fq_need need = { .delay_ns = strtoull(delay_ms, NULL, 10) * 1000000 };
	_cleanup_(netlink_closep) struct netlink *nl = NULL;
	_cleanup_(netns_close) struct netns ns = NETNS_NONE;
	struct qdisc_root found = { 0 };
	struct qdisc_fq_counts counts;
	struct netlink_link link;
	uint32_t handle = 0;
	int r;

	r = netns_open_name(netns_name, &ns);
	if (r == 0)
		r = netlink_open(ns.fd, &nl);
	if (r == 0)
		r = netlink_link_by_name(nl, device, &link);
	if (r < 0)
		return told(r, device);
	r = qdisc_install_fq(nl, link.ifindex, &need, &found, &handle);
	printf("root=%s handle=%x clsact=%d ingress=%d install=%s (%s)\n", found.kind, found.handle,
	       found.has_clsact, found.has_ingress_only, strerrorname_np(-r) ?: "0",
	       netlink_error(nl));
	if (r < 0)
		return 1;
	r = qdisc_read_fq(nl, link.ifindex, handle, &counts);
	printf("read=%d drops=%llu remove_other=%d", r, (unsigned long long)counts.drops,
	       qdisc_remove_fq(nl, link.ifindex, handle + 0x10000));
	printf(" remove=%d\n", qdisc_remove_fq(nl, link.ifindex, handle));
	return 0;
}

int main(int argc, char **argv)
{
	const char *word = argc > 1 ? argv[1] : "";

	if (!strcmp(word, "up"))
		return up(argc - 1, argv + 1);
	if (!strcmp(word, "down"))
		return down();
	if (!strcmp(word, "status"))
		return status();
	if (!strcmp(word, "ps"))
		return ps();
	if (!strcmp(word, "resolve") && argc > 2)
		return resolve(argv[2]);
	if (!strcmp(word, "select") && argc > 2)
		return select_word(argv[2]);
	if (!strcmp(word, "client") && argc > 2)
		return client(argv + 2);
	if (!strcmp(word, "fq") && argc > 4)
		return fq(argv[2], argv[3], argv[4]);
	fprintf(stderr,
		"usage: labtool up|down|status|ps|resolve WORD|select WORD|client COMMAND...|"
		"fq NETNS DEVICE DELAY-MS\n");
	return 2;
}
