/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * load.h - sends requests to the lab's first service, and keeps what each of them met.
 *
 *     due ......... start ================ end        latency_ns          = end - start
 *     (schedule)    (just before send)     (last      intended_latency_ns = end - due
 *                                           byte)
 *
 * With a rate, requests are due at fixed instants whether or not earlier ones have been answered, so
 * a stalled service shows in intended_latency_ns (coordinated omission), which latency_ns hides.
 * Without one, a request is due when its connection is free: the two then differ by connecting.
 *
 * One thread. The caller is in the network namespace from which the requests are to be sent.
 */
#ifndef HF_CHAIN_LOAD_H
#define HF_CHAIN_LOAD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#define LOAD_REQUESTS_MAX    10000000
#define LOAD_CONNECTIONS_MAX 1024
#define LOAD_RATE_MAX	     1000000 /* requests a second */
#define LOAD_NAMES_MAX	     64 /* different services, and different failing hops, that are told apart */
#define LOAD_NAME_BYTES	     48
#define LOAD_DEPTH_MAX	     64 /* services in one answer */
#define LOAD_TARGETS_MAX     16
#define LOAD_TARGET_BYTES    1024
#define LOAD_NO_NAME	     UINT8_MAX

struct load_options {
	const char *
		target; /* HOST:PORT, as address.h has it; several with commas between: connections go to them in turn */
	const char *path; /* NULL: "/"; printable ASCII without blanks */
	uint32_t requests; /* to be recorded */
	uint32_t warmup_requests; /* sent before, by the same schedule, not recorded */
	uint32_t connections; /* each with one request in flight; 0: 1 */
	uint32_t rate; /* requests a second over all connections; 0: as fast as they are answered */
	uint64_t timeout_ns; /* of a request, connecting included; 0: 5 s */
	uint64_t total_ns; /* then it ends, answered or not; 0: no bound */
	uint64_t start_in_ns; /* wait before the first */
	bool keep_times; /* also keep the services' own times, from their answers */

	/* Called at least 10 times a second with how many recorded requests are done; false ends the run.
	 * A signal (EINTR) leads to a call at once. May be NULL. */
	bool (*keep_going)(void *userdata, uint32_t done);
	void *userdata;
};

enum load_error {
	LOAD_OK,
	LOAD_TIMEOUT,
	LOAD_REFUSED,
	LOAD_UNREACHABLE,
	LOAD_RESET,
	LOAD_BAD_ANSWER,
	LOAD_NO_RESOURCE,
	LOAD_BREAKER_OPEN, /* the ones that only a service says of itself */
	LOAD_BULKHEAD_FULL,
	LOAD_OVERLOADED,
	LOAD_FAILED,
	LOAD_STATUS, /* answered with a failure that says nothing of its cause */
};

enum load_shape { /* what kind of answer it was */
		  LOAD_SHAPE_NONE, /* no answer */
		  LOAD_SHAPE_ERROR, /* status 400 and more */
		  LOAD_SHAPE_FULL, /* it does not say that it is anything less */
		  LOAD_SHAPE_CACHED, /* it says that it, or an answer in it, is degraded, and how */
		  LOAD_SHAPE_PARTIAL,
		  LOAD_SHAPE_DEGRADED, /* in a way that is not known here */
		  LOAD_SHAPES,
};

struct load_record {
	uint64_t start_ns; /* CLOCK_MONOTONIC */
	uint64_t latency_ns; /* until the answer's end, or until the failure was known */
	uint64_t intended_latency_ns;
	uint32_t request; /* counted from 0, in the order in which they were due */
	uint16_t status; /* 0: no answer */
	uint8_t error; /* enum load_error: with a status what the answer says, without one what happened here */
	uint8_t hop; /* index in load_result.hop of the hop that failed, or LOAD_NO_NAME */
	uint8_t shape; /* enum load_shape */
};

struct load_times { /* CLOCK_MONOTONIC, 0: not known; what each means is in service.h */
	uint64_t recv_ns;
	uint64_t call_ns;
	uint64_t reply_ns;
	uint64_t send_ns;
	uint32_t request;
	uint8_t service; /* index in load_result.service */
	uint8_t depth; /* 0: the one that was asked */
};

struct load_names {
	unsigned int count;
	char name[LOAD_NAMES_MAX][LOAD_NAME_BYTES]; /* other people's bytes: escape them */
};

struct load_result {
	char target[LOAD_TARGET_BYTES];
	uint32_t requests; /* asked for */
	uint32_t connections;
	uint32_t rate;
	uint64_t begin_ns; /* first recorded request due */
	uint64_t end_ns; /* last answer, or the stop */
	uint32_t unfinished; /* in flight when the run was stopped: not recorded */
	bool was_stopped; /* by keep_going or total_ns */

	struct load_record *record; /* by request */
	size_t records;
	struct load_times *times; /* of one request together, outermost service first */
	size_t times_count, times_size;
	uint32_t times_lost; /* answers without readable times, or with more than could be kept */
	struct load_names service;
	struct load_names hop; /* "c->d" */
};

/*
 * 0 also when requests failed: that is what a load generator is for. Else -EINVAL (options or target),
 * -ENOENT (no such host), -ENOMEM, -EMFILE and such before the first request; *ret_result is untouched then.
 */
int load_run(const struct load_options *options, struct load_result *ret_result);
void load_result_done(struct load_result *result); /* for _cleanup_ */

const char *load_error_name(enum load_error error); /* "timeout" */
const char *load_shape_name(enum load_shape shape); /* "cached"; "" for none */

/* A summary for people, at most 80 columns wide. -ENOMEM, -EIO. */
int load_print(const struct load_result *result, FILE *out);

/* A row a request: schema_version,request,start_mono_ns,latency_ns,intended_latency_ns,status,error,failing_hop,shape.
 * Unknown is empty. -errno when the file can't be written. */
int load_write_csv(const struct load_result *result, const char *path);

/* A row a request and service: schema_version,request,depth,service,recv_ns,call_ns,reply_ns,send_ns. */
int load_write_times_csv(const struct load_result *result, const char *path);

/*
 * A row for each `every_ns` of the run: schema_version,since_ns,start_mono_ns,requests,p50_ns,p99_ns,max_ns and a column
 * for each kind of outcome that was met, such as 200_full, 200_cached, 504_timeout, none_refused. A request is in the row
 * of the moment at which its outcome was known; latencies are counted from when it was due, so that what had to wait for
 * its turn is not made to look fast. Rows without a request are there too, and have no latencies.
 */
int load_write_timeline_csv(const struct load_result *result, uint64_t every_ns, const char *path);

/* What of a run is not in a row's figures: how many requests began late, because all connections were busy, and how late. */
#define LOAD_LATE_NS UINT64_C(10000000)
uint32_t load_late_starts(const struct load_result *result, uint64_t *ret_latest_ns);

#endif
