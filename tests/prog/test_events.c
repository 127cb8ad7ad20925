/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test_events.c - what the link programs tell the owner: which packets, at which point, with which bytes; and that
 * they tell nothing when nobody asked, and count what the ring could not take.
 */
#include <string.h>

#include "fixture.h"

static const char request[] = "GET /orders/7?secret HTTP/1.1\r\nHost: b\r\n\r\n";

static const struct frame_spec some_data = { .sport = 40000,
					     .dport = 80,
					     .seq = 0xfffffff0,
					     .tcp_flags = TCP_ACK | TCP_PSH,
					     .tcp_options = 3,
					     .payload = request,
					     .payload_len = sizeof(request) - 1 };

static void trace(struct fixture *f)
{
	harness_set_tracing(f->harness, true);
}

/* The one event that was told since the last look. */
static const struct hf_packet_event *only_event(struct fixture *f)
{
	assert_int_equal(told(f), 1);
	return &f->events.told[0].event;
}

static void assert_flow(const struct hf_packet_event *event, bool ipv6)
{
	struct hf_addr src = frame_address(ipv6, HOST_A), dst = frame_address(ipv6, HOST_B);

	assert_memory_equal(&event->flow.src, &src, sizeof(src));
	assert_memory_equal(&event->flow.dst, &dst, sizeof(dst));
	assert_int_equal(event->flow.sport, 40000);
	assert_int_equal(event->flow.dport, 80);
	assert_int_equal(event->flow.proto, IPPROTO_TCP);
	assert_int_equal(event->src_endpoint, HOST_A);
	/* where a packet leaves, nobody has asked yet to whom it goes */
	assert_int_equal(event->dst_endpoint,
			 event->point == HF_POINT_LEAVE ? HF_ENDPOINT_NONE : HOST_B);
}

static void nothing_is_told_while_tracing_is_off(void **state)
{
	struct fixture *f = *state;

	ask_one(f, rule_of(1, HF_RULE_DROP));
	assert_int_equal(enter_b(f, some_data), TC_ACT_SHOT);
	assert_int_equal(leave_a(f, some_data), PASSED);
	assert_int_equal(told(f), 0);
}

static void nothing_is_told_of_a_device_that_is_not_traced(void **state)
{
	struct hf_device quiet = { .endpoint = HOST_B };
	struct fixture *f = *state;

	trace(f);
	assert_int_equal(harness_set_device(f->harness, harness_ifindex(DEVICE_B), &quiet), 0);
	enter_b(f, some_data);
	assert_int_equal(told(f), 0);
}

static void a_packet_that_leaves_is_told_with_flow_and_bytes(void **state)
{
	struct fixture *f = *state;

	trace(f);
	for (int shape = 0; shape < 6; shape++) {
		struct frame_spec spec = some_data;
		const struct hf_packet_event *event;
		__u64 before_ns = harness_now_ns();

		spec.ipv6 = shape & 1;
		spec.vlans = shape / 2;
		spec.extensions = spec.ipv6;
		assert_int_equal(leave_a(f, spec), PASSED);
		event = only_event(f);
		assert_flow(event, spec.ipv6);
		assert_int_equal(event->event.version, HF_ABI_VERSION);
		assert_int_equal(event->event.kind, HF_EVENT_PACKET);
		assert_in_range(event->event.time_ns, before_ns, harness_now_ns());
		assert_int_equal(event->event.size, sizeof(*event) + event->head_len);
		assert_int_equal(event->point, HF_POINT_LEAVE);
		assert_int_equal(event->verdict, HF_VERDICT_PASS);
		assert_int_equal(event->seq, 0xfffffff0);
		assert_int_equal(event->len, sizeof(request) - 1);
		assert_int_equal(event->tcp_flags, TCP_ACK | TCP_PSH);
		assert_int_equal(event->segments, 1);
		assert_int_equal(event->head_len, sizeof(request) - 1);
		assert_memory_equal(f->events.told[0].head, request, sizeof(request) - 1);
	}
}

