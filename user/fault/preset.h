/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * preset.h - links that everybody knows, by name: `preset 3g` stands for the effects that make a link like one.
 */
#ifndef HOPFAULT_FAULT_PRESET_H
#define HOPFAULT_FAULT_PRESET_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

struct preset {
	const char *name;
	uint64_t delay_ns; /* one way */
	uint64_t jitter_ns;
	const char *help; /* what the source says */
};

extern const struct preset presets[];
extern const size_t presets_count;

/* NULL: there is none of this name. */
const struct preset *preset_find(const char *name);
/* What to say of a name that is none: "; did you mean ...", or ": see ...". Returns `text`. */
char *preset_phrase(char *text, size_t size, const char *name);
/* A line for each, for the help of `add`. */
void preset_print(FILE *out);

#endif
