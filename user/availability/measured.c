/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * measured.c - see measured.h.
 *
 *   row -> its two ends as parts -> the chain as a tree -> each call judged by what it came back with
 *       -> the blame: its own, or that of a call below it
 */
#include "availability/measured.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define NAMES_MAX   4096 /* as in csv_read.c */
#define NOT_LOOKED  (UINT32_MAX - 1)
#define CONFIDENT_Z 1.959963984540054 /* 97.5 % of the normal distribution lie below */

enum outcome { ANSWERED, FAILED, UNKNOWN, NOT_MADE };

/* A chain as a tree: indices of calls; UINT32_MAX is none. */
struct tree {
	const struct chain *chain;
	uint32_t *first_child, *last_child, *sibling;
	struct span *span; /* sorted */
};

struct span {
	uint64_t id;
	uint32_t call;
};

struct taker {
	struct measured *measured;
	const char *wanted; /* NULL: every run */
	bool found, takes;
	const struct export_run *run;
	unsigned int part[NAMES_MAX]; /* of each endpoint id */
};

/* ---- who is who ---- */

static unsigned int part_of_name(const struct model *model, const char *name)
{
	for (unsigned int i = 0; i < model->parts; i++)
		for (unsigned int k = 0; k < model->part[i].endpoints; k++)
			if (strcmp(model->part[i].endpoint[k], name) == 0)
				return i;
	return MEASURED_OUTSIDE;
}

static unsigned int part_of(struct taker *taker, uint32_t id)
{
	unsigned int *part = &taker->part[(id - HF_ENDPOINT_FIRST) % NAMES_MAX];
	char text[EXPORT_NAME_MAX];

	if (*part == NOT_LOOKED)
		*part = part_of_name(taker->measured->model,
				     export_endpoint_name(taker->run, id, text));
	return *part;
}

static struct hop *hop_of(struct measured *measured, unsigned int src, unsigned int dst)
{
	unsigned int allocated = measured->allocated ? 2 * measured->allocated : 16;
	struct hop *hop = measured->hop;

	for (unsigned int i = 0; i < measured->hops; i++)
		if (hop[i].src == src && hop[i].dst == dst)
			return &hop[i];
	if (measured->hops == measured->allocated) {
		hop = realloc(hop, allocated * sizeof(*hop));
		if (!hop)
			return NULL;
		measured->hop = hop;
		measured->allocated = allocated;
	}
	hop = &measured->hop[measured->hops++];
	*hop = (struct hop){ .src = src, .dst = dst };
	return hop;
}

/* ---- the tree of a chain ---- */

static void tree_done(struct tree *tree)
{
	free(tree->first_child);
	free(tree->last_child);
	free(tree->sibling);
	free(tree->span);
}

static int by_id(const void *left, const void *right)
{
	const struct span *a = left, *b = right;

	return a->id < b->id ? -1 : a->id > b->id;
}

static uint32_t *no_calls(unsigned int calls)
{
	uint32_t *call = malloc(calls * sizeof(*call));

	if (call)
		memset(call, 0xff, calls * sizeof(*call));
	return call;
}

static void hang_up(struct tree *tree, uint32_t call)
{
	const struct span wanted = { .id = tree->chain->call[call].parent_span_id };
	const struct span *parent =
		bsearch(&wanted, tree->span, tree->chain->calls, sizeof(*tree->span), by_id);

	if (!parent || parent->call == call)
		return;
	if (tree->last_child[parent->call] == UINT32_MAX)
		tree->first_child[parent->call] = call;
	else
		tree->sibling[tree->last_child[parent->call]] = call;
	tree->last_child[parent->call] = call;
}

static int tree_make(struct tree *tree, const struct chain *chain)
{
	*tree = (struct tree){ .chain = chain,
			       .first_child = no_calls(chain->calls),
			       .last_child = no_calls(chain->calls),
			       .sibling = no_calls(chain->calls),
			       .span = calloc(chain->calls, sizeof(*tree->span)) };
	if (!tree->first_child || !tree->last_child || !tree->sibling || !tree->span)
		return -ENOMEM;
	for (uint32_t i = 0; i < chain->calls; i++)
		tree->span[i] = (struct span){ chain->call[i].span_id, i };
	qsort(tree->span, chain->calls, sizeof(*tree->span), by_id);
	for (uint32_t i = 0; i < chain->calls; i++)
		if (chain->call[i].parent_span_id)
			hang_up(tree, i);
	return 0;
}

