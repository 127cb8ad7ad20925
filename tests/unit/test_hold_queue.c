/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test_hold_queue.c - the pure parts of the delay engine: order and memory of held frames, the header taken off
 * a frame, the waiting rules, percentiles.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include <arpa/inet.h>
#include <errno.h>
#include <linux/if_ether.h>

#include "hold/frame.h"
#include "hold/pace.h"
#include "hold/queue.h"
#include "hold/spread.h"

#define ROOM ((size_t)FRAME_CHUNKS_MAX * CHUNK_SIZE)

/* ---- queue ---- */

/* Lands a frame of len bytes, each of them `fill`. False: full. */
static bool land(struct queue *queue, uint64_t due_ns, uint32_t rule_id, uint32_t len, uint8_t fill)
{
	uint8_t *const *chunks;
	struct packet *packet = queue_landing(queue, &chunks);

	if (!packet)
		return false;
	memset(packet->head, fill, len < FRAME_INLINE ? len : FRAME_INLINE);
	for (uint32_t at = FRAME_INLINE, i = 0; at < len; at += CHUNK_SIZE, i++)
		memset(chunks[i], fill, CHUNK_SIZE);
	packet->header.due_ns = due_ns;
	packet->header.rule_id = rule_id;
	packet->len_bytes = len;
	queue_push(queue);
	return true;
}

static uint32_t take(struct queue *queue)
{
	struct packet *packet = queue_first(queue);
	uint32_t rule_id;

	assert_non_null(packet);
	rule_id = packet->header.rule_id;
	queue_pop(queue);
	queue_release(queue, packet);
	return rule_id;
}

static struct queue *new_queue(size_t bytes, unsigned packets)
{
	struct queue *queue = NULL;

	assert_int_equal(queue_new(bytes, packets, &queue), 0);
	return queue;
}

static void frames_leave_by_due_time_and_then_by_arrival(void **state)
{
	struct queue *queue = new_queue(ROOM, 16);
	const uint32_t expected[] = { 2, 4, 1, 3, 5 };

	assert_true(queue_next_due_ns(queue) == UINT64_MAX);
	assert_true(land(queue, 20, 1, 60, 0));
	assert_true(land(queue, 10, 2, 60, 0));
	assert_true(land(queue, 20, 3, 60, 0));
	assert_true(land(queue, 10, 4, 60, 0));
	assert_true(land(queue, 20, 5, 60, 0));
	assert_true(queue_next_due_ns(queue) == 10);
	for (unsigned i = 0; i < 5; i++)
		assert_int_equal(take(queue), expected[i]);
	assert_true(queue_is_empty(queue));
	queue_free(queue);
}

static void a_thousand_random_frames_leave_sorted(void **state)
{
	struct queue *queue = new_queue(ROOM, 1000);
	uint64_t before = 0;
	uint32_t dice = 1;

	for (unsigned i = 0; i < 1000; i++) {
		dice = dice * 1664525 + 1013904223;
		assert_true(land(queue, dice >> 20, i, 60, 0));
	}
	assert_false(land(queue, 1, 0, 60, 0));
	for (unsigned i = 0; i < 1000; i++) {
		assert_true(queue_next_due_ns(queue) >= before);
		before = queue_next_due_ns(queue);
		take(queue);
	}
	queue_free(queue);
}

static bool is_odd(void *ctx, const struct packet *packet)
{
	return packet->header.rule_id % 2 == 1;
}

static void expedited_frames_leave_first_and_in_order(void **state)
{
	struct queue *queue = new_queue(ROOM, 16);
	const uint32_t expected[] = { 3, 1, 5, 2, 4 };

	assert_true(land(queue, 30, 1, 60, 0));
	assert_true(land(queue, 20, 2, 60, 0));
	assert_true(land(queue, 10, 3, 60, 0));
	assert_true(land(queue, 40, 4, 60, 0));
	assert_true(land(queue, 30, 5, 60, 0));
	assert_int_equal(queue_expedite(queue, is_odd, NULL), 3);
	assert_true(queue_next_due_ns(queue) == 0);
	for (unsigned i = 0; i < 5; i++)
		assert_int_equal(take(queue), expected[i]);
	queue_free(queue);
}

