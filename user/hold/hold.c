/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * hold.c - the delay engine as its owner sees it: a thread that is asked for things and answers.
 *
 *   caller: ask() -- request, eventfd --> thread: between two rounds, act, say done --> caller goes on
 *
 * The thread takes no lock on a packet's way. `asking` lets one caller in at a time, and keeps the list of ports
 * still while hold_stats() reads it; `lock` guards the request that lies between caller and thread.
 */
#include "hold/hold.h"

#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <time.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "hold/engine.h"

#define ANSWER_SECONDS 1
#define LIMIT_BYTES    ((size_t)64 << 20)
#define LIMIT_PACKETS  65536
#define SPIN_NS	       100000

struct request {
	int (*act)(struct engine *engine, struct request *request);
	bool (*is_alive)(void *ctx, uint32_t rule_id);
	void *ctx;
	struct port *port;
	dev_t netns_dev;
	ino_t netns_ino;
	int result;
	bool is_done;
};

struct hold {
	struct engine engine;
	struct hold_options options;
	pthread_t thread;
	pthread_mutex_t asking;
	pthread_mutex_t lock;
	pthread_cond_t answered;
	struct request *request; /* under lock; NULL: none */
	bool is_asked; /* atomic: look at request */
	bool is_ending; /* atomic */
	bool is_running; /* under asking */
	bool is_realtime; /* written by the thread before its first answer */
	int realtime_error;
	uint64_t ring_drops_gone; /* of ports that were removed; under asking */
};

struct hold_options hold_options_default(void)
{
	return (struct hold_options){
		.limit_bytes = LIMIT_BYTES,
		.limit_packets = LIMIT_PACKETS,
		.spin_ns = SPIN_NS,
		.realtime = true,
	};
}

/* ---- asking, and answering ---- */

static void answer(struct hold *hold)
{
	struct request *request;

	pthread_mutex_lock(&hold->lock);
	__atomic_store_n(&hold->is_asked, false, __ATOMIC_RELAXED);
	request = TAKE_PTR(hold->request);
	if (request) {
		request->result = request->act(&hold->engine, request);
		request->is_done = true;
		pthread_cond_signal(&hold->answered);
	}
	pthread_mutex_unlock(&hold->lock);
}

/*
 * The thread holds the lock while it acts, so a caller whose time is up takes its request back either before it
 * was begun or after it was done.
 */
static int wait_for_answer(struct hold *hold, struct request *request)
{
	struct timespec until;

	clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_sec += ANSWER_SECONDS;
	while (!request->is_done)
		if (pthread_cond_timedwait(&hold->answered, &hold->lock, &until) == ETIMEDOUT)
			break;
	hold->request = NULL;
	return request->is_done ? request->result : -ETIMEDOUT;
}

/* Called under `asking`. */
static int ask(struct hold *hold, struct request *request)
{
	int r;

	if (!hold->is_running)
		return request->act(&hold->engine, request);
	pthread_mutex_lock(&hold->lock);
	hold->request = request;
	__atomic_store_n(&hold->is_asked, true, __ATOMIC_RELAXED);
	eventfd_write(hold->engine.wake_fd, 1);
	r = wait_for_answer(hold, request);
	pthread_mutex_unlock(&hold->lock);
	return r;
}

/* ---- the thread ---- */

static void become_realtime(struct hold *hold)
{
	struct sched_param param = { .sched_priority = sched_get_priority_min(SCHED_FIFO) };

	prctl(PR_SET_NAME, "hopfault-hold");
	prctl(PR_SET_TIMERSLACK, 1);
	if (!hold->options.realtime)
		return;
	if (sched_setscheduler(0, SCHED_FIFO | SCHED_RESET_ON_FORK, &param) < 0)
		hold->realtime_error = -errno;
	else
		hold->is_realtime = true;
}

static bool every_packet(void *ctx, const struct packet *packet)
{
	(void)ctx;
	(void)packet;
	return true;
}

static void *run(void *arg)
{
	struct hold *hold = arg;

	become_realtime(hold);
	while (!__atomic_load_n(&hold->is_ending, __ATOMIC_ACQUIRE)) {
		if (__atomic_load_n(&hold->is_asked, __ATOMIC_RELAXED))
			answer(hold);
		engine_turn(&hold->engine);
	}
	return NULL;
}

