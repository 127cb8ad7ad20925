/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * oneway.c - how long does each packet take from one network namespace to another, one way?
 *
 *   vmtest-oneway FROM TO ADDRESS COUNT INTERVAL_US
 *
 *   FROM --- UDP, sent at a fixed interval whatever comes back ---> ADDRESS in TO
 *
 *   this process reads the clock, send() ... the way ... the kernel stamps it in TO ... this process wakes and reads it
 *                              |<------- what is measured ------>|<---- woken: shown, not part of it ---->|
 *
 * Both ends are sockets of this one process, made in named namespaces, so that one clock (CLOCK_REALTIME, which
 * nobody may set meanwhile) reads both and no answer has to travel. The arrival is the kernel's own stamp
 * (SO_TIMESTAMPNS, taken when TO's device receives the packet): a tick, a timer of somebody else or another process
 * can hold this process back after that, and the packet is none the later for it. What comes between the clock and
 * the packet at the sending end counts against the packet: no packet is left out.
 *
 * A packet carries its number; the time it was sent stays here. Printed, times in nanoseconds:
 *   sent N received N min N p50 N p99 N max N sending N woken N
 * sending: the longest send(), woken: the longest from arrival to reading; they tell what an outlier was made of.
 * Before it measures, it sends until one packet has arrived: neighbour discovery is not the delay.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <error.h>
#include <fcntl.h>
#include <netdb.h>
#include <poll.h>
#include <sched.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define PORT		"4242"
#define NS_PER_S	1000000000LL
#define LAST_WAIT_NS	(2 * NS_PER_S) /* how long a packet may be late before it counts as lost */
#define WARMUP_TRIES	50
#define WARMUP_EACH_NS	(NS_PER_S / 5)
#define WARMUP_SEQUENCE UINT32_MAX

struct run {
	int tx, rx;
	uint32_t count;
	int64_t interval_ns;
	int64_t *sent_ns; /* by packet number */
	int64_t *latency_ns; /* in order of arrival */
	uint32_t received;
	int64_t sending_ns; /* the longest send() */
	int64_t woken_ns; /* the longest from arrival to reading */
};

static int64_t in_ns(struct timespec ts)
{
	return ts.tv_sec * NS_PER_S + ts.tv_nsec;
}

/* The clock that the kernel stamps packets by. */
static int64_t now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_REALTIME, &ts);
	return in_ns(ts);
}

/* Sends are to be on time, and nobody comes between the clock and the packet. */
static void wake_at_once(void)
{
	const struct sched_param priority = { .sched_priority = 50 };

	prctl(PR_SET_TIMERSLACK, 1UL, 0, 0, 0);
	if (sched_setscheduler(0, SCHED_FIFO, &priority) < 0)
		error(2, errno, "cannot become a real-time process");
}

static void enter(const char *netns)
{
	char path[256];
	int fd;

	snprintf(path, sizeof(path), "/run/netns/%s", netns);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0 || setns(fd, CLONE_NEWNET) < 0)
		error(2, errno, "cannot enter network namespace %s", netns);
	close(fd);
}

static int udp_socket(const struct addrinfo *at)
{
	int fd = socket(at->ai_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	if (fd < 0)
		error(2, errno, "socket");
	return fd;
}

static void open_sockets(struct run *run, const char *from, const char *to, const char *address)
{
	const struct addrinfo hints = { .ai_flags = AI_NUMERICHOST, .ai_socktype = SOCK_DGRAM };
	struct addrinfo *at;
	const int yes = 1;
	int r = getaddrinfo(address, PORT, &hints, &at);

	if (r)
		error(2, 0, "%s: %s", address, gai_strerror(r));
	enter(to);
	run->rx = udp_socket(at);
	if (bind(run->rx, at->ai_addr, at->ai_addrlen) < 0)
		error(2, errno, "cannot bind to %s in %s", address, to);
	if (setsockopt(run->rx, SOL_SOCKET, SO_TIMESTAMPNS, &yes, sizeof(yes)) < 0)
		error(2, errno, "cannot ask for times of arrival");
	enter(from);
	run->tx = udp_socket(at);
	if (connect(run->tx, at->ai_addr, at->ai_addrlen) < 0)
		error(2, errno, "cannot send to %s from %s", address, from);
	freeaddrinfo(at);
}

/* True when a packet came before the deadline. */
static int wait_until(const struct run *run, int64_t deadline_ns)
{
	struct pollfd pfd = { .fd = run->rx, .events = POLLIN };
	int64_t left_ns = deadline_ns - now_ns();
	struct timespec ts;

	if (left_ns < 0)
		left_ns = 0;
	ts = (struct timespec){ .tv_sec = left_ns / NS_PER_S, .tv_nsec = left_ns % NS_PER_S };
	return ppoll(&pfd, 1, &ts, NULL) > 0;
}

static int64_t stamp_of(struct msghdr *msg)
{
	for (struct cmsghdr *c = CMSG_FIRSTHDR(msg); c; c = CMSG_NXTHDR(msg, c)) {
		struct timespec ts;

		if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_TIMESTAMPNS)
			continue;
		memcpy(&ts, CMSG_DATA(c), sizeof(ts));
		return in_ns(ts);
	}
	error(2, 0, "a packet came without its time of arrival");
	return 0;
}

