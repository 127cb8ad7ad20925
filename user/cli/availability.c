/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * availability.c - `hopfault availability FILE.yaml`: how available a system can be, given what its parts claim, and what
 * to do about it. It reads files: no owner, no root, no kernel.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "availability/assessment.h"
#include "base/cleanup.h"
#include "base/log.h"
#include "base/suggest.h"
#include "cli/command.h"

#define SAMPLES	    200000
#define SAMPLES_MAX 1000000000
#define TOP	    10

struct availability_options {
	bool help;
	bool json;
	const char *csv;
	const char *from;
	const char *run;
	uint64_t samples;
	uint64_t seed;
	uint64_t top;
};

static const struct option_row availability_rows[] = {
	COMMAND_HELP_ROW(struct availability_options),
	{ .name = "from",
	  .value = "HOPS.CSV",
	  .help = "measured beside claimed, and advice by both: what `hopfault trace --csv` wrote",
	  .kind = OPTION_TEXT,
	  OPTION_INTO(struct availability_options, from) },
	{ .name = "run",
	  .value = "NAME",
	  .help = "which run of that file, when it has several",
	  .kind = OPTION_TEXT,
	  OPTION_INTO(struct availability_options, run) },
	{ .name = "samples",
	  .value = "N",
	  .help = "of the simulation beside the exact figure; 0: none (200000, or what takes some "
		  "seconds)",
	  .kind = OPTION_COUNT,
	  .max = SAMPLES_MAX,
	  OPTION_INTO(struct availability_options, samples) },
	{ .name = "seed",
	  .value = "N",
	  .help = "of the simulation: the same seed, the same figure (1)",
	  .kind = OPTION_COUNT,
	  .max = INT64_MAX,
	  OPTION_INTO(struct availability_options, seed) },
	{ .name = "top",
	  .value = "N",
	  .help = "so many rows of each ranking; 0: all (10)",
	  .kind = OPTION_COUNT,
	  .max = 100000,
	  OPTION_INTO(struct availability_options, top) },
	{ .name = "csv",
	  .value = "FILE",
	  .help = "write all figures, a row each",
	  .kind = OPTION_TEXT,
	  OPTION_INTO(struct availability_options, csv) },
	{ .name = "json",
	  .help = "print JSON",
	  .kind = OPTION_FLAG,
	  OPTION_INTO(struct availability_options, json) },
	{}
};

static int fail_to_compute(const char *path, int r)
{
	if (r == -E2BIG)
		log_err(r,
			"availability: %s needs more than %u decision nodes or %llu steps: so "
			"entangled a "
			"graph is not computed exactly. Fewer redundant groups that share services "
			"need fewer",
			path, BDD_NODES_MAX, (unsigned long long)BDD_STEPS_MAX);
	else
		log_err(r, "availability: %s", strerror(-r));
	return EXIT_FAILED;
}

/* ---- measured ---- */

static int several_runs(const struct measured *measured, const char *path)
{
	char list[512] = "";
	size_t used = 0;

	for (unsigned int i = 0; i < measured->runs && used < sizeof(list); i++)
		used += (size_t)snprintf(list + used, sizeof(list) - used, "%s %s", i ? "," : "",
					 measured->run[i]);
	log_err(0, "availability: %s has several runs; --run names one of:%s", path, list);
	return EXIT_MISUSED;
}

static int no_such_run(const struct measured *measured, const struct availability_options *options)
{
	char near[256];

	log_err(0, "availability: --run: '%s' is no run of %s%s", options->run, options->from,
		suggest_phrase(near, sizeof(near), options->run, (const char *const *)measured->run,
			       measured->runs));
	return EXIT_MISUSED;
}

static int read_measured(const struct model *model, const struct availability_options *options,
			 struct measured *ret_measured)
{
	char error[EXPORT_ERROR_MAX];
	int r = measured_read(model, options->from, options->run, ret_measured, error);

	if (r == -EINVAL && options->run)
		return no_such_run(ret_measured, options);
	if (r < 0) {
		log_err(r, "availability: --from %s", error);
		return EXIT_FAILED;
	}
	if (!options->run && ret_measured->runs > 1)
		return several_runs(ret_measured, options->from);
	if (ret_measured->hops == 0) {
		log_err(0,
			"availability: %s holds no call between services of the model (it has "
			"calls of '%s'); "
			"`endpoints: [...]` of a service says its names in a trace",
			options->from, ret_measured->foreign_name);
		return EXIT_FAILED;
	}
	if (ret_measured->foreign)
		log_warn("%llu calls of %s are of no hop of the model, of '%s' for example",
			 (unsigned long long)ret_measured->foreign, options->from,
			 ret_measured->foreign_name);
	return EXIT_DONE;
}

/* ---- printing ---- */

