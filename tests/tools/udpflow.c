/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * udpflow.c - numbered UDP packets from one network namespace to another: which of them arrive, when, in what order?
 *
 *     udpflow FROM TO ADDRESS [-n COUNT] [-i INTERVAL_US] [-p PORT] [-s SPORT] [-f FLOWS] [-b BYTES] [-w WAIT_MS] [-l LOG]
 *     udpflow now
 *
 *     FROM --- COUNT packets, one each INTERVAL_US, whatever arrives ---> ADDRESS in TO
 *
 * Both ends are sockets of this one process, so that one clock reads both, and the receiving one is emptied after each
 * packet that is sent: nothing is lost for want of room. Packet i leaves by flow i % FLOWS, each with a source port of
 * its own. Waits WAIT_MS for what has not arrived at the end. Printed, one line:
 *
 *     sent N received N duplicated N reordered N min_us N p50_us N p99_us N max_us N digest N whole N none N mixed N
 *
 * digest: of the numbers that arrived. whole, none, mixed: flows of which all, none, some packets arrived. LOG gets a
 * line for each packet: number, time of day of its sending in us, its way in us or "-". `now` prints that time of day.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <getopt.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "within.h"

#define NS_PER_S    1000000000LL
#define PAYLOAD_MAX 1400
#define FLOWS_MAX   4096
#define MISSING	    (-1)

struct run {
	const char *from, *to, *log;
	struct sockaddr_storage address;
	socklen_t address_length;
	uint32_t count, flows, bytes;
	int64_t interval_ns, wait_ns;
	uint16_t port, sport;
	int rx, tx[FLOWS_MAX];
	int64_t *sent_ns, *way_ns; /* by packet number */
	uint32_t received, duplicated, reordered, last;
};

static int64_t clock_ns(clockid_t clock)
{
	struct timespec now;

	clock_gettime(clock, &now);
	return now.tv_sec * NS_PER_S + now.tv_nsec;
}

static void set_port(struct sockaddr_storage *at, uint16_t port)
{
	if (at->ss_family == AF_INET6)
		((struct sockaddr_in6 *)at)->sin6_port = htons(port);
	else
		((struct sockaddr_in *)at)->sin_port = htons(port);
}

static void read_address(struct run *run, const char *text)
{
	struct sockaddr_in6 *six = (struct sockaddr_in6 *)&run->address;
	struct sockaddr_in *four = (struct sockaddr_in *)&run->address;

	if (inet_pton(AF_INET, text, &four->sin_addr) == 1) {
		run->address.ss_family = AF_INET;
		run->address_length = sizeof(*four);
	} else if (inet_pton(AF_INET6, text, &six->sin6_addr) == 1) {
		run->address.ss_family = AF_INET6;
		run->address_length = sizeof(*six);
	} else {
		errx(2, "'%s' is no address", text);
	}
	set_port(&run->address, run->port);
}

