/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * frame.c - takes the hold header off a frame.
 */
#include "hold/frame.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/if_ether.h>
#include <string.h>

#define TAG_OFFSET 12 /* of a VLAN tag in a frame, after both addresses */
#define TAG_LEN	   4

_Static_assert(offsetof(struct hf_hold_header, ethertype) == TAG_OFFSET,
	       "a tag that the TAP inserts is seen where our ethertype should be");

static bool is_vlan_type(__be16 type)
{
	return type == htons(ETH_P_8021Q) || type == htons(ETH_P_8021AD);
}

/*
 * The header's last four bytes were pushed into the frame by the tag in its middle: pull them back, move the
 * frame's addresses to the front and put the tag behind them.
 */
static void move_tag_into_frame(struct packet *packet)
{
	uint8_t *header = (uint8_t *)&packet->header;
	size_t behind = sizeof(packet->header) - TAG_OFFSET - TAG_LEN;
	uint8_t tag[TAG_LEN];

	memcpy(tag, header + TAG_OFFSET, TAG_LEN);
	memmove(header + TAG_OFFSET, header + TAG_OFFSET + TAG_LEN, behind);
	memcpy(header + TAG_OFFSET + behind, packet->head, TAG_LEN);
	memmove(packet->head, packet->head + TAG_LEN, TAG_OFFSET);
	memcpy(packet->head + TAG_OFFSET, tag, TAG_LEN);
}

/* Fewer bytes that must be linear is always allowed; more than the frame has is an error to the kernel. */
static int mend_vnet(struct virtio_net_hdr *vnet, size_t frame_bytes)
{
	const size_t prefix = sizeof(struct hf_hold_header);

	vnet->hdr_len = vnet->hdr_len > prefix ? (__u16)(vnet->hdr_len - prefix) : 0;
	if (vnet->hdr_len > frame_bytes)
		vnet->hdr_len = (__u16)frame_bytes;
	if (!(vnet->flags & VIRTIO_NET_HDR_F_NEEDS_CSUM))
		return 0;
	if (vnet->csum_start < prefix + ETH_HLEN)
		return -EBADMSG;
	vnet->csum_start = (__u16)(vnet->csum_start - prefix);
	if ((size_t)vnet->csum_start + vnet->csum_offset + sizeof(__sum16) > frame_bytes)
		return -EBADMSG;
	return 0;
}

int frame_receive(struct packet *packet, size_t read_bytes)
{
	size_t frame_bytes = read_bytes - FRAME_PREFIX;
	bool tagged = is_vlan_type(packet->header.ethertype);

	if (read_bytes < FRAME_PREFIX + ETH_HLEN || frame_bytes > FRAME_MAX)
		return -EBADMSG;
	if (tagged) {
		if (frame_bytes < ETH_HLEN + TAG_LEN)
			return -EBADMSG;
		move_tag_into_frame(packet);
	}
	if (packet->header.ethertype != htons(HF_HOLD_ETHERTYPE) || packet->header.way > HF_WAY_OUT)
		return -EBADMSG;
	packet->len_bytes = (uint32_t)frame_bytes;
	return mend_vnet(&packet->vnet, frame_bytes);
}

void frame_enclose(struct packet *packet, uint16_t slot, struct hf_return *ret_return)
{
	static const char known[] = HF_RETURN_ENVELOPE;
	const size_t len = strlen(known);
	const __be16 number = htons(slot);

	*ret_return = (struct hf_return){
		.due_ns = packet->header.due_ns,
		.ifindex = packet->header.ifindex,
	};
	memcpy(ret_return->destination, packet->head, ETH_ALEN);
	memcpy(packet->head, known, len);
	memcpy(packet->head + len, &number, sizeof(number));
}

__be16 frame_ethertype(const struct packet *packet)
{
	__be16 type;

	memcpy(&type, packet->head + TAG_OFFSET, sizeof(type));
	return type;
}
