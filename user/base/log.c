/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * log.c - one line for people, escaped, in one write.
 *
 * The level is the project's one mutable global: it belongs to the process, as stderr does.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE /* vasprintf, program_invocation_short_name */
#endif

#include "base/log.h"

#include <errno.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/cleanup.h"
#include "base/text.h"

static _Atomic int current_level = LOG_LEVEL_INFO;

void log_set_level(enum log_level level)
{
	current_level = (int)level;
}

enum log_level log_level(void)
{
	return (enum log_level)current_level;
}

static void log_line(const char *kind, const char *format, va_list arguments)
{
	_cleanup_(freep) char *raw = NULL;
	_cleanup_(freep) char *line = NULL;
	size_t size;

	if (vasprintf(&raw, format, arguments) < 0) {
		raw = NULL;
		return;
	}
	size = text_escape_terminal(NULL, 0, raw) + 1;
	line = malloc(size);
	if (!line)
		return;
	text_escape_terminal(line, size, raw);
	fprintf(stderr, "%s: %s%s\n", program_invocation_short_name, kind, line);
}

static void log_at(enum log_level level, const char *kind, const char *format, va_list arguments)
{
	int saved_errno = errno;

	if ((int)level <= current_level)
		log_line(kind, format, arguments);
	errno = saved_errno;
}

int log_err(int r, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	log_at(LOG_LEVEL_ERROR, "", format, arguments);
	va_end(arguments);
	return r;
}

void log_warn(const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	log_at(LOG_LEVEL_WARN, "warning: ", format, arguments);
	va_end(arguments);
}

void log_info(const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	log_at(LOG_LEVEL_INFO, "", format, arguments);
	va_end(arguments);
}

void log_debug(const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	log_at(LOG_LEVEL_DEBUG, "debug: ", format, arguments);
	va_end(arguments);
}
