/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * engine.c - one round of the delay engine, again and again.
 *
 *   release what is due --> read a few that came --> nothing to do? wait (pace.h) --> ...
 *
 * Frames that go into an endpoint leave by the packet socket, many by one call; those that had come out of one leave by
 * the TAP, one by one.
 *
 * Few frames are read between two looks at the clock: a frame of 64 KB takes tens of microseconds, and what is
 * due must not wait behind many of them. A frame is never dropped without being counted.
 */
#include "hold/engine.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/eventfd.h>
#include <time.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "hold/frame.h"

#define READ_BATCH   4 /* frames between two looks at the clock */
#define FLUSH_READS  16384 /* frames read from one ring by a flush: twice what fits */
#define STALE_NS     1000000000ULL /* the lease: what is so late was due to another world */
#define ASKED_MAX_NS (3600 * 1000000000ULL) /* a longer delay is nonsense */
#define SPIN_LOOK_NS \
	20000 /* while spinning, look at the TAPs so often, but not in the last stretch */
#define SECOND_NS 1000000000ULL

/* One writer; only torn reads must not happen. */
#define COUNT(engine, what, by) \
	__atomic_store_n(&(engine)->counts.what, (engine)->counts.what + (by), __ATOMIC_RELAXED)
#define PUBLISH(engine, what, value) \
	__atomic_store_n(&(engine)->counts.what, (value), __ATOMIC_RELAXED)

static void give_sign_of_life(struct engine *engine, uint64_t now_ns)
{
	__atomic_store_n(&engine->heartbeat_ns, now_ns, __ATOMIC_RELAXED);
}

/* ---- out ---- */

static void count_released(struct engine *engine, struct packet *const *packet, unsigned count,
			   uint64_t now_ns)
{
	COUNT(engine, released, count);
	for (unsigned i = 0; i < count; i++) {
		uint64_t due_ns = packet[i]->header.due_ns;

		if (due_ns > now_ns)
			COUNT(engine, flushed, 1);
		else
			spread_record(&engine->release, now_ns - due_ns);
	}
}

/*
 * All of one port. What the kernel does not take is counted and gone. sendmmsg() stops behind the frames that went
 * and keeps the next one's error to itself; that one has been judged and is not tried again, or it is judged twice.
 */
static void send_packets(struct engine *engine, struct packet *const *packet, unsigned count)
{
	struct port *port = engine->port[packet[0]->port];
	unsigned sent = 0;

	while (sent < count) {
		uint64_t now_ns = clock_now_ns();
		int n = port_send(port, engine->batch, sent, count);

		if (n > 0) {
			count_released(engine, packet + sent, (unsigned)n, now_ns);
			sent += (unsigned)n;
			if (sent < count) {
				COUNT(engine, refused, 1);
				sent++;
			}
			continue;
		}
		if (n == -ENOBUFS)
			COUNT(engine, refused, 1);
		else
			COUNT(engine, send_errors, 1);
		sent++;
	}
}

/* The slot is filled before the frame is seen: the program runs within the call, or after it. */
static void return_packet(struct engine *engine, struct packet *packet)
{
	uint16_t slot = engine->next_return++ % HF_RETURN_SLOTS;
	uint64_t now_ns = clock_now_ns();

	frame_enclose(packet, slot, &engine->returns[slot]);
	if (port_return(engine->port[packet->port], engine->queue, packet) < 0)
		COUNT(engine, send_errors, 1);
	else
		count_released(engine, &packet, 1, now_ns);
}

static void let_go(struct engine *engine, struct packet *const *packet, unsigned count)
{
	if (packet[0]->header.way == HF_WAY_IN) {
		send_packets(engine, packet, count);
		return;
	}
	for (unsigned i = 0; i < count; i++)
		return_packet(engine, packet[i]);
}

static bool go_together(const struct packet *one, const struct packet *other)
{
	return one->port == other->port && one->header.way == other->header.way;
}

static bool packet_is_stale(const struct packet *packet, uint64_t now_ns)
{
	return now_ns > packet->header.due_ns && now_ns - packet->header.due_ns > STALE_NS;
}

static void drop_stale(struct engine *engine, uint64_t now_ns)
{
	struct packet *packet;

	while ((packet = queue_first(engine->queue)) && packet_is_stale(packet, now_ns)) {
		queue_pop(engine->queue);
		queue_release(engine->queue, packet);
		COUNT(engine, stale, 1);
	}
}

