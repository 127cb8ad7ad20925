/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * load_answer.c - see load_answer.h. Answers are other people's bytes: jansson checks them, and
 * names, depth and memory are bounded here.
 */
#include "chain/load_answer.h"

#include <errno.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#define TIMES_FIRST 1024

/* The index of a name, which is remembered when it is new; LOAD_NO_NAME when there is no room. */
static uint8_t name_index(struct load_names *names, const char *name)
{
	for (unsigned int i = 0; i < names->count; i++)
		if (!strncmp(names->name[i], name, LOAD_NAME_BYTES - 1))
			return (uint8_t)i;
	if (names->count == LOAD_NAMES_MAX)
		return LOAD_NO_NAME;
	strncpy(names->name[names->count], name, LOAD_NAME_BYTES - 1);
	return (uint8_t)names->count++;
}

static enum load_error error_by_name(const char *name)
{
	for (enum load_error error = LOAD_TIMEOUT; error < LOAD_STATUS; error++)
		if (!strcmp(name, load_error_name(error)))
			return error;
	return LOAD_STATUS;
}

static bool read_failure(struct load_result *result, struct load_record *record,
			 const json_t *service)
{
	const char *error = json_string_value(json_object_get(service, "error"));
	const char *from = json_string_value(json_object_get(service, "from"));
	const char *to = json_string_value(json_object_get(service, "to"));
	char hop[LOAD_NAME_BYTES];

	if (!error)
		return false;
	record->error = (uint8_t)error_by_name(error);
	if (from) { /* without `to` it is the service itself that failed */
		snprintf(hop, sizeof(hop), "%s%s%s", from, to ? "->" : "", to ? to : "");
		record->hop = name_index(&result->hop, hop);
	}
	return true;
}

static uint64_t read_time(const json_t *times, const char *name)
{
	json_int_t time_ns = json_integer_value(json_object_get(times, name));

	return time_ns > 0 ? (uint64_t)time_ns : 0;
}

static struct load_times *times_new(struct load_result *result)
{
	size_t size = result->times_size ? 2 * result->times_size : TIMES_FIRST;
	struct load_times *times;

	if (result->times_count == result->times_size) {
		times = reallocarray(result->times, size, sizeof(*times));
		if (!times)
			return NULL;
		result->times = times;
		result->times_size = size;
	}
	return &result->times[result->times_count++];
}

static bool read_times(struct load_result *result, uint32_t request, unsigned int depth,
		       const json_t *service)
{
	const char *name = json_string_value(json_object_get(service, "service"));
	const json_t *json = json_object_get(service, "times");
	struct load_times *times;

	if (!name || !json_is_object(json))
		return false;
	times = times_new(result);
	if (!times)
		return false;
	*times = (struct load_times){
		.recv_ns = read_time(json, "recv_ns"),
		.call_ns = read_time(json, "call_ns"),
		.reply_ns = read_time(json, "reply_ns"),
		.send_ns = read_time(json, "send_ns"),
		.request = request,
		.service = name_index(&result->service, name),
		.depth = (uint8_t)depth,
	};
	return true;
}

void load_answer_read(struct load_result *result, struct load_record *record, struct http_text body,
		      bool keep_times)
{
	json_t *root = json_loadb(body.at ? body.at : "", body.len, JSON_REJECT_DUPLICATES, NULL);
	const json_t *service = root;
	bool wants_failure = record->status >= 400;
	bool times_are_whole = json_is_object(root);

	for (unsigned int depth = 0; json_is_object(service) && depth < LOAD_DEPTH_MAX; depth++) {
		if (wants_failure && read_failure(result, record, service))
			wants_failure = false;
		if (keep_times && !read_times(result, record->request, depth, service))
			times_are_whole = false;
		if (json_is_true(json_object_get(service, "degraded")))
			break; /* what is in it is of an earlier request */
		service = json_object_get(service, "next");
	}
	if (keep_times && !times_are_whole)
		result->times_lost++;
	json_decref(root);
}

static uint8_t shape_by_name(const char *name)
{
	for (enum load_shape shape = LOAD_SHAPE_CACHED; name && shape < LOAD_SHAPE_DEGRADED;
	     shape++)
		if (!strcmp(name, load_shape_name(shape)))
			return (uint8_t)shape;
	return LOAD_SHAPE_DEGRADED;
}

/* Few answers are degraded, and only these are parsed. */
static bool may_be_degraded(struct http_text body)
{
	static const char word[] = "\"degraded\"";

	return body.len && memmem(body.at, body.len, word, sizeof(word) - 1);
}

uint8_t load_answer_shape(unsigned int status, struct http_text body)
{
	const json_t *service;
	uint8_t shape = LOAD_SHAPE_FULL;
	json_t *root;

	if (status >= 400)
		return LOAD_SHAPE_ERROR;
	if (!may_be_degraded(body))
		return LOAD_SHAPE_FULL;
	root = json_loadb(body.at, body.len, JSON_REJECT_DUPLICATES, NULL);
	service = root;
	for (int depth = 0; json_is_object(service) && depth < LOAD_DEPTH_MAX; depth++) {
		if (json_is_true(json_object_get(service, "degraded"))) {
			shape = shape_by_name(json_string_value(json_object_get(service, "shape")));
			break;
		}
		service = json_object_get(service, "next");
	}
	json_decref(root);
	return shape;
}
