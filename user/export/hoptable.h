/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * hoptable.h - what a run showed, for a person at a terminal: at most 80 columns wide.
 */
#ifndef HOPFAULT_EXPORT_HOPTABLE_H
#define HOPFAULT_EXPORT_HOPTABLE_H

#include <stdint.h>
#include <stdio.h>

#include "export/summary.h"

#define HOPTABLE_LOST_UNKNOWN UINT64_MAX /* read from a file, which does not say it */

struct hoptable_run {
	struct summary *summary; /* percentiles sort it */
	uint64_t lost_events; /* that the kernel could not tell */
};

/*
 * One run, or a baseline and the same under faults side by side (hops are matched by their names). 0, -EINVAL
 * (runs is not 1 or 2), -ENOMEM, -EIO.
 */
int hoptable_print(const struct hoptable_run *run, unsigned int runs, FILE *out);

#endif
