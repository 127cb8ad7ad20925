/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * preset.c - the table of presets. A rule acts one way, and sources say round trips: half of it is in the table, and with
 * `both` the round trip is what the source says. What a source says of rate is left out: that effect is not there yet.
 *
 *   Dean	   J. Dean, Designs, Lessons and Advice from Building Large Distributed Systems (LADIS 2009), "Numbers
 *		   everyone should know": within a datacentre 0.5 ms, California to the Netherlands and back 150 ms
 *   regions	   what the providers of clouds publish: 1 to 5 ms between the zones of a region, 80 to 200 ms across continents
 *   WebPageTest   its settings/connectivity.ini.sample: round trips in ms, no loss
 *   G.114	   ITU-T G.114 (05/2003), annex A: a geostationary satellite is 260 ms one way
 */
#include "fault/preset.h"

#include <string.h>

#include "base/cleanup.h"
#include "base/suggest.h"
#include "base/units.h"

#define US 1000ULL
#define MS (1000 * US)

#define NAMES_MAX 32

const struct preset presets[] = {
	{ "same-dc", 250 * US, 0, "0.5 ms round trip (Dean)" },
	{ "same-region", 1500 * US, 1000 * US, "1 to 5 ms round trip" },
	{ "cross-continent", 70 * MS, 30 * MS, "80 to 200 ms round trip" },
	{ "fibre", 2 * MS, 0, "4 ms round trip (WebPageTest, FIOS)" },
	{ "cable", 14 * MS, 0, "28 ms round trip (WebPageTest)" },
	{ "dsl", 25 * MS, 0, "50 ms round trip (WebPageTest)" },
	{ "lte", 35 * MS, 0, "70 ms round trip (WebPageTest)" },
	{ "4g", 85 * MS, 0, "170 ms round trip (WebPageTest)" },
	{ "3g-fast", 75 * MS, 0, "150 ms round trip (WebPageTest)" },
	{ "3g", 150 * MS, 0, "300 ms round trip (WebPageTest)" },
	{ "2g", 400 * MS, 0, "800 ms round trip (WebPageTest)" },
	{ "edge", 420 * MS, 0, "840 ms round trip (WebPageTest)" },
	{ "satellite", 260 * MS, 0, "geostationary, 260 ms one way (ITU-T G.114)" },
};
const size_t presets_count = ARRAY_SIZE(presets);
_Static_assert(ARRAY_SIZE(presets) <= NAMES_MAX, "preset_phrase() has a place for each");

const struct preset *preset_find(const char *name)
{
	for (size_t i = 0; i < presets_count; i++)
		if (!strcmp(presets[i].name, name))
			return &presets[i];
	return NULL;
}

char *preset_phrase(char *text, size_t size, const char *name)
{
	const char *names[NAMES_MAX];

	for (size_t i = 0; i < presets_count; i++)
		names[i] = presets[i].name;
	suggest_phrase(text, size, name, names, presets_count);
	if (!text[0])
		snprintf(text, size, ": `hopfault help add` lists them");
	return text;
}

void preset_print(FILE *out)
{
	char delay[UNITS_TEXT_MAX], jitter[UNITS_TEXT_MAX], effect[80];

	for (size_t i = 0; i < presets_count; i++) {
		const struct preset *preset = &presets[i];

		snprintf(effect, sizeof(effect), "delay %s%s%s",
			 units_format_time(delay, preset->delay_ns), preset->jitter_ns ? " " : "",
			 preset->jitter_ns ? units_format_time(jitter, preset->jitter_ns) : "");
		fprintf(out, "  %-15s  %-22s  %s\n", preset->name, effect, preset->help);
	}
}
