/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * fuzz_availability.c - any bytes as the file that describes a system: an error has a sentence; what is taken has an
 * availability between 0 and 1, up and down sum to 1, a simulation agrees with it, and no change makes it worse.
 *
 *     build/fuzz_availability -max_total_time=30
 *
 * uses: user/base/units.c user/base/suggest.c user/base/text.c user/base/yamldoc.c user/availability/model.c user/availability/model_read.c user/availability/order.c user/availability/bdd.c user/availability/system.c user/availability/montecarlo.c user/availability/floor.c user/availability/change.c user/availability/words.c
 */
#include <math.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/mman.h>
#include <unistd.h>

#include "availability/change.h"
#include "availability/montecarlo.h"
#include "availability/system.h"
#include "promise.h"

#define SAMPLES 2000

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_changes(const struct model *model, struct system *system, double down)
{
	struct changes changes;

	must(changes_find(model, system, &changes) == 0, "changes are found");
	for (unsigned int i = 0; i < changes.count; i++) {
		must(changes.change[i].gain >= 0, "no change makes it worse");
		must(changes.change[i].whole.down >= -1e-12, "no change is better than perfect");
		must(changes.change[i].whole.down <= down + 1e-12, "a change gains what it says");
	}
	changes_done(&changes);
}

static void check(const struct model *model)
{
	_cleanup_(system_freep) struct system *system = NULL;
	struct estimate estimate;
	struct chance exact;
	uint64_t draws;

	if (system_new(model, &system) < 0)
		return; /* too entangled */
	exact = system_part_chance(system, model->entry);
	must(exact.up >= 0 && exact.down >= 0, "a chance is no less than 0");
	must(fabs(exact.up + exact.down - 1) < 1e-9, "it works or it does not");
	must(montecarlo_draws(model, &draws) == 0, "draws are counted");
	if (draws > 100 || model->edges > 100)
		return;
	must(montecarlo(model, SAMPLES, 1, &estimate) == 0, "it is simulated");
	must(fabs(estimate.chance.down - exact.down) <=
		     8 * standard_error(exact, SAMPLES) + 8.0 / SAMPLES,
	     "the simulation agrees");
	check_changes(model, system, exact.down);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	_cleanup_(model_freep) struct model *model = NULL;
	char error[MODEL_ERROR_MAX] = "", path[64];
	int fd = memfd_create("system.yaml", MFD_CLOEXEC), r;

	must(fd >= 0, "a file in memory");
	must(size == 0 || write(fd, data, size) == (ssize_t)size, "it is written");
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	r = model_read(path, &model, error);
	close(fd);
	must(r >= 0 || error[0], "an error has a sentence");
	must((r >= 0) == (model != NULL), "a model is there, or an error");
	if (model)
		check(model);
	return 0;
}
