/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * model_read.c - a YAML file becomes a model, or one sentence that says in which line it cannot, and why.
 *
 *   names   every service and group, so that a call may name what stands further down
 *   bodies  availability, replicas, calls, members: each name in them is looked up
 *   order   callees before callers; a cycle is told with its names
 */
#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "availability/model.h"
#include "availability/order.h"
#include "base/suggest.h"
#include "base/units.h"
#include "base/yamldoc.h"

#define ENDPOINT_NAME_MAX 255 /* bytes */

struct reader {
	struct yamldoc *file;
	struct model *model;
	const char **name; /* of all parts, for near names */
};

/* ---- values ---- */

static int read_chance(struct reader *reader, const struct yamldoc_item *item, const char *whose,
		       struct chance *ret_chance)
{
	const char *text, *reason;
	int r = yamldoc_text(reader->file, item, "availability", 40, &text);

	if (r < 0)
		return r;
	r = units_parse_share(text, &ret_chance->up, &ret_chance->down, &reason);
	return r < 0 ? yamldoc_fail(reader->file, -EINVAL, yamldoc_line(item),
				    "availability of %s: '%s': %s", whose, text, reason)
		     : 0;
}

static int read_latency(struct reader *reader, const struct yamldoc_item *item, const char *whose,
			uint64_t *ret_ns)
{
	const uint64_t longest_ns = 86400ULL * 1000000000;
	const char *text, *reason = "longer than a day";
	int r;

	if (!item)
		return 0;
	r = yamldoc_text(reader->file, item, "latency", 40, &text);
	if (r < 0)
		return r;
	r = units_parse_time(text, ret_ns, &reason);
	if (r == 0 && *ret_ns > longest_ns)
		r = -ERANGE;
	return r < 0 ? yamldoc_fail(reader->file, -EINVAL, yamldoc_line(item),
				    "latency of %s: '%s': %s", whose, text, reason)
		     : 0;
}

static int read_count(struct reader *reader, const struct yamldoc_item *item, const char *what,
		      unsigned int max, unsigned int *ret_count)
{
	const char *text, *reason;
	uint64_t count;
	int r;

	if (!item)
		return 0;
	r = yamldoc_text(reader->file, item, what, 40, &text);
	if (r < 0)
		return r;
	r = units_parse_count(text, 1, max, &count, &reason);
	if (r < 0)
		return yamldoc_fail(reader->file, -EINVAL, yamldoc_line(item),
				    "%s: '%s': %s (1 to %u)", what, text, reason, max);
	*ret_count = (unsigned int)count;
	return 0;
}

/* ---- names ---- */

static int find_part(const struct reader *reader, const char *name, unsigned int *ret_part)
{
	for (unsigned int i = 0; i < reader->model->parts; i++)
		if (reader->name[i] && strcmp(reader->name[i], name) == 0) {
			*ret_part = i;
			return 0;
		}
	return -ENOENT;
}

static int look_up(struct reader *reader, const struct yamldoc_item *item, const char *what,
		   unsigned int *ret_part)
{
	const char *text;
	char near[256];
	int r = yamldoc_text(reader->file, item, what, MODEL_NAME_MAX, &text);

	if (r < 0)
		return r;
	if (find_part(reader, text, ret_part) == 0)
		return 0;
	return yamldoc_fail(
		reader->file, -EINVAL, yamldoc_line(item),
		"%s '%s' is no service or group of this file%s", what, text,
		suggest_phrase(near, sizeof(near), text, reader->name, reader->model->parts));
}

static int name_part(struct reader *reader, unsigned int i, const struct yamldoc_item *item,
		     const char *what)
{
	struct part *part = &reader->model->part[i];
	unsigned int first;
	int r = yamldoc_text(reader->file, item, what, MODEL_NAME_MAX, &part->name);

	if (r < 0)
		return r;
	part->line = yamldoc_line(item);
	if (find_part(reader, part->name, &first) == 0)
		return yamldoc_fail(reader->file, -EINVAL, part->line,
				    "'%s' is there already, in line %u", part->name,
				    reader->model->part[first].line);
	reader->name[i] = part->name;
	return 0;
}

/* ---- calls ---- */

enum { CALL_TO, CALL_OPTIONAL, CALL_AVAILABILITY, CALL_LATENCY, CALL_PARALLEL, CALL_KEYS };

