/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * html.h - pieces of a page that needs nothing but itself: no scripts, no fonts, nothing from elsewhere.
 *
 * Pictures are data URIs in <img>: a browser runs no script in such an SVG and fetches nothing for it, whoever wrote it.
 */
#ifndef HOPFAULT_REPORT_HTML_H
#define HOPFAULT_REPORT_HTML_H

#include <stddef.h>
#include <stdio.h>

void html_begin(FILE *out, const char *title);
void html_end(FILE *out);

/* Text as text. */
void html_text(FILE *out, const char *text);
/* <TAG>text</TAG> and a new line. */
void html_element(FILE *out, const char *tag, const char *text);
/* A cell; numbers and times stand to the right. */
void html_cell(FILE *out, const char *text);
void html_picture(FILE *out, const char *title, const char *svg, size_t len);
/* The bytes in base64. */
void html_base64(FILE *out, const char *bytes, size_t len);

#endif
