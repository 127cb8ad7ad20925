/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * timererror.c - how late this machine wakes a thread that only sleeps: what a delay engine's error is compared with.
 *
 *     timererror MICROSECONDS SAMPLES [fifo]
 *
 * Prints `p50_ns=... p99_ns=... max_ns=...`. With `fifo` the thread is SCHED_FIFO, as the hold engine's is.
 */
#include <inttypes.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "hold/hold.h"

int main(int argc, char **argv)
{
	const struct sched_param first = { .sched_priority = 1 };
	struct spread error = {};
	int r;

	if (argc < 3) {
		fprintf(stderr, "usage: timererror MICROSECONDS SAMPLES [fifo]\n");
		return 2;
	}
	if (argc > 3 && sched_setscheduler(0, SCHED_FIFO, &first) < 0) {
		perror("timererror: SCHED_FIFO");
		return 1;
	}
	r = hold_timer_error(strtoull(argv[1], NULL, 10) * 1000,
			     (unsigned int)strtoul(argv[2], NULL, 10), &error);
	if (r < 0) {
		fprintf(stderr, "timererror: %s\n", strerror(-r));
		return 1;
	}
	printf("p50_ns=%" PRIu64 " p99_ns=%" PRIu64 " max_ns=%" PRIu64 "\n",
	       spread_percentile(&error, 0.5), spread_percentile(&error, 0.99), error.max_ns);
	return 0;
}
