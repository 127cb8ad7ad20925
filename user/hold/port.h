/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * port.h - the engine's way in and out in one network namespace: a TAP and a packet socket. What had left an endpoint
 * goes out by the TAP too.
 *
 * The TAP has no queue of its own but its ring, no ARP, no IPv6, and takes GSO frames whole. It is not
 * persistent: it dies with its descriptor, that is with the process at the latest.
 */
#ifndef HOPFAULT_HOLD_PORT_H
#define HOPFAULT_HOLD_PORT_H

#include <linux/if_packet.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>
#include <sys/types.h>
#include <sys/uio.h>

#include "hold/queue.h"

#define PORT_BATCH 16 /* frames handed to the kernel by one call */

struct port {
	dev_t netns_dev; /* the namespace's identity */
	ino_t netns_ino;
	uint32_t tap_ifindex;
	int tap_fd;
	int packet_fd;
	int netlink_fd;
	bool is_lost; /* somebody deleted the TAP */
};

/* Enters the namespace and comes back. -errno of the step that failed. */
int port_open(int netns_fd, struct port **ret_port);
void port_close(struct port *port);

/* Bytes of the frame now in the landing; -EAGAIN: none waits; else the TAP is lost. */
ssize_t port_read(struct port *port, struct packet *landing, uint8_t *const *chunks);

/* Takes one frame and throws it away. 0, or as port_read(). */
ssize_t port_discard(struct port *port);

/* Frames on their way out through one port; built once, filled again and again. */
struct port_batch;
int port_batch_new(struct port_batch **ret_batch);
void port_batch_free(struct port_batch *batch);
/* It leaves with this mark, the sender's id in its low half. */
void port_batch_set(struct port_batch *batch, unsigned i, const struct queue *queue,
		    struct packet *packet, uint32_t mark);

/*
 * Sends frames first..count-1 of the batch. Returns how many the kernel took, at least one; or
 * -errno for the first of them: -ENOBUFS when something on its way dropped it.
 */
int port_send(struct port *port, struct port_batch *batch, unsigned first, unsigned count);

/* Sends one frame back into the stack by the TAP; it must be enclosed. 0, or -errno. */
int port_return(struct port *port, const struct queue *queue, struct packet *packet);

/* How many frames the TAP dropped because its ring was full. */
int port_ring_drops(const struct port *port, uint64_t *ret_drops);

#endif
