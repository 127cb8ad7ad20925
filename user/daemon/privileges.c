/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * privileges.c - see privileges.h.
 *
 * Root's files and sockets are the owner's without any capability, as it is root by its user id. What is kept is what its
 * work asks of the kernel beyond that.
 */
#include "daemon/privileges.h"

#include <cap-ng.h>
#include <errno.h>
#include <stdbool.h>
#include <sys/prctl.h>
#include <sys/resource.h>

#include "base/cleanup.h"

static const unsigned int kept[] = {
	/*
	 * setns() into a container's network namespace; programs and maps, and looking up another owner's by their
	 * ids. Where the kernel asks for CAP_BPF or CAP_PERFMON, this one does as well: keeping them would add nothing.
	 */
	CAP_SYS_ADMIN,
	CAP_NET_ADMIN, /* programs and qdiscs on devices, the TAP, the mark of a released packet */
	CAP_NET_RAW, /* the packet socket by which a held packet is released */
	CAP_SYS_PTRACE, /* open /proc/PID/ns/net of a process that has rights which we gave up */
	CAP_DAC_OVERRIDE, /* connect to the socket of an engine that another user runs */
	CAP_SYS_NICE, /* SCHED_FIFO for the delay engine, the guard and the lease; a tracer that falls behind */
};

/* Before 5.11 maps count as locked memory. The limit may be raised by who has the right to it, and stays raised. */
static void raise_locked_memory(void)
{
	const struct rlimit none = { RLIM_INFINITY, RLIM_INFINITY };

	(void)setrlimit(RLIMIT_MEMLOCK, &none);
}

/* Asking for what was not there to begin with would be refused. */
static void choose(void)
{
	bool had[ARRAY_SIZE(kept)];

	for (size_t i = 0; i < ARRAY_SIZE(kept); i++)
		had[i] = capng_have_capability(CAPNG_PERMITTED, kept[i]);
	capng_clear(CAPNG_SELECT_ALL);
	for (size_t i = 0; i < ARRAY_SIZE(kept); i++)
		if (had[i])
			capng_updatev(CAPNG_ADD,
				      CAPNG_EFFECTIVE | CAPNG_PERMITTED | CAPNG_BOUNDING_SET,
				      kept[i], -1);
}

int privileges_drop(void)
{
	bool may_bound;

	raise_locked_memory();
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		return -errno;
	if (capng_get_caps_process() < 0)
		return -EPERM;
	/* in a container that lacks this one the bounding set stays as the container made it */
	may_bound = capng_have_capability(CAPNG_EFFECTIVE, CAP_SETPCAP);
	choose();
	if (capng_apply(CAPNG_SELECT_AMBIENT) < 0)
		return -EPERM;
	return capng_apply(may_bound ? CAPNG_SELECT_BOTH : CAPNG_SELECT_CAPS) < 0 ? -EPERM : 0;
}
