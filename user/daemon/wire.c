/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * wire.c - see wire.h.
 */
#include "daemon/wire.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "endpoint/lab_state.h"
#include "trace/call.h"

void wire_build(char text[WIRE_BUILD_MAX])
{
	snprintf(text, WIRE_BUILD_MAX, "%s abi %d call %zu", HOPFAULT_VERSION, HF_ABI_VERSION,
		 sizeof(struct call));
}

int wire_run_dir(const char **ret_dir)
{
	return lab_run_dir(ret_dir);
}

int wire_path(const char *file, char *ret_path, size_t size)
{
	const char *dir;
	int r = wire_run_dir(&dir);

	if (r < 0)
		return r;
	r = snprintf(ret_path, size, "%s/%s", dir, file);
	return r < 0 || (size_t)r >= size ? -ENAMETOOLONG : 0;
}

int wire_connect(int *ret_fd)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	_cleanup_(closep) int fd = -1;
	int r;

	r = wire_path(WIRE_SOCKET, addr.sun_path, sizeof(addr.sun_path));
	if (r < 0)
		return r;
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -errno;
	if (connect(fd, (struct sockaddr *)&addr, sizeof(addr)) < 0)
		return -errno;
	*ret_fd = TAKE_FD(fd);
	return 0;
}

static int send_all(int fd, const void *data, size_t length)
{
	const char *at = data;

	while (length) {
		ssize_t n = send(fd, at, length, MSG_NOSIGNAL);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		at += n;
		length -= (size_t)n;
	}
	return 0;
}

int wire_send(int fd, enum wire_kind kind, const void *payload, size_t length)
{
	struct wire_header header = { .length = (uint32_t)length, .kind = kind };
	int r;

	r = send_all(fd, &header, sizeof(header));
	return r < 0 ? r : send_all(fd, payload, length);
}

int wire_send_json(int fd, enum wire_kind kind, const json_t *value)
{
	_cleanup_(freep) char *text = json_dumps(value, JSON_COMPACT);

	return text ? wire_send(fd, kind, text, strlen(text)) : -ENOMEM;
}

static int receive_all(int fd, void *data, size_t length)
{
	char *at = data;

	while (length) {
		ssize_t n = recv(fd, at, length, 0);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		if (n == 0)
			return -ECONNRESET;
		at += n;
		length -= (size_t)n;
	}
	return 0;
}

int wire_receive(int fd, enum wire_kind *ret_kind, char **ret_payload, size_t *ret_length)
{
	_cleanup_(freep) char *payload = NULL;
	struct wire_header header;
	int r;

	r = receive_all(fd, &header, sizeof(header));
	if (r < 0)
		return r;
	if (header.length > WIRE_FRAME_MAX)
		return -EMSGSIZE;
	payload = malloc((size_t)header.length + 1);
	if (!payload)
		return -ENOMEM;
	r = receive_all(fd, payload, header.length);
	if (r < 0)
		return r;
	payload[header.length] = 0;
	*ret_kind = header.kind;
	*ret_length = header.length;
	*ret_payload = TAKE_PTR(payload);
	return 0;
}

#define READER_ROOM (256 * 1024)

static int grow(char **data, size_t *room, size_t wanted)
{
	char *more;

	if (wanted <= *room)
		return 0;
	more = realloc(*data, wanted);
	if (!more)
		return -ENOMEM;
	*data = more;
	*room = wanted;
	return 0;
}

/* How long the frame at the front is, header included; 0: its header is not there yet. */
static int front_size(const struct wire_reader *reader, struct wire_header *ret_header,
		      size_t *ret_size)
{
	*ret_size = 0;
	if (reader->length - reader->at < sizeof(*ret_header))
		return 0;
	memcpy(ret_header, reader->data + reader->at, sizeof(*ret_header));
	if (ret_header->length > WIRE_FRAME_MAX)
		return -EMSGSIZE;
	*ret_size = sizeof(*ret_header) + ret_header->length;
	return 0;
}

int wire_reader_fill(struct wire_reader *reader)
{
	struct wire_header header;
	size_t waiting = reader->length - reader->at, wanted;
	ssize_t n;
	int r;

	r = front_size(reader, &header, &wanted);
	if (r < 0)
		return r;
	if (reader->at) {
		memmove(reader->data, reader->data + reader->at, waiting);
		reader->at = 0;
		reader->length = waiting;
	}
	r = grow(&reader->data, &reader->room, wanted > READER_ROOM ? wanted : READER_ROOM);
	if (r < 0)
		return r;
	do {
		n = recv(reader->fd, reader->data + reader->length, reader->room - reader->length,
			 0);
	} while (n < 0 && errno == EINTR);
	if (n <= 0)
		return n < 0 ? -errno : -ECONNRESET;
	reader->length += (size_t)n;
	return 0;
}

int wire_reader_next(struct wire_reader *reader, enum wire_kind *ret_kind, const char **ret_payload,
		     size_t *ret_length)
{
	struct wire_header header;
	size_t size;
	int r = front_size(reader, &header, &size);

	if (r < 0 || size == 0 || reader->length - reader->at < size)
		return r;
	r = grow(&reader->frame, &reader->frame_room, (size_t)header.length + 1);
	if (r < 0)
		return r;
	memcpy(reader->frame, reader->data + reader->at + sizeof(header), header.length);
	reader->frame[header.length] = 0;
	reader->at += size;
	*ret_kind = header.kind;
	*ret_payload = reader->frame;
	*ret_length = header.length;
	return 1;
}

void wire_reader_done(struct wire_reader *reader)
{
	free(reader->data);
	free(reader->frame);
	*reader = (struct wire_reader){ .fd = reader->fd };
}
