/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * lease.h - the owner's sign of life, given by a thread that does nothing else; by the loop, where it comes back late.
 *
 * The loop that does everything may wait in the kernel for seconds (a grace period, the lock of rtnetlink, a busy
 * machine); a fault that is in force must not stop acting then. So the thread renews the lease for it, as long as the
 * loop has been heard of lately and the delay engine lives. A process that is stopped or killed renews nothing.
 */
#ifndef HF_DAEMON_LEASE_H
#define HF_DAEMON_LEASE_H

#include <stdint.h>

#include "abi.h"
#include "hold/hold.h"

struct lease;

#define LEASE_NS 1000000000ULL /* how long a program acts without a new sign */
#define LEASE_PATIENCE_NS \
	10000000000ULL /* how long the loop may be silent before it counts as hung */

/*
 * Renews config->lease_ns from now on, unless the loop is silent for longer than patience_ns. hold may be NULL. 0, -ENOMEM
 * or what pthread_create() says.
 */
int lease_start(volatile struct hf_config *config, const struct hold *hold, uint64_t patience_ns,
		struct lease **ret_lease);
/* The loop is alive. Where the lease has run out it holds again at once, if the delay engine lives too. */
void lease_heard(struct lease *lease);
/* Ends the thread; the lease is stale at once. NULL is fine. */
void lease_end(struct lease *lease);

#endif
