/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * counts.h - asks a hopchain service what it has counted since its start.
 */
#ifndef HF_CHAIN_COUNTS_H
#define HF_CHAIN_COUNTS_H

#include <stdint.h>
#include <stdio.h>

#define COUNTS_NAME_BYTES    64
#define COUNTS_BREAKER_BYTES 16

struct counts { /* what each means is in service.h */
	char service[COUNTS_NAME_BYTES]; /* another program's bytes: escape them */
	char breaker[COUNTS_BREAKER_BYTES]; /* likewise */
	uint64_t started_ns;
	uint64_t received;
	uint64_t failed;
	uint64_t degraded;
	uint64_t overloaded;
	uint64_t calls;
	uint64_t retries;
	uint64_t calls_failed;
	uint64_t calls_refused;
	uint64_t breaker_opened;
};

/*
 * From the network namespace that the caller is in. -errno of the connection; -EBADMSG: what answers is no hopchain.
 */
int counts_ask(const char *target, uint64_t timeout_ns, struct counts *ret_counts);

/* What was counted between two questions; all of `after` when the service was started anew in between. */
struct counts counts_between(const struct counts *before, const struct counts *after);

/* schema_version,service,started_ns,received,... ; a NULL row has a name and no figures: it did not answer. */
void counts_write_csv_head(FILE *out);
void counts_write_csv_row(FILE *out, const char *name, const struct counts *counts);

#endif
