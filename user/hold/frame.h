/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * frame.h - what the TAP gave, made into what the packet socket takes. Pure, and the one place that knows the
 * layout; every byte in it came through another's hands, so every length is checked.
 *
 *   read:  vnet | hf_hold_header ............. | frame
 *   read:  vnet | 12 bytes | tag | 20 bytes .. | frame      (VLAN tag beside the frame: the TAP put it there)
 *   sent:  vnet (offsets less the header's size) | frame    (tag where it belongs)
 *   returned:  the same, with an envelope for its destination address (see struct hf_return)
 */
#ifndef HOPFAULT_HOLD_FRAME_H
#define HOPFAULT_HOLD_FRAME_H

#include <stddef.h>

#include "hold/queue.h"

#define FRAME_PREFIX (sizeof(struct virtio_net_hdr) + sizeof(struct hf_hold_header))

/*
 * read_bytes: what read() gave, prefix included. Sets len_bytes, mends vnet, header and frame in place.
 * -EBADMSG: not ours, cut short, or offsets that point outside it; the packet is then to be dropped.
 */
int frame_receive(struct packet *packet, size_t read_bytes);

/*
 * Puts the frame into the envelope of a slot: ret_return gets what stands in its place and what the program needs to
 * know. Once, just before it is sent.
 */
void frame_enclose(struct packet *packet, uint16_t slot, struct hf_return *ret_return);

/* The ethertype in the frame's Ethernet header (0x8100 and the like for a tagged one). */
__be16 frame_ethertype(const struct packet *packet);

#endif
