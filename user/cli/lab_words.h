/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * lab_words.h - what was said to `hopfault lab`; lab.c makes and unmakes, lab_load.c sends and counts.
 */
#ifndef HF_CLI_LAB_WORDS_H
#define HF_CLI_LAB_WORDS_H

#include "lab/lab.h"

#define LAB_SETTINGS_MAX 64

struct lab_settings { /* of single services, as given by --service and --replicas */
	size_t count;
	struct lab_setting setting[LAB_SETTINGS_MAX];
	char name[LAB_SETTINGS_MAX][LAB_NAME_MAX + 1];
};

struct lab_words {
	bool help;
	/* up */
	bool replace;
	uint64_t services;
	uint64_t monolith;
	const char *mode;
	const char *keep_alive;
	const char *work;
	const char *answer_size;
	uint64_t timeout_ns;
	struct lab_settings settings;
	/* kill, start */
	const char *node;
	/* load, counts */
	const char *from;
	const char *to;
	uint64_t requests;
	uint64_t connections;
	uint64_t rate;
	uint64_t warmup;
	uint64_t for_ns;
	uint64_t request_timeout_ns;
	const char *path;
	const char *csv;
	const char *times;
	const char *timeline;
	uint64_t every_ns;
	bool count;
	bool fail_on_error;
};

/* Each returns an exit status. */
int lab_run_load(const struct lab_words *words);
int lab_run_counts(const struct lab_words *words);

#endif
