/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test_dice.c - facts about chance that can be played again.
 *
 * Bounds are five standard deviations wide; as seeds are fixed, a test that passes once passes always.
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

#include "dice.h"

#define ROLLS 100000

static void same_seed_rolls_the_same(void **state)
{
	for (uint64_t nth = 0; nth < 1000; nth++)
		assert_int_equal(dice_roll(42, nth, DICE_LOSS), dice_roll(42, nth, DICE_LOSS));
}

/* These numbers are a promise: a seed in somebody's notes must cut the same packets in later versions. */
static void rolls_are_what_they_always_were(void **state)
{
	assert_int_equal(dice_roll(0, 0, DICE_LOSS), 0x332e6d2b);
	assert_int_equal(dice_roll(1, 0, DICE_LOSS), 0x6ed230f);
	assert_int_equal(dice_roll(1, 1, DICE_LOSS), 0xc40bc1a2);
	assert_int_equal(dice_roll(1, 1, DICE_JITTER), 0x8db0bf69);
	assert_int_equal(dice_roll(UINT64_MAX, UINT64_MAX, DICE_GRUDGE), 0x8c821cde);
}

/* How many of the rolls of two sources are equal: chance makes 2^-32 of them so. */
static unsigned int equal_rolls(uint64_t seed, enum dice_purpose one, uint64_t other_seed,
				enum dice_purpose other)
{
	unsigned int equal = 0;

	for (uint64_t nth = 0; nth < ROLLS; nth++)
		equal += dice_roll(seed, nth, one) == dice_roll(other_seed, nth, other);
	return equal;
}

static void purposes_and_seeds_roll_apart(void **state)
{
	assert_true(equal_rolls(7, DICE_LOSS, 7, DICE_JITTER) < 3);
	assert_true(equal_rolls(7, DICE_LOSS, 8, DICE_LOSS) < 3);
}

/* People number their seeds: one rule's jitter must not be the next rule's loss. */
static void neighbouring_seeds_share_no_dice(void **state)
{
	assert_true(equal_rolls(7, DICE_JITTER, 8, DICE_LOSS) < 3);
	assert_true(equal_rolls(7, DICE_LOSS, 8, DICE_JITTER) < 3);
}

/* Chi-square over the top byte: 255 degrees of freedom, mean 255, standard deviation 22.6. */
static void rolls_are_uniform(void **state)
{
	unsigned int seen[256] = {};
	double expected = ROLLS / 256.0, chi_square = 0;

	for (uint64_t nth = 0; nth < ROLLS; nth++)
		seen[dice_roll(3, nth, DICE_LOSS) >> 24]++;
	for (int i = 0; i < 256; i++)
		chi_square += (seen[i] - expected) * (seen[i] - expected) / expected;
	assert_true(chi_square > 255 - 5 * 22.6);
	assert_true(chi_square < 255 + 5 * 22.6);
}

/* Neighbours don't know of each other: pairs of hits at 50 % come as often as they must. */
static void rolls_do_not_remember(void **state)
{
	unsigned int both = 0;
	double sigma = 137; /* sqrt(ROLLS * 1/4 * 3/4) */

	for (uint64_t nth = 0; nth < ROLLS; nth++)
		both += dice_hits(dice_roll(5, nth, DICE_LOSS), 1U << 31) &&
			dice_hits(dice_roll(5, nth + 1, DICE_LOSS), 1U << 31);
	assert_true(both > ROLLS / 4.0 - 6 * sigma);
	assert_true(both < ROLLS / 4.0 + 6 * sigma);
}

static void odds_hit_as_often_as_they_say(void **state)
{
	unsigned int hits = 0;
	double sigma = 31.5; /* sqrt(ROLLS * 0.01 * 0.99) */

	for (uint64_t nth = 0; nth < ROLLS; nth++)
		hits += dice_hits(dice_roll(11, nth, DICE_LOSS), 42949673);
	assert_true(hits > 1000 - 5 * sigma);
	assert_true(hits < 1000 + 5 * sigma);
}

static void never_is_never_and_always_is_always(void **state)
{
	assert_false(dice_hits(0, 0));
	assert_true(dice_hits(0, 1));
	assert_true(dice_hits(UINT32_MAX, HF_ODDS_ALWAYS));
	assert_false(dice_hits(UINT32_MAX - 1, HF_ODDS_ALWAYS - 1));
}

static void delay_reaches_both_ends_and_no_further(void **state)
{
	assert_int_equal(dice_delay(100, 100, 0), 0);
	assert_int_equal(dice_delay(100, 100, UINT32_MAX), 200);
	assert_int_equal(dice_delay(100, 0, UINT32_MAX), 100);
	/* half an hour: the span is wider than 32 bits */
	assert_true(dice_delay(1800000000000, 1800000000000, 0) == 0);
	assert_true(dice_delay(1800000000000, 1800000000000, UINT32_MAX) > 3599999999000);
	assert_true(dice_delay(1800000000000, 1800000000000, UINT32_MAX) <= 3600000000000);
}

static void delay_grows_with_the_roll(void **state)
{
	uint64_t before = 0;

	for (uint64_t roll = 0; roll <= UINT32_MAX; roll += 65537) {
		uint64_t delay_ns = dice_delay(10000000000, 9999999999, (uint32_t)roll);

		assert_true(delay_ns >= before);
		before = delay_ns;
	}
}

/* The mean of a uniform deviation is its middle: within five standard errors. */
static void delay_deviates_evenly(void **state)
{
	double sum = 0, error = 5 * 1000000 / 1.7320508 / 316.2;

	for (uint64_t nth = 0; nth < ROLLS; nth++)
		sum += (double)dice_delay(5000000, 1000000, dice_roll(9, nth, DICE_JITTER));
	assert_true(sum / ROLLS > 5000000 - error);
	assert_true(sum / ROLLS < 5000000 + error);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(same_seed_rolls_the_same),
		cmocka_unit_test(rolls_are_what_they_always_were),
		cmocka_unit_test(purposes_and_seeds_roll_apart),
		cmocka_unit_test(neighbouring_seeds_share_no_dice),
		cmocka_unit_test(rolls_are_uniform),
		cmocka_unit_test(rolls_do_not_remember),
		cmocka_unit_test(odds_hit_as_often_as_they_say),
		cmocka_unit_test(never_is_never_and_always_is_always),
		cmocka_unit_test(delay_reaches_both_ends_and_no_further),
		cmocka_unit_test(delay_grows_with_the_roll),
		cmocka_unit_test(delay_deviates_evenly),
	};

	return cmocka_run_group_tests_name("dice", tests, NULL, NULL);
}
