/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * wire.h - what goes over the control socket, for both ends.
 *
 *   frame    length (4 bytes, host order, of the payload), kind (4 bytes), payload
 *   command  one WIRE_REQUEST (JSON) -> one WIRE_REPLY (JSON), then the connection ends;
 *            a trace goes on with WIRE_CALLS and WIRE_PROGRESS until its WIRE_END.
 *
 * Both ends are of one version: the request names it, and an owner of another refuses. So WIRE_CALLS can be
 * an array of struct call as it is in memory.
 */
#ifndef HF_DAEMON_WIRE_H
#define HF_DAEMON_WIRE_H

#include <jansson.h>
#include <stddef.h>
#include <stdint.h>

#define WIRE_REQUEST_MAX (64 * 1024)
#define WIRE_FRAME_MAX	 (16 * 1024 * 1024)

enum wire_kind {
	WIRE_REQUEST = 1,
	WIRE_REPLY = 2,
	WIRE_CALLS = 3, /* struct call[]: one chain, the root first */
	WIRE_PROGRESS = 4, /* JSON */
	WIRE_END = 5, /* JSON */
};

struct wire_header {
	uint32_t length;
	uint32_t kind; /* enum wire_kind */
};

/* What both ends must agree on: version, and the shapes that are sent as they are in memory. */
#define WIRE_BUILD_MAX 64
void wire_build(char text[WIRE_BUILD_MAX]);

/* The folder of socket and state: HOPFAULT_RUN_DIR, else /run/hopfault. */
int wire_run_dir(const char **ret_dir); /* -EINVAL: not an absolute path */
int wire_path(const char *file, char *ret_path, size_t size);
#define WIRE_SOCKET "control.sock"
#define GRACE_NOTE  "grace.note" /* see link/grace.h */

/* Client's end, blocking. 0 or -errno; -ENOENT, -ECONNREFUSED: nobody is there. */
int wire_connect(int *ret_fd);
int wire_send(int fd, enum wire_kind kind, const void *payload, size_t length);
int wire_send_json(int fd, enum wire_kind kind, const json_t *value);
/* One whole frame; ret_payload is malloc'ed and has a NUL behind it. -ECONNRESET: the other end is gone. */
int wire_receive(int fd, enum wire_kind *ret_kind, char **ret_payload, size_t *ret_length);

/* The same for an end that gets many frames: one system call takes all that have come. Begin with zeroes and the fd. */
struct wire_reader {
	int fd;
	char *data; /* [at, length): came, and not yet taken */
	size_t at, length, room;
	char *frame; /* the last payload that was given out */
	size_t frame_room;
};

/* Waits until something has come, and takes it. -ECONNRESET: the other end is gone. */
int wire_reader_fill(struct wire_reader *reader);
/* 1: a frame; 0: none is whole yet. The payload has a NUL behind it, is aligned for any type, and lasts until the next call. */
int wire_reader_next(struct wire_reader *reader, enum wire_kind *ret_kind, const char **ret_payload,
		     size_t *ret_length);
void wire_reader_done(struct wire_reader *reader);

#endif
