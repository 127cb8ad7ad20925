/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * lab_plan.c - who will be there, and which command each service is started with.
 *
 *     client -> [a1 a2 a3] -> b -> c        tiers 0, 1, 2, 3; a tier's services each call all of the next tier
 *
 * The commands are kept in the state, so that a service can be started again as it was.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "lab/lab_parts.h"

#define SERVICES_DEFAULT 5
#define WORD_SIZE	 512

static struct hf_addr addr_of(bool is_ipv4, size_t number)
{
	/* 10.83.0.N and fd83::N */
	struct hf_addr ipv4 = { { [10] = 0xff, 0xff, 10, 83, 0, (uint8_t)number } };
	struct hf_addr ipv6 = { { 0xfd, 0x83, [15] = (uint8_t)number } };

	return is_ipv4 ? ipv4 : ipv6;
}

static bool state_has(const struct lab_state *state, const char *name)
{
	for (size_t i = 0; i < state->nodes; i++) {
		if (strcmp(state->node[i].name, name) == 0)
			return true;
	}
	return false;
}

static int plan_node(struct lab_state *state, const char *name, size_t tier, char *ret_error)
{
	struct lab_node *node = &state->node[state->nodes];

	if (state->nodes == LAB_NODES_MAX)
		return lab_tell(ret_error, -E2BIG,
				"a lab has at most %d services, replicas counted",
				LAB_SERVICES_MAX);
	if (!lab_name_is_valid(name))
		return lab_tell(
			ret_error, -EINVAL,
			"'%.32s' is not a lab name: 1 to %d characters of a-z 0-9 -, not %s", name,
			LAB_NAME_MAX, LAB_SWITCH);
	if (state_has(state, name))
		return lab_tell(ret_error, -EINVAL, "two of the lab are called '%s'", name);
	strcpy(node->name, name);
	node->tier = (uint8_t)tier;
	state->nodes++;
	node->ipv4 = addr_of(true, state->nodes);
	node->ipv6 = addr_of(false, state->nodes);
	return 0;
}

static void service_name(const struct lab_options *options, size_t i, char *ret_name, size_t size)
{
	if (options->name)
		snprintf(ret_name, size, "%s", options->name[i]);
	else if (i < 26)
		snprintf(ret_name, size, "%c", (char)('a' + i));
	else
		snprintf(ret_name, size, "s%u", (unsigned int)i + 1);
}

static uint32_t replicas_of(const struct lab_options *options, const char *name)
{
	uint32_t replicas = 1;

	for (size_t i = 0; i < options->settings; i++)
		if (options->setting[i].replicas && strcmp(options->setting[i].name, name) == 0)
			replicas = options->setting[i].replicas;
	return replicas;
}

/* One service is called by its name alone; replicas have a number behind it. */
static int plan_tier(struct lab_state *state, const struct lab_options *options, size_t tier,
		     char *ret_error)
{
	char name[2 * LAB_NAME_MAX], replica[3 * LAB_NAME_MAX];
	uint32_t replicas;
	int r = 0;

	service_name(options, tier - 1, name, sizeof(name));
	replicas = replicas_of(options, name);
	if (replicas == 1)
		return plan_node(state, name, tier, ret_error);
	for (uint32_t i = 1; i <= replicas && r == 0; i++) {
		snprintf(replica, sizeof(replica), "%s%u", name, i);
		r = plan_node(state, replica, tier, ret_error);
	}
	return r;
}

/* ---- commands ---- */

struct command {
	struct lab_node *node;
	const char *own; /* the words for this service alone */
	bool is_too_long;
};

static void add_word(struct command *command, const char *word)
{
	char *text = command->node->command;
	size_t len = strlen(text);

	if (len + strlen(word) + 2 > LAB_COMMAND_SIZE) {
		command->is_too_long = true;
		return;
	}
	if (len)
		text[len++] = ' ';
	strcpy(text + len, word);
}

/* Has the option a value of the service's own? "--work" and "--work=1ms" are both "--work". */
static bool own_words_have(const struct command *command, const char *option)
{
	size_t len = strcspn(option, "=");
	const char *at = command->own;

	while (at && (at = strstr(at, "--"))) {
		bool is_begin = at == command->own || at[-1] == ' ';

		if (is_begin && strcspn(at, "= ") == len && strncmp(at, option, len) == 0)
			return true;
		at += 2;
	}
	return false;
}

__attribute__((format(printf, 3, 4))) static void add_pair(struct command *command,
							   const char *option, const char *format,
							   ...)
{
	char word[WORD_SIZE];
	va_list arguments;

	if (own_words_have(command, option))
		return;
	va_start(arguments, format);
	if (vsnprintf(word, sizeof(word), format, arguments) >= (int)sizeof(word))
		command->is_too_long = true;
	va_end(arguments);
	add_word(command, option);
	add_word(command, word);
}

/* Those of the lab: an option that the service has of its own is left out with its value. */
static void add_common(struct command *command, const char *const *arg)
{
	bool is_left_out = false;

	for (; arg && *arg; arg++) {
		if (strncmp(*arg, "--", 2) == 0)
			is_left_out = own_words_have(command, *arg);
		if (!is_left_out)
			add_word(command, *arg);
	}
}

