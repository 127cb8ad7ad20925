/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * fuzz_cgroup.c - any bytes as /proc/PID/cgroup, and as the word for an endpoint: nothing crashes, an id is an id, a unit has
 * its end, a word that is taken is printable.
 *
 *     build/fuzz_cgroup -max_total_time=30
 *
 * uses: user/endpoint/cgroup.c user/endpoint/container.c user/endpoint/selector.c user/endpoint/endpoint_name.c
 */
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "endpoint/cgroup.h"
#include "promise.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void try_groups(const char *text)
{
	char id[CONTAINER_ID_LEN + 1], other[CONTAINER_ID_LEN + 1], unit[ENDPOINT_NAME_MAX + 1];

	if (cgroup_container(text, NULL, id)) {
		must(container_id_is_valid(id), "an id is an id");
		must(!cgroup_is_another_container(text, id), "it is its own");
		if (cgroup_container(text, id, other))
			must(strcmp(id, other) != 0, "what is passed over is passed over");
	}
	if (cgroup_unit(text, unit))
		must(strstr(unit, ".s") && !strchr(unit, '/') && !strchr(unit, '\n'),
		     "a unit is one");
}

static void try_word(const char *text)
{
	struct selector selector = { 0 };
	const char *reason = NULL;

	if (selector_parse(text, &selector, &reason) < 0) {
		must(reason != NULL, "an error has a reason");
		return;
	}
	must(strspn(text, "\t\n \033") == 0, "a word begins with something printable");
	selector_matches_name(&selector, "web-1");
	selector_done(&selector);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = strndup((const char *)data, size);

	must(text != NULL, "memory");
	try_groups(text);
	/* The matcher of libc is not ours to fuzz: it is given words of a length that people write. */
	if (strlen(text) < 24)
		try_word(text);
	free(text);
	return 0;
}
