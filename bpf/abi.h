/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * abi.h - everything that both sides of the kernel boundary know: map keys and values, going down;
 * events, coming up; the header in front of a held frame, going round.
 *
 *     user space  -- hf_config, hf_device, hf_rule -->  bpf programs
 *     user space  <-- hf_passage, hf_packet_event, hf_socket_event --  bpf programs
 *     tc program  -- hf_hold_header + frame -->  TAP  -->  hold engine  -- mark, hf_return -->  tc program
 *
 * Times are CLOCK_MONOTONIC nanoseconds (bpf_ktime_get_ns). Numbers are in host order unless the type says
 * __be. Sizes are asserted, because a map value that grows by accident is read past its end on the other side.
 */
#ifndef HOPFAULT_ABI_H
#define HOPFAULT_ABI_H

#include <linux/types.h>

#define HF_ABI_VERSION 1

#define HF_LINK_RULES_MAX  16 /* rules on one link; more are refused */
#define HF_PORT_RANGES_MAX 4 /* port ranges in one rule, for each side */
#define HF_HEAD_MAX	   96 /* first bytes of a message that starts like HTTP */
#define HF_EVENT_RULES_MAX 4 /* rule ids that one sighting can name */
#define HF_ODDS_ALWAYS	   0xffffffffU

/* An address: IPv6, or IPv4 as ::ffff:a.b.c.d. */
struct hf_addr {
	__u8 byte[16];
};
_Static_assert(sizeof(struct hf_addr) == 16, "struct hf_addr is a map key");

/* ---- down: what the owner tells the programs ---- */

/*
 * Endpoint ids. An id is given to a name once and never reused while the owner lives. Those below HF_ENDPOINT_FIRST
 * are not managed: host, world and other have no device, so who sends to them is judged when the packet leaves its sender.
 */
enum {
	HF_ENDPOINT_NONE = 0,
	HF_ENDPOINT_WORLD = 1, /* whose addresses are nobody's that is known here */
	/* a veth that may be one of several endpoints that are missing; cut from whomever one of them is cut from */
	HF_ENDPOINT_QUARANTINE = 2,
	HF_ENDPOINT_HOST = 3, /* the network stack of the namespace in which the device is */
	HF_ENDPOINT_OTHER = 4, /* on a network of containers, or a group's: nobody named it */
	HF_ENDPOINT_FIRST = 16, /* the first id that a name can have */
};

/* The owner's word to all programs. */
struct hf_config {
	__u64 lease_ns; /* the owner is alive until then; past it every program only passes */
	__u32 release_mark; /* high half of skb->mark of a packet that comes back from the hold engine */
	__u16 tracing; /* nonzero: emit sightings and socket events */
	__u16 outward; /* nonzero: some device's is */
	/* counted up after each change in what is traced behind a device, or in a namespace: what was noted before is forgotten */
	__u32 edition;
	__u32 unused;
};
_Static_assert(sizeof(struct hf_config) == 24, "struct hf_config is part of a map value");

/* An interface. An ifindex means nothing outside its network namespace, so the key has both. */
struct hf_device_key {
	__u32 netns; /* the inode of the namespace */
	__u32 ifindex;
};
_Static_assert(sizeof(struct hf_device_key) == 8, "struct hf_device_key is a map key");

enum hf_engine {
	HF_ENGINE_NONE = 0, /* a delay here is counted and not done */
	HF_ENGINE_HOLD = 1, /* redirect to hold_ifindex, a TAP that the daemon reads */
	HF_ENGINE_FQ = 2, /* departure time, held by the fq on this device */
};

/* hf_device.network: of a veth that nobody knows yet. Rules about any network match there. */
#define HF_NETWORK_UNKNOWN 0xffff

struct hf_device {
	__u32 endpoint; /* who is behind this interface */
	__u16 engine; /* enum hf_engine: what holds a packet on its way out of here */
	/* nonzero: it is the endpoint's own interface, in its own namespace, and the directions are the other way round */
	__u16 inside;
	union {
		__u32 hold_ifindex; /* the TAP in the same namespace; 0: none, nothing is held */
		__u32 below; /* inside: the namespace of the device that it is on, whose addresses are meant */
	};
	__u8 traced; /* nonzero: sightings are wanted here (while hf_config.tracing) */
	__u8 outward; /* nonzero: there are rules for what leaves here, to be judged here (while hf_config.outward) */
	__u16 network; /* the number of the network that it is on; 0: of none that has one */
};
_Static_assert(sizeof(struct hf_device) == 16, "struct hf_device is a map value");