/* ---- outcomes ---- */

static enum outcome outcome_of(const struct call *call)
{
	if (call->status)
		return call->status < 500 ? ANSWERED : FAILED;
	if (call->resp_bytes == 0)
		return FAILED;
	return call->method[0] ? UNKNOWN : ANSWERED;
}

/* For each part, which parts a call to it leads to: groups may stand in groups, so it is known once and not searched. */
static int know_members(struct measured *measured)
{
	const struct model *model = measured->model;
	size_t parts = model->parts;

	measured->leads = calloc(parts * parts, sizeof(*measured->leads));
	if (!measured->leads)
		return -ENOMEM;
	for (size_t i = 0; i < parts; i++) {
		unsigned int at = model->order[i];
		const struct part *part = &model->part[at];

		measured->leads[at * parts + at] = true;
		for (unsigned int k = 0; k < part->members; k++)
			for (size_t to = 0; to < parts; to++)
				measured->leads[at * parts + to] |=
					measured->leads[part->member[k] * parts + to];
	}
	return 0;
}

bool measured_leads_to(const struct measured *measured, unsigned int to, unsigned int part)
{
	return measured->leads[(size_t)to * measured->model->parts + part];
}

/* How the calls of one caller to one of its needs came out, taken together. */
static enum outcome outcome_of_edge(struct taker *taker, const struct tree *tree, uint32_t caller,
				    const struct edge *edge)
{
	const struct model *model = taker->measured->model;
	unsigned int need = model->part[edge->to].is_group ? model->part[edge->to].need : 1;
	unsigned int answered = 0;
	enum outcome last = NOT_MADE;

	for (uint32_t i = tree->first_child[caller]; i != UINT32_MAX; i = tree->sibling[i]) {
		const struct call *call = &tree->chain->call[i];
		unsigned int dst = part_of(taker, call->dst);

		if (dst == MEASURED_OUTSIDE || !measured_leads_to(taker->measured, edge->to, dst))
			continue;
		last = outcome_of(call);
		answered += last == ANSWERED;
	}
	if (last == NOT_MADE || last == UNKNOWN || !model->part[edge->to].is_group)
		return last;
	return answered >= need ? ANSWERED : FAILED;
}

/* 502 and 504: what is behind me failed. */
static bool blames_another(const struct call *call)
{
	return call->status == 502 || call->status == 504;
}

static int note_unseen(struct measured *measured, const struct edge *edge)
{
	struct hop *hop = hop_of(measured, edge->from, edge->to);

	if (!hop)
		return -ENOMEM;
	hop->unseen++;
	hop->all.tries++;
	hop->early++;
	return 0;
}

enum blame { EARLY, LATE, INHERITED, UNCLEAR };

/* Why a call failed. *ret_unseen: the first required call that was not made, or NULL. */
static enum blame blame_for(struct taker *taker, const struct tree *tree, uint32_t caller,
			    const struct part *part, const struct edge **ret_unseen)
{
	const struct model *model = taker->measured->model;
	enum blame blame = LATE;

	*ret_unseen = NULL;
	for (unsigned int k = part->edge; k < part->edge + part->edges; k++) {
		const struct edge *edge = &model->edge[k];
		enum outcome outcome;

		if (edge->optional)
			continue;
		outcome = outcome_of_edge(taker, tree, caller, edge);
		if (outcome == FAILED)
			return INHERITED;
		if (outcome == UNKNOWN)
			blame = UNCLEAR;
		if (outcome == NOT_MADE && !*ret_unseen)
			*ret_unseen = edge;
	}
	if (blame == LATE && *ret_unseen && blames_another(&tree->chain->call[caller]))
		return INHERITED;
	if (blame == LATE && *ret_unseen)
		blame = EARLY;
	*ret_unseen = NULL;
	return blame;
}

