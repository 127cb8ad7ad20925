/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * service.h - what a hopchain service is, and what it says; how it waits is the two modes' matter.
 *
 *        client                this service                  the next one
 *          |---- request ------> recv_ns
 *          |                       work
 *          |                     call_ns ---- request ----------> ...
 *          |                     reply_ns <--- response ---------
 *          |<--- response ------ send_ns
 *
 * The four times are read next to the system calls, because a tracer's stages are compared with
 * them: recv_ns and reply_ns just after the receive call that returned the last byte, call_ns and
 * send_ns just before the send call. All are CLOCK_MONOTONIC.
 */
#ifndef HF_CHAIN_SERVICE_H
#define HF_CHAIN_SERVICE_H

#include <netinet/in.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>

#include "chain/buffer.h"
#include "chain/http.h"

#define SERVICE_NAME_MAX_BYTES	   64
#define SERVICE_MONOLITH_MAX_STEPS 64
#define SERVICE_ANSWER_PAD_MAX	   (4u << 20)
#define SERVICE_ANSWER_MAX_BYTES   (64u << 20) /* a whole nested answer */
#define SERVICE_REQUEST_HEAD_MAX   (8u << 10)
#define SERVICE_REQUEST_BODY_MAX   (64u << 10)
#define SERVICE_REQUEST_MAX_BYTES  (2 * (SERVICE_REQUEST_HEAD_MAX + SERVICE_REQUEST_BODY_MAX))
#define SERVICE_CONNECTIONS_MAX	   1024 /* inbound; each has at most one request in hand */
#define SERVICE_POOL_MAX	   256 /* idle connections to the next service */
#define SERVICE_IDLE_NS		   (60 * UINT64_C(1000000000)) /* inbound, without a request */
#define SERVICE_RECV_BYTES	   4096 /* room for each receive call, at least */

enum service_mode {
	SERVICE_THREADS, /* a thread for each inbound connection, blocking calls */
	SERVICE_EPOLL, /* one thread, one event loop, both directions */
};

struct service_address {
	struct sockaddr_storage addr;
	socklen_t len; /* 0: none */
};

struct service { /* fixed before the first request; shared by all threads */
	char name[SERVICE_NAME_MAX_BYTES];
	char next_name
		[SERVICE_NAME_MAX_BYTES]; /* who is called, in answers that tell of failures */
	char next_host[SERVICE_NAME_MAX_BYTES]; /* the Host field of requests to it */
	struct service_address listen;
	struct service_address next;
	enum service_mode mode;
	bool keep_alive; /* towards the next service */
	unsigned int connections_max; /* inbound, as far as the open file limit allows */
	unsigned int monolith_steps; /* 0: not a monolith */
	uint32_t pad_bytes;
	uint64_t work_ns; /* for each request, or for each step of a monolith */
	uint64_t timeout_ns;
	atomic_bool stopping;
};

enum hop_error {
	HOP_OK,
	HOP_TIMEOUT,
	HOP_REFUSED,
	HOP_UNREACHABLE,
	HOP_RESET,
	HOP_BAD_ANSWER,
	HOP_NO_RESOURCE,
};

struct hop_step {
	uint64_t begin_ns;
	uint64_t end_ns;
};

struct hop { /* one request's life here; times are 0 until they are known */
	uint64_t recv_ns;
	uint64_t call_ns;
	uint64_t reply_ns;
	uint64_t deadline_ns; /* of the call to the next service */
	bool keep_alive; /* the client's wish */
	bool is_health_check; /* answered at once, without times */
	bool wants_call; /* of the next service, once this one's work is done */
	enum hop_error error;
	unsigned int refusal; /* status of a request that is not served at all, else 0 */
	struct http_message next; /* the next one's response, when `error` is HOP_OK */
	bool next_is_json;
	unsigned int steps;
	struct hop_step step[SERVICE_MONOLITH_MAX_STEPS];
};

extern const struct http_limits service_request_limits;
extern const struct http_limits service_answer_limits;

/*
 * Takes the first request out of `in`, when it is whole (0), and does this service's own work for it.
 * -EAGAIN when more bytes are needed. A request that can't be served is taken as well: `refusal`
 * says with which status it is to be answered, and the connection ends behind that answer.
 */
int service_begin(struct service *service, struct buffer *in, uint64_t recv_ns, struct hop *ret_hop,
		  struct buffer *ret_call);

/* The next one's response stands whole at the front of `in` (0), is not there yet (-EAGAIN), or is none (-EBADMSG). */
int service_take_reply(struct buffer *in, struct hop *hop);

/* What a failed system call on the way to the next service means. */
enum hop_error service_error_of(int r);

/* Writes the whole response into `out`. `ret_send_ns_at` is where service_stamp() puts the time of
 * sending, SIZE_MAX when it has no place. -ENOBUFS, -ENOMEM. */
int service_answer(const struct service *service, const struct hop *hop, struct buffer *out,
		   size_t *ret_send_ns_at);
void service_stamp(struct buffer *out, size_t send_ns_at);

/* The listening socket, IPv4 and IPv6 when it has no address of its own. -errno. */
int service_listen(const struct service *service, int *ret_fd);

/* Serve until `stop_fd` (a signalfd) is readable. -errno when that can't even begin. */
int service_run_threads(struct service *service, int listen_fd, int stop_fd);
int service_run_epoll(struct service *service, int listen_fd, int stop_fd);

#endif
