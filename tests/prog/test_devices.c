/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test_devices.c - who is behind an interface, by its slot and by the hash: two that fall on one slot, one that goes, another
 * namespace's, and a slot that is written while a packet looks there.
 */
#include <pthread.h>

#include "fixture.h"
#include "link/devices.h"

#define RUNS 60000

/* A number that no interface here has: a packet may have come in by it all the same. */
#define SENDERS_VETH 500

static const struct frame_spec some_tcp = { .sport = 40000, .dport = 80, .payload_len = 100 };

static struct hf_device_key veth(__u32 ifindex)
{
	return (struct hf_device_key){ .netns = HARNESS_NETNS, .ifindex = ifindex };
}

static void put(struct fixture *f, struct hf_device_key key, __u32 endpoint)
{
	const struct hf_device device = { .endpoint = endpoint };

	assert_int_equal(devices_put(harness_devices(f->harness), &key, &device), 0);
}

static void remove_veth(struct fixture *f, __u32 ifindex)
{
	const struct hf_device_key key = veth(ifindex);

	devices_remove(harness_devices(f->harness), &key);
}

/* Its source address is a's, so it is a's where nobody is known at the veth by which it came in. */
static __s32 comes_in_by(struct fixture *f, __u32 ifindex)
{
	struct frame_spec spec = some_tcp;
	struct frame frame;

	spec.src = HOST_A;
	spec.dst = HOST_B;
	spec.proto = IPPROTO_TCP;
	frame_make(&spec, &frame);
	place(f, DEVICE_A, DEVICE_B);
	f->run.ctx.ingress_ifindex = ifindex;
	assert_int_equal(harness_run(f->enter, &frame, 1, &f->run), 0);
	return f->run.verdict;
}

static void cut_elsewhere_from_b(struct fixture *f)
{
	const struct harness_link cut = { .key = { HOST_ELSEWHERE, HOST_B },
					  .rules = 1,
					  .rule[0] = rule_of(1, HF_RULE_DROP) };

	assert_int_equal(harness_flip(f->harness, &cut, 1), 0);
}

static struct hf_device_slot *slot_at(struct fixture *f, __u32 ifindex)
{
	return harness_device_slot(f->harness, ifindex);
}

static void two_that_fall_on_one_slot_are_both_known(void **state)
{
	const __u32 first = SENDERS_VETH, second = SENDERS_VETH + HF_DEVICE_SLOTS;
	struct fixture *f = *state;

	cut_elsewhere_from_b(f);
	assert_ptr_equal(slot_at(f, first), slot_at(f, second));
	put(f, veth(first), HOST_A);
	put(f, veth(second), HOST_ELSEWHERE);
	assert_int_equal(slot_at(f, first)->key.ifindex, first);
	assert_int_equal(comes_in_by(f, first), PASSED);
	assert_int_equal(comes_in_by(f, second), TC_ACT_SHOT);

	put(f, veth(second), HOST_A); /* by the hash, as well */
	assert_int_equal(comes_in_by(f, second), PASSED);
	put(f, veth(first), HOST_ELSEWHERE);
	assert_int_equal(comes_in_by(f, first), TC_ACT_SHOT);
}

static void one_that_goes_leaves_its_slot(void **state)
{
	const __u32 first = SENDERS_VETH, second = SENDERS_VETH + HF_DEVICE_SLOTS;
	struct fixture *f = *state;

	cut_elsewhere_from_b(f);
	put(f, veth(first), HOST_ELSEWHERE);
	put(f, veth(second), HOST_ELSEWHERE);
	remove_veth(f, second); /* which has none */
	assert_int_equal(comes_in_by(f, second), PASSED);
	assert_int_equal(comes_in_by(f, first), TC_ACT_SHOT);
	remove_veth(f, first);
	assert_int_equal(comes_in_by(f, first), PASSED);
	put(f, veth(second), HOST_ELSEWHERE);
	assert_int_equal(slot_at(f, second)->key.ifindex, second);
	assert_int_equal(comes_in_by(f, second), TC_ACT_SHOT);
	remove_veth(f, second);
	remove_veth(f, second);
	assert_int_equal(comes_in_by(f, second), PASSED);
}