static void add_next(struct command *command, const struct lab_state *state)
{
	char list[WORD_SIZE] = "", addr[INET_ADDRSTRLEN], name[LAB_NAME_MAX + 1] = "";
	size_t len = 0, replicas = 0;

	for (size_t i = 1; i < state->nodes; i++) {
		const struct lab_node *next = &state->node[i];

		if (next->tier != command->node->tier + 1 || len >= sizeof(list))
			continue;
		inet_ntop(AF_INET, next->ipv4.byte + 12, addr, sizeof(addr));
		len += (size_t)snprintf(list + len, sizeof(list) - len, "%s%s:%u", len ? "," : "",
					addr, state->port);
		strcpy(name, next->name);
		replicas++;
	}
	if (!len)
		return;
	if (replicas > 1) /* together they are called as the service is */
		name[strcspn(name, "0123456789")] = '\0';
	add_pair(command, "--next", "%s", list);
	add_pair(command, "--next-name", "%s", name);
}

/* Tier t of n waits (n - t + 1) / n of what the first waits: see lab.h. */
static void add_timeout(struct command *command, uint64_t timeout_ns, size_t tiers)
{
	uint64_t own_ns = timeout_ns / tiers * (tiers - command->node->tier + 1);

	if (timeout_ns)
		add_pair(command, "--timeout", "%" PRIu64 "ns", own_ns ? own_ns : 1);
}

/* Is `name` that of this node, or of the service that it is a replica of? */
static bool is_meant(const struct lab_node *node, const char *name)
{
	size_t len = strlen(name);

	if (strcmp(node->name, name) == 0)
		return true;
	return strncmp(node->name, name, len) == 0 &&
	       strspn(node->name + len, "0123456789") == strlen(node->name + len);
}

/* All that is said of it, in order. */
static int own_words(const struct lab_options *options, const struct lab_node *node,
		     char ret_words[LAB_COMMAND_SIZE])
{
	size_t len = 0;

	ret_words[0] = '\0';
	for (size_t i = 0; i < options->settings; i++) {
		const struct lab_setting *setting = &options->setting[i];

		if (!setting->words || !is_meant(node, setting->name))
			continue;
		len += (size_t)snprintf(ret_words + len, LAB_COMMAND_SIZE - len, "%s%s",
					len ? " " : "", setting->words);
		if (len >= LAB_COMMAND_SIZE)
			return -E2BIG;
	}
	return 0;
}

static int plan_command(const struct lab_options *options, struct lab_state *state,
			struct lab_node *node, size_t tiers, char *ret_error)
{
	char own[LAB_COMMAND_SIZE], *rest = NULL;
	struct command command = { .node = node, .own = own };

	command.is_too_long = own_words(options, node, own) < 0;
	add_pair(&command, "--name", "%s", node->name);
	add_pair(&command, "--listen", "%u", state->port);
	add_next(&command, state);
	if (options->monolith)
		add_pair(&command, "--monolith", "%u", options->monolith);
	add_timeout(&command, options->timeout_ns, tiers);
	add_common(&command, options->service_arg);
	for (char *word = strtok_r(own, " ", &rest); word; word = strtok_r(NULL, " ", &rest))
		add_word(&command, word);
	if (command.is_too_long)
		return lab_tell(ret_error, -E2BIG, "the options of service %s are too long",
				node->name);
	if (!lab_command_is_valid(node->command))
		return lab_tell(ret_error, -EINVAL,
				"the options of service %s: no quotes, backslashes or other than "
				"printable ASCII",
				node->name);
	return 0;
}

static int check_setting(const struct lab_state *state, const struct lab_setting *setting,
			 char *ret_error)
{
	for (size_t i = 1; i < state->nodes; i++)
		if (is_meant(&state->node[i], setting->name))
			return 0;
	return lab_tell(ret_error, -EINVAL, "the lab has no service '%.32s': it has %s to %s",
			setting->name, state->node[1].name, state->node[state->nodes - 1].name);
}

/* ---- the plan ---- */

int lab_plan(const struct lab_options *options, struct lab_state *state, char *ret_error)
{
	size_t services = options->services ? options->services : SERVICES_DEFAULT;
	const char *prefix;
	int r;

	if (options->monolith)
		services = 1;
	if (services > LAB_SERVICES_MAX)
		return lab_tell(ret_error, -E2BIG, "a lab has at most %d services",
				LAB_SERVICES_MAX);
	r = lab_prefix(&prefix);
	if (r < 0)
		return lab_tell(ret_error, r,
				"HOPFAULT_LAB_PREFIX is 1 to %d characters of a-z 0-9 -",
				LAB_PREFIX_MAX);
	strcpy(state->prefix, prefix);
	state->port = LAB_PORT;
	state->made_names_dir = !lab_names_dir_is_there();
	r = plan_node(state, LAB_CLIENT, 0, ret_error);
	for (size_t tier = 1; tier <= services && r == 0; tier++)
		r = plan_tier(state, options, tier, ret_error);
	for (size_t i = 0; i < options->settings && r == 0; i++)
		r = check_setting(state, &options->setting[i], ret_error);
	for (size_t i = 1; i < state->nodes && r == 0; i++)
		r = plan_command(options, state, &state->node[i], services, ret_error);
	return r;
}