static const struct yamldoc_key call_keys[] = {
	[CALL_TO] = { "to", YAMLDOC_TEXT, true },
	[CALL_OPTIONAL] = { "optional", YAMLDOC_TEXT },
	[CALL_AVAILABILITY] = { "availability", YAMLDOC_TEXT },
	[CALL_LATENCY] = { "latency", YAMLDOC_TEXT },
	[CALL_PARALLEL] = { "parallel", YAMLDOC_TEXT },
	[CALL_KEYS] = {},
};

/* Called twice, it would be counted and dropped twice: two calls to the same part are one dependency. */
static int check_only_call(struct reader *reader, const struct part *part, const struct edge *edge)
{
	for (unsigned int i = 0; i < part->edges; i++) {
		const struct edge *other = &reader->model->edge[part->edge + i];

		if (other->to == edge->to)
			return yamldoc_fail(reader->file, -EINVAL, edge->line,
					    "%s calls %s already, in line %u", part->name,
					    reader->model->part[edge->to].name, other->line);
	}
	return 0;
}

static int read_call_body(struct reader *reader, const struct yamldoc_item *const *value,
			  struct edge *edge)
{
	char text[MODEL_EDGE_TEXT_MAX];
	int r = 0;

	model_edge_text(reader->model, edge, text);
	if (value[CALL_OPTIONAL])
		r = yamldoc_bool(reader->file, value[CALL_OPTIONAL], "optional", &edge->optional);
	if (r == 0 && value[CALL_AVAILABILITY]) {
		r = read_chance(reader, value[CALL_AVAILABILITY], text, &edge->way);
		edge->is_claimed = true;
	}
	if (r == 0 && value[CALL_PARALLEL])
		r = yamldoc_text(reader->file, value[CALL_PARALLEL], "parallel", MODEL_NAME_MAX,
				 &edge->lane);
	return r < 0 ? r : read_latency(reader, value[CALL_LATENCY], text, &edge->latency_ns);
}

/* "- auth" is short for "- to: auth". */
static int read_call(struct reader *reader, unsigned int from, const struct yamldoc_item *item)
{
	const struct yamldoc_item *value[CALL_KEYS] = { item };
	struct part *part = &reader->model->part[from];
	struct edge *edge = &reader->model->edge[reader->model->edges];
	bool is_short = yamldoc_is_text(item);
	int r = 0;

	*edge = (struct edge){ .from = from, .line = yamldoc_line(item), .way = { 1, 0 } };
	if (!is_short)
		r = yamldoc_map(reader->file, item, "a call", call_keys, value);
	if (r == 0)
		r = look_up(reader, value[CALL_TO], "call to", &edge->to);
	if (r == 0)
		r = check_only_call(reader, part, edge);
	if (r == 0 && !is_short)
		r = read_call_body(reader, value, edge);
	if (r < 0)
		return r;
	reader->model->edges++;
	part->edges++;
	return 0;
}

/* ---- services ---- */

enum {
	SERVICE_NAME,
	SERVICE_AVAILABILITY,
	SERVICE_REPLICAS,
	SERVICE_NEED,
	SERVICE_LATENCY,
	SERVICE_CALLS,
	SERVICE_ENDPOINTS,
	SERVICE_KEYS
};

static const struct yamldoc_key service_keys[] = {
	[SERVICE_NAME] = { "name", YAMLDOC_TEXT, true },
	[SERVICE_AVAILABILITY] = { "availability", YAMLDOC_TEXT, true },
	[SERVICE_REPLICAS] = { "replicas", YAMLDOC_TEXT },
	[SERVICE_NEED] = { "need", YAMLDOC_TEXT },
	[SERVICE_LATENCY] = { "latency", YAMLDOC_TEXT },
	[SERVICE_CALLS] = { "calls", YAMLDOC_LIST },
	[SERVICE_ENDPOINTS] = { "endpoints", YAMLDOC_LIST },
	[SERVICE_KEYS] = {},
};

static int check_need(struct reader *reader, const struct part *part, unsigned int of,
		      const struct yamldoc_item *need, const char *them)
{
	if (part->need <= of)
		return 0;
	return yamldoc_fail(reader->file, -EINVAL, need ? yamldoc_line(need) : part->line,
			    "%s needs %u of its %u %s: there are not so many", part->name,
			    part->need, of, them);
}

