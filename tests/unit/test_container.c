/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test_container.c - an engine's answers: what is taken from them, what is not believed, and whom a word means among
 * them. The answers are Docker 20.10's and Podman 4.3's, shortened.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/cleanup.h"
#include "endpoint/container.h"

#define ID_WEB	  "c68743936494b9e0b34e1bd00908db7a95e60e0f66d48a8c55174c681244aff0"
#define ID_SIDE	  "f1c22241a77da22e40944f5ace7b5897c2e3d6f59d5a238b66df34b4130a0dd8"
#define ID_PODMAN "d0fb2432d1b8fb8e4cebab9b570d39667b51152673ec652f7d848bd015152075"

static const char answer[] =
	"[{\"Id\":\"" ID_WEB
	"\",\"Names\":[\"/db/web-alias\",\"/web1\"],\"Labels\":{\"app\":\"web\","
	"\"com.docker.compose.project\":\"shop\",\"com.docker.compose.service\":\"web\"},"
	"\"State\":\"running\",\"HostConfig\":{\"NetworkMode\":\"shop_back\"},\"NetworkSettings\":"
	"{\"Networks\":{\"back\":{\"IPAddress\":\"172.18.0.2\",\"GlobalIPv6Address\":\"\","
	"\"MacAddress\":\"02:42:ac:12:00:02\"},\"bridge\":{\"IPAddress\":\"172.17.0.2\","
	"\"GlobalIPv6Address\":\"fd00::2\",\"MacAddress\":\"\"}}},\"Mounts\":[]},"
	"{\"Id\":\"" ID_SIDE "\",\"Names\":[\"/side\"],\"Labels\":null,\"State\":\"paused\","
	"\"HostConfig\":{\"NetworkMode\":\"container:" ID_WEB "\"},\"NetworkSettings\":{}},"
	"{\"Id\":\"" ID_PODMAN "\",\"Names\":[\"pod\"],\"State\":\"exited\","
	"\"HostConfig\":{\"NetworkMode\":\"host\"}}]";

static struct containers parsed(const char *text)
{
	struct containers containers = { 0 };

	assert_int_equal(containers_parse(text, strlen(text), &containers), 0);
	return containers;
}

static void an_answer_says_names_states_and_networks(void **state)
{
	_cleanup_(containers_done) struct containers containers = parsed(answer);
	const struct container *web = &containers.container[0];

	assert_int_equal(containers.count, 3);
	assert_string_equal(web->id, ID_WEB);
	assert_string_equal(web->name, "web1"); /* an alias of a link is none */
	assert_string_equal(web->project, "shop");
	assert_string_equal(web->service, "web");
	assert_int_equal(web->state, ENDPOINT_RUNNING);
	assert_int_equal(web->mode, CONTAINER_NET_OWN);
	assert_int_equal(web->networks, 2);
	assert_string_equal(containers.container[2].name, "pod"); /* podman: no slash */
	assert_int_equal(containers.container[2].mode, CONTAINER_NET_HOST);
	assert_int_equal(containers.container[2].state, ENDPOINT_EXITED);
}

static void who_shares_a_namespace_has_its_networks(void **state)
{
	_cleanup_(containers_done) struct containers containers = parsed(answer);
	const struct container *side = &containers.container[1];

	assert_int_equal(side->mode, CONTAINER_NET_SHARED);
	assert_string_equal(side->owner, "web1");
	assert_int_equal(side->networks, 2);
	assert_string_equal(side->network[0].name, "back");
}

static void an_interface_is_known_by_mac_then_by_address(void **state)
{
	_cleanup_(containers_done) struct containers containers = parsed(answer);
	struct endpoint_interface by_mac = { .mac = { 2, 0x42, 0xac, 0x12, 0, 2 } };
	struct endpoint_interface by_address = {
		.addrs = 1,
		.addr[0].addr = { { 0xfd, [15] = 2 } },
	};
	struct endpoint_interface strange = { .addrs = 0 };
	const struct container *web = &containers.container[0];

	assert_string_equal(container_network_of(web, &by_mac)->name, "back");
	assert_string_equal(container_network_of(web, &by_address)->name, "bridge");
	assert_null(container_network_of(web, &strange));
}

static enum endpoint_match match_of(const struct container *container, const char *word)
{
	_cleanup_(selector_done) struct selector selector = { 0 };
	const char *reason;

	assert_int_equal(selector_parse(word, &selector, &reason), 0);
	return container_match(container, &selector);
}

