/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * service_writer.c - see service_writer.h.
 */
#include "chain/service_writer.h"

#include <string.h>

void write_bytes(struct writer *writer, const char *bytes, size_t len)
{
	if (!writer->r)
		writer->r = buffer_add(writer->out, bytes, len);
}

void write_text(struct writer *writer, const char *text)
{
	write_bytes(writer, text, strlen(text));
}

void put_right(char *field, size_t width, uint64_t number)
{
	memset(field, ' ', width);
	do {
		field[--width] = (char)('0' + number % 10);
		number /= 10;
	} while (number && width);
}

void write_number(struct writer *writer, uint64_t number)
{
	char digits[WRITER_TIME_DIGITS];
	size_t first = 0;

	put_right(digits, sizeof(digits), number);
	while (digits[first] == ' ')
		first++;
	write_bytes(writer, digits + first, sizeof(digits) - first);
}

void write_time(struct writer *writer, const char *name, uint64_t time_ns)
{
	write_text(writer, name);
	if (time_ns)
		write_number(writer, time_ns);
	else
		write_text(writer, "null");
}

size_t write_blank_field(struct writer *writer, size_t width)
{
	size_t at = writer->out->len;

	if (!writer->r)
		writer->r = buffer_fill(writer->out, ' ', width);
	return at;
}
