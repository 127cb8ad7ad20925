// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * link.bpf.c - the tc programs on the host side of a container's veth.
 *
 *   container A                                     container B
 *     eth0 ==== vethA [link_leave]  bridge  [link_enter] vethB ==== eth0
 *                "it has left A"             "it is about to enter B":
 *                 seen                        seen, judged, dropped or delayed
 *                 judged, when it goes
 *                 to the host or the world
 *
 * The host and the world have no device of their own to be entered by: what goes there is judged where it leaves. What is
 * delayed there comes back by the TAP's own ingress [link_return], from where it arrives at vethA once more.
 *
 * A container on a macvlan or ipvlan has no other end on the host's side. Its interface has both programs inside, the other way
 * round: link_enter at its ingress, link_leave at its egress. Nothing is held there, as that would need a TAP in the
 * container's own namespace. What comes to it from behind a veth is judged, and held, where it leaves that; at its own
 * ingress cuts alone are asked of it again.
 *
 * What must never happen here: a packet that nobody named is touched; a packet that we pass is hidden from the
 * programs behind us (so every passing path returns TC_ACT_UNSPEC); a fault acts for an owner that is dead.
 *
 * One object is loaded for each network namespace, as an ifindex means nothing outside its own.
 */
#include <linux/bpf.h>
#include <linux/pkt_cls.h>
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>

#include "delay.bpf.h"
#include "desk.bpf.h"
#include "device.bpf.h"
#include "judge.bpf.h"
#include "kernel.bpf.h"
#include "near.bpf.h"
#include "owner.bpf.h"
#include "sighting.bpf.h"

/*
 * The inode of the namespace that this object's devices are in. No read-only data: it is told after the object was loaded,
 * which is done before anybody knows for which namespace. It never changes while a program is attached.
 */
volatile __u32 netns_id;

static __always_inline int pass(void)
{
	return TC_ACT_UNSPEC;
}

/* When a packet is seen; 0: nobody wants to see any, and the time is read only if there is something to do. */
static __always_inline __u64 seen_now(const struct hf_config *owner)
{
	__u64 now_ns = owner->tracing ? bpf_ktime_get_ns() : 0;

	return lease_is_stale(owner, now_ns) ? 0 : now_ns;
}

static __always_inline bool is_seen(__u64 seen_ns, const struct hf_device *device)
{
	return seen_ns && device->traced;
}

/* Whose address it is for packets of this device: an endpoint, perhaps with HF_ADDRESS_INSIDE. */
static __always_inline __u32 party_at(const struct hf_device *device, const struct hf_addr *addr)
{
	struct hf_prefix_key key = { .prefix_len = HF_PREFIX_WHOLE,
				     .netns = device->inside ? device->below : netns_id,
				     .addr = *addr };
	const __u32 *party = bpf_map_lookup_elem(&addresses, &key);

	return party ? *party : HF_ENDPOINT_WORLD;
}

static __always_inline __u32 endpoint_at(const struct hf_device *device, const struct hf_addr *addr)
{
	return party_at(device, addr) & ~HF_ADDRESS_INSIDE;
}

/* A managed one that was judged where it left its veth. */
static __always_inline bool is_behind_veth(__u32 party)
{
	return party >= HF_ENDPOINT_FIRST && !(party & HF_ADDRESS_INSIDE);
}

/* Of an interface that the owner has not heard of yet; HF_ENDPOINT_NONE: it has, or nobody there is guarded. */
static __always_inline __u32 newcomer_at(__u32 ifindex)
{
	__u32 netns = netns_id;
	const struct hf_newcomers *here = bpf_map_lookup_elem(&newcomers, &netns);

	return here && ifindex > here->newest ? here->endpoint : HF_ENDPOINT_NONE;
}

/* Behind the interface by which a packet came in; HF_ENDPOINT_NONE: nobody's that is known. */
static __always_inline __u32 endpoint_behind(__u32 ifindex)
{
	struct hf_device from;

	return device_at(netns_id, ifindex, &from) ? from.endpoint : newcomer_at(ifindex);
}

