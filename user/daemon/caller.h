/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * caller.h - the connections that whoever asks for a fault works over, so that he does not saw off his own branch.
 *
 * The command says which they are (cli/session.h): an SSH connection ends in a namespace, at two addresses. Here it is
 * found out which links that is, of those that a fault would act on:
 *
 *     it ends in an endpoint      that endpoint <-> whose address is at the other side: an endpoint, the host, the world
 *     it ends in the host         the host <-> the endpoint whose address is at the other side
 *     neither                     none: what no endpoint sends or gets crosses no veth of one
 */
#ifndef HF_DAEMON_CALLER_H
#define HF_DAEMON_CALLER_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "daemon/managed.h"
#include "fault/faultset.h"

#define CALLER_SESSIONS_MAX 4

struct caller_session {
	struct hf_flow flow; /* src is the side at which the shell is */
	struct netns_id netns; /* where that side's socket is */
	bool is_before; /* not his own, but one that his own runs through */
};

struct caller {
	size_t sessions;
	struct caller_session session[CALLER_SESSIONS_MAX];
};

/* From a request's "sessions"; none is fine. -EINVAL: they make no sense. */
int caller_read(const json_t *request, struct caller *ret_caller);

/*
 * 0, or -EPERM with a sentence in ret_error (FAULTS_ERROR_MAX bytes): the wish, beside the faults that are live, would
 * end one of them. Other errors: it could not be found out.
 */
int caller_check(const struct caller *caller, struct managed *managed, const struct faultset *live,
		 const struct fault_wish *wish, char *ret_error, size_t error_size);

#endif
