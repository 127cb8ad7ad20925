/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * fuzz_csv.c - any bytes as hops.csv: nothing crashes, an error says where, and the runs that come out are whole: none
 * begins within another, and every chain has its root first.
 *
 * The header is put in front, so that rows are what is tried.
 *
 *     build/fuzz_csv -max_total_time=30
 *
 * uses: user/base/histogram.c user/base/log.c user/base/suggest.c user/base/table.c user/base/text.c user/base/units.c user/export/canvas.c user/export/columns.c user/export/csv.c user/export/csv_line.c user/export/csv_read.c user/export/export.c user/endpoint/endpoint_name.c user/export/figure.c user/export/hoptable.c user/export/jsonl.c user/export/measure.c user/export/perfetto.c user/export/summary.c user/export/svg.c user/export/tree.c user/trace/call.c user/trace/cause.c user/trace/chain.c user/trace/connection.c user/trace/head.c user/trace/interval.c user/trace/message.c user/trace/pool.c user/trace/stage.c user/trace/stream.c user/trace/turn.c user/trace/open_call.c user/trace/sighting.c
 */
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "export/columns.h"
#include "export/csv_read.h"
#include "promise.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct seen {
	bool in_run;
};

static int on_begin(void *ctx, const struct export_run *run)
{
	struct seen *seen = ctx;

	must(!seen->in_run, "a run begins when none runs");
	must(run->run_id != NULL, "a run has a name");
	seen->in_run = true;
	return 0;
}

static int on_chain(void *ctx, const struct chain *chain)
{
	const struct seen *seen = ctx;

	must(seen->in_run, "a chain is of a run");
	must(chain->calls > 0, "a chain has a root");
	for (size_t i = 0; i < chain->calls; i++) {
		must(memchr(chain->call[i].path, 0, sizeof(chain->call[i].path)) != NULL,
		     "a path ends");
		must(memchr(chain->call[i].method, 0, sizeof(chain->call[i].method)) != NULL,
		     "a method ends");
	}
	return 0;
}

static int on_end(void *ctx)
{
	struct seen *seen = ctx;

	must(seen->in_run, "a run ends that has begun");
	seen->in_run = false;
	return 0;
}

static void write_header(int fd)
{
	for (size_t i = 0; i < hop_columns_count; i++)
		dprintf(fd, "%s%s", i ? "," : "", hop_columns[i].name);
	dprintf(fd, "\r\n");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct seen seen = { 0 };
	const struct csv_sink sink = { on_begin, on_chain, on_end, &seen };
	char error[EXPORT_ERROR_MAX] = "", path[64];
	int fd = memfd_create("hops.csv", MFD_CLOEXEC), r;

	must(fd >= 0, "a file in memory");
	write_header(fd);
	must(size == 0 || write(fd, data, size) == (ssize_t)size, "it is written");
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	r = csv_read(path, &sink, error);
	must(r >= 0 || error[0], "an error has a sentence");
	must(r < 0 || !seen.in_run, "every run is ended");
	close(fd);
	return 0;
}
