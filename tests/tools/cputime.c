/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * cputime.c - what a command costs in processor time, others' work on the same machine left out.
 *
 *     cputime [--pids P,Q,...] -- COMMAND...
 *
 * Prints `wall_ns=... command_ns=... pids_ns=... pid_P_ns=...`: the time that COMMAND ran (with its children), and that
 * the processes P, Q, ... ran meanwhile (all their threads, also those that have ended). These are the scheduler's own
 * nanoseconds (CLOCK_PROCESS_CPUTIME_ID of that process), not ticks. Soft interrupts on a veth run in the thread that
 * sends, and so are counted where they belong; what ksoftirqd does instead is in no process of ours, so its time is
 * printed apart (machine-wide: it means something on a machine with nothing else to do).
 * COMMAND's output is left as it is; the line goes to file descriptor 3 when that is open, else to stdout.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define PIDS_MAX 64

struct pids {
	unsigned int count;
	pid_t pid[PIDS_MAX];
	uint64_t before_ns[PIDS_MAX];
};

static uint64_t clock_ns(clockid_t clock)
{
	struct timespec now;

	if (clock_gettime(clock, &now) < 0)
		return 0;
	return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

/* 0: there is no such process (any more). */
static uint64_t process_ns(pid_t pid)
{
	clockid_t clock;

	return clock_getcpuclockid(pid, &clock) == 0 ? clock_ns(clock) : 0;
}

static uint64_t children_ns(void)
{
	struct rusage usage;

	getrusage(RUSAGE_CHILDREN, &usage);
	return ((uint64_t)usage.ru_utime.tv_sec + (uint64_t)usage.ru_stime.tv_sec) * 1000000000 +
	       ((uint64_t)usage.ru_utime.tv_usec + (uint64_t)usage.ru_stime.tv_usec) * 1000;
}

static bool is_softirq_thread(const char *pid)
{
	char path[300], name[32] = "";
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%s/comm", pid);
	file = fopen(path, "re");
	if (!file)
		return false;
	if (!fgets(name, sizeof(name), file))
		name[0] = 0;
	fclose(file);
	return strncmp(name, "ksoftirqd/", 10) == 0;
}

static uint64_t softirq_threads_ns(void)
{
	DIR *proc = opendir("/proc");
	const struct dirent *entry;
	uint64_t sum_ns = 0;

	while (proc && (entry = readdir(proc)))
		if (atoi(entry->d_name) > 0 && atoi(entry->d_name) < 1000 &&
		    is_softirq_thread(entry->d_name))
			sum_ns += process_ns(atoi(entry->d_name));
	if (proc)
		closedir(proc);
	return sum_ns;
}

static void take_pids(char *list, struct pids *pids)
{
	char *at = NULL;

	for (char *word = strtok_r(list, ",", &at); word && pids->count < PIDS_MAX;
	     word = strtok_r(NULL, ",", &at))
		pids->pid[pids->count++] = atoi(word);
}

static int run(char **command)
{
	pid_t child = fork();
	int status = 0;

	if (child == 0) {
		execvp(command[0], command);
		fprintf(stderr, "cputime: %s: %s\n", command[0], strerror(errno));
		_exit(127);
	}
	while (child > 0 && waitpid(child, &status, 0) < 0)
		if (errno != EINTR)
			return 1;
	return WIFEXITED(status) ? WEXITSTATUS(status) : 1;
}

static void print_pids(FILE *out, const struct pids *pids)
{
	uint64_t sum_ns = 0, spent_ns[PIDS_MAX] = {};

	for (unsigned int i = 0; i < pids->count; i++) {
		uint64_t after_ns = process_ns(pids->pid[i]);

		spent_ns[i] = after_ns > pids->before_ns[i] ? after_ns - pids->before_ns[i] : 0;
		sum_ns += spent_ns[i];
	}
	fprintf(out, " pids_ns=%" PRIu64, sum_ns);
	for (unsigned int i = 0; i < pids->count; i++)
		fprintf(out, " pid_%d_ns=%" PRIu64, (int)pids->pid[i], spent_ns[i]);
}

int main(int argc, char **argv)
{
	struct pids pids = {};
	uint64_t wall_ns, soft_ns;
	FILE *out;
	int at = 1, status;

	if (argc > 2 && strcmp(argv[1], "--pids") == 0) {
		take_pids(argv[2], &pids);
		at = 3;
	}
	if (at + 1 >= argc || strcmp(argv[at], "--") != 0) {
		fprintf(stderr, "usage: cputime [--pids P,Q,...] -- COMMAND...\n");
		return 2;
	}
	out = fcntl(3, F_GETFD) >= 0 ? fdopen(dup(3), "w") : stdout;
	soft_ns = softirq_threads_ns();
	for (unsigned int i = 0; i < pids.count; i++)
		pids.before_ns[i] = process_ns(pids.pid[i]);
	wall_ns = clock_ns(CLOCK_MONOTONIC);
	status = run(argv + at + 1);
	wall_ns = clock_ns(CLOCK_MONOTONIC) - wall_ns;
	fprintf(out, "wall_ns=%" PRIu64 " command_ns=%" PRIu64, wall_ns, children_ns());
	print_pids(out, &pids);
	fprintf(out, " ksoftirqd_ns=%" PRIu64 "\n", softirq_threads_ns() - soft_ns);
	fclose(out);
	return status;
}
