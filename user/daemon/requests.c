/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * requests.c - what can be asked of the owner, as a table; each request is answered once.
 *
 * The words of a rule are parsed here as well as in the command that sent them: the owner believes no client.
 */
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "daemon/owner.h"
#include "daemon/reply.h"

#define WORDS_MAX 256

/* The request's words as an argv; each string stays the request's. */
struct words {
	int count;
	char *word[WORDS_MAX + 1];
};

static int take_words(const json_t *request, struct words *ret_words)
{
	const json_t *list = json_object_get(request, "words");
	json_t *word;
	size_t i;

	*ret_words = (struct words){};
	if (json_array_size(list) > WORDS_MAX)
		return -E2BIG;
	json_array_foreach(list, i, word)
	{
		if (!json_is_string(word))
			return -EINVAL;
		ret_words->word[ret_words->count++] = (char *)json_string_value(word);
	}
	return 0;
}

/* The fault is tied to the process that the client named, if it named one. */
static int keep_while_alive(struct owner *owner, struct client *client, const json_t *request,
			    uint64_t *ret_token)
{
	json_int_t pid = json_integer_value(json_object_get(request, "pid"));

	*ret_token = FAULT_OWNER_NONE;
	if (pid <= 0 || pid > INT_MAX)
		return 0;
	*ret_token = client_token(client);
	return keeper_add(owner, (pid_t)pid, *ret_token);
}

static void reply_added(struct owner *owner, struct client *client,
			const struct faults_result *result)
{
	const struct fault *fault = faultset_find(faults_live(owner->faults), result->id);

	reply_ok(client,
		 json_pack("{s:I,s:s,s:s,s:I,s:I,s:s,s:s}", "id", (json_int_t)result->id, "text",
			   fault ? fault->text : "", "meant", result->meant, "links",
			   (json_int_t)result->links, "seed", (json_int_t)result->seed, "notice",
			   result->notice, "engine", hf_engine_name(owner->with.engine)));
}

typedef int (*add_fn)(struct owner *owner, const json_t *request, const struct words *words,
		      uint64_t token, bool dry_run, struct faults_result *ret_result,
		      char *ret_error);

static void handle_adding(struct owner *owner, struct client *client, const json_t *request,
			  add_fn add)
{
	bool dry_run = json_is_true(json_object_get(request, "dry_run"));
	char error[FAULTS_ERROR_MAX] = "";
	struct faults_result result;
	struct words words;
	uint64_t token = FAULT_OWNER_NONE;
	int r;

	r = take_words(request, &words);
	if (r >= 0 && !dry_run)
		r = keep_while_alive(owner, client, request, &token);
	if (r >= 0)
		r = add(owner, request, &words, token, dry_run, &result, error);
	if (r < 0) {
		keeper_drop(owner, token);
		reply_failure(client, r, error);
		return;
	}
	reply_added(owner, client, &result);
}

static int add_rule(struct owner *owner, const json_t *request, const struct words *words,
		    uint64_t token, bool dry_run, struct faults_result *ret_result, char *ret_error)
{
	struct rule_error error = {};
	struct rule_request rule;
	int r;

	r = rule_parse(words->count, (char **)words->word, &rule, &error);
	if (r < 0) {
		rule_error_text(&error, ret_error, RULE_ERROR_TEXT_MAX);
		return r;
	}
	return faults_add_rule(owner->faults, &rule, token, dry_run, ret_result, ret_error);
}

static void handle_add(struct owner *owner, struct client *client, json_t *request)
{
	handle_adding(owner, client, request, add_rule);
}

static bool grudge_by_word(const char *word, struct grudge *ret_grudge)
{
	for (enum grudge_kind kind = 0; word && kind < GRUDGE_KINDS; kind++)
		if (strcmp(word, grudge_words[kind]) == 0) {
			*ret_grudge = (struct grudge){ .kind = kind };
			return true;
		}
	return false;
}