static int act_nothing(struct engine *engine, struct request *request)
{
	(void)engine;
	(void)request;
	return 0;
}

/* Signals are the owner's business. */
static int create_thread(struct hold *hold)
{
	sigset_t all, before;
	int r;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	r = pthread_create(&hold->thread, NULL, run, hold);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	return -r;
}

static int start_once(struct hold *hold)
{
	struct request request = { .act = act_nothing };
	int r;

	if (hold->is_running)
		return -EALREADY;
	r = create_thread(hold);
	if (r < 0)
		return r;
	hold->is_running = true;
	return ask(hold, &request);
}

int hold_start(struct hold *hold)
{
	int r;

	pthread_mutex_lock(&hold->asking);
	r = start_once(hold);
	pthread_mutex_unlock(&hold->asking);
	return r;
}

static void stop(struct hold *hold)
{
	if (!hold->is_running)
		return;
	__atomic_store_n(&hold->is_ending, true, __ATOMIC_RELEASE);
	eventfd_write(hold->engine.wake_fd, 1);
	pthread_join(hold->thread, NULL);
	hold->is_running = false;
}

/* ---- coming and going ---- */

static void init_locks(struct hold *hold)
{
	pthread_condattr_t attr;

	pthread_mutex_init(&hold->asking, NULL);
	pthread_mutex_init(&hold->lock, NULL);
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&hold->answered, &attr);
	pthread_condattr_destroy(&attr);
}

DEFINE_CLEANUP(struct hold *, hold_free)

int hold_new(const struct hold_options *options, const struct hold_shared *shared,
	     struct hold **ret_hold)
{
	_cleanup_(hold_freep) struct hold *hold = calloc(1, sizeof(*hold));
	int r;

	if (!hold)
		return -ENOMEM;
	hold->options = *options;
	hold->engine.wake_fd = -1;
	init_locks(hold);
	r = engine_init(&hold->engine, options, shared);
	if (r < 0)
		return r;
	*ret_hold = TAKE_PTR(hold);
	return 0;
}

void hold_free(struct hold *hold)
{
	if (!hold)
		return;
	stop(hold);
	if (hold->engine.queue)
		engine_flush(&hold->engine, every_packet, NULL);
	engine_done(&hold->engine);
	pthread_cond_destroy(&hold->answered);
	pthread_mutex_destroy(&hold->lock);
	pthread_mutex_destroy(&hold->asking);
	free(hold);
}

/* ---- namespaces ---- */

static int act_add(struct engine *engine, struct request *request)
{
	return engine_add_port(engine, request->port);
}

static int add_netns(struct hold *hold, int netns_fd, uint32_t *ret_tap_ifindex)
{
	struct request request = { .act = act_add };
	struct stat st;
	uint32_t tap_ifindex;
	int r;

	if (fstat(netns_fd, &st) < 0)
		return -errno;
	if (engine_find_port(&hold->engine, st.st_dev, st.st_ino) >= 0)
		return -EEXIST;
	r = port_open(netns_fd, &request.port);
	if (r < 0)
		return r;
	tap_ifindex = request.port->tap_ifindex;
	r = ask(hold, &request);
	if (r < 0) {
		port_close(request.port);
		return r;
	}
	*ret_tap_ifindex = tap_ifindex;
	return 0;
}

int hold_add_netns(struct hold *hold, int netns_fd, uint32_t *ret_tap_ifindex)
{
	int r;

	pthread_mutex_lock(&hold->asking);
	r = add_netns(hold, netns_fd, ret_tap_ifindex);
	pthread_mutex_unlock(&hold->asking);
	return r;
}

static int act_remove(struct engine *engine, struct request *request)
{
	int index = engine_find_port(engine, request->netns_dev, request->netns_ino);

	if (index < 0)
		return index;
	request->port = engine_remove_port(engine, (unsigned)index);
	return 0;
}

