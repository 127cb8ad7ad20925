/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * tcpflow.c - one TCP connection between two network namespaces that must not lose a byte, whatever happens below it.
 *
 *     tcpflow FROM TO ADDRESS PORT BYTES BYTES_PER_S SECONDS [PROGRESS]
 *
 *     FROM --- BYTES of a known pattern, at BYTES_PER_S ---> listens at ADDRESS in TO
 *
 * Both ends are sockets of this one process. Ends when all has arrived, or after SECONDS. The file PROGRESS always says
 * how many bytes have arrived. Printed, one line; wrong: bytes that are not the pattern's; longest_gap_ms: between two
 * arrivals:
 *
 *     sent N received N wrong N longest_gap_ms N retransmits N
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "within.h"

#define CHUNK 16384

struct run {
	int tx, rx, progress;
	uint64_t bytes, rate, sent, received, wrong;
	uint64_t begin_ns, last_ns, gap_ns;
};

static uint8_t pattern(uint64_t at)
{
	return (uint8_t)((at * 2654435761u) >> 13);
}

static void open_connection(struct run *run, char **argv)
{
	const struct addrinfo hints = { .ai_flags = AI_NUMERICHOST, .ai_socktype = SOCK_STREAM };
	struct addrinfo *at;
	struct pollfd ready = { .events = POLLIN };
	int on = 1, r = getaddrinfo(argv[3], argv[4], &hints, &at);

	if (r)
		errx(2, "%s: %s", argv[3], gai_strerror(r));
	go_within(argv[2]);
	ready.fd = socket(at->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	setsockopt(ready.fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (bind(ready.fd, at->ai_addr, at->ai_addrlen) < 0 || listen(ready.fd, 1) < 0)
		err(2, "cannot listen at %s", argv[3]);
	go_within(argv[1]);
	run->tx = socket(at->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (connect(run->tx, at->ai_addr, at->ai_addrlen) < 0 && errno != EINPROGRESS)
		err(1, "connect");
	if (poll(&ready, 1, atoi(argv[7]) * 1000) <= 0)
		errx(1, "no connection after %s s", argv[7]);
	run->rx = accept4(ready.fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
	if (run->rx < 0)
		err(1, "accept");
	close(ready.fd);
	freeaddrinfo(at);
}

/* As much as is due by now. */
static void send_due(struct run *run, uint64_t now_ns)
{
	uint64_t due = (now_ns - run->begin_ns) / 1000 * run->rate / 1000000 + 1;
	uint8_t chunk[CHUNK];
	size_t length;
	ssize_t n;

	if (due > run->bytes)
		due = run->bytes;
	while (run->sent < due) {
		length = due - run->sent < CHUNK ? due - run->sent : CHUNK;
		for (size_t i = 0; i < length; i++)
			chunk[i] = pattern(run->sent + i);
		n = send(run->tx, chunk, length, MSG_NOSIGNAL);
		if (n < 0 && errno != EAGAIN)
			err(1, "the connection broke after %llu bytes",
			    (unsigned long long)run->sent);
		if (n <= 0)
			return;
		run->sent += (uint64_t)n;
	}
}

static void tell_progress(const struct run *run)
{
	char text[32];
	int length = snprintf(text, sizeof(text), "%-20llu\n", (unsigned long long)run->received);

	if (run->progress >= 0 && pwrite(run->progress, text, (size_t)length, 0) != length)
		err(2, "progress");
}

static void receive(struct run *run, uint64_t now_ns)
{
	uint8_t chunk[CHUNK];
	ssize_t n;

	while ((n = recv(run->rx, chunk, sizeof(chunk), 0)) > 0) {
		for (ssize_t i = 0; i < n; i++)
			run->wrong += chunk[i] != pattern(run->received + (uint64_t)i);
		run->received += (uint64_t)n;
		if (now_ns - run->last_ns > run->gap_ns)
			run->gap_ns = now_ns - run->last_ns;
		run->last_ns = now_ns;
		tell_progress(run);
	}
	if (n == 0 || errno != EAGAIN)
		errx(1, "the connection broke after %llu bytes", (unsigned long long)run->received);
}

static uint32_t retransmits(const struct run *run)
{
	struct tcp_info info = {};
	socklen_t length = sizeof(info);

	getsockopt(run->tx, IPPROTO_TCP, TCP_INFO, &info, &length);
	return info.tcpi_total_retrans;
}

int main(int argc, char **argv)
{
	struct run run = { .progress = -1 };
	struct pollfd ready = { .events = POLLIN };
	uint64_t end_ns, now_ns;

	if (argc < 8)
		errx(2, "usage: tcpflow FROM TO ADDRESS PORT BYTES BYTES_PER_S SECONDS [PROGRESS]");
	run.bytes = strtoull(argv[5], NULL, 10);
	run.rate = strtoull(argv[6], NULL, 10);
	if (argc > 8)
		run.progress = open(argv[8], O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
	open_connection(&run, argv);
	ready.fd = run.rx;
	run.begin_ns = run.last_ns = now_ns = clock_now_ns();
	end_ns = now_ns + strtoull(argv[7], NULL, 10) * 1000000000;
	while (run.received < run.bytes && now_ns < end_ns) {
		send_due(&run, now_ns);
		poll(&ready, 1, 2);
		now_ns = clock_now_ns();
		receive(&run, now_ns);
	}
	printf("sent %llu received %llu wrong %llu longest_gap_ms %llu retransmits %u\n",
	       (unsigned long long)run.sent, (unsigned long long)run.received,
	       (unsigned long long)run.wrong, (unsigned long long)run.gap_ns / 1000000,
	       retransmits(&run));
	return 0;
}
