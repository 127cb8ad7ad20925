/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * montecarlo.h - the same system, thrown with dice: an estimate that shares nothing with the exact computation but the
 * model. Every replica and every way is drawn by itself, and the graph is walked as it was written.
 */
#ifndef HOPFAULT_AVAILABILITY_MONTECARLO_H
#define HOPFAULT_AVAILABILITY_MONTECARLO_H

#include "availability/model.h"

struct estimate {
	uint64_t samples, failed;
	uint64_t seed;
	struct chance chance; /* failed / samples, and the rest */
};

/* The same seed gives the same estimate. 0 or -ENOMEM. */
int montecarlo(const struct model *model, uint64_t samples, uint64_t seed,
	       struct estimate *ret_estimate);
/* Draws for one sample: replicas and ways that the entry reaches. 0 or -ENOMEM. */
int montecarlo_draws(const struct model *model, uint64_t *ret_draws);
/* Of a share of so many independent samples, when the true chance is this one: sqrt(up down / samples). */
double standard_error(struct chance chance, uint64_t samples);

#endif
