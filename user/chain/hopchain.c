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
#include <string.h>
#include <sys/resource.h>
#include <sys/signalfd.h>

#include "base/cleanup.h"
#include "base/log.h"
#include "base/options.h"
#include "chain/address.h"
#include "chain/service.h"

#define FILES_WANTED 4096
#define FILES_BESIDE 32 /* open for other things than connections */

struct hopchain_options {
	const char *name;
	const char *listen;
	const char *next;
	const char *next_name;
	int mode;
	int keep_alive;
	uint64_t work_ns;
	uint64_t answer_bytes;
	uint64_t timeout_ns;
	uint64_t monolith;
	uint64_t ready_fd;
	bool help;
};

static const char *const mode_words[] = { "threads", "epoll", NULL };
static const char *const off_on_words[] = { "off", "on", NULL };

#define INTO(field) OPTION_INTO(struct hopchain_options, field)

static const struct option_row rows[] = {
	{ "name", 0, "NAME", "its name in answers (hopchain)", OPTION_TEXT, INTO(name) },
	{ "listen", 0, "[ADDR:]PORT",
	  "where it is called: every address, IPv4 and IPv6, when none is given (8080)",
	  OPTION_TEXT, INTO(listen) },
	{ "next", 0, "HOST:PORT", "whom it calls: an address, [IPv6] in brackets, or a name",
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
	{ "answer-size", 0, "SIZE", "padding in its own part of the answer, such as 2k (none)",
	  OPTION_SIZE, INTO(answer_bytes) },
	{ "timeout", 0, "TIME", "for connecting to the next one and its whole answer (1s)",
	  OPTION_TIME, INTO(timeout_ns) },
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
	printf("\nGET /healthz is answered at once; any other path goes down the chain.\n"
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

static int take_next(const struct hopchain_options *options, struct service *service)
{
	struct address_text text;
	int r;

	if (!options->next)
		return 0;
	if (options->monolith)
		return log_err(-EINVAL, "--monolith calls nobody: --next can't be given with it");
	r = take_address("next", options->next, &text, &service->next);
	if (r < 0)
		return r;
	if (!text.host[0] || !text.port)
		return log_err(-EINVAL, "--next: '%s': write HOST:PORT", options->next);
	r = take_name("next", options->next, service->next_host);
	if (r < 0)
		return r;
	if (options->next_name)
		return take_name("next-name", options->next_name, service->next_name);
	strcpy(service->next_name, text.host);
	return 0;
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
	service->timeout_ns = options->timeout_ns;
	return take_next(options, service);
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
	return 0;
}

int main(int argc, char **argv)
{
	_cleanup_(options_words_done) struct options_words words = { 0 };
	struct hopchain_options options = {
		.name = "hopchain",
		.listen = "8080",
		.keep_alive = 1,
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
