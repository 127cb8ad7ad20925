/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * rows.h - compiled rules as the programs read them: a hash table in an array, made once and never changed.
 *
 * See struct hf_rule_row. Chained scatter table (Knuth, The Art of Computer Programming, 6.4), at most half full, what collides
 * behind its homes: a link's first rule is found by one look at the array in most cases.
 */
#ifndef HOPFAULT_FAULT_ROWS_H
#define HOPFAULT_FAULT_ROWS_H

#include <stddef.h>

#include "abi.h"
#include "fault/faultset.h"

struct rows {
	struct hf_rule_row *row; /* owned */
	size_t count;
};

/* The rules of a link stand together, in their order. -ENOMEM. */
int rows_make(const struct compiled_rule *rule, size_t rules, struct rows *ret_rows);
void rows_done(struct rows *rows);

#endif
