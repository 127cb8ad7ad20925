/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * canvas.h - what all pictures have in common: an SVG file that a browser shows alone, with no scripts, no fonts and
 * nothing from outside, on a white ground, so that it can be read on a dark page too.
 *
 * All text is escaped here.
 */
#ifndef HOPFAULT_EXPORT_CANVAS_H
#define HOPFAULT_EXPORT_CANVAS_H

#include <stddef.h>
#include <stdio.h>

#define CANVAS_COLOURS 8

/*
 * Of Okabe and Ito's palette (https://jfly.uni-koeln.de/color/), which people who see colours in different ways can
 * tell apart: without its yellow, which is too light for lines, and with a grey.
 */
extern const char *const canvas_colour[CANVAS_COLOURS];

/* The head of the file; what is defined for later use (<defs>) may follow. */
void canvas_begin(FILE *out, int width, int height, const char *title);
/* The ground, and the title on it. */
void canvas_title(FILE *out, int width, int height, const char *title);
void canvas_end(FILE *out);

/* `style` is attributes: "fill=\"#555\" text-anchor=\"end\"". */
void canvas_text(FILE *out, double x, double y, const char *style, const char *text);
/* In the middle of the left edge, read from below. */
void canvas_text_upwards(FILE *out, double x, double y, const char *text);
void canvas_line(FILE *out, double x1, double y1, double x2, double y2, const char *colour);

/* `name` cut to at most `most` characters and an ellipsis. Cuts between characters. */
void canvas_fit(const char *name, size_t most, char *text, size_t size);

/* Between the ticks of an axis: 1, 2 or 5 times a power of ten, so that there are four to eight of them. */
double canvas_step(double range);
/* In which unit times up to this one are written: how many ns it has, and its name. */
double canvas_time_unit(double max_ns, const char **ret_name);

#endif