static int add_partition(struct owner *owner, const json_t *request, const struct words *words,
			 uint64_t token, bool dry_run, struct faults_result *ret_result,
			 char *ret_error)
{
	const char *pattern = json_string_value(json_object_get(request, "grudge"));
	const char *isolate = json_string_value(json_object_get(request, "isolate"));
	struct partition_request partition;
	struct rule_error error = {};
	struct grudge grudge = {};
	int r;

	if (pattern && !grudge_by_word(pattern, &grudge))
		return -EINVAL;
	r = partition_parse(words->count, (char **)words->word, pattern != NULL, &partition,
			    &error);
	if (r < 0) {
		rule_error_text(&error, ret_error, RULE_ERROR_TEXT_MAX);
		return r;
	}
	grudge.in_order = json_is_true(json_object_get(request, "in_order"));
	return faults_add_partition(owner->faults, &partition, pattern ? &grudge : NULL, isolate,
				    token, dry_run, ret_result, ret_error);
}

static void handle_partition(struct owner *owner, struct client *client, json_t *request)
{
	handle_adding(owner, client, request, add_partition);
}

/* ---- status ---- */

static json_t *links_json(const struct owner *owner, const struct fault *fault)
{
	json_t *links = json_array();

	for (size_t i = 0; i < fault->links; i++)
		json_array_append_new(
			links, json_pack("[s,s]", managed_name(owner->managed, fault->link[i].src),
					 managed_name(owner->managed, fault->link[i].dst)));
	return links;
}

static json_t *counts_json(const struct hf_rule_counts *counts)
{
	return json_pack(
		"{s:I,s:I,s:I,s:I,s:I,s:I,s:I,s:I,s:I,s:I,s:I}", "matched",
		(json_int_t)counts->matched, "dropped", (json_int_t)counts->dropped, "skbs_dropped",
		(json_int_t)counts->skbs_dropped, "delayed", (json_int_t)counts->delayed,
		"undelayed", (json_int_t)counts->undelayed, "released",
		(json_int_t)counts->released, "asked_ns", (json_int_t)counts->asked_ns,
		"error_mean_ns",
		(json_int_t)(counts->released ? counts->error_sum_ns / counts->released : 0),
		"error_p50_ns", (json_int_t)generation_error_percentile(counts, 0.5),
		"error_p99_ns", (json_int_t)generation_error_percentile(counts, 0.99),
		"error_max_ns", (json_int_t)counts->error_max_ns);
}

static json_t *fault_json(const struct owner *owner, const struct fault *fault)
{
	uint64_t now_ns = clock_now_ns();
	uint64_t left_ns = fault->deadline_ns > now_ns ? fault->deadline_ns - now_ns : 0;
	struct hf_rule_counts counts = {};

	faults_counts(owner->faults, fault->id, &counts);
	return json_pack(
		"{s:I,s:s,s:s,s:s,s:I,s:I,s:I,s:I,s:b,s:o,s:o}", "id", (json_int_t)fault->id,
		"kind", fault->kind == FAULT_PARTITION ? "partition" : "rule", "text", fault->text,
		"meant", fault->meant, "left_ns", (json_int_t)left_ns, "age_ns",
		(json_int_t)(now_ns - fault->created_ns), "delay_ns",
		(json_int_t)fault->rule.delay_ns, "jitter_ns", (json_int_t)fault->rule.jitter_ns,
		"while_command", (int)(fault->owner != FAULT_OWNER_NONE), "links",
		links_json(owner, fault), "counts", counts_json(&counts));
}

static json_t *faults_json(const struct owner *owner)
{
	const struct faultset *live = faults_live(owner->faults);
	json_t *list = json_array();

	for (size_t i = 0; i < faultset_count(live); i++)
		json_array_append_new(list, fault_json(owner, faultset_at(live, i)));
	return list;
}

static json_t *hold_json(const struct owner *owner)
{
	struct hold_stats stats;

	if (!owner->hold)
		return json_null();
	hold_stats(owner->hold, &stats);
	return json_pack("{s:I,s:I,s:I,s:I,s:I,s:I,s:I,s:I,s:I,s:b,s:I,s:I}", "held_packets",
			 (json_int_t)stats.held_packets, "held_bytes", (json_int_t)stats.held_bytes,
			 "held_ever", (json_int_t)stats.held_ever, "released",
			 (json_int_t)stats.released, "refused", (json_int_t)stats.refused,
			 "send_errors", (json_int_t)stats.send_errors, "stale",
			 (json_int_t)stats.stale, "overflow",
			 (json_int_t)(stats.overflow + stats.ring_overflow), "malformed",
			 (json_int_t)stats.malformed, "realtime", (int)stats.realtime,
			 "timer_error_p50_ns", (json_int_t)spread_percentile(&stats.wake, 0.5),
			 "timer_error_p99_ns", (json_int_t)spread_percentile(&stats.wake, 0.99));
}

