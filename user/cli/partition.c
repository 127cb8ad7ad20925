/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * partition.c - `hopfault partition GROUP GROUP...`: cut all links between groups, in one instant.
 */
#include "base/cleanup.h"
#include "base/log.h"
#include "cli/ask.h"
#include "cli/command.h"
#include "cli/impose.h"
#include "fault/grudge.h"
#include "fault/partition.h"

struct partition_options {
	bool help;
	struct command_sockets sockets;
	bool dry_run;
	bool json;
	int grudge; /* index in grudge_words; -1: none */
	const char *isolate;
	bool in_order;
};

static const struct option_row partition_rows[] = {
	COMMAND_HELP_ROW(struct partition_options),
	{ .name = "grudge",
	  .letter = 'g',
	  .value = "PATTERN",
	  .help = "cut by a pattern among all names: halves, one, majority, majorities-ring or "
		  "bridge",
	  .kind = OPTION_CHOICE,
	  .choices = grudge_words,
	  OPTION_INTO(struct partition_options, grudge) },
	{ .name = "isolate",
	  .value = "NAME",
	  .help = "with --grudge one: whom (else chance decides)",
	  .kind = OPTION_TEXT,
	  OPTION_INTO(struct partition_options, isolate) },
	{ .name = "in-order",
	  .help = "with --grudge: no chance, names are taken as they are written: the first half "
		  "against the second, and a bridge stands in the middle",
	  .kind = OPTION_FLAG,
	  OPTION_INTO(struct partition_options, in_order) },
	{ .name = "dry-run",
	  .help = "say what would be done, and do nothing",
	  .kind = OPTION_FLAG,
	  OPTION_INTO(struct partition_options, dry_run) },
	{ .name = "json",
	  .help = "print JSON",
	  .kind = OPTION_FLAG,
	  OPTION_INTO(struct partition_options, json) },
	COMMAND_SOCKET_ROWS(struct partition_options, sockets),
	{}
};

static int check_words(const struct options_words *words, bool with_grudge)
{
	char text[RULE_ERROR_TEXT_MAX];
	struct partition_request request;
	struct rule_error error = {};

	if (partition_parse((int)words->count, words->word, with_grudge, &request, &error) == 0)
		return EXIT_DONE;
	if (error.index < words->count)
		error.position = words->position[error.index];
	log_err(0, "%s", rule_error_text(&error, text, sizeof(text)));
	return EXIT_MISUSED;
}

static int check_pattern(const struct partition_options *options)
{
	const char *alone = options->isolate	? "--isolate"
			    : options->in_order ? "--in-order"
						: NULL;

	if (options->grudge >= 0 || !alone)
		return EXIT_DONE;
	log_err(0, "%s is about a pattern: say which with --grudge", alone);
	return EXIT_MISUSED;
}

static json_t *make_request(const struct partition_options *options,
			    const struct options_words *words)
{
	json_t *request = ask_request("partition");

	ask_set_sockets(request, options->sockets.docker, options->sockets.podman);
	impose_set_words(request, words->word, words->count);
	if (options->grudge >= 0)
		json_object_set_new(request, "grudge", json_string(grudge_words[options->grudge]));
	if (options->isolate)
		json_object_set_new(request, "isolate", json_string(options->isolate));
	if (options->in_order)
		json_object_set_new(request, "in_order", json_true());
	return request;
}

static int run_partition(const struct command *command, int argc, char **argv)
{
	_cleanup_(options_words_done) struct options_words words = {};
	struct partition_options options = { .grudge = -1 };
	struct impose request = {};
	int status;

	status = command_parse(command, argc, argv, &options, &words);
	if (status != EXIT_DONE || options.help)
		return status;
	status = command_check_sockets(&options.sockets);
	if (status == EXIT_DONE)
		status = check_pattern(&options);
	if (status == EXIT_DONE)
		status = check_words(&words, options.grudge >= 0);
	if (status == EXIT_DONE)
		status = command_needs_root(command);
	if (status != EXIT_DONE)
		return status;
	request = (struct impose){
		.request = make_request(&options, &words),
		.command = words.command,
		.is_partition = true,
		.dry_run = options.dry_run,
		.json = options.json,
	};
	return impose(&request);
}

const struct command command_partition = {
	.name = "partition",
	.usage = "GROUP GROUP... [oneway] [net NAME] [for TIME] [when up] [force] [-- COMMAND...]",
	.summary = "cut all links between groups, in one instant",
	.details =
		"  GROUP     names joined by commas; inside a group everybody still talks. A "
		"compose\n"
		"            service (web, shop/web), label:KEY=VALUE and ~EXPRESSION mean as "
		"many\n"
		"            containers as there are. host and world (see: hopfault help add) "
		"stand "
		"alone\n"
		"  oneway    only what the first group sends to the others is dropped\n"
		"  net NAME  on that network alone (see: hopfault ps); else on every network that "
		"is shared\n"
		"  for TIME  then it ends by itself, also if hopfault is killed (10m unless said)\n"
		"  when up   names that nobody has yet are waited for\n"
		"  force     also when it ends the SSH connection that this command is typed over\n"
		"\n"
		"Connections that stand are cut as well, and go on after the heal. Address "
		"resolution\n"
		"passes, so that a one-way cut stays one. Examples:\n"
		"  hopfault partition c d\n"
		"  hopfault partition a,b c,d,e for 30s\n"
		"  hopfault partition web,db cache\n"
		"  hopfault partition web world for 1m\n"
		"  hopfault partition web db when up\n"
		"  hopfault partition --grudge majorities-ring a b c d e\n"
		"  hopfault partition --grudge bridge --in-order a b bridge c d\n",
	.options = partition_rows,
	.run = run_partition,
};
