/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * fake_engine.c - see fake_engine.h. A process for each connection; all die with the test.
 */
#include "fake_engine.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

struct script {
	enum fake_manner manner;
	const char *list, *detail;
};

/* One request's head; 0 when the other side has gone. */
static size_t read_request(int fd, char *text, size_t size)
{
	size_t len = 0;

	while (len < size - 1) {
		ssize_t n = read(fd, text + len, size - 1 - len);

		if (n <= 0)
			return 0;
		len += (size_t)n;
		text[len] = '\0';
		if (strstr(text, "\r\n\r\n"))
			return len;
	}
	return 0;
}

static void reply(int fd, int status, const char *body)
{
	dprintf(fd,
		"HTTP/1.1 %d x\r\nContent-Type: application/json\r\nContent-Length: %zu\r\n\r\n%s",
		status, strlen(body), body);
}

static void write_without_end(int fd, const char *begin, const char *again, long pause_ns)
{
	struct timespec pause = { .tv_nsec = pause_ns };

	dprintf(fd, "%s", begin);
	while (write(fd, again, strlen(again)) > 0)
		if (pause_ns)
			nanosleep(&pause, NULL);
}

static void answer(int fd, const struct script *script, const char *request)
{
	static const char endless[] = "HTTP/1.1 200 OK\r\n\r\n";
	static char much[65537];
	bool is_list = strstr(request, "GET /containers/json") == request;

	memset(much, script->manner == FAKE_DEEP ? '[' : ' ', sizeof(much) - 1);
	switch (script->manner) {
	case FAKE_ANSWERS:
		reply(fd, 200, is_list ? script->list : script->detail);
		break;
	case FAKE_FORGETS:
		reply(fd, is_list ? 200 : 404, is_list ? script->list : "{}");
		break;
	case FAKE_REFUSES:
		reply(fd, 500, script->list);
		break;
	case FAKE_NOT_JSON:
		reply(fd, 200, "<html>it works</html>");
		break;
	case FAKE_GARBAGE:
		dprintf(fd, "SSH-2.0-OpenSSH_9.2\r\n\033[31m\r\n");
		shutdown(fd, SHUT_WR);
		break;
	case FAKE_SLOW:
		write_without_end(fd, endless, " ", 20000000);
		break;
	case FAKE_HUGE:
		write_without_end(fd, endless, much, 0);
		break;
	case FAKE_DEEP:
		dprintf(fd, "%s", endless);
		for (int i = 0; i < 16; i++)
			dprintf(fd, "%s", much);
		exit(0);
	case FAKE_HEADERS:
		write_without_end(fd, "HTTP/1.1 200 OK\r\n", "X-More: and more\r\n", 1000000);
		break;
	case FAKE_HANGS:
	case FAKE_NOT_TAKEN:
		pause();
		break;
	case FAKE_HANGS_UP:
		exit(0);
	}
}

static void die_with_parent(void)
{
	prctl(PR_SET_PDEATHSIG, SIGKILL);
}

static void serve(int listener, const struct script *script)
{
	char request[4096];
	int fd;

	die_with_parent();
	signal(SIGCHLD, SIG_IGN);
	signal(SIGPIPE, SIG_IGN);
	while (script->manner == FAKE_NOT_TAKEN)
		pause();
	while ((fd = accept(listener, NULL, NULL)) >= 0) {
		if (fork() == 0) {
			die_with_parent();
			while (read_request(fd, request, sizeof(request)))
				answer(fd, script, request);
			exit(0);
		}
		close(fd);
	}
	exit(0);
}

void fake_engine_start(struct fake_engine *fake, enum fake_manner manner, const char *list,
		       const char *detail)
{
	struct script script = { manner, list, detail };
	struct sockaddr_un address = { .sun_family = AF_UNIX };

	strcpy(fake->dir, "/tmp/fake_engine.XXXXXX");
	assert_non_null(mkdtemp(fake->dir));
	snprintf(fake->socket_path, sizeof(fake->socket_path), "%s/sock", fake->dir);
	strcpy(address.sun_path, fake->socket_path);
	fake->listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_true(fake->listener >= 0);
	assert_int_equal(bind(fake->listener, (struct sockaddr *)&address, sizeof(address)), 0);
	assert_int_equal(listen(fake->listener, 16), 0);
	fflush(NULL);
	fake->pid = fork();
	assert_true(fake->pid >= 0);
	if (fake->pid == 0)
		serve(fake->listener, &script);
}

void fake_engine_stop(struct fake_engine *fake)
{
	if (fake->pid <= 0)
		return;
	kill(fake->pid, SIGKILL);
	waitpid(fake->pid, NULL, 0);
	close(fake->listener);
	unlink(fake->socket_path);
	rmdir(fake->dir);
	fake->pid = 0;
}
