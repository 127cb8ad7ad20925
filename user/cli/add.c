/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * add.c - `hopfault add SRC DST EFFECT...`: one rule on the links from SRC to DST.
 */
#include "base/cleanup.h"
#include "base/log.h"
#include "cli/ask.h"
#include "cli/command.h"
#include "cli/impose.h"
#include "fault/rule.h"

struct add_options {
	bool help;
	struct command_sockets sockets;
	bool dry_run;
	bool json;
};

static const struct option_row add_rows[] = { COMMAND_HELP_ROW(struct add_options),
					      { .name = "dry-run",
						.help = "say what would be done, and do nothing",
						.kind = OPTION_FLAG,
						OPTION_INTO(struct add_options, dry_run) },
					      { .name = "json",
						.help = "print JSON",
						.kind = OPTION_FLAG,
						OPTION_INTO(struct add_options, json) },
					      COMMAND_SOCKET_ROWS(struct add_options, sockets),
					      {} };

/* The same parser as the owner's: a typing mistake is told before anything is started. */
static int check_words(const struct options_words *words)
{
	char text[RULE_ERROR_TEXT_MAX];
	struct rule_request request;
	struct rule_error error = {};

	if (rule_parse((int)words->count, words->word, &request, &error) == 0)
		return EXIT_DONE;
	if (error.index < words->count)
		error.position = words->position[error.index];
	log_err(0, "%s", rule_error_text(&error, text, sizeof(text)));
	return EXIT_MISUSED;
}

static int run_add(const struct command *command, int argc, char **argv)
{
	_cleanup_(options_words_done) struct options_words words = {};
	struct add_options options = {};
	struct impose request = {};
	int status;

	status = command_parse(command, argc, argv, &options, &words);
	if (status != EXIT_DONE || options.help)
		return status;
	status = command_check_sockets(&options.sockets);
	if (status == EXIT_DONE)
		status = check_words(&words);
	if (status == EXIT_DONE)
		status = command_needs_root(command);
	if (status != EXIT_DONE)
		return status;
	request = (struct impose){
		.request = ask_request("add"),
		.command = words.command,
		.dry_run = options.dry_run,
		.json = options.json,
	};
	ask_set_sockets(request.request, options.sockets.docker, options.sockets.podman);
	impose_set_words(request.request, words.word, words.count);
	return impose(&request);
}

const struct command command_add = {
	.name = "add",
	.usage = "SRC DST EFFECT... [MATCH] [net NAME] [both] [for TIME] [seed N] [when up] "
		 "[force] [-- "
		 "COMMAND...]",
	.summary = "put a fault on the links from SRC to DST",
	.details =
		"  SRC, DST  names joined by commas: containers, compose services (web, "
		"shop/web),\n"
		"            label:KEY=VALUE, ~EXPRESSION for the whole name; docker:NAME, "
		"netns:NAME,\n"
		"            lab:NAME or pid:N when a bare name could be several things (see: "
		"hopfault ps)\n"
		"            host: the network stack that the veths end in; world: addresses "
		"beyond "
		"it,\n"
		"            on no network of containers\n"
		"            A published port is host where docker-proxy carries it, else world; "
		"to "
		"\n"
		"            Docker's DNS, 127.0.0.11, and within a container no link is crossed\n"
		"  EFFECT    delay TIME [JITTER]   later, by TIME; uniform in "
		"TIME-JITTER..TIME+JITTER\n"
		"            loss PERCENT          some packets never arrive, at random\n"
		"            drop                  no packet arrives\n"
		"  MATCH     proto tcp|udp|icmp|arp|nd   port 80,8000-8080   sport LIST\n"
		"            share PERCENT         of connections, by hash: one keeps its fate\n"
		"  net NAME  on that network alone, of the engine or a bridge (see: hopfault ps); "
		"else on\n"
		"            every network that the two share\n"
		"  both      from DST to SRC as well\n"
		"  for TIME  then it ends by itself, also if hopfault is killed (10m unless said)\n"
		"  seed N    the same packets meet the same fate again\n"
		"  when up   names that nobody has yet are waited for\n"
		"  force     also when it ends the SSH connection that this command is typed over\n"
		"\n"
		"With -- COMMAND the fault lives while the command runs, and the exit status is "
		"the\n"
		"command's. Examples:\n"
		"  hopfault add a b delay 5ms\n"
		"  hopfault add a b loss 1% port 8080 for 30s seed 7\n"
		"  hopfault add web '~db-.*' loss 2%   (web scaled to 3: all of them)\n"
		"  hopfault add a,b c drop both -- curl http://10.83.0.2:8080/\n",
	.options = add_rows,
	.run = run_add,
};