/*
 * The same flat, as a look into a hash goes to three places in memory and a packet asks twice: one device has a slot, others
 * that fall on it have none, and are looked for in the hash. Written while packets come, so it is good while `version` is even
 * and stays as it is.
 */
#define HF_DEVICE_SLOTS 8192

struct hf_device_slot {
	__u32 version;
	__u32 unused;
	struct hf_device_key key; /* ifindex 0: free */
	struct hf_device device;
};
_Static_assert(sizeof(struct hf_device_slot) == 32, "two slots are a line of memory");

/*
 * What interfaces of a namespace are taken for that are newer than the owner knows: an ifindex is higher than all that were
 * given before it. So that nothing passes a partition between the birth of a veth and the moment when the owner has
 * heard of it.
 */
struct hf_newcomers {
	__u32 newest; /* the highest ifindex that the owner has seen */
	__u32 endpoint;
};
_Static_assert(sizeof(struct hf_newcomers) == 8, "struct hf_newcomers is a map value");

/*
 * Longest-prefix key for "whose address is this", as seen in one namespace: two engines may give out the same
 * addresses. prefix_len counts all bits of netns, and then those of the address.
 */
struct hf_prefix_key {
	__u32 prefix_len;
	__u32 netns; /* as in hf_device_key */
	struct hf_addr addr;
};
#define HF_PREFIX_NETNS 32 /* bits */
#define HF_PREFIX_WHOLE (HF_PREFIX_NETNS + 128)
_Static_assert(sizeof(struct hf_prefix_key) == 24, "struct hf_prefix_key is an LPM key");

/*
 * The value is an endpoint's id. With this bit the address is on an interface that no veth of the host leads to (hf_device.inside):
 * what goes there from behind a veth is judged where it leaves that.
 */
#define HF_ADDRESS_INSIDE 0x80000000U

struct hf_link_key {
	__u32 src; /* endpoint ids; a b is not b a */
	__u32 dst;
};
_Static_assert(sizeof(struct hf_link_key) == 8, "struct hf_link_key is part of a map value");

struct hf_port_range {
	__u16 first;
	__u16 last;
};

enum {
	HF_RULE_DROP = 1U << 0, /* every packet that matches */
	HF_RULE_LOSS = 1U << 1, /* with loss_odds */
	HF_RULE_DELAY = 1U << 2, /* delay_ns, plus or minus jitter_ns (uniform) */
	HF_RULE_UPKEEP =
		1U << 3, /* matches ARP or neighbour discovery (see proto), and only that */
	HF_RULE_SHARE = 1U << 4, /* only connections whose hash is below share_odds */
};

/* A rule's proto: one of these, or any other IP protocol number. */
enum {
	HF_PROTO_ANY = 0,
	HF_PROTO_ICMP = 1, /* ICMPv4, and ICMPv6 less neighbour discovery */
	HF_PROTO_ICMPV6 = 58, /* with HF_RULE_UPKEEP: neighbour discovery */
	HF_PROTO_ARP = 255, /* with HF_RULE_UPKEEP */
};

/* What is asked of every packet stands first, what is asked of those that match after it: a line of memory less. */
struct hf_rule {
	__u64 deadline_ns; /* CLOCK_MONOTONIC; past it the rule is inert */
	__u32 flags; /* HF_RULE_* */
	__u32 id; /* names the rule's dice, counters and events */
	__u8 proto; /* HF_PROTO_ANY, or what the packet must be */
	__u8 dport_ranges; /* how many of dport[] are in use; 0: any port */
	__u8 sport_ranges;
	__u8 unused;
	__u16 network; /* on this network alone, see hf_device; 0: on any */
	__u16 unused_too;
	struct hf_port_range dport[HF_PORT_RANGES_MAX];
	struct hf_port_range sport[HF_PORT_RANGES_MAX];
	__u32 loss_odds; /* of 2^32: 0 never, HF_ODDS_ALWAYS always */
	__u32 share_odds; /* of 2^32, over connections */
	__u64 delay_ns;
	__u64 jitter_ns; /* at most delay_ns */
	__u64 seed; /* of this rule's dice */
};
_Static_assert(sizeof(struct hf_rule) == 88, "struct hf_rule is part of a map value");

