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

#define LOAD_PLACES_MAX	   LAB_SERVICES_MAX
#define LOAD_ADDRESS_BYTES 64

struct load_place {
	char name[ENDPOINT_NAME_MAX + 8]; /* as it is called, or was said */
	char address[LOAD_ADDRESS_BYTES]; /* "10.83.0.2:8080" */
	unsigned int tier; /* 1: whoever sends calls it itself */
};

struct load_places {
	size_t count;
	struct load_place place[LOAD_PLACES_MAX];
};

/*
 * Each finds the services and moves the calling thread into the network namespace of the sender, for good. 0 or -errno,
 * with a sentence for the user in ret_error (LOAD_PLACE_ERROR_MAX bytes).
 */

/* From the lab's client; all its services. */
int load_places_lab(struct load_places *ret_places, char *ret_error);

/*
 * from: an endpoint; to: NAME:PORT of an endpoint, on a network of from's if it is on one, or ADDRESS:PORT; several with
 * commas between.
 */
int load_places_endpoint(const char *from, const char *to, struct load_places *ret_places,
			 char *ret_error);

/* Those that are called by the sender itself, as load.h takes them. */
void load_places_target(const struct load_places *places, char *ret_target, size_t size);

#endif