static void memory_is_bounded_and_comes_back(void **state)
{
	struct queue *queue = new_queue(4 * ROOM, 1000);
	unsigned fitted = 0;

	for (unsigned turn = 0; turn < 3; turn++) {
		unsigned n = 0;

		while (land(queue, n, n, FRAME_MAX, 0))
			n++;
		assert_in_range(n, 3, 4);
		if (turn > 0)
			assert_int_equal(n, fitted);
		fitted = n;
		assert_int_equal(queue_packets(queue), n);
		assert_int_equal(queue_bytes(queue), (size_t)n * FRAME_MAX);
		while (n-- > 0)
			take(queue);
		assert_int_equal(queue_bytes(queue), 0);
	}
	queue_free(queue);
}

static void assert_filled(const struct queue *queue, const struct packet *packet, uint8_t fill)
{
	uint32_t chunk = packet->chunk;

	for (uint32_t at = 0; at < packet->len_bytes && at < FRAME_INLINE; at++)
		assert_int_equal(packet->head[at], fill);
	for (uint32_t at = FRAME_INLINE; at < packet->len_bytes; at += CHUNK_SIZE) {
		const uint8_t *data = queue_chunk(queue, chunk, &chunk);

		for (uint32_t i = 0; i < CHUNK_SIZE && at + i < packet->len_bytes; i++)
			assert_int_equal(data[i], fill);
	}
	assert_int_equal(chunk, CHUNK_NONE);
}

static void frames_of_all_sizes_keep_their_bytes(void **state)
{
	static const uint32_t size[] = { 14,
					 FRAME_INLINE,
					 FRAME_INLINE + 1,
					 1514,
					 FRAME_INLINE + CHUNK_SIZE,
					 9014,
					 FRAME_INLINE + CHUNK_SIZE + 1,
					 FRAME_MAX };
	struct queue *queue = new_queue(8 * ROOM, 64);

	for (unsigned round = 0; round < 20; round++) {
		for (unsigned i = 0; i < 8; i++)
			assert_true(
				land(queue, i ^ round % 8, i, size[i], (uint8_t)(round * 8 + i)));
		for (unsigned i = 0; i < 8; i++) {
			struct packet *packet = queue_first(queue);

			assert_filled(queue, packet, (uint8_t)(round * 8 + packet->header.rule_id));
			take(queue);
		}
	}
	queue_free(queue);
}

static void absurd_limits_are_refused(void **state)
{
	struct queue *queue = NULL;

	assert_int_equal(queue_new(ROOM - 1, 1, &queue), -EINVAL);
	assert_int_equal(queue_new(ROOM, 0, &queue), -EINVAL);
	assert_int_equal(queue_new(SIZE_MAX, 1, &queue), -EINVAL);
	assert_null(queue);
}

/* ---- frame ---- */

#define HEADER ((size_t)sizeof(struct hf_hold_header))

static const struct hf_hold_header given = {
	.due_ns = 0x1122334455667788,
	.ifindex = 0x99aabbcc,
	.decided_ns = 0x0102030405060708,
	.rule_id = 0x0a0b0c0d,
	.src_endpoint = 0x11121314,
};

/* What the TAP would give: header and frame, with tag_len bytes of tag at offset 12. */
static size_t tap_gives(struct packet *packet, const uint8_t *tag, size_t tag_len)
{
	struct hf_hold_header header = given;
	uint8_t wire[256], *at = wire;

	header.ethertype = htons(HF_HOLD_ETHERTYPE);
	memcpy(at, &header, 12);
	at += 12;
	if (tag_len > 0)
		memcpy(at, tag, tag_len);
	at += tag_len;
	memcpy(at, (uint8_t *)&header + 12, HEADER - 12);
	at += HEADER - 12;
	for (uint8_t i = 0; i < 100; i++)
		*at++ = i;
	memset(packet, 0, sizeof(*packet));
	memcpy(&packet->header, wire, HEADER);
	memcpy(packet->head, wire + HEADER, (size_t)(at - wire) - HEADER);
	return sizeof(struct virtio_net_hdr) + (size_t)(at - wire);
}

