/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test_grace.c - facts about a knob of the machine's: set for one call, and set back whoever is killed. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "link/grace.h"

#define PATIENCE_MS 5000

static char dir[64], knob[96], normal[96], note[96];
static const struct grace_files files = { .note = note, .knob = knob, .normal = normal };

static void write_digit(const char *path, char digit)
{
	FILE *file = fopen(path, "w");

	assert_non_null(file);
	fprintf(file, "%c\n", digit);
	assert_int_equal(fclose(file), 0);
}

static char digit_in(const char *path)
{
	FILE *file = fopen(path, "r");
	int digit;

	assert_non_null(file);
	digit = fgetc(file);
	fclose(file);
	return (char)digit;
}

static int make_files(void **state)
{
	(void)state;
	snprintf(dir, sizeof(dir), "/tmp/test_grace.XXXXXX");
	if (!mkdtemp(dir))
		return -1;
	snprintf(knob, sizeof(knob), "%s/rcu_expedited", dir);
	snprintf(normal, sizeof(normal), "%s/rcu_normal", dir);
	snprintf(note, sizeof(note), "%s/note", dir);
	write_digit(knob, '0');
	write_digit(normal, '0');
	return 0;
}

static int remove_files(void **state)
{
	(void)state;
	grace_stop();
	unlink(knob);
	unlink(normal);
	unlink(note);
	return rmdir(dir);
}

static bool is_there(const char *path)
{
	struct stat st;

	return stat(path, &st) == 0;
}

static void sleep_ms(long ms)
{
	const struct timespec pause = { .tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000 };

	nanosleep(&pause, NULL);
}

static bool becomes(const char *path, char digit)
{
	for (int ms = 0; ms < PATIENCE_MS && digit_in(path) != digit; ms++)
		sleep_ms(1);
	return digit_in(path) == digit;
}

static void the_knob_is_set_for_the_call_alone(void **state)
{
	(void)state;
	assert_int_equal(grace_start(&files), 0);
	assert_int_equal(digit_in(knob), '0');
	grace_hurry();
	assert_int_equal(digit_in(knob), '1');
	grace_ease();
	assert_int_equal(digit_in(knob), '0');
}

static void of_calls_beside_each_other_the_last_sets_it_back(void **state)
{
	(void)state;
	assert_int_equal(grace_start(&files), 0);
	grace_hurry();
	grace_hurry();
	grace_ease();
	assert_int_equal(digit_in(knob), '1');
	grace_ease();
	assert_int_equal(digit_in(knob), '0');
}

static void who_has_set_it_before_us_keeps_it(void **state)
{
	(void)state;
	write_digit(knob, '1');
	assert_int_equal(grace_start(&files), 0);
	grace_hurry();
	grace_ease();
	assert_int_equal(digit_in(knob), '1');
	grace_stop();
	assert_int_equal(digit_in(knob), '1');
}

static void a_machine_that_must_not_be_interrupted_is_not(void **state)
{
	(void)state;
	write_digit(normal, '1');
	assert_int_equal(grace_start(&files), 0);
	grace_hurry();
	assert_int_equal(digit_in(knob), '0');
	grace_ease();
}

static void without_a_knob_nothing_is_done(void **state)
{
	const struct grace_files none = { .note = note,
					  .knob = "/nonexistent/knob",
					  .normal = normal };

	(void)state;
	assert_int_equal(grace_start(&none), 0);
	grace_hurry();
	grace_ease();
	assert_false(is_there(note));
}

static void before_the_start_nothing_is_done(void **state)
{
	(void)state;
	grace_hurry();
	assert_int_equal(digit_in(knob), '0');
	grace_ease();
}

static void stopping_takes_note_and_watcher_away(void **state)
{
	(void)state;
	assert_int_equal(grace_start(&files), 0);
	assert_true(is_there(note));
	grace_stop();
	assert_false(is_there(note));
	assert_int_equal(waitpid(-1, NULL, WNOHANG), -1); /* no child of ours is left */
}

/* The child of a child that dies in the middle; its watcher is told when it is to die as well. */
static pid_t killed_in_the_middle(bool with_watcher)
{
	pid_t child = fork();
	int status;

	assert_true(child >= 0);
	if (child == 0) {
		if (with_watcher)
			setpgid(0, 0);
		if (grace_start(&files) < 0)
			_exit(1);
		grace_hurry();
		if (digit_in(knob) != '1')
			_exit(1);
		kill(with_watcher ? 0 : getpid(), SIGKILL);
		pause();
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFSIGNALED(status));
	return child;
}

static void the_watcher_sets_it_back_when_we_are_killed(void **state)
{
	(void)state;
	killed_in_the_middle(false);
	assert_true(becomes(knob, '0'));
	assert_true(becomes(note, '\0'));
	assert_int_equal(grace_restore(&files), 0);
	assert_false(is_there(note));
}

static void what_two_killed_ones_left_is_restored(void **state)
{
	(void)state;
	killed_in_the_middle(true);
	sleep_ms(50); /* long enough for a watcher that lived */
	assert_int_equal(digit_in(knob), '1');
	assert_int_equal(grace_restore(&files), 1);
	assert_int_equal(digit_in(knob), '0');
	assert_false(is_there(note));
	assert_int_equal(grace_restore(&files), 0);
}

/* Whoever reads what a command prints waits until nobody has the other end. */
static void the_watcher_holds_nothing_of_ours_open(void **state)
{
	int end[2];
	char byte;

	(void)state;
	assert_int_equal(pipe(end), 0);
	assert_int_equal(grace_start(&files), 0);
	close(end[1]);
	assert_int_equal(fcntl(end[0], F_SETFL, O_NONBLOCK), 0);
	for (int ms = 0; ms < PATIENCE_MS && read(end[0], &byte, 1) < 0; ms++)
		sleep_ms(1);
	assert_int_equal(read(end[0], &byte, 1), 0);
	close(end[0]);
}

#define FACT(name) cmocka_unit_test_setup_teardown(name, make_files, remove_files)

int main(void)
{
	const struct CMUnitTest facts[] = {
		FACT(the_knob_is_set_for_the_call_alone),
		FACT(of_calls_beside_each_other_the_last_sets_it_back),
		FACT(who_has_set_it_before_us_keeps_it),
		FACT(a_machine_that_must_not_be_interrupted_is_not),
		FACT(without_a_knob_nothing_is_done),
		FACT(before_the_start_nothing_is_done),
		FACT(stopping_takes_note_and_watcher_away),
		FACT(the_watcher_sets_it_back_when_we_are_killed),
		FACT(what_two_killed_ones_left_is_restored),
		FACT(the_watcher_holds_nothing_of_ours_open),
	};

	return cmocka_run_group_tests(facts, NULL, NULL);
}
