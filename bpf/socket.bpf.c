// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * socket.bpf.c - what the sockets of traced endpoints do: send, receive, connect, close, send again; and what leaves
 * an fq.
 *
 *   a send begins      tcp_sendmsg_locked (tracepoint, 6.16+)   else  fentry tcp_sendmsg
 *   a receive ends     sock_recv_length   (tracepoint, 6.3+)    else  fexit  tcp_recvmsg
 *
 * Tracepoints come first, as some kernels refuse fentry. The loader switches off what this kernel has not.
 * (sock_send_length fires when the call ends, which may be after the peer has read: it can't begin a stage.)
 * Nothing here changes anything, and a socket outside the traced namespaces is only asked for its namespace.
 */
#include <linux/bpf.h>
#include <linux/in.h>
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

#include "delay.bpf.h"
#include "emit.bpf.h"
#include "kernel.bpf.h"
#include "near.bpf.h"

#define AF_INET	 2
#define AF_INET6 10
#define MSG_PEEK 2

enum { TCP_ESTABLISHED = 1, TCP_SYN_SENT = 2, TCP_SYN_RECV = 3, TCP_CLOSE = 7 };

/* Arguments of this kernel's tcp_recvmsg: 6 until 5.18, which has one fewer. Set by the loader. */
const volatile __u32 tcp_recvmsg_args = 5;

static __always_inline __u32 inum_of(const struct sock *sk)
{
	return sk->__sk_common.skc_net.net->ns.inum;
}

static __always_inline bool is_tracing(const struct hf_config *owner, __u64 now_ns)
{
	return owner->tracing && !lease_is_stale(owner, now_ns);
}

/* Whose socket is it? HF_ENDPOINT_NONE: nobody's that is traced, or nothing is traced now. */
static __always_inline __u32 traced_endpoint(const struct sock *sk, __u64 now_ns)
{
	const struct hf_board *board = board_here();
	const __u32 *endpoint;
	__u32 inum;

	if (!board || !is_tracing(&board->config, now_ns))
		return HF_ENDPOINT_NONE;
	inum = inum_of(sk);
	endpoint = bpf_map_lookup_elem(&namespaces, &inum);
	return endpoint ? *endpoint : HF_ENDPOINT_NONE;
}

/* The same for who may write in this processor's lane, which it takes with it if the socket is traced; NULL: there is none. */
static __always_inline __u32 traced_with_lane(const struct sock *sk, __u64 now_ns,
					      struct hf_lane **ret_lane)
{
	struct hf_board *board = board_here();
	struct hf_lane *lane;
	__u32 endpoint;

	if (!board || !is_tracing(&board->config, now_ns))
		return HF_ENDPOINT_NONE;
	lane = lane_take_on(board);
	if (!lane)
		return traced_endpoint(sk, now_ns);
	endpoint = near_namespace(lane, &board->config, inum_of(sk));
	if (endpoint == HF_ENDPOINT_NONE)
		lane_give_back(lane);
	else
		*ret_lane = lane;
	return endpoint;
}

static __always_inline void flow_of(const struct sock *sk, struct hf_flow *flow)
{
	const struct sock_common *c = &sk->__sk_common;

	if (c->skc_family == AF_INET) {
		addr_from_ipv4(&flow->src, c->skc_rcv_saddr);
		addr_from_ipv4(&flow->dst, c->skc_daddr);
	} else {
		bpf_probe_read_kernel(&flow->src, sizeof(flow->src),
				      __builtin_preserve_access_index(&c->skc_v6_rcv_saddr));
		bpf_probe_read_kernel(&flow->dst, sizeof(flow->dst),
				      __builtin_preserve_access_index(&c->skc_v6_daddr));
	}
	flow->sport = c->skc_num; /* 0 again when a closing socket is told of: then it is here */
	if (!flow->sport)
		flow->sport = bpf_ntohs(BPF_CORE_READ((const struct inet_sock *)sk, inet_sport));
	flow->dport = bpf_ntohs(c->skc_dport);
	flow->proto = IPPROTO_TCP;
	__builtin_memset(flow->unused, 0, sizeof(flow->unused));
}

struct told {
	__u32 endpoint;
	__u32 seq;
	__u32 len;
	__u8 op; /* enum hf_socket_op */
	__u8 passive;
	bool is_current; /* the current thread acts */
	__u64 pid_tgid; /* else: of the thread that acts; 0: none does */
	__u64 since_ns;
};

static __always_inline void telling_lost(void)
{
	struct hf_lost *here = lost_here();

	if (here)
		add(&here->socket_events, 1); /* a soft interrupt may count here in between */
}

static __always_inline void tell(const struct sock *sk, const struct told *told, __u64 now_ns,
				 struct hf_lane *lane)
{
	struct hf_socket_event *event = event_reserve(&lane, sizeof(*event));
	__u64 pid_tgid;

	if (!event) {
		telling_lost();
		return;
	}
	event_fill(&event->event, HF_EVENT_SOCKET, sizeof(*event), now_ns);
	flow_of(sk, &event->flow);
	event->seq = told->seq;
	event->len = told->len;
	event->endpoint = told->endpoint;
	event->op = told->op;
	event->passive = told->passive;
	event->unused[0] = 0;
	event->unused[1] = 0;
	event->since_ns = told->since_ns;
	pid_tgid = told->is_current ? bpf_get_current_pid_tgid() : told->pid_tgid;
	event->pid = pid_tgid >> 32;
	event->tid = pid_tgid;
	event_submit(lane, event, now_ns);
}

/* A passage begins: its first packet is about to leave, most likely here. In the ring nothing is written on. */
static __always_inline void tell_send(const struct sock *sk, const struct told *told, __u64 now_ns,
				      struct hf_lane *lane)
{
	struct hf_lane_slot *slot = lane ? lane_next(lane) : NULL;
	struct hf_passage *passage;
	__u64 pid_tgid;

	if (!slot) {
		tell(sk, told, now_ns, NULL);
		return;
	}
	passage = &slot->passage;
	passage_begin(passage, now_ns);
	flow_of(sk, &passage->flow);
	passage->seq = told->seq;
	passage->src_endpoint = told->endpoint;
	passage->sent_ns = now_ns;
	pid_tgid = bpf_get_current_pid_tgid();
	passage->pid = pid_tgid >> 32;
	passage->tid = pid_tgid;
	event_submit(lane, passage, now_ns);
}

/* has_lane: the program runs where lane_take() may be asked. */
static __always_inline void send_begins(struct sock *sk, bool has_lane)
{
	__u64 now_ns = bpf_ktime_get_ns();
	struct told told = { .op = HF_SOCKET_SEND, .is_current = true };
	struct hf_lane *lane = NULL;
	struct tcp_sock *tcp;

	told.endpoint =
		has_lane ? traced_with_lane(sk, now_ns, &lane) : traced_endpoint(sk, now_ns);
	if (!told.endpoint)
		return;
	tcp = (struct tcp_sock *)bpf_skc_to_tcp_sock(sk);
	if (tcp) {
		told.seq = tcp->write_seq;
		tell_send(sk, &told, now_ns, lane);
	}
	lane_give_back(lane);
}

static __always_inline void receive_ends(struct sock *sk, int received, int flags, bool has_lane)
{
	__u64 now_ns = bpf_ktime_get_ns();
	struct told told = { .op = HF_SOCKET_RECV, .is_current = true };
	struct hf_lane *lane = NULL;
	struct tcp_sock *tcp;

	if (received <= 0 || (flags & MSG_PEEK))
		return;
	told.endpoint =
		has_lane ? traced_with_lane(sk, now_ns, &lane) : traced_endpoint(sk, now_ns);
	if (!told.endpoint)
		return;
	tcp = (struct tcp_sock *)bpf_skc_to_tcp_sock(sk);
	if (tcp) {
		told.seq = tcp->copied_seq;
		told.len = received;
		tell(sk, &told, now_ns, lane);
	}
	lane_give_back(lane);
}

SEC("tp_btf/tcp_sendmsg_locked")
int BPF_PROG(send_by_tracepoint, struct sock *sk)
{
	send_begins(sk, true);
	return 0;
}

SEC("fentry/tcp_sendmsg")
int BPF_PROG(send_by_fentry, struct sock *sk)
{
	send_begins(sk, false);
	return 0;
}

SEC("tp_btf/sock_recv_length")
int BPF_PROG(receive_by_tracepoint, struct sock *sk, int received, int flags)
{
	receive_ends(sk, received, flags, true);
	return 0;
}

SEC("fexit/tcp_recvmsg")
int BPF_PROG(receive_by_fexit, struct sock *sk)
{
	/* sk, msg, len, [nonblock,] flags, addr_len, and then what it returned */
	if (tcp_recvmsg_args == 6)
		receive_ends(sk, (int)ctx[6], (int)ctx[4], false);
	else
		receive_ends(sk, (int)ctx[5], (int)ctx[3], false);
	return 0;
}

/*
 * A connect() enters SYN_SENT before it has a port, so it can't be told yet: who it is and when it began wait here
 * for the handshake's end.
 */
struct connecting {
	__u64 since_ns;
	__u64 pid_tgid;
};

struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 16384);
	__type(key, __u64); /* the socket's address */
	__type(value, struct connecting);
} connecting SEC(".maps");

