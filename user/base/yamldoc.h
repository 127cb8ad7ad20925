/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * yamldoc.h - a YAML file as nodes that know their lines, so that whatever is wrong with a value can be told with its line.
 *
 * libyaml reads; here a mapping is held against the table of keys that it may have, and what is wrong becomes one
 * sentence. (libcyaml, which fills structs by itself, forgets the line of each value, and was seen to name the line before
 * an unknown key.)
 *
 *     static const struct yamldoc_key keys[] = { { "name", YAMLDOC_TEXT, true }, { "calls", YAMLDOC_LIST }, {} };
 *     const struct yamldoc_item *value[2];
 *     r = yamldoc_map(file, yamldoc_root(file), "a service", keys, value);
 *
 * Every function returns 0 or -errno; -EINVAL, -E2BIG and -ENOMEM leave a sentence in yamldoc_error().
 */
#ifndef HOPFAULT_BASE_YAMLDOC_H
#define HOPFAULT_BASE_YAMLDOC_H

#include <stdbool.h>
#include <stddef.h>

#include "base/cleanup.h"

#define YAMLDOC_FILE_MAX  (1U << 20) /* bytes */
#define YAMLDOC_KEYS_MAX  16 /* that one mapping may have */
#define YAMLDOC_ERROR_MAX 512

enum yamldoc_kind { YAMLDOC_TEXT, YAMLDOC_LIST, YAMLDOC_MAP };

/* What a mapping may have; a NULL name ends the table. */
struct yamldoc_key {
	const char *name;
	enum yamldoc_kind kind;
	bool required;
};

struct yamldoc;
struct yamldoc_item; /* a scalar, a sequence or a mapping */

/*
 * One document of at most YAMLDOC_FILE_MAX bytes. *ret_file is there also when it fails, for yamldoc_error(), unless it is NULL:
 * no memory.
 */
int yamldoc_read(const char *path, struct yamldoc **ret_file);
void yamldoc_free(struct yamldoc *file);
DEFINE_CLEANUP(struct yamldoc *, yamldoc_free)

const struct yamldoc_item *yamldoc_root(const struct yamldoc *file);
unsigned int yamldoc_line(const struct yamldoc_item *item); /* from 1 */

/*
 * The values of a mapping, in the order of the table; NULL: not there. `what` is said in errors: "a service". -EINVAL: no
 * mapping, an unknown key (with near names), one twice, one missing, a value of another kind.
 */
int yamldoc_map(struct yamldoc *file, const struct yamldoc_item *item, const char *what,
		const struct yamldoc_key *keys, const struct yamldoc_item **ret_value);

/* A sequence's length (0 for NULL), and what is in it. */
unsigned int yamldoc_count(const struct yamldoc_item *item);
const struct yamldoc_item *yamldoc_at(const struct yamldoc *file, const struct yamldoc_item *item,
				      unsigned int i);

bool yamldoc_is_text(const struct yamldoc_item *item);
/* A scalar's text; -EINVAL when it is none, is empty, longer than `max` bytes, or has unprintable bytes in it. */
int yamldoc_text(struct yamldoc *file, const struct yamldoc_item *item, const char *what,
		 unsigned int max, const char **ret_text);
/* "true" or "false", as YAML 1.2 has it; "yes" and "on" are refused with a word about it. */
int yamldoc_bool(struct yamldoc *file, const struct yamldoc_item *item, const char *what,
		 bool *ret_value);

/* "FILE, line 7: SENTENCE" for yamldoc_error(); line 0 leaves it out. Returns r. */
int yamldoc_fail(struct yamldoc *file, int r, unsigned int line, const char *format, ...)
	__attribute__((format(printf, 4, 5)));
const char *yamldoc_error(const struct yamldoc *file);

#endif
