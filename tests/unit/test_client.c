/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test_client.c - the owner's end of the control socket, against peers that are silent, slow, greedy or make no sense. The
 * clock is what clients_tick() is told, so nothing here waits for seconds.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "daemon/client.h"

#define TURN_NS 20000000ULL /* what one run of the loop lasts */

struct world {
	struct loop *loop;
	struct clients *clients;
	struct client *asked; /* by whom last */
	unsigned int requests;
	unsigned int gone;
	bool keeps; /* a request is not answered: a trace */
};

static void on_request(void *ctx, struct client *client, json_t *request)
{
	struct world *world = ctx;

	world->requests++;
	world->asked = client;
	if (!world->keeps)
		client_end(client);
}

static void on_gone(void *ctx, struct client *client)
{
	struct world *world = ctx;

	world->gone++;
}

static int begin(void **state)
{
	struct world *world = calloc(1, sizeof(*world));
	const struct client_handlers handlers = { on_request, on_gone, world };

	*state = world;
	return loop_new(&world->loop) < 0 ||
	       clients_new(world->loop, &handlers, &world->clients) < 0;
}

static int finish(void **state)
{
	struct world *world = *state;

	clients_free(world->clients);
	loop_free(world->loop);
	free(world);
	return 0;
}

/* The peer's end of a new connection. */
static int connected(struct world *world)
{
	int end[2];

	if (getuid() != 0)
		skip(); /* a peer that is not root is not let in */
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, end), 0);
	assert_int_equal(clients_add(world->clients, end[1]), 0);
	return end[0];
}

static void end_turn(void *ctx, uint32_t events)
{
	loop_stop(ctx);
}

/* Lets the loop do what there is to be done. */
static void turn(struct world *world)
{
	int timer = loop_timer(world->loop, TURN_NS, end_turn, world->loop);

	assert_true(timer >= 0);
	assert_int_equal(loop_run(world->loop), 0);
	loop_unwatch(world->loop, timer);
	close(timer);
}

static void say(int peer, const void *data, size_t length)
{
	assert_int_equal(send(peer, data, length, MSG_NOSIGNAL), length);
}

static void say_header(int peer, uint32_t length, uint32_t kind)
{
	say(peer, &(struct wire_header){ .length = length, .kind = kind },
	    sizeof(struct wire_header));
}

static void ask(int peer, const char *text)
{
	say_header(peer, (uint32_t)strlen(text), WIRE_REQUEST);
	say(peer, text, strlen(text));
}

static bool is_over(int peer)
{
	char byte;

	return recv(peer, &byte, 1, MSG_DONTWAIT) == 0;
}

static void tick_in(struct world *world, uint64_t ahead_ns)
{
	clients_tick(world->clients, clock_now_ns() + ahead_ns);
}

static void a_request_is_taken_in_whatever_pieces_it_comes(void **state)
{
	struct wire_header header = { .length = 2, .kind = WIRE_REQUEST };
	_cleanup_(closep) int peer = connected(*state);
	struct world *world = *state;

	say(peer, &header, 3);
	turn(world);
	say(peer, (char *)&header + 3, sizeof(header) - 3);
	say(peer, "{", 1);
	turn(world);
	assert_int_equal(world->requests, 0);
	say(peer, "}", 1);
	turn(world);
	assert_int_equal(world->requests, 1);
	assert_true(is_over(peer));
}

static void who_says_nothing_is_dropped_after_two_seconds(void **state)
{
	_cleanup_(closep) int peer = connected(*state);
	struct world *world = *state;

	tick_in(world, CLIENT_ASK_NS - 500000000);
	assert_int_equal(world->gone, 0);
	tick_in(world, CLIENT_ASK_NS);
	assert_int_equal(world->gone, 1);
	assert_int_equal(clients_count(world->clients), 0);
	assert_true(is_over(peer));
}

/* Each byte more is no reason to wait longer. */
static void who_says_half_a_request_is_dropped_as_soon(void **state)
{
	_cleanup_(closep) int peer = connected(*state);
	struct world *world = *state;
	uint64_t began_ns = clock_now_ns();

	say_header(peer, 1000, WIRE_REQUEST);
	turn(world);
	say(peer, "{", 1);
	turn(world);
	clients_tick(world->clients, began_ns + CLIENT_ASK_NS + TURN_NS);
	assert_int_equal(world->gone, 1);
	assert_true(is_over(peer));
}

static void what_is_no_request_ends_the_connection(void **state)
{
	static const struct {
		uint32_t length, kind;
		const char *text;
	} wrong[] = {
		{ WIRE_REQUEST_MAX + 1, WIRE_REQUEST, "" },
		{ UINT32_MAX, WIRE_REQUEST, "" },
		{ 2, WIRE_REPLY, "{}" },
		{ 2, 0x50545448, "{}" },
		{ 2, WIRE_REQUEST, "[]" },
		{ 5, WIRE_REQUEST, "{\"a\":" },
		{ 4, WIRE_REQUEST, "{\"\xff\"" },
		{ 0, WIRE_REQUEST, "" },
	};
	struct world *world = *state;

	for (size_t i = 0; i < ARRAY_SIZE(wrong); i++) {
		_cleanup_(closep) int peer = connected(world);

		say_header(peer, wrong[i].length, wrong[i].kind);
		say(peer, wrong[i].text, strlen(wrong[i].text));
		turn(world);
		assert_int_equal(world->gone, i + 1);
	}
	assert_int_equal(world->requests, 0);
	assert_int_equal(clients_count(world->clients), 0);
}

