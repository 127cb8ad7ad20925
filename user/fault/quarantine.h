/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * quarantine.h - what is in force for a veth of which is known only that it may be one of several missing endpoints
 * (HF_ENDPOINT_QUARANTINE): it is cut from everyone from whom any endpoint is cut, both being the same to it.
 *
 *     a -> b drop     makes     quarantine -> b drop     a -> quarantine drop     quarantine -> quarantine drop
 *
 * That is the strictest that any of them can be under; nobody else's traffic is touched, and a stranger's no longer than
 * the quarantine lasts. Only drops count: to be late or lossy for a moment is no breach of a partition.
 */
#ifndef HOPFAULT_FAULT_QUARANTINE_H
#define HOPFAULT_FAULT_QUARANTINE_H

#include <stddef.h>

#include "fault/faultset.h"

/*
 * Adds the rules of these links behind what faultset_compile() gave: *rules is made longer. They stand there always, as
 * there is no time for them when a veth appears. -ENOMEM; -E2BIG: these are more than FAULTSET_LINKS_MAX links. Then
 * nothing has changed.
 */
int quarantine_compile(const struct faultset *set, struct compiled_rule **rules, size_t *count);

#endif