static int judge_failure(struct taker *taker, const struct tree *tree, uint32_t at,
			 unsigned int src, unsigned int dst)
{
	struct measured *measured = taker->measured;
	const struct edge *unseen;
	enum blame blame = blame_for(taker, tree, at, &measured->model->part[dst], &unseen);
	struct hop *hop = hop_of(measured, src, dst); /* it is there: judge() has made it */

	hop->early += blame == EARLY;
	hop->late += blame == LATE;
	hop->inherited += blame == INHERITED;
	return blame == INHERITED && unseen ? note_unseen(measured, unseen) : 0;
}

/* What failed by itself, of `ok` calls that were answered and these: see measured.h. */
static struct tally by_itself(uint64_t ok, uint64_t early, uint64_t late, uint64_t inherited)
{
	double all = (double)(ok + early + late + inherited), up;
	uint64_t failed = early + late, tries;

	if (failed == 0)
		return (struct tally){ ok, ok };
	up = 1 - (double)early / all;
	if (late)
		up *= (double)ok / (double)(ok + late);
	tries = (uint64_t)round((double)failed / (1 - up));
	return (struct tally){ tries, tries - failed };
}

static void note_foreign(struct taker *taker, uint32_t id)
{
	char text[EXPORT_NAME_MAX];

	if (taker->measured->foreign++ == 0)
		snprintf(taker->measured->foreign_name, sizeof(taker->measured->foreign_name), "%s",
			 export_endpoint_name(taker->run, id, text));
}

static bool is_of_the_model(const struct measured *measured, unsigned int src, unsigned int dst)
{
	if (dst == MEASURED_OUTSIDE)
		return false;
	return src != MEASURED_OUTSIDE || dst == measured->model->entry ||
	       measured_leads_to(measured, measured->model->entry, dst);
}

static int judge(struct taker *taker, const struct tree *tree, uint32_t at)
{
	const struct call *call = &tree->chain->call[at];
	struct measured *measured = taker->measured;
	unsigned int src = part_of(taker, call->src), dst = part_of(taker, call->dst);
	enum outcome outcome = outcome_of(call);
	struct hop *hop;

	if (!is_of_the_model(measured, src, dst)) {
		note_foreign(taker, dst == MEASURED_OUTSIDE ? call->dst : call->src);
		return 0;
	}
	hop = hop_of(measured, src, dst);
	if (!hop)
		return -ENOMEM;
	if (outcome == UNKNOWN) {
		hop->unknown++;
		return 0;
	}
	hop->all.tries++;
	if (src == MEASURED_OUTSIDE)
		measured->whole.tries++;
	if (outcome == FAILED)
		return judge_failure(taker, tree, at, src, dst);
	hop->all.ok++;
	if (src == MEASURED_OUTSIDE)
		measured->whole.ok++;
	return 0;
}

/* ---- rows ---- */

static int note_run(struct measured *measured, const char *name)
{
	for (unsigned int i = 0; i < measured->runs; i++)
		if (strcmp(measured->run[i], name) == 0)
			return 0;
	if (measured->runs == MEASURED_RUNS)
		return 0;
	measured->run[measured->runs] = strdup(name);
	return measured->run[measured->runs++] ? 0 : -ENOMEM;
}

static int take_begin(void *ctx, const struct export_run *run)
{
	struct taker *taker = ctx;

	taker->run = run;
	taker->takes = !taker->wanted || strcmp(run->run_id, taker->wanted) == 0;
	taker->found = taker->found || taker->takes;
	return note_run(taker->measured, run->run_id);
}

static int take_chain(void *ctx, const struct chain *chain)
{
	_cleanup_(tree_done) struct tree tree = {};
	struct taker *taker = ctx;
	int r;

	if (!taker->takes)
		return 0;
	r = tree_make(&tree, chain);
	for (uint32_t i = 0; r == 0 && i < chain->calls; i++)
		r = judge(taker, &tree, i);
	return r;
}

static int take_end(void *ctx)
{
	return 0;
}

int measured_read(const struct model *model, const char *path, const char *run,
		  struct measured *ret_measured, char error[EXPORT_ERROR_MAX])
{
	_cleanup_(freep) struct taker *taker = calloc(1, sizeof(*taker));
	const struct csv_sink sink = { take_begin, take_chain, take_end, taker };
	int r;

