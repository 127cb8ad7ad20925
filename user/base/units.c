/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * units.c - numbers with units, exactly.
 *
 * A number is read once, by decimal_read(), as integer and decimal places: no floating point on the way in,
 * so "0.1%"
 * and "1.5s" are what they say. What follows it must be a unit from the table of its kind.
 */
#include "base/units.h"

#include <errno.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"

typedef unsigned __int128 wide;

#define NS_PER_US 1000ULL
#define NS_PER_MS 1000000ULL
#define NS_PER_S  1000000000ULL

struct unit {
	const char *name;
	uint64_t factor;
};

static const struct unit time_units[] = {
	{ "ns", 1 },
	{ "us", NS_PER_US },
	{ "usec", NS_PER_US },
	{ "ms", NS_PER_MS },
	{ "msec", NS_PER_MS },
	{ "s", NS_PER_S },
	{ "sec", NS_PER_S },
	{ "m", 60 * NS_PER_S },
	{ "min", 60 * NS_PER_S },
	{ "h", 3600 * NS_PER_S },
	{ NULL, 0 },
};

static const struct unit size_units[] = {
	{ "b", 1 },	      { "k", 1ULL << 10 },   { "kb", 1ULL << 10 },  { "KiB", 1ULL << 10 },
	{ "m", 1ULL << 20 },  { "mb", 1ULL << 20 },  { "MiB", 1ULL << 20 }, { "g", 1ULL << 30 },
	{ "gb", 1ULL << 30 }, { "GiB", 1ULL << 30 }, { NULL, 0 },
};

static int wrong(int r, const char **ret_reason, const char *reason)
{
	if (ret_reason)
		*ret_reason = reason;
	return r;
}

/* digits / 10^places */
struct decimal {
	uint64_t digits;
	unsigned int places;
};

#define DECIMAL_PLACES_MAX 18

