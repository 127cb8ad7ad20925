/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * head.h - do these bytes begin an HTTP/1 message, and what does its first line say?
 */
#ifndef HOPFAULT_TRACE_HEAD_H
#define HOPFAULT_TRACE_HEAD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "trace/call.h"

enum head_kind {
	HEAD_NONE, /* bytes of something else, or of the middle */
	HEAD_REQUEST,
	HEAD_RESPONSE,
};

struct head {
	enum head_kind kind;
	uint16_t status; /* of a response */
	char method[CALL_METHOD_MAX]; /* of a request; terminated */
	char path
		[CALL_PATH_MAX]; /* of a request; terminated, printable, without query or authority */
};

/* Reads at most `len` bytes, which may end anywhere. ret_head is filled always. */
void head_parse(const uint8_t *bytes, size_t len, struct head *ret_head);

/* 100 Continue and its like: the response proper is still to come. Not so 101, which ends HTTP. */
bool status_is_interim(uint16_t status);

#endif
