/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * engine_http.c - libcurl's multi interface, fenced in.
 *
 *     paths --> easy handles --> at most 8 connections, each used again and again --> answers
 *                                            |
 *                                        deadline: what is not whole by then is -ETIMEDOUT
 */
#include "endpoint/engine_http.h"

#include <curl/curl.h>
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/clock.h"

#define FIRST_ALLOCATION 8192

struct engine_http {
	CURLM *multi;
	char socket_path[ENGINE_SOCKET_PATH_MAX + 1];
};

struct transfer {
	CURL *easy;
	struct engine_answer *answer;
	size_t allocated_bytes;
	int refused; /* -errno: why we ourselves stopped it */
	bool done;
};

int engine_http_open(const char *socket_path, struct engine_http **ret_http)
{
	struct engine_http *http;

	if (socket_path[0] != '/')
		return -EINVAL;
	if (strlen(socket_path) > ENGINE_SOCKET_PATH_MAX)
		return -ENAMETOOLONG;
	http = calloc(1, sizeof(*http));
	if (!http)
		return -ENOMEM;
	strcpy(http->socket_path, socket_path);
	http->multi = curl_multi_init();
	if (!http->multi) {
		free(http);
		return -ENOMEM;
	}
	curl_multi_setopt(http->multi, CURLMOPT_MAX_TOTAL_CONNECTIONS,
			  (long)ENGINE_CONNECTIONS_MAX);
	*ret_http = http;
	return 0;
}

void engine_http_close(struct engine_http *http)
{
	if (!http)
		return;
	curl_multi_cleanup(http->multi);
	free(http);
}

void engine_http_closep(struct engine_http **http)
{
	engine_http_close(*http);
}

void engine_answer_done(struct engine_answer *answer)
{
	free(answer->text);
	*answer = (struct engine_answer){ 0 };
}

static int make_room(struct transfer *transfer, size_t more_bytes)
{
	size_t need = transfer->answer->len_bytes + more_bytes + 1;
	size_t size = transfer->allocated_bytes ? transfer->allocated_bytes : FIRST_ALLOCATION;
	char *grown;

	if (need <= transfer->allocated_bytes)
		return 0;
	while (size < need)
		size *= 2;
	grown = realloc(transfer->answer->text, size);
	if (!grown)
		return -ENOMEM;
	transfer->answer->text = grown;
	transfer->allocated_bytes = size;
	return 0;
}

static size_t take_bytes(char *bytes, size_t one, size_t len_bytes, void *user)
{
	struct transfer *transfer = user;
	struct engine_answer *answer = transfer->answer;

	if (len_bytes > ENGINE_ANSWER_MAX - answer->len_bytes)
		transfer->refused = -EFBIG;
	else
		transfer->refused = make_room(transfer, len_bytes);
	if (transfer->refused < 0)
		return 0; /* ends the transfer */
	memcpy(answer->text + answer->len_bytes, bytes, len_bytes);
	answer->len_bytes += len_bytes;
	answer->text[answer->len_bytes] = '\0';
	return len_bytes;
}

static int set_up(CURL *easy, const struct engine_http *http, const char *path,
		  struct transfer *transfer)
{
	char url[512];
	CURLcode c = CURLE_OK;

	if (strlen(path) + sizeof("http://engine") > sizeof(url))
		return -EINVAL;
	strcpy(stpcpy(url, "http://engine"), path);
	c |= curl_easy_setopt(easy, CURLOPT_URL, url);
	c |= curl_easy_setopt(easy, CURLOPT_UNIX_SOCKET_PATH, http->socket_path);
	c |= curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http");
	c |= curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
	c |= curl_easy_setopt(easy, CURLOPT_PROXY, "");
	c |= curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
	c |= curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 0L);
	c |= curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, take_bytes);
	c |= curl_easy_setopt(easy, CURLOPT_WRITEDATA, transfer);
	c |= curl_easy_setopt(easy, CURLOPT_PRIVATE, transfer);
	return c == CURLE_OK ? 0 : -ENOMEM;
}

