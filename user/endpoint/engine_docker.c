/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * engine_docker.c - `docker:web` and `podman:web`: two engines that answer to the same questions.
 *
 *     GET /containers/json?all=1   one call: names, labels, states, networks of all
 *     GET /containers/ID/json      for those that are meant and run, at once: the process
 *     /proc/PID/ns/net             its namespace, when /proc agrees that it is this container's process
 *
 * The path of the namespace that the engine tells is not used: it moves with the engine's options, and a process can be
 * checked. An engine on another machine (DOCKER_HOST=tcp://, ssh://) has no namespace here, and is refused by name.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/text.h"
#include "endpoint/cgroup.h"
#include "endpoint/engine.h"
#include "endpoint/engine_http.h"
#include "endpoint/whose.h"

/* An engine of this kind. */
struct place {
	enum endpoint_kind kind;
	const char *host_variable; /* where an address that is no path came from */
	const char *usual_path;
};

static const struct place docker_place = {
	.kind = ENDPOINT_DOCKER,
	.host_variable = "DOCKER_HOST",
	.usual_path = "/var/run/docker.sock",
};

static const struct place podman_place = {
	.kind = ENDPOINT_PODMAN,
	.host_variable = "CONTAINER_HOST",
	.usual_path = "/run/podman/podman.sock",
};

struct asking {
	const struct place *place;
	const char *socket_path;
	bool is_said; /* somebody said that an engine is there */
	uint64_t began_ns, deadline_ns;
	struct engine_http *http;
	struct found *found;
	const struct containers *containers; /* all of the engine's */
};

static const char *word_of(const struct asking *asking)
{
	return endpoint_kind_word(asking->place->kind);
}

/* Said by somebody, or "". */
static const char *address_of(const struct place *place, const struct endpoint_sockets *sockets)
{
	return place->kind == ENDPOINT_DOCKER ? sockets->docker : sockets->podman;
}

static int choose_socket(struct asking *asking)
{
	const char *address = address_of(asking->place, &asking->found->sockets);
	char shown[64];

	asking->is_said = address[0] != '\0';
	asking->socket_path =
		asking->is_said ? endpoint_socket_path(address) : asking->place->usual_path;
	if (asking->socket_path)
		return 0;
	text_escape_terminal(shown, sizeof(shown), address);
	snprintf(asking->found->trouble, sizeof(asking->found->trouble),
		 "%s is %s: only an engine on this machine, at unix:///..., can be worked with",
		 asking->place->host_variable, shown);
	return -EPROTONOSUPPORT;
}

static bool place_has_engine(const struct place *place, const struct endpoint_sockets *sockets)
{
	const char *address = address_of(place, sockets);
	const char *path = address[0] ? endpoint_socket_path(address) : place->usual_path;

	return path && access(path, F_OK) == 0;
}

/* What went wrong, in words for the user. Returns r. */
static int tell_trouble(const struct asking *asking, int r)
{
	char *text = asking->found->trouble, path[ENGINE_SOCKET_PATH_MAX + 1];
	size_t size = sizeof(asking->found->trouble);
	const char *word = word_of(asking);

	text_escape_terminal(path, sizeof(path), asking->socket_path);
	if (r == -ENOENT)
		snprintf(text, size, "no %s engine: there is no socket %s", word, path);
	else if (r == -EACCES)
		snprintf(text, size, "no permission to ask %s at %s", word, path);
	else if (r == -ECONNREFUSED)
		snprintf(text, size, "no %s engine listens at %s", word, path);
	else if (r == -ETIMEDOUT)
		snprintf(text, size, "%s at %s did not answer within %.1f s", word, path,
			 (double)(asking->deadline_ns - asking->began_ns) / 1e9);
	else if (r == -EFBIG || r == -E2BIG)
		snprintf(text, size, "the answer of %s at %s is too large to be read", word, path);
	else if (r == -EBADMSG)
		snprintf(text, size, "what answers at %s does not speak as %s does", path, word);
	else if (r == -EINVAL)
		snprintf(text, size, "%s is '%s', which is no socket's path: it must begin with /",
			 asking->place->host_variable, path);
	else if (r == -ECONNRESET)
		snprintf(text, size, "%s at %s hung up", word, path);
	else if (r == -ENOTSOCK)
		snprintf(text, size, "%s is no socket, so no %s engine is there", path, word);
	else
		snprintf(text, size, "can't ask %s at %s: %s", word, path, strerror(-r));
	asking->found->absent = r == -ENOENT && !asking->is_said;
	return r == -ENOENT ? -ENXIO : r; /* ENOENT would say that the name is unknown */
}

/* Whoever made the socket would say which containers have which names. */
static int check_socket(const struct asking *asking)
{
	char path[ENGINE_SOCKET_PATH_MAX + 1];
	unsigned int uid = 0;
	int r;

	r = endpoint_socket_check(asking->socket_path, &uid);
	if (r != -EPERM)
		return r < 0 ? tell_trouble(asking, r) : 0;
	text_escape_terminal(path, sizeof(path), asking->socket_path);
	snprintf(asking->found->trouble, sizeof(asking->found->trouble),
		 "%s is user %u's: %s is asked at a socket of root's or one's own, or in "
		 "/run/user/%u",
		 path, uid, word_of(asking), uid);
	return -EPERM;
}

static int tell_refusal(const struct asking *asking, const struct engine_answer *answer)
{
	char message[96] = "";

	if (answer->text)
		container_message_parse(answer->text, answer->len_bytes, message, sizeof(message));
	snprintf(asking->found->trouble, sizeof(asking->found->trouble),
		 "%s refused to list its containers (status %ld)%s%s", word_of(asking),
		 answer->status, message[0] ? ": " : "", message);
	return -EPROTO;
}

static int list_containers(const struct asking *asking, struct containers *ret_containers)
{
	_cleanup_(engine_answer_done) struct engine_answer answer = { 0 };
	char *path = (char[]){ "/containers/json?all=1" };
	int r;

	r = engine_http_get(asking->http, asking->deadline_ns, 1, &path, &answer);
	if (r == 0)
		r = answer.error;
	if (r == 0 && answer.status != 200)
		return tell_refusal(asking, &answer);
	if (r == 0)
		r = containers_parse(answer.text, answer.len_bytes, ret_containers);
	return r < 0 ? tell_trouble(asking, r) : 0;
}

static bool is_alive(enum endpoint_state state)
{
	return state == ENDPOINT_RUNNING || state == ENDPOINT_PAUSED ||
	       state == ENDPOINT_RESTARTING || state == ENDPOINT_STATE_UNKNOWN;
}

/* Names for "did you mean"; one that finds no room is no failure. */
static void add_names(struct found *found, const struct container *container)
{
	char both[2 * ENDPOINT_NAME_MAX + 2];

	endpoint_names_add(&found->names, container->name);
	if (!container->service[0])
		return;
	endpoint_names_add(&found->names, container->service);
	snprintf(both, sizeof(both), "%s/%s", container->project, container->service);
	if (strlen(both) <= ENDPOINT_NAME_MAX)
		endpoint_names_add(&found->names, both);
}

/* A container that was meant, and the question about it. */
struct pick {
	const struct container *container;
	enum endpoint_match match;
	char path[sizeof("/containers//json") + CONTAINER_ID_LEN];
};

static struct container *copy_container(const struct container *container)
{
	struct container *copy = malloc(sizeof(*copy));

	if (copy) {
		*copy = *container;
		copy->labels = NULL; /* they end with the answer */
	}
	return copy;
}

/* Opens the namespace of a process, when it is this container's. */
static int open_process(const struct container *container, pid_t pid,
			struct endpoint_target *target)
{
	char text[CGROUP_TEXT_MAX];
	int r;

	r = process_start_time(pid, &target->start_time);
	if (r == 0)
		r = cgroup_read("/proc", pid, text);
	if (r == 0 && cgroup_is_another_container(text, container->id))
		r = -ESRCH;
	if (r == 0)
		r = netns_open_pid(pid, target->start_time, &target->netns);
	if (r == 0)
		target->pid = pid;
	return r;
}

static void refuse(struct endpoint_target *target, const char *reason)
{
	snprintf(target->refusal, sizeof(target->refusal), "%s", reason);
}

static void look_at_process(pid_t pid, struct endpoint_target *target)
{
	int r;

	r = open_process(target->container, pid, target);
	target->is_gone = r == -ESRCH;
	if (r == -ESRCH)
		refuse(target, "its process has just ended, or is not on this machine");
	else if (r < 0)
		snprintf(target->refusal, sizeof(target->refusal), "can't open its network: %s",
			 strerror(-r));
	else if (target->container->mode == CONTAINER_NET_HOST) {
		netns_close(&target->netns);
		refuse(target, "it has its host's network (--network host), not one of its own "
			       "behind a veth: its traffic is among that of `host`");
	}
}

/* Takes the container over. pid 0: it has no process. */
static int add_target(const struct asking *asking, enum endpoint_match match,
		      struct container *container, pid_t pid)
{
	struct endpoint_target target = {
		.kind = asking->place->kind,
		.match = match,
		.netns = NETNS_NONE,
		.container = container,
	};

	strcpy(target.name, container->name);
	if (pid > 0)
		look_at_process(pid, &target);
	return found_add(asking->found, &target);
}

static int add_idle(const struct asking *asking, const struct pick *pick)
{
	struct container *container = copy_container(pick->container);

	return container ? add_target(asking, pick->match, container, 0) : -ENOMEM;
}

/* One that went between the two questions is taken as one that does not run. */
static int take_answer(const struct asking *asking, const struct pick *pick,
		       const struct engine_answer *answer)
{
	_cleanup_(freep) struct container *container = copy_container(pick->container);
	int r = answer->error;
	pid_t pid = 0;

	if (!container)
		return -ENOMEM;
	if (r == 0 && answer->status == 200)
		r = container_update(answer->text, answer->len_bytes, container, &pid);
	else if (r == 0 && answer->status == 404)
		container->state = ENDPOINT_EXITED;
	else if (r == 0)
		r = -EBADMSG;
	if (r < 0)
		return tell_trouble(asking, r);
	container_share_networks(asking->containers, container);
	return add_target(asking, pick->match, TAKE_PTR(container), pid);
}

static int ask_processes(const struct asking *asking, struct pick *pick, size_t picks)
{
	_cleanup_(freep) struct engine_answer *answer = calloc(picks + 1, sizeof(*answer));
	_cleanup_(freep) char **path = calloc(picks + 1, sizeof(*path));
	int r;

	if (!answer || !path)
		return -ENOMEM;
	for (size_t i = 0; i < picks; i++)
		path[i] = pick[i].path;
	r = engine_http_get(asking->http, asking->deadline_ns, picks, path, answer);
	if (r < 0)
		return tell_trouble(asking, r);
	for (size_t i = 0; i < picks; i++) {
		if (r == 0)
			r = take_answer(asking, &pick[i], &answer[i]);
		engine_answer_done(&answer[i]);
	}
	return r;
}

static int select_among(const struct asking *asking, const struct selector *selector,
			const struct containers *containers)
{
	_cleanup_(freep) struct pick *pick = calloc(containers->count + 1, sizeof(*pick));
	size_t picks = 0;
	int r = 0;

	if (!pick)
		return -ENOMEM;
	for (size_t i = 0; i < containers->count && r == 0; i++) {
		const struct container *container = &containers->container[i];
		struct pick *next = &pick[picks];

		next->match = container_match(container, selector);
		next->container = container;
		if (next->match == ENDPOINT_MATCH_NOT)
			add_names(asking->found, container);
		else if (!is_alive(container->state) && selector->kind != SELECT_ALL)
			r = add_idle(asking, next);
		else if (is_alive(container->state))
			snprintf(pick[picks++].path, sizeof(pick->path), "/containers/%s/json",
				 container->id);
	}
	return r == 0 && picks > 0 ? ask_processes(asking, pick, picks) : r;
}

static int place_select(const struct place *place, const struct selector *selector,
			struct found *found)
{
	_cleanup_(engine_http_closep) struct engine_http *http = NULL;
	_cleanup_(containers_done) struct containers containers = { 0 };
	struct asking asking = { .place = place, .found = found, .began_ns = clock_now_ns() };
	unsigned int waiting = found->slow_engines ? found->slow_engines : 1;
	int r;

	r = choose_socket(&asking);
	if (r < 0)
		return r;
	asking.deadline_ns = asking.began_ns;
	if (found->deadline_ns > asking.began_ns)
		asking.deadline_ns += (found->deadline_ns - asking.began_ns) / waiting;
	r = check_socket(&asking);
	if (r < 0)
		return r;
	r = engine_http_open(asking.socket_path, &http);
	if (r < 0)
		return tell_trouble(&asking, r);
	asking.http = http;
	asking.containers = &containers;
	r = list_containers(&asking, &containers);
	return r < 0 ? r : select_among(&asking, selector, &containers);
}

static int docker_select(const struct selector *selector, struct found *found)
{
	return place_select(&docker_place, selector, found);
}

static bool docker_waits(const struct endpoint_sockets *sockets)
{
	return place_has_engine(&docker_place, sockets);
}

static int podman_select(const struct selector *selector, struct found *found)
{
	return place_select(&podman_place, selector, found);
}

static bool podman_waits(const struct endpoint_sockets *sockets)
{
	return place_has_engine(&podman_place, sockets);
}

/* ---- whose id is this? ---- */

static const struct container *find_id(const struct containers *containers, const char *id)
{
	for (size_t i = 0; i < containers->count; i++)
		if (strcmp(containers->container[i].id, id) == 0)
			return &containers->container[i];
	return NULL;
}

/* 1: it is in the network of the container with this id, as the members of a pod are. 0: it is not. Below 0: not known. */
static int is_in_network_of(const struct asking *asking, const struct container *listed,
			    const char *id)
{
	_cleanup_(engine_answer_done) struct engine_answer answer = { 0 };
	_cleanup_(freep) struct container *container = copy_container(listed);
	struct pick pick;
	char *path = pick.path;
	pid_t pid;
	int r = 0;

	if (!container)
		return -ENOMEM;
	snprintf(pick.path, sizeof(pick.path), "/containers/%s/json", listed->id);
	if (!container->mode_is_said)
		r = engine_http_get(asking->http, asking->deadline_ns, 1, &path, &answer);
	if (r == 0)
		r = answer.error;
	if (r == 0 && answer.text && answer.status != 200)
		r = -EAGAIN; /* it is being made, or has just gone: that is no answer to what was asked */
	if (r == 0 && answer.text)
		r = container_update(answer.text, answer.len_bytes, container, &pid);
	return r < 0 ? r : strcmp(container->owner_id, id) == 0;
}

/* Whoever brings up the network of one that is meant is meant by it too. */
static int is_network_of_meant(const struct asking *asking, const struct selector *selector,
			       const char *id)
{
	const struct containers *containers = asking->containers;
	int r = 0;

	for (size_t i = 0; i < containers->count && r == 0; i++)
		if (container_match(&containers->container[i], selector) != ENDPOINT_MATCH_NOT)
			r = is_in_network_of(asking, &containers->container[i], id);
	return r;
}

/*
 * The list, and what it does not say of those that the word means; no question about the one with this id, which would
 * wait until the engine has started it.
 */
static int place_means(const struct place *place, const struct endpoint_sockets *sockets,
		       const char *text, const char *id)
{
	_cleanup_(engine_http_closep) struct engine_http *http = NULL;
	_cleanup_(containers_done) struct containers containers = { 0 };
	_cleanup_(selector_done) struct selector selector = { 0 };
	struct found found = { .sockets = *sockets };
	struct asking asking = { .place = place, .found = &found, .began_ns = clock_now_ns() };
	const struct container *container;
	const char *reason;
	int r;

	r = selector_parse(text, &selector, &reason);
	if (r >= 0)
		r = choose_socket(&asking);
	if (r < 0)
		return r;
	asking.deadline_ns = asking.began_ns + ENDPOINT_ENGINES_WAIT_NS;
	r = check_socket(&asking);
	if (r < 0)
		return r;
	r = engine_http_open(asking.socket_path, &http);
	if (r < 0)
		return r;
	asking.http = http;
	asking.containers = &containers;
	r = list_containers(&asking, &containers);
	if (r < 0)
		return r;
	container = find_id(&containers, id);
	if (!container)
		return -ENOENT;
	if (container_match(container, &selector) != ENDPOINT_MATCH_NOT)
		return 1;
	return is_network_of_meant(&asking, &selector, id);
}

int endpoint_means_container(const struct endpoint_sockets *sockets, const char *word,
			     const char *container_id)
{
	const struct place *const places[] = { &docker_place, &podman_place };
	int r = -ENOENT;

	for (size_t i = 0; i < ARRAY_SIZE(places) && r == -ENOENT; i++) {
		const char *prefix = endpoint_kind_word(places[i]->kind);
		size_t len = strlen(prefix);
		bool has_prefix = strncmp(word, prefix, len) == 0 && word[len] == ':';

		if (place_has_engine(places[i], sockets) && (has_prefix || !strchr(word, ':')))
			r = place_means(places[i], sockets, has_prefix ? word + len + 1 : word,
					container_id);
	}
	return r;
}

const struct endpoint_engine endpoint_engine_docker = {
	.kind = ENDPOINT_DOCKER,
	.prefix = "docker",
	.what = "container",
	.bare = true,
	.select = docker_select,
	.waits = docker_waits,
};

const struct endpoint_engine endpoint_engine_podman = {
	.kind = ENDPOINT_PODMAN,
	.prefix = "podman",
	.what = "container",
	.bare = true,
	.select = podman_select,
	.waits = podman_waits,
};
