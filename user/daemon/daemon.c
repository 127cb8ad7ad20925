/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * daemon.c - the owner's life.
 *
 *   lock -> give up privileges -> clean what a killed one left -> grace -> programs -> delay engine -> guard -> endpoints
 *        -> faults -> socket
 *   tick: show life, heal what has expired, read the events, end when idle
 *   end:  heal all, detach all, release what is held; in reverse
 *
 * A thread of its own renews the lease, see lease.h.
 */
#include "daemon/daemon.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/file.h>
#include <sys/random.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/log.h"
#include "daemon/owner.h"
#include "daemon/privileges.h"
#include "daemon/residue.h"
#include "link/grace.h"

#define TICK_IDLE_NS 200000000ULL

/* ---- the tick ---- */

static void on_progress(void *ctx)
{
	struct owner *owner = ctx;

	lease_heard(owner->lease);
}

static bool has_work(const struct owner *owner)
{
	return clients_count(owner->clients) || faultset_count(faults_live(owner->faults));
}

static void tick(void *ctx, uint32_t events)
{
	struct owner *owner = ctx;
	uint64_t now_ns = clock_now_ns(), times;

	if (read(owner->tick_fd, &times, sizeof(times)) < 0 && errno != EAGAIN)
		log_warn("the owner's timer: %s", strerror(errno));
	lease_heard(owner->lease);
	faults_heal_expired(owner->faults);
	keeper_tick(owner, now_ns);
	clients_tick(owner->clients, now_ns);
	session_tick(owner, now_ns);
	managed_look_inside(owner->managed);
	follow_update(owner->follow);
	if (!owner->trace.client)
		loop_timer_set(owner->tick_fd, TICK_IDLE_NS);
	if (has_work(owner))
		owner->busy_ns = now_ns;
	else if (owner->with.idle_ns && now_ns - owner->busy_ns > owner->with.idle_ns)
		loop_stop(owner->loop);
}

/* ---- clients ---- */

static void client_gone(void *ctx, struct client *client)
{
	struct owner *owner = ctx;

	if (owner->trace.client == client)
		session_drop(owner);
	if (owner->is_ending)
		loop_stop(owner->loop);
}

