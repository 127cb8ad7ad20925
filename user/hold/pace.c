/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * pace.c - the waiting rules of pace.h, and the figures that were chosen by measuring.
 */
#include "hold/pace.h"

#define SPIN_SHARE 5 /* one part in so many of all time may be spun */
#define CREDIT_MAX 2000000ULL /* ns: twenty spins of 100 us in a row */
#define SLEEP_MAX \
	80000000ULL /* ns: a sign of life at least every 100 ms while there is something to be done */
#define REST_MAX \
	240000000ULL /* and every 250 ms while nothing is held: each costs what a cold wake-up costs */
#define LULL_MAX     200000ULL /* ns: so late can the first frame of a shorter delay be seen */
#define DENSE_GAP    100000ULL /* ns between arrivals: below it, traffic is dense */
#define FLOOD_GAP    25000ULL /* below it, traffic is a flood: taken in turns, not frame by frame */
#define FLOOD_LULL   100000ULL /* a turn of a flood: frames may be so late */
#define GAP_MAX	     10000000ULL
#define ASKED_WINDOW 500000000ULL

void pace_init(struct pace *pace, uint64_t spin_ns, uint64_t now_ns)
{
	*pace = (struct pace){
		.spin_ns = spin_ns,
		.credit_ns = CREDIT_MAX,
		.credited_ns = now_ns,
		.gap_ns = GAP_MAX,
		.asked_ns = UINT64_MAX,
		.asked_before_ns = UINT64_MAX,
		.window_ns = now_ns,
	};
}

static uint64_t min_ns(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

static void move_window(struct pace *pace, uint64_t now_ns)
{
	if (now_ns - pace->window_ns < ASKED_WINDOW)
		return;
	pace->asked_before_ns = pace->asked_ns;
	pace->asked_ns = UINT64_MAX;
	pace->window_ns = now_ns;
}

void pace_arrival(struct pace *pace, uint64_t now_ns, uint64_t asked_ns)
{
	uint64_t gap = min_ns(now_ns - pace->arrival_ns, GAP_MAX);

	pace->gap_ns = (pace->gap_ns * 7 + gap) / 8;
	pace->arrival_ns = now_ns;
	move_window(pace, now_ns);
	pace->asked_ns = min_ns(pace->asked_ns, asked_ns);
}

static void give_credit(struct pace *pace, uint64_t now_ns)
{
	uint64_t earned = (now_ns - pace->credited_ns) / SPIN_SHARE;

	pace->credit_ns = min_ns(pace->credit_ns + earned, CREDIT_MAX);
	pace->credited_ns = now_ns;
}

static bool gap_is_below(const struct pace *pace, uint64_t now_ns, uint64_t gap_ns)
{
	return pace->gap_ns < gap_ns && now_ns - pace->arrival_ns < 4 * LULL_MAX;
}

/* A frame that comes right after a look must be read in time to spin for it. */
static uint64_t lull_of(const struct pace *pace)
{
	uint64_t asked = min_ns(pace->asked_ns, pace->asked_before_ns);

	return asked > pace->spin_ns ? min_ns((asked - pace->spin_ns) / 2, LULL_MAX) : 0;
}

struct pace_wait pace_wait(struct pace *pace, uint64_t now_ns, uint64_t due_ns)
{
	struct pace_wait wait = { .until_ns = now_ns + SLEEP_MAX, .watch_taps = true };
	uint64_t spin_ns, lull_ns;

	give_credit(pace, now_ns);
	if (due_ns == UINT64_MAX) {
		wait.until_ns = now_ns + REST_MAX;
		return wait;
	}
	if (gap_is_below(pace, now_ns, FLOOD_GAP)) {
		wait.until_ns = now_ns + FLOOD_LULL;
		wait.watch_taps = false;
		return wait;
	}
	spin_ns = pace->credit_ns > pace->spin_ns ? pace->spin_ns : 0;
	if (due_ns - now_ns <= spin_ns)
		return (struct pace_wait){ .until_ns = due_ns, .spin = true };
	wait.until_ns = min_ns(wait.until_ns, due_ns - spin_ns);
	lull_ns = lull_of(pace);
	if (lull_ns > 0 && gap_is_below(pace, now_ns, DENSE_GAP)) {
		wait.until_ns = min_ns(wait.until_ns, now_ns + lull_ns);
		wait.watch_taps = false;
	}
	return wait;
}

void pace_spun(struct pace *pace, uint64_t spun_ns)
{
	pace->credit_ns -= min_ns(pace->credit_ns, spun_ns);
}
