/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * eager.c - a service that talks to its peer from its first instruction on, and a peer that counts what arrives.
 *
 *     eager send ADDRESS PORT      UDP without a rest, and a TCP connection tried each millisecond
 *     eager count PORT FILE        FILE: how many datagrams and connections have come, added to what it says already
 *
 * For containers made FROM scratch: needs nothing but libc, and is built static for them.
 */
#include <arpa/inet.h>
#include <err.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define UDP_A_ROUND 20
#define PAUSE_US    50

static struct sockaddr_in address_of(const char *address, const char *port)
{
	struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons((in_port_t)atoi(port)) };

	if (inet_pton(AF_INET, address, &to.sin_addr) != 1)
		errx(2, "'%s' is no address", address);
	return to;
}

static void try_to_connect(const struct sockaddr_in *to)
{
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
	struct pollfd wait = { .fd = fd, .events = POLLOUT };

	if (fd < 0)
		return;
	connect(fd, (const struct sockaddr *)to, sizeof(*to));
	poll(&wait, 1, 1);
	close(fd);
}

static _Noreturn void send_all(const struct sockaddr_in *to)
{
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, 0);
	char bytes[64] = "";

	for (;;) {
		for (int i = 0; i < UDP_A_ROUND; i++) {
			sendto(fd, bytes, sizeof(bytes), 0, (const struct sockaddr *)to,
			       sizeof(*to));
			usleep(PAUSE_US);
		}
		try_to_connect(to);
	}
}

static int bound(const char *port, int type)
{
	struct sockaddr_in any = address_of("0.0.0.0", port);
	int fd = socket(AF_INET, type | SOCK_NONBLOCK, 0), one = 1;

	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	if (fd < 0 || bind(fd, (struct sockaddr *)&any, sizeof(any)) < 0)
		err(1, "port %s", port);
	if (type == SOCK_STREAM && listen(fd, 64) < 0)
		err(1, "port %s", port);
	return fd;
}

static unsigned long take_all(int udp, int tcp)
{
	unsigned long count = 0;
	char bytes[64];
	int fd;

	while (recv(udp, bytes, sizeof(bytes), 0) > 0)
		count++;
	while ((fd = accept(tcp, NULL, NULL)) >= 0) {
		count++;
		close(fd);
	}
	return count;
}

static _Noreturn void count_all(const char *port, const char *path)
{
	struct pollfd wait[] = { { .fd = bound(port, SOCK_DGRAM), .events = POLLIN },
				 { .fd = bound(port, SOCK_STREAM), .events = POLLIN } };
	int file = open(path, O_RDWR | O_CREAT, 0644);
	unsigned long count = 0;
	char text[32] = "";

	if (file < 0)
		err(1, "%s", path);
	if (pread(file, text, sizeof(text) - 1, 0) > 0)
		count = strtoul(text, NULL, 10);
	for (;;) {
		int len = snprintf(text, sizeof(text), "%lu\n", count);

		if (pwrite(file, text, (size_t)len, 0) < 0)
			err(1, "%s", path);
		poll(wait, 2, -1);
		count += take_all(wait[0].fd, wait[1].fd);
	}
}

int main(int argc, char **argv)
{
	struct sockaddr_in to;

	if (argc == 4 && strcmp(argv[1], "count") == 0)
		count_all(argv[2], argv[3]);
	if (argc != 4 || strcmp(argv[1], "send") != 0)
		errx(2, "usage: eager send ADDRESS PORT | eager count PORT FILE");
	to = address_of(argv[2], argv[3]);
	send_all(&to);
}