/*
 * On a bridge the packet's way in is its sender's veth; what came in elsewhere is known by its address. What came in
 * nowhere is the host's own. An address of the host's on what came in is somebody's whose own was masked on the way.
 */
static __always_inline __u32 sender_of(struct __sk_buff *skb, const struct hf_device *device,
				       const struct packet *packet)
{
	__u32 endpoint = HF_ENDPOINT_NONE;

	if (skb->ingress_ifindex && skb->ingress_ifindex != skb->ifindex)
		endpoint = endpoint_behind(skb->ingress_ifindex);
	if (endpoint != HF_ENDPOINT_NONE)
		return endpoint;
	endpoint = endpoint_at(device, &packet->flow.src);
	if (endpoint >= HF_ENDPOINT_FIRST)
		return endpoint;
	if (!skb->ingress_ifindex)
		return HF_ENDPOINT_HOST;
	return endpoint == HF_ENDPOINT_HOST ? HF_ENDPOINT_OTHER : endpoint;
}

/* Takes a packet that was seen or judged at this device to the desk. NULL: it does not parse. */
static __always_inline struct desk *desk_with(struct __sk_buff *skb, const struct hf_device *device)
{
	struct desk *desk = desk_here();

	if (!desk || !take_up(skb))
		return NULL;
	desk->packet.network = device->network;
	return desk;
}

static __always_inline void undelayed(struct desk *desk)
{
	count_undelayed(&desk->judgement, desk->packet.segments);
	desk->judgement = (struct judgement){};
}

/* Does what was decided. Where it can't be done, nothing was, and the judgement says so. */
static __always_inline int act(struct __sk_buff *skb, const struct hf_device *device,
			       struct desk *desk, int verdict)
{
	if (verdict == HF_VERDICT_DROP)
		return TC_ACT_SHOT;
	if (verdict != HF_VERDICT_DELAY)
		return pass();
	if (device->engine == HF_ENGINE_HOLD && device->hold_ifindex &&
	    !hold_send(skb, device, desk->decided_ns, desk->who.src, HF_WAY_IN, &desk->judgement))
		return bpf_redirect(device->hold_ifindex, 0);
	if (device->engine == HF_ENGINE_FQ &&
	    !fq_send(skb, desk->decided_ns, &desk->packet, &desk->who, &desk->judgement))
		return TC_ACT_STOLEN;
	undelayed(desk);
	return pass();
}

/* A packet is about to enter the endpoint behind this device. */
static __always_inline int entering(struct __sk_buff *skb, const struct hf_device *device,
				    __u64 seen_ns)
{
	struct desk *desk = desk_with(skb, device);
	int action;

	if (!desk)
		return pass();
	desk->who.src = sender_of(skb, device, &desk->packet);
	desk->who.dst = device->endpoint;
	action = act(skb, device, desk, judge());
	if (is_seen(seen_ns, device))
		emit_entering(seen_ns, &desk->packet, &desk->who, &desk->judgement);
	return action;
}

/* A packet that the hold engine gives back. The mark was the owner's word for it, and ends here. */
static __always_inline int released(struct __sk_buff *skb, const struct hf_config *owner,
				    const struct hf_device *device)
{
	__u64 due_ns = skb->tstamp, now_ns = bpf_ktime_get_ns();
	__u32 sender = skb->mark & HF_MARK_SENDER;
	struct desk *desk;
	int verdict;

	if (lease_is_stale(owner, now_ns))
		return pass(); /* it may be another's mark by now */
	skb->mark = 0;
	skb->tstamp = 0;
	desk = desk_with(skb, device);
	if (!desk)
		return pass();
	desk->who.src = sender ? sender : endpoint_at(device, &desk->packet.flow.src);
	desk->who.dst = device->endpoint;
	verdict = judge_again(due_ns, now_ns);
	if (owner->tracing && device->traced)
		emit_release(now_ns, &desk->packet, &desk->who, &desk->judgement);
	return verdict == HF_VERDICT_DROP ? TC_ACT_SHOT : pass();
}

