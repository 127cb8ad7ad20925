/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * summary.h - all calls of a run, gathered by hop: what summary.csv and the table on the terminal say.
 *
 * Times that are known are counted, of incomplete calls too; how many calls were incomplete is counted beside
 * them. A time that is not known is not counted, so `count` may differ between the measures of one hop.
 */
#ifndef HOPFAULT_EXPORT_SUMMARY_H
#define HOPFAULT_EXPORT_SUMMARY_H

#include "base/histogram.h"
#include "export/export.h"
#include "export/measure.h"

/* Beyond the measures of a call: */
enum {
	SUMMARY_BELOW = MEASURE_COUNT, /* injected into calls further down, see tree.h */
	SUMMARY_REAL, /* total less injected less below */
	SUMMARY_ASKED_REQ, /* of calls whose request was delayed: the delay asked, */
	SUMMARY_GIVEN_REQ, /* the time that it was really held, */
	SUMMARY_ERROR_REQ, /* and how much longer that is (0 if shorter) */
	SUMMARY_ASKED_RESP,
	SUMMARY_GIVEN_RESP,
	SUMMARY_ERROR_RESP,
	SUMMARY_COUNT
};

#define SUMMARY_HOPS_MAX   64
#define SUMMARY_VALUES_MAX (32U << 20) /* kept exactly, over all: 256 MB */

struct summary_hop {
	char *src;
	char *dst;
	uint32_t src_id;
	uint32_t dst_id;
	uint64_t calls;
	uint64_t incomplete;
	struct samples sample[SUMMARY_COUNT]; /* by enum measure and the enum above */
};

/*
 * Memory: at most 8 * values_max bytes, and 0.5 MB more for each measure of a hop that had too many values
 * to keep.
 */
struct summary {
	char *run_id;
	struct summary_hop *hop[SUMMARY_HOPS_MAX]; /* in the order in which they first came */
	unsigned int hops;
	uint64_t chains;
	uint64_t calls;
	uint64_t incomplete;
	uint64_t left_out; /* calls of hops beyond SUMMARY_HOPS_MAX */
	size_t values; /* added so far */
	size_t values_max;
};

/* 0 or -ENOMEM. */
int summary_init(struct summary *summary, const char *run_id);
void summary_done(struct summary *summary);

/* -ENOMEM: part of the chain may be in. */
int summary_add(struct summary *summary, const struct export_run *run, const struct chain *chain);

/* The hop with these names, or NULL. */
struct summary_hop *summary_find(const struct summary *summary, const char *src, const char *dst);

/* The rows of summary.csv for this run, without header. 0 or -EIO. */
int summary_write_csv(struct summary *summary, FILE *out);

#endif
