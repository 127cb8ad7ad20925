/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * dice.h - chance that can be played again.
 *
 * The n-th roll of a rule is a function of the rule's seed and n alone: no state is walked, so the n-th packet
 * that matches gets the same verdict in every run with the same seed, on any CPU, in BPF and in unit tests.
 * The mixer is SplitMix64's finalizer (Steele, Lea, Flood: Fast splittable pseudorandom number generators,
 * OOPSLA 2014), which passes BigCrush on a plain counter.
 */
#ifndef HOPFAULT_DICE_H
#define HOPFAULT_DICE_H

#include "abi.h"

/* What a roll is for; two rolls for one packet must not be the same number. */
enum dice_purpose { DICE_LOSS = 1, DICE_JITTER = 2, DICE_SHARE = 3, DICE_GRUDGE = 4 };

static inline __u64 dice_mix(__u64 x)
{
	x ^= x >> 30;
	x *= 0xbf58476d1ce4e5b9ULL;
	x ^= x >> 27;
	x *= 0x94d049bb133111ebULL;
	x ^= x >> 31;
	return x;
}

/* A number in [0, 2^32), uniform. */
static inline __u32 dice_roll(__u64 seed, __u64 nth, enum dice_purpose purpose)
{
	/* the purpose goes to the top: one rule's jitter is not the loss of a rule with the next seed */
	__u64 source = dice_mix(seed + ((__u64)purpose << 56));

	return dice_mix(source + nth * 0x9e3779b97f4a7c15ULL) >> 32;
}

/* True with a chance of odds / 2^32; HF_ODDS_ALWAYS is always. */
static inline int dice_hits(__u32 roll, __u32 odds)
{
	return odds == HF_ODDS_ALWAYS || roll < odds;
}

/* delay_ns with a uniform deviation in [-jitter_ns, +jitter_ns]; jitter_ns is at most delay_ns. */
static inline __u64 dice_delay(__u64 delay_ns, __u64 jitter_ns, __u32 roll)
{
	__u64 span_ns = 2 * jitter_ns + 1;

	/* span * roll / 2^32 in two halves, as the product may not fit */
	return delay_ns - jitter_ns + (span_ns >> 32) * roll +
	       (((span_ns & 0xffffffff) * roll) >> 32);
}

#endif