static void assert_header_is_whole(const struct packet *packet)
{
	assert_true(packet->header.due_ns == given.due_ns);
	assert_int_equal(packet->header.ifindex, given.ifindex);
	assert_true(packet->header.decided_ns == given.decided_ns);
	assert_int_equal(packet->header.rule_id, given.rule_id);
}

static void a_frame_comes_out_as_it_went_in(void **state)
{
	struct packet packet;
	size_t bytes = tap_gives(&packet, NULL, 0);

	packet.vnet.hdr_len = (uint16_t)(HEADER + 54);
	packet.vnet.flags = VIRTIO_NET_HDR_F_NEEDS_CSUM;
	packet.vnet.csum_start = (uint16_t)(HEADER + 34);
	packet.vnet.csum_offset = 16;
	assert_int_equal(frame_receive(&packet, bytes), 0);
	assert_header_is_whole(&packet);
	assert_int_equal(packet.len_bytes, 100);
	assert_int_equal(packet.vnet.hdr_len, 54);
	assert_int_equal(packet.vnet.csum_start, 34);
	assert_int_equal(frame_ethertype(&packet), htons(0x0c0d));
	for (uint8_t i = 0; i < 100; i++)
		assert_int_equal(packet.head[i], i);
}

static void a_tag_in_the_header_goes_back_into_the_frame(void **state)
{
	static const uint8_t tags[2][4] = { { 0x81, 0x00, 0x60, 0x05 },
					    { 0x88, 0xa8, 0x00, 0x64 } };

	for (unsigned t = 0; t < 2; t++) {
		struct packet packet;
		size_t bytes = tap_gives(&packet, tags[t], 4);

		assert_int_equal(frame_receive(&packet, bytes), 0);
		assert_header_is_whole(&packet);
		assert_int_equal(packet.len_bytes, 104);
		for (uint8_t i = 0; i < 12; i++)
			assert_int_equal(packet.head[i], i);
		assert_memory_equal(packet.head + 12, tags[t], 4);
		for (uint8_t i = 12; i < 100; i++)
			assert_int_equal(packet.head[i + 4], i);
	}
}

static void what_is_not_ours_is_refused(void **state)
{
	static const uint8_t tag[4] = { 0x81, 0x00, 0, 5 };
	struct packet packet;
	size_t bytes = tap_gives(&packet, NULL, 0);

	packet.header.ethertype = htons(ETH_P_IP);
	assert_int_equal(frame_receive(&packet, bytes), -EBADMSG);
	bytes = tap_gives(&packet, tag, 4);
	packet.header.decided_ns = 0; /* behind the tag our ethertype is gone */
	((uint8_t *)&packet.header)[16] = 0;
	assert_int_equal(frame_receive(&packet, bytes), -EBADMSG);
	for (size_t cut = 0; cut < FRAME_PREFIX + ETH_HLEN; cut++) {
		tap_gives(&packet, NULL, 0);
		assert_int_equal(frame_receive(&packet, cut), -EBADMSG);
	}
	tap_gives(&packet, NULL, 0);
	assert_int_equal(frame_receive(&packet, FRAME_PREFIX + FRAME_MAX + 1), -EBADMSG);
}

static void a_checksum_outside_the_frame_is_refused(void **state)
{
	static const uint16_t bad[][2] = {
		{ 0, 16 }, { 33, 0 }, { HEADER + 99, 0 }, { HEADER + 34, 65 }, { 65535, 65535 }
	};

	for (unsigned i = 0; i < 5; i++) {
		struct packet packet;
		size_t bytes = tap_gives(&packet, NULL, 0);

		packet.vnet.flags = VIRTIO_NET_HDR_F_NEEDS_CSUM;
		packet.vnet.csum_start = bad[i][0];
		packet.vnet.csum_offset = bad[i][1];
		assert_int_equal(frame_receive(&packet, bytes), -EBADMSG);
	}
}