static void another_namespaces_veth_of_that_number_is_another(void **state)
{
	/* on the very same slot */
	const struct hf_device_key there = { .netns = HARNESS_NETNS + HF_DEVICE_SLOTS,
					     .ifindex = SENDERS_VETH };
	struct fixture *f = *state;

	cut_elsewhere_from_b(f);
	put(f, there, HOST_ELSEWHERE);
	assert_int_equal(slot_at(f, SENDERS_VETH)->key.netns, there.netns);
	assert_int_equal(comes_in_by(f, SENDERS_VETH), PASSED);
	put(f, veth(SENDERS_VETH), HOST_A);
	assert_int_equal(comes_in_by(f, SENDERS_VETH), PASSED);
}

/* What stands there is not to be believed then, but the hash is. */
static void a_slot_that_is_being_written_is_not_read(void **state)
{
	struct fixture *f = *state;
	struct hf_device_slot *slot;

	cut_elsewhere_from_b(f);
	put(f, veth(SENDERS_VETH), HOST_ELSEWHERE);
	slot = slot_at(f, SENDERS_VETH);
	slot->device.endpoint = HOST_A;
	assert_int_equal(comes_in_by(f, SENDERS_VETH), PASSED);
	slot->version++;
	assert_int_equal(comes_in_by(f, SENDERS_VETH), TC_ACT_SHOT);
}

/* ---- while it is written ---- */

struct writer {
	struct devices *devices;
	struct hf_device_key key;
	volatile bool is_ending;
	__u64 times;
};

/* They are never mixed: an endpoint is on its own network. */
static const struct hf_device by_turns[] = { { .endpoint = HOST_B, .network = 1 },
					     { .endpoint = HOST_ELSEWHERE, .network = 2 } };

static void *write_by_turns(void *argument)
{
	struct writer *writer = argument;

	while (!writer->is_ending)
		devices_put(writer->devices, &writer->key, &by_turns[++writer->times % 2]);
	return NULL;
}

/* A loss of nothing counts what it matches. */
static struct harness_link count_on(__u32 dst, __u32 id, __u16 network)
{
	struct harness_link link = { .key = { HOST_A, dst }, .rules = 1 };

	link.rule[0] = rule_of(id, HF_RULE_LOSS);
	link.rule[0].network = network;
	return link;
}

static void a_packet_sees_a_slot_as_it_was_or_as_it_is(void **state)
{
	struct fixture *f = *state;
	struct writer writer = { .devices = harness_devices(f->harness),
				 .key = veth(harness_ifindex(DEVICE_B)) };
	struct harness_link links[] = { count_on(HOST_B, 1, 2), count_on(HOST_ELSEWHERE, 2, 1) };
	struct frame_spec spec = some_tcp;
	struct frame frame;
	pthread_t thread;

	for (int i = 0; i < 2; i++) { /* and, of any network, whatever comes */
		links[i].rules = 2;
		links[i].rule[1] = rule_of(3 + i, HF_RULE_LOSS);
	}
	assert_int_equal(harness_flip(f->harness, links, 2), 0);
	spec.src = HOST_A;
	spec.dst = HOST_B;
	spec.proto = IPPROTO_TCP;
	frame_make(&spec, &frame);
	place(f, DEVICE_A, DEVICE_B);
	devices_put(writer.devices, &writer.key, &by_turns[0]);
	assert_int_equal(pthread_create(&thread, NULL, write_by_turns, &writer), 0);
	for (int i = 0; i < RUNS / 1000; i++)
		assert_int_equal(harness_run(f->enter, &frame, 1000, &f->run), 0);
	writer.is_ending = true;
	pthread_join(thread, NULL);
	assert_int_equal(counts_of(f, 1).matched + counts_of(f, 2).matched, 0);
	assert_int_equal(counts_of(f, 3).matched + counts_of(f, 4).matched, RUNS);
	assert_true(counts_of(f, 3).matched > 0 && counts_of(f, 4).matched > 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		fixture_test(two_that_fall_on_one_slot_are_both_known),
		fixture_test(one_that_goes_leaves_its_slot),
		fixture_test(another_namespaces_veth_of_that_number_is_another),
		fixture_test(a_slot_that_is_being_written_is_not_read),
		fixture_test(a_packet_sees_a_slot_as_it_was_or_as_it_is),
	};

	return cmocka_run_group_tests_name("devices", tests, fixture_world, NULL);
}