/*
 * The rules of one generation, flat: an array of rows, one for each rule of each link.
 *
 *     row 0            how many homes there are
 *     rows 1 to homes  a link's first rule stands at its home (hash.h) if it is alone there, or the first
 *     rows behind      `other`: the first rule of the next link of the same home
 *                      `further`: the next rule of the same link, in the order in which they act
 *
 * Mostly a packet looks at one line of memory beyond the head, and takes no rule: a line is what its cost is made of, and a hash
 * has three of them for each rule.
 */
#define HF_HOME_LINKS_MAX 4 /* links of one home; where there were more, there are more homes */

struct hf_rule_row {
	struct hf_link_key link; /* dst 0: nobody's */
	union {
		__u32 further; /* a row; 0: none */
		__u32 homes_mask; /* of row 0: the homes, a power of two, less one */
	};
	__u32 other; /* a row; 0: none */
	struct hf_rule rule;
	__u8 unused[24];
};
_Static_assert(sizeof(struct hf_rule_row) == 128, "struct hf_rule_row is two lines of memory");

/* ---- kept beside the rules, by rule id; survives a generation flip ---- */

/*
 * Engine error (released - decided - asked) in buckets that widen with the value: HF_ERROR_STEPS of equal
 * width in each power of two, 6 % wide at most, so a percentile is good to 3 %.
 */
#define HF_ERROR_STEPS	 16
#define HF_ERROR_OCTAVES 31 /* up to 2^35 ns: 34 s */
#define HF_ERROR_BUCKETS (HF_ERROR_STEPS * (HF_ERROR_OCTAVES + 1))

struct hf_rule_counts {
	__u64 matched; /* wire packets (segments of a GSO packet count one by one) */
	__u64 dropped; /* of these, dropped by this rule */
	__u64 delayed; /* of these, decided to be delayed */
	__u64 undelayed; /* of these, passed at once: no engine could take them */
	__u64 released; /* packets (not segments) seen coming back */
	__u64 asked_ns; /* sum of the delays decided, a packet (not a segment) each */
	__u64 error_sum_ns; /* sum over released of released - decided - asked */
	__u64 error_max_ns; /* highest seen; racy by one packet */
	__u64 skbs_dropped; /* drops counted as the program sees them: up to 64 KB each */
	__u64 first_ns; /* when it first matched; 0 never */
	__u32 error[HF_ERROR_BUCKETS];
};
_Static_assert(sizeof(struct hf_rule_counts) == 80 + 4 * HF_ERROR_BUCKETS, "map value");

/* ---- round: in front of a frame while the hold engine has it ---- */

#define HF_HOLD_ETHERTYPE 0x88b5 /* local experimental, IEEE 802 */

/* skb->mark of a packet released at an egress: the owner's secret, and the sender. Ids that don't fit are looked up again. */
#define HF_MARK_SECRET 0xffff0000U
#define HF_MARK_SENDER 0x0000ffffU
/* Of one released at an ingress: another secret, which means nothing at an egress, and the number of its hf_return. */
#define HF_MARK_OUTWARD 0x80000000U /* the secret's bit in which they differ */
#define HF_MARK_RETURN	0x0000ffffU

enum hf_way {
	HF_WAY_IN = 0, /* it was about to enter its device's endpoint: released at that egress */
	HF_WAY_OUT = 1, /* it had left it: released at that ingress */
};

struct hf_hold_header {
	__u64 due_ns; /* release not before */
	__u32 ifindex; /* release at this device, in the TAP's own namespace */
	__be16 ethertype; /* HF_HOLD_ETHERTYPE, where an Ethernet frame has its own */
	__u16 way; /* enum hf_way: at which of its hooks */
	__u64 decided_ns;
	__u32 rule_id; /* the first rule that delays it */
	__u32 src_endpoint; /* who sent it: comes back in the low half of the mark */
};
_Static_assert(sizeof(struct hf_hold_header) == 32, "struct hf_hold_header precedes a frame");

/*
 * A frame that goes back out of a TAP (HF_WAY_OUT) can carry nothing in front: no program can take it off a GSO frame
 * again. Its destination address is the envelope: HF_RETURN_ENVELOPE, and the number of a slot (big-endian) in which
 * the address itself stands. The owner fills slots by turns; a frame needs its own until it is back at its device.
 */
#define HF_RETURN_SLOTS	   8192 /* a processor's backlog is shorter (netdev_max_backlog: 1000) */
#define HF_RETURN_ENVELOPE "\x02hfr" /* the first four bytes: a local address of one station */

struct hf_return {
	__u64 due_ns;
	__u32 ifindex; /* the device at whose ingress it is released */
	__u8 destination[6]; /* the frame's own */
	__u16 unused;
};
_Static_assert(sizeof(struct hf_return) == 24, "struct hf_return is a map value");

