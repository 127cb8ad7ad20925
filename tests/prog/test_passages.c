/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test_passages.c - what the link programs write into a processor's lane: a packet's leaving and entering as one passage,
 * where they are one, and never two packets' as one; and where it goes when the lane is full.
 *
 * A passage is written on for HF_LANE_OPEN_NS, and a virtual processor may be put aside for longer: so what must be one is
 * tried some times.
 */
#include <sched.h>
#include <string.h>
#include <sys/epoll.h>
#include <time.h>

#include <bpf/btf.h>

#include "fixture.h"
#include "packet.h"

#define TRIES 50

static const struct frame_spec some_data = {
	.sport = 40000, .dport = 80, .seq = 1000, .tcp_flags = TCP_ACK | TCP_PSH, .payload_len = 10
};

/* A test run is on the processor that asks for it. */
static int on_one_processor(void **state)
{
	cpu_set_t here;

	CPU_ZERO(&here);
	CPU_SET(sched_getcpu(), &here);
	if (sched_setaffinity(0, sizeof(here), &here) < 0)
		return -1;
	return fixture_world(state);
}

static void trace(struct fixture *f)
{
	harness_set_tracing(f->harness, true);
}

static const struct hf_packet_event *told_as(struct fixture *f, size_t nth, enum hf_point point)
{
	const struct hf_packet_event *event = &f->events.told[nth].event;

	assert_true(nth < f->events.count);
	assert_int_equal(event->event.kind, HF_EVENT_PACKET);
	assert_int_equal(event->point, point);
	return event;
}

static void assert_crossing(struct fixture *f, const struct frame_spec *spec)
{
	struct hf_addr src = frame_address(spec->ipv6, HOST_A);
	const struct hf_packet_event *left, *entered;

	assert_int_equal(told(f), 2);
	left = told_as(f, 0, HF_POINT_LEAVE);
	entered = told_as(f, 1, HF_POINT_ENTER);
	assert_true(entered->event.time_ns >= left->event.time_ns);
	assert_int_equal(left->src_endpoint, HOST_A);
	assert_int_equal(entered->src_endpoint, HOST_A);
	assert_int_equal(entered->dst_endpoint, HOST_B);
	for (int i = 0; i < 2; i++) {
		const struct hf_packet_event *event = &f->events.told[i].event;

		assert_memory_equal(&event->flow.src, &src, sizeof(src));
		assert_int_equal(event->seq, spec->seq);
		assert_int_equal(event->len, spec->payload_len);
		assert_int_equal(event->tcp_flags, spec->tcp_flags);
		assert_int_equal(event->verdict, HF_VERDICT_PASS);
		assert_int_equal(event->segments, 1);
	}
}

/* Is a packet that leaves and enters told in one record, in one of some tries? */
static bool crosses_as_one(struct fixture *f, const struct frame_spec *spec)
{
	for (int i = 0; i < TRIES; i++) {
		leave_a(f, *spec);
		enter_b(f, *spec);
		assert_crossing(f, spec);
		if (f->events.records == 1)
			return true;
	}
	return false;
}

static void a_packet_that_leaves_and_enters_is_one_passage(void **state)
{
	struct fixture *f = *state;

	trace(f);
	for (int shape = 0; shape < 16; shape++) {
		struct frame_spec spec = some_data;

		spec.ipv6 = shape & 1;
		spec.vlans = shape >> 1 & 1;
		spec.tcp_options = shape >> 2 & 1 ? 3 : 0;
		spec.extensions = spec.ipv6 && shape >> 3 ? 1 : 0;
		assert_true(crosses_as_one(f, &spec));
	}
	/* where rules are asked as well, and none acts */
	ask_one(f, (struct hf_rule){ .id = 1, .flags = HF_RULE_DROP, .proto = IPPROTO_UDP });
	assert_true(crosses_as_one(f, &some_data));
	assert_true(crosses_as_one(
		f, &(struct frame_spec){ .sport = 40000, .dport = 80, .tcp_flags = TCP_SYN }));
}

static void a_packet_that_a_rule_acts_on_enters_by_itself(void **state)
{
	const struct hf_packet_event *entered;
	struct fixture *f = *state;

	trace(f);
	ask_one(f, rule_of(7, HF_RULE_DROP));
	leave_a(f, some_data);
	assert_int_equal(enter_b(f, some_data), TC_ACT_SHOT);
	assert_int_equal(told(f), 2);
	assert_int_equal(f->events.records, 2);
	told_as(f, 0, HF_POINT_LEAVE);
	entered = told_as(f, 1, HF_POINT_ENTER);
	assert_int_equal(entered->verdict, HF_VERDICT_DROP);
	assert_int_equal(entered->rule_id[0], 7);
}

