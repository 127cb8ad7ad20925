/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * heal.c - `hopfault heal [ID...|all]`: faults end, and say what they did.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/log.h"
#include "base/text.h"
#include "base/units.h"
#include "cli/ask.h"
#include "cli/command.h"

struct heal_options {
	bool help;
	bool dry_run;
	bool json;
};

static const struct option_row heal_rows[] = { COMMAND_HELP_ROW(struct heal_options),
					       { .name = "dry-run",
						 .help = "say what would be healed, and do nothing",
						 .kind = OPTION_FLAG,
						 OPTION_INTO(struct heal_options, dry_run) },
					       { .name = "json",
						 .help = "print JSON",
						 .kind = OPTION_FLAG,
						 OPTION_INTO(struct heal_options, json) },
					       {} };

/* No word, or `all`: everything. */
static int parse_ids(const struct options_words *words, json_t *ids)
{
	const char *reason;
	uint64_t id;

	if (words->count == 1 && strcmp(words->word[0], "all") == 0)
		return EXIT_DONE;
	for (unsigned int i = 0; i < words->count; i++) {
		if (units_parse_count(words->word[i], 1, UINT32_MAX, &id, &reason) < 0) {
			log_err(0, "'%s' (word %u): %s: an ID from `hopfault status`, or `all`",
				words->word[i], words->position[i], reason);
			return EXIT_MISUSED;
		}
		json_array_append_new(ids, json_integer((json_int_t)id));
	}
	return EXIT_DONE;
}

static json_int_t count_of(const json_t *fault, const char *name)
{
	return json_integer_value(json_object_get(json_object_get(fault, "counts"), name));
}

static void print_healed(const json_t *fault, bool dry_run)
{
	char matched[UNITS_TEXT_MAX], dropped[UNITS_TEXT_MAX], delayed[UNITS_TEXT_MAX];
	const char *kind = json_string_value(json_object_get(fault, "kind"));
	bool is_partition = kind && strcmp(kind, "partition") == 0;

	printf("%s fault %" JSON_INTEGER_FORMAT ": %s", dry_run ? "would heal" : "healed",
	       json_integer_value(json_object_get(fault, "id")), is_partition ? "partition " : "");
	text_write_terminal(stdout, json_string_value(json_object_get(fault, "text")));
	if (count_of(fault, "matched") == 0)
		printf("; it matched no packet\n");
	else
		printf("; packets matched %s, dropped %s, delayed %s\n",
		       units_format_count(matched, (uint64_t)count_of(fault, "matched")),
		       units_format_count(dropped, (uint64_t)count_of(fault, "dropped")),
		       units_format_count(delayed, (uint64_t)count_of(fault, "delayed")));
}

static void print_all(const json_t *reply, bool dry_run)
{
	const json_t *healed = json_object_get(reply, "healed");
	json_t *fault;
	size_t i;

	json_array_foreach(healed, i, fault) print_healed(fault, dry_run);
	if (json_array_size(healed) == 0)
		puts("no fault is in force");
}

static int run_heal(const struct command *command, int argc, char **argv)
{
	_cleanup_(options_words_done) struct options_words words = {};
	_cleanup_(json_decrefp) json_t *reply = NULL, *ids = json_array();
	_cleanup_(closep) int fd = -1;
	struct heal_options options = {};
	json_t *request;
	int status;

	status = command_parse(command, argc, argv, &options, &words);
	if (status != EXIT_DONE || options.help)
		return status;
	status = parse_ids(&words, ids);
	if (status == EXIT_DONE)
		status = command_needs_root(command);
	if (status != EXIT_DONE)
		return status;
	if (ask_connect(false, &fd) < 0) {
		puts("no fault is in force: no owner is running");
		return json_array_size(ids) ? EXIT_MISUSED : EXIT_DONE;
	}
	request = ask_request("heal");
	json_object_set(request, "ids", ids);
	json_object_set_new(request, "dry_run", json_boolean(options.dry_run));
	status = ask_send(fd, request, &reply);
	if (status != EXIT_DONE)
		return status;
	ask_note_done(reply);
	if (options.json)
		return ask_print_json(reply);
	print_all(reply, options.dry_run);
	return EXIT_DONE;
}

const struct command command_heal = {
	.name = "heal",
	.usage = "[ID...|all]",
	.summary = "end faults; all of them unless ids are given",
	.options = heal_rows,
	.run = run_heal,
};