/* Whose calls are these, if two have the name? */
static int check_only_endpoint(struct reader *reader, const struct part *part, const char *name,
			       unsigned int line)
{
	for (unsigned int i = 0; i < reader->model->parts; i++) {
		const struct part *other = &reader->model->part[i];

		for (unsigned int k = 0; k < other->endpoints; k++)
			if (strcmp(other->endpoint[k], name) == 0)
				return yamldoc_fail(reader->file, -EINVAL, line,
						    "endpoint '%s' of %s is one of %s already",
						    name, part->name, other->name);
	}
	return 0;
}

static int add_endpoint(struct reader *reader, struct part *part, const char *name,
			unsigned int line)
{
	int r = check_only_endpoint(reader, part, name, line);

	if (r == 0)
		part->endpoint[part->endpoints++] = name;
	return r;
}

static int read_endpoints(struct reader *reader, struct part *part, const struct yamldoc_item *list)
{
	unsigned int count = yamldoc_count(list);
	int r = 0;

	if (count > MODEL_REPLICAS_MAX)
		return yamldoc_fail(reader->file, -E2BIG, yamldoc_line(list),
				    "%s has more than %u endpoints", part->name,
				    MODEL_REPLICAS_MAX);
	part->endpoint = calloc(count + 1, sizeof(*part->endpoint));
	if (!part->endpoint)
		return -ENOMEM;
	if (count == 0)
		return add_endpoint(reader, part, part->name, part->line);
	for (unsigned int i = 0; r == 0 && i < count; i++) {
		const struct yamldoc_item *item = yamldoc_at(reader->file, list, i);
		const char *name;

		r = yamldoc_text(reader->file, item, "an endpoint", ENDPOINT_NAME_MAX, &name);
		if (r == 0)
			r = add_endpoint(reader, part, name, yamldoc_line(item));
	}
	return r;
}

static int read_calls(struct reader *reader, unsigned int i, const struct yamldoc_item *list)
{
	unsigned int count = yamldoc_count(list);
	int r = 0;

	reader->model->part[i].edge = reader->model->edges;
	if (count > MODEL_CALLS_MAX)
		return yamldoc_fail(reader->file, -E2BIG, yamldoc_line(list),
				    "%s makes more than %u calls", reader->model->part[i].name,
				    MODEL_CALLS_MAX);
	if (reader->model->edges + count > MODEL_EDGES_MAX)
		return yamldoc_fail(reader->file, -E2BIG, yamldoc_line(list),
				    "more than %u calls in all", MODEL_EDGES_MAX);
	for (unsigned int k = 0; r == 0 && k < count; k++)
		r = read_call(reader, i, yamldoc_at(reader->file, list, k));
	return r;
}

static int read_service(struct reader *reader, unsigned int i, const struct yamldoc_item *item)
{
	const struct yamldoc_item *value[SERVICE_KEYS];
	struct part *part = &reader->model->part[i];
	int r = yamldoc_map(reader->file, item, "a service", service_keys, value);

	part->replicas = 1;
	part->need = 1;
	if (r == 0)
		r = read_chance(reader, value[SERVICE_AVAILABILITY], part->name, &part->one);
	if (r == 0)
		r = read_count(reader, value[SERVICE_REPLICAS], "replicas", MODEL_REPLICAS_MAX,
			       &part->replicas);
	if (r == 0)
		r = read_count(reader, value[SERVICE_NEED], "need", MODEL_REPLICAS_MAX,
			       &part->need);
	if (r == 0)
		r = check_need(reader, part, part->replicas, value[SERVICE_NEED], "replicas");
	if (r == 0)
		r = read_latency(reader, value[SERVICE_LATENCY], part->name, &part->latency_ns);
	if (r == 0)
		r = read_endpoints(reader, part, value[SERVICE_ENDPOINTS]);
	return r < 0 ? r : read_calls(reader, i, value[SERVICE_CALLS]);
}

/* ---- groups ---- */

enum { GROUP_NAME, GROUP_NEED, GROUP_OF, GROUP_KEYS };

static const struct yamldoc_key group_keys[] = {
	[GROUP_NAME] = { "name", YAMLDOC_TEXT, true },
	[GROUP_NEED] = { "need", YAMLDOC_TEXT, true },
	[GROUP_OF] = { "of", YAMLDOC_LIST, true },
	[GROUP_KEYS] = {},
};