static void assert_apart(struct fixture *f, const struct frame_spec *other)
{
	const struct hf_packet_event *entered;

	leave_a(f, some_data);
	enter_b(f, *other);
	assert_int_equal(told(f), 2);
	assert_int_equal(f->events.records, 2);
	told_as(f, 0, HF_POINT_LEAVE);
	entered = told_as(f, 1, HF_POINT_ENTER);
	assert_int_equal(entered->seq, other->seq);
	assert_int_equal(entered->len, other->payload_len);
	assert_int_equal(entered->flow.sport, other->sport);
	assert_int_equal(entered->flow.dport, other->dport);
}

static void another_packet_does_not_enter_for_it(void **state)
{
	struct fixture *f = *state;

	trace(f);
	for (int asked = 0; asked < 2; asked++) {
		struct frame_spec other[6] = { some_data, some_data, some_data,
					       some_data, some_data, some_data };

		other[0].seq++;
		other[1].payload_len++;
		other[2].sport++;
		other[3].dport++;
		other[4].ipv6 = true;
		other[5].tcp_flags |= TCP_FIN;
		for (size_t i = 0; i < ARRAY_SIZE(other); i++)
			assert_apart(f, &other[i]);
		/* and the same where every packet is parsed and judged */
		ask_one(f,
			(struct hf_rule){ .id = 1, .flags = HF_RULE_DROP, .proto = IPPROTO_UDP });
	}
}

static void a_packet_from_another_sender_does_not_enter_for_it(void **state)
{
	struct frame_spec elsewhere = some_data;
	struct fixture *f = *state;

	trace(f);
	elsewhere.src = HOST_ELSEWHERE;
	assert_apart(f, &elsewhere);
}

/* What a send program has written; those can't be run by a test. */
static void send_begins(struct fixture *f, const struct frame_spec *spec, __u32 endpoint)
{
	struct hf_lane *lane = harness_lane(f->harness);
	struct hf_passage *passage = &harness_slot(f->harness, lane->written)->passage;
	__u64 now_ns = harness_now_ns();

	assert_true(lane->written - lane->read < HF_LANE_SLOTS);
	*passage = (struct hf_passage){
		.event = { sizeof(*passage), HF_ABI_VERSION, HF_EVENT_PASSAGE, 0, now_ns },
		.flow = { .src = frame_address(spec->ipv6, HOST_A),
			  .dst = frame_address(spec->ipv6, spec->dst ? spec->dst : HOST_B),
			  .sport = spec->sport,
			  .dport = spec->dport,
			  .proto = IPPROTO_TCP },
		.seq = spec->seq,
		.sent_ns = now_ns,
		.pid = 11,
		.tid = 12,
		.src_endpoint = endpoint,
	};
	lane->written++;
}

static const struct hf_socket_event *told_send(struct fixture *f)
{
	const struct hf_socket_event *event = (const void *)&f->events.told[0].event;

	assert_true(f->events.count > 0);
	assert_int_equal(event->event.kind, HF_EVENT_SOCKET);
	assert_int_equal(event->op, HF_SOCKET_SEND);
	assert_int_equal(event->pid, 11);
	assert_int_equal(event->tid, 12);
	return event;
}

static void assert_sent_and_crossed(struct fixture *f, const struct frame_spec *spec, __u8 head_len)
{
	const struct hf_packet_event *left;

	assert_int_equal(told(f), 3);
	assert_int_equal(told_send(f)->endpoint, HOST_A);
	left = told_as(f, 1, HF_POINT_LEAVE);
	assert_int_equal(left->src_endpoint, HOST_A);
	assert_int_equal(left->seq, spec->seq);
	assert_int_equal(left->len, spec->payload_len);
	assert_int_equal(left->tcp_flags, spec->tcp_flags);
	assert_int_equal(left->segments, 1);
	assert_int_equal(left->head_len, head_len);
	assert_memory_equal(left->head, spec->payload, head_len);
	assert_int_equal(told_as(f, 2, HF_POINT_ENTER)->dst_endpoint, HOST_B);
}