static const char *state_of(const struct managed_endpoint *endpoint)
{
	if (endpoint->devices)
		return "up";
	return endpoint->is_waiting ? "waiting" : "down";
}

static json_t *endpoint_json(const struct managed_endpoint *endpoint)
{
	return json_pack(
		"{s:s,s:I,s:s,s:b,s:I,s:I,s:I,s:I,s:I}", "name", endpoint->name, "endpoint",
		(json_int_t)endpoint->id, "state", state_of(endpoint), "attached",
		(int)(endpoint->devices > 0), "devices", (json_int_t)endpoint->devices,
		"reattached", (json_int_t)endpoint->reattached, "quarantined",
		(json_int_t)endpoint->quarantined, "reattach_ns", (json_int_t)endpoint->reattach_ns,
		"identify_ns", (json_int_t)endpoint->identify_ns);
}

static json_t *endpoints_json(const struct owner *owner)
{
	json_t *list = json_array();

	for (size_t i = 0; i < managed_count(owner->managed); i++)
		json_array_append_new(list, endpoint_json(managed_at(owner->managed, i)));
	return list;
}

static json_t *quarantine_json(const struct owner *owner)
{
	struct guard_stats stats;

	guard_stats(follow_guard(owner->follow), &stats);
	return json_pack("{s:I,s:I,s:I,s:I,s:I,s:I,s:I,s:I,s:I,s:I}", "now", (json_int_t)stats.held,
			 "veths", (json_int_t)stats.quarantined, "known",
			 (json_int_t)stats.identified, "foreign", (json_int_t)stats.foreign,
			 "expired", (json_int_t)stats.expired, "missed", (json_int_t)stats.missed,
			 "row_last_ns", (json_int_t)stats.row_last_ns, "row_max_ns",
			 (json_int_t)stats.row_max_ns, "program_last_ns",
			 (json_int_t)stats.program_last_ns, "program_max_ns",
			 (json_int_t)stats.program_max_ns);
}

static void handle_status(struct owner *owner, struct client *client, json_t *request)
{
	uint64_t now_ns = clock_now_ns();
	uint64_t lease_ns = programs_config(owner->programs)->lease_ns;

	reply_ok(client,
		 json_pack("{s:I,s:s,s:I,s:I,s:o,s:o,s:o,s:o,s:b}", "pid", (json_int_t)getpid(),
			   "engine", hf_engine_name(owner->with.engine), "up_ns",
			   (json_int_t)(now_ns - owner->started_ns), "lease_left_ns",
			   (json_int_t)(lease_ns > now_ns ? lease_ns - now_ns : 0), "faults",
			   faults_json(owner), "endpoints", endpoints_json(owner), "quarantine",
			   quarantine_json(owner), "hold", hold_json(owner), "tracing",
			   (int)(owner->trace.client != NULL)));
}

/* ---- heal ---- */

/* All must be there before one goes; *ret_unknown is one that is not. */
static int heal_ids(struct owner *owner, const json_t *ids, json_t *healed, json_int_t *ret_unknown)
{
	const struct fault *fault;
	json_t *id;
	size_t i;
	int r;

	json_array_foreach(ids, i, id)
	{
		fault = faultset_find(faults_live(owner->faults), (uint32_t)json_integer_value(id));
		*ret_unknown = json_integer_value(id);
		if (!fault)
			return -ENOENT;
		json_array_append_new(healed, fault_json(owner, fault));
	}
	json_array_foreach(ids, i, id)
	{
		r = faults_heal(owner->faults, (uint32_t)json_integer_value(id));
		if (r < 0 && r != -ENOENT) /* -ENOENT: the same id twice */
			return r;
	}
	return 0;
}

static void handle_heal(struct owner *owner, struct client *client, json_t *request)
{
	const json_t *ids = json_object_get(request, "ids");
	bool dry_run = json_is_true(json_object_get(request, "dry_run"));
	_cleanup_(json_decrefp) json_t *healed = NULL;
	json_int_t unknown = 0;
	char error[96];
	int r = 0;

	if (ids && !json_is_array(ids))
		return reply_error(client, true, "ids are a list");
	if (!dry_run && json_array_size(ids)) {
		healed = json_array();
		r = heal_ids(owner, ids, healed, &unknown);
	} else {
		healed = faults_json(owner);
		r = dry_run ? 0 : faults_heal_all(owner->faults);
	}
	if (r < 0) {
		snprintf(error, sizeof(error),
			 "no fault has the id %" JSON_INTEGER_FORMAT " (see: hopfault status)",
			 unknown);
		return reply_error(client, r == -ENOENT, r == -ENOENT ? error : strerror(-r));
	}
	reply_ok(client, json_pack("{s:O}", "healed", healed));
}