static int read_member(struct reader *reader, struct part *part, const struct yamldoc_item *item)
{
	unsigned int member;
	int r = look_up(reader, item, "member", &member);

	if (r < 0)
		return r;
	for (unsigned int i = 0; i < part->members; i++)
		if (part->member[i] == member)
			return yamldoc_fail(reader->file, -EINVAL, yamldoc_line(item),
					    "'%s' is a member of %s twice",
					    reader->model->part[member].name, part->name);
	part->member[part->members++] = member;
	return 0;
}

static int read_group(struct reader *reader, unsigned int i, const struct yamldoc_item *item)
{
	const struct yamldoc_item *value[GROUP_KEYS];
	struct part *part = &reader->model->part[i];
	unsigned int count;
	int r = yamldoc_map(reader->file, item, "a group", group_keys, value);

	part->is_group = true;
	if (r == 0)
		r = read_count(reader, value[GROUP_NEED], "need", MODEL_MEMBERS_MAX, &part->need);
	if (r < 0)
		return r;
	count = yamldoc_count(value[GROUP_OF]);
	if (count > MODEL_MEMBERS_MAX)
		return yamldoc_fail(reader->file, -E2BIG, yamldoc_line(value[GROUP_OF]),
				    "%s has more than %u members", part->name, MODEL_MEMBERS_MAX);
	part->member = calloc(count + 1, sizeof(*part->member));
	if (!part->member)
		return -ENOMEM;
	for (unsigned int k = 0; r == 0 && k < count; k++)
		r = read_member(reader, part, yamldoc_at(reader->file, value[GROUP_OF], k));
	return r < 0 ? r : check_need(reader, part, count, value[GROUP_NEED], "members");
}

/* ---- the whole ---- */

enum { TOP_SYSTEM, TOP_ENTRY, TOP_SLO, TOP_SERVICES, TOP_GROUPS, TOP_KEYS };

static const struct yamldoc_key top_keys[] = {
	[TOP_SYSTEM] = { "system", YAMLDOC_TEXT },
	[TOP_ENTRY] = { "entry", YAMLDOC_TEXT, true },
	[TOP_SLO] = { "slo", YAMLDOC_MAP },
	[TOP_SERVICES] = { "services", YAMLDOC_LIST, true },
	[TOP_GROUPS] = { "groups", YAMLDOC_LIST },
	[TOP_KEYS] = {},
};

enum { SLO_AVAILABILITY, SLO_LATENCY, SLO_KEYS };

static const struct yamldoc_key slo_keys[] = {
	[SLO_AVAILABILITY] = { "availability", YAMLDOC_TEXT },
	[SLO_LATENCY] = { "latency", YAMLDOC_TEXT },
	[SLO_KEYS] = {},
};

static int read_slo(struct reader *reader, const struct yamldoc_item *item)
{
	const struct yamldoc_item *value[SLO_KEYS];
	struct model *model = reader->model;
	int r;

	if (!item)
		return 0;
	r = yamldoc_map(reader->file, item, "slo", slo_keys, value);
	if (r == 0 && value[SLO_AVAILABILITY])
		r = read_chance(reader, value[SLO_AVAILABILITY], "slo", &model->goal);
	if (r < 0)
		return r;
	model->has_availability_goal = value[SLO_AVAILABILITY] != NULL;
	model->has_latency_goal = value[SLO_LATENCY] != NULL;
	return read_latency(reader, value[SLO_LATENCY], "slo", &model->goal_ns);
}

static int check_size(struct reader *reader, const struct yamldoc_item *services,
		      const struct yamldoc_item *groups)
{
	unsigned int count = yamldoc_count(services) + yamldoc_count(groups);

	if (yamldoc_count(services) == 0)
		return yamldoc_fail(reader->file, -EINVAL, yamldoc_line(services),
				    "there are no services");
	if (count > MODEL_PARTS_MAX)
		return yamldoc_fail(reader->file, -E2BIG, yamldoc_line(services),
				    "%u services and groups; at most %u are read", count,
				    MODEL_PARTS_MAX);
	return 0;
}

/* The names alone: what else a mapping has is checked when it is read. */
static int read_names(struct reader *reader, const struct yamldoc_item *list, bool groups)
{
	const struct yamldoc_item *value[SERVICE_KEYS];
	int r = 0;

	for (unsigned int i = 0; r == 0 && i < yamldoc_count(list); i++) {
		r = yamldoc_map(reader->file, yamldoc_at(reader->file, list, i),
				groups ? "a group" : "a service",
				groups ? group_keys : service_keys, value);
		if (r == 0)
			r = name_part(reader, reader->model->parts, value[0],
				      groups ? "the name of a group" : "the name of a service");
		reader->model->parts += r == 0;
	}
	return r;
}

