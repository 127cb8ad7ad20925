/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * impose.h - what `add` and `partition` have in common: ask for a fault, say what came of it, and with `-- COMMAND`
 * keep it while the command runs.
 */
#ifndef HF_CLI_IMPOSE_H
#define HF_CLI_IMPOSE_H

#include <jansson.h>
#include <stdbool.h>

struct impose {
	json_t *request; /* taken over */
	char **command; /* NULL: none */
	bool is_partition;
	bool dry_run;
	bool json;
};

/* The words of argv as the request's "words". */
void impose_set_words(json_t *request, char **word, unsigned int count);

/* Returns the exit status: that of the command, if there is one. */
int impose(struct impose *impose);

#endif
