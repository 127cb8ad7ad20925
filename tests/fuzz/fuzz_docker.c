/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * fuzz_docker.c - any bytes as an engine's answer: nothing crashes, and what is taken has only names that may be printed,
 * written into a path or given as a word; a word that was one of them finds its container again.
 *
 * The first byte chooses: a list, an answer about one container, an error's message.
 *
 *     build/fuzz_docker -max_total_time=30
 *
 * uses: user/endpoint/container.c user/endpoint/container_parse.c user/endpoint/selector.c user/endpoint/endpoint_name.c user/base/text.c
 */
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "endpoint/container.h"
#include "promise.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool is_name_or_nothing(const char *name)
{
	return !name[0] || container_name_is_valid(name);
}

static void check_found_again(const struct container *container, const char *word)
{
	struct selector selector = { 0 };
	const char *reason;

	must(selector_parse(word, &selector, &reason) == 0, "a name is a word");
	must(container_match(container, &selector) != ENDPOINT_MATCH_NOT, "a name finds its own");
	selector_done(&selector);
}

static void check_container(const struct container *container)
{
	must(container_id_is_valid(container->id), "an id is an id");
	must(container_name_is_valid(container->name), "a name is a name");
	must(is_name_or_nothing(container->project), "a project is a name");
	must(is_name_or_nothing(container->service), "a service is a name");
	must(is_name_or_nothing(container->owner), "an owner is a name");
	must(container->networks <= CONTAINER_NETWORKS_MAX, "networks fit");
	for (size_t i = 0; i < container->networks; i++)
		must(is_name_or_nothing(container->network[i].name), "a network is a name");
	check_found_again(container, container->name);
	check_found_again(container, container->id);
	if (container->service[0])
		check_found_again(container, container->service);
}

static void try_list(const char *text, size_t size)
{
	struct containers containers = { 0 };

	if (containers_parse(text, size, &containers) < 0)
		return;
	must(containers.count <= CONTAINERS_MAX, "containers are bounded");
	for (size_t i = 0; i < containers.count; i++)
		check_container(&containers.container[i]);
	containers_done(&containers);
}

static void try_one(const char *text, size_t size)
{
	struct container container = { .name = "x" };
	pid_t pid = -1;

	memset(container.id, 'a', CONTAINER_ID_LEN);
	if (container_update(text, size, &container, &pid) < 0)
		return;
	must(pid >= 0, "a process id is one");
	check_container(&container);
}

static void try_message(const char *text, size_t size)
{
	char message[64];

	container_message_parse(text, size, message, sizeof(message));
	for (const char *at = message; *at; at++)
		must((unsigned char)*at >= ' ' && *at != 0x7f, "a message is harmless");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size == 0)
		return 0;
	if (data[0] == 'o')
		try_one((const char *)data + 1, size - 1);
	else if (data[0] == 'm')
		try_message((const char *)data + 1, size - 1);
	else
		try_list((const char *)data + 1, size - 1);
	return 0;
}