static void the_head_is_cut_at_its_limit(void **state)
{
	static const __u32 lengths[] = {
		4, 5, HF_HEAD_MAX - 1, HF_HEAD_MAX, HF_HEAD_MAX + 1, 2000
	};
	struct fixture *f = *state;
	char text[2000];

	memset(text, 'x', sizeof(text));
	memcpy(text, "POST", 4);
	trace(f);
	for (size_t i = 0; i < ARRAY_SIZE(lengths); i++) {
		__u32 expected = lengths[i] < HF_HEAD_MAX ? lengths[i] : HF_HEAD_MAX;
		struct frame_spec spec = some_data;
		const struct hf_packet_event *event;

		spec.payload = text;
		spec.payload_len = lengths[i];
		leave_a(f, spec);
		event = only_event(f);
		assert_int_equal(event->len, lengths[i]);
		assert_int_equal(event->head_len, expected);
		assert_memory_equal(f->events.told[0].head, text, expected);
	}
}

static void only_what_starts_like_http_has_a_head(void **state)
{
	static const char *const like[] = { "GET /",	"POST /",  "PUT /",	"HEAD /",
					    "DELETE /", "PATCH /", "OPTIONS /", "HTTP/1.1 200 OK" };
	static const char *const unlike[] = { "get /",	  "GETX", "GET", "\x16\x03\x01\x02",
					      "*1\r\n$4", "" };
	struct fixture *f = *state;

	trace(f);
	for (size_t i = 0; i < ARRAY_SIZE(like) + ARRAY_SIZE(unlike); i++) {
		bool http = i < ARRAY_SIZE(like);
		struct frame_spec spec = some_data;

		spec.payload = http ? like[i] : unlike[i - ARRAY_SIZE(like)];
		spec.payload_len = strlen(spec.payload);
		spec.tcp_flags |= TCP_FIN; /* so that the empty one is told as well */
		leave_a(f, spec);
		assert_int_equal(only_event(f)->head_len, http ? spec.payload_len : 0);
	}
}

static void only_tcp_with_something_to_say_is_told(void **state)
{
	static const __u8 telling[] = { TCP_SYN, TCP_FIN | TCP_ACK, TCP_RST, TCP_SYN | TCP_ACK };
	struct fixture *f = *state;

	trace(f);
	for (size_t i = 0; i < ARRAY_SIZE(telling); i++) {
		struct frame_spec spec = { .tcp_flags = telling[i] };

		leave_a(f, spec);
		enter_b(f, spec);
		assert_int_equal(told(f), 2);
		assert_int_equal(f->events.told[0].event.tcp_flags, telling[i]);
	}
	leave_a(f, (struct frame_spec){ .tcp_flags = TCP_ACK });
	enter_b(f, (struct frame_spec){ .tcp_flags = TCP_ACK });
	leave_a(f, (struct frame_spec){ .proto = IPPROTO_UDP, .payload_len = 10 });
	enter_b(f, (struct frame_spec){ .proto = IPPROTO_ICMP });
	assert_int_equal(told(f), 0);
}

static void a_bare_acknowledgement_is_told_when_a_rule_acts_on_it(void **state)
{
	struct fixture *f = *state;

	trace(f);
	ask_one(f, rule_of(1, HF_RULE_DROP));
	enter_b(f, (struct frame_spec){ .tcp_flags = TCP_ACK });
	assert_int_equal(only_event(f)->verdict, HF_VERDICT_DROP);
}

static void a_packet_that_enters_is_told_with_its_verdict_and_rules(void **state)
{
	struct hf_rule rules[] = { delay_rule(11, 1 * MS), delay_rule(12, 2 * MS),
				   delay_rule(13, 3 * MS), delay_rule(14, 4 * MS),
				   delay_rule(15, 5 * MS) };
	const struct hf_packet_event *event;
	struct fixture *f = *state;

	trace(f);
	enter_b(f, some_data);
	event = only_event(f);
	assert_flow(event, false);
	assert_int_equal(event->point, HF_POINT_ENTER);
	assert_int_equal(event->verdict, HF_VERDICT_PASS);
	assert_int_equal(event->rule_id[0], 0);
	assert_int_equal(event->head_len, 0);

	assert_int_equal(harness_set_engine(f->harness, DEVICE_B, HF_ENGINE_HOLD), 0);
	ask_all(f, rules, 5);
	assert_int_equal(enter_b(f, some_data), TC_ACT_REDIRECT);
	event = only_event(f);
	assert_int_equal(event->verdict, HF_VERDICT_DELAY);
	assert_int_equal(event->delay_ns, 15 * MS);
	for (__u32 i = 0; i < HF_EVENT_RULES_MAX; i++)
		assert_int_equal(event->rule_id[i], 11 + i);

	rules[1] = rule_of(16, HF_RULE_DROP);
	ask_all(f, rules, 5);
	assert_int_equal(enter_b(f, some_data), TC_ACT_SHOT);
	event = only_event(f);
	assert_int_equal(event->verdict, HF_VERDICT_DROP);
	assert_int_equal(event->delay_ns, 0);
	assert_int_equal(event->rule_id[0], 11);
	assert_int_equal(event->rule_id[1], 16);
	assert_int_equal(event->rule_id[2], 0);
}

