/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * passage.h - a passage (struct hf_passage) taken apart into the events that it stands for.
 */
#ifndef HOPFAULT_TRACE_PASSAGE_H
#define HOPFAULT_TRACE_PASSAGE_H

#include <stdbool.h>
#include <stddef.h>

#include "abi.h"
#include "trace/event.h"

#define PASSAGE_PARTS 3 /* in order of time: the send, the leaving, the entering */

/* `size`: of the memory that it stands in. */
bool passage_is_valid(const struct hf_passage *passage, size_t size);

/* The nth part, from 0, with its head; false: it is missing. *ret_part has room for EVENT_MAX bytes. */
bool passage_part(const struct hf_passage *passage, unsigned int nth, struct hf_event *ret_part);

#endif