static int write_csv(const struct assessment *assessment, const char *path)
{
	FILE *out = strcmp(path, "-") == 0 ? stdout : fopen(path, "we");
	int r;

	if (!out) {
		log_err(0, "availability: --csv %s: %s", path, strerror(errno));
		return EXIT_FAILED;
	}
	r = assessment_write_csv(assessment, out);
	if (out != stdout && fclose(out) != 0 && r == 0)
		r = -errno;
	if (r < 0) {
		log_err(r, "availability: --csv %s: %s", path, strerror(-r));
		return EXIT_FAILED;
	}
	return EXIT_DONE;
}

static int print(const struct assessment *assessment, const struct availability_options *options)
{
	int r = options->json ? assessment_print_json(assessment, stdout)
			      : assessment_print(assessment, (unsigned int)options->top, stdout);

	if (r < 0) {
		log_err(r, "availability: it can't be printed: %s", strerror(-r));
		return EXIT_FAILED;
	}
	return EXIT_DONE;
}

static int show(const struct assessment *assessment, const struct availability_options *options)
{
	bool csv_is_all = options->csv && strcmp(options->csv, "-") == 0;
	int status = csv_is_all ? EXIT_DONE : print(assessment, options);

	return status == EXIT_DONE && options->csv ? write_csv(assessment, options->csv) : status;
}

static void warn_of_unreached(const struct model *model, const struct assessment *assessment)
{
	for (unsigned int i = 0; i < model->parts; i++)
		if (!system_reaches(assessment->system, i))
			log_warn("%s (line %u) is not reached from %s and counts for nothing",
				 model->part[i].name, model->part[i].line,
				 model->part[model->entry].name);
}

static int compute(const char *path, const struct model *model,
		   const struct availability_options *options)
{
	_cleanup_(measured_done) struct measured measured = {};
	_cleanup_(assessment_done) struct assessment assessment = {};
	uint64_t samples = options->samples;
	int status, r;

	if (samples == UINT64_MAX)
		samples = assessment_samples(model, SAMPLES);
	r = assessment_make(model, samples, options->seed, &assessment);
	if (r < 0)
		return fail_to_compute(path, r);
	warn_of_unreached(model, &assessment);
	if (options->from) {
		status = read_measured(model, options, &measured);
		if (status != EXIT_DONE)
			return status;
		r = assessment_add_measured(&assessment, &measured);
		if (r < 0)
			return fail_to_compute(path, r);
	}
	return show(&assessment, options);
}

static int run_availability(const struct command *command, int argc, char **argv)
{
	struct availability_options options = { .samples = UINT64_MAX, .seed = 1, .top = TOP };
	_cleanup_(options_words_done) struct options_words words = {};
	_cleanup_(model_freep) struct model *model = NULL;
	char error[MODEL_ERROR_MAX];
	int status, r;

	status = command_parse(command, argc, argv, &options, &words);
	if (status != EXIT_DONE || options.help)
		return status;
	if (words.count != 1 || words.command) {
		log_err(0, "availability: say which file");
		fprintf(stderr, "usage: hopfault %s %s\n", command->name, command->usage);
		return EXIT_MISUSED;
	}
	if (options.run && !options.from) {
		log_err(0, "availability: --run is of a trace: say --from too");
		return EXIT_MISUSED;
	}
	r = model_read(words.word[0], &model, error);
	if (r < 0) {
		log_err(r, "availability: %s", error);
		return r == -EINVAL || r == -E2BIG ? EXIT_MISUSED : EXIT_FAILED;
	}
	return compute(words.word[0], model, &options);
}

const struct command command_availability = {
	.name = "availability",
	.usage = "FILE.yaml [--from HOPS.CSV [--run NAME]] [--csv FILE] [--json]",
	.summary = "the mathematics of a critical path, claimed or measured",
	.details =
		"FILE says which services there are, what each of them claims, and whom they "
		"call:\n"
		"\n"
		"  system: shop\n"
		"  entry: gateway                 # what its users call\n"
		"  slo: { availability: 99.9%, latency: 200ms }\n"
		"  services:\n"
		"    - name: gateway\n"
		"      availability: 99.95%       # or 0.9995; a bare 99.95 is refused\n"
		"      latency: 2ms               # of its own work\n"
		"      calls:                     # one after the other\n"
		"        - auth                   # needed: when it fails, so does gateway\n"
		"        - { to: ads, optional: true, parallel: extras }\n"
		"        - { to: stores, latency: 1ms, availability: 99.99%, parallel: extras }\n"
		"    - { name: auth, availability: 99.9%, replicas: 3, need: 2 }\n"
		"    - { name: ads, availability: 98% }\n"
		"    - { name: db1, availability: 99.5%, endpoints: [shop-db-1] }\n"
		"    - { name: db2, availability: 99.5% }\n"
		"  groups:\n"
		"    - { name: stores, need: 1, of: [db1, db2] }\n"
		"\n"
		"Whatever has an availability fails independently of all else, and is the same "
		"one\n"
		"wherever it is reached from. What fails together is a service that both call.\n"
		"Exact by a binary decision diagram; checked by a simulation. Root is not "
		"needed.\n",
	.options = availability_rows,
	.run = run_availability,
};
