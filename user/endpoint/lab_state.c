/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * lab_state.c - state.json: what the lab wrote down about itself, so that it can be found and taken away by anyone later.
 *
 *     {"version": 1, "prefix": "hf-", "finished": true, "port": 8080, "switch": {NETNS},
 *      "nodes": [{"name": "a", "pid": 1, "start_time": 2, "tier": 1, "command": "--name a ...", "ipv4": "...",
 *                 "ipv6": "...", "netns": {NETNS}}, ...]}
 *     NETNS: {"dev": 4, "ino": 4026532200, "cookie": 9, "file_dev": 25, "file_ino": 77}
 *
 * What is read is checked as if a stranger had written it: names decide which files are removed.
 */
#include "endpoint/lab_state.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"

#define STATE_VERSION	1
#define STATE_FILE	"state.json"
#define STATE_FILE_NEW	"state.json.new"
#define STATE_SIZE_MAX	(64 * 1024)
#define RUN_DIR_DEFAULT "/run/hopfault"
#define PREFIX_DEFAULT	"hf-"

static bool is_made_of(const char *text, size_t max)
{
	size_t len = strlen(text);

	return len >= 1 && len <= max && text[0] != '-' &&
	       strspn(text, "abcdefghijklmnopqrstuvwxyz0123456789-") == len;
}

bool lab_name_is_valid(const char *name)
{
	return is_made_of(name, LAB_NAME_MAX) && strcmp(name, LAB_SWITCH) != 0;
}

bool lab_command_is_valid(const char *command)
{
	size_t len = 0;

	for (; command[len]; len++)
		if (command[len] < ' ' || command[len] > '~' || strchr("\"\\", command[len]))
			return false;
	return len < LAB_COMMAND_SIZE;
}

int lab_run_dir(const char **ret_dir)
{
	const char *dir = getenv("HOPFAULT_RUN_DIR");

	if (!dir || !*dir)
		dir = RUN_DIR_DEFAULT;
	if (dir[0] != '/' || strlen(dir) > LAB_PATH_MAX / 2)
		return -EINVAL;
	*ret_dir = dir;
	return 0;
}

int lab_path(const char *file, char *ret_path)
{
	const char *dir;
	int r;

	r = lab_run_dir(&dir);
	if (r < 0)
		return r;
	if (snprintf(ret_path, LAB_PATH_MAX, "%s/lab/%s", dir, file) >= LAB_PATH_MAX)
		return -ENAMETOOLONG;
	return 0;
}

int lab_prefix(const char **ret_prefix)
{
	const char *prefix = getenv("HOPFAULT_LAB_PREFIX");

	if (!prefix || !*prefix)
		prefix = PREFIX_DEFAULT;
	if (!is_made_of(prefix, LAB_PREFIX_MAX))
		return -EINVAL;
	*ret_prefix = prefix;
	return 0;
}

void lab_netns_name(const struct lab_state *state, const char *node, char *ret_name)
{
	snprintf(ret_name, NETNS_NAME_MAX + 1, "%s%s", state->prefix, node);
}

bool lab_netns_is(const struct lab_netns *written, const struct netns *found)
{
	uint64_t cookie;

	if (!netns_id_equal(written->id, found->id))
		return false;
	return netns_cookie(found->fd, &cookie) == 0 && cookie == written->cookie;
}

int lab_netns_open(const struct lab_state *state, const char *node, const struct lab_netns *written,
		   struct netns *ret_ns)
{
	_cleanup_(netns_close) struct netns ns = NETNS_NONE;
	char name[NETNS_NAME_MAX + 1];
	int r;

	lab_netns_name(state, node, name);
	r = netns_open_name(name, &ns);
	if (r == -EINVAL)
		return -ENOENT; /* a file that no namespace is mounted on */
	if (r < 0)
		return r;
	if (!lab_netns_is(written, &ns))
		return -ENOENT;
	*ret_ns = ns;
	ns = NETNS_NONE;
	return 0;
}