static void a_header_length_never_exceeds_the_frame(void **state)
{
	struct packet packet;
	size_t bytes = tap_gives(&packet, NULL, 0);

	packet.vnet.hdr_len = 65535;
	assert_int_equal(frame_receive(&packet, bytes), 0);
	assert_int_equal(packet.vnet.hdr_len, 100);
	bytes = tap_gives(&packet, NULL, 0);
	packet.vnet.hdr_len = 5;
	assert_int_equal(frame_receive(&packet, bytes), 0);
	assert_int_equal(packet.vnet.hdr_len, 0);
}

static void a_frame_in_an_envelope_differs_in_its_destination_alone(void **state)
{
	static const uint8_t envelope[ETH_ALEN] = { 0x02, 'h', 'f', 'r', 0x12, 0x34 };
	struct hf_return slot;
	struct packet packet;
	size_t bytes = tap_gives(&packet, NULL, 0);

	assert_int_equal(frame_receive(&packet, bytes), 0);
	frame_enclose(&packet, 0x1234, &slot);
	assert_memory_equal(packet.head, envelope, ETH_ALEN);
	for (uint8_t i = 0; i < ETH_ALEN; i++)
		assert_int_equal(slot.destination[i], i);
	for (uint8_t i = ETH_ALEN; i < 100; i++)
		assert_int_equal(packet.head[i], i);
	assert_true(slot.due_ns == given.due_ns);
	assert_int_equal(slot.ifindex, given.ifindex);
	assert_int_equal(packet.len_bytes, 100);
}

static void a_way_that_there_is_not_is_refused(void **state)
{
	struct packet packet;
	size_t bytes = tap_gives(&packet, NULL, 0);

	packet.header.way = HF_WAY_OUT;
	assert_int_equal(frame_receive(&packet, bytes), 0);
	bytes = tap_gives(&packet, NULL, 0);
	packet.header.way = HF_WAY_OUT + 1;
	assert_int_equal(frame_receive(&packet, bytes), -EBADMSG);
}

/* ---- pace ---- */

#define US 1000ULL
#define MS 1000000ULL

static void an_idle_engine_sleeps_until_a_frame_comes(void **state)
{
	struct pace pace;
	struct pace_wait wait;

	pace_init(&pace, 100 * US, 0);
	wait = pace_wait(&pace, 5 * MS, UINT64_MAX);
	assert_false(wait.spin);
	assert_true(wait.watch_taps);
	assert_in_range(wait.until_ns, 55 * MS, 255 * MS); /* a sign of life each 250 ms */
}

static void thin_traffic_is_watched_and_the_last_stretch_spun(void **state)
{
	struct pace pace;
	struct pace_wait wait;

	pace_init(&pace, 100 * US, 0);
	pace_arrival(&pace, 10 * MS, 5 * MS);
	wait = pace_wait(&pace, 10 * MS, 15 * MS);
	assert_false(wait.spin);
	assert_true(wait.watch_taps);
	assert_true(wait.until_ns == 15 * MS - 100 * US);
	wait = pace_wait(&pace, 15 * MS - 90 * US, 15 * MS);
	assert_true(wait.spin);
	assert_true(wait.until_ns == 15 * MS);
}

static void dense_traffic_does_not_wake_for_each_arrival(void **state)
{
	struct pace pace;
	struct pace_wait wait;
	uint64_t now_ns = MS;

	pace_init(&pace, 100 * US, 0);
	for (unsigned i = 0; i < 200; i++)
		pace_arrival(&pace, now_ns += 50 * US, 5 * MS);
	wait = pace_wait(&pace, now_ns, now_ns + 4 * MS);
	assert_false(wait.watch_taps);
	assert_true(wait.until_ns > now_ns && wait.until_ns < now_ns + MS);
	wait = pace_wait(&pace, now_ns + 5 * MS, now_ns + 9 * MS); /* silence: watched again */
	assert_true(wait.watch_taps);
}