static void a_send_and_the_packet_that_it_makes_are_one_passage(void **state)
{
	static const struct {
		const char *payload;
		__u8 head_len;
	} message[] = {
		{ "GET / HTTP/1.1\r\nHost: b\r\n\r\n", 27 },
		{ "HTTP/1.1 200 OK\r\nServer: b\r\n\r\n", 16 },
		{ "HTTP/1.1", 8 },
		{ "SSH-2.0-x", 0 },
	};
	struct fixture *f = *state;
	size_t joined = 0;

	trace(f);
	for (int i = 0; i < TRIES * 8; i++) {
		size_t kind = (size_t)(i >> 3) % ARRAY_SIZE(message);
		struct frame_spec spec = some_data;

		spec.ipv6 = i & 1;
		spec.vlans = i >> 1 & 1;
		spec.tcp_options = i >> 2 & 1 ? 3 : 0;
		spec.payload = message[kind].payload;
		spec.payload_len = (__u32)strlen(message[kind].payload);
		send_begins(f, &spec, HOST_A);
		leave_a(f, spec);
		enter_b(f, spec);
		assert_sent_and_crossed(f, &spec, message[kind].head_len);
		joined += f->events.records == 1;
	}
	assert_true(joined > TRIES);
}

/* What a processor has noted of a device is forgotten. */
static void what_the_owner_changes_of_a_device_is_so_at_once(void **state)
{
	struct hf_device a = { .endpoint = HOST_A, .traced = 1 },
			 b = { .endpoint = HOST_B, .traced = 1 };
	struct fixture *f = *state;

	trace(f);
	for (int i = 0; i < TRIES; i++) {
		bool other = i & 1, seen = !(i >> 1 & 1);

		a.endpoint = other ? HOST_ELSEWHERE : HOST_A;
		b.endpoint = other ? HOST_UNNAMED : HOST_B;
		a.traced = b.traced = seen;
		harness_set_device(f->harness, harness_ifindex(DEVICE_A), &a);
		harness_set_device(f->harness, harness_ifindex(DEVICE_B), &b);
		for (int again = 0; again < 2; again++) {
			send_begins(f, &some_data, a.endpoint);
			leave_a(f, some_data);
			enter_b(f, some_data);
			assert_int_equal(told(f), seen ? 3 : 1);
			if (!seen)
				continue;
			assert_int_equal(told_as(f, 1, HF_POINT_LEAVE)->src_endpoint, a.endpoint);
			assert_int_equal(told_as(f, 2, HF_POINT_ENTER)->dst_endpoint, b.endpoint);
		}
	}
}

/* What a send begins is in the lane only where sends are told by a tracepoint. */
static bool sends_begin_passages(void)
{
	struct btf *btf = btf__load_vmlinux_btf();
	bool has = btf && btf__find_by_name_kind(btf, "trace_event_raw_tcp_sendmsg_locked",
						 BTF_KIND_STRUCT) > 0;

	btf__free(btf);
	return has;
}

static size_t told_of_crossing(struct fixture *f)
{
	send_begins(f, &some_data, HOST_A);
	leave_a(f, some_data);
	enter_b(f, some_data);
	return told(f);
}

/* So what nobody counts is not seen. */
static void what_is_noted_of_a_device_is_not_looked_up_again(void **state)
{
	const struct hf_device unseen_a = { .endpoint = HOST_A }, unseen_b = { .endpoint = HOST_B };
	struct fixture *f = *state;
	size_t noted = 0;

	trace(f);
	for (int i = 0; i < TRIES; i++) {
		harness_set_engine(f->harness, DEVICE_A, HF_ENGINE_NONE);
		harness_set_engine(f->harness, DEVICE_B, HF_ENGINE_NONE);
		assert_int_equal(told_of_crossing(f), 3);
		if (sends_begin_passages())
			harness_put_device(f->harness, harness_ifindex(DEVICE_A), &unseen_a);
		harness_put_device(f->harness, harness_ifindex(DEVICE_B), &unseen_b);
		noted += told_of_crossing(f) == 3;
	}
	assert_true(noted > 0);
}