static int read_addr(const char *text, bool is_ipv4, struct hf_addr *ret_addr)
{
	char mapped[INET6_ADDRSTRLEN + 8];

	snprintf(mapped, sizeof(mapped), "%s%.45s", is_ipv4 ? "::ffff:" : "", text);
	return inet_pton(AF_INET6, mapped, ret_addr->byte) == 1 ? 0 : -EBADMSG;
}

static json_t *write_addr(const struct hf_addr *addr, bool is_ipv4)
{
	char text[INET6_ADDRSTRLEN];

	if (is_ipv4)
		inet_ntop(AF_INET, addr->byte + 12, text, sizeof(text));
	else
		inet_ntop(AF_INET6, addr->byte, text, sizeof(text));
	return json_string(text);
}

static int read_netns(json_t *json, struct lab_netns *ret_netns)
{
	json_int_t dev, ino, cookie, file_dev, file_ino;

	if (json_unpack(json, "{s:I, s:I, s:I, s:I, s:I}", "dev", &dev, "ino", &ino, "cookie",
			&cookie, "file_dev", &file_dev, "file_ino", &file_ino) < 0)
		return -EBADMSG;
	*ret_netns = (struct lab_netns){
		.id = { (uint64_t)dev, (uint64_t)ino },
		.cookie = (uint64_t)cookie,
		.file = { (uint64_t)file_dev, (uint64_t)file_ino },
	};
	return 0;
}

static json_t *write_netns(const struct lab_netns *netns)
{
	return json_pack("{s:I, s:I, s:I, s:I, s:I}", "dev", (json_int_t)netns->id.dev, "ino",
			 (json_int_t)netns->id.ino, "cookie", (json_int_t)netns->cookie, "file_dev",
			 (json_int_t)netns->file.dev, "file_ino", (json_int_t)netns->file.ino);
}

/* One that an earlier version wrote has neither tier nor command: then each has a tier of its own. */
static int read_node(json_t *json, size_t i, struct lab_node *node)
{
	const char *name, *command = "", *ipv4, *ipv6;
	json_int_t start_time;
	json_t *netns;
	int pid, tier = (int)i, r;

	if (json_unpack(json, "{s:s, s:i, s:I, s?i, s?s, s:s, s:s, s:o}", "name", &name, "pid",
			&pid, "start_time", &start_time, "tier", &tier, "command", &command, "ipv4",
			&ipv4, "ipv6", &ipv6, "netns", &netns) < 0)
		return -EBADMSG;
	if (!lab_name_is_valid(name) || pid < 0 || tier < 0 || tier >= LAB_NODES_MAX ||
	    !lab_command_is_valid(command))
		return -EBADMSG;
	strcpy(node->name, name);
	strcpy(node->command, command);
	node->tier = (uint8_t)tier;
	node->pid = pid;
	node->start_time = (uint64_t)start_time;
	r = read_addr(ipv4, true, &node->ipv4);
	if (r == 0)
		r = read_addr(ipv6, false, &node->ipv6);
	if (r == 0)
		r = read_netns(netns, &node->netns);
	return r;
}

static json_t *write_node(const struct lab_node *node)
{
	return json_pack("{s:s, s:i, s:I, s:i, s:s, s:o, s:o, s:o}", "name", node->name, "pid",
			 (int)node->pid, "start_time", (json_int_t)node->start_time, "tier",
			 (int)node->tier, "command", node->command, "ipv4",
			 write_addr(&node->ipv4, true), "ipv6", write_addr(&node->ipv6, false),
			 "netns", write_netns(&node->netns));
}

