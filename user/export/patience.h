/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * patience.h - how long each caller of a chain waits for a callee that does not answer.
 *
 *     client -> a -> b -> c -> d         hop 0, 1, 2, 3
 *                      X                 hop 2 is cut for a while: b's patience is measured, and what a and the client see
 *
 * Calls and cuts go in, in any order, while they happen; patience_measure() then says what they come to. Nothing is
 * guessed: a caller that nobody saw waiting is unknown, and of one that never gave up it is only known how long it waited
 * at least.
 */
#ifndef HOPFAULT_EXPORT_PATIENCE_H
#define HOPFAULT_EXPORT_PATIENCE_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "base/cleanup.h"
#include "trace/call.h"

#define PATIENCE_HOPS_MAX  64
#define PATIENCE_CALLS_MAX 1000000 /* more are counted, and not looked at */

/* What was waited for: a request was sent and never answered, or the connection did not come about. */
enum patience_kind { PATIENCE_ANSWER, PATIENCE_CONNECT, PATIENCE_KINDS };

/* Some times of one sort; p50 and max mean something when count is not 0. */
struct patience_times {
	uint32_t count;
	uint64_t min_ns, p50_ns, max_ns;
};

/* One caller while one link was cut. */
struct patience_wait {
	unsigned int cut; /* index of the cut */
	unsigned int hop; /* whose caller it is: at most the cut's */
	uint32_t calls; /* that met the cut */
	struct patience_times gave_up[PATIENCE_KINDS]; /* after so long, by itself */
	struct patience_times answered; /* got an answer while the link was cut, after so long .. */
	uint16_t status; /* .. mostly this; 0: unknown */
	uint32_t broken; /* was refused, or hung up on */
	uint32_t
		waiting[PATIENCE_KINDS]; /* had not given up when the cut, or the trace, ended .. */
	uint64_t waited_ns
		[PATIENCE_KINDS]; /* .. and had waited at least so long, the longest of them */
	bool hangs[PATIENCE_KINDS]; /* so, nobody gave up, and that was as long as was looked */
	struct patience_times
		tries; /* calls for each call of its own caller (a number, not a time) */
	struct patience_times
		whole; /* from its first try until its own caller had an answer, or, gone before, until its last */
};

struct patience_cut {
	unsigned int hop;
	uint64_t from_ns, to_ns; /* CLOCK_MONOTONIC: in force no later than, and no longer than */
};

enum patience_finding_kind {
	FINDING_HANGS, /* no end of waiting was seen */
	FINDING_OUTER_SHORTER, /* gives up while the one it called still waits */
	FINDING_EQUAL, /* both give up at the same time: who is first is chance */
	FINDING_RETRIES, /* one call becomes many */
	FINDING_CONNECT, /* waits for connections quite differently */
	FINDING_UNKNOWN, /* no call was seen: nothing is known */
	FINDING_SANE, /* none of these */
};

struct patience_finding {
	enum patience_finding_kind kind;
	unsigned int hop; /* whose caller is meant */
	char text[400]; /* a sentence or two; names in it are other people's bytes */
};

struct patience;

/* name[] are the endpoints of the chain, hops + 1 of them; copied. Returns 0 or -ENOMEM. */
int patience_new(const char *const *name, unsigned int hops, struct patience **ret_patience);
void patience_free(struct patience *patience);
DEFINE_CLEANUP(struct patience *, patience_free)

/* A call of this hop; which hop is the caller's knowledge. 0 or -ENOMEM. */
int patience_add(struct patience *patience, unsigned int hop, const struct call *call);
int patience_add_cut(struct patience *patience, const struct patience_cut *cut);

/*
 * Looks at all of it. limit_ns: a caller that waited as long, and did not give up, is said to hang. Again after more has
 * been added. 0 or -ENOMEM.
 */
int patience_measure(struct patience *patience, uint64_t limit_ns);

/* Good until the next patience_measure(). */
size_t patience_cuts(const struct patience *patience);
const struct patience_cut *patience_cut_at(const struct patience *patience, size_t cut);
/* Of this cut, the caller of this hop, which is at most the cut's. */
const struct patience_wait *patience_wait_at(const struct patience *patience, size_t cut,
					     unsigned int hop);
size_t patience_findings(const struct patience *patience);
const struct patience_finding *patience_finding_at(const struct patience *patience, size_t which);
const char *patience_name(const struct patience *patience, unsigned int endpoint);
unsigned int patience_hops(const struct patience *patience);
uint64_t patience_limit(const struct patience *patience);
/* Calls that found no room. */
uint64_t patience_ignored(const struct patience *patience);
/* The word for JSON and tests: "outer_shorter". */
const char *patience_finding_name(enum patience_finding_kind kind);

/* Two tables and the findings, 80 columns wide. 0 or -errno. */
int patience_print(const struct patience *patience, FILE *out);
/* patience.csv, with its header: a row for each cut and caller. 0 or -EIO. */
int patience_write_csv(const struct patience *patience, FILE *out);
/* For whoever takes it to json_decref(); NULL: no memory. After patience_measure(). */
json_t *patience_json(const struct patience *patience);

#endif
