/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * cuttime.c - how long after a command's start does a link change?
 *
 *     cuttime FROM-NETNS TO-NETNS ADDRESS -- COMMAND...
 *
 *   sender thread (FROM)  -- UDP, 4000 a second, each with its own time -->  receiver thread (TO)
 *   main thread           exec COMMAND, wait for it, then watch a little longer
 *
 * Prints `command_ns=... last_ns=... first_ns=... passed=...`: how long COMMAND took; when, after its start, the last
 * packet was sent that passed (a cut's moment); and when the first was sent that passed (a heal's moment). Both are
 * the sender's times, so a receiver that the scheduler keeps waiting changes nothing. One packet is sent in 250 us: that is
 * the grain. A packet that is never sent because the sender had no processor makes last_ns smaller and first_ns larger: gap_ns
 * is the longest pause between two sends.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define PORT	  9099
#define PERIOD_NS 250000ULL
#define BEFORE_NS 30000000ULL /* the stream flows (or is cut) so long before the command */
#define AFTER_NS  30000000ULL

struct stream {
	int send_fd;
	int receive_fd;
	atomic_bool ends;
	_Atomic uint64_t begin_ns; /* the command's start; 0: not yet */
	uint64_t last_ns;
	uint64_t first_ns;
	uint64_t gap_ns;
	uint64_t passed;
};

static uint64_t now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

/* A socket stays in the namespace in which it was made. */
static int socket_in(const char *netns)
{
	int here = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
	int there = open(netns, O_RDONLY | O_CLOEXEC);
	int fd = -1;

	if (here >= 0 && there >= 0 && setns(there, CLONE_NEWNET) == 0)
		fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (here >= 0 && setns(here, CLONE_NEWNET) < 0)
		exit(1);
	close(there);
	close(here);
	return fd;
}

static void *send_stream(void *arg)
{
	struct stream *stream = arg;
	uint64_t due_ns = now_ns(), before_ns = due_ns;

	while (!stream->ends) {
		struct timespec due = { .tv_sec = (time_t)(due_ns / 1000000000),
					.tv_nsec = (long)(due_ns % 1000000000) };
		uint64_t sent_ns;

		clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &due, NULL);
		sent_ns = now_ns();
		if (send(stream->send_fd, &sent_ns, sizeof(sent_ns), 0) < 0 && errno != EAGAIN &&
		    errno != ENOBUFS && errno != ECONNREFUSED)
			break;
		if (stream->begin_ns && sent_ns - before_ns > stream->gap_ns)
			stream->gap_ns = sent_ns - before_ns;
		before_ns = sent_ns;
		due_ns = due_ns + PERIOD_NS > sent_ns ? due_ns + PERIOD_NS : sent_ns + PERIOD_NS;
	}
	return NULL;
}

static void *receive_stream(void *arg)
{
	struct stream *stream = arg;
	uint64_t sent_ns;

	while (!stream->ends) {
		if (recv(stream->receive_fd, &sent_ns, sizeof(sent_ns), 0) != sizeof(sent_ns))
			continue;
		if (!stream->begin_ns || sent_ns < stream->begin_ns)
			continue;
		stream->passed++;
		stream->last_ns = sent_ns;
		if (!stream->first_ns)
			stream->first_ns = sent_ns;
	}
	return NULL;
}

static int open_stream(char **word, struct stream *stream)
{
	struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons(PORT) };
	const struct timeval soon = { .tv_usec = 10000 };

	stream->send_fd = socket_in(word[1]);
	stream->receive_fd = socket_in(word[2]);
	if (stream->send_fd < 0 || stream->receive_fd < 0)
		return -errno;
	if (bind(stream->receive_fd, (struct sockaddr *)&to, sizeof(to)) < 0)
		return -errno;
	setsockopt(stream->receive_fd, SOL_SOCKET, SO_RCVTIMEO, &soon, sizeof(soon));
	if (inet_pton(AF_INET, word[3], &to.sin_addr) != 1)
		return -EINVAL;
	return connect(stream->send_fd, (struct sockaddr *)&to, sizeof(to)) < 0 ? -errno : 0;
}

static void pause_ns(uint64_t ns)
{
	nanosleep(&(struct timespec){ .tv_nsec = (long)ns }, NULL);
}

static int run(char **command)
{
	pid_t child = vfork();
	int status = 0;

	if (child == 0) {
		execvp(command[0], command);
		_exit(127);
	}
	while (child > 0 && waitpid(child, &status, 0) < 0)
		if (errno != EINTR)
			return 1;
	return child > 0 && WIFEXITED(status) ? WEXITSTATUS(status) : 1;
}

static uint64_t since(uint64_t begin_ns, uint64_t ns)
{
	return ns > begin_ns ? ns - begin_ns : 0;
}

int main(int argc, char **argv)
{
	struct stream stream = {};
	pthread_t sender, receiver;
	uint64_t begin_ns, command_ns;
	FILE *out;
	int r, status;

	if (argc < 6 || strcmp(argv[4], "--") != 0) {
		fprintf(stderr, "usage: cuttime FROM-NETNS TO-NETNS ADDRESS -- COMMAND...\n");
		return 2;
	}
	r = open_stream(argv, &stream);
	if (r < 0) {
		fprintf(stderr, "cuttime: %s\n", strerror(-r));
		return 1;
	}
	out = fcntl(3, F_GETFD) >= 0 ? fdopen(dup(3), "w") : stdout;
	fcntl(fileno(out), F_SETFD, FD_CLOEXEC);
	if (pthread_create(&receiver, NULL, receive_stream, &stream) ||
	    pthread_create(&sender, NULL, send_stream, &stream))
		return 1;
	pause_ns(BEFORE_NS);
	begin_ns = now_ns();
	stream.begin_ns = begin_ns;
	status = run(argv + 5);
	command_ns = now_ns() - begin_ns;
	pause_ns(AFTER_NS);
	stream.ends = true;
	pthread_join(sender, NULL);
	pthread_join(receiver, NULL);
	fprintf(out,
		"command_ns=%" PRIu64 " last_ns=%" PRIu64 " first_ns=%" PRIu64 " gap_ns=%" PRIu64
		" passed=%" PRIu64 "\n",
		command_ns, since(begin_ns, stream.last_ns), since(begin_ns, stream.first_ns),
		stream.gap_ns, stream.passed);
	fclose(out);
	return status;
}