/* ---- up: what the programs saw ---- */

enum hf_event_kind {
	HF_EVENT_PACKET = 1, /* struct hf_packet_event */
	HF_EVENT_SOCKET = 2, /* struct hf_socket_event */
	HF_EVENT_PASSAGE = 3, /* struct hf_passage: up to three of the two above, in one */
};

struct hf_event {
	__u16 size; /* of the whole event, header included */
	__u8 version; /* HF_ABI_VERSION */
	__u8 kind; /* enum hf_event_kind */
	__u32 cpu;
	__u64 time_ns;
};
_Static_assert(sizeof(struct hf_event) == 16, "struct hf_event begins every event");

/* One way of one connection, as the sender of the bytes sees it. */
struct hf_flow {
	struct hf_addr src;
	struct hf_addr dst;
	__u16 sport;
	__u16 dport;
	__u8 proto; /* IPPROTO_TCP, ... */
	__u8 unused[3];
};
_Static_assert(sizeof(struct hf_flow) == 40, "struct hf_flow is part of an event");

enum hf_point {
	HF_POINT_LEAVE = 1, /* tc ingress of the sender's veth: it has left the sender */
	HF_POINT_ENTER = 2, /* tc egress of the receiver's veth: decided here */
	HF_POINT_RELEASE =
		3, /* the delay engine let it go; absent for a packet that was not held */
};

enum hf_verdict {
	HF_VERDICT_PASS = 0,
	HF_VERDICT_DELAY = 1, /* handed to the delay engine; delay_ns was asked */
	HF_VERDICT_DROP = 2, /* dropped by the rules in rule_id[] */
};

/*
 * A sighting: a TCP packet passed a point. Packets that carry neither bytes nor SYN, FIN or RST are not
 * reported, unless a rule dropped or delayed them. At HF_POINT_LEAVE it is told as a part of a passage.
 */
struct hf_packet_event {
	struct hf_event event;
	struct hf_flow flow;
	__u32 seq; /* TCP sequence number of the first byte (of the SYN, if there is one) */
	__u32 len; /* payload bytes: the packet covers [seq, seq + len) */
	__u32 src_endpoint;
	__u32 dst_endpoint; /* HF_POINT_LEAVE: 0 unless a rule had to know it */
	__u64 delay_ns; /* asked, with HF_VERDICT_DELAY */
	__u32 rule_id[HF_EVENT_RULES_MAX]; /* rules that acted; 0: none */
	__u8 point; /* enum hf_point */
	__u8 verdict; /* enum hf_verdict */
	__u8 tcp_flags; /* as in the header: FIN 1, SYN 2, RST 4, PSH 8, ACK 16 */
	__u8 head_len; /* bytes in head[]; 0 when it does not start like HTTP */
	__u32 segments; /* wire packets in this skb */
	__u8 head[]; /* HF_POINT_LEAVE only: at most HF_HEAD_MAX bytes */
};
_Static_assert(sizeof(struct hf_packet_event) == 104, "struct hf_packet_event is an event");

enum hf_socket_op {
	HF_SOCKET_SEND = 1, /* a send call hands its first byte to TCP; seq = number of that byte */
	HF_SOCKET_RECV =
		2, /* a receive call returned len bytes; seq = number after the last of them */
	HF_SOCKET_ESTABLISHED = 3, /* a handshake has ended; pid and tid are those of connect() */
	HF_SOCKET_CLOSE = 4,
	HF_SOCKET_RETRANSMIT = 5, /* seq, len: what is sent again */
};

/* Something that a socket did. flow.src is this socket's own side. */
struct hf_socket_event {
	struct hf_event event;
	struct hf_flow flow;
	__u32 seq;
	__u32 len;
	__u32 endpoint; /* in whose network namespace the socket lives */
	__u32 pid; /* process (tgid) and thread; 0 where no thread acts (soft interrupt) */
	__u32 tid;
	__u8 op; /* enum hf_socket_op */
	__u8 passive; /* HF_SOCKET_ESTABLISHED: 1 on the accepting side */
	__u8 unused[2];
	/*
	 * When the handshake began: with HF_SOCKET_ESTABLISHED on the active side, and with HF_SOCKET_CLOSE when it
	 * ended without a connection (pid and tid are those of connect() then). 0: not seen.
	 */
	__u64 since_ns;
};
_Static_assert(sizeof(struct hf_socket_event) == 88, "struct hf_socket_event is an event");

