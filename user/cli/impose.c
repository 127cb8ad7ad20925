/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * impose.c - see impose.h.
 */
#include "cli/impose.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/log.h"
#include "base/text.h"
#include "base/units.h"
#include "cli/ask.h"
#include "cli/child.h"
#include "cli/command.h"
#include "cli/session.h"

void impose_set_words(json_t *request, char **word, unsigned int count)
{
	json_t *words = json_array();

	for (unsigned int i = 0; i < count; i++)
		json_array_append_new(words, json_string(word[i]));
	json_object_set_new(request, "words", words);
}

/* "web: 3 endpoints (web-1, web-2, web-3); 6 links" */
static void say_links(const json_t *reply)
{
	json_int_t links = json_integer_value(json_object_get(reply, "links"));
	const char *meant = json_string_value(json_object_get(reply, "meant"));

	if (meant && meant[0]) {
		text_write_terminal(stdout, meant);
		printf("; ");
	}
	printf("%" JSON_INTEGER_FORMAT " link%s", links, links == 1 ? "" : "s");
}

static void say_done(const struct impose *impose, const json_t *reply)
{
	const char *notice = json_string_value(json_object_get(reply, "notice"));

	if (impose->dry_run) {
		printf("would act on ");
		say_links(reply);
		printf("; nothing was changed\n");
		return;
	}
	printf("fault %" JSON_INTEGER_FORMAT ": %s",
	       json_integer_value(json_object_get(reply, "id")),
	       impose->is_partition ? "partition " : "");
	text_write_terminal(stdout, json_string_value(json_object_get(reply, "text")));
	printf(" (");
	say_links(reply);
	printf(")\n");
	if (notice && notice[0])
		log_warn("%s", notice);
}

/* NULL: the owner has healed it already. That is no error, so nothing is said. */
static json_t *ask_to_heal(json_int_t id)
{
	_cleanup_(json_decrefp) json_t *request = ask_request("heal");
	_cleanup_(freep) char *payload = NULL;
	_cleanup_(closep) int fd = -1;
	enum wire_kind kind;
	size_t length;

	json_object_set_new(request, "ids", json_pack("[I]", id));
	if (ask_connect(false, &fd) < 0 || wire_send_json(fd, WIRE_REQUEST, request) < 0 ||
	    wire_receive(fd, &kind, &payload, &length) < 0)
		return NULL;
	return json_loadb(payload, length, 0, NULL);
}

/*
 * The owner heals it as well, when the command's process ends; whoever is first has the last word on what it did.
 */
static void heal(json_int_t id)
{
	_cleanup_(json_decrefp) json_t *reply = ask_to_heal(id);
	json_t *healed = json_array_get(json_object_get(reply, "healed"), 0), *counts;

	if (!healed)
		return;
	counts = json_object_get(healed, "counts");
	if (json_integer_value(json_object_get(counts, "matched")) == 0)
		log_warn("the fault matched no packet while the command ran");
}

int impose(struct impose *impose)
{
	_cleanup_(json_decrefp) json_t *reply = NULL;
	struct child child = CHILD_NONE;
	json_int_t id;
	int status;

	sessions_add(impose->request);
	json_object_set_new(impose->request, "dry_run", json_boolean(impose->dry_run));
	if (impose->command && !impose->dry_run) {
		if (child_prepare(impose->command, 0, &child) < 0) {
			json_decref(impose->request);
			log_err(0, "cannot start a process");
			return EXIT_FAILED;
		}
		json_object_set_new(impose->request, "pid", json_integer(child.pid));
	}
	status = ask(true, impose->request, &reply);
	if (status != EXIT_DONE) {
		child_cancel(&child);
		return status;
	}
	ask_note_done(reply);
	if (impose->json)
		ask_print_json(reply);
	else if (!child.pid)
		say_done(impose, reply);
	if (!child.pid)
		return EXIT_DONE;
	id = json_integer_value(json_object_get(reply, "id"));
	child_go(&child);
	status = child_wait(&child);
	heal(id);
	return status;
}