static __always_inline void handshake_begins(const struct sock *sk, __u64 now_ns)
{
	struct connecting begun = { .since_ns = now_ns, .pid_tgid = bpf_get_current_pid_tgid() };
	__u64 key = (__u64)sk;

	bpf_map_update_elem(&connecting, &key, &begun, BPF_ANY);
}

/* What was noted of the socket, and no longer is. */
static __always_inline struct connecting handshake_taken(const struct sock *sk)
{
	__u64 key = (__u64)sk;
	const struct connecting *begun = bpf_map_lookup_elem(&connecting, &key);
	struct connecting taken = {};

	if (begun) {
		taken = *begun;
		bpf_map_delete_elem(&connecting, &key);
	}
	return taken;
}

SEC("tp_btf/inet_sock_set_state")
int BPF_PROG(state_changes, struct sock *sk, int old, int new)
{
	__u64 now_ns = bpf_ktime_get_ns();
	struct connecting begun = {};
	struct told told = {};

	if (sk->sk_protocol != IPPROTO_TCP)
		return 0;
	told.endpoint = traced_endpoint(sk, now_ns);
	if (!told.endpoint)
		return 0;
	if (new == TCP_SYN_SENT) {
		handshake_begins(sk, now_ns);
		return 0;
	}
	if (old == TCP_SYN_SENT)
		begun = handshake_taken(sk);
	if (new == TCP_ESTABLISHED) {
		told.op = HF_SOCKET_ESTABLISHED;
		told.passive = old == TCP_SYN_RECV;
	} else if (new == TCP_CLOSE) {
		told.op = HF_SOCKET_CLOSE;
	} else {
		return 0;
	}
	told.since_ns = begun.since_ns;
	told.pid_tgid = begun.pid_tgid;
	tell(sk, &told, now_ns, NULL);
	return 0;
}

