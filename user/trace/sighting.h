/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * sighting.h - what was seen of a stream's bytes goes into the messages that have them.
 */
#ifndef HOPFAULT_TRACE_SIGHTING_H
#define HOPFAULT_TRACE_SIGHTING_H

#include <stdbool.h>
#include <stdint.h>

#include "trace/way.h"

/* What the stream of this way tells goes into the messages of its calls; `way` must live as long. */
struct stream_env sighting_env(const struct way *way);

/* A packet without bytes, on this way, was dropped or delayed by these rules while `call` went on. */
void sighting_note_act(const struct way *way, struct open_call *call, const uint32_t *rule_id,
		       bool is_drop);
/* The sender's TCP sends these bytes again. */
void sighting_note_resent(const struct way *way, uint64_t begin, uint64_t end);

#endif
