/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * progstats.c - nanoseconds a run of each BPF program that a process holds, while a command runs.
 *
 *     progstats --pid PID -- COMMAND...
 *
 * Prints `prog=NAME runs=N ns_per_run=X total_ns=N` for each program with at least one run. The kernel counts while a
 * descriptor of BPF_ENABLE_STATS is open: nothing has to be put back, however this ends. Counting itself costs two
 * reads of the clock a run, which are in the figure. Lines go to file descriptor 3 when it is open, else to stdout.
 */
#include <bpf/bpf.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "fdinfo.h"

#define PROGRAMS_MAX 64

struct program {
	int fd;
	char name[BPF_OBJ_NAME_LEN];
	uint64_t runs;
	uint64_t spent_ns;
};

struct programs {
	unsigned int count;
	uint32_t id[PROGRAMS_MAX];
	struct program at[PROGRAMS_MAX];
};

static int look(struct program *program, uint64_t *ret_runs, uint64_t *ret_spent_ns)
{
	struct bpf_prog_info info = {};
	uint32_t size = sizeof(info);

	if (bpf_obj_get_info_by_fd(program->fd, &info, &size) < 0)
		return -errno;
	memcpy(program->name, info.name, sizeof(program->name));
	*ret_runs = info.run_cnt;
	*ret_spent_ns = info.run_time_ns;
	return 0;
}

static void add_program(struct programs *programs, uint32_t id)
{
	struct program *program = &programs->at[programs->count];

	for (unsigned int i = 0; i < programs->count; i++)
		if (programs->id[i] == id)
			return;
	if (programs->count == PROGRAMS_MAX)
		return;
	program->fd = bpf_prog_get_fd_by_id(id);
	if (program->fd < 0)
		return;
	programs->id[programs->count++] = id;
}

/* The programs whose descriptors the process holds. */
static void find_program(void *ctx, FILE *info)
{
	unsigned int id;
	char line[128];

	while (fgets(line, sizeof(line), info))
		if (sscanf(line, "prog_id: %u", &id) == 1)
			add_program(ctx, id);
}

static int run(char **command)
{
	pid_t child = fork();
	int status = 0;

	if (child == 0) {
		execvp(command[0], command);
		fprintf(stderr, "progstats: %s: %s\n", command[0], strerror(errno));
		_exit(127);
	}
	while (child > 0 && waitpid(child, &status, 0) < 0)
		if (errno != EINTR)
			return 1;
	return WIFEXITED(status) ? WEXITSTATUS(status) : 1;
}

static void print(struct programs *programs, FILE *out)
{
	for (unsigned int i = 0; i < programs->count; i++) {
		struct program *program = &programs->at[i];
		uint64_t runs, spent_ns;

		if (look(program, &runs, &spent_ns) < 0 || runs <= program->runs)
			continue;
		runs -= program->runs;
		spent_ns -= program->spent_ns;
		fprintf(out, "prog=%s runs=%" PRIu64 " ns_per_run=%.1f total_ns=%" PRIu64 "\n",
			program->name, runs, (double)spent_ns / (double)runs, spent_ns);
	}
}

int main(int argc, char **argv)
{
	struct programs programs = {};
	_cleanup_(closep) int stats_fd = -1;
	FILE *out;
	int r, status;

	if (argc < 5 || strcmp(argv[1], "--pid") != 0 || strcmp(argv[3], "--") != 0) {
		fprintf(stderr, "usage: progstats --pid PID -- COMMAND...\n");
		return 2;
	}
	stats_fd = bpf_enable_stats(BPF_STATS_RUN_TIME);
	r = stats_fd < 0 ? -errno : fdinfo_each(argv[2], find_program, &programs);
	if (r < 0) {
		fprintf(stderr, "progstats: %s\n", strerror(-r));
		return 1;
	}
	for (unsigned int i = 0; i < programs.count; i++)
		look(&programs.at[i], &programs.at[i].runs, &programs.at[i].spent_ns);
	out = fcntl(3, F_GETFD) >= 0 ? fdopen(dup(3), "w") : stdout;
	status = run(argv + 4);
	print(&programs, out);
	fclose(out);
	return status;
}
