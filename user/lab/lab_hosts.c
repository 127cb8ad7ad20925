/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * lab_hosts.c - the lab's /etc/hosts: its nodes by name, and nobody else.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/cleanup.h"
#include "lab/lab_parts.h"

static void write_node(FILE *file, const struct lab_node *node)
{
	char ipv4[INET_ADDRSTRLEN], ipv6[INET6_ADDRSTRLEN];

	inet_ntop(AF_INET, node->ipv4.byte + 12, ipv4, sizeof(ipv4));
	inet_ntop(AF_INET6, node->ipv6.byte, ipv6, sizeof(ipv6));
	fprintf(file, "%s\t%s\n%s\t%s\n", ipv4, node->name, ipv6, node->name);
}

int lab_hosts_write(const struct lab_state *state)
{
	char path[LAB_PATH_MAX];
	FILE *file;
	int r;

	r = lab_path("hosts", path);
	if (r < 0)
		return r;
	file = fopen(path, "we");
	if (!file)
		return -errno;
	fprintf(file, "127.0.0.1\tlocalhost\n::1\tlocalhost\n");
	for (size_t i = 0; i < state->nodes; i++)
		write_node(file, &state->node[i]);
	r = ferror(file) ? -EIO : 0;
	return fclose(file) < 0 ? -errno : r;
}