static void accept_client(void *ctx, uint32_t events)
{
	struct owner *owner = ctx;
	int fd = accept4(owner->listen_fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

	if (fd >= 0)
		clients_add(owner->clients,
			    fd); /* who is not taken sees it by the end of the connection */
}

static void end_by_signal(void *ctx, uint32_t events)
{
	struct owner *owner = ctx;

	loop_stop(owner->loop);
}

/* ---- making, step by step; each says what it could not do ---- */

/* Whoever may write there could put a socket of his own in our place. */
static int check_run_dir(const char *dir)
{
	struct stat st;

	if (lstat(dir, &st) < 0)
		return log_err(-errno, "cannot look at %s: %s", dir, strerror(errno));
	if (!S_ISDIR(st.st_mode))
		return log_err(-ENOTDIR, "%s is no folder", dir);
	if (st.st_uid != 0 || (st.st_mode & (S_IWGRP | S_IWOTH)))
		return log_err(
			-EPERM,
			"others than root may write to %s: the owner's folder must be root's alone",
			dir);
	return 0;
}

static int make_run_dir(void)
{
	const char *dir;
	int r;

	r = wire_run_dir(&dir);
	if (r < 0)
		return log_err(r, "HOPFAULT_RUN_DIR is not an absolute path");
	if (mkdir(dir, 0700) < 0 && errno != EEXIST)
		return log_err(-errno, "cannot make %s: %s", dir, strerror(errno));
	return check_run_dir(dir);
}

static int take_lock(struct owner *owner)
{
	char path[256];
	int r;

	r = make_run_dir();
	if (r < 0)
		return r;
	r = wire_path("owner.lock", path, sizeof(path));
	if (r < 0)
		return log_err(r, "the path of the owner's lock is too long");
	owner->lock_fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (owner->lock_fd < 0)
		return log_err(-errno, "cannot open %s: %s", path, strerror(errno));
	if (flock(owner->lock_fd, LOCK_EX | LOCK_NB) == 0)
		return 0;
	if (owner->with.ready_fd < 0) /* else the command that started us waits for the other */
		log_err(-EALREADY, "an owner is running already");
	return -EALREADY;
}

static int drop_privileges(struct owner *owner)
{
	int r = privileges_drop();

	return r < 0 ? log_err(r, "cannot give up what the owner does not need: %s", strerror(-r))
		     : 0;
}

static int clean_residue(struct owner *owner)
{
	struct residue_result result = {};
	int r = residue_clean(&result);

	if (r < 0)
		return log_err(r, "cannot look for what a killed owner left: %s", strerror(-r));
	if (result.knob)
		log_info("set rcu_expedited back, which a killed owner left");
	if (result.filters || result.fqs)
		log_info("took away what a killed owner left: %u filters, %u fq", result.filters,
			 result.fqs);
	return 0;
}

static int probe(struct owner *owner)
{
	probe_kernel(&owner->probe);
	return 0;
}

/* Without, attaching takes its time, and all works. */
static int start_grace(struct owner *owner)
{
	int r;

	if (!owner->probe.expedite)
		return 0;
	r = wire_path(GRACE_NOTE, owner->grace_note, sizeof(owner->grace_note));
	if (r >= 0)
		r = grace_start(&(struct grace_files){ .note = owner->grace_note });
	if (r < 0)
		log_warn("attaching will be slow: cannot watch over %s: %s", owner->grace_note,
			 strerror(-r));
	return 0;
}

static int choose_engine(struct owner *owner)
{
	if (owner->with.engine == HF_ENGINE_NONE)
		owner->with.engine = probe_best_engine(&owner->probe);
	else if (!probe_has_engine(&owner->probe, owner->with.engine))
		return log_err(-EOPNOTSUPP,
			       "this kernel has no %s delay engine (see: hopfault check)",
			       hf_engine_name(owner->with.engine));
	return 0;
}

static int load_programs(struct owner *owner)
{
	int r;

	if (!owner->probe.ringbuf)
		return log_err(-EOPNOTSUPP,
			       "this kernel has no BPF ring buffer: nothing works without "
			       "(Linux 5.8 or newer; see: hopfault check)");
	if (!probe_can_attach(&owner->probe))
		return log_err(-EOPNOTSUPP,
			       "this kernel has neither TCX nor clsact: there is no place "
			       "for a fault (see: hopfault check)");
	r = choose_engine(owner);
	if (r < 0)
		return r;
	r = programs_load(&owner->probe, &owner->programs);
	if (r < 0)
		return log_err(r, "cannot load the BPF programs: %s", strerror(-r));
	return 0;
}

/*
 * The mark tells a packet that comes back from us from all others: nobody shall guess it. It has two forms, and neither
 * must be what a packet has that nobody marked.
 */
static int make_mark(struct owner *owner)
{
	uint32_t mark = 0;

	while ((mark & ~HF_MARK_OUTWARD) == 0)
		if (getrandom(&mark, sizeof(mark), 0) != sizeof(mark))
			return log_err(-EIO, "no random numbers to be had");
		else
			mark &= HF_MARK_SECRET;
	programs_config(owner->programs)->release_mark = mark;
	return 0;
}

static int start_hold(struct owner *owner)
{
	const struct hold_options options = hold_options_default();
	const struct hold_shared shared = {
		.config = programs_config(owner->programs),
		.returns = programs_returns(owner->programs),
	};
	int r;

	if (!owner->probe.tun)
		return 0;
	r = hold_new(&options, &shared, &owner->hold);
	if (r >= 0)
		r = hold_start(owner->hold);
	if (r < 0)
		return log_err(r, "cannot start the hold engine: %s", strerror(-r));
	return 0;
}

static int make_follow(struct owner *owner)
{
	int r;

	r = follow_new(&(struct follow_options){ .programs = owner->programs, .loop = owner->loop },
		       &owner->follow);
	return r < 0 ? log_err(r, "cannot start the threads that follow endpoints: %s",
			       strerror(-r))
		     : 0;
}

static void on_change(void *ctx)
{
	struct owner *owner = ctx;

	follow_update(owner->follow);
}

static int make_managed(struct owner *owner)
{
	return managed_new(
		&(struct managed_options){
			.programs = owner->programs,
			.hold = owner->hold,
			.loop = owner->loop,
			.guard = follow_guard(owner->follow),
			.changed = on_change,
			.engine = owner->with.engine,
			.progress = on_progress,
			.ctx = owner,
		},
		&owner->managed);
}

static int make_faults(struct owner *owner)
{
	return faults_new(
		&(struct faults_options){
			.managed = owner->managed,
			.hold = owner->hold,
			.maps = { .faultset_fd =
					  programs_map_fd(owner->programs, PROGRAMS_FAULTSET),
				  .counts_fd = programs_map_fd(owner->programs, PROGRAMS_COUNTS),
				  .dice_fd = programs_map_fd(owner->programs, PROGRAMS_DICE) },
		},
		&owner->faults);
}

static int make_clients(struct owner *owner)
{
	const struct client_handlers handlers = {
		.request = requests_handle,
		.gone = client_gone,
		.ctx = owner,
	};

	return clients_new(owner->loop, &handlers, &owner->clients);
}

static int begin_to_follow(struct owner *owner)
{
	return follow_begin(owner->follow, owner->managed, owner->faults);
}

static int listen_for_clients(struct owner *owner)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	mode_t mask;
	int r;

	r = wire_path(WIRE_SOCKET, addr.sun_path, sizeof(addr.sun_path));
	if (r < 0)
		return log_err(r, "the path of the control socket is too long");
	owner->listen_fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	unlink(addr.sun_path); /* we have the lock: it is a dead owner's */
	mask = umask(0177);
	r = bind(owner->listen_fd, (struct sockaddr *)&addr, sizeof(addr));
	umask(mask);
	if (r < 0 || listen(owner->listen_fd, 64) < 0)
		return log_err(-errno, "cannot listen on %s: %s", addr.sun_path, strerror(errno));
	return loop_watch(owner->loop, owner->listen_fd, EPOLLIN, accept_client, owner);
}

