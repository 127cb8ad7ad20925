/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * promise.h - what must hold for any input: a promise that is broken ends the fuzzer, which then keeps the input.
 */
#ifndef HOPFAULT_TESTS_FUZZ_PROMISE_H
#define HOPFAULT_TESTS_FUZZ_PROMISE_H

#include <stdio.h>
#include <stdlib.h>

static inline void must(int truth, const char *what)
{
	if (truth)
		return;
	fprintf(stderr, "broken promise: %s\n", what);
	abort();
}

#endif