static void receive_one(struct run *run)
{
	char control[CMSG_SPACE(sizeof(struct timespec))];
	uint32_t number;
	struct iovec data = { .iov_base = &number, .iov_len = sizeof(number) };
	struct msghdr msg = { .msg_iov = &data,
			      .msg_iovlen = 1,
			      .msg_control = control,
			      .msg_controllen = sizeof(control) };
	int64_t arrived_ns, woken_ns;

	if (recvmsg(run->rx, &msg, MSG_DONTWAIT) != sizeof(number) || number >= run->count)
		return;
	if (run->received == run->count)
		return;
	arrived_ns = stamp_of(&msg);
	woken_ns = now_ns() - arrived_ns;
	if (woken_ns > run->woken_ns)
		run->woken_ns = woken_ns;
	run->latency_ns[run->received++] = arrived_ns - run->sent_ns[number];
}

static void send_one(struct run *run, uint32_t number)
{
	int64_t took_ns;

	run->sent_ns[number] = now_ns();
	if (send(run->tx, &number, sizeof(number), 0) < 0)
		error(2, errno, "send");
	took_ns = now_ns() - run->sent_ns[number];
	if (took_ns > run->sending_ns)
		run->sending_ns = took_ns;
}

static void warm_up(struct run *run)
{
	const uint32_t sequence = WARMUP_SEQUENCE;

	for (int i = 0; i < WARMUP_TRIES; i++) {
		if (send(run->tx, &sequence, sizeof(sequence), 0) < 0 && errno != EHOSTUNREACH)
			error(2, errno, "send");
		if (wait_until(run, now_ns() + WARMUP_EACH_NS)) {
			receive_one(run);
			return;
		}
	}
	error(1, 0, "no packet arrives at all");
}

static void measure(struct run *run)
{
	int64_t due_ns = now_ns();

	for (uint32_t number = 0; number < run->count; number++, due_ns += run->interval_ns) {
		while (wait_until(run, due_ns))
			receive_one(run);
		send_one(run, number);
	}
	due_ns += LAST_WAIT_NS;
	while (run->received < run->count && wait_until(run, due_ns))
		receive_one(run);
}

static int by_value(const void *a, const void *b)
{
	int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

	return (x > y) - (x < y);
}

static int64_t percentile(const struct run *run, uint32_t percent)
{
	return run->latency_ns[(uint64_t)(run->received - 1) * percent / 100];
}

static void report(struct run *run)
{
	if (!run->received)
		error(1, 0, "sent %u received 0", run->count);
	qsort(run->latency_ns, run->received, sizeof(*run->latency_ns), by_value);
	printf("sent %u received %u min %lld p50 %lld p99 %lld max %lld sending %lld woken %lld\n",
	       run->count, run->received, (long long)percentile(run, 0),
	       (long long)percentile(run, 50), (long long)percentile(run, 99),
	       (long long)percentile(run, 100), (long long)run->sending_ns,
	       (long long)run->woken_ns);
}

int main(int argc, char **argv)
{
	struct run run = { 0 };

	if (argc != 6)
		error(2, 0, "usage: vmtest-oneway FROM TO ADDRESS COUNT INTERVAL_US");
	run.count = (uint32_t)strtoul(argv[4], NULL, 10);
	run.interval_ns = strtoll(argv[5], NULL, 10) * 1000;
	if (!run.count || run.interval_ns <= 0)
		error(2, 0, "COUNT and INTERVAL_US must be above 0");
	run.sent_ns = calloc(run.count, sizeof(*run.sent_ns));
	run.latency_ns = calloc(run.count, sizeof(*run.latency_ns));
	if (!run.sent_ns || !run.latency_ns)
		error(2, ENOMEM, "%u packets", run.count);

	wake_at_once();
	open_sockets(&run, argv[1], argv[2], argv[3]);
	warm_up(&run);
	measure(&run);
	report(&run);
	free(run.sent_ns);
	free(run.latency_ns);
	return EXIT_SUCCESS;
}
