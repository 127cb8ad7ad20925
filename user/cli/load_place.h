/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * load_place.h - where `hopfault lab load` sends from, and to.
 */
#ifndef HF_CLI_LOAD_PLACE_H
#define HF_CLI_LOAD_PLACE_H

#include <stddef.h>

#include "endpoint/endpoint.h"
#include "lab/lab.h"

#define LOAD_PLACE_ERROR_MAX \
	(ENDPOINT_ERROR_MAX > LAB_ERROR_MAX ? ENDPOINT_ERROR_MAX : LAB_ERROR_MAX)

/*
 * Each finds the target ("10.83.0.2:8080") and moves the calling thread into the network namespace of the sender, for
 * good. 0 or -errno, with a sentence for the user in ret_error (LOAD_PLACE_ERROR_MAX bytes).
 */

/* From the lab's client to its first service. */
int load_place_lab(char *ret_target, size_t size, char *ret_error);

/* from: an endpoint; to: NAME:PORT of an endpoint, on a network of from's if it is on one, or ADDRESS:PORT. */
int load_place_endpoint(const char *from, const char *to, char *ret_target, size_t size,
			char *ret_error);

#endif