/*
 * What one processor saw of one packet, one after the other: a send call begins, its first packet leaves, and enters where
 * it goes, without a rule that acted on it. It stands for an HF_SOCKET_SEND, a sighting at HF_POINT_LEAVE and one at
 * HF_POINT_ENTER; any of them may be missing, and is told apart if it comes later or elsewhere.
 */
struct hf_passage {
	struct hf_event event; /* time_ns: of the first */
	struct hf_flow flow;
	__u32 seq; /* as in hf_packet_event */
	__u32 len;
	__u64 sent_ns; /* 0: missing; the same of the others */
	__u64 left_ns;
	__u64 entered_ns;
	__u32 pid; /* of the sender, with sent_ns */
	__u32 tid;
	__u32 src_endpoint; /* whose send it is, and who it has left */
	__u32 dst_endpoint; /* with entered_ns, or if a rule had to know it */
	__u8 tcp_flags;
	__u8 head_len;
	__u8 unused[2];
	__u32 segments;
	__u8 head[HF_HEAD_MAX]; /* with left_ns */
};
_Static_assert(sizeof(struct hf_passage) == 208, "struct hf_passage is an event");

/* What could not be told, by source; one element for each CPU. */
struct hf_lost {
	__u64 packet_events; /* ring full */
	__u64 socket_events;
	__u64 held; /* packets that should have been held and could not be (change_head, redirect) */
	__u64 unused;
};
_Static_assert(sizeof(struct hf_lost) == 32, "struct hf_lost is a map value");

/*
 * A processor's lane: its own way up, a ring of slots with one writer and one reader, mapped into the owner's memory. No
 * line of it is another processor's, and nothing is locked. The newest slot is written on while it is younger than
 * HF_LANE_OPEN_NS, so none is read before it is older than HF_LANE_SHUT_NS.
 */
#define HF_LANES_MAX	32 /* processors beyond have none, and use the ring */
#define HF_LANE_SLOTS	2048 /* 100 requests through five services, if one processor serves all */
#define HF_LANE_OPEN_NS 1000000ULL
#define HF_LANE_SHUT_NS 5000000ULL

struct hf_lane_slot {
	union {
		struct hf_event event;
		struct hf_passage passage;
		struct hf_packet_event packet;
		struct hf_socket_event socket;
		__u8 bytes[256];
	};
};
_Static_assert(sizeof(struct hf_lane_slot) == 256,
	       "struct hf_lane_slot is some whole lines of memory");

struct hf_lane_slots {
	struct hf_lane_slot slot[HF_LANE_SLOTS];
};
_Static_assert(sizeof(struct hf_lane_slots) == 256 * HF_LANE_SLOTS,
	       "struct hf_lane_slots is a map value");

/* Who was found behind a device, or in a namespace, by a hash of their numbers. */
#define HF_NEAR 16

struct hf_near_device {
	__u32 netns;
	__u32 ifindex;
	__u32 endpoint; /* that is traced there, and nothing else is asked of the device; else 0 */
	__u32 unused;
};

struct hf_near_namespace {
	__u32 inum;
	__u32 endpoint;
};

/* Where a lane is to be written, and what its processor has found lately. */
struct hf_lane {
	/* the programs' */
	__u64 written; /* slots, since the beginning: the next is slot[written % HF_LANE_SLOTS] */
	__u64 full_at; /* `written` must not go beyond, as far as the programs know */
	__u32 is_taken; /* nonzero: somebody is writing; who interrupts that takes the ring */
	__u32 edition; /* hf_config.edition when the first of what is near was found */
	__u64 unused[5];
	struct hf_near_namespace near_namespace[HF_NEAR];
	struct hf_near_device near_device[HF_NEAR];
	/* the reader's */
	__u64 read; /* slots, since the beginning: those before it may be written anew */
	__u64 unused_too[7];
};
_Static_assert(sizeof(struct hf_lane) == 512, "struct hf_lane is some whole lines of memory");

/*
 * What all programs look at first, and what a traced one looks at next, side by side: for the first seven processors one page
 * of memory less to find their way to. One element, mapped into the owner's memory.
 */
struct hf_board {
	struct hf_config config;
	__u8 unused[104];
	struct hf_lane lane[HF_LANES_MAX]; /* by the processor's number */
};
_Static_assert(sizeof(struct hf_board) == 128 + 512 * HF_LANES_MAX,
	       "struct hf_board is a map value");

#endif
