/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * measured.h - how available each hop of a model was in a trace, by what its calls came back with.
 *
 * A call counts as
 *
 *   answered  it came back with a status below 500, or, when it is no HTTP, with any bytes (a 404 is an answer: the fault
 *             is the caller's)
 *   failed    it came back with 5xx, or never
 *   unknown   bytes came back and their status was not seen: left out, and counted
 *
 * A failure is `inherited` when one of the service's own required calls failed in it, so that each failure is blamed on
 * one hop: the last on its way down. A call whose connection was never made leaves no row in a trace; it is seen by what
 * its caller says: 502 or 504 (RFC 9110, 15.6: what is behind me failed) from a service that did not make its next
 * required call is one `unseen` failed call on that hop.
 *
 * By itself a hop may fail before its calls or after them, and only those after them are hidden by a call that failed
 * behind it. So of the calls a hop had, e failed before, i inherited, l failed after, and
 *
 *   share that works by itself  =  (1 - e / all) (1 - l / (all - e - i))
 *
 * the product-limit estimate (E. L. Kaplan, P. Meier, J. American Statistical Association 53, 1958): these shares multiply
 * up to what the caller saw. Its tries are as many as give that share with e + l failures: all of them if it fails
 * before only, all - i if after only.
 *
 * A call that was repeated is judged by its last try, a group by how many of its members answered.
 */
#ifndef HOPFAULT_AVAILABILITY_MEASURED_H
#define HOPFAULT_AVAILABILITY_MEASURED_H

#include "availability/model.h"
#include "export/csv_read.h"

#define MEASURED_OUTSIDE UINT32_MAX /* a caller that the model does not have: the user */
#define MEASURED_RUNS	 16 /* names that are kept */

struct tally {
	uint64_t tries, ok;
};

struct hop {
	unsigned int src; /* index of a part, or MEASURED_OUTSIDE */
	unsigned int dst;
	struct tally all; /* with everything behind it; the unseen are among them */
	uint64_t early, late; /* failed by itself: not all required calls made; all answered */
	uint64_t inherited;
	struct tally itself; /* of these three, when all is read: see above */
	uint64_t unseen;
	uint64_t unknown;
};

struct measured {
	const struct model *model;
	bool *leads; /* parts x parts, see measured_leads_to() */
	struct hop *hop;
	unsigned int hops, allocated;
	struct tally whole; /* calls from outside to the entry */
	uint64_t
		foreign; /* calls with an end that the model does not have, but for the callers of its entry */
	char foreign_name[64]; /* one of those ends */
	unsigned int runs;
	char *run[MEASURED_RUNS];
};

/*
 * Reads hops.csv; run NULL: all of them. Returns what csv_read() does, with its sentence; -EINVAL: no such run, the names
 * are in ret_measured->run.
 */
int measured_read(const struct model *model, const char *path, const char *run,
		  struct measured *ret_measured, char error[EXPORT_ERROR_MAX]);
void measured_done(struct measured *measured);

/* Of one service by itself, all hops to it together; no tries: it was not seen. */
struct tally measured_of_part(const struct measured *measured, unsigned int part);
/*
 * The same model with what was measured of each service in the place of its claim (and with ways that always work: what they
 * lost is in the hop's own share). *ret_kept: how many services keep their claim, because no call to them was seen.
 */
int measured_model(const struct measured *measured, struct model *ret_model,
		   unsigned int *ret_kept);
void measured_model_done(struct model *model);

/* Is `part` what a call to `to` leads to: itself, or a member of that group, or of a group in it? */
bool measured_leads_to(const struct measured *measured, unsigned int to, unsigned int part);

/*
 * Where the true share lies with a confidence of 95 %: E. B. Wilson, Probable inference, the law of succession, and
 * statistical inference, J. American Statistical Association 22, 1927. Of no tries: 0 to 1.
 */
void wilson(struct tally tally, double *ret_low, double *ret_high);
/*
 * How many tries it takes until that interval around the share `up`, were it seen, has no room for `other`. 0: never, they
 * are equal or one of them is no share.
 */
uint64_t wilson_tries(double up, double other);

#endif