static void nesting_without_end_is_no_request(void **state)
{
	static char deep[WIRE_REQUEST_MAX];
	_cleanup_(closep) int peer = connected(*state);
	struct world *world = *state;

	memset(deep, '[', sizeof(deep));
	memcpy(deep, "{\"a\":", 5);
	say_header(peer, sizeof(deep), WIRE_REQUEST);
	say(peer, deep, sizeof(deep));
	turn(world);
	assert_int_equal(world->requests, 0);
	assert_int_equal(world->gone, 1);
}

/* A trace whose client is stopped: it costs a bounded queue, and a bounded time. */
static void who_takes_nothing_is_dropped_after_thirty_seconds(void **state)
{
	static const char calls[1024 * 1024];
	_cleanup_(closep) int peer = connected(*state);
	struct world *world = *state;
	int r = 0, sent;

	world->keeps = true;
	ask(peer, "{}");
	turn(world);
	for (sent = 0; sent < 100 && r == 0; sent++)
		r = client_send(world->asked, WIRE_CALLS, calls, sizeof(calls));
	assert_int_equal(r, -ENOBUFS);
	assert_in_range(sent, 16, 33);
	turn(world);
	tick_in(world, CLIENT_TAKE_NS - 1000000000);
	assert_int_equal(world->gone, 0);
	tick_in(world, CLIENT_TAKE_NS);
	assert_int_equal(world->gone, 1);
}

static void a_client_that_is_served_may_be_silent_for_ever(void **state)
{
	_cleanup_(closep) int peer = connected(*state);
	struct world *world = *state;

	world->keeps = true;
	ask(peer, "{}");
	turn(world);
	tick_in(world, 3600 * 1000000000ULL);
	assert_int_equal(world->gone, 0);
	ask(peer, "{}");
	turn(world);
	assert_int_equal(world->requests, 2);
}

/* It neither keeps the owner busy nor is it heard. */
static void who_talks_on_behind_its_request_is_not_read(void **state)
{
	static const char more[4096];
	static const char answer[4 * 1024 * 1024];
	_cleanup_(closep) int peer = connected(*state);
	struct world *world = *state;
	clock_t before;

	world->keeps = true;
	ask(peer, "{}");
	turn(world);
	assert_int_equal(client_send(world->asked, WIRE_REPLY, answer, sizeof(answer)), 0);
	client_end(world->asked);
	say(peer, more, sizeof(more));
	shutdown(peer, SHUT_WR);
	turn(world);
	before = clock();
	for (int i = 0; i < 5; i++)
		turn(world);
	assert_true((double)(clock() - before) / CLOCKS_PER_SEC < 5 * TURN_NS / 1e9 / 2);
	assert_int_equal(world->requests, 1);
	assert_int_equal(world->gone, 0);
}

static void those_who_say_nothing_keep_nobody_out(void **state)
{
	_cleanup_(closep) int newcomer = -1;
	struct world *world = *state;
	int peer[CLIENTS_MAX];

	for (size_t i = 0; i < CLIENTS_MAX; i++)
		peer[i] = connected(world);
	newcomer = connected(world);
	assert_int_equal(clients_count(world->clients), CLIENTS_MAX);
	assert_true(is_over(peer[0])); /* it had been silent for longest */
	assert_false(is_over(peer[1]));
	ask(newcomer, "{}");
	turn(world);
	assert_int_equal(world->requests, 1);
	for (size_t i = 0; i < CLIENTS_MAX; i++)
		close(peer[i]);
}

static void those_who_are_served_are_not_sent_away_for_a_newcomer(void **state)
{
	struct world *world = *state;
	int peer[CLIENTS_MAX], end[2];

	world->keeps = true;
	for (size_t i = 0; i < CLIENTS_MAX; i++) {
		peer[i] = connected(world);
		ask(peer[i], "{}");
	}
	turn(world);
	assert_int_equal(world->requests, CLIENTS_MAX);
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, end), 0);
	assert_int_equal(clients_add(world->clients, end[1]), -EMFILE);
	assert_true(is_over(end[0]));
	close(end[0]);
	for (size_t i = 0; i < CLIENTS_MAX; i++)
		close(peer[i]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, finish)
		TEST(a_request_is_taken_in_whatever_pieces_it_comes),
		TEST(who_says_nothing_is_dropped_after_two_seconds),
		TEST(who_says_half_a_request_is_dropped_as_soon),
		TEST(what_is_no_request_ends_the_connection),
		TEST(nesting_without_end_is_no_request),
		TEST(who_takes_nothing_is_dropped_after_thirty_seconds),
		TEST(a_client_that_is_served_may_be_silent_for_ever),
		TEST(who_talks_on_behind_its_request_is_not_read),
		TEST(those_who_say_nothing_keep_nobody_out),
		TEST(those_who_are_served_are_not_sent_away_for_a_newcomer),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
