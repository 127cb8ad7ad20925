/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * log.h - one line for people, on stderr: "hopfault: cannot attach to a (veth12): ...".
 *
 * The name in front is the program's own. Every line is escaped as text_escape_terminal() does it, so that a
 * container's name can't drive the reader's terminal, and leaves in one write. errno is left as it was.
 */
#ifndef HOPFAULT_BASE_LOG_H
#define HOPFAULT_BASE_LOG_H

enum log_level {
	LOG_LEVEL_ERROR,
	LOG_LEVEL_WARN,
	LOG_LEVEL_INFO, /* where it starts */
	LOG_LEVEL_DEBUG,
};

/* Prints what is at most as talkative as `level`. Errors are always printed. */
void log_set_level(enum log_level level);
enum log_level log_level(void);

/* Tells a failure and returns `r`, for: return log_err(r, "cannot open %s: %s", path, strerror(-r)); */
int log_err(int r, const char *format, ...) __attribute__((format(printf, 2, 3)));

void log_warn(const char *format, ...) __attribute__((format(printf, 1, 2)));
void log_info(const char *format, ...) __attribute__((format(printf, 1, 2)));
void log_debug(const char *format, ...) __attribute__((format(printf, 1, 2)));

#endif