static void handle_trace(struct owner *owner, struct client *client, json_t *request)
{
	session_begin(owner, client, request);
}

static void handle_trace_stop(struct owner *owner, struct client *client, json_t *request)
{
	if (owner->trace.client == client)
		session_finish(owner);
	else
		reply_error(client, true, "no trace of yours is running");
}

static void handle_stop(struct owner *owner, struct client *client, json_t *request)
{
	owner->is_ending = true; /* when the answer is out, see client_gone() */
	reply_ok(client, json_pack("{s:I}", "pid", (json_int_t)getpid()));
}

static const struct {
	const char *command;
	void (*handle)(struct owner *owner, struct client *client, json_t *request);
} requests[] = {
	{ "add", handle_add },	   { "partition", handle_partition },
	{ "heal", handle_heal },   { "status", handle_status },
	{ "trace", handle_trace }, { "trace-stop", handle_trace_stop },
	{ "stop", handle_stop },
};

static bool is_same_build(const json_t *request)
{
	const char *theirs = json_string_value(json_object_get(request, "build"));
	char ours[WIRE_BUILD_MAX];

	wire_build(ours);
	return theirs && strcmp(theirs, ours) == 0;
}

/* The engine is the owner's, for its whole life. */
static bool is_same_engine(const struct owner *owner, const json_t *request)
{
	const char *wanted = json_string_value(json_object_get(request, "delay_engine"));

	return !wanted || strcmp(wanted, hf_engine_name(owner->with.engine)) == 0;
}

static void answer(struct owner *owner, struct client *client, json_t *request)
{
	const char *command = json_string_value(json_object_get(request, "command"));

	if (!is_same_build(request) && !(command && strcmp(command, "stop") == 0))
		return reply_error(client, false,
				   "the running owner is of another version: stop it with: "
				   "hopfault daemon --stop");
	if (!is_same_engine(owner, request))
		return reply_error(client, false,
				   "the running owner delays by another engine: stop it with: "
				   "hopfault daemon --stop");
	for (size_t i = 0; command && i < ARRAY_SIZE(requests); i++)
		if (strcmp(command, requests[i].command) == 0)
			return requests[i].handle(owner, client, request);
	reply_error(client, true, "no such request");
}

/* However many names a request has, engines that hang do not keep the owner for longer than this. */
#define REQUEST_ENGINES_WAIT_NS (8 * CLOCK_SECOND_NS)

static bool take_address(const json_t *request, const char *key, char *ret_address)
{
	const json_t *value = json_object_get(request, key);
	const char *address = json_string_value(value);

	if (!value)
		return true;
	if (!address || json_string_length(value) > ENDPOINT_SOCKET_MAX)
		return false;
	strcpy(ret_address, address);
	return true;
}

/* Where engines are asked is the client's choice; what can be wrong with a path is told when somebody asks there. */
static bool use_sockets(struct owner *owner, const json_t *request)
{
	struct endpoint_sockets sockets = { .deadline_ns =
						    clock_now_ns() + REQUEST_ENGINES_WAIT_NS };

	if (!take_address(request, "docker_socket", sockets.docker) ||
	    !take_address(request, "podman_socket", sockets.podman))
		return false;
	managed_use_sockets(owner->managed, &sockets);
	return true;
}

static bool use_caller(struct owner *owner, const json_t *request)
{
	struct caller caller;

	if (caller_read(request, &caller) < 0)
		return false;
	faults_use_caller(owner->faults, &caller);
	return true;
}

void requests_handle(void *ctx, struct client *client, json_t *request)
{
	struct owner *owner = ctx;

	owner->busy_ns = clock_now_ns();
	if (!use_sockets(owner, request))
		return reply_error(client, true, "the path of an engine's socket makes no sense");
	if (!use_caller(owner, request))
		return reply_error(client, true, "the caller's sessions make no sense");
	answer(owner, client, request);
	managed_let_go(owner->managed);
	follow_update(owner->follow);
}