/* A rule for what leaves is asked even if the short way knows device and packet, and nothing was counted in between. */
static void no_rule_is_passed_by_on_the_short_way(void **state)
{
	struct harness_link to_world = { .key = { HOST_A, HF_ENDPOINT_WORLD },
					 .rules = 1,
					 .rule = { rule_of(1, HF_RULE_DROP) } };
	struct hf_device a = { .endpoint = HOST_A, .traced = 1 };
	struct frame_spec spec = some_data;
	struct fixture *f = *state;

	trace(f);
	spec.dst = HOST_UNNAMED; /* of the world */
	assert_int_equal(harness_set_device(f->harness, harness_ifindex(DEVICE_A), &a), 0);
	for (int outward = 0; outward < 2; outward++) {
		send_begins(f, &spec, HOST_A);
		assert_int_equal(leave_a(f, spec), outward ? TC_ACT_SHOT : PASSED);
		assert_int_equal(harness_flip(f->harness, &to_world, 1), 0);
		harness_set_outward(f->harness, true);
		a.outward = 1;
		assert_int_equal(harness_put_device(f->harness, harness_ifindex(DEVICE_A), &a), 0);
	}
}

/* One slot's memory is all that a message's first bytes are written to. */
static void nothing_of_a_body_comes_into_a_lane(void **state)
{
	static const char *const message[] = {
		"AUTH top-secret-password-of-redis",
		"HTTP/1.1 200 OK\r\nSet-Cookie: s=top-secret\r\n\r\ntop-secret",
	};
	struct fixture *f = *state;

	trace(f);
	for (size_t i = 0; i < ARRAY_SIZE(message) * 2; i++) {
		const struct hf_lane *lane = harness_lane(f->harness);
		struct frame_spec spec = some_data;

		spec.payload = message[i / 2];
		spec.payload_len = (__u32)strlen(message[i / 2]);
		if (i & 1)
			send_begins(f, &spec, HOST_A);
		leave_a(f, spec);
		assert_null(memmem(harness_slot(f->harness, lane->written - 1),
				   sizeof(struct hf_lane_slot), "top-secret", 10));
	}
	assert_int_equal(told(f), 6);
}

static void assert_not_sent(struct fixture *f, const struct frame_spec *leaving, __u32 sender)
{
	send_begins(f, &some_data, sender);
	leave_a(f, *leaving);
	assert_int_equal(told(f), 2);
	assert_int_equal(f->events.records, 2);
	assert_int_equal(told_send(f)->endpoint, sender);
	assert_int_equal(told_as(f, 1, HF_POINT_LEAVE)->src_endpoint, HOST_A);
}

static void a_send_is_not_taken_for_another_packets(void **state)
{
	struct frame_spec other[4] = { some_data, some_data, some_data, some_data };
	struct fixture *f = *state;

	trace(f);
	other[0].seq--;
	other[1].sport++;
	other[2].ipv6 = true;
	other[3].payload_len = 0;
	other[3].tcp_flags |= TCP_FIN;
	for (size_t i = 0; i < ARRAY_SIZE(other); i++)
		assert_not_sent(f, &other[i], HOST_A);
	/* of a container within a container: the same packet, and another sender */
	assert_not_sent(f, &some_data, HOST_ELSEWHERE);
}

static void who_interrupts_a_writer_takes_the_ring(void **state)
{
	struct fixture *f = *state;
	struct frame_spec spec = some_data;

	trace(f);
	for (int i = 0; i < 4; i++) {
		harness_lane(f->harness)->is_taken = i & 1;
		spec.seq = i;
		leave_a(f, spec);
		assert_int_equal(harness_lane(f->harness)->is_taken, i & 1);
	}
	harness_lane(f->harness)->is_taken = 0;
	assert_int_equal(told(f), 4);
	assert_int_equal(f->events.in_ring, 2);
	for (int i = 0; i < 4; i++)
		assert_int_equal(told_as(f, i, HF_POINT_LEAVE)->seq, i);
}

static bool is_woken(int epoll_fd)
{
	struct epoll_event event;

	return epoll_wait(epoll_fd, &event, 1, 200) == 1;
}

/* The reader waits for the ring, and is woken at half a lane and each eighth beyond. */
static void a_lane_that_fills_up_wakes_the_reader(void **state)
{
	struct epoll_event edge = { .events = EPOLLIN | EPOLLET };
	_cleanup_(closep) int epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	struct fixture *f = *state;

	trace(f);
	assert_int_equal(epoll_ctl(epoll_fd, EPOLL_CTL_ADD, harness_ring(f->harness), &edge), 0);
	burst_to_b(f, HF_LANE_SLOTS / 2 - 1);
	assert_false(is_woken(epoll_fd));
	burst_to_b(f, 1);
	assert_true(is_woken(epoll_fd));
	burst_to_b(f, HF_LANE_SLOTS / 8 - 1);
	assert_false(is_woken(epoll_fd));
	burst_to_b(f, 1);
	assert_true(is_woken(epoll_fd));
	assert_int_equal(told(f), HF_LANE_SLOTS / 8 * 5);
	assert_int_equal(f->events.in_ring, 0);
}

