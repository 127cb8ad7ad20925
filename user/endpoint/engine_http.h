/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * engine_http.h - questions to a container engine: GET over its unix socket, several at once.
 *
 * An engine may hang, answer without end, or be something else: each batch ends by its deadline, and one answer is
 * no longer than ENGINE_ANSWER_MAX. Nothing of the environment (proxies, .netrc) has a say.
 */
#ifndef HF_ENDPOINT_ENGINE_HTTP_H
#define HF_ENDPOINT_ENGINE_HTTP_H

#include <stddef.h>
#include <stdint.h>

#define ENGINE_ANSWER_MAX      (16U << 20) /* bytes of a body */
#define ENGINE_CONNECTIONS_MAX 8 /* at a time, to one engine */
#define ENGINE_SOCKET_PATH_MAX 107 /* characters: sun_path */

struct engine_http;

/*
 *   error	 0: there is a whole answer, whatever its status
 *		 -ENOENT no socket, -ECONNREFUSED nobody listens, -EACCES, -ETIMEDOUT, -EFBIG, -EBADMSG not HTTP,
 *		 -ECONNRESET hung up, -EIO whatever else
 */
struct engine_answer {
	int error;
	long status; /* of HTTP */
	char *text; /* owned; NUL-terminated; NULL when it is empty */
	size_t len_bytes;
};

/* Connects to nothing yet. -ENAMETOOLONG, -EINVAL: not an absolute path. */
int engine_http_open(const char *socket_path, struct engine_http **ret_http);
void engine_http_close(struct engine_http *http);
void engine_http_closep(struct engine_http **http); /* for _cleanup_ */

/*
 * Asks for all paths ("/containers/json"), and fills an answer for each; the connections are kept for the next
 * batch. deadline_ns: CLOCK_MONOTONIC. 0 or -ENOMEM; then no answer is to be freed.
 */
int engine_http_get(struct engine_http *http, uint64_t deadline_ns, size_t count, char *const *path,
		    struct engine_answer *ret_answer);
void engine_answer_done(struct engine_answer *answer);

#endif
