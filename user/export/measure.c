/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * measure.c - the times of a call by name.
 *
 * The stages' names come from stage_name(), so they are written down once in the whole program.
 */
#include "export/measure.h"

#include <stddef.h>

struct measure_row {
	const char *name;
	size_t offset;
};

#define MEASURE(measure, name, field) [measure] = { name, offsetof(struct call, field) }

static const struct measure_row rows[MEASURE_COUNT] = {
	MEASURE(MEASURE_CONNECT, "connect", connect_ns),
	MEASURE(MEASURE_TOTAL, "total", total_ns),
	MEASURE(MEASURE_SRV_SELF, "srv_self", srv_self_ns),
	MEASURE(MEASURE_INJ_CONNECT, "inj_connect", inj_connect_ns),
	MEASURE(MEASURE_INJ_REQ, "inj_req", inj_req_ns),
	MEASURE(MEASURE_INJ_RESP, "inj_resp", inj_resp_ns),
	MEASURE(MEASURE_INJ_STREAM, "inj_stream", inj_stream_ns),
	MEASURE(MEASURE_INJ_LOSS, "inj_loss", inj_loss_ns),
	MEASURE(MEASURE_INJECTED, "injected", injected_ns),
	MEASURE(MEASURE_REAL_LOSS, "real_loss", real_loss_ns),
};

static int is_stage(enum measure measure)
{
	return measure >= MEASURE_STAGE && measure < MEASURE_STAGE + STAGE_COUNT;
}

const char *measure_name(enum measure measure)
{
	if (is_stage(measure))
		return stage_name((enum stage)(measure - MEASURE_STAGE));
	return rows[measure].name;
}

uint64_t measure_of(const struct call *call, enum measure measure)
{
	if (is_stage(measure))
		return call->stage_ns[measure - MEASURE_STAGE];
	return *(const uint64_t *)((const char *)call + rows[measure].offset);
}

void measure_set(struct call *call, enum measure measure, uint64_t ns)
{
	if (is_stage(measure))
		call->stage_ns[measure - MEASURE_STAGE] = ns;
	else
		*(uint64_t *)((char *)call + rows[measure].offset) = ns;
}