static int connect_error(CURL *easy)
{
	long os_errno = 0;

	curl_easy_getinfo(easy, CURLINFO_OS_ERRNO, &os_errno);
	switch (os_errno) {
	case ENOENT:
	case ENOTDIR:
		return -ENOENT;
	case EACCES:
	case EPERM:
		return -EACCES;
	default:
		return -ECONNREFUSED;
	}
}

static int error_of(CURL *easy, CURLcode code, const struct transfer *transfer)
{
	switch (code) {
	case CURLE_OK:
		return 0;
	case CURLE_COULDNT_CONNECT:
		return connect_error(easy);
	case CURLE_WRITE_ERROR:
		return transfer->refused < 0 ? transfer->refused : -EIO;
	case CURLE_OPERATION_TIMEDOUT:
		return -ETIMEDOUT;
	case CURLE_WEIRD_SERVER_REPLY:
	case CURLE_UNSUPPORTED_PROTOCOL:
	case CURLE_BAD_CONTENT_ENCODING:
		return -EBADMSG;
	case CURLE_GOT_NOTHING:
	case CURLE_RECV_ERROR:
	case CURLE_SEND_ERROR:
	case CURLE_PARTIAL_FILE:
		return -ECONNRESET;
	case CURLE_OUT_OF_MEMORY:
		return -ENOMEM;
	default:
		return -EIO;
	}
}

static void take_results(struct engine_http *http)
{
	CURLMsg *message;
	int left;

	while ((message = curl_multi_info_read(http->multi, &left))) {
		struct transfer *transfer = NULL;

		if (message->msg != CURLMSG_DONE)
			continue;
		curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &transfer);
		transfer->done = true;
		transfer->answer->error =
			error_of(message->easy_handle, message->data.result, transfer);
		curl_easy_getinfo(message->easy_handle, CURLINFO_RESPONSE_CODE,
				  &transfer->answer->status);
	}
}

/* Until all are done or the deadline is there. */
static int drive(struct engine_http *http, uint64_t deadline_ns)
{
	int running = 1;

	for (;;) {
		uint64_t now_ns = clock_now_ns();

		if (curl_multi_perform(http->multi, &running) != CURLM_OK)
			return -EIO;
		take_results(http);
		if (running == 0 || now_ns >= deadline_ns)
			return 0;
		if (curl_multi_poll(http->multi, NULL, 0,
				    (int)((deadline_ns - now_ns) / 1000000 + 1), NULL) != CURLM_OK)
			return -EIO;
	}
}

static int begin(struct engine_http *http, const char *path, struct transfer *transfer)
{
	int r;

	transfer->easy = curl_easy_init();
	if (!transfer->easy)
		return -ENOMEM;
	r = set_up(transfer->easy, http, path, transfer);
	if (r == 0 && curl_multi_add_handle(http->multi, transfer->easy) != CURLM_OK)
		r = -ENOMEM;
	if (r < 0) {
		curl_easy_cleanup(transfer->easy);
		transfer->easy = NULL;
	}
	return r;
}

static void end(struct engine_http *http, struct transfer *transfer)
{
	if (!transfer->easy)
		return;
	curl_multi_remove_handle(http->multi, transfer->easy);
	curl_easy_cleanup(transfer->easy);
}

int engine_http_get(struct engine_http *http, uint64_t deadline_ns, size_t count, char *const *path,
		    struct engine_answer *ret_answer)
{
	_cleanup_(freep) struct transfer *transfer = calloc(count + 1, sizeof(*transfer));
	int r = transfer ? 0 : -ENOMEM;

	memset(ret_answer, 0, count * sizeof(*ret_answer));
	for (size_t i = 0; r == 0 && i < count; i++) {
		ret_answer[i].error = -ETIMEDOUT;
		transfer[i].answer = &ret_answer[i];
		r = begin(http, path[i], &transfer[i]);
	}
	if (r == 0)
		r = drive(http, deadline_ns);
	for (size_t i = 0; transfer && i < count; i++)
		end(http, &transfer[i]);
	for (size_t i = 0; i < count; i++)
		if (r < 0 || ret_answer[i].error < 0) {
			int error = r < 0 ? r : ret_answer[i].error;

			engine_answer_done(&ret_answer[i]);
			ret_answer[i].error = error;
		}
	return r;
}
