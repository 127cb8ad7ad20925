/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * knock.c - a rude client of the owner's control socket.
 *
 *     knock silent COUNT SECONDS     COUNT connections that say nothing
 *     knock half COUNT SECONDS       each says the beginning of a request
 *     knock ask                      asks for the status as this user and says what it got: bytes, 0 or an errno's name
 *
 * The first two wait until the owner has closed all connections, at most SECONDS, and print
 * `closed=N first_ms=... last_ms=... refused=N`. HOPFAULT_RUN_DIR says where the socket is.
 */
#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "daemon/wire.h"

#define KNOCKS_MAX 500

static int say_half(int fd)
{
	const struct wire_header header = { .length = 1000, .kind = WIRE_REQUEST };

	if (send(fd, &header, sizeof(header), MSG_NOSIGNAL) < 0)
		return -errno;
	return send(fd, "{\"command\"", 10, MSG_NOSIGNAL) < 0 ? -errno : 0;
}

static size_t wait_for_ends(struct pollfd *knock, size_t count, uint64_t began_ns,
			    uint64_t until_ns)
{
	uint64_t first_ns = 0, now_ns = began_ns;
	size_t closed = 0;

	while (closed < count && now_ns < until_ns) {
		poll(knock, count, (int)((until_ns - now_ns) / 1000000) + 1);
		now_ns = clock_now_ns();
		for (size_t i = 0; i < count; i++)
			if (knock[i].fd >= 0 && knock[i].revents) {
				close(knock[i].fd);
				knock[i].fd = -1;
				closed++;
				first_ns = first_ns ? first_ns : now_ns;
			}
	}
	printf("closed=%zu first_ms=%" PRIu64 " last_ms=%" PRIu64, closed,
	       first_ns ? (first_ns - began_ns) / 1000000 : 0, (now_ns - began_ns) / 1000000);
	return closed;
}

static int knock_and_wait(bool half, size_t count, uint64_t seconds)
{
	static struct pollfd knock[KNOCKS_MAX];
	uint64_t began_ns = clock_now_ns();
	size_t made = 0;

	for (size_t i = 0; i < count && i < KNOCKS_MAX; i++) {
		knock[made] = (struct pollfd){ .fd = -1, .events = POLLIN };
		if (wire_connect(&knock[made].fd) < 0)
			continue;
		if (half)
			say_half(knock[made].fd);
		made++;
	}
	wait_for_ends(knock, made, began_ns, began_ns + seconds * 1000000000);
	printf(" refused=%zu\n", count - made);
	return 0;
}

static int ask_status(void)
{
	static const char text[] = "{\"command\":\"status\"}";
	_cleanup_(freep) char *payload = NULL;
	_cleanup_(closep) int fd = -1;
	enum wire_kind kind;
	size_t length = 0;
	int r;

	r = wire_connect(&fd);
	if (r >= 0)
		r = wire_send(fd, WIRE_REQUEST, text, strlen(text));
	if (r >= 0)
		r = wire_receive(fd, &kind, &payload, &length);
	if (r < 0)
		puts(strerrorname_np(-r));
	else
		printf("%zu\n", length);
	return 0;
}

int main(int argc, char **argv)
{
	if (argc == 2 && strcmp(argv[1], "ask") == 0)
		return ask_status();
	if (argc == 4 && (strcmp(argv[1], "silent") == 0 || strcmp(argv[1], "half") == 0))
		return knock_and_wait(argv[1][0] == 'h', strtoul(argv[2], NULL, 10),
				      strtoul(argv[3], NULL, 10));
	fprintf(stderr, "usage: knock ask | knock silent|half COUNT SECONDS\n");
	return 2;
}
