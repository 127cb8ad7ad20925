/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * words.h - availability as people say it: per cent with as many nines as there are, nines, downtime.
 *
 * A year has 365.25 days, a month is its twelfth.
 */
#ifndef HOPFAULT_AVAILABILITY_WORDS_H
#define HOPFAULT_AVAILABILITY_WORDS_H

#include "availability/model.h"

#define WORDS_MAX     40
#define YEAR_SECONDS  31557600.0
#define MONTH_SECONDS (YEAR_SECONDS / 12)
#define DAY_SECONDS   86400.0

/* "99.75%", "99.9995%": three significant digits of what is missing, at least two decimals. */
char *words_percent(char text[WORDS_MAX], struct chance chance);
/* "21.9h", "26.3min", "4.38s", "0": three significant digits. */
char *words_downtime(char text[WORDS_MAX], double seconds);
/* -log10 of what is missing: 3 for 99.9 %. Infinite when nothing is. */
double words_nines(struct chance chance);
/* For ranking: what two ways of computing the same leave in the last digits is taken away. */
double words_rounded(double value);
/* "2.60", "all" */
char *words_nines_text(char text[WORDS_MAX], struct chance chance);

#endif
