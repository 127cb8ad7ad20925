/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * hopchain.c - the lab's service: it answers HTTP/1.1, and calls the next of its kind to do so.
 *
 *     client -> a -> b -> c -> d -> e        each answer holds the next one's answer
 *
 * It stands for the services that hopfault is used on, so it knows nothing of faults and traces.
 * This file: options, start, stop. service.c says what is answered; service_threads.c and
 * service_epoll.c wait in two different ways.
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/signalfd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/options.h"
#include "chain/address.h"
#include "chain/service.h"
#include "chain/service_options.h"

#define FILES_WANTED 4096
#define FILES_BESIDE 32 /* open for other things than connections */

static const char *const mode_words[] = { "threads", "epoll", NULL };
static const char *const off_on_words[] = { "off", "on", NULL };

static const char *const fallback_words[] = { "none", "cached", "partial", NULL };

#define INTO(field) OPTION_INTO(struct hopchain_options, field)

static const struct option_row rows[] = {
	{ "name", 0, "NAME", "its name in answers (hopchain)", OPTION_TEXT, INTO(name) },
	{ "listen", 0, "[ADDR:]PORT",
	  "where it is called: every address, IPv4 and IPv6, when none is given (8080)",
	  OPTION_TEXT, INTO(listen) },
	{ "next", 0, "HOST:PORT,...",
	  "whom it calls: an address, [IPv6] in brackets, or a name; new connections go to several "
	  "in turn",
	  OPTION_TEXT, INTO(next) },
	{ "next-name", 0, "NAME", "the next one's name in answers about failures (HOST)",
	  OPTION_TEXT, INTO(next_name) },
	{ "mode", 0, "threads|epoll",
	  "a thread for each caller, or one event loop for all (threads)", OPTION_CHOICE,
	  INTO(mode), .choices = mode_words },
	{ "keep-alive", 0, "on|off", "keep connections to the next one (on)", OPTION_CHOICE,
	  INTO(keep_alive), .choices = off_on_words },
	{ "work", 0, "TIME", "own busy work for each request, such as 200us (none)", OPTION_TIME,
	  INTO(work_ns) },
	{ "wait", 0, "TIME", "own waiting for each request, as for a disk, after its work (none)",
	  OPTION_TIME, INTO(wait_ns) },
	{ "workers", 0, "N",
	  "work on so many requests at once; others wait unread (threads only; no limit)",
	  OPTION_COUNT, INTO(workers), .min = 1, .max = BULKHEAD_MAX },
	{ "queue", 0, "N", "with --workers: when so many wait, refuse with 503 (1024)",
	  OPTION_COUNT, INTO(queue), .max = BULKHEAD_MAX },
	{ "fail", 0, "SHARE", "answer this share of requests with 500, such as 30% (none)",
	  OPTION_PERCENT, INTO(fail_odds) },
	{ "answer-size", 0, "SIZE", "padding in its own part of the answer, such as 2k (none)",
	  OPTION_SIZE, INTO(answer_bytes) },
	{ "timeout", 0, "TIME",
	  "for connecting to the next one and its whole answer, in each try (1s)", OPTION_TIME,
	  INTO(timeout_ns) },
	{ "retries", 0, "N",
	  "make a call that failed (no answer, or 500 and more) again, up to N times (0)",
	  OPTION_COUNT, INTO(retries), .max = RETRY_MAX },
	{ "backoff", 0, "TIME",
	  "before the first retry wait up to TIME, before each further one up to twice as long (at "
	  "once)",
	  OPTION_TIME, INTO(backoff_ns) },
	{ "backoff-max", 0, "TIME", "never wait longer than this (1s)", OPTION_TIME,
	  INTO(backoff_max_ns) },
	{ "jitter", 0, "on|off", "wait a random part of that time, or all of it (on)",
	  OPTION_CHOICE, INTO(jitter), .choices = off_on_words },
	{ "breaker", 0, "SHARE",
	  "call no more when this share of the last calls failed, such as 50% (never)",
	  OPTION_PERCENT, INTO(breaker_odds) },
	{ "breaker-calls", 0, "N", "how many calls are looked at (20)", OPTION_COUNT,
	  INTO(breaker_calls), .min = 1, .max = BREAKER_CALLS_MAX },
	{ "breaker-open", 0, "TIME", "then try whether it is well again (1s)", OPTION_TIME,
	  INTO(breaker_open_ns) },
	{ "breaker-probes", 0, "N", "with so many calls, all of which must succeed (1)",
	  OPTION_COUNT, INTO(breaker_probes), .min = 1, .max = BREAKER_PROBES_MAX },
	{ "calls-max", 0, "N", "bulkhead: at most N calls of the next one at once (no limit)",
	  OPTION_COUNT, INTO(calls_max), .min = 1, .max = BULKHEAD_MAX },
	{ "fallback", 0, "cached|partial|none",
	  "when the next one fails, answer with its last good answer, or without it (none)",
	  OPTION_CHOICE, INTO(fallback), .choices = fallback_words },
	{ "seed", 0, "N", "of --fail and of jitter (1)", OPTION_COUNT, INTO(seed) },
	{ "monolith", 0, "N", "do N steps of the work in this process and call nobody",
	  OPTION_COUNT, INTO(monolith), .min = 1, .max = SERVICE_MONOLITH_MAX_STEPS },
	{ "ready-fd", 0, "N", "write the ready line to this file descriptor, not to stdout",
	  OPTION_COUNT, INTO(ready_fd), .min = 1, .max = 1 << 20 },
	{ "help", 'h', NULL, "print this", OPTION_FLAG, INTO(help) },
	{}
};

