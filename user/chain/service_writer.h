/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * service_writer.h - puts a message together in a buffer; the first failure is remembered, so that the wording reads
 * without checks.
 */
#ifndef HF_CHAIN_SERVICE_WRITER_H
#define HF_CHAIN_SERVICE_WRITER_H

#include <stddef.h>
#include <stdint.h>

#include "chain/buffer.h"

#define WRITER_TIME_DIGITS 20 /* of the largest 64-bit number */

struct writer {
	struct buffer *out;
	int r;
};

void write_bytes(struct writer *writer, const char *bytes, size_t len);
void write_text(struct writer *writer, const char *text);
void write_number(struct writer *writer, uint64_t number);
/* `name` is all that stands before the number. A time that is not known is null, never 0. */
void write_time(struct writer *writer, const char *name, uint64_t time_ns);
/* A field to be filled in later, by put_right(); returns where it is. */
size_t write_blank_field(struct writer *writer, size_t width);

/* `number` at the right end of a field of `width` characters, blanks before it. */
void put_right(char *field, size_t width, uint64_t number);

#endif
