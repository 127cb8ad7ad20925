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
#include "chain/gate.h"
#include "chain/http.h"
#include "chain/outcall.h"

#define SERVICE_NAME_MAX_BYTES	   64
#define SERVICE_MONOLITH_MAX_STEPS 64
#define SERVICE_ANSWER_PAD_MAX	   (4u << 20)
#define SERVICE_ANSWER_MAX_BYTES   (64u << 20) /* a whole nested answer */
#define SERVICE_REQUEST_HEAD_MAX   (8u << 10)
#define SERVICE_REQUEST_BODY_MAX   (64u << 10)
#define SERVICE_REQUEST_MAX_BYTES  (2 * (SERVICE_REQUEST_HEAD_MAX + SERVICE_REQUEST_BODY_MAX))
#define SERVICE_CONNECTIONS_MAX	   1024 /* inbound; each has at most one request in hand */
#define SERVICE_NEXT_MAX	   16 /* replicas of the next service */
#define SERVICE_POOL_MAX	   256 /* idle connections to the next service */
#define SERVICE_IDLE_NS		   (60 * UINT64_C(1000000000)) /* inbound, without a request */
#define SERVICE_COUNTS_PATH	   "/counts"
#define SERVICE_RECV_BYTES	   4096 /* room for each receive call, at least */

enum service_mode {
	SERVICE_THREADS, /* a thread for each inbound connection, blocking calls */
	SERVICE_EPOLL, /* one thread, one event loop, both directions */
};

struct service_address {
	struct sockaddr_storage addr;
	socklen_t len; /* 0: none */
};

struct service_counts { /* since the start; health checks and questions about the counts are in none of them */
	atomic_uint_fast64_t
		received; /* requests that were read, those included that were refused at once */
	atomic_uint_fast64_t failed; /* answered with status 500 or more */
	atomic_uint_fast64_t degraded;
	atomic_uint_fast64_t overloaded; /* refused because the queue was full */
	atomic_uint_fast64_t calls; /* of the next service: tries, not requests */
	atomic_uint_fast64_t retries; /* of these, beyond a request's first */
	atomic_uint_fast64_t calls_failed;
	atomic_uint_fast64_t calls_refused; /* by breaker or bulkhead: not made */
};

struct service { /* what stands above `stopping` is fixed before the first request; shared by all threads */
	char name[SERVICE_NAME_MAX_BYTES];
	char next_name
		[SERVICE_NAME_MAX_BYTES]; /* who is called, in answers that tell of failures */
	char next_host[SERVICE_NAME_MAX_BYTES]; /* the Host field of requests to it */
	struct service_address listen;
	struct service_address next[SERVICE_NEXT_MAX];
	unsigned int nexts; /* 0: it calls nobody */
	enum service_mode mode;
	bool keep_alive; /* towards the next service */
	unsigned int connections_max; /* inbound, as far as the open file limit allows */
	unsigned int monolith_steps; /* 0: not a monolith */
	uint32_t pad_bytes;
	uint64_t work_ns; /* for each request, or for each step of a monolith */
	uint64_t wait_ns; /* for each request, after its work: as for a disk */
	uint64_t timeout_ns; /* of each try */
	uint32_t fail_odds; /* of 2^32: the share of requests that it answers with an error */
	uint64_t fail_seed;
	uint64_t started_ns; /* tells the counts of one process from those of the next */
	atomic_bool stopping;

	struct outcall outcall; /* the guards on the way to the next service */
	struct gate gate; /* requests that are worked on at once; threads only */
	struct service_counts counts;
	atomic_uint next_turn;
};

enum hop_error {
	HOP_OK,
	HOP_TIMEOUT,
	HOP_REFUSED,
	HOP_UNREACHABLE,
	HOP_RESET,
	HOP_BAD_ANSWER,
	HOP_NO_RESOURCE,
	HOP_BREAKER_OPEN, /* the next one was not called */
	HOP_BULKHEAD_FULL, /* likewise */
	HOP_OVERLOADED, /* this service had no place for the request */
	HOP_FAILED, /* this service failed, as it was told to */
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
	bool is_question; /* about the counts: likewise */
	bool waits; /* for wait_ns, before it calls or answers */
	bool wants_call; /* of the next service, once this one's work is done */
	enum hop_error error;
	unsigned int refusal; /* status of a request that is not served at all, else 0 */
	struct http_message next; /* the next one's response, when `error` is HOP_OK */
	bool next_is_json;
	struct outcall_try attempt;
	enum answer_shape shape; /* SHAPE_FULL: it is what the calls came to */
	uint64_t cached_age_ns; /* SHAPE_CACHED: `next` is the kept answer */
	unsigned int steps;
	struct hop_step step[SERVICE_MONOLITH_MAX_STEPS];
};

extern const struct http_limits service_request_limits;
extern const struct http_limits service_answer_limits;

/*
 * Takes the first request out of `in`, when it is whole (0), and does this service's own work for it, unless it is
 * overloaded: then it is refused. -EAGAIN when more bytes are needed. A request that can't be served is taken as well: `refusal`
 * says with which status it is to be answered, and the connection ends behind that answer.
 */
int service_begin(struct service *service, struct buffer *in, uint64_t recv_ns, bool is_overloaded,
		  struct hop *ret_hop, struct buffer *ret_call);

/*
 * The calls of one request:  begin (true) - the call, whose outcome goes into hop->error and hop->next - end; again while
 * that says true, after `ret_wait_ns`. Then settle, which may put a degraded answer in a failure's place; `spare` holds it
 * until the answer is written.
 */
bool service_call_begin(struct service *service, struct hop *hop);
bool service_call_end(struct service *service, struct hop *hop, uint64_t *ret_wait_ns);
void service_call_settle(struct service *service, struct hop *hop, struct buffer *spare);
/* The request is gone while its call is under way. */
void service_call_abandon(struct service *service, struct hop *hop);
/* Where the next new connection goes: to the replicas in turn. */
const struct service_address *service_next_address(struct service *service);

/* The next one's response stands whole at the front of `in` (0), is not there yet (-EAGAIN), or is none (-EBADMSG). */
int service_take_reply(struct buffer *in, struct hop *hop);

/* What a failed system call on the way to the next service means. */
enum hop_error service_error_of(int r);

/* Writes the whole response into `out`. `ret_send_ns_at` is where service_stamp() puts the time of
 * sending, SIZE_MAX when it has no place. -ENOBUFS, -ENOMEM. */
int service_answer(struct service *service, const struct hop *hop, struct buffer *out,
		   size_t *ret_send_ns_at);
void service_stamp(struct buffer *out, size_t send_ns_at);

/* The listening socket, IPv4 and IPv6 when it has no address of its own. -errno. */
int service_listen(const struct service *service, int *ret_fd);

/* Gives back what requests have left in it. */
void service_done(struct service *service);

/* Serve until `stop_fd` (a signalfd) is readable. -errno when that can't even begin. */
int service_run_threads(struct service *service, int listen_fd, int stop_fd);
int service_run_epoll(struct service *service, int listen_fd, int stop_fd);

#endif