static void a_word_means_a_name_a_service_an_id_or_a_label(void **state)
{
	_cleanup_(containers_done) struct containers containers = parsed(answer);
	const struct container *web = &containers.container[0];

	assert_int_equal(match_of(web, "web1"), ENDPOINT_MATCH_NAME);
	assert_int_equal(match_of(web, "web"), ENDPOINT_MATCH_SERVICE);
	assert_int_equal(match_of(web, "shop/web"), ENDPOINT_MATCH_SERVICE);
	assert_int_equal(match_of(web, "other/web"), ENDPOINT_MATCH_NOT);
	assert_int_equal(match_of(web, ID_WEB), ENDPOINT_MATCH_ID);
	assert_int_equal(match_of(web, "c687"), ENDPOINT_MATCH_ID);
	assert_int_equal(match_of(web, "c68"), ENDPOINT_MATCH_NOT);
	assert_int_equal(match_of(web, "label:app=web"), ENDPOINT_MATCH_MANY);
	assert_int_equal(match_of(web, "label:app"), ENDPOINT_MATCH_MANY);
	assert_int_equal(match_of(web, "label:app=we"), ENDPOINT_MATCH_NOT);
	assert_int_equal(match_of(web, "~web.*"), ENDPOINT_MATCH_MANY);
	assert_int_equal(match_of(&containers.container[1], "label:app"), ENDPOINT_MATCH_NOT);
	assert_int_equal(match_of(&containers.container[1], "shop/"), ENDPOINT_MATCH_NOT);
}

static void a_container_can_not_name_itself_into_something_else(void **state)
{
	static const char *const names[] = {
		"/\\u001b[31mred",
		"/lab:a",
		"/shop/web",
		"/../../etc",
		"/a b",
		"/~.*",
		"/-v",
		"/.",
		"/",
		"/caf\\u00e9",
	};
	char text[512];

	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		_cleanup_(containers_done) struct containers containers = { 0 };

		snprintf(text, sizeof(text),
			 "[{\"Id\":\"" ID_WEB "\",\"Names\":[\"%s\"],\"Labels\":{"
			 "\"com.docker.compose.project\":\"%s\",\"com.docker.compose.service\":\"%"
			 "s\"},"
			 "\"NetworkSettings\":{\"Networks\":{\"%s\":{}}}}]",
			 names[i], names[i], names[i], names[i]);
		containers = parsed(text);
		assert_int_equal(containers.count, 1);
		assert_string_equal(containers.container[0].name, "c68743936494");
		assert_string_equal(containers.container[0].project, "");
		assert_string_equal(containers.container[0].service, "");
		assert_string_equal(containers.container[0].network[0].name, "");
	}
}

static void assert_refused(const char *text, size_t len_bytes, int error)
{
	struct containers containers = { 0 };
	struct container container = { .state = ENDPOINT_RUNNING };
	pid_t pid = 7;

	assert_int_equal(containers_parse(text, len_bytes, &containers), error);
	assert_null(containers.container);
	assert_int_equal(container_update(text, len_bytes, &container, &pid), error);
	assert_int_equal(container.state, ENDPOINT_RUNNING);
	assert_int_equal(pid, 7);
}

static void garbage_is_refused(void **state)
{
	assert_refused(NULL, 0, -EBADMSG);
	assert_refused("", 0, -EBADMSG);
	assert_refused("hello", 5, -EBADMSG);
	assert_refused("{\"a\":\"", 6, -EBADMSG);
	assert_refused("\"\\", 2, -EBADMSG);
	assert_refused("{}", 2, -EBADMSG);
	assert_refused("null", 4, -EBADMSG);
}

static void what_is_deep_or_many_is_refused_before_it_costs_memory(void **state)
{
	size_t len_bytes = 4U << 20;
	_cleanup_(freep) char *text = malloc(len_bytes);

	assert_non_null(text);
	memset(text, '[', len_bytes);
	assert_refused(text, len_bytes, -E2BIG);
	memset(text, ',', len_bytes);
	assert_refused(text, len_bytes, -E2BIG);
}

static void entries_that_are_none_are_left_out(void **state)
{
	_cleanup_(containers_done) struct containers containers = parsed(
		"[1,null,[],{},{\"Id\":7},{\"Id\":\"short\"},"
		"{\"Id\":\"../../../../../../../../../../../../../../../../../../../../../x\"},"
		"{\"Id\":\"" ID_WEB "\",\"Names\":3,\"Labels\":[],\"State\":{},"
		"\"NetworkSettings\":{\"Networks\":[1]}}]");

	assert_int_equal(containers.count, 1);
	assert_string_equal(containers.container[0].name, "c68743936494");
	assert_int_equal(containers.container[0].state, ENDPOINT_STATE_UNKNOWN);
	assert_int_equal(containers.container[0].networks, 0);
}