static int open_socket(const struct run *run, uint16_t port, bool receives)
{
	struct sockaddr_storage own = { .ss_family = run->address.ss_family };
	int fd = socket(run->address.ss_family, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	int room = 32 << 20, on = 1;

	if (fd < 0)
		err(2, "socket");
	setsockopt(fd, SOL_SOCKET, receives ? SO_RCVBUFFORCE : SO_SNDBUFFORCE, &room, sizeof(room));
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	set_port(&own, port);
	if (port && bind(fd, (struct sockaddr *)&own, run->address_length) < 0)
		err(2, "cannot bind to port %u", port);
	return fd;
}

static void open_sockets(struct run *run)
{
	go_within(run->to);
	run->rx = open_socket(run, run->port, true);
	go_within(run->from);
	for (uint32_t i = 0; i < run->flows; i++) {
		run->tx[i] = open_socket(run, run->sport ? (uint16_t)(run->sport + i) : 0, false);
		if (connect(run->tx[i], (struct sockaddr *)&run->address, run->address_length) < 0)
			err(2, "connect");
	}
}

static void take(struct run *run, uint32_t number, int64_t now_ns)
{
	if (number >= run->count)
		return;
	if (run->way_ns[number] != MISSING) {
		run->duplicated++;
		return;
	}
	run->way_ns[number] = now_ns - run->sent_ns[number];
	run->reordered += run->received && number < run->last;
	run->last = number;
	run->received++;
}

/* Everything that has arrived; waits for the first of it until the deadline. */
static bool receive(struct run *run, int64_t deadline_ns)
{
	struct pollfd ready = { .fd = run->rx, .events = POLLIN };
	int64_t left_ns = deadline_ns - clock_ns(CLOCK_MONOTONIC);
	struct timespec wait = {};
	uint32_t number;

	if (left_ns > 0)
		wait = (struct timespec){ left_ns / NS_PER_S, left_ns % NS_PER_S };
	if (ppoll(&ready, 1, &wait, NULL) <= 0)
		return false;
	while (recv(run->rx, &number, sizeof(number), MSG_TRUNC) == (ssize_t)run->bytes)
		take(run, number, clock_ns(CLOCK_MONOTONIC));
	return true;
}

/* What the network says about earlier packets (a port that is closed, a neighbour that is not found) is no error. */
static void send_one(struct run *run, uint32_t number)
{
	char packet[PAYLOAD_MAX] = {};
	int fd = run->tx[number % run->flows];

	memcpy(packet, &number, sizeof(number));
	run->sent_ns[number] = clock_ns(CLOCK_MONOTONIC);
	for (int tries = 0; tries < 1000; tries++) {
		if (send(fd, packet, run->bytes, 0) >= 0)
			return;
		if (errno == EAGAIN || errno == ENOBUFS)
			receive(run, clock_ns(CLOCK_MONOTONIC) + 1000000);
		else if (errno != ECONNREFUSED && errno != EHOSTUNREACH)
			err(2, "send");
	}
	err(2, "send");
}

static void run_flow(struct run *run)
{
	int64_t due_ns = clock_ns(CLOCK_MONOTONIC);

	for (uint32_t i = 0; i < run->count; i++, due_ns += run->interval_ns) {
		while (receive(run, run->interval_ns ? due_ns : 0))
			;
		send_one(run, i);
	}
	due_ns = clock_ns(CLOCK_MONOTONIC) + run->wait_ns;
	while (run->received < run->count && receive(run, due_ns))
		;
}

/* ---- what came of it ---- */

static int by_value(const void *a, const void *b)
{
	int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

	return (x > y) - (x < y);
}

static uint64_t digest(const struct run *run)
{
	uint64_t hash = 14695981039346656037ULL; /* FNV-1a */

	for (uint32_t i = 0; i < run->count; i++)
		if (run->way_ns[i] != MISSING)
			hash = (hash ^ i) * 1099511628211ULL;
	return hash;
}

static void write_log(const struct run *run)
{
	int64_t offset_ns = clock_ns(CLOCK_REALTIME) - clock_ns(CLOCK_MONOTONIC);
	FILE *log = fopen(run->log, "we");

	if (!log)
		err(2, "%s", run->log);
	for (uint32_t i = 0; i < run->count; i++) {
		fprintf(log, "%u %lld ", i, (long long)(run->sent_ns[i] + offset_ns) / 1000);
		if (run->way_ns[i] == MISSING)
			fprintf(log, "-\n");
		else
			fprintf(log, "%lld\n", (long long)run->way_ns[i] / 1000);
	}
	fclose(log);
}

static void report_flows(const struct run *run)
{
	uint32_t whole = 0, none = 0;

	for (uint32_t flow = 0; flow < run->flows; flow++) {
		uint32_t all = 0, arrived = 0;

		for (uint32_t i = flow; i < run->count; i += run->flows, all++)
			arrived += run->way_ns[i] != MISSING;
		whole += arrived == all;
		none += arrived == 0;
	}
	printf(" whole %u none %u mixed %u\n", whole, none, run->flows - whole - none);
}

static void report(struct run *run)
{
	uint64_t hash = digest(run);
	int64_t *way = calloc(run->count, sizeof(*way));
	uint32_t n = 0;

	if (!way)
		errx(2, "no memory");
	for (uint32_t i = 0; i < run->count; i++)
		if (run->way_ns[i] != MISSING)
			way[n++] = run->way_ns[i];
	qsort(way, n, sizeof(*way), by_value);
	printf("sent %u received %u duplicated %u reordered %u", run->count, n, run->duplicated,
	       run->reordered);
	printf(" min_us %lld p50_us %lld p99_us %lld max_us %lld digest %llu",
	       n ? (long long)way[0] / 1000 : -1, n ? (long long)way[(n - 1) / 2] / 1000 : -1,
	       n ? (long long)way[(uint64_t)(n - 1) * 99 / 100] / 1000 : -1,
	       n ? (long long)way[n - 1] / 1000 : -1, (unsigned long long)hash);
	report_flows(run);
	free(way);
}

static uint64_t number(const char *text, uint64_t max)
{
	char *end;
	uint64_t value = strtoull(text, &end, 10);

	if (*end || !*text || value > max)
		errx(2, "'%s' is no number up to %llu", text, (unsigned long long)max);
	return value;
}

static void read_options(struct run *run, int argc, char **argv)
{
	int c;

	while ((c = getopt(argc, argv, "n:i:p:s:f:b:w:l:")) != -1) {
		if (c == 'n')
			run->count = (uint32_t)number(optarg, 10000000);
		else if (c == 'i')
			run->interval_ns = (int64_t)number(optarg, 10000000) * 1000;
		else if (c == 'p')
			run->port = (uint16_t)number(optarg, UINT16_MAX);
		else if (c == 's')
			run->sport = (uint16_t)number(optarg, UINT16_MAX);
		else if (c == 'f')
			run->flows = (uint32_t)number(optarg, FLOWS_MAX);
		else if (c == 'b')
			run->bytes = (uint32_t)number(optarg, PAYLOAD_MAX);
		else if (c == 'w')
			run->wait_ns = (int64_t)number(optarg, 60000) * 1000000;
		else if (c == 'l')
			run->log = optarg;
		else
			exit(2);
	}
	if (argc - optind != 3 || !run->count || !run->flows || run->bytes < sizeof(uint32_t))
		errx(2, "usage: udpflow [OPTION...] FROM TO ADDRESS");
	run->from = argv[optind];
	run->to = argv[optind + 1];
	read_address(run, argv[optind + 2]);
}

int main(int argc, char **argv)
{
	static struct run run = { .count = 100,
				  .flows = 1,
				  .bytes = 64,
				  .port = 4242,
				  .interval_ns = 1000000,
				  .wait_ns = 1000000000 };

	if (argc == 2 && strcmp(argv[1], "now") == 0) {
		printf("%lld\n", (long long)clock_ns(CLOCK_REALTIME) / 1000);
		return 0;
	}
	read_options(&run, argc, argv);
	run.sent_ns = calloc(run.count, sizeof(*run.sent_ns));
	run.way_ns = calloc(run.count, sizeof(*run.way_ns));
	if (!run.sent_ns || !run.way_ns)
		errx(2, "no memory for %u packets", run.count);
	for (uint32_t i = 0; i < run.count; i++)
		run.way_ns[i] = MISSING;
	open_sockets(&run);
	run_flow(&run);
	if (run.log)
		write_log(&run);
	report(&run);
	free(run.sent_ns);
	free(run.way_ns);
	return 0;
}