static void a_delay_shorter_than_the_lull_is_always_watched(void **state)
{
	struct pace pace;
	uint64_t now_ns = MS;

	pace_init(&pace, 100 * US, 0);
	for (unsigned i = 0; i < 200; i++)
		pace_arrival(&pace, now_ns += 50 * US, i % 50 == 0 ? 50 * US : 5 * MS);
	assert_true(pace_wait(&pace, now_ns, now_ns + 4 * MS).watch_taps);
}

static void a_flood_is_taken_in_turns_that_are_not_spun(void **state)
{
	struct pace pace;
	struct pace_wait wait;
	uint64_t now_ns = MS;

	pace_init(&pace, 100 * US, 0);
	for (unsigned i = 0; i < 200; i++)
		pace_arrival(&pace, now_ns += 5 * US, 5 * MS);
	wait = pace_wait(&pace, now_ns, now_ns + 5 * US);
	assert_false(wait.spin);
	assert_false(wait.watch_taps);
	assert_in_range(wait.until_ns - now_ns, 50 * US, 200 * US);
}

static void spinning_has_a_budget(void **state)
{
	struct pace pace;
	uint64_t now_ns = 0, spun_ns = 0;

	pace_init(&pace, 100 * US, 0);
	for (; now_ns < 1000 * MS; now_ns += 100 * US) {
		if (!pace_wait(&pace, now_ns, now_ns + 100 * US).spin)
			continue;
		pace_spun(&pace, 100 * US);
		spun_ns += 100 * US;
	}
	assert_in_range(spun_ns, 150 * MS, 210 * MS);
}

/* ---- spread ---- */

static void percentiles_are_good_to_three_percent(void **state)
{
	static struct spread spread;

	assert_int_equal(spread_percentile(&spread, 0.5), 0);
	for (uint64_t i = 1; i <= 100000; i++)
		spread_record(&spread, i * 10);
	assert_in_range(spread_percentile(&spread, 0.5), 485000, 515000);
	assert_in_range(spread_percentile(&spread, 0.99), 960000, 1000000);
	assert_true(spread_percentile(&spread, 1.0) <= spread.max_ns);
	assert_true(spread.count == 100000 && spread.max_ns == 1000000);
	spread_record(&spread, UINT64_MAX);
	assert_true(spread.max_ns == UINT64_MAX);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(frames_leave_by_due_time_and_then_by_arrival),
		cmocka_unit_test(a_thousand_random_frames_leave_sorted),
		cmocka_unit_test(expedited_frames_leave_first_and_in_order),
		cmocka_unit_test(memory_is_bounded_and_comes_back),
		cmocka_unit_test(frames_of_all_sizes_keep_their_bytes),
		cmocka_unit_test(absurd_limits_are_refused),
		cmocka_unit_test(a_frame_comes_out_as_it_went_in),
		cmocka_unit_test(a_tag_in_the_header_goes_back_into_the_frame),
		cmocka_unit_test(what_is_not_ours_is_refused),
		cmocka_unit_test(a_checksum_outside_the_frame_is_refused),
		cmocka_unit_test(a_header_length_never_exceeds_the_frame),
		cmocka_unit_test(a_frame_in_an_envelope_differs_in_its_destination_alone),
		cmocka_unit_test(a_way_that_there_is_not_is_refused),
		cmocka_unit_test(an_idle_engine_sleeps_until_a_frame_comes),
		cmocka_unit_test(thin_traffic_is_watched_and_the_last_stretch_spun),
		cmocka_unit_test(dense_traffic_does_not_wake_for_each_arrival),
		cmocka_unit_test(a_delay_shorter_than_the_lull_is_always_watched),
		cmocka_unit_test(a_flood_is_taken_in_turns_that_are_not_spun),
		cmocka_unit_test(spinning_has_a_budget),
		cmocka_unit_test(percentiles_are_good_to_three_percent),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
