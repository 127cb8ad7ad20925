/* SPDX-License-Identifier: GPL-2.0-or-later */
/* availability_data.c - see availability_data.h. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "availability_data.h"

#define THINGS_MAX 20 /* replicas and ways: 2^20 states */

static int read_text(const char *yaml, struct model **ret_model, char error[MODEL_ERROR_MAX])
{
	int fd = memfd_create("system.yaml", MFD_CLOEXEC), r;
	char path[64];

	assert_true(fd >= 0);
	assert_int_equal(write(fd, yaml, strlen(yaml)), strlen(yaml));
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	r = model_read(path, ret_model, error);
	close(fd);
	return r;
}

struct model *model_of(const char *yaml)
{
	char error[MODEL_ERROR_MAX] = "";
	struct model *model = NULL;

	if (read_text(yaml, &model, error) < 0)
		fail_msg("refused: %s", error);
	return model;
}

const char *refusal_of(const char *yaml, char text[MODEL_ERROR_MAX])
{
	char error[MODEL_ERROR_MAX] = "";
	struct model *model = NULL;
	const char *said;

	assert_true(read_text(yaml, &model, error) < 0);
	assert_null(model);
	said = strstr(error, ", line ");
	snprintf(text, MODEL_ERROR_MAX, "%s", said ? said + 2 : strstr(error, ": ") + 2);
	return text;
}

/* ---- every state of the world ---- */

struct world {
	const struct model *model;
	unsigned int state; /* a bit for each thing: it works */
	unsigned int part_thing[64], edge_thing[64]; /* where their bits begin */
};

static bool works(const struct world *world, unsigned int i);

static bool call_works(const struct world *world, unsigned int k)
{
	const struct edge *edge = &world->model->edge[k];

	if (edge->is_claimed && !(world->state >> world->edge_thing[k] & 1))
		return false;
	return works(world, edge->to);
}

static bool works(const struct world *world, unsigned int i)
{
	const struct part *part = &world->model->part[i];
	unsigned int up = 0;

	for (unsigned int k = 0; k < part->members; k++)
		up += works(world, part->member[k]);
	for (unsigned int k = 0; !part->is_group && k < part->replicas; k++)
		up += world->state >> (world->part_thing[i] + k) & 1;
	for (unsigned int k = part->edge; k < part->edge + part->edges; k++)
		if (!world->model->edge[k].optional && !call_works(world, k))
			return false;
	return up >= part->need;
}

struct chance enumerated(const struct model *model)
{
	struct world world = { .model = model };
	struct chance thing[THINGS_MAX], sum = {};
	unsigned int things = 0;

	for (unsigned int i = 0; i < model->parts; i++) {
		world.part_thing[i] = things;
		for (unsigned int k = 0; !model->part[i].is_group && k < model->part[i].replicas;
		     k++) {
			assert_true(things < THINGS_MAX);
			thing[things++] = model->part[i].one;
		}
	}
	for (unsigned int k = 0; k < model->edges; k++) {
		world.edge_thing[k] = things;
		if (!model->edge[k].is_claimed)
			continue;
		assert_true(things < THINGS_MAX);
		thing[things++] = model->edge[k].way;
	}
	for (; world.state < 1U << things; world.state++) {
		double chance = 1;

		for (unsigned int k = 0; k < things; k++)
			chance *= world.state >> k & 1 ? thing[k].up : thing[k].down;
		*(works(&world, model->entry) ? &sum.up : &sum.down) += chance;
	}
	return sum;
}

/* ---- made up ---- */

static unsigned int draw(unsigned int *seed, unsigned int below)
{
	return (unsigned int)rand_r(seed) % below;
}

/* Calls go to what stands further down, so that there is no cycle. */
static void write_service(FILE *out, unsigned int *seed, unsigned int i, unsigned int services,
			  bool groups)
{
	unsigned int replicas = 1 + (draw(seed, 4) == 0);
	const char *between = "";

	fprintf(out, "  - { name: s%u, availability: %u.%u%%, replicas: %u, need: %u, calls: [", i,
		40 + draw(seed, 60), draw(seed, 10), replicas, 1 + draw(seed, replicas));
	for (unsigned int to = i + 1; to < services; to++) {
		if (draw(seed, 3))
			continue;
		fprintf(out, "%s{ to: s%u, optional: %s%s }", between, to,
			draw(seed, 5) ? "false" : "true",
			draw(seed, 6) ? "" : ", availability: 0.9");
		between = ", ";
	}
	if (groups && i == 0)
		fprintf(out, "%s{ to: g }", between);
	fprintf(out, "] }\n");
}

struct model *random_model(unsigned int seed)
{
	unsigned int services = 4 + draw(&seed, 4), members = 2 + draw(&seed, services - 2);
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);
	struct model *model;

	assert_non_null(out);
	fprintf(out, "entry: s0\nservices:\n");
	for (unsigned int i = 0; i < services; i++)
		write_service(out, &seed, i, services, true);
	fprintf(out, "groups:\n  - { name: g, need: %u, of: [", 1 + draw(&seed, members));
	for (unsigned int i = 0; i < members; i++)
		fprintf(out, "%ss%u", i ? ", " : "", services - 1 - i);
	fprintf(out, "] }\n");
	fclose(out);
	model = model_of(text);
	free(text);
	return model;
}
