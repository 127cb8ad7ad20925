/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * byturns.c - what our programs cost a flow, by turns that are shorter than the machine's moods.
 *
 *     byturns OWNER RECEIVER TURNS WINDOW_MS DEVICE...
 *
 * Takes the programs that the owner (a PID) has attached to the devices by TCX, off and on again, in the order of off, on, on,
 * off; after each change it waits for a moment, and counts for WINDOW_MS what the process RECEIVER's namespace gets by its eth0.
 * Prints a line a turn: Mbit/s without and with them. Owner and rules stay as they are. The owner's links are gone
 * afterwards, so it is good for nothing but to be stopped; ours go with this process.
 */
#include <bpf/bpf.h>
#include <err.h>
#include <inttypes.h>
#include <net/if.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "fdinfo.h"

#define HOOKS_MAX 64
#define SETTLE_NS 20000000

struct hook {
	int prog_fd;
	uint32_t ifindex;
	enum bpf_attach_type type;
	int link_fd; /* ours; -1: off */
};

struct hooks {
	char **device; /* the names of those that are meant, and NULL */
	struct hook at[HOOKS_MAX];
	unsigned int count;
};

/* What the kernel says of one descriptor of the owner's. */
struct told {
	bool is_tcx;
	uint32_t link, prog, ifindex, type;
};

static bool is_meant(uint32_t ifindex, char **device)
{
	for (; *device; device++)
		if (if_nametoindex(*device) == ifindex)
			return true;
	return false;
}

static struct told read_told(FILE *info)
{
	struct told told = {};
	char line[128];

	while (fgets(line, sizeof(line), info)) {
		told.is_tcx |= strncmp(line, "link_type:\ttcx", 14) == 0;
		sscanf(line, "link_id: %u", &told.link);
		sscanf(line, "prog_id: %u", &told.prog);
		sscanf(line, "ifindex: %u", &told.ifindex);
		sscanf(line, "attach_type: %u", &told.type);
	}
	return told;
}

/* The owner's link ends; what it attached we can attach. */
static void take_over(struct hooks *hooks, const struct told *told)
{
	_cleanup_(closep) int link_fd = bpf_link_get_fd_by_id(told->link);
	struct hook *hook = &hooks->at[hooks->count];

	if (hooks->count == HOOKS_MAX)
		errx(2, "there are more than %d hooks", HOOKS_MAX);
	*hook = (struct hook){ .prog_fd = bpf_prog_get_fd_by_id(told->prog),
			       .ifindex = told->ifindex,
			       .type = (enum bpf_attach_type)told->type,
			       .link_fd = -1 };
	if (link_fd < 0 || hook->prog_fd < 0 || bpf_link_detach(link_fd) < 0)
		err(2, "cannot take over from the owner");
	hooks->count++;
}

static void take_if_meant(void *ctx, FILE *info)
{
	const struct told told = read_told(info);
	struct hooks *hooks = ctx;

	if (told.is_tcx && is_meant(told.ifindex, hooks->device))
		take_over(hooks, &told);
}

static void find_hooks(const char *owner, struct hooks *hooks)
{
	if (fdinfo_each(owner, take_if_meant, hooks) < 0)
		errx(2, "there is no process %s", owner);
	if (hooks->count == 0)
		errx(2, "the owner has attached nothing there");
}

static void turn(struct hooks *hooks, bool on)
{
	for (unsigned int i = 0; i < hooks->count; i++) {
		struct hook *hook = &hooks->at[i];

		if (on && hook->link_fd < 0) {
			hook->link_fd = bpf_link_create(hook->prog_fd, (int)hook->ifindex,
							hook->type, NULL);
			if (hook->link_fd < 0)
				err(2, "cannot attach");
		} else if (!on && hook->link_fd >= 0) {
			close(hook->link_fd);
			hook->link_fd = -1;
		}
	}
}

static void wait_ns(uint64_t ns)
{
	const struct timespec time = { .tv_sec = (time_t)(ns / 1000000000),
				       .tv_nsec = (long)(ns % 1000000000) };

	nanosleep(&time, NULL);
}

static uint64_t received(const char *receiver)
{
	char path[64], line[512];
	uint64_t bytes = 0;
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%.16s/net/dev", receiver);
	file = fopen(path, "re");
	while (file && fgets(line, sizeof(line), file))
		sscanf(line, " eth0: %" SCNu64, &bytes);
	if (!file || bytes == 0)
		errx(1, "the receiver has gone, or has got nothing");
	fclose(file);
	return bytes;
}

/* Mbit/s. */
static double rate(const char *receiver, uint64_t window_ns)
{
	uint64_t begin_ns = clock_now_ns(), before = received(receiver), bytes;

	wait_ns(window_ns);
	bytes = received(receiver) - before;
	return (double)bytes * 8e3 / (double)(clock_now_ns() - begin_ns);
}

int main(int argc, char **argv)
{
	struct hooks hooks = { .device = argv + 5 };
	uint64_t window_ns;
	int turns;

	if (argc < 6) {
		fprintf(stderr, "usage: byturns OWNER RECEIVER TURNS WINDOW_MS DEVICE...\n");
		return 2;
	}
	turns = atoi(argv[3]);
	window_ns = strtoull(argv[4], NULL, 10) * 1000000;
	find_hooks(argv[1], &hooks);
	for (int i = 0; i < turns; i++) {
		double mbit[2];

		for (int half = 0; half < 2; half++) {
			bool on = (half ^ i) & 1;

			turn(&hooks, on);
			wait_ns(SETTLE_NS);
			mbit[on] = rate(argv[2], window_ns);
		}
		printf("%.1f %.1f\n", mbit[false], mbit[true]);
		fflush(stdout);
	}
	return 0;
}