/* As a bridge does that does not know yet where to: the copies are the same, bit by bit. */
static void what_enters_twice_is_told_twice(void **state)
{
	struct fixture *f = *state;

	trace(f);
	leave_a(f, some_data);
	enter_b(f, some_data);
	enter_b(f, some_data);
	assert_int_equal(told(f), 3);
	told_as(f, 1, HF_POINT_ENTER);
	told_as(f, 2, HF_POINT_ENTER);
}

static void what_leaves_twice_is_two_passages(void **state)
{
	struct fixture *f = *state;

	trace(f);
	leave_a(f, some_data);
	leave_a(f, some_data);
	enter_b(f, some_data);
	assert_int_equal(told(f), 3);
	told_as(f, 0, HF_POINT_LEAVE);
	told_as(f, 1, HF_POINT_LEAVE);
	told_as(f, 2, HF_POINT_ENTER);
}

static void a_passage_is_not_written_on_for_long(void **state)
{
	const struct timespec longer = { .tv_nsec = 2 * HF_LANE_OPEN_NS };
	struct fixture *f = *state;

	trace(f);
	leave_a(f, some_data);
	nanosleep(&longer, NULL);
	enter_b(f, some_data);
	assert_crossing(f, &some_data);
	assert_int_equal(f->events.records, 2);
}

/* The owner waits before it reads; a program may be put aside for longer. */
static void what_comes_to_a_passage_after_it_was_read_is_told(void **state)
{
	struct fixture *f = *state;

	trace(f);
	for (int i = 0; i < TRIES; i++) {
		leave_a(f, some_data);
		assert_int_equal(told(f), 1);
		told_as(f, 0, HF_POINT_LEAVE);
		enter_b(f, some_data);
		assert_int_equal(told(f), 1);
		told_as(f, 0, HF_POINT_ENTER);
		assert_int_equal(told(f), 0);
	}
}

/* More than a lane takes, and not more than the ring. */
static void a_burst_goes_on_in_the_ring(void **state)
{
	enum { PACKETS = 20000 };
	struct fixture *f = *state;
	struct hf_lost lost;

	trace(f);
	enter_b(f, some_data);
	assert_int_equal(told(f), 1);
	assert_int_equal(f->events.in_ring, 0);
	/* a round that begins gives back what the one before has read */
	assert_int_equal(told(f), 0);
	burst_to_b(f, PACKETS);
	assert_int_equal(told(f), PACKETS);
	assert_int_equal(f->events.in_ring, PACKETS - HF_LANE_SLOTS);
	assert_int_equal(f->events.out_of_order, 0);
	assert_int_equal(harness_lost(f->harness, &lost), 0);
	assert_int_equal(lost.packet_events, 0);
	/* and in the lane again, as there is room */
	enter_b(f, some_data);
	assert_int_equal(told(f), 1);
	assert_int_equal(f->events.in_ring, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		fixture_test(a_packet_that_leaves_and_enters_is_one_passage),
		fixture_test(a_packet_that_a_rule_acts_on_enters_by_itself),
		fixture_test(another_packet_does_not_enter_for_it),
		fixture_test(a_packet_from_another_sender_does_not_enter_for_it),
		fixture_test(a_send_and_the_packet_that_it_makes_are_one_passage),
		fixture_test(what_the_owner_changes_of_a_device_is_so_at_once),
		fixture_test(what_is_noted_of_a_device_is_not_looked_up_again),
		fixture_test(no_rule_is_passed_by_on_the_short_way),
		fixture_test(nothing_of_a_body_comes_into_a_lane),
		fixture_test(a_send_is_not_taken_for_another_packets),
		fixture_test(who_interrupts_a_writer_takes_the_ring),
		fixture_test(a_lane_that_fills_up_wakes_the_reader),
		fixture_test(what_enters_twice_is_told_twice),
		fixture_test(what_leaves_twice_is_two_passages),
		fixture_test(a_passage_is_not_written_on_for_long),
		fixture_test(what_comes_to_a_passage_after_it_was_read_is_told),
		fixture_test(a_burst_goes_on_in_the_ring),
	};

	return cmocka_run_group_tests(tests, on_one_processor, NULL);
}
