/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * words.c - see words.h.
 */
#include "availability/words.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#define DECIMALS_MAX 15

/* Decimals that show three significant digits of this number. */
static int decimals_for(double value)
{
	int decimals = value > 0 ? 2 - (int)floor(log10(value)) : 0;

	return decimals < 0 ? 0 : decimals > DECIMALS_MAX ? DECIMALS_MAX : decimals;
}

/* "99.750" -> "99.75", but never below two decimals */
static void cut_zeros(char *text)
{
	const char *point = strchr(text, '.');
	size_t len = strlen(text);

	while (point && text + len - 1 > point + 2 && text[len - 1] == '0')
		text[--len] = '\0';
}

char *words_percent(char text[WORDS_MAX], struct chance chance)
{
	long double missing = 100.0L * (long double)chance.down;
	int decimals = decimals_for((double)missing);

	if (chance.down == 0)
		return strcpy(text, "100%");
	if (chance.up == 0)
		return strcpy(text, "0%");
	snprintf(text, WORDS_MAX - 1, "%.*Lf", decimals < 2 ? 2 : decimals, 100.0L - missing);
	cut_zeros(text);
	return strcat(text, "%");
}

char *words_downtime(char text[WORDS_MAX], double seconds)
{
	static const struct {
		double from, seconds;
		const char *name;
	} unit[] = {
		{ 3 * DAY_SECONDS, DAY_SECONDS, "d" },
		{ 3600, 3600, "h" },
		{ 60, 60, "min" },
		{ 1, 1, "s" },
		{ 1e-3, 1e-3, "ms" },
		{ 0, 1e-6, "us" },
	};
	size_t i = 0;
	double value;

	if (!(seconds > 0))
		return strcpy(text, "0");
	while (seconds < unit[i].from)
		i++;
	value = seconds / unit[i].seconds;
	snprintf(text, WORDS_MAX, "%.*f%s", value < 1e-3 ? 3 : decimals_for(value), value,
		 unit[i].name);
	return text;
}

double words_nines(struct chance chance)
{
	return chance.down > 0 ? fabs(-log10(chance.down)) : INFINITY;
}

char *words_nines_text(char text[WORDS_MAX], struct chance chance)
{
	if (chance.down == 0)
		return strcpy(text, "all");
	/* Cut, not rounded: 2.9997 nines are not three. */
	snprintf(text, WORDS_MAX, "%.2f", floor(words_nines(chance) * 100 + 1e-9) / 100);
	return text;
}

double words_rounded(double value)
{
	int exponent;
	double mantissa = frexp(value, &exponent);

	return ldexp(nearbyint(ldexp(mantissa, 30)), exponent - 30);
}
