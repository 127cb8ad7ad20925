/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * running.h - hopchain services on loopback, in the test's own process.
 */
#ifndef HF_TESTS_RUNNING_H
#define HF_TESTS_RUNNING_H

#include <pthread.h>

#include "chain/service.h"

struct running {
	struct service service;
	int listen_fd;
	int stop_fd;
	pthread_t thread;
	char target[32];
};

struct service_address loopback(uint16_t port);
uint16_t port_of(int fd);

/* next_port 0: the last of the chain. What is to be set beyond that is set before the first request. */
struct running *start(const char *name, enum service_mode mode, uint16_t next_port);
void stop(struct running *running);

#endif
