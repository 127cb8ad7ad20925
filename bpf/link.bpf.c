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
 * What must never happen here: a packet that nobody named is touched; a packet that we pass is hidden from the
 * programs behind us (so every passing path returns TC_ACT_UNSPEC); a fault acts for an owner that is dead.
 *
 * One object is loaded for each network namespace, as an ifindex means nothing outside its own.
 */
#include <linux/bpf.h>
#include <linux/pkt_cls.h>
#include <bpf/bpf_helpers.h>

#include "delay.bpf.h"
#include "judge.bpf.h"
#include "packet.bpf.h"
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

static __always_inline const struct hf_config *owner_word(void)
{
	__u32 zero = 0;

	return bpf_map_lookup_elem(&config, &zero);
}

static __always_inline bool lease_is_stale(const struct hf_config *owner, __u64 now_ns)
{
	return now_ns >= owner->lease_ns;
}

static __always_inline const struct hf_device *device_at(__u32 ifindex)
{
	struct hf_device_key key = { .netns = netns_id, .ifindex = ifindex };

	return bpf_map_lookup_elem(&devices, &key);
}

static __always_inline bool is_seen(const struct hf_config *owner, const struct hf_device *device)
{
	return owner->tracing && device->traced;
}

static __always_inline __u32 endpoint_at(const struct hf_addr *addr)
{
	struct hf_prefix_key key = { .prefix_len = HF_PREFIX_WHOLE,
				     .netns = netns_id,
				     .addr = *addr };
	const __u32 *endpoint = bpf_map_lookup_elem(&addresses, &key);

	return endpoint ? *endpoint : HF_ENDPOINT_WORLD;
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
	const struct hf_device *from = device_at(ifindex);

	return from ? from->endpoint : newcomer_at(ifindex);
}

/*
 * On a bridge the packet's way in is its sender's veth; what came in elsewhere is known by its address. What came in
 * nowhere is the host's own. An address of the host's on what came in is somebody's whose own was masked on the way.
 */
static __always_inline __u32 sender_of(struct __sk_buff *skb, const struct packet *packet)
{
	__u32 endpoint = HF_ENDPOINT_NONE;

	if (skb->ingress_ifindex && skb->ingress_ifindex != skb->ifindex)
		endpoint = endpoint_behind(skb->ingress_ifindex);
	if (endpoint != HF_ENDPOINT_NONE)
		return endpoint;
	endpoint = endpoint_at(&packet->flow.src);
	if (endpoint >= HF_ENDPOINT_FIRST)
		return endpoint;
	if (!skb->ingress_ifindex)
		return HF_ENDPOINT_HOST;
	return endpoint == HF_ENDPOINT_HOST ? HF_ENDPOINT_OTHER : endpoint;
}

/* Does what was decided. Where it can't be done, nothing was, and the judgement says so. */
static __always_inline int act(struct __sk_buff *skb, const struct hf_device *device, __u64 now_ns,
			       const struct parties *who, struct desk *desk)
{
	struct judgement *judgement = &desk->judgement;

	if (judgement->verdict == HF_VERDICT_DROP)
		return TC_ACT_SHOT;
	if (judgement->verdict != HF_VERDICT_DELAY)
		return pass();
	if (device->engine == HF_ENGINE_HOLD && device->hold_ifindex &&
	    !hold_send(skb, device, now_ns, who->src, HF_WAY_IN, judgement))
		return bpf_redirect(device->hold_ifindex, 0);
	if (device->engine == HF_ENGINE_FQ && !fq_send(skb, now_ns, &desk->packet, who, judgement))
		return TC_ACT_STOLEN;
	count_undelayed(judgement, desk->packet.segments);
	*judgement = (struct judgement){};
	return pass();
}

/* The packet on the desk has been held until now: drop rules are asked again, and its lateness is counted. */
static __always_inline void judge_again(const struct hf_device *device, const struct parties *who,
					__u64 due_ns, __u64 now_ns, struct desk *desk)
{
	struct walk walk = walk_rules(live_generation(), who);

	desk->packet.network = device->network;
	desk->due_ns = due_ns;
	/* let go before it was due: a heal, no error of the engine's */
	desk->error_ns = now_ns >= due_ns ? now_ns - due_ns : 0;
	desk->error_bucket = now_ns >= due_ns ? error_bucket(desk->error_ns) : HF_ERROR_BUCKETS;
	judge_released(&walk, now_ns, desk);
}

/* A packet that the hold engine gives back. The mark was the owner's word for it, and ends here. */
static __always_inline int released(struct __sk_buff *skb, const struct hf_config *owner,
				    const struct hf_device *device, __u64 now_ns)
{
	struct parties who = { .dst = device->endpoint };
	struct desk *desk = desk_here();
	__u64 due_ns = skb->tstamp;
	__u32 sender = skb->mark & HF_MARK_SENDER;

	skb->mark = 0;
	skb->tstamp = 0;
	if (!desk || !packet_parse(skb, &desk->packet))
		return pass();
	who.src = sender ? sender : endpoint_at(&desk->packet.flow.src);
	judge_again(device, &who, due_ns, now_ns, desk);
	if (is_seen(owner, device))
		emit_sighting(HF_POINT_RELEASE, now_ns, &desk->packet, &who, &desk->judgement);
	return desk->judgement.verdict == HF_VERDICT_DROP ? TC_ACT_SHOT : pass();
}

