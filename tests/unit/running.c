/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * running.c - see running.h.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "running.h"

static void *running_main(void *arg)
{
	struct running *running = arg;
	int r = running->service.mode == SERVICE_EPOLL
			? service_run_epoll(&running->service, running->listen_fd, running->stop_fd)
			: service_run_threads(&running->service, running->listen_fd,
					      running->stop_fd);

	return r < 0 ? running : NULL;
}

struct service_address loopback(uint16_t port)
{
	struct service_address address = { .len = sizeof(struct sockaddr_in) };
	struct sockaddr_in *in = (struct sockaddr_in *)&address.addr;

	in->sin_family = AF_INET;
	in->sin_port = htons(port);
	in->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	return address;
}

uint16_t port_of(int fd)
{
	struct sockaddr_in in;
	socklen_t len = sizeof(in);

	assert_int_equal(getsockname(fd, (struct sockaddr *)&in, &len), 0);
	return ntohs(in.sin_port);
}

struct running *start(const char *name, enum service_mode mode, uint16_t next_port)
{
	struct running *running = calloc(1, sizeof(*running));
	struct service *service = &running->service;

	assert_non_null(running);
	strcpy(service->name, name);
	strcpy(service->next_name, "next");
	strcpy(service->next_host, "next:1");
	service->listen = loopback(0);
	if (next_port)
		service->next[service->nexts++] = loopback(next_port);
	service->mode = mode;
	service->keep_alive = true;
	service->connections_max = 64;
	service->timeout_ns = 100000000;
	assert_int_equal(service_listen(service, &running->listen_fd), 0);
	running->stop_fd = eventfd(0, EFD_CLOEXEC);
	assert_true(running->stop_fd >= 0);
	snprintf(running->target, sizeof(running->target), "127.0.0.1:%u",
		 port_of(running->listen_fd));
	assert_int_equal(pthread_create(&running->thread, NULL, running_main, running), 0);
	return running;
}

void stop(struct running *running)
{
	void *failed;

	assert_int_equal(eventfd_write(running->stop_fd, 1), 0);
	assert_int_equal(pthread_join(running->thread, &failed), 0);
	assert_null(failed);
	service_done(&running->service);
	close(running->listen_fd);
	close(running->stop_fd);
	free(running);
}
