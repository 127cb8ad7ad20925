/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * session.h - what becomes of a connection that somebody works over, when a fault joins those in force.
 *
 * A packet of it meets every rule of its link, as in the kernel (fault.h is asked): what several rules lose and delay
 * adds up. ARP and neighbour discovery are no packets of it: a connection that flows keeps its neighbours known.
 */
#ifndef HOPFAULT_FAULT_SESSION_H
#define HOPFAULT_FAULT_SESSION_H

#include <stdint.h>

#include "fault/faultset.h"
#include "packet.h"

/* From these on nobody can type `heal` any more, or not before he has given up. */
#define SESSION_LOST_MAX \
	0.5 /* of the packets one way: TCP waits twice as long after each that is lost */
#define SESSION_DELAY_MAX_NS (5ULL * 1000 * 1000 * 1000)

enum session_fate {
	SESSION_LIVES = 0,
	SESSION_CUT, /* nothing comes through */
	SESSION_LOST, /* SESSION_LOST_MAX or more does not */
	SESSION_SLOW, /* SESSION_DELAY_MAX_NS or later */
};

/* One way of a connection: the link that its packets cross, and what they look like to the programs there. */
struct session_way {
	struct hf_link_key link;
	struct packet packet;
};

/* The bytes from src to dst, by TCP; network as in hf_device. */
struct session_way session_way(struct hf_link_key link, const struct hf_flow *flow,
			       uint16_t network);

/* SESSION_LIVES also when it is ended already, and the wish alone would not do it. */
enum session_fate session_fate(const struct faultset *live, const struct fault_wish *wish,
			       const struct session_way *way);

#endif