static int print_help(void)
{
	printf("hopchain: a small HTTP service that calls the next one\n\n"
	       "usage: hopchain [OPTION...]\n\n");
	options_print_help(rows, stdout);
	printf("\nGET /healthz is answered at once, and " SERVICE_COUNTS_PATH
	       " with what it has counted; any other\npath goes down the chain.\n"
	       "SIGTERM ends it.\n");
	return 0;
}

/* Names go into answers as they are, so they are made of what needs no escape. */
static int take_name(const char *option, const char *name, char to[SERVICE_NAME_MAX_BYTES])
{
	static const char name_bytes[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
					 "0123456789._:[]-";

	if (!*name || strlen(name) >= SERVICE_NAME_MAX_BYTES)
		return log_err(-EINVAL, "--%s: a name has 1 to %d characters", option,
			       SERVICE_NAME_MAX_BYTES - 1);
	if (name[strspn(name, name_bytes)])
		return log_err(-EINVAL,
			       "--%s: '%s': a name is made of letters, digits and . _ - :", option,
			       name);
	strcpy(to, name);
	return 0;
}

static int take_address(const char *option, const char *text, struct address_text *ret_text,
			struct service_address *ret_address)
{
	const char *reason;
	int r;

	r = address_split(text, ret_text, &reason);
	if (r < 0)
		return log_err(r, "--%s: '%s': %s", option, text, reason);
	r = address_resolve(ret_text, &ret_address->addr, &ret_address->len);
	if (r < 0)
		return log_err(r, "--%s: '%s': %s", option, text,
			       r == -EAGAIN ? "the name server does not answer" : "no such host");
	return 0;
}

/* The first one's name stands for all in the Host field, and in answers when no other is said. */
static int take_next_name(const struct hopchain_options *options, const char *first,
			  const char *host, struct service *service)
{
	int r = take_name("next", first, service->next_host);

	if (r < 0)
		return r;
	if (options->next_name)
		return take_name("next-name", options->next_name, service->next_name);
	strcpy(service->next_name, host);
	return 0;
}

static int take_one_next(const struct hopchain_options *options, const char *word,
			 struct service *service)
{
	struct address_text text;
	int r;

	if (service->nexts == SERVICE_NEXT_MAX)
		return log_err(-E2BIG, "--next: at most %d addresses", SERVICE_NEXT_MAX);
	r = take_address("next", word, &text, &service->next[service->nexts]);
	if (r < 0)
		return r;
	if (!text.host[0] || !text.port)
		return log_err(-EINVAL, "--next: '%s': write HOST:PORT", word);
	if (service->nexts++)
		return 0;
	return take_next_name(options, word, text.host, service);
}

static int take_next(const struct hopchain_options *options, struct service *service)
{
	_cleanup_(freep) char *list = NULL;
	char *rest = NULL;
	int r = 0;

	if (!options->next)
		return 0;
	if (options->monolith)
		return log_err(-EINVAL, "--monolith calls nobody: --next can't be given with it");
	list = strdup(options->next);
	if (!list)
		return log_err(-ENOMEM, "no memory");
	for (char *word = strtok_r(list, ",", &rest); word && r == 0;
	     word = strtok_r(NULL, ",", &rest))
		r = take_one_next(options, word, service);
	if (r == 0 && !service->nexts)
		return log_err(-EINVAL, "--next: '%s': write HOST:PORT", options->next);
	return r;
}

static int take_options(const struct hopchain_options *options, struct service *service)
{
	struct address_text listen;
	int r;

	r = take_name("name", options->name, service->name);
	if (r < 0)
		return r;
	r = take_address("listen", options->listen, &listen, &service->listen);
	if (r < 0)
		return r;
	if (options->answer_bytes > SERVICE_ANSWER_PAD_MAX)
		return log_err(-ERANGE, "--answer-size: at most %u bytes", SERVICE_ANSWER_PAD_MAX);
	if (!options->timeout_ns)
		return log_err(-ERANGE, "--timeout: must be more than 0");
	service->mode = (enum service_mode)options->mode;
	service->keep_alive = options->keep_alive;
	service->monolith_steps = (unsigned int)options->monolith;
	service->pad_bytes = (uint32_t)options->answer_bytes;
	service->work_ns = options->work_ns;
	service->wait_ns = options->wait_ns;
	service->timeout_ns = options->timeout_ns;
	r = service_take_guards(options, service);
	return r < 0 ? r : take_next(options, service);
}

/* Each caller may need a connection to the next service as well, and some of these are kept idle. */
static unsigned int connections_that_fit(void)
{
	struct rlimit limit = { 1024, 1024 };
	rlim_t pairs;

	getrlimit(RLIMIT_NOFILE, &limit);
	if (limit.rlim_cur < FILES_WANTED) {
		limit.rlim_cur = limit.rlim_max < FILES_WANTED ? limit.rlim_max : FILES_WANTED;
		setrlimit(RLIMIT_NOFILE, &limit);
		getrlimit(RLIMIT_NOFILE, &limit);
	}
	if (limit.rlim_cur < FILES_BESIDE + SERVICE_POOL_MAX + 2)
		return 1;
	pairs = (limit.rlim_cur - FILES_BESIDE - SERVICE_POOL_MAX) / 2;
	return pairs < SERVICE_CONNECTIONS_MAX ? (unsigned int)pairs : SERVICE_CONNECTIONS_MAX;
}

static int open_stop_fd(int *ret_fd)
{
	sigset_t signals;

	sigemptyset(&signals);
	sigaddset(&signals, SIGTERM);
	sigaddset(&signals, SIGINT);
	if (sigprocmask(SIG_BLOCK, &signals, NULL) < 0)
		return -errno;
	*ret_fd = signalfd(-1, &signals, SFD_CLOEXEC);
	return *ret_fd < 0 ? -errno : 0;
}

/* "ready NAME PORT": the port matters when 0, any free one, was asked for. */
static int tell_ready(const struct service *service, int listen_fd, int ready_fd)
{
	struct sockaddr_storage addr;
	socklen_t len = sizeof(addr);
	char line[SERVICE_NAME_MAX_BYTES + 32];
	in_port_t port;
	int size;

	if (getsockname(listen_fd, (struct sockaddr *)&addr, &len) < 0)
		return -errno;
	port = addr.ss_family == AF_INET6 ? ((struct sockaddr_in6 *)&addr)->sin6_port
					  : ((struct sockaddr_in *)&addr)->sin_port;
	size = snprintf(line, sizeof(line), "ready %s %u\n", service->name, ntohs(port));
	if (write(ready_fd, line, (size_t)size) != size)
		return errno ? -errno : -EIO;
	if (ready_fd > STDERR_FILENO)
		close(ready_fd);
	return 0;
}

static int serve(struct service *service, int ready_fd)
{
	_cleanup_(closep) int listen_fd = -1;
	_cleanup_(closep) int stop_fd = -1;
	int r;

	service->connections_max = connections_that_fit();
	service->started_ns = clock_now_ns();
	r = open_stop_fd(&stop_fd);
	if (r < 0)
		return log_err(r, "cannot wait for signals: %s", strerror(-r));
	r = service_listen(service, &listen_fd);
	if (r < 0)
		return log_err(r, "cannot listen: %s", strerror(-r));
	r = tell_ready(service, listen_fd, ready_fd);
	if (r < 0)
		return log_err(r, "cannot tell that it is ready: %s", strerror(-r));
	r = service->mode == SERVICE_EPOLL ? service_run_epoll(service, listen_fd, stop_fd)
					   : service_run_threads(service, listen_fd, stop_fd);
	if (r < 0)
		return log_err(r, "cannot serve: %s", strerror(-r));
	service_done(service);
	return 0;
}

int main(int argc, char **argv)
{
	_cleanup_(options_words_done) struct options_words words = { 0 };
	struct hopchain_options options = {
		.name = "hopchain",
		.listen = "8080",
		.keep_alive = 1,
		.jitter = 1,
		.queue = QUEUE_NOT_GIVEN,
		.seed = 1,
		.timeout_ns = 1000000000,
		.ready_fd = STDOUT_FILENO,
	};
	static struct service service; /* zeroed; large only by its addresses */
	char error[OPTIONS_ERROR_MAX];

	if (options_parse(rows, 0, argc, argv, &options, &words, error) < 0) {
		log_err(-EINVAL, "%s", error + strlen(argv[0]) + strlen(": "));
		return 2;
	}
	if (options.help)
		return print_help();
	if (words.count || words.command) {
		log_err(-EINVAL, "it takes options only: see hopchain --help");
		return 2;
	}
	if (take_options(&options, &service) < 0)
		return 2;
	return serve(&service, (int)options.ready_fd) < 0 ? 1 : 0;
}
