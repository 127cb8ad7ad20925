/* SPDX-License-Identifier: GPL-2.0-or-later */
/* figure.c - chains gathered by the path that they took, point by point. */
#include "export/figure.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "export/tree.h"

/* Points 2k and 2k + 1 are call k's departure and arrival; from 2n on the way back, the last call first. */
static unsigned int point_depart(unsigned int k)
{
	return 2 * k;
}

static unsigned int point_arrive(unsigned int k)
{
	return 2 * k + 1;
}

static unsigned int point_respond(unsigned int calls, unsigned int k)
{
	return 2 * calls + 2 * (calls - 1 - k);
}

static unsigned int point_back(unsigned int calls, unsigned int k)
{
	return point_respond(calls, k) + 1;
}

unsigned int figure_place(unsigned int calls, unsigned int point)
{
	(void)calls;
	return (point + 1) / 2;
}

static void path_free(struct figure_path *path)
{
	unsigned int i, point;

	for (i = 0; i < FIGURE_RUNS_MAX; i++) {
		for (point = 0; path->line[i].point && point < 4 * path->calls; point++) {
			samples_done(&path->line[i].point[point].time_ns);
			samples_done(&path->line[i].point[point].real_ns);
		}
		free(path->line[i].point);
	}
	for (i = 0; i <= FIGURE_CALLS_MAX; i++)
		free(path->name[i]);
	free(path);
}
DEFINE_CLEANUP(struct figure_path *, path_free)

void figure_done(struct figure *figure)
{
	unsigned int i;

	for (i = 0; i < figure->paths; i++)
		path_free(figure->path[i]);
	for (i = 0; i < figure->runs; i++)
		free(figure->run_id[i]);
	*figure = (struct figure){};
}

int figure_begin_run(struct figure *figure, const struct export_run *run)
{
	char *run_id;

	if (figure->runs == FIGURE_RUNS_MAX)
		return -E2BIG;
	run_id = strdup(run->run_id);
	if (!run_id)
		return -ENOMEM;
	figure->run_id[figure->runs++] = run_id;
	figure->run = run;
	return 0;
}

static uint64_t end_of(const struct call *call)
{
	return call->start_mono_ns + call->total_ns;
}

static bool has_times(const struct call *call)
{
	return call->start_mono_ns != TIME_UNKNOWN && call->total_ns != TIME_UNKNOWN;
}

static unsigned int last_child(const struct chain *chain, unsigned int parent)
{
	unsigned int i, last = TREE_NO_PARENT;

	for (i = parent + 1; i < chain->calls; i++)
		if (chain->call[i].parent_span_id == chain->call[parent].span_id &&
		    has_times(&chain->call[i]) &&
		    (last == TREE_NO_PARENT ||
		     end_of(&chain->call[i]) > end_of(&chain->call[last])))
			last = i;
	return last;
}

/* Indices of the calls along the way that ends last; returns how many, 0 when the root has no times. */
static unsigned int follow(const struct chain *chain, unsigned int way[FIGURE_CALLS_MAX])
{
	unsigned int calls = 0, at = 0;

	if (chain->calls == 0 || !has_times(&chain->call[0]))
		return 0;
	for (; at != TREE_NO_PARENT && calls < FIGURE_CALLS_MAX; at = last_child(chain, at))
		way[calls++] = at;
	return calls;
}

static uint32_t node_of(const struct chain *chain, const unsigned int *way, unsigned int node)
{
	return node ? chain->call[way[node - 1]].dst : chain->call[way[0]].src;
}

static bool path_is(const struct figure *figure, const struct figure_path *path,
		    const struct chain *chain, const unsigned int *way, unsigned int calls)
{
	char text[EXPORT_NAME_MAX];
	unsigned int i;

	if (path->calls != calls)
		return false;
	for (i = 0; i <= calls; i++)
		if (strcmp(path->name[i],
			   export_endpoint_name(figure->run, node_of(chain, way, i), text)))
			return false;
	return true;
}

/* 0 with NULL when there are too many different paths: the picture shows the main one anyway. */
static int path_for(struct figure *figure, const struct chain *chain, const unsigned int *way,
		    unsigned int calls, struct figure_path **ret_path)
{
	_cleanup_(path_freep) struct figure_path *path = NULL;
	char text[EXPORT_NAME_MAX];
	unsigned int i;

	for (i = 0; i < figure->paths; i++) {
		if (path_is(figure, figure->path[i], chain, way, calls)) {
			*ret_path = figure->path[i];
			return 0;
		}
	}
	*ret_path = NULL;
	if (figure->paths == FIGURE_PATHS_MAX)
		return 0;
	path = calloc(1, sizeof(*path));
	if (!path)
		return -ENOMEM;
	path->calls = calls;
	for (i = 0; i <= calls; i++) {
		path->name[i] =
			strdup(export_endpoint_name(figure->run, node_of(chain, way, i), text));
		if (!path->name[i])
			return -ENOMEM;
	}
	*ret_path = figure->path[figure->paths++] = path;
	path = NULL;
	return 0;
}