/* A packet is about to enter the endpoint behind this device. */
static __always_inline int entering(struct __sk_buff *skb, const struct hf_config *owner,
				    const struct hf_device *device, void *generation, __u64 now_ns)
{
	struct parties who = { .dst = device->endpoint };
	struct desk *desk = desk_here();
	struct walk walk;
	int action;

	if (!desk || !packet_parse(skb, &desk->packet))
		return pass();
	desk->packet.network = device->network;
	who.src = sender_of(skb, &desk->packet);
	walk = walk_rules(generation, &who);
	judge_entering(&walk, now_ns, desk);
	action = act(skb, device, now_ns, &who, desk);
	if (is_seen(owner, device))
		emit_sighting(HF_POINT_ENTER, now_ns, &desk->packet, &who, &desk->judgement);
	return action;
}

SEC("tc")
int link_enter(struct __sk_buff *skb)
{
	const struct hf_config *owner = owner_word();
	void *generation = live_generation();
	const struct hf_device *device;
	__u64 now_ns;

	if (!owner || !(generation || owner->tracing || skb->mark))
		return pass(); /* the usual case, so it is told without asking for the time */
	now_ns = bpf_ktime_get_ns();
	if (lease_is_stale(owner, now_ns))
		return pass();
	device = device_at(skb->ifindex);
	if (!device)
		return pass();
	if (device->engine == HF_ENGINE_FQ && clone_arrives(skb))
		return pass();
	if ((skb->mark & HF_MARK_SECRET) == owner->release_mark && device->engine == HF_ENGINE_HOLD)
		return released(skb, owner, device, now_ns);
	if (!generation && !is_seen(owner, device))
		return pass();
	return entering(skb, owner, device, generation, now_ns);
}

static __always_inline bool is_outward(const struct packet *packet, const struct parties *who)
{
	return (who->dst == HF_ENDPOINT_HOST || who->dst == HF_ENDPOINT_WORLD) &&
	       !(packet->flags & PACKET_UPKEEP);
}

static __always_inline void judge_outward(const struct parties *who, __u64 now_ns,
					  struct desk *desk)
{
	struct walk walk = walk_rules(live_generation(), who);

	judge_entering(&walk, now_ns, desk);
}

/* As act(), where a packet has left: an fq holds nothing there, whatever this device's engine is. */
static __always_inline int act_outward(struct __sk_buff *skb, const struct hf_device *device,
				       __u64 now_ns, struct desk *desk)
{
	if (desk->judgement.verdict == HF_VERDICT_DROP)
		return TC_ACT_SHOT;
	if (desk->judgement.verdict != HF_VERDICT_DELAY)
		return pass();
	if (device->hold_ifindex &&
	    !hold_send(skb, device, now_ns, device->endpoint, HF_WAY_OUT, &desk->judgement))
		return bpf_redirect(device->hold_ifindex, 0);
	count_undelayed(&desk->judgement, desk->packet.segments);
	return pass();
}

/* A packet has left the endpoint behind this device. */
static __always_inline int leaving(struct __sk_buff *skb, const struct hf_config *owner,
				   const struct hf_device *device, __u64 now_ns)
{
	struct parties who = { .src = device->endpoint };
	struct desk *desk = desk_here();

	if (!desk || !packet_parse(skb, &desk->packet))
		return pass();
	desk->packet.network = device->network;
	if (device->outward) {
		who.dst = endpoint_at(&desk->packet.flow.dst);
		if (is_outward(&desk->packet, &who))
			judge_outward(&who, now_ns, desk);
	}
	if (is_seen(owner, device))
		emit_leaving(skb, now_ns, &desk->packet, &who);
	return act_outward(skb, device, now_ns, desk);
}

/*
 * It has left before, and was held. The mark ends here, also when nobody is there any more who would judge. A trace has
 * seen it leave already.
 */
static __always_inline int left_again(struct __sk_buff *skb, const struct hf_config *owner,
				      __u64 due_ns)
{
	__u64 now_ns = bpf_ktime_get_ns();
	const struct hf_device *device;
	struct parties who = {};
	struct desk *desk;

	skb->mark = 0;
	if (lease_is_stale(owner, now_ns))
		return pass();
	device = device_at(skb->ifindex);
	desk = desk_here();
	if (!device || !desk || !packet_parse(skb, &desk->packet))
		return pass();
	who.src = device->endpoint;
	who.dst = endpoint_at(&desk->packet.flow.dst);
	judge_again(device, &who, due_ns, now_ns, desk);
	return desk->judgement.verdict == HF_VERDICT_DROP ? TC_ACT_SHOT : pass();
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
	const struct hf_device *device;
	__u64 now_ns;

	if (!owner)
		return pass();
	back = return_here(skb, owner);
	if (back)
		return left_again(skb, owner, back->due_ns);
	if (!(owner->tracing | owner->outward))
		return pass(); /* the usual case, so it is told without asking for the time */
	now_ns = bpf_ktime_get_ns();
	if (lease_is_stale(owner, now_ns))
		return pass();
	device = device_at(skb->ifindex);
	if (!device || !(device->outward || is_seen(owner, device)))
		return pass();
	return leaving(skb, owner, device, now_ns);
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
	__u32 number;

	slot = return_open(skb, &number);
	if (!owner || !slot)
		return TC_ACT_SHOT;
	if (device_at(slot->ifindex))
		skb->mark = return_mark(owner) | number;
	return bpf_redirect(slot->ifindex, BPF_F_INGRESS);
}

char LICENSE[] SEC("license") = "GPL";
