/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * measure.h - every time that a call has, by one name: the column of hops.csv and the stage of summary.csv.
 */
#ifndef HOPFAULT_EXPORT_MEASURE_H
#define HOPFAULT_EXPORT_MEASURE_H

#include "trace/call.h"

enum measure {
	MEASURE_CONNECT,
	MEASURE_TOTAL,
	MEASURE_STAGE, /* + enum stage */
	MEASURE_SRV_SELF = MEASURE_STAGE + STAGE_COUNT,
	MEASURE_INJ_CONNECT,
	MEASURE_INJ_REQ,
	MEASURE_INJ_RESP,
	MEASURE_INJ_STREAM,
	MEASURE_INJ_LOSS,
	MEASURE_INJECTED,
	MEASURE_REAL_LOSS,
	MEASURE_COUNT
};

/* "total", "cli_send", ...: the column is this and "_ns". */
const char *measure_name(enum measure measure);
/* In nanoseconds, or TIME_UNKNOWN. */
uint64_t measure_of(const struct call *call, enum measure measure);
void measure_set(struct call *call, enum measure measure, uint64_t ns);

#endif
