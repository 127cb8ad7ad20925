/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * check.c - `hopfault check`: what this kernel can do, which delay engine will be used and why.
 */
#include <jansson.h>
#include <stdio.h>

#include "base/cleanup.h"
#include "base/table.h"
#include "cli/ask.h"
#include "cli/command.h"
#include "link/probe.h"

struct check_options {
	bool help;
	bool json;
};

static const struct option_row check_rows[] = { COMMAND_HELP_ROW(struct check_options),
						{ .name = "json",
						  .help = "print JSON",
						  .kind = OPTION_FLAG,
						  OPTION_INTO(struct check_options, json) },
						{} };

static const char *engine_reason(const struct probe *probe)
{
	switch (probe_best_engine(probe)) {
	case HF_ENGINE_HOLD:
		return probe_has_engine(probe, HF_ENGINE_FQ)
			       ? "a held packet is judged again when it is let go (fq can't; "
				 "--delay-engine fq "
				 "has it)"
			       : "the daemon holds packets, by a TAP device; there is no sch_fq "
				 "here";
	case HF_ENGINE_FQ:
		return "there is no TUN/TAP here; what waits in an fq crosses a cut that falls "
		       "meanwhile";
	default:
		return "neither sch_fq nor TUN/TAP is here: delays are refused, loss and drop work";
	}
}

static json_t *check_json(const struct probe *probe)
{
	struct probe_feature row[PROBE_FEATURES_MAX];
	unsigned int rows = probe_features(probe, row);
	json_t *features = json_array();

	for (unsigned int i = 0; i < rows; i++)
		json_array_append_new(features,
				      json_pack("{s:s,s:b,s:s,s:s}", "name", row[i].name, "there",
						(int)row[i].is_there, "serves", row[i].serves,
						"without", row[i].without));
	return json_pack("{s:s,s:o,s:b,s:b,s:s,s:s}", "kernel", probe->release, "features",
			 features, "faults", (int)probe_can_attach(probe), "tracing",
			 (int)probe_can_trace(probe), "delay_engine",
			 hf_engine_name(probe_best_engine(probe)), "delay_engine_reason",
			 engine_reason(probe));
}

static int print_features(const struct probe *probe)
{
	static const struct table_column columns[] = {
		{ .header = "FEATURE" },
		{ .header = "HERE" },
		{ .header = "SERVES, OR WHAT ITS ABSENCE COSTS", .shrinks = true },
	};
	struct probe_feature row[PROBE_FEATURES_MAX];
	unsigned int rows = probe_features(probe, row);
	_cleanup_(table_freep) struct table *table = table_new(columns, ARRAY_SIZE(columns), 80);

	for (unsigned int i = 0; i < rows; i++) {
		table_cell(table, "%s", row[i].name);
		table_cell(table, "%s", row[i].is_there ? "yes" : "no");
		table_cell(table, "%s", row[i].is_there ? row[i].serves : row[i].without);
	}
	return table_print(table, stdout);
}

static int run_check(const struct command *command, int argc, char **argv)
{
	_cleanup_(options_words_done) struct options_words words = {};
	struct check_options options = {};
	struct probe probe;
	int status;

	status = command_parse(command, argc, argv, &options, &words);
	if (status != EXIT_DONE || options.help)
		return status;
	status = command_needs_root(command);
	if (status != EXIT_DONE)
		return status;
	probe_kernel(&probe);
	if (options.json) {
		_cleanup_(json_decrefp) json_t *value = check_json(&probe);

		ask_print_json(value);
	} else {
		printf("Linux %s\n\n", probe.release);
		print_features(&probe);
		printf("\nfaults        %s\n", probe_can_attach(&probe) ? "yes" : "no");
		printf("delay engine  %s: %s\n", hf_engine_name(probe_best_engine(&probe)),
		       engine_reason(&probe));
		printf("tracing       %s\n", probe_can_trace(&probe) ? "yes" : "no");
	}
	return probe_can_attach(&probe) ? EXIT_DONE : EXIT_FAILED;
}

const struct command command_check = {
	.name = "check",
	.usage = "[--json]",
	.summary = "what this kernel can do, and which delay engine will be used",
	.options = check_rows,
	.run = run_check,
};
