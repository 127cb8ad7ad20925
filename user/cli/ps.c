/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * ps.c - `hopfault ps`: what can be named.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <jansson.h>
#include <linux/rtnetlink.h>
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/log.h"
#include "base/table.h"
#include "cli/ask.h"
#include "cli/command.h"
#include "endpoint/endpoint.h"
#include "endpoint/sockets.h"

struct ps_options {
	bool help;
	struct command_sockets sockets;
	bool json;
};

static const struct option_row ps_rows[] = { COMMAND_HELP_ROW(struct ps_options),
					     { .name = "json",
					       .help = "print JSON",
					       .kind = OPTION_FLAG,
					       OPTION_INTO(struct ps_options, json) },
					     COMMAND_SOCKET_ROWS(struct ps_options, sockets),
					     {} };

/* The first that is no link-local one. */
static const char *main_address(const struct endpoint_interface *interface, char *text)
{
	for (size_t i = 0; i < interface->addrs; i++)
		if (interface->addr[i].scope == RT_SCOPE_UNIVERSE)
			return endpoint_addr_text(&interface->addr[i].addr, text);
	return "";
}

/* One that can't be worked on: why is told below the table. */
static void print_refused(struct table *table, const struct endpoint *endpoint)
{
	table_cell(table, "%s", endpoint->name);
	table_cell(table, "%s", endpoint_kind_word(endpoint->kind));
	if (endpoint->pid)
		table_cell(table, "%d", endpoint->pid);
	else
		table_cell(table, "-");
	table_cell(table, "-");
	table_cell(table, "-");
	table_cell(table, "-");
}

static void print_endpoint(struct table *table, const struct endpoint *endpoint)
{
	char address[INET6_ADDRSTRLEN];

	if (endpoint->interfaces == 0)
		print_refused(table, endpoint);
	for (size_t i = 0; i < endpoint->interfaces; i++) {
		const struct endpoint_interface *interface = &endpoint->interface[i];

		table_cell(table, "%s", i ? "" : endpoint->name);
		table_cell(table, "%s", i ? "" : endpoint_kind_word(endpoint->kind));
		if (endpoint->pid && !i)
			table_cell(table, "%d", endpoint->pid);
		else
			table_cell(table, "%s", i ? "" : "-");
		table_cell(table, "%s", main_address(interface, address));
		table_cell(table, "%s", endpoint_interface_network(interface));
		table_cell(table, "%s%s", interface->host.ifname,
			   interface->host.is_inside ? " inside" : "");
	}
}

static json_t *text_or_null(const char *text)
{
	return text[0] ? json_string(text) : json_null();
}

static json_t *interface_json(const struct endpoint_interface *interface)
{
	json_t *addresses = json_array();
	char address[INET6_ADDRSTRLEN];

	for (size_t i = 0; i < interface->addrs; i++)
		json_array_append_new(addresses, json_string(endpoint_addr_text(
							 &interface->addr[i].addr, address)));
	return json_pack("{s:s,s:o,s:o,s:o,s:s,s:I,s:b}", "name", interface->name, "addresses",
			 addresses, "network", text_or_null(interface->network), "bridge",
			 text_or_null(interface->host.bridge), "veth", interface->host.ifname,
			 "veth_ifindex", (json_int_t)interface->host.ifindex, "inside",
			 interface->host.is_inside);
}

static json_t *endpoint_json(const struct endpoint *endpoint)
{
	json_t *interfaces = json_array();

	for (size_t i = 0; i < endpoint->interfaces; i++)
		json_array_append_new(interfaces, interface_json(&endpoint->interface[i]));
	return json_pack("{s:s,s:s,s:o,s:o,s:o,s:o,s:o,s:o,s:o}", "name", endpoint->name, "engine",
			 endpoint_kind_word(endpoint->kind), "pid",
			 endpoint->pid ? json_integer(endpoint->pid) : json_null(), "id",
			 text_or_null(endpoint->id), "project", text_or_null(endpoint->project),
			 "service", text_or_null(endpoint->service), "state",
			 text_or_null(endpoint_state_word(endpoint->state)), "refusal",
			 text_or_null(endpoint->refusal), "interfaces", interfaces);
}

static int print_json(const struct endpoint_list *list)
{
	_cleanup_(json_decrefp) json_t *value = json_array();

	for (size_t i = 0; i < list->count; i++)
		json_array_append_new(value, endpoint_json(list->endpoint[i]));
	return ask_print_json(value);
}

/* What a user must know of one, and no column says. */
static void print_note(const struct endpoint *endpoint)
{
	if (endpoint->refusal[0])
		printf("%s can't be worked on: %s\n", endpoint->name, endpoint->refusal);
	else if (endpoint->left_out[0])
		printf("%s: nothing can be done on one of its interfaces: %s\n", endpoint->name,
		       endpoint->left_out);
	else if (endpoint->owner[0])
		printf("%s has the network of %s\n", endpoint->name, endpoint->owner);
	else if (endpoint->state == ENDPOINT_PAUSED)
		printf("%s is paused\n", endpoint->name);
}

static int print_table(const struct endpoint_list *list)
{
	static const struct table_column columns[] = {
		{ .header = "NAME", .shrinks = true },	   { .header = "ENGINE" },
		{ .header = "PID", .align = TABLE_RIGHT }, { .header = "ADDRESS", .shrinks = true },
		{ .header = "NETWORK", .shrinks = true },  { .header = "VETH" },
	};
	_cleanup_(table_freep) struct table *table = table_new(columns, ARRAY_SIZE(columns), 80);

	for (size_t i = 0; i < list->count; i++)
		print_endpoint(table, list->endpoint[i]);
	if (list->count == 0) {
		puts("nothing can be named yet; `hopfault lab up` makes something to play with");
		return EXIT_DONE;
	}
	if (table_print(table, stdout) < 0)
		return EXIT_FAILED;
	for (size_t i = 0; i < list->count; i++)
		print_note(list->endpoint[i]);
	return EXIT_DONE;
}

static int run_ps(const struct command *command, int argc, char **argv)
{
	_cleanup_(options_words_done) struct options_words words = {};
	_cleanup_(endpoint_list_free) struct endpoint_list list = {};
	struct ps_options options = {};
	struct endpoint_sockets sockets;
	char trouble[ENDPOINT_ERROR_MAX];
	int status, r;

	status = command_parse(command, argc, argv, &options, &words);
	if (status != EXIT_DONE || options.help)
		return status;
	status = command_check_sockets(&options.sockets);
	if (status == EXIT_DONE)
		status = command_needs_root(command);
	if (status != EXIT_DONE)
		return status;
	endpoint_sockets_choose(options.sockets.docker, options.sockets.podman, &sockets);
	r = endpoint_list_at(&sockets, &list, trouble);
	if (r < 0) {
		log_err(r, "cannot list endpoints: %s", strerror(-r));
		return EXIT_FAILED;
	}
	if (trouble[0])
		log_warn("not all engines could be asked: %s", trouble);
	return options.json ? print_json(&list) : print_table(&list);
}

const struct command command_ps = {
	.name = "ps",
	.usage = "[--json]",
	.summary = "what can be named: containers, lab services, network namespaces",
	.options = ps_rows,
	.run = run_ps,
};
