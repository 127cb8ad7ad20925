/* SPDX-License-Identifier: GPL-2.0-or-later */
/* availability_data.h - models from text, and what they must be by adding up every possible state of the world. */
#ifndef HOPFAULT_TESTS_UNIT_AVAILABILITY_DATA_H
#define HOPFAULT_TESTS_UNIT_AVAILABILITY_DATA_H

#include "availability/model.h"

/* The text as a file; fails the test when it is refused. */
struct model *model_of(const char *yaml);
/* The sentence with which it is refused, without the file's name; fails the test when it is taken. */
const char *refusal_of(const char *yaml, char text[MODEL_ERROR_MAX]);

/*
 * The whole's chance by enumeration: each state of all replicas and ways, its chance, and whether the entry works in it.
 * Shares no line with the code that it judges. At most 20 of them.
 */
struct chance enumerated(const struct model *model);

/* A system made up from a seed: up to `parts` services and groups, with few enough replicas to be enumerated. */
struct model *random_model(unsigned int seed);

#endif