static int watch_signals(struct owner *owner)
{
	sigset_t ends;

	sigemptyset(&ends);
	sigaddset(&ends, SIGTERM);
	sigaddset(&ends, SIGINT);
	sigprocmask(SIG_BLOCK, &ends, NULL);
	signal(SIGPIPE, SIG_IGN);
	signal(SIGHUP, SIG_IGN);
	owner->signal_fd = signalfd(-1, &ends, SFD_CLOEXEC | SFD_NONBLOCK);
	return loop_watch(owner->loop, owner->signal_fd, EPOLLIN, end_by_signal, owner);
}

static int start_ticking(struct owner *owner)
{
	owner->started_ns = owner->busy_ns = clock_now_ns();
	owner->tick_fd = loop_timer(owner->loop, TICK_IDLE_NS, tick, owner);
	if (owner->tick_fd < 0)
		return owner->tick_fd;
	return lease_start(programs_config(owner->programs), owner->hold, LEASE_PATIENCE_NS,
			   &owner->lease);
}

static int make_loop(struct owner *owner)
{
	return loop_new(&owner->loop);
}

/* From now on nobody reads what it says but in its log. */
static void leave_terminal(void)
{
	char path[256];
	int log_fd, null_fd;

	if (wire_path("owner.log", path, sizeof(path)) < 0)
		return;
	log_fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0600);
	null_fd = open("/dev/null", O_RDWR | O_CLOEXEC);
	if (log_fd >= 0 && null_fd >= 0) {
		dup2(null_fd, STDIN_FILENO);
		dup2(null_fd, STDOUT_FILENO);
		dup2(log_fd, STDERR_FILENO);
	}
	closep(&log_fd);
	closep(&null_fd);
}

static void tell_ready(struct owner *owner, int r)
{
	if (owner->with.ready_fd < 0)
		return;
	if (r >= 0)
		leave_terminal();
	dprintf(owner->with.ready_fd, "%s\n",
		r >= 0		 ? "ready"
		: r == -EALREADY ? "busy"
				 : "failed");
	close(owner->with.ready_fd);
	owner->with.ready_fd = -1;
}

static void take_down(struct owner *owner)
{
	char path[256];

	session_drop(owner);
	if (owner->faults)
		faults_heal_all(owner->faults);
	follow_free(owner->follow);
	faults_free(owner->faults);
	managed_free(owner->managed);
	lease_end(owner->lease);
	clients_free(owner->clients);
	hold_free(owner->hold);
	programs_free(owner->programs);
	grace_stop();
	loop_free(owner->loop);
	if (owner->listen_fd >= 0 && wire_path(WIRE_SOCKET, path, sizeof(path)) == 0)
		unlink(path);
	closep(&owner->listen_fd);
	closep(&owner->signal_fd);
	closep(&owner->tick_fd);
	closep(&owner->lock_fd);
}

int daemon_run(const struct daemon_options *options)
{
	static int (*const steps[])(struct owner * owner) = {
		take_lock,     drop_privileges,	   clean_residue, probe,	   start_grace,
		make_loop,     watch_signals,	   load_programs, make_mark,	   start_hold,
		make_follow,   make_managed,	   make_faults,	  begin_to_follow, make_clients,
		start_ticking, listen_for_clients,
	};
	struct owner *owner = calloc(1, sizeof(*owner));
	int r = 0;

	if (!owner)
		return -ENOMEM;
	owner->with = *options;
	owner->lock_fd = owner->listen_fd = owner->signal_fd = owner->tick_fd = -1;
	for (size_t i = 0; i < KEEPERS_MAX; i++)
		owner->keeper[i].pidfd = -1;
	for (size_t i = 0; i < ARRAY_SIZE(steps) && r >= 0; i++)
		r = steps[i](owner);
	tell_ready(owner, r);
	if (r >= 0)
		r = loop_run(owner->loop);
	take_down(owner);
	free(owner);
	return r;
}