/* From behind a veth it was judged there, and cuts alone are asked of it again. */
static __always_inline int judge_arrival(const struct hf_config *owner, __u32 from)
{
	__u64 now_ns;

	if (!is_behind_veth(from))
		return judge();
	now_ns = bpf_ktime_get_ns();
	return lease_is_stale(owner, now_ns) ? HF_VERDICT_PASS : judge_again(HF_NEVER_DUE, now_ns);
}

/* A packet that arrives inside its receiver, where its sender is known by address alone, and nothing is held. */
static __always_inline int arriving(struct __sk_buff *skb, const struct hf_config *owner,
				    const struct hf_device *device, __u64 seen_ns)
{
	struct desk *desk = desk_with(skb, device);
	int verdict;
	__u32 from;

	if (!desk)
		return pass();
	from = party_at(device, &desk->packet.flow.src);
	desk->who.src = from & ~HF_ADDRESS_INSIDE;
	desk->who.dst = device->endpoint;
	verdict = judge_arrival(owner, from);
	if (verdict == HF_VERDICT_DELAY)
		undelayed(desk);
	if (is_seen(seen_ns, device))
		emit_entering(seen_ns, &desk->packet, &desk->who, &desk->judgement);
	return verdict == HF_VERDICT_DROP ? TC_ACT_SHOT : pass();
}

/* Where send calls are told by fentry (before Linux 6.16), they begin no passage in a lane. */
static __always_inline bool sends_begin_passages(void)
{
	return bpf_core_type_exists(struct trace_event_raw_tcp_sendmsg_locked);
}

/*
 * Most of what a trace sees: a packet of a call, at devices of which nothing else is asked, which the newest passage knows
 * already. False: it is not told, and has to be looked at.
 */
static __always_inline bool is_told_already(struct __sk_buff *skb, const struct hf_config *owner,
					    enum hf_point point, __u64 seen_ns)
{
	struct hf_lane *lane = lane_take();
	bool told = false;
	__u32 endpoint;

	if (!lane)
		return false;
	endpoint = near_device(lane, owner, netns_id, skb->ifindex);
	if (endpoint != HF_ENDPOINT_NONE)
		told = point == HF_POINT_LEAVE ? emit_leaving_known(lane, skb, endpoint, seen_ns)
					       : emit_entering_known(lane, skb, endpoint, seen_ns);
	lane_give_back(lane);
	return told;
}

SEC("tc")
int link_enter(struct __sk_buff *skb)
{
	const struct hf_config *owner = owner_word();
	void *generation = live_generation();
	struct hf_device device;
	__u64 seen_ns;

	if (!owner || !(generation || owner->tracing || skb->mark))
		return pass(); /* the usual case */
	seen_ns = seen_now(owner);
	if (seen_ns && !generation && !skb->mark &&
	    is_told_already(skb, owner, HF_POINT_ENTER, seen_ns))
		return pass();
	if (!device_at(netns_id, skb->ifindex, &device))
		return pass();
	if (device.inside)
		return arriving(skb, owner, &device, seen_ns);
	if (device.engine == HF_ENGINE_FQ && clone_arrives(skb))
		return pass();
	if ((skb->mark & HF_MARK_SECRET) == owner->release_mark && device.engine == HF_ENGINE_HOLD)
		return released(skb, owner, &device);
	if (!generation && !is_seen(seen_ns, &device))
		return pass();
	return entering(skb, &device, seen_ns);
}

/* Has whom it goes to no device to be entered by that would see this packet whole? */
static __always_inline bool is_outward(const struct packet *packet, const struct hf_device *device,
				       __u32 to)
{
	if (packet->flags & PACKET_UPKEEP)
		return false;
	return to == HF_ENDPOINT_HOST || to == HF_ENDPOINT_WORLD ||
	       ((to & HF_ADDRESS_INSIDE) && !device->inside);
}

/* As act(), where a packet has left: an fq holds nothing there, whatever this device's engine is. */
static __always_inline int act_outward(struct __sk_buff *skb, const struct hf_device *device,
				       struct desk *desk, int verdict)
{
	if (verdict == HF_VERDICT_DROP)
		return TC_ACT_SHOT;
	if (verdict != HF_VERDICT_DELAY)
		return pass();
	if (!device->inside && device->hold_ifindex &&
	    !hold_send(skb, device, desk->decided_ns, device->endpoint, HF_WAY_OUT,
		       &desk->judgement))
		return bpf_redirect(device->hold_ifindex, 0);
	undelayed(desk);
	return pass();
}

