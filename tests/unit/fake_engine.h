/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * fake_engine.h - a container engine for tests, in a process of its own: on a unix socket, in a folder of its own, and as
 * well or as badly behaved as is wanted.
 */
#ifndef HF_TESTS_FAKE_ENGINE_H
#define HF_TESTS_FAKE_ENGINE_H

#include <sys/types.h>

enum fake_manner {
	FAKE_ANSWERS, /* list to /containers/json, detail to every other path */
	FAKE_REFUSES, /* 500, with list as the body */
	FAKE_FORGETS, /* list, and 404 to what is asked then */
	FAKE_GARBAGE, /* bytes that are no HTTP */
	FAKE_NOT_JSON, /* HTTP, and not JSON */
	FAKE_HANGS, /* takes connections, says nothing */
	FAKE_NOT_TAKEN, /* listens, takes no connection */
	FAKE_SLOW, /* a byte in 20 ms, without end */
	FAKE_HUGE, /* as fast as it can, without end */
	FAKE_DEEP, /* a million of [ */
	FAKE_HANGS_UP, /* at once */
	FAKE_HEADERS, /* headers without end */
};

struct fake_engine {
	char dir[64];
	char socket_path[96];
	int listener;
	pid_t pid;
};

/* list, detail: JSON. Asserts that it works. */
void fake_engine_start(struct fake_engine *fake, enum fake_manner manner, const char *list,
		       const char *detail);
void fake_engine_stop(struct fake_engine *fake); /* for _cleanup_ */

#endif
