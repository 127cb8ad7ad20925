/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * csv_line.h - one line of a CSV file, cut into its fields.
 */
#ifndef HOPFAULT_EXPORT_CSV_LINE_H
#define HOPFAULT_EXPORT_CSV_LINE_H

/*
 * Cuts `line`, which has no line's end any more, in place: quotes are taken off as RFC 4180 says, and field[] gets
 * pointers into it. Returns how many fields there are (at least 1), or -EBADMSG: more than `max`, or a quote that
 * stands where none may.
 */
int csv_line_split(char *line, char **field, unsigned int max);

#endif