static void more_networks_than_there_is_room_for_are_left_out(void **state)
{
	_cleanup_(freep) char *text = NULL;
	_cleanup_(containers_done) struct containers containers = { 0 };
	size_t size;
	FILE *file = open_memstream(&text, &size);

	fprintf(file, "[{\"Id\":\"" ID_WEB "\",\"NetworkSettings\":{\"Networks\":{\"n0\":{}");
	for (int i = 1; i < 100; i++)
		fprintf(file, ",\"n%d\":{}", i);
	fprintf(file, "}}}]");
	fclose(file);
	containers = parsed(text);
	assert_int_equal(containers.container[0].networks, CONTAINER_NETWORKS_MAX);
}

static void a_later_answer_brings_a_container_up_to_date(void **state)
{
	static const char later[] =
		"{\"State\":{\"Status\":\"restarting\",\"Pid\":4321},\"NetworkSettings\":"
		"{\"Networks\":{\"front\":{\"IPAddress\":\"10.0.0.2\"}}}}";
	_cleanup_(containers_done) struct containers containers = parsed(answer);
	struct container *web = &containers.container[0];
	pid_t pid = 0;

	assert_int_equal(container_update(later, strlen(later), web, &pid), 0);
	assert_int_equal(pid, 4321);
	assert_int_equal(web->state, ENDPOINT_RESTARTING);
	assert_int_equal(web->networks, 1);
	assert_string_equal(web->network[0].name, "front");
}

/* Podman's list says nothing of it. */
static void whose_network_it_is_may_be_said_later(void **state)
{
	static const char later[] = "{\"State\":{\"Status\":\"running\",\"Pid\":5},"
				    "\"HostConfig\":{\"NetworkMode\":\"container:" ID_WEB "\"}}";
	_cleanup_(containers_done) struct containers containers = parsed(answer);
	struct container *guest = &containers.container[2];
	pid_t pid = 0;

	assert_int_equal(container_update(later, strlen(later), guest, &pid), 0);
	container_share_networks(&containers, guest);
	assert_int_equal(guest->mode, CONTAINER_NET_SHARED);
	assert_string_equal(guest->owner, "web1");
	assert_int_equal(guest->networks, 2);
}

static void a_process_id_is_a_process_id(void **state)
{
	static const char *const wrong[] = {
		"{\"State\":{\"Pid\":-1}}",
		"{\"State\":{\"Pid\":4294967297}}",
		"{\"State\":{\"Pid\":\"1\"}}",
		"{\"State\":{\"Pid\":1.5}}",
		"{\"State\":7}",
	};
	struct container container = { 0 };
	pid_t pid;

	for (size_t i = 0; i < ARRAY_SIZE(wrong); i++)
		assert_int_equal(container_update(wrong[i], strlen(wrong[i]), &container, &pid),
				 -EBADMSG);
}

static void an_engines_message_can_not_drive_the_terminal(void **state)
{
	static const char refusal[] = "{\"message\":\"no \\u001b[31m\\nway\"}";
	char text[64];

	container_message_parse(refusal, strlen(refusal), text, sizeof(text));
	assert_string_equal(text, "no \\x1b[31m\\x0away");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_answer_says_names_states_and_networks),
		cmocka_unit_test(who_shares_a_namespace_has_its_networks),
		cmocka_unit_test(an_interface_is_known_by_mac_then_by_address),
		cmocka_unit_test(a_word_means_a_name_a_service_an_id_or_a_label),
		cmocka_unit_test(a_container_can_not_name_itself_into_something_else),
		cmocka_unit_test(garbage_is_refused),
		cmocka_unit_test(what_is_deep_or_many_is_refused_before_it_costs_memory),
		cmocka_unit_test(entries_that_are_none_are_left_out),
		cmocka_unit_test(more_networks_than_there_is_room_for_are_left_out),
		cmocka_unit_test(a_later_answer_brings_a_container_up_to_date),
		cmocka_unit_test(whose_network_it_is_may_be_said_later),
		cmocka_unit_test(a_process_id_is_a_process_id),
		cmocka_unit_test(an_engines_message_can_not_drive_the_terminal),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