	memset(ret_measured, 0, sizeof(*ret_measured));
	ret_measured->model = model;
	if (!taker) {
		snprintf(error, EXPORT_ERROR_MAX, "no memory");
		return -ENOMEM;
	}
	taker->measured = ret_measured;
	taker->wanted = run;
	for (unsigned int i = 0; i < NAMES_MAX; i++)
		taker->part[i] = NOT_LOOKED;
	r = know_members(ret_measured);
	if (r < 0) {
		snprintf(error, EXPORT_ERROR_MAX, "no memory");
		return r;
	}
	r = csv_read(path, &sink, error);
	if (r == 0 && run && !taker->found) {
		snprintf(error, EXPORT_ERROR_MAX, "%s has no run '%s'", path, run);
		return -EINVAL;
	}
	for (unsigned int i = 0; i < ret_measured->hops; i++) {
		struct hop *hop = &ret_measured->hop[i];

		hop->itself = by_itself(hop->all.ok, hop->early, hop->late, hop->inherited);
	}
	return r;
}

void measured_done(struct measured *measured)
{
	for (unsigned int i = 0; i < measured->runs; i++)
		free(measured->run[i]);
	free(measured->hop);
	free(measured->leads);
	measured->hop = NULL;
	measured->leads = NULL;
	measured->hops = measured->runs = 0;
}

/* ---- what follows ---- */

struct tally measured_of_part(const struct measured *measured, unsigned int part)
{
	struct hop sum = {};

	for (unsigned int i = 0; i < measured->hops; i++) {
		const struct hop *hop = &measured->hop[i];

		if (hop->dst != part)
			continue;
		sum.all.ok += hop->all.ok;
		sum.early += hop->early;
		sum.late += hop->late;
		sum.inherited += hop->inherited;
	}
	return by_itself(sum.all.ok, sum.early, sum.late, sum.inherited);
}

int measured_model(const struct measured *measured, struct model *ret_model, unsigned int *ret_kept)
{
	const struct model *model = measured->model;
	struct part *part = calloc(model->parts, sizeof(*part));
	struct edge *edge = calloc(model->edges + 1, sizeof(*edge));

	if (!part || !edge) {
		free(part);
		free(edge);
		return -ENOMEM;
	}
	memcpy(part, model->part, model->parts * sizeof(*part));
	memcpy(edge, model->edge, model->edges * sizeof(*edge));
	*ret_kept = 0;
	for (unsigned int k = 0; k < model->edges; k++) {
		edge[k].is_claimed = false;
		edge[k].way = (struct chance){ 1, 0 };
	}
	for (unsigned int i = 0; i < model->parts; i++) {
		struct tally tally = measured_of_part(measured, i);

		if (!part[i].is_group && tally.tries == 0)
			++*ret_kept;
		if (part[i].is_group || tally.tries == 0)
			continue;
		part[i].one.up = (double)tally.ok / (double)tally.tries;
		part[i].one.down = (double)(tally.tries - tally.ok) / (double)tally.tries;
		part[i].replicas = part[i].need = 1;
	}
	*ret_model = *model;
	ret_model->part = part;
	ret_model->edge = edge;
	return 0;
}

void measured_model_done(struct model *model)
{
	free(model->part);
	free(model->edge);
	model->part = NULL;
	model->edge = NULL;
}

void wilson(struct tally tally, double *ret_low, double *ret_high)
{
	double n = (double)tally.tries, z2 = CONFIDENT_Z * CONFIDENT_Z, share, middle, half;

	*ret_low = 0;
	*ret_high = 1;
	if (tally.tries == 0)
		return;
	share = (double)tally.ok / n;
	middle = (share + z2 / (2 * n)) / (1 + z2 / n);
	half = CONFIDENT_Z / (1 + z2 / n) * sqrt(share * (1 - share) / n + z2 / (4 * n * n));
	if (tally.ok > 0)
		*ret_low = middle - half;
	if (tally.ok < tally.tries)
		*ret_high = middle + half;
}

/* Its bounds are the p with |share - p| = z sqrt(p (1 - p) / n): solved for n, with p the other share. */
uint64_t wilson_tries(double up, double other)
{
	double gap = up - other;

	if (!(up >= 0 && up <= 1 && other > 0 && other < 1) || gap == 0)
		return 0;
	return (uint64_t)ceil(CONFIDENT_Z * CONFIDENT_Z * other * (1 - other) / (gap * gap));
}