/* One batch at most. Returns how many left the queue. */
static unsigned release_due(struct engine *engine, uint64_t now_ns)
{
	struct packet *packet[PORT_BATCH];
	unsigned count = 0;

	drop_stale(engine, now_ns);
	while (count < PORT_BATCH && queue_next_due_ns(engine->queue) <= now_ns) {
		packet[count] = queue_first(engine->queue);
		if (!go_together(packet[count], packet[0]))
			break;
		queue_pop(engine->queue);
		port_batch_set(engine->batch, count, engine->queue, packet[count],
			       engine->config->release_mark);
		count++;
	}
	if (count > 0)
		let_go(engine, packet, count);
	for (unsigned i = 0; i < count; i++)
		queue_release(engine->queue, packet[i]);
	return count;
}

/* ---- in ---- */

static bool asks_nonsense(const struct hf_hold_header *header, uint64_t now_ns)
{
	return header->due_ns > now_ns && header->due_ns - now_ns > ASKED_MAX_NS;
}

static void accept_frame(struct engine *engine, struct packet *packet, size_t read_bytes,
			 unsigned index)
{
	uint64_t now_ns = clock_now_ns();
	uint64_t due_ns, decided_ns;

	if (frame_receive(packet, read_bytes) < 0 || asks_nonsense(&packet->header, now_ns)) {
		COUNT(engine, malformed, 1);
		return;
	}
	due_ns = packet->header.due_ns;
	decided_ns = packet->header.decided_ns;
	packet->port = index;
	queue_push(engine->queue);
	COUNT(engine, held_ever, 1);
	pace_arrival(&engine->pace, now_ns, due_ns > decided_ns ? due_ns - decided_ns : 0);
}

/* False: nothing there. */
static bool read_frame(struct engine *engine, unsigned index)
{
	struct port *port = engine->port[index];
	uint8_t *const *chunks;
	struct packet *landing = queue_landing(engine->queue, &chunks);
	ssize_t n = landing ? port_read(port, landing, chunks) : port_discard(port);

	if (n < 0) {
		if (n != -EAGAIN)
			__atomic_store_n(&port->is_lost, true, __ATOMIC_RELAXED);
		return false;
	}
	if (landing)
		accept_frame(engine, landing, (size_t)n, index);
	else
		COUNT(engine, overflow, 1);
	return true;
}

static bool port_is_served(const struct engine *engine, unsigned index)
{
	return engine->port[index] && !engine->port[index]->is_lost;
}

/* Reads few; true when there may be more. */
static bool read_some(struct engine *engine)
{
	bool more = false;

	for (unsigned i = 0; i < engine->ports; i++) {
		unsigned n = 0;

		if (!port_is_served(engine, i))
			continue;
		while (n < READ_BATCH && read_frame(engine, i))
			n++;
		more |= n == READ_BATCH;
	}
	return more;
}

/* ---- waiting ---- */

/* Leave the core's other half some room. */
static void relax(void)
{
#if defined(__x86_64__) || defined(__i386__)
	__builtin_ia32_pause();
#elif defined(__aarch64__)
	__asm__ volatile("yield");
#endif
}

static void spin_until(struct engine *engine, uint64_t from_ns, uint64_t until_ns)
{
	uint64_t look_ns = from_ns + SPIN_LOOK_NS;
	uint64_t now_ns;

	while ((now_ns = clock_now_ns()) < until_ns) {
		if (now_ns >= look_ns && until_ns - now_ns > SPIN_LOOK_NS) {
			read_some(engine);
			look_ns = now_ns + SPIN_LOOK_NS;
			until_ns = queue_next_due_ns(engine->queue);
		}
		relax();
	}
	pace_spun(&engine->pace, now_ns - from_ns);
	COUNT(engine, spun_ns, now_ns - from_ns);
}

static unsigned list_fds(const struct engine *engine, bool with_taps, struct pollfd *fds)
{
	unsigned count = 0;

	fds[count++] = (struct pollfd){ .fd = engine->wake_fd, .events = POLLIN };
	for (unsigned i = 0; with_taps && i < engine->ports; i++)
		if (port_is_served(engine, i))
			fds[count++] =
				(struct pollfd){ .fd = engine->port[i]->tap_fd, .events = POLLIN };
	return count;
}

static void take_wake(struct engine *engine)
{
	eventfd_t ignored;

	eventfd_read(engine->wake_fd, &ignored);
}

