/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * order.h - parts so that each stands behind all that it needs, or the cycle that makes it impossible.
 */
#ifndef HOPFAULT_AVAILABILITY_ORDER_H
#define HOPFAULT_AVAILABILITY_ORDER_H

#include "availability/model.h"

/*
 * Fills model->order. -ELOOP: the cycle stands in ret_cycle, which has room for parts + 1, its first part again at its
 * end; *ret_length counts both. -ENOMEM.
 */
int order_parts(struct model *model, unsigned int *ret_cycle, unsigned int *ret_length);

#endif
