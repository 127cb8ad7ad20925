/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * units.h - numbers with units: from people's words to integers and back. Units are never guessed.
 *
 * Every units_parse_*() takes the whole word. It returns 0, or what is wrong with it:
 *   -ENODATA  a number without its unit ("5" where "5ms" is meant)
 *   -EDOM     negative
 *   -ERANGE   it does not fit, or is finer than can be kept
 *   -EINVAL   anything else: empty, no number, an unknown unit, trailing bytes
 * and then a constant sentence in *ret_reason (which may be NULL), made to follow the word and its position:
 *   delay: '5' (word 4): a unit is missing: write 5ms, 5us or 5s for example
 */
#ifndef HOPFAULT_BASE_UNITS_H
#define HOPFAULT_BASE_UNITS_H

#include <stddef.h>
#include <stdint.h>

#define UNITS_TEXT_MAX	  32 /* room for what any units_format_*() writes */
#define UNITS_ODDS_ALWAYS UINT32_MAX /* of 2^32: stands for every time */

struct units_range {
	uint16_t first;
	uint16_t last; /* included */
};

/*
 * "7ns", "100us", "5ms", "1.5s", "10m", "2h" (also "sec", "min"): nanoseconds. Fractions must come out
 * whole.
 */
int units_parse_time(const char *text, uint64_t *ret_ns, const char **ret_reason);

/*
 * "1%", "0.1%", "100%": odds out of 2^32, to the nearest. 0% is 0 and 100% is UNITS_ODDS_ALWAYS; nothing
 * else becomes one of these two: what is smaller than 1 in 2^32 becomes 1.
 */
int units_parse_percent(const char *text, uint32_t *ret_odds, const char **ret_reason);

/*
 * "99.95%", or "0.9995" with its point: a share of one, and what is missing from it. Both are the doubles nearest to
 * what was written, so that the rest of 99.999999% has all its digits. A bare whole number or one above 1 is refused:
 * nobody can tell whether it means parts or per cent.
 */
int units_parse_share(const char *text, double *ret_share, double *ret_rest,
		      const char **ret_reason);

/* "1500b", "64k" (1024 each, as "kb" and "KiB"), "10m", "1g": bytes. A bare number is refused. */
int units_parse_size(const char *text, uint64_t *ret_bytes, const char **ret_reason);

/* "1000": digits only, between min and max (both included). */
int units_parse_count(const char *text, uint64_t min, uint64_t max, uint64_t *ret_count,
		      const char **ret_reason);

/* "8080": 1 to 65535. */
int units_parse_port(const char *text, uint16_t *ret_port, const char **ret_reason);

/*
 * "80,8000-8080,1000:2000": at most `max` ranges, as written. Returns how many (at least 1), or an error;
 * range[] may be written to either way.
 */
int units_parse_ports(const char *text, struct units_range *range, unsigned int max,
		      const char **ret_reason);

/*
 * For people: four significant digits and one unit, "61ns", "61.25us", "5.020ms", "1.200s", "600.0s".
 * Never wider than UNITS_DURATION_WIDTH columns. Returns `text`.
 */
#define UNITS_DURATION_WIDTH 9
char *units_format_duration(char text[UNITS_TEXT_MAX], uint64_t ns);

/* For machines and for rules that are read again: exact, and as short as it can be: "1500us", "10m". */
char *units_format_time(char text[UNITS_TEXT_MAX], uint64_t ns);

/* The shortest percentage that units_parse_percent() reads as these odds: "0.1%". */
char *units_format_percent(char text[UNITS_TEXT_MAX], uint32_t odds);

/* "999", "12.3k", "4.56M": at most 5 columns. */
char *units_format_count(char text[UNITS_TEXT_MAX], uint64_t count);

#endif