static void sleep_until(struct engine *engine, uint64_t now_ns, const struct pace_wait *wait)
{
	struct pollfd fds[1 + ENGINE_PORTS_MAX];
	unsigned count = list_fds(engine, wait->watch_taps, fds);
	uint64_t for_ns = wait->until_ns - now_ns;
	struct timespec timeout = { .tv_sec = (time_t)(for_ns / SECOND_NS),
				    .tv_nsec = (long)(for_ns % SECOND_NS) };
	int n = ppoll(fds, count, &timeout, NULL);

	COUNT(engine, wakes, 1);
	now_ns = clock_now_ns();
	if (n == 0 && now_ns >= wait->until_ns)
		spread_record(&engine->wake, now_ns - wait->until_ns);
	if (n > 0 && fds[0].revents)
		take_wake(engine);
}

static void wait_for_work(struct engine *engine)
{
	uint64_t due_ns = queue_next_due_ns(engine->queue);
	uint64_t now_ns = clock_now_ns();
	struct pace_wait wait;

	if (due_ns <= now_ns)
		return;
	wait = pace_wait(&engine->pace, now_ns, due_ns);
	if (wait.spin)
		spin_until(engine, now_ns, wait.until_ns);
	else
		sleep_until(engine, now_ns, &wait);
}

static void publish_held(struct engine *engine)
{
	PUBLISH(engine, held_packets, queue_packets(engine->queue));
	PUBLISH(engine, held_bytes, queue_bytes(engine->queue));
}

void engine_turn(struct engine *engine)
{
	uint64_t now_ns = clock_now_ns();
	bool more;

	give_sign_of_life(engine, now_ns);
	more = release_due(engine, now_ns) == PORT_BATCH;
	more |= read_some(engine);
	publish_held(engine);
	if (!more)
		wait_for_work(engine);
}

/* ---- asked from outside ---- */

static void empty_ring(struct engine *engine, unsigned index)
{
	for (unsigned n = 0; n < FLUSH_READS && read_frame(engine, index); n++)
		;
}

static void release_expedited(struct engine *engine)
{
	while (queue_next_due_ns(engine->queue) == 0) {
		uint64_t now_ns = clock_now_ns();

		give_sign_of_life(engine, now_ns);
		release_due(engine, now_ns);
	}
}

void engine_flush(struct engine *engine, bool (*choose)(void *ctx, const struct packet *packet),
		  void *ctx)
{
	for (unsigned i = 0; i < engine->ports; i++)
		if (port_is_served(engine, i))
			empty_ring(engine, i);
	queue_expedite(engine->queue, choose, ctx);
	release_expedited(engine);
	publish_held(engine);
}

int engine_add_port(struct engine *engine, struct port *port)
{
	for (unsigned i = 0; i < ENGINE_PORTS_MAX; i++) {
		if (engine->port[i])
			continue;
		engine->port[i] = port;
		if (engine->ports <= i)
			engine->ports = i + 1;
		return 0;
	}
	return -ENOSPC;
}

int engine_find_port(const struct engine *engine, dev_t netns_dev, ino_t netns_ino)
{
	for (unsigned i = 0; i < engine->ports; i++) {
		const struct port *port = engine->port[i];

		if (port && port->netns_dev == netns_dev && port->netns_ino == netns_ino)
			return (int)i;
	}
	return -ENOENT;
}

static bool is_of_port(void *ctx, const struct packet *packet)
{
	return packet->port == *(const unsigned *)ctx;
}

struct port *engine_remove_port(struct engine *engine, unsigned index)
{
	engine_flush(engine, is_of_port, &index);
	return TAKE_PTR(engine->port[index]);
}

int engine_init(struct engine *engine, const struct hold_options *options,
		const struct hold_shared *shared)
{
	int r;

	engine->config = shared->config;
	engine->returns = shared->returns;
	engine->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (engine->wake_fd < 0)
		return -errno;
	r = port_batch_new(&engine->batch);
	if (r < 0)
		return r;
	pace_init(&engine->pace, options->spin_ns, clock_now_ns());
	return queue_new(options->limit_bytes, options->limit_packets, &engine->queue);
}

void engine_done(struct engine *engine)
{
	for (unsigned i = 0; i < engine->ports; i++)
		port_close(engine->port[i]);
	queue_free(engine->queue);
	port_batch_free(engine->batch);
	closep(&engine->wake_fd);
}