SEC("tp_btf/tcp_retransmit_skb")
int BPF_PROG(sent_again, struct sock *sk, struct sk_buff *skb)
{
	__u64 now_ns = bpf_ktime_get_ns();
	struct told told = { .op = HF_SOCKET_RETRANSMIT };
	struct tcp_skb_cb range;

	told.endpoint = traced_endpoint(sk, now_ns);
	if (!told.endpoint || !skb)
		return 0;
	if (bpf_probe_read_kernel(&range, sizeof(range), __builtin_preserve_access_index(&skb->cb)))
		return 0;
	told.seq = range.seq;
	told.len = range.end_seq - range.seq;
	tell(sk, &told, now_ns, NULL);
	return 0;
}

/* A clone that link_enter gave to an fq starts on its way: the delay has ended. Attached while an fq is in use. */
SEC("tp_btf/net_dev_start_xmit")
int BPF_PROG(left_fq, struct sk_buff *skb, struct net_device *dev)
{
	const struct hf_board *board = board_here();
	__u32 mark = skb->mark;
	struct hf_packet_event *event;
	struct hf_lane *lane = NULL;
	struct in_flight *entry;
	__u64 now_ns, error_ns;

	if (!mark)
		return 0;
	entry = bpf_map_lookup_elem(&flight, &mark);
	if (!entry || entry->ifindex != (__u32)dev->ifindex)
		return 0;
	now_ns = bpf_ktime_get_ns();
	error_ns = now_ns > entry->due_ns ? now_ns - entry->due_ns : 0;
	for (int i = 0; i < HF_EVENT_RULES_MAX; i++)
		if (entry->sighting.rule_id[i])
			count_released(entry->sighting.rule_id[i], error_ns,
				       error_bucket(error_ns));
	if (board && is_tracing(&board->config, now_ns) &&
	    entry->sighting.flow.proto == IPPROTO_TCP) {
		event = event_reserve(&lane, sizeof(*event));
		if (event) {
			*event = entry->sighting;
			event_fill(&event->event, HF_EVENT_PACKET, sizeof(*event), now_ns);
			event_submit(lane, event, now_ns);
		} else {
			sighting_lost();
		}
	}
	bpf_map_delete_elem(&flight, &mark);
	return 0;
}

char LICENSE[] SEC("license") = "GPL";