static int read_bodies(struct reader *reader, const struct yamldoc_item *services,
		       const struct yamldoc_item *groups)
{
	unsigned int count = yamldoc_count(services);
	int r = 0;

	for (unsigned int i = 0; r == 0 && i < count; i++)
		r = read_service(reader, i, yamldoc_at(reader->file, services, i));
	for (unsigned int i = 0; r == 0 && i < yamldoc_count(groups); i++)
		r = read_group(reader, count + i, yamldoc_at(reader->file, groups, i));
	return r;
}

/* The line of the call, or of the group, that leads from one to the other. */
static unsigned int line_between(const struct model *model, unsigned int from, unsigned int to)
{
	const struct part *part = &model->part[from];

	for (unsigned int i = 0; i < part->edges; i++)
		if (model->edge[part->edge + i].to == to)
			return model->edge[part->edge + i].line;
	return part->line;
}

static int put_in_order(struct reader *reader)
{
	struct model *model = reader->model;
	_cleanup_(freep) unsigned int *cycle = calloc(model->parts + 1, sizeof(*cycle));
	unsigned int length = 0;
	char text[300] = "";
	size_t used = 0;
	int r;

	if (!cycle)
		return -ENOMEM;
	r = order_parts(model, cycle, &length);
	if (r != -ELOOP)
		return r;
	for (unsigned int i = 0; i < length && used < sizeof(text); i++)
		used += (size_t)snprintf(text + used, sizeof(text) - used, "%s%s", i ? " -> " : "",
					 model->part[cycle[i]].name);
	return yamldoc_fail(reader->file, -EINVAL,
			    line_between(model, cycle[length - 2], cycle[length - 1]),
			    "a cycle: %s%s", text, used < sizeof(text) ? "" : " ...");
}

static int read_whole(struct reader *reader)
{
	const struct yamldoc_item *value[TOP_KEYS];
	struct model *model = reader->model;
	int r = yamldoc_map(reader->file, yamldoc_root(reader->file), "the file", top_keys, value);

	if (r == 0)
		r = check_size(reader, value[TOP_SERVICES], value[TOP_GROUPS]);
	if (r == 0 && value[TOP_SYSTEM])
		r = yamldoc_text(reader->file, value[TOP_SYSTEM], "system", MODEL_NAME_MAX,
				 &model->name);
	if (r == 0)
		r = read_names(reader, value[TOP_SERVICES], false);
	if (r == 0)
		r = read_names(reader, value[TOP_GROUPS], true);
	if (r == 0)
		r = look_up(reader, value[TOP_ENTRY], "entry", &model->entry);
	if (r == 0)
		r = read_slo(reader, value[TOP_SLO]);
	if (r == 0)
		r = read_bodies(reader, value[TOP_SERVICES], value[TOP_GROUPS]);
	return r < 0 ? r : put_in_order(reader);
}

static struct model *model_new(void)
{
	_cleanup_(model_freep) struct model *model = calloc(1, sizeof(*model));

	if (!model)
		return NULL;
	model->part = calloc(MODEL_PARTS_MAX, sizeof(*model->part));
	model->edge = calloc(MODEL_EDGES_MAX, sizeof(*model->edge));
	model->name = "";
	return model->part && model->edge ? TAKE_PTR(model) : NULL;
}

int model_read(const char *path, struct model **ret_model, char error[MODEL_ERROR_MAX])
{
	_cleanup_(model_freep) struct model *model = model_new();
	_cleanup_(yamldoc_freep) struct yamldoc *file = NULL;
	_cleanup_(freep) const char **name = calloc(MODEL_PARTS_MAX, sizeof(*name));
	int r = model && name ? yamldoc_read(path, &file) : -ENOMEM;

	if (r == 0)
		r = read_whole(&(struct reader){ file, model, name });
	if (r < 0) {
		snprintf(error, MODEL_ERROR_MAX, "%s",
			 file && r != -ENOMEM ? yamldoc_error(file) : "no memory");
		return r;
	}
	model->texts = TAKE_PTR(file);
	*ret_model = TAKE_PTR(model);
	return 0;
}