static int line_begin(struct figure_line *line, unsigned int calls)
{
	unsigned int i;

	if (line->point)
		return 0;
	line->point = calloc(4 * calls, sizeof(*line->point));
	if (!line->point)
		return -ENOMEM;
	for (i = 0; i < 4 * calls; i++) {
		samples_init(&line->point[i].time_ns, 0);
		samples_init(&line->point[i].real_ns, 0);
	}
	return 0;
}

/* From the call's start until the given stage has ended; TIME_UNKNOWN when a part is not known. */
static uint64_t until_stage(const struct call *call, enum stage last)
{
	uint64_t sum = 0;
	int i;

	for (i = 0; i <= (int)last; i++) {
		if (call->stage_ns[i] == TIME_UNKNOWN)
			return TIME_UNKNOWN;
		sum += call->stage_ns[i];
	}
	return sum;
}

static int add_point(struct figure_point *point, uint64_t time_ns, uint64_t injected_ns)
{
	int r;

	if (time_ns == TIME_UNKNOWN)
		return 0;
	r = samples_add(&point->time_ns, time_ns);
	if (r < 0)
		return r;
	return samples_add(&point->real_ns, time_ns > injected_ns ? time_ns - injected_ns : 0);
}

static uint64_t later(uint64_t from_ns, uint64_t by_ns)
{
	return by_ns == TIME_UNKNOWN ? TIME_UNKNOWN : from_ns + by_ns;
}

/* One call's four points. `base_ns`: what was injected before it departed. */
static int add_call(struct figure_line *line, const struct call *call, unsigned int calls,
		    unsigned int k, uint64_t depart_ns, uint64_t base_ns, uint64_t below_ns)
{
	uint64_t there_ns = base_ns + tree_known(call->inj_req_ns);
	int r;

	line->injected |= tree_known(call->injected_ns) > 0 || tree_known(call->inj_connect_ns) > 0;
	r = add_point(&line->point[point_depart(k)], depart_ns, base_ns);
	if (r == 0)
		r = add_point(&line->point[point_arrive(k)],
			      later(depart_ns, until_stage(call, STAGE_SRV_QUEUE)), there_ns);
	if (r == 0)
		r = add_point(&line->point[point_respond(calls, k)],
			      later(depart_ns, until_stage(call, STAGE_SRV_APP)),
			      there_ns + below_ns);
	if (r == 0)
		r = add_point(&line->point[point_back(calls, k)], depart_ns + call->total_ns,
			      base_ns + tree_known(call->injected_ns) + below_ns);
	return r;
}

static int add_way(struct figure_line *line, const struct chain *chain, const unsigned int *way,
		   unsigned int calls, const uint64_t *below_ns)
{
	uint64_t base_ns = 0;
	unsigned int k;
	int r = 0;

	for (k = 0; k < calls && r == 0; k++) {
		const struct call *call = &chain->call[way[k]];
		uint64_t root_ns = chain->call[0].start_mono_ns;

		if (k > 0)
			base_ns += tree_known(call->inj_connect_ns);
		r = add_call(line, call, calls, k,
			     call->start_mono_ns > root_ns ? call->start_mono_ns - root_ns : 0,
			     base_ns, below_ns[way[k]]);
		base_ns += tree_known(call->inj_req_ns);
	}
	line->chains++;
	return r;
}

int figure_add(struct figure *figure, const struct chain *chain)
{
	_cleanup_(freep) uint64_t *below_ns = calloc(chain->calls + 1, sizeof(*below_ns));
	unsigned int way[FIGURE_CALLS_MAX], calls = follow(chain, way);
	struct figure_path *path;
	int r;

	if (!below_ns)
		return -ENOMEM;
	figure->chains[figure->runs - 1]++;
	if (calls == 0)
		return 0;
	r = path_for(figure, chain, way, calls, &path);
	if (r < 0 || !path)
		return r;
	r = line_begin(&path->line[figure->runs - 1], calls);
	if (r < 0)
		return r;
	tree_injected_below(chain, below_ns);
	return add_way(&path->line[figure->runs - 1], chain, way, calls, below_ns);
}

const struct figure_path *figure_main_path(const struct figure *figure)
{
	const struct figure_path *best = NULL;
	uint64_t most = 0, chains;
	unsigned int i, run;

	for (i = 0; i < figure->paths; i++) {
		chains = 0;
		for (run = 0; run < figure->runs; run++)
			chains += figure->path[i]->line[run].chains;
		if (chains > most) {
			most = chains;
			best = figure->path[i];
		}
	}
	return best;
}
