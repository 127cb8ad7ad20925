/* SPDX-License-Identifier: GPL-2.0-or-later */
/* export_data.c - made-up runs for the tests of user/export. */
#include "export_data.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

static const char *name_of(void *ctx, uint32_t id)
{
	static const char *const names[] = { "client", "a", "b", "c", "d", "e" };

	(void)ctx;
	if (id < HF_ENDPOINT_FIRST || id >= HF_ENDPOINT_FIRST + 6)
		return NULL;
	return names[id - HF_ENDPOINT_FIRST];
}

const struct export_run data_baseline = {
	.run_id = "baseline",
	.endpoint_name = name_of,
	.realtime_offset_ns = 1790000000000000000LL,
};

const struct export_run data_injected = {
	.run_id = "injected",
	.endpoint_name = name_of,
	.realtime_offset_ns = 1790000000000000000LL,
};

/* splitmix64 (Steele, Lea, Flood 2014): one number for each (chain, call, stage) */
static uint64_t noise(uint64_t seed)
{
	seed += 0x9e3779b97f4a7c15ULL;
	seed = (seed ^ (seed >> 30)) * 0xbf58476d1ce4e5b9ULL;
	seed = (seed ^ (seed >> 27)) * 0x94d049bb133111ebULL;
	return seed ^ (seed >> 31);
}

/* around `about`, sometimes three times as long */
static uint64_t jitter(unsigned int n, unsigned int k, int stage, uint64_t about)
{
	uint64_t dice = noise(n * 1000003ULL + k * 101 + (unsigned int)stage);

	return about * 3 / 4 + dice % (about / 2 + 1) + (dice >> 40 & 31 ? 0 : about * 2);
}

struct call data_unknown_call(void)
{
	struct call call = { .span_id = 1, .src = HF_ENDPOINT_FIRST, .dst = HF_ENDPOINT_FIRST + 1 };
	int i;

	for (i = 0; i < STAGE_COUNT; i++)
		call.stage_ns[i] = TIME_UNKNOWN;
	call.start_mono_ns = call.total_ns = call.connect_ns = call.srv_self_ns = TIME_UNKNOWN;
	call.inj_connect_ns = call.inj_req_ns = call.inj_resp_ns = call.inj_stream_ns =
		TIME_UNKNOWN;
	call.inj_loss_ns = call.injected_ns = call.real_loss_ns = TIME_UNKNOWN;
	return call;
}

static void set_address(struct hf_addr *addr, unsigned int last)
{
	const uint8_t v4[16] = { [10] = 0xff, 0xff, 10, 83, 0, (uint8_t)last };

	memcpy(addr->byte, v4, sizeof(v4));
}

static struct call plain_call(unsigned int n, unsigned int k, uint64_t delay_ns)
{
	struct call call = {
		.span_id = noise(n * 64 + k) | 1,
		.parent_span_id = k ? (noise(n * 64 + k - 1) | 1) : 0,
		.depth = k,
		.src = HF_ENDPOINT_FIRST + k,
		.dst = HF_ENDPOINT_FIRST + k + 1,
		.src_port = (uint16_t)(40000 + k),
		.dst_port = 8080,
		.proto = IPPROTO_TCP,
		.method = "GET",
		.path = "/chain",
		.status = 200,
		.req_bytes = 120,
		.resp_bytes = 300,
		.connect_ns = TIME_UNKNOWN,
		.link_method = k ? LINK_EXCLUSIVE : LINK_NONE,
		.link_confidence = k ? 0.95 : 0,
		.complete = true,
	};
	static const uint64_t about[STAGE_COUNT] = { 9000, 1, 4000, 1, 21000, 60000,
						     8000, 1, 4000, 1, 19000, 1 };
	int i;

	memset(call.trace_id, (int)(n & 0xff), sizeof(call.trace_id));
	call.trace_id[15] = (uint8_t)(n >> 8);
	set_address(&call.src_addr, k + 1);
	set_address(&call.dst_addr, k + 2);
	for (i = 0; i < STAGE_COUNT; i++)
		call.stage_ns[i] = about[i] > 1 ? jitter(n, k, i, about[i]) : 0;
	if (k && delay_ns) {
		call.inj_req_ns = call.injected_ns = delay_ns;
		call.stage_ns[STAGE_HOLD_REQ] = delay_ns + jitter(n, k, 99, 9000);
		call.rule_id[0] = k;
	}
	return call;
}

struct chain data_chain(struct call call[DATA_CALLS], unsigned int n, uint64_t delay_ns)
{
	uint64_t start_ns = DATA_START + n * 50000000ULL;
	unsigned int k;
	int i;

	for (k = 0; k < DATA_CALLS; k++)
		call[k] = plain_call(n, k, delay_ns);
	for (k = DATA_CALLS; k-- > 0;) { /* from the last back: each waits for the next */
		call[k].srv_self_ns = call[k].stage_ns[STAGE_SRV_APP];
		if (k + 1 < DATA_CALLS)
			call[k].stage_ns[STAGE_SRV_APP] += call[k + 1].total_ns;
		for (i = 0; i < STAGE_COUNT; i++)
			call[k].total_ns += call[k].stage_ns[i];
	}
	for (k = 0; k < DATA_CALLS; k++) {
		call[k].start_mono_ns = start_ns;
		for (i = 0; i <= STAGE_SRV_QUEUE; i++)
			start_ns += call[k].stage_ns[i];
		start_ns += call[k].srv_self_ns / 2;
	}
	return (struct chain){ .calls = DATA_CALLS, .call = call };
}

void data_export(struct export *export, const struct export_run *run, unsigned int chains,
		 uint64_t delay_ns)
{
	struct call call[DATA_CALLS];
	struct chain chain;
	unsigned int n;

	assert_int_equal(export_begin_run(export, run), 0);
	for (n = 0; n < chains; n++) {
		chain = data_chain(call, n, delay_ns);
		assert_int_equal(export_chain(export, &chain), 0);
	}
	assert_int_equal(export_end_run(export), 0);
}

char *data_read_file(const char *path)
{
	FILE *file = fopen(path, "re");
	char *text = NULL;
	size_t size = 0;
	ssize_t len;

	assert_non_null(file);
	len = getdelim(&text, &size, '\0', file);
	fclose(file);
	if (len < 0) {
		free(text);
		return strdup("");
	}
	return text;
}

void data_make_folder(char *path, size_t size)
{
	snprintf(path, size, "/tmp/hopfault-test-XXXXXX");
	assert_non_null(mkdtemp(path));
}

void data_remove_folder(const char *path)
{
	_cleanup_(closedirp) DIR *folder = opendir(path);
	struct dirent *entry;

	assert_non_null(folder);
	while ((entry = readdir(folder)) != NULL)
		unlinkat(dirfd(folder), entry->d_name, 0);
	assert_int_equal(rmdir(path), 0);
}

static void copy_file(const char *from, const char *to)
{
	_cleanup_(freep) char *text = data_read_file(from);
	FILE *file = fopen(to, "we");

	assert_non_null(file);
	fputs(text, file);
	assert_int_equal(fclose(file), 0);
}

void data_assert_golden(const char *path, const char *name)
{
	_cleanup_(freep) char *got = NULL;
	_cleanup_(freep) char *expected = NULL;
	char golden[256];

	snprintf(golden, sizeof(golden), "tests/golden/%s", name);
	if (getenv("GOLDEN_WRITE"))
		copy_file(path, golden);
	got = data_read_file(path);
	expected = data_read_file(golden);
	assert_string_equal(got, expected);
}