static uint64_t ten_to(unsigned int places)
{
	uint64_t power = 1;

	while (places--)
		power *= 10;
	return power;
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static int decimal_add_digit(struct decimal *decimal, char c)
{
	unsigned int digit = (unsigned int)(c - '0');

	if (decimal->digits > (UINT64_MAX - digit) / 10)
		return -ERANGE;
	decimal->digits = decimal->digits * 10 + digit;
	return 0;
}

/* Reads "12" or "1.5" at the front and returns where it ended in *ret_end. */
static int decimal_read(const char *text, struct decimal *ret_decimal, const char **ret_end,
			const char **ret_reason)
{
	struct decimal decimal = {};
	const char *at = text;
	bool fraction = false;

	if (text[0] == '-' && is_digit(text[1]))
		return wrong(-EDOM, ret_reason, "negative: it must be 0 or more");
	if (text[0] == '\0')
		return wrong(-EINVAL, ret_reason, "empty: a number is needed");
	if (!is_digit(text[0]))
		return wrong(-EINVAL, ret_reason, "not a number");
	for (; is_digit(*at) || (*at == '.' && !fraction); at++) {
		if (*at == '.') {
			if (!is_digit(at[1]))
				return wrong(-EINVAL, ret_reason, "not a number");
			fraction = true;
			continue;
		}
		if (decimal_add_digit(&decimal, *at) < 0)
			return wrong(-ERANGE, ret_reason, "too large, or too many digits");
		decimal.places += fraction;
	}
	if (decimal.places > DECIMAL_PLACES_MAX)
		return wrong(-ERANGE, ret_reason, "too many decimal places");
	*ret_decimal = decimal;
	*ret_end = at;
	return 0;
}

static const struct unit *unit_find(const struct unit *unit, const char *name)
{
	for (; unit->name; unit++)
		if (!strcmp(unit->name, name))
			return unit;
	return NULL;
}

struct unit_reasons {
	const char *missing, *unknown, *too_large, *too_fine;
};

static int parse_with_unit(const char *text, const struct unit *units,
			   const struct unit_reasons *reasons, uint64_t *ret_value,
			   const char **ret_reason)
{
	const struct unit *unit;
	struct decimal decimal;
	const char *end;
	wide value;
	int r;

	r = decimal_read(text, &decimal, &end, ret_reason);
	if (r < 0)
		return r;
	if (*end == '\0')
		return wrong(-ENODATA, ret_reason, reasons->missing);
	unit = unit_find(units, end);
	if (!unit)
		return wrong(-EINVAL, ret_reason, reasons->unknown);
	value = (wide)decimal.digits * unit->factor;
	if (value % ten_to(decimal.places))
		return wrong(-ERANGE, ret_reason, reasons->too_fine);
	value /= ten_to(decimal.places);
	if (value > UINT64_MAX)
		return wrong(-ERANGE, ret_reason, reasons->too_large);
	*ret_value = (uint64_t)value;
	return 0;
}

int units_parse_time(const char *text, uint64_t *ret_ns, const char **ret_reason)
{
	static const struct unit_reasons reasons = {
		.missing = "a unit is missing: write 5ms, 5us or 5s for example",
		.unknown = "not a time: a number and ns, us, ms, s, m or h is needed",
		.too_large = "too large for a time",
		.too_fine = "finer than a nanosecond",
	};

	return parse_with_unit(text, time_units, &reasons, ret_ns, ret_reason);
}

int units_parse_size(const char *text, uint64_t *ret_bytes, const char **ret_reason)
{
	static const struct unit_reasons reasons = {
		.missing = "a unit is missing: write 64k or 1500b for example",
		.unknown = "not a size: a number and b, k, m or g is needed",
		.too_large = "too large for a size",
		.too_fine = "finer than a byte",
	};

	return parse_with_unit(text, size_units, &reasons, ret_bytes, ret_reason);
}

/* Rounds to the nearest, and keeps "never" and "always" for those who said so. */
static uint32_t odds_of(uint64_t digits, uint64_t hundred)
{
	wide odds = (((wide)digits << 32) + hundred / 2) / hundred;

	if (digits == 0)
		return 0;
	if (digits == hundred)
		return UNITS_ODDS_ALWAYS;
	if (odds == 0)
		return 1;
	return odds >= UNITS_ODDS_ALWAYS ? UNITS_ODDS_ALWAYS - 1 : (uint32_t)odds;
}

int units_parse_percent(const char *text, uint32_t *ret_odds, const char **ret_reason)
{
	struct decimal decimal;
	const char *end;
	uint64_t hundred;
	int r;

	r = decimal_read(text, &decimal, &end, ret_reason);
	if (r < 0)
		return r;
	if (*end == '\0')
		return wrong(-ENODATA, ret_reason, "a unit is missing: write 1% for example");
	if (strcmp(end, "%"))
		return wrong(-EINVAL, ret_reason, "not a percentage: a number and % is needed");
	if (decimal.places > DECIMAL_PLACES_MAX - 2)
		return wrong(-ERANGE, ret_reason, "too many decimal places");
	hundred = 100 * ten_to(decimal.places);
	if (decimal.digits > hundred)
		return wrong(-ERANGE, ret_reason, "more than 100%");
	*ret_odds = odds_of(decimal.digits, hundred);
	return 0;
}

int units_parse_share(const char *text, double *ret_share, double *ret_rest,
		      const char **ret_reason)
{
	struct decimal decimal;
	const char *end;
	uint64_t whole;
	bool percent;
	int r;

	r = decimal_read(text, &decimal, &end, ret_reason);
	if (r < 0)
		return r;
	percent = strcmp(end, "%") == 0;
	if (*end && !percent)
		return wrong(-EINVAL, ret_reason,
			     "not a share: write 99.95% or 0.9995 for example");
	if (decimal.places > DECIMAL_PLACES_MAX - 2)
		return wrong(-ERANGE, ret_reason, "too many decimal places");
	whole = (percent ? 100 : 1) * ten_to(decimal.places);
	if (!percent && decimal.digits > whole)
		return wrong(-ENODATA, ret_reason,
			     "more than 1 and no %: write 99.95% or 0.9995 for example");
	if (!percent && decimal.places == 0)
		return wrong(-ENODATA, ret_reason,
			     "a unit is missing: write 100% or 1.0 for example");
	if (decimal.digits > whole)
		return wrong(-ERANGE, ret_reason, "more than 100%");
	*ret_share = (double)decimal.digits / (double)whole;
	*ret_rest = (double)(whole - decimal.digits) / (double)whole;
	return 0;
}

int units_parse_count(const char *text, uint64_t min, uint64_t max, uint64_t *ret_count,
		      const char **ret_reason)
{
	struct decimal decimal;
	const char *end;
	int r;

	r = decimal_read(text, &decimal, &end, ret_reason);
	if (r < 0)
		return r;
	if (*end != '\0' || decimal.places)
		return wrong(-EINVAL, ret_reason, "not a whole number");
	if (decimal.digits < min)
		return wrong(-ERANGE, ret_reason, "too small");
	if (decimal.digits > max)
		return wrong(-ERANGE, ret_reason, "too large");
	*ret_count = decimal.digits;
	return 0;
}

int units_parse_port(const char *text, uint16_t *ret_port, const char **ret_reason)
{
	uint64_t port;
	int r;

	r = units_parse_count(text, 1, UINT16_MAX, &port, ret_reason);
	if (r == -EINVAL)
		return wrong(r, ret_reason, "not a port: a number from 1 to 65535 is needed");
	if (r == -ERANGE)
		return wrong(r, ret_reason, "ports go from 1 to 65535");
	if (r < 0)
		return r;
	*ret_port = (uint16_t)port;
	return 0;
}

/* "80" or "8000-8080" or "8000:8080", cut out of a longer word. */
static int parse_range(const char *text, size_t len, struct units_range *range,
		       const char **ret_reason)
{
	char word[UNITS_TEXT_MAX];
	char *last;
	int r;

	if (len >= sizeof(word))
		return wrong(-EINVAL, ret_reason, "not a list of ports: write 80,8000-8080");
	memcpy(word, text, len);
	word[len] = '\0';
	last = len ? strpbrk(word + 1, "-:") : NULL;
	if (last)
		*last++ = '\0';
	r = units_parse_port(word, &range->first, ret_reason);
	if (r < 0)
		return r;
	range->last = range->first;
	if (!last)
		return 0;
	r = units_parse_port(last, &range->last, ret_reason);
	if (r < 0)
		return r;
	if (range->last < range->first)
		return wrong(-EINVAL, ret_reason, "a range of ports that ends before it begins");
	return 0;
}

int units_parse_ports(const char *text, struct units_range *range, unsigned int max,
		      const char **ret_reason)
{
	unsigned int count = 0;
	int r;

	for (;;) {
		size_t len = strcspn(text, ",");

		if (count == max)
			return wrong(-ERANGE, ret_reason, "too many port ranges in one rule");
		r = parse_range(text, len, &range[count++], ret_reason);
		if (r < 0)
			return r;
		if (text[len] == '\0')
			return (int)count;
		text += len + 1;
	}
}

/* ---- and back ---- */

/* value / unit with four significant digits, as far as the unit has them. */
static char *format_four_digits(char text[UNITS_TEXT_MAX], uint64_t value, uint64_t unit,
				const char *name)
{
	uint64_t whole = value / unit;
	int places = whole >= 1000 ? 0 : whole >= 100 ? 1 : whole >= 10 ? 2 : 3;
	uint64_t scale = ten_to((unsigned int)places);
	uint64_t scaled = (uint64_t)(((wide)value * scale + unit / 2) / unit);

	if (scaled >= 10000 && places > 0) { /* 9.9996 has become 10.000 */
		places--;
		scale /= 10;
		scaled = (uint64_t)(((wide)value * scale + unit / 2) / unit);
	}
	if (places)
		snprintf(text, UNITS_TEXT_MAX, "%" PRIu64 ".%0*" PRIu64 "%s", scaled / scale,
			 places, scaled % scale, name);
	else
		snprintf(text, UNITS_TEXT_MAX, "%" PRIu64 "%s", scaled, name);
	return text;
}

/* The first value that would be printed with four digits before the point goes to the next unit instead. */
static bool fits_unit(uint64_t ns, uint64_t unit)
{
	return ns < 1000 * unit - unit / 20;
}

char *units_format_duration(char text[UNITS_TEXT_MAX], uint64_t ns)
{
	const uint64_t day_ns = 86400 * NS_PER_S;

	if (ns < 1000)
		snprintf(text, UNITS_TEXT_MAX, "%" PRIu64 "ns", ns);
	else if (fits_unit(ns, NS_PER_US))
		format_four_digits(text, ns, NS_PER_US, "us");
	else if (fits_unit(ns, NS_PER_MS))
		format_four_digits(text, ns, NS_PER_MS, "ms");
	else if (ns < 9999 * NS_PER_S)
		format_four_digits(text, ns, NS_PER_S, "s");
	else if (ns < 999 * 3600 * NS_PER_S)
		format_four_digits(text, ns, 3600 * NS_PER_S, "h");
	else
		format_four_digits(text, ns, day_ns, "d");
	return text;
}

char *units_format_time(char text[UNITS_TEXT_MAX], uint64_t ns)
{
	static const struct unit exact[] = {
		{ "h", 3600 * NS_PER_S }, { "m", 60 * NS_PER_S }, { "s", NS_PER_S },
		{ "ms", NS_PER_MS },	  { "us", NS_PER_US },	  { "ns", 1 },
	};
	size_t i;

	if (ns == 0)
		return strcpy(text, "0ms");
	for (i = 0; i < ARRAY_SIZE(exact) - 1; i++)
		if (ns % exact[i].factor == 0)
			break;
	snprintf(text, UNITS_TEXT_MAX, "%" PRIu64 "%s", ns / exact[i].factor, exact[i].name);
	return text;
}

/* odds as a percentage with so many decimal places, trailing zeros left out */
static void format_percent_places(char text[UNITS_TEXT_MAX], uint32_t odds, unsigned int places)
{
	uint64_t scale = ten_to(places);
	uint64_t scaled = (uint64_t)(((wide)odds * 100 * scale + (1ULL << 31)) >> 32);

	if (places)
		snprintf(text, UNITS_TEXT_MAX, "%" PRIu64 ".%0*" PRIu64 "%%", scaled / scale,
			 (int)places, scaled % scale);
	else
		snprintf(text, UNITS_TEXT_MAX, "%" PRIu64 "%%", scaled);
}

char *units_format_percent(char text[UNITS_TEXT_MAX], uint32_t odds)
{
	unsigned int places;
	uint32_t again;

	if (odds == UNITS_ODDS_ALWAYS)
		return strcpy(text, "100%");
	for (places = 0; places <= 12; places++) {
		format_percent_places(text, odds, places);
		if (!units_parse_percent(text, &again, NULL) && again == odds)
			break;
	}
	return text;
}

char *units_format_count(char text[UNITS_TEXT_MAX], uint64_t count)
{
	static const char *const names[] = { "", "k", "M", "G", "T", "P", "E" };
	uint64_t unit = 1;
	size_t i = 0;
	int places;

	while (count / unit >= 1000) {
		unit *= 1000;
		i++;
	}
	places = i == 0 || count / unit >= 100 ? 0 : count / unit >= 10 ? 1 : 2;
	/* cut, not rounded: a count is never said to be higher than it is */
	if (places)
		snprintf(text, UNITS_TEXT_MAX, "%" PRIu64 ".%0*" PRIu64 "%s", count / unit, places,
			 (uint64_t)((wide)(count % unit) * ten_to((unsigned int)places) / unit),
			 names[i]);
	else
		snprintf(text, UNITS_TEXT_MAX, "%" PRIu64 "%s", count / unit, names[i]);
	return text;
}