static void a_delay_that_was_not_given_is_not_told_as_one(void **state)
{
	const struct hf_packet_event *event;
	struct fixture *f = *state;

	trace(f);
	ask_one(f, delay_rule(1, 5 * MS)); /* b has no engine */
	assert_int_equal(enter_b(f, some_data), PASSED);
	event = only_event(f);
	assert_int_equal(event->verdict, HF_VERDICT_PASS);
	assert_int_equal(event->delay_ns, 0);
	assert_int_equal(event->rule_id[0], 0);
}

static void a_release_is_told_as_one(void **state)
{
	const struct hf_packet_event *event;
	struct fixture *f = *state;

	trace(f);
	assert_int_equal(harness_set_engine(f->harness, DEVICE_B, HF_ENGINE_HOLD), 0);
	ask_one(f, delay_rule(1, 5 * MS));
	assert_int_equal(release_b(f, some_data, HARNESS_MARK, 1), PASSED);
	event = only_event(f);
	assert_flow(event, false);
	assert_int_equal(event->point, HF_POINT_RELEASE);
	assert_int_equal(event->verdict, HF_VERDICT_PASS);
	assert_int_equal(event->rule_id[0], 0);
}

static void one_packets_judgement_does_not_leak_into_the_next(void **state)
{
	struct fixture *f = *state;
	const struct hf_packet_event *event;

	trace(f);
	ask_one(f, rule_of(1, HF_RULE_DROP));
	enter_b(f, some_data);
	only_event(f);
	enter_a(f, (struct frame_spec){ .tcp_flags = TCP_SYN });
	event = only_event(f);
	assert_int_equal(event->verdict, HF_VERDICT_PASS);
	assert_int_equal(event->rule_id[0], 0);
	assert_int_equal(event->len, 0);
	assert_int_equal(event->seq, 0);
}

static void what_the_ring_cannot_take_is_counted(void **state)
{
	enum { PACKETS = 100000 }; /* more than lane and ring can take */
	struct fixture *f = *state;
	struct hf_lost lost;

	trace(f);
	burst_to_b(f, PACKETS);
	assert_int_equal(f->run.verdict, PASSED);
	assert_int_equal(harness_lost(f->harness, &lost), 0);
	assert_true(lost.packet_events > 0);
	assert_int_equal(told(f) + lost.packet_events, PACKETS);
	/* and it goes on when there is room again */
	enter_b(f, some_data);
	only_event(f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		fixture_test(nothing_is_told_while_tracing_is_off),
		fixture_test(nothing_is_told_of_a_device_that_is_not_traced),
		fixture_test(a_packet_that_leaves_is_told_with_flow_and_bytes),
		fixture_test(the_head_is_cut_at_its_limit),
		fixture_test(only_what_starts_like_http_has_a_head),
		fixture_test(only_tcp_with_something_to_say_is_told),
		fixture_test(a_bare_acknowledgement_is_told_when_a_rule_acts_on_it),
		fixture_test(a_packet_that_enters_is_told_with_its_verdict_and_rules),
		fixture_test(a_delay_that_was_not_given_is_not_told_as_one),
		fixture_test(a_release_is_told_as_one),
		fixture_test(one_packets_judgement_does_not_leak_into_the_next),
		fixture_test(what_the_ring_cannot_take_is_counted),
	};

	return cmocka_run_group_tests(tests, fixture_world, NULL);
}