/* A packet has left the endpoint behind this device. */
static __always_inline int leaving(struct __sk_buff *skb, const struct hf_device *device,
				   __u64 seen_ns)
{
	struct desk *desk = desk_with(skb, device);
	int verdict = HF_VERDICT_PASS;
	__u32 to;

	if (!desk)
		return pass();
	desk->who.src = device->endpoint;
	if (device->outward) {
		to = party_at(device, &desk->packet.flow.dst);
		desk->who.dst = to & ~HF_ADDRESS_INSIDE;
		if (is_outward(&desk->packet, device, to))
			verdict = judge();
	}
	if (is_seen(seen_ns, device))
		emit_leaving(skb, seen_ns, &desk->packet, &desk->who);
	return act_outward(skb, device, desk, verdict);
}

/*
 * It has left before, and was held. The mark ends here, also when nobody is there any more who would judge. A trace has
 * seen it leave already.
 */
static __always_inline int left_again(struct __sk_buff *skb, const struct hf_config *owner,
				      __u64 due_ns)
{
	__u64 now_ns = bpf_ktime_get_ns();
	struct hf_device device;
	struct desk *desk;

	skb->mark = 0;
	if (lease_is_stale(owner, now_ns) || !device_at(netns_id, skb->ifindex, &device))
		return pass();
	desk = desk_with(skb, &device);
	if (!desk)
		return pass();
	desk->who.src = device.endpoint;
	desk->who.dst = endpoint_at(&device, &desk->packet.flow.dst);
	return judge_again(due_ns, now_ns) == HF_VERDICT_DROP ? TC_ACT_SHOT : pass();
}

static __always_inline __u32 return_mark(const struct hf_config *owner)
{
	return owner->release_mark ^ HF_MARK_OUTWARD;
}

/* NULL: this is no packet that was released here. */
static __always_inline const struct hf_return *return_here(const struct __sk_buff *skb,
							   const struct hf_config *owner)
{
	const struct hf_return *slot;

	if ((skb->mark & HF_MARK_SECRET) != return_mark(owner))
		return NULL;
	slot = return_slot(skb->mark & HF_MARK_RETURN);
	return slot && slot->ifindex == skb->ifindex ? slot : NULL;
}

SEC("tc")
int link_leave(struct __sk_buff *skb)
{
	const struct hf_config *owner = owner_word();
	const struct hf_return *back;
	struct hf_device device;
	__u64 seen_ns;

	if (!owner)
		return pass();
	back = return_here(skb, owner);
	if (back)
		return left_again(skb, owner, back->due_ns);
	if (!(owner->tracing | owner->outward))
		return pass(); /* the usual case */
	seen_ns = seen_now(owner);
	if (sends_begin_passages() && seen_ns && !owner->outward &&
	    is_told_already(skb, owner, HF_POINT_LEAVE, seen_ns))
		return pass();
	if (!device_at(netns_id, skb->ifindex, &device) ||
	    !(device.outward || is_seen(seen_ns, &device)))
		return pass();
	return leaving(skb, &device, seen_ns);
}

/*
 * At the ingress of a TAP, by which only the owner sends: a packet goes on as if it had just arrived at its device.
 * Where the device is not managed any more nobody would take the mark off, so it gets none.
 */
SEC("tc")
int link_return(struct __sk_buff *skb)
{
	const struct hf_config *owner = owner_word();
	const struct hf_return *slot;
	struct hf_device device;
	__u32 number;

	slot = return_open(skb, &number);
	if (!owner || !slot)
		return TC_ACT_SHOT;
	if (device_at(netns_id, slot->ifindex, &device))
		skb->mark = return_mark(owner) | number;
	return bpf_redirect(slot->ifindex, BPF_F_INGRESS);
}

char LICENSE[] SEC("license") = "GPL";