static int remove_netns(struct hold *hold, int netns_fd)
{
	struct request request = { .act = act_remove };
	uint64_t drops = 0;
	struct stat st;
	int r;

	if (fstat(netns_fd, &st) < 0)
		return -errno;
	request.netns_dev = st.st_dev;
	request.netns_ino = st.st_ino;
	r = ask(hold, &request);
	if (r < 0)
		return r;
	port_ring_drops(request.port, &drops);
	hold->ring_drops_gone += drops;
	port_close(request.port);
	return 0;
}

int hold_remove_netns(struct hold *hold, int netns_fd)
{
	int r;

	pthread_mutex_lock(&hold->asking);
	r = remove_netns(hold, netns_fd);
	pthread_mutex_unlock(&hold->asking);
	return r;
}

/* ---- flush ---- */

static bool rule_is_dead(void *ctx, const struct packet *packet)
{
	const struct request *request = ctx;

	return !request->is_alive || !request->is_alive(request->ctx, packet->header.rule_id);
}

static int act_flush(struct engine *engine, struct request *request)
{
	engine_flush(engine, rule_is_dead, request);
	return 0;
}

int hold_flush(struct hold *hold, bool (*is_alive)(void *ctx, uint32_t rule_id), void *ctx)
{
	struct request request = { .act = act_flush, .is_alive = is_alive, .ctx = ctx };
	int r;

	pthread_mutex_lock(&hold->asking);
	r = ask(hold, &request);
	pthread_mutex_unlock(&hold->asking);
	return r;
}

/* ---- what it says of itself ---- */

uint64_t hold_heartbeat_ns(const struct hold *hold)
{
	return __atomic_load_n(&hold->engine.heartbeat_ns, __ATOMIC_RELAXED);
}

static void add_port_stats(const struct port *port, struct hold_stats *stats)
{
	uint64_t drops = 0;

	stats->netns_count++;
	if (__atomic_load_n(&port->is_lost, __ATOMIC_RELAXED))
		stats->netns_lost++;
	port_ring_drops(port, &drops);
	stats->ring_overflow += drops;
}

static void copy_counts(const struct engine_counts *from, struct hold_stats *ret)
{
#define COPY(what) ret->what = __atomic_load_n(&from->what, __ATOMIC_RELAXED)
	COPY(held_packets);
	COPY(held_bytes);
	COPY(held_ever);
	COPY(released);
	COPY(flushed);
	COPY(refused);
	COPY(send_errors);
	COPY(stale);
	COPY(overflow);
	COPY(malformed);
	COPY(wakes);
	COPY(spun_ns);
#undef COPY
}

void hold_stats(struct hold *hold, struct hold_stats *ret_stats)
{
	memset(ret_stats, 0, sizeof(*ret_stats));
	copy_counts(&hold->engine.counts, ret_stats);
	spread_copy(&hold->engine.release, &ret_stats->release);
	spread_copy(&hold->engine.wake, &ret_stats->wake);
	pthread_mutex_lock(&hold->asking);
	ret_stats->running = hold->is_running;
	ret_stats->realtime = hold->is_realtime;
	ret_stats->realtime_error = hold->realtime_error;
	ret_stats->ring_overflow = hold->ring_drops_gone;
	for (unsigned i = 0; i < hold->engine.ports; i++)
		if (hold->engine.port[i])
			add_port_stats(hold->engine.port[i], ret_stats);
	pthread_mutex_unlock(&hold->asking);
}

int hold_timer_error(uint64_t sleep_ns, unsigned samples, struct spread *ret_error)
{
	int slack_before = prctl(PR_GET_TIMERSLACK);

	memset(ret_error, 0, sizeof(*ret_error));
	prctl(PR_SET_TIMERSLACK, 1);
	for (unsigned i = 0; i < samples; i++) {
		uint64_t due_ns = clock_now_ns() + sleep_ns;
		struct timespec due = { .tv_sec = (time_t)(due_ns / 1000000000),
					.tv_nsec = (long)(due_ns % 1000000000) };

		while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &due, NULL) == EINTR)
			;
		spread_record(ret_error, clock_now_ns() - due_ns);
	}
	prctl(PR_SET_TIMERSLACK, slack_before);
	return 0;
}