static int read_state(json_t *json, struct lab_state *state)
{
	int version, finished, made, port, r;
	json_t *nodes, *hub, *node;
	const char *prefix;
	size_t i;

	if (json_unpack(json, "{s:i, s:s, s:b, s:b, s:i, s:o, s:o}", "version", &version, "prefix",
			&prefix, "finished", &finished, "made_names_dir", &made, "port", &port,
			"switch", &hub, "nodes", &nodes) < 0)
		return -EBADMSG;
	if (version != STATE_VERSION || !is_made_of(prefix, LAB_PREFIX_MAX) || port < 1 ||
	    port > 65535 || !json_is_array(nodes) || json_array_size(nodes) > LAB_NODES_MAX)
		return -EBADMSG;
	strcpy(state->prefix, prefix);
	state->is_finished = finished;
	state->made_names_dir = made;
	state->port = (uint16_t)port;
	r = read_netns(hub, &state->hub);
	json_array_foreach(nodes, i, node)
	{
		if (r == 0)
			r = read_node(node, i, &state->node[i]);
	}
	state->nodes = json_array_size(nodes);
	return r;
}

static json_t *write_state(const struct lab_state *state)
{
	json_t *nodes = json_array();

	for (size_t i = 0; i < state->nodes; i++)
		json_array_append_new(nodes, write_node(&state->node[i]));
	return json_pack("{s:i, s:s, s:b, s:b, s:i, s:o, s:o}", "version", STATE_VERSION, "prefix",
			 state->prefix, "finished", state->is_finished, "made_names_dir",
			 state->made_names_dir, "port", state->port, "switch",
			 write_netns(&state->hub), "nodes", nodes);
}

/* The whole file, bounded; one byte more than the limit shows that it is too long. */
static int read_file(const char *path, char *text, size_t size, size_t *ret_len)
{
	_cleanup_(closep) int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	size_t len = 0;

	if (fd < 0)
		return -errno;
	while (len < size) {
		ssize_t n = read(fd, text + len, size - len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		if (n == 0)
			break;
		len += (size_t)n;
	}
	if (len == size)
		return -EBADMSG;
	*ret_len = len;
	return 0;
}

int lab_state_read(struct lab_state **ret_state)
{
	_cleanup_(freep) struct lab_state *state = calloc(1, sizeof(*state));
	_cleanup_(freep) char *text = malloc(STATE_SIZE_MAX);
	_cleanup_(json_decrefp) json_t *json = NULL;
	char path[LAB_PATH_MAX];
	size_t len = 0;
	int r;

	if (!state || !text)
		return -ENOMEM;
	r = lab_path(STATE_FILE, path);
	if (r < 0)
		return r;
	r = read_file(path, text, STATE_SIZE_MAX, &len);
	if (r < 0)
		return r;
	json = json_loadb(text, len, JSON_REJECT_DUPLICATES, NULL);
	if (!json)
		return -EBADMSG;
	r = read_state(json, state);
	if (r < 0)
		return r;
	*ret_state = TAKE_PTR(state);
	return 0;
}

static int write_file(const char *path, const char *text)
{
	_cleanup_(closep) int fd =
		open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0644);
	size_t len = strlen(text);

	if (fd < 0)
		return -errno;
	while (len > 0) {
		ssize_t n = write(fd, text, len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		text += n;
		len -= (size_t)n;
	}
	return 0;
}

int lab_state_write(const struct lab_state *state)
{
	_cleanup_(json_decrefp) json_t *json = write_state(state);
	char path[LAB_PATH_MAX], path_new[LAB_PATH_MAX];
	_cleanup_(freep) char *text = NULL;
	int r;

	text = json ? json_dumps(json, JSON_INDENT(1)) : NULL;
	if (!text)
		return -ENOMEM;
	r = lab_path(STATE_FILE, path);
	if (r == 0)
		r = lab_path(STATE_FILE_NEW, path_new);
	if (r == 0)
		r = write_file(path_new, text);
	if (r < 0)
		return r;
	return rename(path_new, path) < 0 ? -errno : 0;
}

static int remove_file(const char *name)
{
	char path[LAB_PATH_MAX];
	int r;

	r = lab_path(name, path);
	if (r < 0)
		return r;
	return unlink(path) < 0 && errno != ENOENT ? -errno : 0;
}

int lab_state_remove(void)
{
	int r = remove_file(STATE_FILE_NEW);

	return r < 0 ? r : remove_file(STATE_FILE);
}
