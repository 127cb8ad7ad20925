/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * buffer.h - a run of bytes that grows up to a limit and no further.
 *
 * Received bytes are added at the end and taken from the front; messages are built in one so that
 * they leave in one send call.
 */
#ifndef HF_CHAIN_BUFFER_H
#define HF_CHAIN_BUFFER_H

#include <stddef.h>

struct buffer {
	char *bytes;
	size_t len; /* bytes in use */
	size_t size; /* bytes allocated */
	size_t max; /* never grows beyond this */
};

#define BUFFER_INIT(max_bytes) ((struct buffer){ .max = (max_bytes) })

/* Makes room for `room` more bytes. -ENOBUFS beyond the limit, -ENOMEM. */
int buffer_reserve(struct buffer *buffer, size_t room);

/* Adds bytes at the end. Errors as buffer_reserve(); nothing is added then. */
int buffer_add(struct buffer *buffer, const void *bytes, size_t len);
int buffer_fill(struct buffer *buffer, char byte, size_t count);
int buffer_printf(struct buffer *buffer, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/* Takes the first `len` bytes away. */
void buffer_take(struct buffer *buffer, size_t len);

/* Empties it, and gives the memory back when an unusually large message had made it grow. */
void buffer_reset(struct buffer *buffer);
void buffer_done(struct buffer *buffer);

#endif
