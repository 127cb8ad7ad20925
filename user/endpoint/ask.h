/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * ask.h - all engines that a word may be for are asked, and how their answers are compared. Of this folder alone.
 */
#ifndef HF_ENDPOINT_ASK_H
#define HF_ENDPOINT_ASK_H

#include "endpoint/engine.h"

/*
 * Asks at found->sockets. by_prefix NULL: all that take bare names. trouble (ENDPOINT_ERROR_MAX bytes): what kept engines from answering,
 * "" when all did; an engine that is not there and was not said to be is not worth a word unless it was asked for by
 * its prefix. Returns the first error of an engine (also when others answered), -ENOMEM before all.
 */
int endpoint_ask(const struct endpoint_engine *by_prefix, const struct selector *selector,
		 struct found *found, char *trouble);

/* The same namespace, or the same container. */
bool endpoint_targets_are_one(const struct endpoint_target *a, const struct endpoint_target *b);

int endpoint_list_add(struct endpoint_list *list,
		      struct endpoint *endpoint); /* owns it on success */

#endif
