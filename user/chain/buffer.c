/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * buffer.c - see buffer.h. Growth doubles, so that a message of n bytes costs O(n) copying.
 */
#include "buffer.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BUFFER_FIRST_BYTES 4096
#define BUFFER_KEEP_BYTES  (256 * 1024)

int buffer_reserve(struct buffer *buffer, size_t room)
{
	size_t size = buffer->size ? buffer->size : BUFFER_FIRST_BYTES;
	char *bytes;

	if (room <= buffer->size - buffer->len)
		return 0;
	if (room > buffer->max || buffer->len > buffer->max - room)
		return -ENOBUFS;
	while (size < buffer->len + room)
		size *= 2;
	if (size > buffer->max)
		size = buffer->max;
	bytes = realloc(buffer->bytes, size);
	if (!bytes)
		return -ENOMEM;
	buffer->bytes = bytes;
	buffer->size = size;
	return 0;
}

int buffer_add(struct buffer *buffer, const void *bytes, size_t len)
{
	int r = buffer_reserve(buffer, len);

	if (r < 0)
		return r;
	if (len)
		memcpy(buffer->bytes + buffer->len, bytes, len);
	buffer->len += len;
	return 0;
}

int buffer_fill(struct buffer *buffer, char byte, size_t count)
{
	int r = buffer_reserve(buffer, count);

	if (r < 0)
		return r;
	if (count)
		memset(buffer->bytes + buffer->len, byte, count);
	buffer->len += count;
	return 0;
}

int buffer_printf(struct buffer *buffer, const char *format, ...)
{
	va_list args;
	int len, r;

	va_start(args, format);
	len = vsnprintf(NULL, 0, format, args);
	va_end(args);
	if (len < 0)
		return -EINVAL;
	r = buffer_reserve(buffer, (size_t)len + 1); /* vsnprintf writes a NUL as well */
	if (r < 0)
		return r;
	va_start(args, format);
	vsnprintf(buffer->bytes + buffer->len, (size_t)len + 1, format, args);
	va_end(args);
	buffer->len += (size_t)len;
	return 0;
}

void buffer_take(struct buffer *buffer, size_t len)
{
	if (len < buffer->len)
		memmove(buffer->bytes, buffer->bytes + len, buffer->len - len);
	buffer->len -= len;
}

void buffer_reset(struct buffer *buffer)
{
	if (buffer->size > BUFFER_KEEP_BYTES)
		buffer_done(buffer);
	buffer->len = 0;
}

void buffer_done(struct buffer *buffer)
{
	free(buffer->bytes);
	buffer->bytes = NULL;
	buffer->len = buffer->size = 0;
}
